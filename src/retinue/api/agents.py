"""``/v1/agents``: agents, their tools, and the configurations they have had. Admins change, everyone reads."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from retinue import errors
from retinue.api import deps, pages
from retinue.domain.agents import (
    Agent,
    AgentChange,
    AgentFilter,
    AgentOverview,
    AgentStatus,
    AgentTool,
    DeploymentState,
    Difference,
    Install,
    NewAgent,
    Snapshot,
    ToolChoices,
)
from retinue.domain.channels import Channel
from retinue.domain.ids import AgentId
from retinue.domain.texts import Word
from retinue.store import agent_overview, agents, catalogue, channels, reads, snapshots

router = APIRouter(prefix="/v1/agents", tags=["agents"])


async def wanted(
    status: AgentStatus | None = None, deployment_state: DeploymentState | None = None, slug: Word | None = None
) -> AgentFilter:
    """The filters of the list."""
    return AgentFilter(status=status, deployment_state=deployment_state, slug=slug)


@router.get("")
async def list_agents(
    caller: deps.Caller, db: deps.Db, page: pages.Paging, filters: Annotated[AgentFilter, Depends(wanted)]
) -> pages.Page[Agent]:
    """The agents you can reach: active ones and those in your channels; admins see all."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await agents.list_agents(tx, caller, filters, after=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda agent: [agent.id])


@router.post("", status_code=201)
async def create_agent(new: NewAgent, caller: deps.Admin, app: deps.App, response: Response) -> Agent:
    """A new agent with its tools, in no channel yet. A model that no provider here answers to is refused."""
    check_model(app, new.model)
    async with app.db.tenant_tx(caller.account_id) as tx:
        return _tagged(await agents.create(tx, caller, new), response)


@router.post("/install", status_code=201)
async def install_agent(body: Install, caller: deps.Admin, db: deps.Db, response: Response) -> Agent:
    """An agent from the catalogue, with its defaults."""
    async with db.tenant_tx(caller.account_id) as tx:
        return _tagged(await catalogue.install(tx, caller, body.slug, agent_slug=body.agent_slug), response)


@router.get("/overview")
async def list_agent_overview(caller: deps.Caller, db: deps.Db) -> list[AgentOverview]:
    """Of every agent you can reach: in how many of your channels it is, its last turn, whether it works now."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await agent_overview.list_overview(tx, caller)


@router.get("/{agent_id}")
async def get_agent(agent_id: AgentId, caller: deps.Caller, db: deps.Db, response: Response) -> Agent:
    """One agent. Its ``ETag`` goes into ``If-Match`` of a change."""
    async with db.tenant_tx(caller.account_id) as tx:
        return _tagged(await agents.access_agent(tx, caller, agent_id), response)


@router.patch("/{agent_id}")
async def update_agent(
    agent_id: AgentId, change: AgentChange, caller: deps.Admin, app: deps.App, response: Response,
    if_match: Annotated[str | None, Header()] = None,
) -> Agent:  # fmt: skip
    """Change what the body names; the next turn runs on it. With ``If-Match`` only if nobody changed it meanwhile."""
    check_model(app, change.model if "model" in change.model_fields_set else None)
    async with app.db.tenant_tx(caller.account_id) as tx:
        seen = _seen(if_match)
        return _tagged(await agents.update(tx, caller, agent_id, change, unchanged_since=seen), response)


@router.delete("/{agent_id}", status_code=204)
async def delete_agent(agent_id: AgentId, caller: deps.Admin, db: deps.Db) -> None:
    """Remove an agent from every list and channel; its history is kept. A built-in one can only be deactivated."""
    async with db.tenant_tx(caller.account_id) as tx:
        await agents.delete(tx, caller, agent_id)


def check_model(app: deps.AppState, model: object, path: str = "body.model") -> None:
    """Raises BadInput for a model that cannot be reached here; none chosen is the account's own matter."""
    if app.models is None or not isinstance(model, str):
        return
    try:
        app.models.resolve(model)
    except errors.UnknownModel as error:
        reason = f"cannot be reached: {error.detail}"
        raise errors.BadInput(error.detail, errors=[{"path": path, "reason": reason}]) from error


def _tagged(agent: Agent, response: Response) -> Agent:
    response.headers["ETag"] = f'"{agent.updated_at.isoformat()}"'
    return agent


def _seen(if_match: str | None) -> datetime | None:
    if if_match is None or if_match.strip() == "*":
        return None
    try:
        seen = datetime.fromisoformat(if_match.strip().removeprefix("W/").strip('"'))
    except ValueError as error:
        reason = "is not an ETag of an agent"
        found = [{"path": "header.If-Match", "reason": reason}]
        raise errors.BadInput("Send the ETag that came with the agent.", errors=found) from error
    return seen


@router.get("/{agent_id}/tools")
async def list_agent_tools(agent_id: AgentId, caller: deps.Caller, db: deps.Db) -> list[AgentTool]:
    """What the agent has, switched-off tools too."""
    async with db.tenant_tx(caller.account_id) as tx:
        return list(await agents.access_tools(tx, caller, agent_id))


@router.put("/{agent_id}/tools")
async def set_agent_tools(agent_id: AgentId, body: ToolChoices, caller: deps.Admin, db: deps.Db) -> list[AgentTool]:
    """Give the agent exactly these tools; any spelling of a tool's name will do."""
    async with db.tenant_tx(caller.account_id) as tx:
        return list(await agents.set_tools(tx, caller, agent_id, body.tools))


@router.get("/{agent_id}/snapshots")
async def list_agent_snapshots(
    agent_id: AgentId, caller: deps.Admin, db: deps.Db, page: pages.Paging
) -> pages.Page[Snapshot]:
    """The configurations the agent has had, newest first, also of a deleted agent."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await snapshots.list_snapshots(tx, caller, agent_id, before=page.after_text(), limit=page.fetch)
    return pages.make(rows, page, lambda snapshot: [snapshot.hash])


@router.get("/{agent_id}/snapshots/{config_hash}")
async def get_agent_snapshot(agent_id: AgentId, config_hash: Word, caller: deps.Admin, db: deps.Db) -> Snapshot:
    """One configuration, by the hash that interactions and audit name."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await snapshots.access_snapshot(tx, caller, agent_id, config_hash)


@router.get("/{agent_id}/snapshots/{config_hash}/changes")
async def compare_agent_snapshots(
    agent_id: AgentId, config_hash: Word, since: Word, caller: deps.Admin, db: deps.Db
) -> list[Difference]:
    """What is different in this configuration from the one whose hash is ``since``."""
    async with db.tenant_tx(caller.account_id) as tx:
        return list(await snapshots.compare(tx, caller, agent_id, (since, config_hash)))


@router.post("/{agent_id}/direct")
async def open_direct_channel(agent_id: AgentId, caller: deps.Caller, db: deps.Db) -> Channel:
    """The private channel of you and this agent, made at the first call."""
    async with db.tenant_tx(caller.account_id) as tx:
        [found] = await reads.dress(tx, caller, [await channels.direct(tx, caller, agent_id)])
    return found

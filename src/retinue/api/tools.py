"""``/v1/tools``: what agents can be given, of code and registered here; and giving one tool to one agent.

Everyone reads; admins register, change and give. Tools of code are changed by changing the code.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Path

from retinue import errors
from retinue.api import deps, pages, secrets
from retinue.domain import accounts, aliases, external_tools
from retinue.domain.accounts import Principal, Role
from retinue.domain.agents import AgentTool
from retinue.domain.external_tools import MadeTool, NewTool, ToolChange, ToolUse, ToolView
from retinue.domain.ids import AgentId
from retinue.domain.texts import Word
from retinue.domain.tools import Collision, ToolKind
from retinue.store import tools
from retinue.tools.registry import Registry

router = APIRouter(prefix="/v1", tags=["tools"])

Named = Annotated[Word, Path(description="A tool's id, or any spelling of its name.")]
FIRST_EXTERNAL = f"{ToolKind.EXTERNAL.value}:"


class ToolPage(pages.Page[ToolView]):
    """Some of the tools: those of code first, then those registered here, each by slug."""

    collisions: tuple[Collision, ...] = ()
    """Names claimed twice: by packages, and by the tools of this page (TOOL-15)."""


@router.get("/tools")
async def list_tools(caller: deps.Caller, app: deps.App, page: pages.Paging) -> ToolPage:
    """All tools. Addresses and names of secrets are shown to admins only."""
    found = _registry(app)
    kind, _, after = (page.after_text() or "").partition(":")
    rows: list[ToolView] = []
    if kind != ToolKind.EXTERNAL:
        rows = [external_tools.of_code(spec) for spec in found.specs() if spec.slug > after]
    if len(rows) < page.fetch:
        async with app.db.tenant_tx(caller.account_id) as tx:
            registered = await tools.list_tools(
                tx, caller.account_id, after=after if kind == ToolKind.EXTERNAL else None,
                limit=page.fetch - len(rows), internal=_slugs(found),
            )  # fmt: skip
        rows += [external_tools.of_row(row, whole=_is_admin(caller)) for row in registered]
    shown = pages.make(rows, page, lambda tool: [f"{tool.kind.value}:{tool.slug}"])
    lost = [tool.slug for tool in shown.data if tool.shadowed]
    collisions = (*found.collisions, *(external_tools.shadow(slug) for slug in lost))
    return ToolPage(data=shown.data, next=shown.next, collisions=collisions)


@router.post("/tools", status_code=201)
async def create_tool(new: NewTool, caller: deps.Admin, app: deps.App) -> MadeTool:
    """Register an endpoint as a tool. A tool that names no secret gets a signing secret, shown this once."""
    sealer = await secrets.sealer(app, caller.account_id)
    with _body():
        async with app.db.tenant_tx(caller.account_id) as tx:
            made = await tools.create(tx, caller, new, sealer, _slugs(_registry(app)))
    return external_tools.made(made)


@router.get("/tools/{tool}")
async def get_tool(tool: Named, caller: deps.Caller, app: deps.App) -> ToolView:
    """One tool. Of two with one name the one that agents get; the other has its id."""
    found = _registry(app)
    own = found.get(tool)
    if own is not None:
        return external_tools.of_code(own.spec)
    async with app.db.tenant_tx(caller.account_id) as tx:
        row = await tools.find(tx, caller.account_id, tool, _slugs(found))
    return external_tools.of_row(row, whole=_is_admin(caller))


@router.patch("/tools/{tool}")
async def update_tool(tool: Named, change: ToolChange, caller: deps.Admin, app: deps.App) -> ToolView:
    """Change what the body names; the next turn of every agent that has the tool runs on it."""
    slugs = _slugs(_registry(app))
    with _body(), _of_code(tool, slugs):
        async with app.db.tenant_tx(caller.account_id) as tx:
            row = await tools.find(tx, caller.account_id, tool, slugs)
            row = await tools.update(tx, caller, row.id, change, slugs)
    return external_tools.of_row(row, whole=True)


@router.delete("/tools/{tool}", status_code=204)
async def delete_tool(tool: Named, caller: deps.Admin, app: deps.App) -> None:
    """Remove a registered tool, also from the agents that have it."""
    slugs = _slugs(_registry(app))
    with _of_code(tool, slugs):
        async with app.db.tenant_tx(caller.account_id) as tx:
            row = await tools.find(tx, caller.account_id, tool, slugs)
            await tools.delete(tx, caller, row.id, slugs)


# ── one tool of one agent (all at once: PUT /v1/agents/{agent_id}/tools) ─────────────────────────────────────────


@router.put("/agents/{agent_id}/tools/{tool}")
async def give_tool(
    agent_id: AgentId, tool: Named, use: ToolUse, caller: deps.Admin, db: deps.Db
) -> list[AgentTool]:  # fmt: skip
    """Give the agent a tool, or change how it has it. A family's name gives all of its tools, hence a list."""
    wanted = AgentTool(tool=tool, enabled=use.enabled, config=use.config)
    with _body():
        async with db.tenant_tx(caller.account_id) as tx:
            return await tools.attach(tx, caller, agent_id, wanted)


@router.delete("/agents/{agent_id}/tools/{tool}", status_code=204)
async def take_tool(agent_id: AgentId, tool: Named, caller: deps.Admin, db: deps.Db) -> None:
    """Take a tool from the agent."""
    async with db.tenant_tx(caller.account_id) as tx:
        await tools.detach(tx, caller, agent_id, tool)


# ── what they share ──────────────────────────────────────────────────────────────────────────────────────────────


def _registry(app: deps.AppState) -> Registry:
    assert app.registry is not None
    return app.registry


def _slugs(found: Registry) -> frozenset[str]:
    return frozenset(spec.slug for spec in found.specs())


def _is_admin(caller: Principal) -> bool:
    return accounts.at_least(caller.role, Role.ADMIN)


@contextmanager
def _of_code(name: str, slugs: frozenset[str]) -> Iterator[None]:
    """A tool of code is there, but nobody can change it here. Raises WrongState."""
    try:
        yield
    except errors.NotFound as error:
        if aliases.canonical(name) in slugs:
            raise errors.WrongState(
                "This tool is part of the program: it cannot be changed or removed here."
            ) from error
        raise


@contextmanager
def _body() -> Iterator[None]:
    """What is wrong with a tool is wrong with the request's body."""
    try:
        yield
    except errors.BadInput as error:
        found = [{**entry, "path": f"body.{entry['path']}"} for entry in error.errors]
        raise errors.BadInput(error.detail, errors=found) from error

"""Agents as configured rows: made, changed, paused, removed. Conversation lives in threads, not here (AGT-05).

ROL-02's names: agent.create, agent.list and agent.listForAccount, agent.get, agent.update are ``create``,
``list_agents``, ``access_agent``, ``update``; agent.installFromCatalog is ``catalogue.install``; userAgentConfig.get
and userAgentConfig.upsert are in ``user_agent_config``. Every change of the configuration makes an immutable snapshot
(0002_rules.sql), which ``snapshots`` reads.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import accounts, aliases, ids, texts
from retinue.domain import tools as toolbox
from retinue.domain.accounts import Principal, Role
from retinue.domain.agents import (
    Agent,
    AgentChange,
    AgentFilter,
    AgentTool,
    DeploymentState,
    NewAgent,
    ToolChoice,
    skipped,
)
from retinue.domain.audit import actor
from retinue.domain.base import Value
from retinue.store import audit

FIELDS = tuple(Agent.model_fields)


def agent(row: Mapping[str, Any]) -> Agent:
    """An agent from its row."""
    return Agent.model_validate({name: row[name] for name in FIELDS})


class Source(Value):
    """Where a new agent comes from."""

    origin: Literal["built_in", "custom", "installed"] = "custom"
    catalog_slug: str | None = None


CUSTOM = Source()

# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────
# Admins see every agent of the account; others those that are active and assigned to them, one of their teams, or
# everyone (LIFE-04, LIFE-08). The agent that trials run under is nobody's to see.

ACCESS = """
select a.* from agent a
where a.account_id = $1 and a.id = $2 and a.deleted_at is null and a.origin <> 'trial'
  and ($4 or (a.deployment_state = 'active' and assigned_v1($1, a.id, $3, null)))
"""


async def access_agent(tx: Tx, principal: Principal, agent_id: UUID) -> Agent:
    """One agent. Raises NotFound for what is not there, removed, or out of this user's reach."""
    row = await tx.fetchrow(ACCESS, principal.account_id, agent_id, principal.user_id, _is_admin(principal))
    if row is None:
        raise errors.NotFound("There is no such agent, or you cannot reach it.")
    return agent(row)


LIST = """
select a.* from agent a
where a.account_id = $1 and a.deleted_at is null and a.origin <> 'trial'
  and ($3 or (a.deployment_state = 'active' and assigned_v1($1, a.id, $2, null)))
  and ($4::text is null or a.status = $4)
  and ($5::text is null or a.deployment_state = $5)
  and ($6::text is null or a.slug = $6)
  and ($7::uuid is null or a.id > $7)
order by a.id
limit $8
"""


async def list_agents(
    tx: Tx, principal: Principal, wanted: AgentFilter | None = None, *, after: UUID | None = None, limit: int = 51
) -> list[Agent]:
    """The agents this user can reach, oldest first, after the agent ``after``."""
    wanted = wanted or AgentFilter()
    rows = await tx.fetch(
        LIST, principal.account_id, principal.user_id, _is_admin(principal), wanted.status, wanted.deployment_state,
        wanted.slug, after, limit,
    )  # fmt: skip
    return [agent(row) for row in rows]


TOOLS = "select tool, enabled, config from agent_tool where account_id = $1 and agent_id = $2 order by tool"


async def access_tools(tx: Tx, principal: Principal, agent_id: UUID) -> tuple[AgentTool, ...]:
    """The agent's tools, by slug. Raises NotFound like ``access_agent``."""
    await access_agent(tx, principal, agent_id)
    return await _tools(tx, principal.account_id, agent_id)


async def _tools(tx: Tx, account_id: UUID, agent_id: UUID) -> tuple[AgentTool, ...]:
    return tuple(AgentTool.model_validate(dict(row)) for row in await tx.fetch(TOOLS, account_id, agent_id))


# ── writing: admins only ─────────────────────────────────────────────────────────────────────────────────────────

INSERT = """
with made as (
    insert into agent (account_id, id, slug, name, description, accent_colour, avatar, execution, system_prompt,
        endpoint, model, trust_level, default_trigger_mode, capability_level, deployment_state, limits, context,
        delegation_set, max_delegation_depth, origin, catalog_slug)
    select $1, $2, r.slug, r.name, r.description, r.accent_colour, r.avatar, r.execution, r.system_prompt, r.endpoint,
        r.model, r.trust_level, r.default_trigger_mode, r.capability_level, r.deployment_state, r.limits, r.context,
        r.delegation_set, r.max_delegation_depth, $5, $6
    from jsonb_populate_record(null::agent, $3) r
    returning id)
insert into agent_tool (account_id, agent_id, tool, enabled, config)
select $1, made.id, t.tool, t.enabled, t.config
from made, jsonb_to_recordset($4) as t (tool text, enabled boolean, config jsonb)
"""  # one statement, so that there is one snapshot


async def create(
    tx: Tx, principal: Principal, new: NewAgent, *, agent_id: UUID | None = None, source: Source = CUSTOM
) -> Agent:
    """Make an agent with its tools. ``agent_id`` may be made by the caller, so that a retry finds itself.

    Raises Forbidden (not an admin), AlreadyExists (the slug), BadInput (an external agent without an endpoint, or in
    another state than in development).
    """
    rows = checked(principal, new)
    made = agent_id or ids.new()
    slug = new.slug or await _free_slug(tx, principal.account_id, texts.slug_of(new.name))
    state = _first_state(new, source)
    body = new.model_dump(mode="json", exclude={"tools"}) | {"slug": slug, "deployment_state": state}
    try:
        async with tx.transaction():
            await tx.execute(INSERT, principal.account_id, made, body, rows, source.origin, source.catalog_slug)
    except asyncpg.UniqueViolationError as error:
        raise _slug_taken(slug) from error
    return await _changed(tx, principal, made, "agent.create", {"slug": slug, "origin": source.origin})


def checked(principal: Principal, new: NewAgent) -> list[dict[str, Any]]:
    """The tools of an agent to make, by canonical slug. Raises Forbidden (no admin), BadInput."""
    _require_admin(principal)
    _check_endpoint(new.execution, new.endpoint)
    return _rows(new.tools)


def _first_state(new: NewAgent, source: Source) -> DeploymentState:
    """LIFE-05: an external agent starts in development, whoever asks for more."""
    if source.origin == "built_in" or new.execution != "external":
        return new.deployment_state or DeploymentState.ACTIVE
    if new.deployment_state not in (None, DeploymentState.IN_DEVELOPMENT):
        reason = "an external agent starts in_development; promote it once it is made"
        raise errors.BadInput("Leave the state out.", errors=[{"path": "body.deployment_state", "reason": reason}])
    return DeploymentState.IN_DEVELOPMENT


SLUGS = """
select slug from agent where account_id = $1 and deleted_at is null and (slug = $2 or starts_with(slug, $2 || '-'))
"""


async def _free_slug(tx: Tx, account_id: UUID, wanted: str) -> str:
    taken = {row["slug"] for row in await tx.fetch(SLUGS, account_id, wanted)}
    number = 1
    slug = wanted
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


LOCK = """
select a.* from agent a
where a.account_id = $1 and a.id = $2 and a.deleted_at is null and a.origin <> 'trial' for no key update
"""
UPDATE = """
update agent a set slug = r.slug, name = r.name, description = r.description, accent_colour = r.accent_colour,
    avatar = r.avatar, execution = r.execution, system_prompt = r.system_prompt, endpoint = r.endpoint, model = r.model,
    trust_level = r.trust_level, default_trigger_mode = r.default_trigger_mode, capability_level = r.capability_level,
    deployment_state = r.deployment_state, status = r.status, delegation_set = r.delegation_set,
    max_delegation_depth = r.max_delegation_depth,
    limits = a.limits || coalesce($3 -> 'limits', '{}'), context = a.context || coalesce($3 -> 'context', '{}'),
    updated_at = clock()
from (select (jsonb_populate_record(g, $3)).* from agent g where g.account_id = $1 and g.id = $2) r
where a.account_id = $1 and a.id = $2
"""  # jsonb_populate_record keeps what the JSON does not name


async def update(
    tx: Tx, principal: Principal, agent_id: UUID, change: AgentChange, *, unchanged_since: datetime | None = None
) -> Agent:
    """Change what ``change`` names; inside ``limits`` and ``context``, too. The running turn keeps its snapshot.

    ``unchanged_since`` is the ``updated_at`` the caller has seen. Raises Forbidden, NotFound, WrongState (changed
    meanwhile; a promotion that skips a state), AlreadyExists (the slug), BadInput.
    """
    _require_admin(principal)
    row = await tx.fetchrow(LOCK, principal.account_id, agent_id)
    if row is None:
        raise errors.NotFound("There is no such agent.")
    if unchanged_since is not None and row["updated_at"] != unchanged_since:
        raise errors.WrongState("The agent was changed meanwhile. Get it again and repeat your change.")
    body = change.model_dump(mode="json", exclude_unset=True)
    if not body:
        return agent(row)
    _check_endpoint(body.get("execution", row["execution"]), body.get("endpoint", row["endpoint"]))
    _check_promotion(row, body)
    try:
        async with tx.transaction():
            await tx.execute(UPDATE, principal.account_id, agent_id, body)
    except asyncpg.UniqueViolationError as error:
        raise _slug_taken(body["slug"]) from error
    said = {name: body[name] for name in ("status", "deployment_state", "trust_level", "model") if name in body}
    detail = {"fields": sorted(body), "config_hash_before": row["config_hash"], **said}
    return await _changed(tx, principal, agent_id, "agent.update", detail)


SET_TOOLS = """
with wanted as (select * from jsonb_to_recordset($3) as t (tool text, enabled boolean, config jsonb)),
gone as (
    delete from agent_tool t where t.account_id = $1 and t.agent_id = $2
        and not exists (select from wanted w where w.tool = t.tool))
insert into agent_tool as t (account_id, agent_id, tool, enabled, config)
select $1, $2, w.tool, w.enabled, w.config from wanted w
on conflict (account_id, agent_id, tool) do update set enabled = excluded.enabled, config = excluded.config
where (t.enabled, t.config) is distinct from (excluded.enabled, excluded.config)
"""  # one statement, so that there is one snapshot


async def set_tools(tx: Tx, principal: Principal, agent_id: UUID, tools: Sequence[ToolChoice]) -> tuple[AgentTool, ...]:
    """Give the agent exactly these tools, under their canonical names (CON-48). Raises Forbidden, NotFound."""
    _require_admin(principal)
    row = await tx.fetchrow(LOCK, principal.account_id, agent_id)
    if row is None:
        raise errors.NotFound("There is no such agent.")
    rows = _rows(tools)
    await tx.execute(SET_TOOLS, principal.account_id, agent_id, rows)
    detail = {"tools": [entry["tool"] for entry in rows], "config_hash_before": row["config_hash"]}
    await _changed(tx, principal, agent_id, "agent.tools", detail)
    return await _tools(tx, principal.account_id, agent_id)


def _rows(tools: Iterable[ToolChoice]) -> list[dict[str, Any]]:
    """One row for each canonical slug, the first that names it wins. A family's name gives all of the family.

    Raises BadInput for a configuration that the gate could not read.
    """
    rows: dict[str, dict[str, Any]] = {}
    for choice in tools:
        found = toolbox.config_objections(choice.config)
        if found:
            raise errors.BadInput(f"The configuration of {choice.tool} is not valid.", errors=found)
        for slug in aliases.expand(choice.tool):
            rows.setdefault(slug, {"tool": slug, "enabled": choice.enabled, "config": choice.config})
    return [rows[slug] for slug in sorted(rows)]


DELETE = "update agent set deleted_at = clock(), updated_at = clock() where account_id = $1 and id = $2"
LEAVE = "delete from channel_member where account_id = $1 and agent_id = $2"
FORGET = "delete from user_agent_config where account_id = $1 and agent_id = $2"


async def delete(tx: Tx, principal: Principal, agent_id: UUID) -> None:
    """Remove an agent from every list and channel; what it did, said and was configured as is kept (LIFE-14), what
    people had set about it for themselves is not.

    Its slug is free again; turns that wait in the queue are cancelled when their time comes. Raises Forbidden,
    NotFound, WrongState for a built-in one, which can only be deactivated (LIFE-02).
    """
    _require_admin(principal)
    row = await tx.fetchrow(LOCK, principal.account_id, agent_id)
    if row is None:
        raise errors.NotFound("There is no such agent.")
    if row["origin"] == "built_in":
        raise errors.WrongState("A built-in agent cannot be deleted. Set its status to deactivated.")
    await tx.execute(DELETE, principal.account_id, agent_id)
    await tx.execute(LEAVE, principal.account_id, agent_id)
    await tx.execute(FORGET, principal.account_id, agent_id)
    await _changed(tx, principal, agent_id, "agent.delete", {"slug": row["slug"]})


# ── the parts of a write ─────────────────────────────────────────────────────────────────────────────────────────

GET = "select a.* from agent a where a.account_id = $1 and a.id = $2"
NOTIFY = "select notify_v1($1, 'agent', $2, null)"


async def _changed(tx: Tx, principal: Principal, agent_id: UUID, event: str, detail: dict[str, Any]) -> Agent:
    """Audit and announce a change; the agent as it is now, with the hash that the trigger has given it."""
    row = await tx.fetchrow(GET, principal.account_id, agent_id)
    assert row is not None
    body = {"agent_id": agent_id, "config_hash": row["config_hash"], **detail}
    await audit.append(tx, account_id=principal.account_id, event=event, actor=actor(principal), detail=body)
    await tx.execute(NOTIFY, principal.account_id, agent_id)
    return agent(row)


def _is_admin(principal: Principal) -> bool:
    return accounts.at_least(principal.role, Role.ADMIN)


def _require_admin(principal: Principal) -> None:
    if not _is_admin(principal):
        raise errors.Forbidden("Only admins and owners make, change and remove agents.")


def _check_endpoint(execution: str, endpoint: str | None) -> None:
    if execution == "external" and not endpoint:
        reason = "an external agent needs the address it is called at"
        raise errors.BadInput("Say where the external agent is.", errors=[{"path": "body.endpoint", "reason": reason}])


def _check_promotion(row: Mapping[str, Any], body: dict[str, Any]) -> None:
    if "deployment_state" not in body:
        return
    before, after = DeploymentState(row["deployment_state"]), DeploymentState(body["deployment_state"])
    execution = body.get("execution", row["execution"])
    first = skipped(before, after, built_in=row["origin"] == "built_in", external=execution == "external")
    if first is not None:
        raise errors.WrongState(
            f"An agent is promoted step by step: this one is {before.value}, the next step is {first.value}."
        )


def _slug_taken(slug: str) -> errors.AlreadyExists:
    return errors.AlreadyExists(f"There is an agent with the slug {slug} already. Choose another.")

"""Tools that an account registers, and which tools an agent has.

Not here: tools of code (``tools.registry``) and what a turn makes of all of them (``tools.resolve``).
"""

import base64
import os
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import aliases, external_tools, ids, tools
from retinue.domain import audit as lines
from retinue.domain.accounts import Principal
from retinue.domain.agents import AgentTool
from retinue.domain.external_tools import NewTool, Registered, ToolChange, ToolRow
from retinue.store import audit, secrets
from retinue.store.secrets import Sealer

COLUMNS = """id, slug, name, description, type, schema as parameters, return_schema as returns, config, endpoint, auth,
    effect, trust_level_required as trust, requires_approval, timeout_ms, max_calls_per_interaction, enabled,
    created_at, updated_at"""

CREATE = f"""
insert into tool (account_id, id, slug, name, description, type, schema, return_schema, config, endpoint, auth, effect,
                  trust_level_required, requires_approval, timeout_ms, max_calls_per_interaction, enabled)
values ($1, $2, $3, $4, $5, 'external', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
returning {COLUMNS}
"""
UPDATE = f"""
update tool set name = $3, description = $4, schema = $5, return_schema = $6, config = $7, endpoint = $8, auth = $9,
    effect = $10, trust_level_required = $11, requires_approval = $12, timeout_ms = $13,
    max_calls_per_interaction = $14, enabled = $15, updated_at = clock()
where account_id = $1 and id = $2
returning {COLUMNS}
"""
GET = f"select {COLUMNS} from tool where account_id = $1 and id = $2"
LOCK = f"{GET} for update"
BY_SLUG = f"select {COLUMNS} from tool where account_id = $1 and slug = $2"
LIST = f"""
select {COLUMNS} from tool where account_id = $1 and ($2::text is null or slug > $2) order by slug limit $3
"""
USABLE = f"""
select {COLUMNS} from tool
where account_id = $1 and slug = any ($2::text[]) and type = 'external' and enabled order by slug
"""
NAMED = f"select {COLUMNS} from tool where account_id = $1 and slug = any ($2::text[]) order by slug"


# ── registered tools ─────────────────────────────────────────────────────────────────────────────────────────────


async def create(
    tx: Tx, principal: Principal, new: NewTool, sealer: Sealer, internal: Collection[str] = ()
) -> Registered:
    """Register an external tool. ``internal``: slugs of code, which win over this one and are then reported.

    A tool that names no secret gets a signing secret of its own, returned this once. Raises ``Forbidden``
    (not an admin), ``BadInput``, ``AlreadyExists``.
    """
    secrets.check_admin(principal)
    _check(new)
    slug = aliases.canonical(new.slug)
    signing = None
    if new.auth.signing_secret_name is None and new.auth.secret_name is None:
        signing = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        name = f"tool.{slug}.signing"
        await secrets.put(tx, sealer, principal, name, signing)
        new = new.model_copy(update={"auth": new.auth.model_copy(update={"signing_secret_name": name})})
    try:
        async with tx.transaction():
            row = await tx.fetchrow(CREATE, principal.account_id, ids.new(), slug, *_columns(new))
    except asyncpg.UniqueViolationError as error:
        raise errors.AlreadyExists(f"There is a tool named {slug} already.") from error
    made = _row(row, internal)
    await _audit(tx, principal, "tool.create", made)
    collisions = (external_tools.shadow(slug),) if made.shadowed else ()
    return Registered(tool=made, collisions=collisions, signing_secret=signing)


async def update(
    tx: Tx, principal: Principal, tool_id: UUID, change: ToolChange, internal: Collection[str] = ()
) -> ToolRow:
    """Change some fields. Raises ``Forbidden``, ``NotFound``, ``BadInput``."""
    secrets.check_admin(principal)
    before = _row(await tx.fetchrow(LOCK, principal.account_id, tool_id), internal)
    kept = before.model_dump(include=set(NewTool.model_fields))
    changed = change.model_dump(exclude_unset=True)
    if not changed:
        return before
    new = NewTool.model_validate(kept | changed)
    _check(new)
    after = _row(await tx.fetchrow(UPDATE, principal.account_id, tool_id, *_columns(new)), internal)
    await _audit(tx, principal, "tool.update", after, fields=sorted(changed))
    return after


async def delete(tx: Tx, principal: Principal, tool_id: UUID, internal: Collection[str] = ()) -> None:
    """Remove a tool and take it from all agents, so that a later tool of that name is not theirs by accident.

    Raises ``Forbidden``, ``NotFound``.
    """
    secrets.check_admin(principal)
    gone = _row(await tx.fetchrow(LOCK, principal.account_id, tool_id), internal)
    await tx.execute("delete from tool where account_id = $1 and id = $2", principal.account_id, tool_id)
    if not gone.shadowed:
        await tx.execute("delete from agent_tool where account_id = $1 and tool = $2", principal.account_id, gone.slug)
    await tx.execute(
        "delete from secret where account_id = $1 and name = $2", principal.account_id, f"tool.{gone.slug}.signing"
    )
    await _audit(tx, principal, "tool.delete", gone)


async def get(tx: Tx, account_id: UUID, tool_id: UUID, internal: Collection[str] = ()) -> ToolRow:
    """One tool. Raises ``NotFound``."""
    return _row(await tx.fetchrow(GET, account_id, tool_id), internal)


async def find(tx: Tx, account_id: UUID, name: str, internal: Collection[str] = ()) -> ToolRow:
    """The registered tool of this id (``tool_...``) or of any spelling of this name. Raises ``NotFound``."""
    if name.startswith("tool_"):
        try:
            return await get(tx, account_id, ids.decode("tool", name), internal)
        except ValueError:  # a name may begin like that, too
            pass
    return _row(await tx.fetchrow(BY_SLUG, account_id, aliases.canonical(name)), internal)


async def list_tools(
    tx: Tx, account_id: UUID, *, after: str | None = None, limit: int = 51, internal: Collection[str] = ()
) -> list[ToolRow]:
    """The account's tools by slug, from the slug ``after`` on."""
    return [_row(row, internal) for row in await tx.fetch(LIST, account_id, after, limit)]


async def list_usable(tx: Tx, account_id: UUID, slugs: Sequence[str]) -> list[ToolRow]:
    """The enabled external tools among these slugs."""
    return [_row(row) for row in await tx.fetch(USABLE, account_id, list(slugs))]


async def list_named(tx: Tx, account_id: UUID, slugs: Sequence[str]) -> list[ToolRow]:
    """The registered tools among these slugs, also those that are switched off."""
    return [_row(row) for row in await tx.fetch(NAMED, account_id, list(slugs))]


def _check(new: NewTool) -> None:
    found = external_tools.objections(new)
    if found:
        raise errors.BadInput("The tool cannot be registered.", errors=found)


def _columns(new: NewTool) -> list[Any]:
    """The columns from ``name`` on, in the order of CREATE and UPDATE."""
    return [
        new.name, new.description, new.parameters, new.returns, new.config, new.endpoint, new.auth.model_dump(),
        new.effect.value, new.trust.value, new.requires_approval, round(new.timeout_seconds * 1000),
        new.max_calls_per_interaction, new.enabled,
    ]  # fmt: skip


def _row(row: Any, internal: Collection[str] = ()) -> ToolRow:
    if row is None:
        raise errors.NotFound("There is no such tool.")
    values = dict(row)
    values["timeout_seconds"] = values.pop("timeout_ms") / 1000
    return ToolRow.model_validate(values | {"shadowed": values["slug"] in internal})


async def _audit(tx: Tx, principal: Principal, event: str, tool: ToolRow, **more: Any) -> None:
    detail = {"tool_id": tool.id, "tool": tool.slug, "effect": tool.effect.value, "trust": tool.trust.value, **more}
    await audit.append(tx, account_id=principal.account_id, event=event, actor=lines.actor(principal), detail=detail)


# ── which tools an agent has (TOOL-11) ───────────────────────────────────────────────────────────────────────────

ATTACH = """
insert into agent_tool (account_id, agent_id, tool, enabled, config)
select $1, a.id, s.slug, $4, $5 from agent a, unnest($3::text[]) as s (slug)
where a.account_id = $1 and a.id = $2 and a.deleted_at is null
on conflict (account_id, agent_id, tool) do update set enabled = excluded.enabled, config = excluded.config
returning tool, enabled, config
"""
DETACH = "delete from agent_tool where account_id = $1 and agent_id = $2 and tool = any ($3::text[]) returning tool"
NOTIFY = "select notify_v1($1, 'agent', $2, null)"
OF_AGENT = "select tool, enabled, config from agent_tool where account_id = $1 and agent_id = $2 order by tool"


async def attach(tx: Tx, principal: Principal, agent_id: UUID, wanted: AgentTool) -> list[AgentTool]:
    """Give an agent a tool, or change how it has it; a family's name gives all of its tools.

    A name that no source knows is kept and reported when tools are resolved. Raises ``Forbidden``, ``NotFound``
    (the agent), ``BadInput``.
    """
    secrets.check_admin(principal)
    slugs = _slugs(wanted.tool)
    found = tools.config_objections(wanted.config)
    if found:
        raise errors.BadInput("The tool's configuration is not valid.", errors=found)
    rows = await tx.fetch(ATTACH, principal.account_id, agent_id, slugs, wanted.enabled, wanted.config)
    if not rows:
        raise errors.NotFound("There is no such agent.")
    await _audit_agent(tx, principal, "agent.tool_attach", agent_id, {"tools": slugs, "enabled": wanted.enabled})
    return [AgentTool.model_validate(dict(row)) for row in rows]


async def detach(tx: Tx, principal: Principal, agent_id: UUID, name: str) -> None:
    """Take a tool from an agent. Raises ``Forbidden``, ``NotFound``."""
    secrets.check_admin(principal)
    slugs = _slugs(name)
    if not await tx.fetch(DETACH, principal.account_id, agent_id, slugs):
        raise errors.NotFound("This agent has no such tool.")
    await _audit_agent(tx, principal, "agent.tool_detach", agent_id, {"tools": slugs})


async def list_of_agent(tx: Tx, account_id: UUID, agent_id: UUID) -> list[AgentTool]:
    """What an agent has, disabled ones too, by slug."""
    return [AgentTool.model_validate(dict(row)) for row in await tx.fetch(OF_AGENT, account_id, agent_id)]


def _slugs(name: str) -> list[str]:
    slugs = list(aliases.expand(name))
    if not all(aliases.SLUG.fullmatch(slug) for slug in slugs):
        reason = "must be a tool's name: letters, digits and underscores, at most 63"
        raise errors.BadInput("The tool's name is not valid.", errors=[{"path": "tool", "reason": reason}])
    return slugs


async def _audit_agent(tx: Tx, principal: Principal, event: str, agent_id: UUID, detail: dict[str, Any]) -> None:
    await audit.append(
        tx, account_id=principal.account_id, event=event, actor=lines.actor(principal),
        detail={"agent_id": agent_id, **detail},
    )  # fmt: skip
    await tx.execute(NOTIFY, principal.account_id, agent_id)

"""Whom agents are assigned to: read and written by admins; the leads of a team read its own and may tighten them.

What an assignment comes to at a call is the gate's business, who sees an agent by it that of ``agents``. Every change
acts on the next step that is judged (0070_governance.sql raises the account's revision).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import aliases, assignments, ids, restrictions
from retinue.domain.accounts import Principal, Role, Scope, at_least
from retinue.domain.agents import Agent
from retinue.domain.assignments import (
    PREFIXES,
    Assignment,
    AssignmentChange,
    AssignmentScope,
    NewAssignment,
)
from retinue.domain.audit import actor
from retinue.domain.restrictions import Restriction
from retinue.domain.tools import ToolSpec
from retinue.store import agents, audit, members, tools

# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

LIST = """
select s.id, s.agent_id, s.scope, s.scope_id, s.tool_restrictions, s.created_by, s.created_at, s.updated_at,
    coalesce(u.name, t.name, a.name) as name,
    array(select x.tool from agent_tool x where x.account_id = $1 and x.agent_id = $2) as held
from agent_assignment s
left join app_user u on s.scope = 'user' and u.account_id = $1 and u.id = s.scope_id
left join team t on s.scope = 'team' and t.account_id = $1 and t.id = s.scope_id
left join account a on s.scope = 'account' and a.id = $1
where s.account_id = $1 and s.agent_id = $2 and ($3::uuid is null or s.id = $3)
  and ($4 or (s.scope = 'team' and exists (
        select from member m
        where m.account_id = $1 and m.user_id = $5 and m.team_id = s.scope_id and m.role = 'lead')))
order by array_position(array['account', 'team', 'user'], s.scope), name, s.id
"""


async def list_assignments(tx: Tx, principal: Principal, agent_id: UUID) -> list[Assignment]:
    """All of an agent's, for everyone first; for leads those of the teams they lead. Raises NotFound (the agent)."""
    agent = await agents.access_agent(tx, principal, agent_id)
    return [_assignment(row, agent) for row in await _rows(tx, principal, agent_id, None)]


async def _rows(
    tx: Tx, principal: Principal, agent_id: UUID, assignment_id: UUID | None
) -> Sequence[Mapping[str, Any]]:
    sees_all = at_least(principal.role, Role.ADMIN)
    return await tx.fetch(LIST, principal.account_id, agent_id, assignment_id, sees_all, principal.user_id)


async def _access(tx: Tx, principal: Principal, agent: Agent, assignment_id: UUID) -> Assignment:
    rows = await _rows(tx, principal, agent.id, assignment_id)
    if not rows:
        raise errors.NotFound("There is no such assignment, or it is not yours to see.")
    return _assignment(rows[0], agent)


def _assignment(row: Mapping[str, Any], agent: Agent) -> Assignment:
    fields = dict(row)
    held = {*fields.pop("held"), *_delegates(agent)}
    written: dict[str, Any] = fields["tool_restrictions"]
    prefix = PREFIXES[AssignmentScope(fields["scope"])]
    known = {"scope_id": ids.encode(prefix, fields["scope_id"]), "absent": tuple(sorted(set(written) - held))}
    return Assignment.model_validate(fields | known)


def _delegates(agent: Agent) -> set[str]:
    """Other agents are tools, too (DEL-28)."""
    return {aliases.canonical(slug) for slug in agent.delegation_set}


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE = """
insert into agent_assignment (account_id, id, agent_id, scope, scope_id, tool_restrictions, created_by)
values ($1, $2, $3, $4, $5, $6, $7)
"""
HOLD = {
    AssignmentScope.USER: "select id from app_user where account_id = $1 and id = $2 for key share",
    AssignmentScope.TEAM: "select id from team where account_id = $1 and id = $2 for key share",
    AssignmentScope.ACCOUNT: "select id from account where id = $1 and id = $2",
}


async def create(
    tx: Tx, principal: Principal, agent_id: UUID, new: NewAssignment, code: Iterable[ToolSpec]
) -> Assignment:
    """Assign an agent. ``code``: the tools that code declares. Admins only.

    Raises Forbidden, NotFound (the agent), BadInput (nobody by that id; restrictions that cannot be kept),
    AlreadyExists.
    """
    _require_admin(principal)
    agent = await agents.access_agent(tx, principal, agent_id)
    target = new.target(principal.account_id)
    if target is None or await tx.fetchval(HOLD[new.scope], principal.account_id, target) is None:
        reason = f"must be the id of a {new.scope.value} of this account"
        raise errors.BadInput("Say whom to assign it to.", errors=[{"path": "body.scope_id", "reason": reason}])
    kept = await _kept(tx, agent, new.tool_restrictions, code)
    made = ids.new()
    try:
        async with tx.transaction():
            await tx.execute(
                CREATE, principal.account_id, made, agent_id, new.scope.value, target, kept, principal.user_id
            )
    except asyncpg.UniqueViolationError as error:
        raise errors.AlreadyExists(f"The agent is assigned to this {new.scope.value} already. Change that.") from error
    after = await _access(tx, principal, agent, made)
    await _changed(tx, principal, "assignment.create", after)
    return after


LOCK = "select from agent_assignment where account_id = $1 and agent_id = $2 and id = $3 for update"
UPDATE = """
update agent_assignment set tool_restrictions = $3, updated_at = clock() where account_id = $1 and id = $2
"""


async def update(
    tx: Tx, principal: Principal, at: tuple[UUID, UUID], change: AssignmentChange, code: Iterable[ToolSpec]
) -> Assignment:
    """Set the restrictions of the assignment at (agent, assignment). A lead may make a team's own tighter, not looser.

    Raises Forbidden, NotFound, BadInput.
    """
    agent, before = await _hold(tx, principal, at)
    looser = assignments.loosened(before.tool_restrictions, change.tool_restrictions)
    if looser and not _is_admin(principal):
        raise errors.Forbidden(f"This would loosen what holds for {', '.join(looser)}, which takes an admin.")
    kept = await _kept(tx, agent, change.tool_restrictions, code)
    await tx.execute(UPDATE, principal.account_id, before.id, kept)
    after = await _access(tx, principal, agent, before.id)
    await _changed(tx, principal, "assignment.update", after)
    return after


DELETE = "delete from agent_assignment where account_id = $1 and id = $2"


async def delete(tx: Tx, principal: Principal, at: tuple[UUID, UUID]) -> None:
    """End the assignment at (agent, assignment). A lead may end a team's own unless it restricts something: the team
    may have the agent by another way, too.

    Raises Forbidden, NotFound.
    """
    _, before = await _hold(tx, principal, at)
    if before.tool_restrictions and not _is_admin(principal):
        raise errors.Forbidden("This would lift what is restricted for the team, which takes an admin.")
    await tx.execute(DELETE, principal.account_id, before.id)
    await _changed(tx, principal, "assignment.delete", before)


async def _hold(tx: Tx, principal: Principal, at: tuple[UUID, UUID]) -> tuple[Agent, Assignment]:
    """The agent and its assignment, held until the transaction ends. Raises Forbidden, NotFound."""
    agent = await agents.access_agent(tx, principal, at[0])
    await tx.fetchrow(LOCK, principal.account_id, *at)
    found = await _access(tx, principal, agent, at[1])
    if not _is_admin(principal):
        team_id = _inside(found) if found.scope is AssignmentScope.TEAM else None
        role = await members.role_of(tx, principal.account_id, principal.user_id, team_id) if team_id else None
        if role is not Role.LEAD:
            raise errors.Forbidden("This takes an admin, or a lead of the team it is for.")
    return agent, found


async def _kept(
    tx: Tx, agent: Agent, written: Mapping[str, Restriction], code: Iterable[ToolSpec]
) -> dict[str, dict[str, Any]]:
    """The restrictions as they are kept: by canonical slug, all spellings of one tool in force. Raises BadInput."""
    slugs = [slug for name in written for slug in aliases.expand(name)]
    own = [row.spec for row in await tools.list_named(tx, agent.account_id, slugs)]
    held = {row.tool for row in await tools.list_of_agent(tx, agent.account_id, agent.id)} | _delegates(agent)
    found = assignments.objections(written, (*own, *code), held)
    if found:
        errors_at = [{**entry, "path": f"body.tool_restrictions.{entry['path']}"} for entry in found]
        raise errors.BadInput("These restrictions cannot be kept.", errors=errors_at)
    return {slug: rule.model_dump(mode="json") for slug, rule in restrictions.resolve(written).items()}


# ── what they share ──────────────────────────────────────────────────────────────────────────────────────────────

NOTIFY = "select notify_v1($1, 'agent', $2, null)"


async def _changed(tx: Tx, principal: Principal, event: str, one: Assignment) -> None:
    """Audit a change and tell live pages, where the agent may come or go."""
    target = {} if one.scope is AssignmentScope.ACCOUNT else {f"{one.scope.value}_id": _inside(one)}
    detail: dict[str, Any] = {"assignment_id": one.id, "agent_id": one.agent_id, "scope": one.scope.value, **target}
    detail |= {"restricted": sorted(one.tool_restrictions)}
    await audit.append(tx, account_id=principal.account_id, event=event, actor=actor(principal), detail=detail)
    await tx.execute(NOTIFY, principal.account_id, one.agent_id)


def _inside(one: Assignment) -> UUID:
    return ids.decode(PREFIXES[one.scope], one.scope_id)


def _is_admin(principal: Principal) -> bool:
    return at_least(principal.role, Role.ADMIN) and Scope.ADMIN in principal.scopes


def _require_admin(principal: Principal) -> None:
    if not _is_admin(principal):
        raise errors.Forbidden("Only admins and owners assign agents.")

"""Worker roles of an account: made, changed, removed. Admins only; what a role allows is ``domain.roles``' business.

A change acts on the next step that is judged of every agent that has the role (0070_governance.sql).
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import accounts, ids
from retinue.domain.accounts import Principal, Role
from retinue.domain.audit import actor
from retinue.domain.registrations import RoleView, WorkerRoleChange
from retinue.domain.roles import NewRole
from retinue.store import audit, policy_checks

SHOWN = """
select r.id, r.name, r.description, r.autonomy_tier, r.scope, r.authority_bounds, r.escalation_rules, r.created_at,
    r.updated_at, array(
        select g.agent_id from agent_registry g join agent a on a.account_id = $1 and a.id = g.agent_id
        where g.account_id = $1 and g.role_id = r.id and a.deleted_at is null order by 1) as agents
from worker_role r where r.account_id = $1
"""
GET = f"{SHOWN} and r.id = $2"
LIST = f"{SHOWN} and ($2::uuid is null or r.id > $2) order by r.id limit $3"


async def list_roles(tx: Tx, principal: Principal, *, after: UUID | None = None, limit: int = 51) -> list[RoleView]:
    """Roles, oldest first, after the role ``after``. Raises Forbidden."""
    _require_admin(principal)
    return [_role(row) for row in await tx.fetch(LIST, principal.account_id, after, limit)]


async def access_role(tx: Tx, principal: Principal, role_id: UUID) -> RoleView:
    """One role. Raises Forbidden, NotFound."""
    _require_admin(principal)
    row = await tx.fetchrow(GET, principal.account_id, role_id)
    if row is None:
        raise errors.NotFound("There is no such role.")
    return _role(row)


def _role(row: Mapping[str, Any]) -> RoleView:
    return RoleView.model_validate(dict(row))


CREATE = """
insert into worker_role (account_id, id, name, description, autonomy_tier, scope, authority_bounds, escalation_rules)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def create(tx: Tx, principal: Principal, new: NewRole) -> RoleView:
    """Make a role; no agent has it yet. Raises Forbidden, AlreadyExists (the name), Loosens (a policy gives less)."""
    _require_admin(principal)
    body = new.model_dump(mode="json")
    made = ids.new()
    try:
        async with tx.transaction():
            await tx.execute(
                CREATE, principal.account_id, made, body["name"], body["description"], body["autonomy_tier"],
                body["scope"], body["authority_bounds"], body["escalation_rules"],
            )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        raise _name_taken() from error
    return await _changed(tx, principal, "role.create", made, {"autonomy_tier": body["autonomy_tier"]})


UPDATE = """
update worker_role w set name = r.name, description = r.description, autonomy_tier = r.autonomy_tier, scope = r.scope,
    authority_bounds = r.authority_bounds, escalation_rules = r.escalation_rules, updated_at = clock()
from (select (jsonb_populate_record(x, $3)).* from worker_role x where x.account_id = $1 and x.id = $2 for update) r
where w.account_id = $1 and w.id = $2
"""  # jsonb_populate_record keeps what the JSON does not name


async def update(tx: Tx, principal: Principal, role_id: UUID, change: WorkerRoleChange) -> RoleView:
    """Change what ``change`` names. Raises Forbidden, NotFound, AlreadyExists (the name), Loosens (a policy gives
    less than the role then allows by name)."""
    before = await access_role(tx, principal, role_id)
    body = change.model_dump(mode="json", exclude_unset=True)
    if not body:
        return before
    try:
        async with tx.transaction():
            await tx.execute(UPDATE, principal.account_id, role_id, body)
    except asyncpg.UniqueViolationError as error:
        raise _name_taken() from error
    said = {"autonomy_tier": body["autonomy_tier"]} if "autonomy_tier" in body else {}
    return await _changed(tx, principal, "role.update", role_id, {"fields": sorted(body), **said})


HOLD = "select from worker_role where account_id = $1 and id = $2 for update"
USERS = """
select a.slug from agent_registry g join agent a on a.account_id = $1 and a.id = g.agent_id
where g.account_id = $1 and g.role_id = $2 and a.deleted_at is null order by a.slug limit 20
"""
FORGET = "update agent_registry set role_id = null where account_id = $1 and role_id = $2"
DELETE = "delete from worker_role where account_id = $1 and id = $2"


async def delete(tx: Tx, principal: Principal, role_id: UUID) -> None:
    """Remove a role that no agent has; without its bounds one would be free. Raises Forbidden, NotFound, WrongState."""
    gone = await access_role(tx, principal, role_id)
    await tx.fetchrow(HOLD, principal.account_id, role_id)
    using = [row["slug"] for row in await tx.fetch(USERS, principal.account_id, role_id)]
    if using:
        raise errors.WrongState(f"These agents have the role: {', '.join(using)}. Give them another one first.")
    await tx.execute(FORGET, principal.account_id, role_id)  # of agents that were deleted
    await tx.execute(DELETE, principal.account_id, role_id)
    await _audit(tx, principal, "role.delete", role_id, {"name": gone.name})


# ── what they share ──────────────────────────────────────────────────────────────────────────────────────────────


async def _changed(tx: Tx, principal: Principal, event: str, role_id: UUID, detail: dict[str, Any]) -> RoleView:
    after = await access_role(tx, principal, role_id)
    if event == "role.create" or "scope" in detail["fields"]:
        await policy_checks.check_role(tx, principal.account_id, after)
    await _audit(tx, principal, event, role_id, {"name": after.name, **detail})
    return after


async def _audit(tx: Tx, principal: Principal, event: str, role_id: UUID, detail: dict[str, Any]) -> None:
    body = {"role_id": role_id, **detail}
    await audit.append(tx, account_id=principal.account_id, event=event, actor=actor(principal), detail=body)


def _require_admin(principal: Principal) -> None:
    if not accounts.at_least(principal.role, Role.ADMIN):
        raise errors.Forbidden("Only admins and owners see and change worker roles.")


def _name_taken() -> errors.AlreadyExists:
    return errors.AlreadyExists("There is a role of that name already. Choose another.")

"""``/v1/roles``: what agents that are registered with a role may do alone. For admins.

And ``/v1/agents/{agent_id}/registry``: how an agent is registered, with which role.
"""

from fastapi import APIRouter

from retinue.api import deps, pages
from retinue.domain.ids import AgentId, RoleId
from retinue.domain.registrations import AgentRegistration, NewRegistration, RoleView, WorkerRoleChange
from retinue.domain.roles import NewRole
from retinue.store import registry, roles

router = APIRouter(prefix="/v1", tags=["governance"])


@router.get("/roles")
async def list_roles(caller: deps.Admin, db: deps.Db, page: pages.Paging) -> pages.Page[RoleView]:
    """Worker roles, oldest first, each with the agents that have it."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await roles.list_roles(tx, caller, after=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda role: [role.id])


@router.post("/roles", status_code=201)
async def create_role(new: NewRole, caller: deps.Admin, db: deps.Db) -> RoleView:
    """A new role. Register agents with it to bound them."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await roles.create(tx, caller, new)


@router.get("/roles/{role_id}")
async def get_role(role_id: RoleId, caller: deps.Admin, db: deps.Db) -> RoleView:
    """One role."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await roles.access_role(tx, caller, role_id)


@router.patch("/roles/{role_id}")
async def update_role(role_id: RoleId, change: WorkerRoleChange, caller: deps.Admin, db: deps.Db) -> RoleView:
    """Change what the body names; it holds from the next step on that is judged."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await roles.update(tx, caller, role_id, change)


@router.delete("/roles/{role_id}", status_code=204)
async def delete_role(role_id: RoleId, caller: deps.Admin, db: deps.Db) -> None:
    """Remove a role that no agent has."""
    async with db.tenant_tx(caller.account_id) as tx:
        await roles.delete(tx, caller, role_id)


# ── how an agent is registered ───────────────────────────────────────────────────────────────────────────────────


@router.get("/agents/{agent_id}/registry")
async def get_registration(agent_id: AgentId, caller: deps.Caller, db: deps.Db) -> AgentRegistration:
    """Tier, autonomy score, skills, capabilities and role of an agent. 404 also for one that is not registered."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await registry.access(tx, caller, agent_id)


@router.put("/agents/{agent_id}/registry")
async def put_registration(
    agent_id: AgentId, new: NewRegistration, caller: deps.Admin, db: deps.Db
) -> AgentRegistration:
    """Register the agent so. Its trust level stays its own; the answer shows the one that goes with the score."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await registry.put(tx, caller, agent_id, new)

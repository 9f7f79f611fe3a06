"""``/v1/agents/{agent_id}/assignments``: who may ask an agent, and what its tools may not do for them.

Admins write; the leads of a team read its own and may tighten them.
"""

from fastapi import APIRouter

from retinue.api import deps
from retinue.domain.assignments import Assignment, AssignmentChange, NewAssignment
from retinue.domain.ids import AgentId, AssignmentId
from retinue.domain.tools import ToolSpec
from retinue.store import assignments

router = APIRouter(prefix="/v1/agents/{agent_id}/assignments", tags=["governance"])


@router.get("")
async def list_assignments(agent_id: AgentId, caller: deps.Caller, db: deps.Db) -> list[Assignment]:
    """All of an agent's assignments; for leads those of the teams they lead, for everyone else none."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await assignments.list_assignments(tx, caller, agent_id)


@router.post("", status_code=201)
async def create_assignment(agent_id: AgentId, new: NewAssignment, caller: deps.Admin, app: deps.App) -> Assignment:
    """Assign the agent to a person, a team or the whole account. Restrictions can only take away: they hold beside
    those of every other way to the agent, and no assignment gives it a tool."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        return await assignments.create(tx, caller, agent_id, new, _of_code(app))


@router.patch("/{assignment_id}")
async def update_assignment(
    agent_id: AgentId, assignment_id: AssignmentId, change: AssignmentChange, caller: deps.Caller, app: deps.App
) -> Assignment:
    """Set what is restricted; it holds from the next step on that is judged."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        return await assignments.update(tx, caller, (agent_id, assignment_id), change, _of_code(app))


@router.delete("/{assignment_id}", status_code=204)
async def delete_assignment(agent_id: AgentId, assignment_id: AssignmentId, caller: deps.Caller, db: deps.Db) -> None:
    """End an assignment: whoever has no other one no longer sees the agent, and it no longer works for them."""
    async with db.tenant_tx(caller.account_id) as tx:
        await assignments.delete(tx, caller, (agent_id, assignment_id))


def _of_code(app: deps.AppState) -> tuple[ToolSpec, ...]:
    return () if app.registry is None else app.registry.specs()

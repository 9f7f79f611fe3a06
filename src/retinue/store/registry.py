"""How agents are registered: tier, autonomy score, skills, role (REG-02). Everyone who sees an agent reads it, admins
write it. Not the tools that code declares: that registry is ``tools.registry``.
"""

from uuid import UUID

import asyncpg

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import accounts, roles
from retinue.domain.accounts import Principal, Role
from retinue.domain.audit import actor
from retinue.domain.registrations import AgentRegistration, NewRegistration
from retinue.store import agents, audit

GET = """
select g.agent_id, g.registry_tier, g.autonomy_score, g.skills, g.capabilities, g.role_id, r.name as role_name,
    a.trust_level, g.updated_at
from agent_registry g
join agent a on a.account_id = $1 and a.id = g.agent_id
left join worker_role r on r.account_id = $1 and r.id = g.role_id
where g.account_id = $1 and g.agent_id = $2
"""


async def access(tx: Tx, principal: Principal, agent_id: UUID) -> AgentRegistration:
    """How the agent is registered. Raises NotFound: the agent is out of reach, or is not registered."""
    await agents.access_agent(tx, principal, agent_id)
    row = await tx.fetchrow(GET, principal.account_id, agent_id)
    if row is None:
        raise errors.NotFound("This agent is not registered, so it does not work. An admin can register it.")
    level = roles.level_of(row["autonomy_score"])
    return AgentRegistration.model_validate({**row, "score_trust_level": level})


PUT = """
insert into agent_registry as g (account_id, agent_id, registry_tier, autonomy_score, skills, capabilities, role_id)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (account_id, agent_id) do update set registry_tier = excluded.registry_tier,
    autonomy_score = excluded.autonomy_score, skills = excluded.skills, capabilities = excluded.capabilities,
    role_id = excluded.role_id, updated_at = clock()
"""
NOTIFY = "select notify_v1($1, 'agent', $2, null)"


async def put(tx: Tx, principal: Principal, agent_id: UUID, new: NewRegistration) -> AgentRegistration:
    """Register the agent so, or anew. The agent's trust level stays as it is (CON-07).

    Raises Forbidden, NotFound (the agent), BadInput (no such role).
    """
    if not accounts.at_least(principal.role, Role.ADMIN):
        raise errors.Forbidden("Only admins and owners register agents.")
    await agents.access_agent(tx, principal, agent_id)
    skills, capabilities = list(dict.fromkeys(new.skills)), list(dict.fromkeys(new.capabilities))
    try:
        async with tx.transaction():
            await tx.execute(
                PUT, principal.account_id, agent_id, new.registry_tier.value, new.autonomy_score, skills, capabilities,
                new.role_id,
            )  # fmt: skip
    except asyncpg.ForeignKeyViolationError as error:
        found = [{"path": "body.role_id", "reason": "there is no such role"}]
        raise errors.BadInput("Choose a role of this account.", errors=found) from error
    detail = {
        "agent_id": agent_id, "registry_tier": new.registry_tier.value, "autonomy_score": new.autonomy_score,
        "role_id": new.role_id, "skills": skills, "capabilities": capabilities,
    }  # fmt: skip
    await audit.append(
        tx, account_id=principal.account_id, event="agent.register", actor=actor(principal), detail=detail
    )
    await tx.execute(NOTIFY, principal.account_id, agent_id)
    return await access(tx, principal, agent_id)

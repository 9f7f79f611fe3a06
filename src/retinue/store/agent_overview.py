"""What the list of agents says beside each name: where it is active, when it last worked, whether it works now.

Not about money: ``usage`` knows that. Says of other people's conversations nothing but that they were.
"""

from retinue.db.pool import Tx
from retinue.domain.accounts import Principal, Role, at_least
from retinue.domain.agents import AgentOverview

OVERVIEW = """
select a.id as agent_id,
    (select count(*) from channel_member m
     where m.account_id = $1 and m.agent_id = a.id and may_enter_v1($1, m.channel_id, $2)) as channels,
    (select i.created_at from interaction i where i.account_id = $1 and i.agent_id = a.id
     order by i.id desc limit 1) as last_turn_at,
    exists (select from interaction i where i.account_id = $1 and i.agent_id = a.id
            and i.id in (select n.id from interaction n where n.account_id = $1 and n.agent_id = a.id
                         order by n.id desc limit 20)
            and i.state = 'running') as working
from agent a
where a.account_id = $1 and a.deleted_at is null and a.origin <> 'trial'
  and ($3 or (a.deployment_state = 'active' and assigned_v1($1, a.id, $2, null)))
order by a.id limit 1000
"""


async def list_overview(tx: Tx, principal: Principal) -> list[AgentOverview]:
    """One line for each agent the principal can reach, as ``agents.list_agents`` lists them."""
    admin = at_least(principal.role, Role.ADMIN)
    rows = await tx.fetch(OVERVIEW, principal.account_id, principal.user_id, admin)
    return [AgentOverview.model_validate(dict(row)) for row in rows]

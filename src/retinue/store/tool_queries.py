"""What the starter tools read: the time, messages and members. Never more than the asking user may see.

The database's row-level security bounds all of it to the account; ``may_enter_v1`` and the channel of the turn bound
it further.
"""

from datetime import datetime
from typing import Any

from retinue.db.pool import Tx
from retinue.domain.tools import Hit, Participant, ToolContext


async def now(tx: Tx) -> datetime:
    """The database's clock, in UTC."""
    value: datetime = await tx.fetchval("select clock()")
    return value


# The agent must be in the channel and the user allowed to enter it; without a user (a schedule, a callback) only the
# channel of the turn itself counts. What is said in a closed channel is not carried into a more open one: elsewhere
# than in a private channel only the channel itself and those of the whole organisation are searched.
SEARCH_MESSAGES = """
with place as materialized (
    select c.id, c.name from channel c
    join channel_member g on g.account_id = c.account_id and g.channel_id = c.id and g.agent_id = $2
    where c.account_id = $1
      and case when $3::uuid is null then c.id = $4::uuid
               else may_enter_v1($1, c.id, $3)
                    and (c.id = $4 or c.kind = 'organisation'
                         or not exists (select from channel h
                                        where h.account_id = $1 and h.id = $4 and h.kind <> 'private')) end)
select m.id as message_id, m.channel_id, place.name as channel, coalesce(u.name, a.name, m.author_kind) as author,
       left(m.content, 2000) as content, m.created_at as at
from message m
join place on place.id = m.channel_id
left join app_user u on u.account_id = m.account_id and u.id = m.user_id
left join agent a on a.account_id = m.account_id and a.id = m.agent_id
where m.account_id = $1 and m.search @@ websearch_to_tsquery('simple', $5) and m.status = 'sent'
  and (m.recipient_id is null or m.recipient_id = $3)
order by ts_rank(m.search, websearch_to_tsquery('simple', $5)) desc, m.created_at desc, m.id desc
limit $6
"""


async def search_messages(tx: Tx, call: ToolContext, query: str, limit: int) -> list[Hit]:
    """Messages that match, best first, from channels that the agent is in and its user may read."""
    rows: list[Any] = await tx.fetch(
        SEARCH_MESSAGES, call.account_id, call.agent_id, call.user_id, call.channel_id, query, limit
    )
    return [Hit.model_validate(dict(row)) for row in rows]


# Everyone in the account belongs to an organisation channel and everyone in a team to the team's, listed or not.
LIST_MEMBERS = """
with place as (
    select * from channel
    where account_id = $1 and id = $2 and ($3::uuid is null or may_enter_v1($1, $2, $3)))
select 'user' as kind, u.id as user_id, null::uuid as agent_id, u.name, null as slug
from app_user u, place c
where u.account_id = $1 and u.status = 'active' and (
    exists (select from channel_member m where m.account_id = $1 and m.channel_id = c.id and m.user_id = u.id)
    or exists (select from member m where m.account_id = $1 and m.user_id = u.id
               and ((c.kind = 'organisation' and m.team_id is null) or (c.kind = 'team' and m.team_id = c.team_id))))
union all
select 'agent', null, a.id, a.name, a.slug
from channel_member m, agent a, place c
where m.account_id = $1 and m.channel_id = c.id and a.account_id = $1 and a.id = m.agent_id and a.deleted_at is null
order by kind desc, name, user_id, agent_id
limit $4
"""


async def list_channel_members(tx: Tx, call: ToolContext, limit: int) -> list[Participant]:
    """People and agents in the channel of the turn, people first; nothing when its user may not enter it."""
    rows: list[Any] = await tx.fetch(LIST_MEMBERS, call.account_id, call.channel_id, call.user_id, limit)
    return [Participant.model_validate(dict(row)) for row in rows]

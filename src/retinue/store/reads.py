"""What is each person's own about a channel: how far it is read, what is new there, who is typing.

Counting is bounded: in each channel the newest ``WINDOW`` messages beyond the reader's mark are looked at, so that a
sidebar of a hundred channels costs the same after a holiday of ten thousand messages.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from retinue.db.pool import Database, Tx
from retinue.domain import mentions
from retinue.domain.accounts import Principal, Role, at_least
from retinue.domain.channels import Channel, ReadState
from retinue.store import channels, messages

WINDOW = 100
SNIPPET = 20_000
"""Characters of a message in which a mention is looked for."""
ME = """
select name, email, created_at, (select count(*) from member where account_id = $1 and team_id is null) as everyone
from app_user where account_id = $1 and id = $2
"""
# CASE and not coalesce(), which is not leakproof in the eyes of row-level security: no index condition is made of it
STATE = f"""
select i.id, coalesce(p.read_seq, 0) as read_seq, l.created_at as last_message_at, n.unread, n.direct, n.said,
    w.agents as agent_count,
    case c.kind when 'organisation' then $7::bigint when 'team' then w.people + t.more else w.people end
        as people_count,
    case when c.kind = 'private' and w.agents = 1 and w.people = 1 and j.party_id = $2 then w.agent_id end as agent_id,
    $6 or j.role is not distinct from 'owner' or t.leads as may_change
from unnest($3::uuid[]) as i (id)
join channel c on c.account_id = $1 and c.id = i.id
left join channel_personal p on p.account_id = $1 and p.channel_id = i.id and p.user_id = $2
left join channel_member j on j.account_id = $1 and j.channel_id = i.id and j.party_id = $2
cross join lateral (
    select count(x.agent_id) as agents, count(x.user_id) as people,
        (array_agg(x.agent_id) filter (where x.agent_id is not null))[1] as agent_id
    from channel_member x where x.account_id = $1 and x.channel_id = i.id) w
cross join lateral (
    select coalesce(bool_or(u.user_id = $2 and u.role = 'lead'), false) as leads,
        count(*) filter (where not exists (select from channel_member x where x.account_id = $1
            and x.channel_id = i.id and x.party_id = u.user_id)) as more
    from member u where c.kind = 'team' and u.account_id = $1 and u.team_id = c.team_id) t
left join lateral (
    select m.created_at from message m
    where m.account_id = $1 and m.channel_id = i.id and m.status in ('sent', 'deleted') and {messages.FOR_USER}
    order by m.seq desc limit 1) l on true
cross join lateral (
    select count(*) as unread, count(*) filter (where m.recipient_id = $2) as direct,
        array_agg(left(m.content, {SNIPPET})) filter (
            where m.recipient_id is null and strpos(lower(m.content), '@' || $4::text) > 0) as said
    from (select x.* from message x
          where x.account_id = $1 and x.channel_id = i.id
            and x.seq > case when p.read_seq is null then 0 else p.read_seq end
          order by x.seq desc limit {WINDOW}) m
    where m.status = 'sent' and {messages.FOR_USER} and m.user_id is distinct from $2
      and (p.read_seq > 0 or m.created_at >= coalesce(j.joined_at, $5))) n
"""


async def dress(tx: Tx, principal: Principal, shown: Sequence[Channel]) -> list[Channel]:
    """The same channels with who is in them and what is new in each for this user: one query for all of them."""
    if not shown:
        return []
    me = await tx.fetchrow(ME, principal.account_id, principal.user_id)
    if me is None:
        return list(shown)
    handle = mentions.handle(me["name"], me["email"])
    is_admin = at_least(principal.role, Role.ADMIN)
    rows = await tx.fetch(
        STATE, principal.account_id, principal.user_id, [one.id for one in shown], handle, me["created_at"], is_admin,
        me["everyone"],
    )  # fmt: skip
    found = {row["id"]: _fields(row, handle) for row in rows}
    return [one.model_copy(update=found[one.id]) for one in shown]


def _fields(row: Mapping[str, Any], handle: str) -> dict[str, Any]:
    named = sum(handle in mentions.slugs(text) for text in row["said"] or ())
    plain = channels.LOOKED_UP - {"mentions_unread"}
    return {name: row[name] for name in plain} | {"mentions_unread": row["direct"] + named}


# the mark only moves forward, and never beyond what there is
MARK = """
insert into channel_personal as p (account_id, channel_id, user_id, read_seq)
select $1, c.id, $3, least($4, c.last_seq) from channel c where c.account_id = $1 and c.id = $2
on conflict (account_id, channel_id, user_id) do update set read_seq = excluded.read_seq, updated_at = clock()
where p.read_seq < excluded.read_seq
"""
TOLD = "select notify_v1($1, 'read', $2, $3)"


async def mark(tx: Tx, principal: Principal, channel_id: UUID, seq: int) -> ReadState:
    """Say that this user has read the channel up to a place; one that lies further back changes nothing.

    Told to the same user's other clients only. Raises NotFound.
    """
    await channels.access_channel(tx, principal, channel_id)
    done = await tx.execute(MARK, principal.account_id, channel_id, principal.user_id, seq)
    if not done.endswith(" 0"):
        await tx.execute(TOLD, principal.account_id, channel_id, principal.user_id)
    [now] = await dress(tx, principal, [await channels.access_channel(tx, principal, channel_id)])
    fields = {name: getattr(now, name) for name in ReadState.model_fields if name != "channel_id"}
    return ReadState(channel_id=channel_id, **fields)


async def typing(db: Database, principal: Principal, channel_id: UUID) -> None:
    """Tell the channel's readers that this user is typing; nothing is kept. Raises NotFound, WrongState (archived)."""
    await db.call("select typing_v1($1, $2, $3)", principal.account_id, channel_id, principal.user_id)

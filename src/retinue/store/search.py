"""Full-text search: in the channels a user may read, inside one thread, and in an agent's other threads.

Words are matched as they are written ('simple'), since one account may speak many languages; the query is web style:
``"a phrase" -without or``. Never other users' direct messages, private channels or private threads, whatever the role.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import messages as domain
from retinue.domain.accounts import Principal
from retinue.domain.base import Value
from retinue.domain.ids import AccountId, AgentId, ChannelId, ThreadId, UserId
from retinue.domain.messages import (
    HIT_END,
    HIT_START,
    Message,
    MessageHit,
    Place,
    ThreadHit,
    ThreadMessage,
    ThreadQuery,
)
from retinue.store import channels, messages, threads

T = TypeVar("T")
HEADLINE = f"""ts_headline('simple', translate(left(%s, 20000), '{HIT_START}{HIT_END}', ''), %s,
    'StartSel={HIT_START}, StopSel={HIT_END}, MaxWords=40, MinWords=20')"""
"""A long message is shown by its beginning."""


class Where(Value):
    """Where among channel messages to search, and where to go on: the rank and id of the last hit."""

    channel_id: ChannelId | None = None
    agent_id: AgentId | None = None
    """Only what this agent wrote."""
    user_id: UserId | None = None
    """Only what this user wrote."""
    after: tuple[float, UUID] | None = None


# ── channels ─────────────────────────────────────────────────────────────────────────────────────────────────────

MESSAGES = f"""
with q as (select websearch_to_tsquery('simple', $3) as query),
hits as (
    select m.id, m.channel_id, m.seq, ts_rank(m.search, q.query)::float8 as rank
    from q, message m
    where m.account_id = $1 and m.search @@ q.query and m.status = 'sent' and {messages.FOR_USER}
      and m.channel_id in (select readable_channels_v1($1, $2))
      and ($4::uuid is null or m.channel_id = $4)
      and ($5::uuid is null or m.agent_id = $5) and ($6::uuid is null or m.user_id = $6)),
page as (
    select * from hits where ($7::float8 is null or (rank, id) < ($7, $8::uuid)) order by rank desc, id desc limit $9)
select {messages.COLUMNS}, c.name as channel_name, p.rank, {HEADLINE % ("m.content", "q.query")} as headline
from q, page p
join message m on m.account_id = $1 and m.id = p.id
join channel c on c.account_id = $1 and c.id = m.channel_id
order by p.rank desc, m.id desc
"""
AROUND = f"""
select h.id as hit, n.* from unnest($3::uuid[]) as h (id)
join message o on o.account_id = $1 and o.id = h.id
cross join lateral (
    (select {messages.COLUMNS} from message m
     where m.account_id = $1 and m.channel_id = o.channel_id and m.seq < o.seq and m.status = 'sent'
       and {messages.FOR_USER}
     order by m.seq desc limit $4)
    union all
    (select {messages.COLUMNS} from message m
     where m.account_id = $1 and m.channel_id = o.channel_id and m.seq > o.seq and m.status = 'sent'
       and {messages.FOR_USER}
     order by m.seq limit $5)) n
order by h.id, n.seq
"""


async def search_messages(
    tx: Tx, principal: Principal, wanted: ThreadQuery, where: Where | None = None
) -> list[MessageHit]:
    """Channel messages that match, best first, with neighbours that are shown once. Raises NotFound (the channel)."""
    where = where or Where()
    if where.channel_id is not None:
        await channels.access_channel(tx, principal, where.channel_id)
    rank, last = where.after or (None, None)
    rows = await tx.fetch(
        MESSAGES, principal.account_id, principal.user_id, _query(wanted.text), where.channel_id, where.agent_id,
        where.user_id, rank, last, wanted.limit,
    )  # fmt: skip
    hits = await messages.dress(tx, principal, [messages.message(row) for row in rows])
    near: Sequence[Mapping[str, Any]] = await tx.fetch(
        AROUND, principal.account_id, principal.user_id, [hit.id for hit in hits], wanted.before, wanted.after
    )
    by_place = {_place(hit): hit for hit in hits} | {_place(one): one for one in map(messages.message, near)}
    of_hit = {hit.id: _place(hit) for hit in hits}
    shown = _sides([_place(hit) for hit in hits], [(of_hit[row["hit"]], _place(messages.message(row))) for row in near])
    return [
        MessageHit(
            message=hit,
            channel_name=row["channel_name"],
            rank=row["rank"],
            snippet=domain.segments(row["headline"]),
            before=_pick(by_place, sides[0]),
            after=_pick(by_place, sides[1]),
        )
        for hit, row, sides in zip(hits, rows, shown, strict=True)
    ]


def _place(message: Message) -> Place:
    return message.channel_id, message.seq


# ── threads ──────────────────────────────────────────────────────────────────────────────────────────────────────

# A person searches for all the words; an agent, whose query is a whole question, for any word that is not too short.
THREAD = f"""
with q as (select case when $6 then coalesce(
        (select string_agg(quote_literal(w.lexeme), ' | ')::tsquery from unnest(to_tsvector('simple', $3)) w
         where length(w.lexeme) >= 4 and strpos(w.lexeme, chr(92)) = 0), plainto_tsquery('simple', $3))
    else websearch_to_tsquery('simple', $3) end as query),
hits as (
    select m.thread_id, m.seq, ts_rank(m.search, q.query)::float8 as rank
    from q, thread_message m
    where m.account_id = $1 and m.thread_id = any ($4::uuid[]) and m.search @@ q.query
      and ($7::bigint is null or m.seq < $7)
      and {threads.FOR_USER} and {threads.SHOWN}
    order by rank desc, m.id desc limit $5)
select {threads.MESSAGE}, m.created_at, h.rank, {HEADLINE % ("m.text", "q.query")} as headline
from q, hits h
join thread_message m on m.account_id = $1 and m.thread_id = h.thread_id and m.seq = h.seq
order by h.rank desc, m.id desc
"""
THREAD_AROUND = f"""
select h.thread_id as hit_thread, h.seq as hit_seq, n.*
from unnest($3::uuid[], $4::bigint[]) as h (thread_id, seq)
cross join lateral (
    (select {threads.MESSAGE}, m.created_at from thread_message m
     where m.account_id = $1 and m.thread_id = h.thread_id and m.seq < h.seq and {threads.FOR_USER} and {threads.SHOWN}
     order by m.seq desc limit $5)
    union all
    (select {threads.MESSAGE}, m.created_at from thread_message m
     where m.account_id = $1 and m.thread_id = h.thread_id and m.seq > h.seq and {threads.FOR_USER} and {threads.SHOWN}
     order by m.seq limit $6)) n
order by h.thread_id, h.seq, n.seq
"""


async def search_thread(tx: Tx, principal: Principal, thread_id: UUID, wanted: ThreadQuery) -> list[ThreadHit]:
    """Messages of one thread that match, best first, with neighbours that are shown once (THR-11, THR-24).

    Raises NotFound.
    """
    await threads.access_thread(tx, principal, thread_id)
    reader = Reader(account_id=principal.account_id, user_id=principal.user_id)
    return await _search(tx, reader, [thread_id], wanted)


class Asking(Value):
    """On whose behalf an agent remembers, and in which of its threads the answer will stand."""

    account_id: AccountId
    thread_id: ThreadId
    user_id: UserId | None
    """Who asked for the turn; empty: nobody (a schedule, an event)."""
    before_seq: int | None = None
    """In its own thread: only further back than this place, which the agent sees anyway."""


class Reader(Value):
    """For whose eyes a search is, and how it is meant."""

    account_id: AccountId
    user_id: UserId
    any_word: bool = False
    before_seq: int | None = None


# What may be recalled is what the asking user may read; and what is said in a closed place is not carried into a more
# open one: unless user and agent are alone, only what the whole organisation can read is, and nothing said directly.
HERE = """
with here as (
    select t.agent_id, t.scope,
        $3::uuid is not null and (t.user_id = $3 or (c.kind = 'private' and not exists (
            select from channel_member m where m.account_id = $1 and m.channel_id = c.id
                and m.user_id is not null and m.user_id <> $3))) as alone
    from thread t
    left join agent_thread b on b.account_id = t.account_id and b.thread_id = t.id
    left join channel c on c.account_id = b.account_id and c.id = b.channel_id
    where t.account_id = $1 and t.id = $2)
"""
ALONE = f"{HERE} select coalesce(alone, false) from here"
OTHER = f"""
{HERE}
select t.id
from here
join thread t on t.account_id = $1 and t.agent_id = here.agent_id and t.scope = here.scope and t.id <> $2
left join agent_thread b on b.account_id = t.account_id and b.thread_id = t.id
left join channel c on c.account_id = b.account_id and c.id = b.channel_id
where case when c.id is null then t.user_id = $3 and here.alone
           when $3::uuid is null then c.kind = 'organisation'
           else may_enter_v1($1, c.id, $3) and (here.alone or c.kind = 'organisation') end
order by t.last_active_at desc
limit 200
"""
NOBODY = UUID(int=0)


async def recall(tx: Tx, asking: Asking, wanted: ThreadQuery) -> list[ThreadHit]:
    """What the agent finds in its other threads of the same account and scope (THR-12, THR-28, CON-70)."""
    rows = await tx.fetch(OTHER, asking.account_id, asking.thread_id, asking.user_id)
    return await _search(tx, await _reader(tx, asking), [row["id"] for row in rows], wanted)


async def search_own(tx: Tx, asking: Asking, wanted: ThreadQuery) -> list[ThreadHit]:
    """What the agent finds further back in the very thread of its turn (THR-11)."""
    reader = await _reader(tx, asking)
    own = reader.model_copy(update={"before_seq": asking.before_seq})
    return await _search(tx, own, [asking.thread_id], wanted)


async def _reader(tx: Tx, asking: Asking) -> Reader:
    """For whose eyes the answer is: the asking user's where user and agent are alone, else nobody's in particular."""
    alone = await tx.fetchval(ALONE, asking.account_id, asking.thread_id, asking.user_id)
    user_id = asking.user_id if alone and asking.user_id else NOBODY
    return Reader(account_id=asking.account_id, user_id=user_id, any_word=True)


async def _search(tx: Tx, reader: Reader, thread_ids: list[UUID], wanted: ThreadQuery) -> list[ThreadHit]:
    rows = await tx.fetch(
        THREAD, reader.account_id, reader.user_id, _query(wanted.text), thread_ids, wanted.limit, reader.any_word,
        reader.before_seq,
    )  # fmt: skip
    hits = [threads.message(row) for row in rows]
    places = [_thread_place(hit) for hit in hits]
    near = await tx.fetch(
        THREAD_AROUND, reader.account_id, reader.user_id, [place[0] for place in places],
        [place[1] for place in places], wanted.before, wanted.after,
    )  # fmt: skip
    by_place = dict(zip(places, hits, strict=True)) | {_thread_place(one): one for one in map(threads.message, near)}
    pairs = [((row["hit_thread"], row["hit_seq"]), _thread_place(threads.message(row))) for row in near]
    return [
        ThreadHit(
            message=hit,
            rank=row["rank"],
            snippet=domain.segments(row["headline"]),
            before=_pick(by_place, sides[0]),
            after=_pick(by_place, sides[1]),
        )
        for hit, row, sides in zip(hits, rows, _sides(places, pairs), strict=True)
    ]


def _thread_place(message: ThreadMessage) -> Place:
    return message.thread_id, message.seq


# ── what both have in common ─────────────────────────────────────────────────────────────────────────────────────

Sides = tuple[tuple[Place, ...], tuple[Place, ...]]


def _sides(hits: list[Place], pairs: Sequence[tuple[Place, Place]]) -> list[Sides]:
    """For each hit the neighbours before and after it, none shown twice. ``pairs``: (hit, neighbour), in order."""
    around: dict[Place, list[Place]] = {}
    for hit, place in pairs:
        around.setdefault(hit, []).append(place)
    shown = domain.neighbours(hits, around)
    return [(_only(near, lambda seq, at=hit[1]: seq < at), _only(near, lambda seq, at=hit[1]: seq > at))
            for hit, near in zip(hits, shown, strict=True)]  # fmt: skip


def _only(places: tuple[Place, ...], keep: Callable[[int], bool]) -> tuple[Place, ...]:
    return tuple(place for place in places if keep(place[1]))


def _pick(by_place: Mapping[Place, T], places: tuple[Place, ...]) -> tuple[T, ...]:
    return tuple(by_place[place] for place in places)


def _query(text: str) -> str:
    if not text.strip() or len(text) > 1000 or "\x00" in text:
        reason = "1 to 1,000 characters, not all blank"
        raise errors.BadInput("Say what to search for.", errors=[{"path": "query.q", "reason": reason}])
    return text

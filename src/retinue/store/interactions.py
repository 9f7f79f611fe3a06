"""Interactions as people read them. Who may see a turn: whoever may read its channel (a direct reply: only its
recipient); of a thread without a channel its owner, and admins where the system owns it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import audit
from retinue.domain.accounts import Principal, Role, at_least
from retinue.domain.base import Value
from retinue.domain.ids import AgentId, ChannelId, InteractionId, ThreadId, UserId
from retinue.domain.money import Money
from retinue.domain.turns import InteractionView, State, StepView
from retinue.domain.waits import Wait
from retinue.store import messages, turns


class Sort(StrEnum):
    """What comes first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    COST = "cost"
    SLOWEST = "slowest"


class Filter(Value):
    """Which interactions to list; empty fields filter nothing."""

    state: State | None = None
    agent_id: AgentId | None = None
    channel_id: ChannelId | None = None
    thread_id: ThreadId | None = None
    user_id: UserId | None = None
    parent_id: InteractionId | None = None
    since: datetime | None = None
    until: datetime | None = None
    dead_letter: bool = False
    trials: bool = False
    """Also those that try a draft."""
    min_cost_micro: int | None = None
    tool: str | None = None
    """Only turns that called this tool."""
    q: str | None = None
    """Only turns whose question or answer has these words."""
    sort: Sort = Sort.NEWEST


Place = tuple[float | None, UUID]
"""Where a list goes on: the last row's value, where it is sorted by one, and its id."""


SEEN = """
    i.account_id = $1 and (
        (i.channel_id is not null and may_enter_v1(i.account_id, i.channel_id, $2)
            and (i.delivery <> 'direct' or i.user_id = $2))
        or (i.channel_id is null and exists (select from thread t where t.account_id = i.account_id
            and t.id = i.thread_id and (t.user_id = $2 or (t.user_id is null and $3)))))
"""
SHOWN = f"""
    coalesce(i.options #>> '{{trial,name}}', g.name) as agent_name, c.name as channel_name, u.name as user_name,
    (select e.model from token_event e where e.account_id = $1 and e.interaction_id = i.id and e.model is not null
     order by e.step_seq desc limit 1) as model, coalesce(g.origin = 'trial', false) as trial,
    (select left(m.content, 200) from message m where m.account_id = $1 and m.id = i.message_id and m.status = 'sent'
        and {messages.FOR_USER}) as asked
"""
NAMED = """
    left join agent g on g.account_id = $1 and g.id = i.agent_id
    left join channel c on c.account_id = $1 and c.id = i.channel_id
    left join app_user u on u.account_id = $1 and u.id = i.user_id
"""
ONE = f"select i.*, {SHOWN} from interaction i {NAMED} where {SEEN} and i.id = $4"
STEPS = "select * from step where account_id = $1 and interaction_id = $2 order by seq"
WAITS = "select * from wait where account_id = $1 and interaction_id = $2 order by id"
# As SEEN, by the set of readable channels: asked once, not once for each row (a test holds the two together).
PAGE = f"""
with read as materialized (select readable_channels_v1($1, $2) as id),
tried as materialized (select id from agent where account_id = $1 and origin = 'trial'),
said as materialized (
    select m.id from message m where $16::text is not null and m.account_id = $1
        and m.search @@ websearch_to_tsquery('simple', $16) and m.status = 'sent'
        and m.channel_id in (select id from read)
        and {messages.FOR_USER}),
page as (
    select i.* from interaction i where i.account_id = $1 and (
            (i.channel_id in (select id from read) and (i.delivery <> 'direct' or i.user_id = $2))
            or (i.channel_id is null and exists (select from thread t where t.account_id = i.account_id
                and t.id = i.thread_id and (t.user_id = $2 or (t.user_id is null and $3)))))
        and ($4::text is null or i.state = $4) and ($5::uuid is null or i.agent_id = $5)
        and ($6::uuid is null or i.channel_id = $6) and ($7::uuid is null or i.thread_id = $7)
        and ($8::uuid is null or i.user_id = $8) and ($9::timestamptz is null or i.created_at >= $9)
        and ($10::timestamptz is null or i.created_at < $10) and (not $11 or i.dead_letter)
        and ($12 or i.agent_id not in (select id from tried))
        and ($13::bigint is null or i.cost_micro >= $13)
        and ($14::text is null or exists (select from step s where s.account_id = $1 and s.interaction_id = i.id
                                          and s.tool = $14))
        and ($15::uuid is null or i.parent_id = $15)
        and ($16 is null or i.message_id in (select id from said) or i.reply_message_id in (select id from said))
        and %(after)s
    order by %(order)s limit $19)
select i.*, {SHOWN} from page i {NAMED} order by %(order)s
"""
AFTER = {
    Sort.NEWEST: ("i.id desc", "$17::numeric is null and ($18::uuid is null or i.id < $18)"),
    Sort.OLDEST: ("i.id", "$17::numeric is null and ($18::uuid is null or i.id > $18)"),
    Sort.COST: ("i.cost_micro desc, i.id desc", "($18::uuid is null or (i.cost_micro, i.id) < ($17::bigint, $18))"),
    Sort.SLOWEST: (
        "i.running_seconds desc, i.id desc",
        "($18::uuid is null or (i.running_seconds, i.id) < ($17::float8, $18))",
    ),
}
PAGES = {sort: PAGE % {"order": order, "after": after} for sort, (order, after) in AFTER.items()}
OPEN_WAITS = f"""
    select w.*, i.user_id = $2 as own
    from wait w join interaction i on i.account_id = w.account_id and i.id = w.interaction_id
    where {SEEN} and w.account_id = $1 and w.state = 'open' and ($4::uuid is null or w.id > $4) order by w.id limit $5
"""


def who(principal: Principal) -> tuple[UUID, UUID, bool]:
    """The first three arguments of every query here."""
    return principal.account_id, principal.user_id, at_least(principal.role, Role.ADMIN)


async def access(tx: Tx, principal: Principal, interaction_id: UUID) -> InteractionView:
    """One turn with its steps and waits. Raises NotFound for what this person may not see."""
    row = await tx.fetchrow(ONE, *who(principal), interaction_id)
    if row is None:
        raise errors.NotFound("There is no interaction by that id, or you may not see it.")
    steps = [step_view(dict(one)) for one in await tx.fetch(STEPS, principal.account_id, interaction_id)]
    waits = [turns.wait(dict(one)) for one in await tx.fetch(WAITS, principal.account_id, interaction_id)]
    if row["user_id"] != principal.user_id:
        steps, waits = [one.private() for one in steps], [one.private() for one in waits]
    return view(dict(row)).model_copy(update={"steps": tuple(steps), "waits": tuple(waits)})


async def page(
    tx: Tx, principal: Principal, wanted: Filter, *, after: Place | None, limit: int
) -> list[InteractionView]:
    """Turns this person may see, with the names of who and what they belong to, in the wanted order."""
    value, last = after or (None, None)
    rows = await tx.fetch(
        PAGES[wanted.sort], *who(principal), wanted.state, wanted.agent_id, wanted.channel_id, wanted.thread_id,
        wanted.user_id, wanted.since, wanted.until, wanted.dead_letter, wanted.trials, wanted.min_cost_micro,
        wanted.tool, wanted.parent_id, wanted.q, value, last, limit,
    )  # fmt: skip
    return [view(dict(row)) for row in rows]


def place(row: InteractionView, sort: Sort) -> list[Any]:
    """Where the list goes on after this row."""
    match sort:
        case Sort.COST:
            return [row.cost.amount_micro, row.id]
        case Sort.SLOWEST:
            return [row.running_seconds, row.id]
        case _:
            return [row.id]


async def open_waits(tx: Tx, principal: Principal, *, after: UUID | None, limit: int) -> list[Wait]:
    """Questions that stand open in turns this person may see, oldest first."""
    rows = await tx.fetch(OPEN_WAITS, *who(principal), after, limit)
    return [_wait(row) for row in rows]


def _wait(row: Mapping[str, Any]) -> Wait:
    found = turns.wait({name: value for name, value in row.items() if name != "own"})
    return found if row["own"] else found.private()


async def access_wait(tx: Tx, principal: Principal, wait_id: UUID) -> Wait:
    """One wait. Raises NotFound for what this person may not see."""
    row = await tx.fetchrow(
        "select w.*, i.user_id = $2 as own "
        "from wait w join interaction i on i.account_id = w.account_id and i.id = w.interaction_id "
        f"where {SEEN} and w.account_id = $1 and w.id = $4",
        *who(principal),
        wait_id,
    )
    if row is None:
        raise errors.NotFound("There is no question by that id, or you may not see it.")
    return _wait(row)


async def end(tx: Tx, account_id: UUID, interaction_id: UUID) -> tuple[str, UUID | None]:
    """The present state, and the turn that takes in what came too late for this one. Raises NotFound."""
    row = await tx.fetchrow(
        "select state, successor_id from interaction where account_id = $1 and id = $2", account_id, interaction_id
    )
    if row is None:
        raise errors.NotFound("There is no interaction by that id.")
    return row["state"], row["successor_id"]


async def readable(tx: Tx, principal: Principal) -> set[UUID]:
    """The scopes whose news this person gets: the channels they may enter, and themselves."""
    rows = await tx.fetch(
        "select id from channel c where account_id = $1 and may_enter_v1(account_id, id, $2)",
        principal.account_id,
        principal.user_id,
    )
    return {row["id"] for row in rows} | {principal.user_id}


def view(row: dict[str, Any]) -> InteractionView:
    """A row as people see it."""
    fields = {name: row[name] for name in InteractionView.model_fields if name in row}
    return InteractionView.model_validate(fields | {"cost": Money(amount_micro=row["cost_micro"])})


def step_view(row: dict[str, Any]) -> StepView:
    """A step's row as people see it."""
    fields: dict[str, Any] = {name: row[name] for name in StepView.model_fields if name in row}
    fields["cost"] = None if row["cost_micro"] is None else Money(amount_micro=row["cost_micro"])
    if row["kind"] == "respond" and row["output"]:  # ours, unlike what tools give back: its ids are TypeIDs outside
        fields["output"] = audit.outside(row["output"])
    return StepView.model_validate(fields)

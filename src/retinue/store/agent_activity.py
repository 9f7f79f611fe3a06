"""What an agent has been doing: where it is active, its last turns, its days. One query each, whatever the number.

Days are in the reader's time zone. Admins see the days of the account, everyone else those of their own turns.
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from retinue.db.pool import Tx
from retinue.domain.accounts import Principal, Role, at_least
from retinue.domain.looking import ActiveChannel, AgentActivity, AgentDay
from retinue.domain.money import Money
from retinue.store import agents, interactions
from retinue.store.interactions import Filter
from retinue.telemetry import clock

DAYS_BACK = 30
RECENT = 10
SLACK = timedelta(days=2)
"""How much earlier than its row an id may have been made."""

CHANNELS = """
select c.id as channel_id, c.name, m.trigger_mode from channel_member m
join channel c on c.account_id = $1 and c.id = m.channel_id
where m.account_id = $1 and m.agent_id = $2 and c.archived_at is null
  and c.id in (select readable_channels_v1($1, $3))
order by lower(c.name), c.id limit 200
"""
ZONE = "select time_zone from app_user where account_id = $1 and id = $2"
# by the range of ids, which begin with their time: an agent's index is by id
TURNS = """
with turns as (
    select (i.created_at at time zone $3)::date as day, count(*) as turns,
        count(*) filter (where i.state = 'failed') as failed, sum(i.cost_micro)::bigint as cost_micro,
        sum(i.input_tokens)::bigint as input_tokens, sum(i.output_tokens)::bigint as output_tokens
    from interaction i
    where i.account_id = $1 and i.agent_id = $2 and i.id >= $6 and ($7 or i.user_id = $8)
      and i.created_at >= $4::date::timestamp at time zone $3
    group by 1)
select d.day::date as day, coalesce(t.turns, 0) as turns, coalesce(t.failed, 0) as failed,
    coalesce(t.cost_micro, 0) as cost_micro, coalesce(t.input_tokens, 0) as input_tokens,
    coalesce(t.output_tokens, 0) as output_tokens
from generate_series($4::date, $5::date, interval '1 day') as d (day) left join turns t on t.day = d.day::date
order by 1
"""


async def get(tx: Tx, principal: Principal, agent_id: UUID) -> AgentActivity:
    """One agent's activity. Raises NotFound (an agent out of reach)."""
    await agents.access_agent(tx, principal, agent_id)
    account, user = principal.account_id, principal.user_id
    zone = _zone(await tx.fetchval(ZONE, account, user))
    rows = await tx.fetch(CHANNELS, account, agent_id, user)
    recent = await interactions.page(tx, principal, Filter(agent_id=agent_id), after=None, limit=RECENT)
    return AgentActivity(
        channels=tuple(ActiveChannel.model_validate(dict(row)) for row in rows),
        recent=tuple(recent),
        days=await _days(tx, principal, agent_id, zone),
        time_zone=zone.key,
    )


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


async def _days(tx: Tx, principal: Principal, agent_id: UUID, zone: ZoneInfo) -> tuple[AgentDay, ...]:
    last = clock.now().astimezone(zone).date()
    first = last - timedelta(days=DAYS_BACK - 1)
    admin = at_least(principal.role, Role.ADMIN)
    rows = await tx.fetch(
        TURNS, principal.account_id, agent_id, zone.key, first, last, _first_id(first), admin, principal.user_id
    )
    return tuple(_day(dict(row)) for row in rows)


def _first_id(day: date) -> UUID:
    """An id not later than any made on or after this day."""
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("UTC")) - SLACK
    return UUID(int=int(start.timestamp() * 1000) << 80)


def _day(row: dict[str, Any]) -> AgentDay:
    return AgentDay.model_validate(row | {"cost": Money(amount_micro=row.pop("cost_micro"))})

"""What was used and what it cost, summed exactly in integers. Recording it is part of the turn's own SQL.

Days and agents come from the counters, which are kept in shards so that concurrent turns do not wait for each other;
anything finer from the single events. Admins see the account, everyone else what was used on their own behalf.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from retinue.db.pool import Tx
from retinue.domain.accounts import Principal, Role, at_least
from retinue.domain.money import Money
from retinue.domain.usage import Dimension, UsageQuery, UsageRow

COUNTERS = """
select case when $5 then u.day end as day, case when $6 then u.agent_id end as agent_id,
    null as model, null as tool, null::uuid as user_id, null::uuid as team_id, 'USD' as currency,
    sum(u.interactions)::bigint as interactions, sum(u.model_calls)::bigint as model_calls,
    sum(u.tool_calls)::bigint as tool_calls, sum(u.input_tokens)::bigint as input_tokens,
    sum(u.output_tokens)::bigint as output_tokens, sum(u.cost_micro)::bigint as cost_micro,
    sum(u.unpriced)::bigint as unpriced
from usage_counter u
where u.account_id = $1 and ($2::date is null or u.day >= $2) and ($3::date is null or u.day < $3)
  and ($4::uuid is null or u.agent_id = $4)
group by 1, 2
order by 1 desc nulls last, 2
offset $7 limit $8
"""
EVENTS = """
with used as (
    select (e.created_at at time zone 'utc')::date as day, e.agent_id, e.model, e.tool, e.user_id, c.team_id,
        e.currency, e.interaction_id, e.input_tokens, e.output_tokens, e.cost_micro
    from token_event e
    left join interaction i on $12 and i.account_id = e.account_id and i.id = e.interaction_id
    left join channel c on c.account_id = i.account_id and c.id = i.channel_id
    where e.account_id = $1 and ($2::date is null or e.created_at >= $2::date::timestamp at time zone 'utc')
      and ($3::date is null or e.created_at < $3::date::timestamp at time zone 'utc')
      and ($4::uuid is null or e.agent_id = $4) and ($5::uuid is null or e.user_id = $5)
      and ($6::text is null or e.model = $6))
select case when $7 then day end as day, case when $8 then agent_id end as agent_id,
    case when $9 then model end as model, case when $10 then tool end as tool,
    case when $11 then user_id end as user_id, case when $12 then team_id end as team_id, currency,
    count(distinct interaction_id) as interactions, count(*) filter (where tool is null) as model_calls,
    count(tool) as tool_calls, sum(input_tokens)::bigint as input_tokens, sum(output_tokens)::bigint as output_tokens,
    coalesce(sum(cost_micro), 0)::bigint as cost_micro, count(*) filter (where cost_micro is null) as unpriced
from used
group by 1, 2, 3, 4, 5, 6, 7
order by 1 desc nulls last, 2, 3, 4, 5, 6, 7
offset $13 limit $14
"""


async def list_totals(
    tx: Tx, principal: Principal, wanted: UsageQuery, *, offset: int = 0, limit: int = 51
) -> list[UsageRow]:
    """Totals by ``wanted.by``, newest day first (COST-17). Who is no admin sees one's own alone."""
    if not at_least(principal.role, Role.ADMIN):
        wanted = wanted.model_copy(update={"user_id": principal.user_id})
    by = {dimension: dimension in wanted.by for dimension in Dimension}
    common = (principal.account_id, wanted.since, wanted.until, wanted.agent_id)
    if wanted.needs_events():
        rows = await tx.fetch(
            EVENTS, *common, wanted.user_id, wanted.model, by[Dimension.DAY], by[Dimension.AGENT], by[Dimension.MODEL],
            by[Dimension.TOOL], by[Dimension.USER], by[Dimension.TEAM], offset, limit,
        )  # fmt: skip
    else:
        rows = await tx.fetch(COUNTERS, *common, by[Dimension.DAY], by[Dimension.AGENT], offset, limit)
    return [_row(row) for row in rows]


NAMES = """
select id, name from agent where account_id = $1 and id = any($2::uuid[])
union all select id, name from app_user where account_id = $1 and id = any($2::uuid[])
union all select id, name from team where account_id = $1 and id = any($2::uuid[])
"""


async def names(tx: Tx, account_id: UUID, rows: Iterable[UsageRow]) -> dict[UUID, str]:
    """How the agents, people and teams of these rows are called; those that are no more are left out."""
    wanted = {one for row in rows for one in (row.agent_id, row.user_id, row.team_id) if one is not None}
    return {row["id"]: row["name"] for row in await tx.fetch(NAMES, account_id, list(wanted))}


def _row(row: Mapping[str, Any]) -> UsageRow:
    values = dict(row)
    cost = Money(amount_micro=values.pop("cost_micro"), currency=values.pop("currency"))
    return UsageRow.model_validate(values | {"cost": cost})

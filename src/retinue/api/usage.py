"""``/v1/usage``: what was used and what it cost. Admins see the account, everyone else their own."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from retinue import errors
from retinue.api import deps, pages
from retinue.domain import meters
from retinue.domain.ids import AgentId, UserId
from retinue.domain.money import Money
from retinue.domain.texts import Word
from retinue.domain.usage import Dimension, UsageForecast, UsageQuery, UsageRow, csv
from retinue.store import usage
from retinue.telemetry import clock

router = APIRouter(prefix="/v1/usage", tags=["usage"])
MOST_ROWS = 20_000
TABLE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A table with a head."}
}
DAY_AND_AGENT = (Dimension.DAY, Dimension.AGENT)


async def wanted(
    by: Annotated[tuple[Dimension, ...], Query(max_length=6, description="What to break down by.")] = DAY_AND_AGENT,
    since: Annotated[date | None, Query(description="The first day, in UTC.")] = None,
    until: Annotated[date | None, Query(description="The day after the last.")] = None,
    agent_id: AgentId | None = None, user_id: UserId | None = None, model: Word | None = None,
) -> UsageQuery:  # fmt: skip
    """Which totals are asked for."""
    return UsageQuery(by=by, since=since, until=until, agent_id=agent_id, user_id=user_id, model=model)


@router.get("")
async def list_usage(
    caller: deps.Caller, db: deps.Db, page: pages.Paging, query: Annotated[UsageQuery, Depends(wanted)]
) -> pages.Page[UsageRow]:
    """Totals, newest day first. What has no known price is counted in ``unpriced``, never as free."""
    offset = page.after_int() or 0
    if offset > 1_000_000:
        raise errors.BadInput("Ask for fewer days or dimensions.")
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await usage.list_totals(tx, caller, query, offset=offset, limit=page.fetch)
    return pages.make(rows, page, lambda _: [offset + page.limit])


@router.get("/export", response_class=Response, responses=TABLE)
async def export_usage(caller: deps.Caller, db: deps.Db, query: Annotated[UsageQuery, Depends(wanted)]) -> Response:
    """The same totals as CSV, newest day first, with the names of agents, people and teams."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await usage.list_totals(tx, caller, query, limit=MOST_ROWS + 1)
        if len(rows) > MOST_ROWS:
            raise errors.BadInput(f"These are more than {MOST_ROWS} rows. Ask for fewer days or dimensions.")
        names = await usage.names(tx, caller.account_id, rows)
    headers = {
        "Content-Disposition": f'attachment; filename="usage-{clock.now():%Y-%m-%d}.csv"',
        "Cache-Control": "no-store",
    }
    return Response(csv(rows, query.by, names), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/forecast")
async def forecast_usage(
    caller: deps.Caller,
    db: deps.Db,
    period: Literal["day", "week", "month"] = "month",
    agent_id: AgentId | None = None,
    user_id: UserId | None = None,
) -> UsageForecast:
    """What was spent in the period that runs now, and what will have been at its end if it goes on like this."""
    now = clock.now()
    starts, ends = meters.period_start(period, now), meters.period_end(period, now)
    assert ends is not None
    query = UsageQuery(by=(), since=starts.date(), until=ends.date(), agent_id=agent_id, user_id=user_id)
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await usage.list_totals(tx, caller, query)
    spent = sum(row.cost.amount_micro for row in rows)
    ahead = meters.forecast(spent, starts, now, ends)
    return UsageForecast(
        period=period, starts_at=starts, ends_at=ends, spent=Money(amount_micro=spent),
        forecast=None if ahead is None else Money(amount_micro=ahead), unpriced=sum(row.unpriced for row in rows),
    )  # fmt: skip

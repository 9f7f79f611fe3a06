"""``/v1/usage``: what was used and what it cost. Admins see the account, everyone else their own."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from retinue import errors
from retinue.api import deps, pages
from retinue.domain.ids import AgentId, UserId
from retinue.domain.texts import Word
from retinue.domain.usage import Dimension, UsageQuery, UsageRow
from retinue.store import usage

router = APIRouter(prefix="/v1/usage", tags=["usage"])
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

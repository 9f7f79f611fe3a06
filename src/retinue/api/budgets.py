"""``/v1/budgets``: the limits of cost, what is used up of them, and where that leads to."""

from typing import Annotated

from fastapi import APIRouter, Query

from retinue.api import deps, pages
from retinue.domain.budgets import Budget
from retinue.domain.ids import PolicyId
from retinue.store import budgets
from retinue.telemetry import clock

router = APIRouter(prefix="/v1/budgets", tags=["usage"])
MOST = 1_000_000


@router.get("")
async def list_budgets(
    caller: deps.Caller,
    db: deps.Db,
    page: pages.Paging,
    policy_id: Annotated[PolicyId | None, Query(description="Only of this policy.")] = None,
) -> pages.Page[Budget]:
    """Each limit of cost by whom it counts, most spent first. Admins see those of the account and its teams, leads
    their team's, everyone what counts for oneself. Limits of single turns stand here without numbers of their own."""
    offset = min(page.after_int() or 0, MOST)
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await budgets.list_budgets(tx, caller, clock.now(), policy_id=policy_id, offset=offset, limit=page.fetch)
    return pages.make(rows, page, lambda _: [offset + page.limit])

"""``/v1/catalogue``: the templates that agents are installed from (``POST /v1/agents/install``)."""

from fastapi import APIRouter

from retinue.api import deps, pages
from retinue.domain.agents import CatalogEntry
from retinue.store import catalogue

router = APIRouter(prefix="/v1/catalogue", tags=["agents"])


@router.get("")
async def list_catalogue(caller: deps.Caller, db: deps.Db, page: pages.Paging) -> pages.Page[CatalogEntry]:
    """Every template by slug."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await catalogue.list_entries(tx, after=page.after_text(), limit=page.fetch)
    return pages.make(rows, page, lambda entry: [entry.slug])

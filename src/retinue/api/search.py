"""``/v1/search``: full text over the channels one may read."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from retinue import errors
from retinue.api import deps, pages
from retinue.domain.ids import AgentId, ChannelId, UserId
from retinue.domain.messages import MessageHit, ThreadQuery
from retinue.store import search
from retinue.store.search import Where

router = APIRouter(prefix="/v1/search", tags=["search"])


async def narrowed(
    page: pages.Paging,
    channel_id: ChannelId | None = None,
    agent_id: Annotated[AgentId | None, Query(description="Only what this agent wrote.")] = None,
    user_id: Annotated[UserId | None, Query(description="Only what this user wrote.")] = None,
) -> Where:
    """Where to search and where to go on."""
    return Where(channel_id=channel_id, agent_id=agent_id, user_id=user_id, after=_last(page))


def _last(page: pages.PageRequest) -> tuple[float, UUID] | None:
    if not page.after:
        return None
    try:
        rank, last = page.after
        return float(rank), UUID(last)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        found = [{"path": "query.after", "reason": "is not a cursor of this list"}]
        raise errors.BadInput("Leave out ?after= or send the `next` of the page before.", errors=found) from error


@router.get("")
async def search_messages(
    caller: deps.Caller, db: deps.Db, page: pages.Paging, where: Annotated[Where, Depends(narrowed)],
    q: Annotated[str, Query(description='What to find: words, "a phrase", -without, or.')],
    neighbours: Annotated[int, Query(ge=0, le=10, description="How many messages around each hit.")] = 1,
) -> pages.Page[MessageHit]:  # fmt: skip
    """Messages that match, best first."""
    wanted = ThreadQuery(text=q, limit=page.fetch, before=neighbours, after=neighbours)
    async with db.tenant_tx(caller.account_id) as tx:
        hits = await search.search_messages(tx, caller, wanted, where)
    return pages.make(hits, page, lambda hit: [hit.rank, hit.message.id])

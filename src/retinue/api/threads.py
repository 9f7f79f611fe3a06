"""``/v1/threads``: threads made, read, saved to and searched. Generating in them is in ``generate``."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from retinue.api import deps, pages
from retinue.domain.ids import AgentId, ChannelId, ThreadId
from retinue.domain.messages import (
    NewThread,
    NewThreadMessage,
    Thread,
    ThreadFilter,
    ThreadHit,
    ThreadMessage,
    ThreadMessageFilter,
    ThreadQuery,
)
from retinue.store import search, threads

router = APIRouter(prefix="/v1/threads", tags=["threads"])
Nearby = Annotated[int, Query(ge=0, le=10, description="How many messages to show with each hit on this side.")]


@router.post("", status_code=201)
async def create_thread(new: NewThread, caller: deps.Caller, db: deps.Db) -> Thread:
    """A thread of yours with an agent or, for admins, one of the system."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await threads.create(tx, caller, new)


@router.get("")
async def list_threads(
    caller: deps.Caller, db: deps.Db, page: pages.Paging,
    agent_id: AgentId | None = None, channel_id: ChannelId | None = None,
) -> pages.Page[Thread]:  # fmt: skip
    """The threads you can read, newest first: your own; for admins also the system's."""
    wanted = ThreadFilter(agent_id=agent_id, channel_id=channel_id)
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await threads.list_threads(tx, caller, wanted, before=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda thread: [thread.id])


@router.get("/{thread_id}")
async def get_thread(thread_id: ThreadId, caller: deps.Caller, db: deps.Db) -> Thread:
    """One thread."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await threads.access_thread(tx, caller, thread_id)


@router.get("/{thread_id}/messages")
async def list_thread_messages(
    thread_id: ThreadId, caller: deps.Caller, db: deps.Db, page: pages.Paging,
    order: Annotated[Literal["newest", "oldest"], Query(description="Which comes first.")] = "oldest",
    drafts: Annotated[bool, Query(description="Also what waits for approval or was rejected.")] = False,
) -> pages.Page[ThreadMessage]:  # fmt: skip
    """What the agent works on: messages, tool calls, tool results."""
    wanted = ThreadMessageFilter(newest_first=order == "newest", after_seq=page.after_int(), drafts=drafts)
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await threads.list_messages(tx, caller, thread_id, wanted, limit=page.fetch)
    return pages.make(rows, page, lambda message: [message.seq])


@router.post("/{thread_id}/messages", status_code=201)
async def save_thread_message(
    thread_id: ThreadId, new: NewThreadMessage, caller: deps.Caller, db: deps.Db
) -> ThreadMessage:
    """Save a message; no turn starts. Its ``id`` is the ``prompt_message_id`` of a later one."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await threads.save_message(tx, caller, thread_id, new)


async def asked(
    q: Annotated[str, Query(description='What to find: words, "a phrase", -without, or.')],
    limit: Annotated[int, Query(ge=1, le=50)] = 5,
    before: Nearby = 1,
    after: Nearby = 1,
) -> ThreadQuery:
    """The query."""
    return ThreadQuery(text=q, limit=limit, before=before, after=after)


@router.get("/{thread_id}/search")
async def search_thread(
    thread_id: ThreadId, caller: deps.Caller, db: deps.Db, query: Annotated[ThreadQuery, Depends(asked)]
) -> list[ThreadHit]:
    """What matches in the thread, best first, with neighbours that are shown once."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await search.search_thread(tx, caller, thread_id, query)

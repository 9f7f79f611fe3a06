"""A conversation as a file to download, streamed page by page; nothing is held open while the reader is slow."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from retinue.api import deps
from retinue.db.pool import Database, Tx
from retinue.domain.accounts import Principal
from retinue.domain.exports import MEDIA_TYPES, WRITERS, Entry, Format, Title
from retinue.domain.ids import ChannelId, MessageId, ThreadId
from retinue.domain.messages import MessageFilter
from retinue.store import exports

router = APIRouter(prefix="/v1", tags=["messages"])
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/markdown": {"schema": {"type": "string"}},
        },
        "description": "A file.",
    }
}
As = Annotated[Format, Query(description="How it is written.")]
Pages = Callable[[Tx, int | None], Awaitable[tuple[list[Entry], int | None]]]
"""Reads the entries after a place; gives them and where to go on."""


@router.get("/channels/{channel_id}/export", response_class=StreamingResponse, responses=FILE)
async def export_channel(
    channel_id: ChannelId,
    caller: deps.Caller,
    db: deps.Db,
    format: As = "json",
    reply_to: Annotated[MessageId | None, Query(description="Only the thread of this message.")] = None,
) -> StreamingResponse:
    """What you can read in a channel, from its beginning up to now, as a file. Audited."""
    async with db.tenant_tx(caller.account_id) as tx:
        title, upto = await exports.begin_channel(tx, caller, channel_id, format, reply_to)
    wanted = MessageFilter(newest_first=False, below=upto + 1, reply_to=reply_to)

    async def pages(tx: Tx, after: int | None) -> tuple[list[Entry], int | None]:
        return await exports.channel_page(tx, caller, channel_id, wanted.model_copy(update={"after_seq": after}))

    return _file(db, caller, title, format, pages)


@router.get("/threads/{thread_id}/export", response_class=StreamingResponse, responses=FILE)
async def export_thread(
    thread_id: ThreadId, caller: deps.Caller, db: deps.Db, format: As = "json"
) -> StreamingResponse:
    """What an agent worked on in a thread, tool calls and results with it, as a file. Audited."""
    async with db.tenant_tx(caller.account_id) as tx:
        title = await exports.begin_thread(tx, caller, thread_id, format)

    async def pages(tx: Tx, after: int | None) -> tuple[list[Entry], int | None]:
        return await exports.thread_page(tx, caller, thread_id, after)

    return _file(db, caller, title, format, pages)


def _file(db: Database, caller: Principal, title: Title, form: Format, pages: Pages) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{title.filename(form)}"', "Cache-Control": "no-store"}
    body = _stream(db, caller.account_id, title, form, pages)
    return StreamingResponse(body, media_type=MEDIA_TYPES[form], headers=headers)


async def _stream(db: Database, account_id: UUID, title: Title, form: Format, pages: Pages) -> AsyncIterator[bytes]:
    writer = WRITERS[form]()
    yield writer.head(title).encode()
    after, more = None, True
    while more:
        async with db.tenant_tx(account_id) as tx:
            entries, after = await pages(tx, after)
        yield writer.entries(entries).encode()
        more = after is not None
    yield writer.tail().encode()

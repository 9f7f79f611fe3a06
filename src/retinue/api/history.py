"""Reading what was said in a channel. Posting is in ``messages``, changing it in ``corrections``."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from retinue.api import deps, pages
from retinue.domain.ids import ChannelId, MessageId
from retinue.domain.messages import Message, MessageFilter
from retinue.store import messages

router = APIRouter(prefix="/v1/channels", tags=["messages"])
Place = Annotated[int, Query(ge=0, le=pages.BIGGEST)]


async def wanted(
    order: Annotated[Literal["newest", "oldest"], Query(description="Which comes first.")] = "newest",
    after_seq: Annotated[Place | None, Query(description="Only what was said after this place.")] = None,
    before_seq: Annotated[Place | None, Query(description="Only what was said before this place.")] = None,
    reply_to: Annotated[MessageId | None, Query(description="Only the thread of this message: its replies.")] = None,
    top_level: Annotated[bool, Query(description="Without replies.")] = False,
    drafts: Annotated[bool, Query(description="Also drafts; for the channel's owners and admins.")] = False,
) -> MessageFilter:
    """The filters of the list."""
    return MessageFilter(
        newest_first=order == "newest",
        above=after_seq,
        below=before_seq,
        reply_to=reply_to,
        top_level=top_level,
        drafts=drafts,
    )


@router.get("/{channel_id}/messages")
async def list_messages(
    channel_id: ChannelId, caller: deps.Caller, db: deps.Db, page: pages.Paging,
    filters: Annotated[MessageFilter, Depends(wanted)],
    around: Annotated[
        MessageId | None, Query(description="The messages before and after this one, itself among them.")
    ] = None,
) -> pages.Page[Message]:  # fmt: skip
    """A channel's messages. Deleted ones keep their place without their content."""
    filters = filters.model_copy(update={"after_seq": page.after_int()})
    async with db.tenant_tx(caller.account_id) as tx:
        if around is not None and not page.after:
            centre = await messages.access_message(tx, caller, around, channel_id)
            rows = await messages.around(tx, caller, centre, filters, limit=page.limit)
            return pages.Page(data=rows, next=pages.encode([rows[-1].seq]) if rows else None)
        rows = await messages.list_messages(tx, caller, channel_id, filters, limit=page.fetch)
    return pages.make(rows, page, lambda message: [message.seq])


@router.get("/{channel_id}/messages/{message_id}")
async def get_message(channel_id: ChannelId, message_id: MessageId, caller: deps.Caller, db: deps.Db) -> Message:
    """One message."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await messages.access_message(tx, caller, message_id, channel_id)

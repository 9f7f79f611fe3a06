"""Reading and taking back what was said in a channel. Posting is in ``messages``."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from retinue import errors
from retinue.api import deps, pages
from retinue.domain.ids import ChannelId, MessageId
from retinue.domain.messages import Message, MessageFilter
from retinue.store import messages

router = APIRouter(prefix="/v1/channels", tags=["messages"])


@router.get("/{channel_id}/messages")
async def list_messages(  # noqa: PLR0913 - one query parameter each
    channel_id: ChannelId, caller: deps.Caller, db: deps.Db, page: pages.Paging,
    order: Annotated[Literal["newest", "oldest"], Query(description="Which comes first.")] = "newest",
    reply_to: Annotated[MessageId | None, Query(description="Only the replies to this message.")] = None,
    drafts: Annotated[bool, Query(description="Also drafts; for the channel's owners and admins.")] = False,
) -> pages.Page[Message]:  # fmt: skip
    """A channel's messages. Deleted ones keep their place without their content."""
    wanted = MessageFilter(newest_first=order == "newest", after_seq=page.after_int(), reply_to=reply_to, drafts=drafts)
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await messages.list_messages(tx, caller, channel_id, wanted, limit=page.fetch)
    return pages.make(rows, page, lambda message: [message.seq])


@router.get("/{channel_id}/messages/{message_id}")
async def get_message(channel_id: ChannelId, message_id: MessageId, caller: deps.Caller, db: deps.Db) -> Message:
    """One message."""
    async with db.tenant_tx(caller.account_id) as tx:
        return _in(channel_id, await messages.access_message(tx, caller, message_id))


@router.delete("/{channel_id}/messages/{message_id}", status_code=204)
async def delete_message(channel_id: ChannelId, message_id: MessageId, caller: deps.Caller, db: deps.Db) -> None:
    """Take a message back: yours or, for the channel's owners and admins, anyone's."""
    async with db.tenant_tx(caller.account_id) as tx:
        _in(channel_id, await messages.access_message(tx, caller, message_id))
        await messages.delete(tx, caller, message_id)


def _in(channel_id: ChannelId, message: Message) -> Message:
    if message.channel_id != channel_id:
        raise errors.NotFound("There is no such message in this channel.")
    return message

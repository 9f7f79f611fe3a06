"""Changing what was said: edit, delete and undo, reactions."""

from typing import Annotated

from fastapi import APIRouter, Path

from retinue import errors
from retinue.api import deps
from retinue.domain.ids import ChannelId, MessageId
from retinue.domain.messages import MAX_CONTENT_BYTES, Message, MessageChange, MessageEdit
from retinue.store import corrections, messages, reactions

router = APIRouter(prefix="/v1/channels/{channel_id}/messages/{message_id}", tags=["messages"])
Emoji = Annotated[str, Path(min_length=1, max_length=64, description="One emoji, percent-encoded.")]


@router.patch("")
async def edit_message(
    channel_id: ChannelId, message_id: MessageId, change: MessageChange, caller: deps.Caller, db: deps.Db
) -> Message:
    """Change your own message. What an agent has read stays as it read it, and the edit calls no agent."""
    if len(change.content.encode()) > MAX_CONTENT_BYTES:
        raise errors.TooLarge("A message may have at most 256 KB of text.")
    async with db.tenant_tx(caller.account_id) as tx:
        await messages.access_message(tx, caller, message_id, channel_id)
        return await corrections.edit(tx, caller, message_id, change.content)


@router.get("/edits")
async def list_message_edits(
    channel_id: ChannelId, message_id: MessageId, caller: deps.Caller, db: deps.Db
) -> list[MessageEdit]:
    """What a message said before each edit; for its author and the channel's owners."""
    async with db.tenant_tx(caller.account_id) as tx:
        await messages.access_message(tx, caller, message_id, channel_id)
        return await corrections.history(tx, caller, message_id)


@router.delete("", status_code=204)
async def delete_message(channel_id: ChannelId, message_id: MessageId, caller: deps.Caller, db: deps.Db) -> None:
    """Take a message back: yours or, for the channel's owners and admins, anyone's. You can undo it for 10 minutes."""
    async with db.tenant_tx(caller.account_id) as tx:
        await messages.access_message(tx, caller, message_id, channel_id)
        await corrections.delete(tx, caller, message_id)


@router.post("/restore")
async def restore_message(channel_id: ChannelId, message_id: MessageId, caller: deps.Caller, db: deps.Db) -> Message:
    """Undo your own deletion, within 10 minutes."""
    async with db.tenant_tx(caller.account_id) as tx:
        await messages.access_message(tx, caller, message_id, channel_id)
        return await corrections.restore(tx, caller, message_id)


@router.put("/reactions/{emoji}")
async def add_reaction(
    channel_id: ChannelId, message_id: MessageId, emoji: Emoji, caller: deps.Caller, db: deps.Db
) -> Message:
    """React with an emoji. A message takes at most 20 different ones."""
    async with db.tenant_tx(caller.account_id) as tx:
        await messages.access_message(tx, caller, message_id, channel_id)
        return await reactions.add(tx, caller, message_id, emoji)


@router.delete("/reactions/{emoji}")
async def remove_reaction(
    channel_id: ChannelId, message_id: MessageId, emoji: Emoji, caller: deps.Caller, db: deps.Db
) -> Message:
    """Take your reaction back."""
    async with db.tenant_tx(caller.account_id) as tx:
        await messages.access_message(tx, caller, message_id, channel_id)
        return await reactions.remove(tx, caller, message_id, emoji)

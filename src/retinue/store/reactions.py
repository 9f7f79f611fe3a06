"""Reactions: one row per person and emoji on a message. They are looked up with the messages (``messages.dress``)."""

from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import reactions
from retinue.domain.accounts import Principal
from retinue.domain.messages import MAX_EMOJI, Message
from retinue.store import corrections, messages

ADD = """
insert into reaction (account_id, message_id, emoji, user_id) values ($1, $2, $3, $4) on conflict do nothing
"""
OTHERS = "select count(distinct emoji) from reaction where account_id = $1 and message_id = $2 and emoji <> $3"
REMOVE = "delete from reaction where account_id = $1 and message_id = $2 and emoji = $3 and user_id = $4"


async def add(tx: Tx, principal: Principal, message_id: UUID, emoji: str) -> Message:
    """React with an emoji; again changes nothing. Raises NotFound, BadInput (no emoji), WrongState (the message is
    deleted or a draft, the channel archived, or the message has as many different emoji as it may)."""
    seen = await messages.access_message(tx, principal, message_id)
    if not reactions.is_emoji(emoji):
        raise errors.BadInput("React with one emoji.", errors=[{"path": "path.emoji", "reason": "is not one emoji"}])
    await corrections.require_open(tx, principal, seen.channel_id)
    row = await corrections.locked(tx, principal, message_id)
    if row["status"] != "sent":
        raise errors.WrongState(f"This message is {row['status']}: nobody can react to it.")
    if await tx.fetchval(OTHERS, principal.account_id, message_id, emoji) >= MAX_EMOJI:
        raise errors.WrongState(f"A message takes at most {MAX_EMOJI} different emoji. Use one that is there.")
    done = await tx.execute(ADD, principal.account_id, message_id, emoji, principal.user_id)
    return await _changed(tx, principal, seen, done)


async def remove(tx: Tx, principal: Principal, message_id: UUID, emoji: str) -> Message:
    """Take one's own reaction back; none there changes nothing. Raises NotFound, WrongState (archived)."""
    seen = await messages.access_message(tx, principal, message_id)
    await corrections.require_open(tx, principal, seen.channel_id)
    done = await tx.execute(REMOVE, principal.account_id, message_id, emoji, principal.user_id)
    return await _changed(tx, principal, seen, done)


async def _changed(tx: Tx, principal: Principal, seen: Message, done: str) -> Message:
    if done.endswith(" 0"):
        return seen
    await corrections.tell(tx, principal, seen.id, seen.channel_id)
    return await messages.access_message(tx, principal, seen.id)

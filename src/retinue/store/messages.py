"""Messages of channels as people read them. Posting is intake (``turns.receive``); searching is ``search``.

A direct message is seen by its recipient and its author alone (CHN-11); a draft only by who asks for drafts and may
(THR-25); of a deleted message its place, its author and its time remain.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain.accounts import Principal
from retinue.domain.audit import actor
from retinue.domain.messages import Message, MessageFilter
from retinue.store import audit, channels

COLUMNS = ", ".join(f"m.{name}" for name in Message.model_fields)
FOR_USER = "(m.delivery <> 'direct' or m.recipient_id = $2 or m.user_id = $2)"
"""``$2`` is the user; says nothing about the channel."""


def message(row: Mapping[str, Any]) -> Message:
    """A message from its row."""
    return Message.model_validate({name: row[name] for name in Message.model_fields})


ACCESS = f"""
select {COLUMNS} from message m
where m.account_id = $1 and m.id = $3 and {FOR_USER} and may_enter_v1($1, m.channel_id, $2)
  and (m.status in ('sent', 'deleted') or owns_channel_v1($1, m.channel_id, $2))
"""


async def access_message(tx: Tx, principal: Principal, message_id: UUID) -> Message:
    """One message. Raises NotFound for what is not there or not for this user."""
    row = await tx.fetchrow(ACCESS, principal.account_id, principal.user_id, message_id)
    if row is None:
        raise errors.NotFound("There is no such message, or you may not read it.")
    return message(row)


NEWEST = f"""
select {COLUMNS} from message m
where m.account_id = $1 and m.channel_id = $3 and {FOR_USER}
  and (m.status in ('sent', 'deleted') or $4) and ($5::uuid is null or m.reply_to = $5)
  and ($6::bigint is null or m.seq < $6)
order by m.seq desc
limit $7
"""
OLDEST = f"""
select {COLUMNS} from message m
where m.account_id = $1 and m.channel_id = $3 and {FOR_USER}
  and (m.status in ('sent', 'deleted') or $4) and ($5::uuid is null or m.reply_to = $5)
  and ($6::bigint is null or m.seq > $6)
order by m.seq
limit $7
"""


async def list_messages(
    tx: Tx, principal: Principal, channel_id: UUID, wanted: MessageFilter | None = None, *, limit: int = 51
) -> list[Message]:
    """A channel's messages, backwards from the newest or forwards from the oldest.

    Raises NotFound (the channel), Forbidden (drafts asked for by someone who may not see them).
    """
    wanted = wanted or MessageFilter()
    await channels.access_channel(tx, principal, channel_id)
    if wanted.drafts:
        await channels.require_owner(tx, principal, channel_id)
    rows = await tx.fetch(
        NEWEST if wanted.newest_first else OLDEST, principal.account_id, principal.user_id, channel_id, wanted.drafts,
        wanted.reply_to, wanted.after_seq, limit,
    )  # fmt: skip
    return [message(row) for row in rows]


LOCK = "select m.* from message m where m.account_id = $1 and m.id = $2 for no key update"
DELETE = """
update message set status = 'deleted', content = '', parts = '[]', metadata = '{}' where account_id = $1 and id = $2
"""
FORGET = """
update thread_message set text = '', parts = '[{"kind": "text", "text": "(This message was deleted.)"}]'
where account_id = $1 and message_id = $3
  and thread_id in (select t.thread_id from agent_thread t where t.account_id = $1 and t.channel_id = $2)
"""  # over the channel's threads, so that the hot path carries no index for a rare act
NOTIFY = "select notify_v1($1, 'channel', $2, $2)"


async def delete(tx: Tx, principal: Principal, message_id: UUID) -> None:
    """Take a message back: its content goes, from the agents' threads too; audit keeps its hash.

    One's own, or, for the channel's owners and admins, anyone's. Deleting twice is deleting once. Raises NotFound,
    Forbidden, WrongState (a draft).
    """
    seen = await access_message(tx, principal, message_id)
    if seen.user_id != principal.user_id:
        await channels.require_owner(tx, principal, seen.channel_id)
    row = await tx.fetchrow(LOCK, principal.account_id, message_id)
    assert row is not None
    if row["status"] == "deleted":
        return
    if row["status"] != "sent":
        raise errors.WrongState("A draft is approved or rejected, not deleted.")
    await tx.execute(DELETE, principal.account_id, message_id)
    await tx.execute(FORGET, principal.account_id, row["channel_id"], message_id)
    await audit.append(
        tx, account_id=principal.account_id, event="message.delete", actor=actor(principal),
        interaction_id=row["interaction_id"],
        detail={"message_id": message_id, "channel_id": row["channel_id"], "content": row["content"]},
    )  # fmt: skip
    await tx.execute(NOTIFY, principal.account_id, row["channel_id"])

"""Changing what was said: editing one's own message, taking a message back, and bringing it back again.

What an agent has read stays in its thread as it read it: an edit changes what people see and what is found, not what a
turn worked on. A deletion goes further, and takes the text out of the agents' threads too.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain.accounts import Principal
from retinue.domain.audit import actor
from retinue.domain.messages import UNDO_MINUTES, Message, MessageEdit
from retinue.store import audit, channels, messages

LOCK = "select m.* from message m where m.account_id = $1 and m.id = $2 for no key update"
TOLD = "select notify_v1($1, 'message', $2, $3)"
CHANNEL = "select notify_v1($1, 'channel', $2, $2)"


async def locked(tx: Tx, principal: Principal, message_id: UUID) -> Mapping[str, Any]:
    """The message's row, held to the end of the transaction. It has been accessed before."""
    row = await tx.fetchrow(LOCK, principal.account_id, message_id)
    assert row is not None
    return row


async def tell(tx: Tx, principal: Principal, message_id: UUID, channel_id: UUID) -> None:
    """Tell the readers of the channel that this message looks other than before."""
    await tx.execute(TOLD, principal.account_id, message_id, channel_id)


async def require_open(tx: Tx, principal: Principal, channel_id: UUID) -> None:
    """Raises NotFound, WrongState (the channel is archived: it is read, not written)."""
    if (await channels.access_channel(tx, principal, channel_id)).archived_at is not None:
        raise errors.WrongState("This channel is archived. Set archived to false first.")


# ── editing ──────────────────────────────────────────────────────────────────────────────────────────────────────

KEEP = """
insert into message_edit (account_id, message_id, number, content, edited_by)
select $1, $2, coalesce(max(number), 0) + 1, $3, $4 from message_edit where account_id = $1 and message_id = $2
"""
EDIT = "update message set content = $3, edited_at = clock() where account_id = $1 and id = $2"


async def edit(tx: Tx, principal: Principal, message_id: UUID, content: str) -> Message:
    """Give one's own message a new text; the old one is kept in its history. No agent is called by it.

    Raises NotFound, Forbidden (someone else's), BadInput (nothing left), WrongState (deleted, a draft, or in an
    archived channel).
    """
    seen = await messages.access_message(tx, principal, message_id)
    if seen.user_id != principal.user_id:
        raise errors.Forbidden("One edits one's own messages only.")
    await require_open(tx, principal, seen.channel_id)
    row = await locked(tx, principal, message_id)
    if row["status"] != "sent":
        raise errors.WrongState(f"This message is {row['status']}: it cannot be edited.")
    if not content and not row["parts"]:
        reason = "a message has text, a file or an image"
        raise errors.BadInput("Write something, or delete it.", errors=[{"path": "body.content", "reason": reason}])
    if row["content"] == content:
        return seen
    await tx.execute(KEEP, principal.account_id, message_id, row["content"], principal.user_id)
    await tx.execute(EDIT, principal.account_id, message_id, content)
    await _audit(tx, principal, "message.update", row, {"content": content, "before": {"content": row["content"]}})
    await tell(tx, principal, message_id, row["channel_id"])
    return await messages.access_message(tx, principal, message_id)


HISTORY = """
select number, content, edited_by, at from message_edit where account_id = $1 and message_id = $2 order by number
"""


async def history(tx: Tx, principal: Principal, message_id: UUID) -> list[MessageEdit]:
    """What the message said before each edit, for its author and the channel's owners. Raises NotFound, Forbidden."""
    seen = await messages.access_message(tx, principal, message_id)
    if seen.user_id != principal.user_id:
        await channels.require_owner(tx, principal, seen.channel_id)
    rows = await tx.fetch(HISTORY, principal.account_id, message_id)
    return [MessageEdit.model_validate(dict(row)) for row in rows]


# ── taking back ──────────────────────────────────────────────────────────────────────────────────────────────────

# over the channel's threads, so that the hot path carries no index for a rare act
COPIES = """
t.account_id = $1 and t.message_id = $3
  and t.thread_id in (select b.thread_id from agent_thread b where b.account_id = $1 and b.channel_id = $2)
"""
TRASH = f"""
insert into message_trash (account_id, message_id, deleted_by, content, parts, metadata, edits, copies)
select $1, m.id, $4, m.content, m.parts, m.metadata,
    coalesce((select jsonb_agg(to_jsonb(e) order by e.number) from message_edit e
              where e.account_id = $1 and e.message_id = m.id), '[]'),
    coalesce((select jsonb_agg(jsonb_build_object('thread_id', t.thread_id, 'seq', t.seq, 'text', t.text,
                                                  'parts', t.parts)) from thread_message t where {COPIES}), '[]')
from message m where m.account_id = $1 and m.channel_id = $2 and m.id = $3
on conflict (account_id, message_id) do update set deleted_by = excluded.deleted_by, content = excluded.content,
    parts = excluded.parts, metadata = excluded.metadata, edits = excluded.edits, copies = excluded.copies,
    at = excluded.at
"""
DELETE = """
update message set status = 'deleted', content = '', parts = '[]', metadata = '{}' where account_id = $1 and id = $2
"""
UNWRITE = "delete from message_edit where account_id = $1 and message_id = $2"
FORGET = f"""
update thread_message t set text = '', parts = '[{{"kind": "text", "text": "(This message was deleted.)"}}]'
where {COPIES}
"""


async def delete(tx: Tx, principal: Principal, message_id: UUID) -> None:
    """Take a message back: its content goes, with its history, from the agents' threads too; audit keeps its hash.
    For some minutes (``UNDO_MINUTES``) whoever did it can ``restore`` it; then what was kept for that goes as well.

    One's own, or, for the channel's owners and admins, anyone's. Deleting twice is deleting once. Raises NotFound,
    Forbidden, WrongState (a draft).
    """
    seen = await messages.access_message(tx, principal, message_id)
    if seen.user_id != principal.user_id:
        await channels.require_owner(tx, principal, seen.channel_id)
    row = await locked(tx, principal, message_id)
    if row["status"] == "deleted":
        return
    if row["status"] != "sent":
        raise errors.WrongState("A draft is approved or rejected, not deleted.")
    account, channel = principal.account_id, row["channel_id"]
    await tx.execute(TRASH, account, channel, message_id, principal.user_id)
    await tx.execute(DELETE, account, message_id)
    await tx.execute(UNWRITE, account, message_id)
    await tx.execute(FORGET, account, channel, message_id)
    await _audit(tx, principal, "message.delete", row, {"content": row["content"]})
    await tell(tx, principal, message_id, channel)
    await tx.execute(CHANNEL, account, channel)


TAKE_OUT = """
delete from message_trash
where account_id = $1 and message_id = $2 and deleted_by = $3 and at > clock() - make_interval(mins => $4)
returning *
"""
RESTORE = (
    "update message set status = 'sent', content = $3, parts = $4, metadata = $5 where account_id = $1 and id = $2"
)
REWRITE = """
insert into message_edit (account_id, message_id, number, content, edited_by, at)
select $1, $2, e.number, e.content, e.edited_by, e.at from jsonb_populate_recordset(null::message_edit, $3) e
"""
REMEMBER = """
update thread_message t set text = c.text, parts = c.parts
from jsonb_to_recordset($3) as c (thread_id uuid, seq bigint, text text, parts jsonb)
where t.account_id = $1 and t.message_id = $2 and t.thread_id = c.thread_id and t.seq = c.seq
"""


async def restore(tx: Tx, principal: Principal, message_id: UUID) -> Message:
    """Undo one's own deletion, within ``UNDO_MINUTES``: all is as it was before. Restoring twice is restoring once.

    Raises NotFound, WrongState (somebody else deleted it, or too long ago).
    """
    seen = await messages.access_message(tx, principal, message_id)
    row = await locked(tx, principal, message_id)
    if row["status"] == "sent":
        return seen
    account = principal.account_id
    kept = await tx.fetchrow(TAKE_OUT, account, message_id, principal.user_id, UNDO_MINUTES)
    if kept is None:
        raise errors.WrongState(f"Only whoever deleted a message can bring it back, within {UNDO_MINUTES} minutes.")
    await tx.execute(RESTORE, account, message_id, kept["content"], kept["parts"], kept["metadata"])
    await tx.execute(REWRITE, account, message_id, kept["edits"])
    await tx.execute(REMEMBER, account, message_id, kept["copies"])
    await _audit(tx, principal, "message.restore", row, {"content": kept["content"]})
    await tell(tx, principal, message_id, row["channel_id"])
    await tx.execute(CHANNEL, account, row["channel_id"])
    return await messages.access_message(tx, principal, message_id)


async def _audit(tx: Tx, principal: Principal, event: str, row: Mapping[str, Any], detail: Mapping[str, Any]) -> None:
    """A person changed it, not through an agent: actorType user (VIEW-27)."""
    await audit.append(
        tx, account_id=principal.account_id, event=event, actor=actor(principal),
        interaction_id=row["interaction_id"],
        detail={"message_id": row["id"], "channel_id": row["channel_id"], **detail},
    )  # fmt: skip

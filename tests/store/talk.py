"""Writes messages and thread messages straight into the tables, also such that only later parts of Retinue write."""

from typing import Any
from uuid import UUID

from retinue.db.pool import Tx
from retinue.domain import ids

POST = """
with place as (update channel set last_seq = last_seq + 1 where account_id = $1 and id = $2 returning last_seq)
insert into message (account_id, channel_id, id, seq, author_kind, user_id, agent_id, content, delivery, recipient_id,
                     status, reply_to)
select $1, $2, $3, place.last_seq, $4, $5, $6, $7, $8, $9, $10, $11 from place
"""


async def post(tx: Tx, account_id: UUID, channel_id: UUID, text: str, **row: Any) -> UUID:
    """A channel message. ``by`` is a user, ``agent`` an agent; ``to`` makes it direct; ``status``; ``reply_to``."""
    made = ids.new()
    author = "agent" if "agent" in row else "user"
    delivery = "direct" if "to" in row else "inline"
    await tx.execute(
        POST, account_id, channel_id, made, author, row.get("by"), row.get("agent"), text, delivery, row.get("to"),
        row.get("status", "sent"), row.get("reply_to"),
    )  # fmt: skip
    return made


async def bridge(tx: Tx, account_id: UUID, agent_id: UUID, channel_id: UUID) -> UUID:
    """The agent's thread in a channel, as its first trigger makes it."""
    made = ids.new()
    await tx.execute(
        "insert into thread (account_id, id, agent_id, owner) values ($1, $2, $3, $4)",
        account_id, made, agent_id, f"system:agent:{channel_id}",
    )  # fmt: skip
    await tx.execute(
        "insert into agent_thread (account_id, channel_id, agent_id, thread_id, trigger_mode) "
        "values ($1, $2, $3, $4, 'mention')", account_id, channel_id, agent_id, made,
    )  # fmt: skip
    return made


async def note(tx: Tx, account_id: UUID, thread_id: UUID, text: str, **row: Any) -> int:
    """A thread message; returns its place. ``role``, ``interaction``, ``message``, ``metadata``."""
    return await tx.fetchval(
        "select append_thread_v1($1, $2, $3, null, $4, $5, $6, null, $7, $8)",
        account_id, thread_id, row.get("role", "user"), [{"kind": "text", "text": text}], text,
        row.get("interaction"), row.get("message"), row.get("metadata", {}),
    )  # fmt: skip


async def interaction(tx: Tx, account_id: UUID, agent_id: UUID, thread_id: UUID, **row: Any) -> UUID:
    """A finished turn. ``user``; ``delivery``."""
    made = ids.new()
    await tx.execute(
        "insert into interaction (account_id, id, agent_id, thread_id, user_id, delivery, state) "
        "values ($1, $2, $3, $4, $5, $6, 'succeeded')",
        account_id, made, agent_id, thread_id, row.get("user"), row.get("delivery", "inline"),
    )  # fmt: skip
    return made

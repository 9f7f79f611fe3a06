"""Threads as people read and keep them: made, listed, paged, saved to. Turns write to them in SQL (``turns``).

A user's thread is its user's alone. A thread of the system is for admins, one that belongs to a channel for those
admins who may read the channel; everyone else reads the channel itself. What an agent told one person directly is in
nobody else's view of the thread.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import ids, models
from retinue.domain.accounts import Principal, Role, at_least
from retinue.domain.audit import actor
from retinue.domain.messages import (
    NewThread,
    NewThreadMessage,
    Thread,
    ThreadFilter,
    ThreadMessage,
    ThreadMessageFilter,
)
from retinue.store import agents, audit

COLUMNS = """t.id, t.agent_id, b.channel_id, t.owner, t.title, t.summary, t.created_at, t.last_active_at"""
READABLE = """
from thread t left join agent_thread b on b.account_id = t.account_id and b.thread_id = t.id
where t.account_id = $1
  and (t.user_id = $2 or (t.user_id is null and $3 and (b.channel_id is null or may_enter_v1($1, b.channel_id, $2))))
"""
"""``$2`` is the user, ``$3`` whether an admin."""
MESSAGE = "m.id, m.thread_id, m.seq, m.role, m.author, m.parts, m.interaction_id, m.step_seq, m.message_id, m.metadata"
SHOWN = """
    coalesce(m.metadata ->> 'status', '') not in ('pending_approval', 'rejected')
    and not exists (select from message d where d.account_id = $1 and d.id = m.message_id
                    and d.status in ('pending_approval', 'rejected'))
"""
"""THR-25: drafts are in nobody's view or context unless asked for."""
FOR_USER = """
    not exists (select from interaction i where i.account_id = $1 and i.id = m.interaction_id
                and i.delivery = 'direct' and i.user_id is distinct from $2)
"""


def thread(row: Mapping[str, Any]) -> Thread:
    """A thread from its row."""
    return Thread.model_validate({name: row[name] for name in Thread.model_fields})


def message(row: Mapping[str, Any]) -> ThreadMessage:
    """A thread message from its row."""
    fields = {name: row[name] for name in ThreadMessage.model_fields}
    return ThreadMessage.model_validate(fields | {"parts": models.known(row["parts"])})


def who(principal: Principal) -> tuple[UUID, UUID, bool]:
    """The first three arguments of every query here."""
    return principal.account_id, principal.user_id, at_least(principal.role, Role.ADMIN)


# ── making and reading ───────────────────────────────────────────────────────────────────────────────────────────

CREATE = """
insert into thread (account_id, id, agent_id, owner, user_id, title, summary) values ($1, $2, $3, $4, $5, $6, $7)
"""


async def create(tx: Tx, principal: Principal, new: NewThread, *, thread_id: UUID | None = None) -> Thread:
    """Make a thread with this agent. Raises NotFound (an agent out of reach), Forbidden (a system thread, no admin)."""
    agent = await agents.access_agent(tx, principal, new.agent_id)
    owner, user_id = ids.encode("usr", principal.user_id), principal.user_id
    if new.context is not None:
        if not at_least(principal.role, Role.ADMIN):
            raise errors.Forbidden("Only admins and owners make threads of the system.")
        owner, user_id = f"system:{agent.slug}:{new.context}", None
    made = thread_id or ids.new()
    await tx.execute(CREATE, principal.account_id, made, agent.id, owner, user_id, new.title, new.summary)
    await audit.append(
        tx, account_id=principal.account_id, event="thread.create", actor=actor(principal),
        detail={"thread_id": made, "agent_id": agent.id},
    )  # fmt: skip
    return await access_thread(tx, principal, made)


ACCESS = f"select {COLUMNS} {READABLE} and t.id = $4"


async def access_thread(tx: Tx, principal: Principal, thread_id: UUID) -> Thread:
    """One thread. Raises NotFound for what is not there or not for this user."""
    row = await tx.fetchrow(ACCESS, *who(principal), thread_id)
    if row is None:
        raise errors.NotFound("There is no such thread, or it is not yours to read.")
    return thread(row)


LIST = f"""
select {COLUMNS} {READABLE}
  and t.agent_id not in (select a.id from agent a where a.account_id = $1 and a.origin = 'trial')
  and ($4::uuid is null or t.agent_id = $4) and ($5::uuid is null or b.channel_id = $5)
  and ($6::uuid is null or t.id < $6)
order by t.id desc
limit $7
"""


async def list_threads(
    tx: Tx, principal: Principal, wanted: ThreadFilter | None = None, *, before: UUID | None = None, limit: int = 51
) -> list[Thread]:
    """The threads this user can read, newest first, older than the thread ``before``."""
    wanted = wanted or ThreadFilter()
    rows = await tx.fetch(LIST, *who(principal), wanted.agent_id, wanted.channel_id, before, limit)
    return [thread(row) for row in rows]


FORWARDS = f"""
select {MESSAGE}, m.created_at from thread_message m
where m.account_id = $1 and m.thread_id = $3 and {FOR_USER} and ($4 or ({SHOWN}))
  and ($5::bigint is null or m.seq > $5)
order by m.seq
limit $6
"""
BACKWARDS = f"""
select {MESSAGE}, m.created_at from thread_message m
where m.account_id = $1 and m.thread_id = $3 and {FOR_USER} and ($4 or ({SHOWN}))
  and ($5::bigint is null or m.seq < $5)
order by m.seq desc
limit $6
"""


async def list_messages(
    tx: Tx, principal: Principal, thread_id: UUID, wanted: ThreadMessageFilter | None = None, *, limit: int = 51
) -> list[ThreadMessage]:
    """A thread's messages, from the oldest on or from the newest back. Raises NotFound."""
    wanted = wanted or ThreadMessageFilter()
    await access_thread(tx, principal, thread_id)
    sql = BACKWARDS if wanted.newest_first else FORWARDS
    rows = await tx.fetch(
        sql, principal.account_id, principal.user_id, thread_id, wanted.drafts, wanted.after_seq, limit
    )
    return [message(row) for row in rows]


# ── saving without generating (THR-07) ───────────────────────────────────────────────────────────────────────────

SAVE = f"""
with place as (
    update thread set last_seq = last_seq + 1, last_active_at = clock() where account_id = $1 and id = $2
    returning last_seq)
insert into thread_message as m (account_id, thread_id, seq, id, role, author, parts, text, metadata)
select $1, $2, place.last_seq, $3, $4, $5, $6, $7, $8 from place
returning {MESSAGE}, m.created_at
"""
KNOWN = (
    f"select {MESSAGE}, m.created_at from thread_message m where m.account_id = $1 and m.thread_id = $2 and m.id = $3"
)
NAME = "select name from app_user where account_id = $1 and id = $2"


async def save_message(
    tx: Tx, principal: Principal, thread_id: UUID, new: NewThreadMessage, *, message_id: UUID | None = None
) -> ThreadMessage:
    """Put a message at the end of a thread; no turn starts. ``message_id`` made by the caller lets a retry find itself.

    Raises NotFound, Forbidden (a system message by someone who is no admin).
    """
    await access_thread(tx, principal, thread_id)
    if new.role == "system" and not at_least(principal.role, Role.ADMIN):
        raise errors.Forbidden("Only admins and owners write system messages.")
    if message_id is not None:
        known = await tx.fetchrow(KNOWN, principal.account_id, thread_id, message_id)
        if known is not None:
            return message(known)
    author = new.author
    if author is None and new.role == "user":
        author = await tx.fetchval(NAME, principal.account_id, principal.user_id)
    row = await tx.fetchrow(
        SAVE, principal.account_id, thread_id, message_id or ids.new(), new.role, author,
        [{"kind": "text", "text": new.content}], new.content, new.metadata,
    )  # fmt: skip
    assert row is not None
    return message(row)


async def author_name(tx: Tx, principal: Principal) -> str | None:
    """What a person's messages are signed with."""
    name: str | None = await tx.fetchval(NAME, principal.account_id, principal.user_id)
    return name

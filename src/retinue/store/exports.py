"""Pages of a conversation as they go into an export: what the caller may read, with names beside the ids.

Each page is read by itself, from where the last ended, so that nothing is held open while a slow reader downloads; what
is said after the export began is not in it.
"""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python

from retinue.db.pool import Tx
from retinue.domain.accounts import Principal
from retinue.domain.audit import actor
from retinue.domain.channels import Channel
from retinue.domain.exports import Entry, Format, Title
from retinue.domain.messages import Message, MessageFilter, Thread, ThreadMessage, ThreadMessageFilter
from retinue.domain.models import CallPart, ResultPart, TextPart
from retinue.store import audit, channels, messages, threads
from retinue.telemetry import clock

PAGE = 500
NAMES = """
select id, name from app_user where account_id = $1 and id = any ($2)
union all select id, name from agent where account_id = $1 and id = any ($2)
"""
PLACES = "select id, seq from message where account_id = $1 and id = any ($2)"
AUTHOR = "select name from app_user where account_id = $1 and id = $2"


async def begin_channel(
    tx: Tx, principal: Principal, channel_id: UUID, form: Format, root: UUID | None
) -> tuple[Title, int]:
    """The export's title, and the place where it ends. Audited. Raises NotFound (channel, or the message ``root``)."""
    channel = await channels.access_channel(tx, principal, channel_id)
    if root is not None:
        await messages.access_message(tx, principal, root, channel_id)
    detail = {"channel_id": channel_id, "message_id": root, "format": form, "upto": channel.last_seq}
    await _audit(tx, principal, "channel.export", detail)
    return await _title(tx, principal, channel, channel.name), channel.last_seq


async def begin_thread(tx: Tx, principal: Principal, thread_id: UUID, form: Format) -> Title:
    """The export's title. Audited. Raises NotFound."""
    thread = await threads.access_thread(tx, principal, thread_id)
    await _audit(tx, principal, "thread.export", {"thread_id": thread_id, "format": form})
    return await _title(tx, principal, thread, thread.title or thread.owner)


async def _audit(tx: Tx, principal: Principal, event: str, detail: dict[str, Any]) -> None:
    await audit.append(tx, account_id=principal.account_id, event=event, actor=actor(principal), detail=detail)


async def _title(tx: Tx, principal: Principal, what: Channel | Thread, name: str) -> Title:
    author = await tx.fetchval(AUTHOR, principal.account_id, principal.user_id)
    about = to_jsonable_python(what)
    return Title(
        kind="channel" if isinstance(what, Channel) else "thread",
        name=name,
        about={key: value for key, value in about.items() if key not in channels.LOOKED_UP},
        exported_by=author or "someone",
        exported_at=clock.now(),
    )


# ── channels ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def channel_page(
    tx: Tx, principal: Principal, channel_id: UUID, wanted: MessageFilter, *, limit: int = PAGE
) -> tuple[list[Entry], int | None]:
    """The next messages, and where to go on; None at the end. Raises NotFound."""
    shown = await messages.list_messages(tx, principal, channel_id, wanted, limit=limit)
    more = shown[-1].seq if len(shown) == limit else None
    if wanted.reply_to is not None and wanted.after_seq is None:
        shown.insert(0, await messages.access_message(tx, principal, wanted.reply_to, channel_id))
    people = {one.user_id or one.agent_id for one in shown} | {one.recipient_id for one in shown}
    names = {row["id"]: row["name"] for row in await tx.fetch(NAMES, principal.account_id, list(people - {None}))}
    parents = list({one.reply_to for one in shown} - {None})
    places = {row["id"]: row["seq"] for row in await tx.fetch(PLACES, principal.account_id, parents)}
    entries = [_said(one, names, places) for one in shown]
    return entries, more


def _said(one: Message, names: dict[UUID, str], places: dict[UUID, int]) -> Entry:
    notes: list[str] = []
    if one.reply_to is not None and one.reply_to in places:
        notes.append(f"reply to #{places[one.reply_to]}")
    if one.recipient_id is not None:
        notes.append(f"only for {names.get(one.recipient_id, 'one person')}")
    if one.status == "deleted":
        notes.append("deleted")
    elif one.edited_at is not None:
        notes.append("edited")
    notes += [f"{reaction.emoji} {reaction.count}" for reaction in one.reactions]
    author = one.user_id or one.agent_id
    return Entry(
        place=one.seq,
        author=names.get(author, one.author_kind) if author else one.author_kind,
        at=one.created_at,
        notes=tuple(notes),
        text=one.content,
        attached=_attached(one),
        data=to_jsonable_python(one),
    )


# ── threads ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def thread_page(
    tx: Tx, principal: Principal, thread_id: UUID, after: int | None, *, limit: int = PAGE
) -> tuple[list[Entry], int | None]:
    """The next messages of a thread, tool calls and results among them, and where to go on. Raises NotFound."""
    wanted = ThreadMessageFilter(after_seq=after)
    shown = await threads.list_messages(tx, principal, thread_id, wanted, limit=limit)
    return [_worked(one) for one in shown], shown[-1].seq if len(shown) == limit else None


def _worked(one: ThreadMessage) -> Entry:
    code: list[tuple[str, str]] = []
    for part in one.parts:
        if isinstance(part, CallPart):
            code.append((f"Called {part.call.tool}", _pretty(part.call.arguments)))
        elif isinstance(part, ResultPart):
            code.append((f"{part.tool_name} gave" if part.ok else f"{part.tool_name} failed", _pretty(part.result)))
    return Entry(
        place=one.seq,
        author=one.author or one.role,
        at=one.created_at,
        text="\n\n".join(part.text for part in one.parts if isinstance(part, TextPart)),
        code=tuple(code),
        attached=_attached(one),
        data=to_jsonable_python(one),
    )


def _attached(one: Message | ThreadMessage) -> tuple[str, ...]:
    """Names of what is neither text nor a tool's; what Markdown cannot show is named, never an error (CHN-15)."""
    kinds: Sequence[Any] = one.parts
    return tuple(
        getattr(getattr(part, "file", None), "name", part.kind) for part in kinds if part.kind in ("image", "file")
    )


def _pretty(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)

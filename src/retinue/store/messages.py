"""Messages of channels as people read them. Posting is intake (``turns.receive``); searching is ``search``; what is
changed after posting is in ``corrections`` and ``reactions``.

A direct message is seen by its recipient and its author alone (CHN-11); a draft only by who asks for drafts and may
(THR-25); of a deleted message its place, its author and its time remain.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import models
from retinue.domain.accounts import Principal
from retinue.domain.messages import Message, MessageFilter
from retinue.store import channels

LOOKED_UP = frozenset({"reactions", "reply_count", "last_reply_at", "files"})
"""Fields that are no columns: ``dress`` fills them in for the messages that are shown."""
FIELDS = tuple(name for name in Message.model_fields if name not in LOOKED_UP)
COLUMNS = ", ".join(f"m.{name}" for name in FIELDS)
FOR_USER = "(m.delivery <> 'direct' or m.recipient_id = $2 or m.user_id = $2)"
"""``$2`` is the user; says nothing about the channel."""


def message(row: Mapping[str, Any]) -> Message:
    """A message from its row, without what ``dress`` adds."""
    return Message.model_validate({name: row[name] for name in FIELDS} | {"parts": models.known(row["parts"])})


ACCESS = f"""
select {COLUMNS} from message m
where m.account_id = $1 and m.id = $3 and {FOR_USER} and may_enter_v1($1, m.channel_id, $2)
  and (m.status in ('sent', 'deleted') or owns_channel_v1($1, m.channel_id, $2))
"""


async def access_message(tx: Tx, principal: Principal, message_id: UUID, channel_id: UUID | None = None) -> Message:
    """One message; with ``channel_id`` only if it is there. Raises NotFound for what is not there or not for this
    user."""
    row = await tx.fetchrow(ACCESS, principal.account_id, principal.user_id, message_id)
    if row is None or channel_id not in (None, row["channel_id"]):
        raise errors.NotFound("There is no such message, or you may not read it.")
    [dressed] = await dress(tx, principal, [message(row)])
    return dressed


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────

SHOWN = f"""
m.account_id = $1 and m.channel_id = $3 and {FOR_USER} and (m.status in ('sent', 'deleted') or $4)
  and m.seq > $5 and m.seq < $6
"""
IN_THREAD = "m.reply_to = $8"  # threads have one level: intake sees to it
NEWEST = f"select {COLUMNS} from message m where {SHOWN} order by m.seq desc limit $7"
OLDEST = f"select {COLUMNS} from message m where {SHOWN} order by m.seq limit $7"
TOP_NEWEST = f"select {COLUMNS} from message m where {SHOWN} and m.reply_to is null order by m.seq desc limit $7"
TOP_OLDEST = f"select {COLUMNS} from message m where {SHOWN} and m.reply_to is null order by m.seq limit $7"
REPLIES_NEWEST = f"select {COLUMNS} from message m where {SHOWN} and {IN_THREAD} order by m.seq desc limit $7"
REPLIES_OLDEST = f"select {COLUMNS} from message m where {SHOWN} and {IN_THREAD} order by m.seq limit $7"
LAST = 2**63 - 1


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
    after, before = _bounds(wanted)
    args: list[Any] = [principal.account_id, principal.user_id, channel_id, wanted.drafts, after, before, limit]
    if wanted.reply_to is not None:
        sql = REPLIES_NEWEST if wanted.newest_first else REPLIES_OLDEST
        args.append(wanted.reply_to)
    elif wanted.top_level:
        sql = TOP_NEWEST if wanted.newest_first else TOP_OLDEST
    else:
        sql = NEWEST if wanted.newest_first else OLDEST
    return await dress(tx, principal, [message(row) for row in await tx.fetch(sql, *args)])


def _bounds(wanted: MessageFilter) -> tuple[int, int]:
    """The places between which to look, both exclusive."""
    after, before = wanted.above or 0, LAST if wanted.below is None else wanted.below
    if wanted.after_seq is not None and wanted.newest_first:
        before = min(before, wanted.after_seq)
    elif wanted.after_seq is not None:
        after = max(after, wanted.after_seq)
    return after, before


async def around(tx: Tx, principal: Principal, centre: Message, wanted: MessageFilter, *, limit: int) -> list[Message]:
    """At most ``limit`` messages with ``centre`` in their middle, in the order wanted."""
    before = wanted.model_copy(update={"newest_first": True, "below": centre.seq, "after_seq": None})
    behind = wanted.model_copy(update={"newest_first": False, "above": centre.seq - 1, "after_seq": None})
    half = limit // 2
    older = await list_messages(tx, principal, centre.channel_id, before, limit=half) if half else []
    newer = await list_messages(tx, principal, centre.channel_id, behind, limit=limit - half)
    found = [*reversed(older), *newer]
    return found[::-1] if wanted.newest_first else found


# ── what stands beside a message ─────────────────────────────────────────────────────────────────────────────────

REACTIONS = """
select r.message_id, jsonb_agg(jsonb_build_object('emoji', r.emoji, 'count', r.count, 'mine', r.mine,
                                                  'user_ids', r.people) order by r.first, r.emoji) as reactions
from (select message_id, emoji, count(*) as count, bool_or(user_id = $2) as mine, min(created_at) as first,
             (array_agg(user_id order by created_at, user_id))[1:50] as people
      from reaction where account_id = $1 and message_id = any ($3) group by message_id, emoji) r
group by r.message_id
"""
REPLIES = f"""
select i.id, t.count, t.last from unnest($3::uuid[]) as i (id)
cross join lateral (
    select count(*) as count, max(m.created_at) as last from message m
    where m.account_id = $1 and m.status = 'sent' and {FOR_USER}
      and m.reply_to = i.id) t
where t.count > 0
"""


async def dress(tx: Tx, principal: Principal, shown: Sequence[Message]) -> list[Message]:
    """The same messages with their reactions and what is known of their threads: two queries, however many they are."""
    wanted = [one.id for one in shown if one.status == "sent"]
    roots = [one.id for one in shown if one.reply_to is None]
    found: dict[UUID, dict[str, Any]] = {}
    if wanted:
        for row in await tx.fetch(REACTIONS, principal.account_id, principal.user_id, wanted):
            found[row["message_id"]] = {"reactions": row["reactions"]}
    if roots:
        for row in await tx.fetch(REPLIES, principal.account_id, principal.user_id, roots):
            found.setdefault(row["id"], {}).update(reply_count=row["count"], last_reply_at=row["last"])
    return [
        Message.model_validate(dict(one) | found[one.id]) if one.id in found else one for one in shown
    ]  # validated again, for reactions come as JSON

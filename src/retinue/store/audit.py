"""Audit lines: appended in the transaction of what they speak of, read by admins of the account, never changed.

The database refuses updates and deletes to every application role (AUD-03). Lines of turns are written by the SQL of
the turn itself; here are all others, and the reading.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from retinue.db.pool import Tx
from retinue.domain import audit, audit_events, ids
from retinue.domain.audit import Actor, AuditEvent, AuditFilter

APPEND = """
insert into audit_event (account_id, id, event, actor_type, actor_id, interaction_id, step_seq, detail)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def append(
    tx: Tx,
    *,
    account_id: UUID,
    event: str,
    actor: Actor,
    interaction_id: UUID | None = None,
    detail: Mapping[str, Any] | None = None,
) -> UUID:
    """Write one line; returns its id. ``event`` is one of ``audit_events.EVENTS``. Raises ValueError for any other.

    Secrets in ``detail`` are dropped, content becomes a reference (hash and length). A ``step_seq`` in ``detail`` goes
    to its column.
    """
    if event not in audit_events.EVENTS:
        raise ValueError(f"{event} is not among the events of audit")
    body = audit.clean(dict(detail or {}))
    step_seq = body.pop("step_seq", None)
    line = ids.new()
    actor_id = None if actor.id is None else str(actor.id)
    await tx.execute(APPEND, account_id, line, event, actor.type, actor_id, interaction_id, step_seq, body)
    return line


LIST = """
select id, event, actor_type, actor_id, interaction_id, step_seq, detail, at
from audit_event
where account_id = $1
  and ($2::uuid is null or id < $2)
  and ($3::text is null or event = $3 or (right($3, 1) = '.' and starts_with(event, $3)))
  and ($4::text is null or actor_type = $4)
  and ($5::text is null or actor_id = $5)
  and ($6::uuid is null or interaction_id = $6)
  and ($7::timestamptz is null or at >= $7)
  and ($8::timestamptz is null or at < $8)
order by id desc
limit $9
"""


async def list_events(
    tx: Tx, account_id: UUID, wanted: AuditFilter, *, before: UUID | None = None, limit: int = 51
) -> list[AuditEvent]:
    """Lines of the account, newest first, older than the line ``before``."""
    actor_id = None if wanted.actor_id is None else audit.inside_id(wanted.actor_id)
    rows = await tx.fetch(
        LIST, account_id, before, wanted.event, wanted.actor_type, actor_id, wanted.interaction_id, wanted.since,
        wanted.until, limit,
    )  # fmt: skip
    return [_event(row) for row in rows]


OF_INTERACTION = """
select id, event, actor_type, actor_id, interaction_id, step_seq, detail, at
from audit_event
where account_id = $1 and interaction_id = $2 and ($3::uuid is null or id > $3)
order by id
limit $4
"""


async def list_of_interaction(
    tx: Tx, account_id: UUID, interaction_id: UUID, *, after: UUID | None = None, limit: int = 51
) -> list[AuditEvent]:
    """What one turn did, in order (AUD-04)."""
    return [_event(row) for row in await tx.fetch(OF_INTERACTION, account_id, interaction_id, after, limit)]


def _event(row: Mapping[str, Any]) -> AuditEvent:
    values = dict(row)
    values["actor_id"] = audit.outside_id(audit.ACTOR_PREFIX.get(values["actor_type"]), values["actor_id"])
    values["detail"] = audit.outside(values["detail"])
    return AuditEvent.model_validate(values)

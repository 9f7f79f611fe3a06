"""Files and what messages hold them: who may read which, and what becomes of them. Their content is in ``blobs``.

A file may be read by who uploaded it, and by those who may read a message that holds it; by nobody else.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain.accounts import Principal
from retinue.domain.base import Value
from retinue.domain.events import Event
from retinue.domain.files import StoredFile
from retinue.domain.ids import FileId
from retinue.domain.messages import Received
from retinue.domain.models import FilePart
from retinue.store import messages, turns
from retinue.store.blobs import BLOB, UNDO, Blob

FILE = "f.id, f.name, f.media_type, f.bytes, f.width, f.height, f.preview_id is not null as preview, f.created_at"


class Found(StoredFile):
    """A file with where its content is."""

    blob: Blob
    preview_blob: Blob | None = None


def stored(row: Mapping[str, Any]) -> StoredFile:
    """A file from its row."""
    return StoredFile.model_validate({name: row[name] for name in StoredFile.model_fields})


def _found(row: Mapping[str, Any]) -> Found:
    preview = Blob.model_validate(row["preview_blob"]) if row["preview_blob"] else None
    return Found(**stored(row).model_dump(), blob=Blob.model_validate(row["blob"]), preview_blob=preview)


# ── making ───────────────────────────────────────────────────────────────────────────────────────────────────────

KEEP = """
update file_blob set state = 'stored', touched_at = clock()
where account_id = $1 and id = any ($2::uuid[]) and state in ('idle', 'stored')
"""
INSERT = f"""
insert into file as f (account_id, id, user_id, blob_id, preview_id, name, media_type, bytes, width, height)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (account_id, id) do update set name = f.name
returning {FILE}
"""  # two retries at the same moment find the same file


class NewFile(Value):
    """A file to make."""

    id: UUID
    name: str
    media_type: str
    bytes: int
    width: int | None = None
    height: int | None = None


async def add(tx: Tx, owner: Principal, new: NewFile, blob: Blob, preview: Blob | None) -> StoredFile | None:
    """Make a file of content that was written; None when the sweep has taken the content meanwhile."""
    blobs = list({one.id for one in (blob, preview) if one})
    if (await tx.execute(KEEP, owner.account_id, blobs)) != f"UPDATE {len(blobs)}":
        return None
    row = await tx.fetchrow(
        INSERT, owner.account_id, new.id, owner.user_id, blob.id, preview.id if preview else None, new.name,
        new.media_type, new.bytes, new.width, new.height,
    )  # fmt: skip
    assert row is not None
    return stored(row)


OWN = f"""
select {FILE}, b.sha256 from file f join file_blob b on b.account_id = $1 and b.id = f.blob_id
where f.account_id = $1 and f.user_id = $2 and f.id = $3
"""


async def find_own(tx: Tx, principal: Principal, file_id: UUID) -> tuple[StoredFile, bytes] | None:
    """A file this user has uploaded, with the hash of its content."""
    row = await tx.fetchrow(OWN, principal.account_id, principal.user_id, file_id)
    return (stored(row), row["sha256"]) if row else None


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

CONTENT = f"""
select {FILE}, jsonb_build_object({BLOB.format("b")}) as blob,
       case when p.id is not null then jsonb_build_object({BLOB.format("p")}) end as preview_blob
from file f join file_blob b on b.account_id = $1 and b.id = f.blob_id
left join file_blob p on p.account_id = $1 and p.id = f.preview_id
where f.account_id = $1
"""
ACCESS = f"""
{CONTENT} and f.id = $3 and (f.user_id = $2 or exists (
    select from message_file a join message m on m.account_id = $1 and m.id = a.message_id
    where a.account_id = $1 and a.file_id = f.id and may_enter_v1($1, m.channel_id, $2)
      and {messages.FOR_USER}
      and (m.status = 'sent' or (m.status <> 'deleted' and owns_channel_v1($1, m.channel_id, $2)))))
"""


async def access_file(tx: Tx, principal: Principal, file_id: UUID) -> Found:
    """One file. Raises NotFound for what is not there or in no message that this user may read."""
    row = await tx.fetchrow(ACCESS, principal.account_id, principal.user_id, file_id)
    if row is None:
        raise errors.NotFound("There is no such file, or you may not read it.")
    return _found(row)


MANY = f"{CONTENT} and f.id = any ($2::uuid[])"


async def in_messages(tx: Tx, account_id: UUID, file_ids: Sequence[UUID]) -> dict[UUID, Found]:
    """The files that an agent has in its thread, for the turn that reads them; those that are gone are missing."""
    return {row["id"]: _found(row) for row in await tx.fetch(MANY, account_id, file_ids)}


# ── in messages ──────────────────────────────────────────────────────────────────────────────────────────────────

TAKE = f"""
update file f set attached_at = coalesce(f.attached_at, clock())
where f.account_id = $1 and f.user_id = $2 and f.id = any ($3::uuid[])
returning {FILE}
"""
HOLD = """
insert into message_file (account_id, message_id, file_id) select $1, $2, f from unnest($3::uuid[]) f
"""


async def receive(db: Database, event: Event, file_ids: Sequence[FileId]) -> Received:
    """As ``turns.receive``, for a message that holds these files: all of it in one transaction.

    Raises NotFound also for a file that is not there or was uploaded by somebody else.
    """
    wanted = list(dict.fromkeys(file_ids))
    async with db.tenant_tx(event.account_id) as tx:
        taken = {row["id"]: stored(row) for row in await tx.fetch(TAKE, event.account_id, event.user_id, wanted)}
        if len(taken) < len(wanted):
            raise errors.NotFound("There is no such file of yours. Upload it, then post the message.")
        parts = tuple(FilePart(file=taken[one]) for one in wanted)
        full = event.model_copy(update={"parts": (*event.parts, *parts)})
        received = await turns.receive_in(tx, full)
        if not received.duplicate:
            await tx.execute(HOLD, event.account_id, event.message_id, wanted)
    await db.flush()  # intake defers its own
    return received


LOCK = "select f.id from file f where f.account_id = $1 and f.id = any ($2::uuid[]) order by f.id for update"
REMOVE = """
delete from file f where f.account_id = $1 and f.id = any ($2::uuid[])
  and not exists (select from message_file a where a.account_id = $1 and a.file_id = f.id)
returning f.blob_id, f.preview_id
"""
IDLE = """
update file_blob set state = 'idle', touched_at = clock()
where account_id = $1 and id = any ($2::uuid[]) and state = 'stored'
"""  # the sweep finds out whether another file has it too


async def _remove(tx: Tx, account_id: UUID, file_ids: list[UUID]) -> int:
    gone = await tx.fetch(REMOVE, account_id, file_ids)
    blobs = {row[name] for row in gone for name in ("blob_id", "preview_id") if row[name]}
    await tx.execute(IDLE, account_id, list(blobs))
    return len(gone)


MINE = """
select f.attached_at is not null as attached from file f
where f.account_id = $1 and f.user_id = $2 and f.id = $3 for update
"""


async def delete(tx: Tx, principal: Principal, file_id: UUID) -> None:
    """Remove a file of one's own that is in no message. Raises NotFound, WrongState (a message holds it)."""
    attached = await tx.fetchval(MINE, principal.account_id, principal.user_id, file_id)
    if attached is None:
        raise errors.NotFound("There is no such file of yours.")
    if attached:
        raise errors.WrongState("A message holds this file. Delete the message, and the file goes with it.")
    await _remove(tx, principal.account_id, [file_id])


STALE = """
select f.id from file f
where f.account_id = $1 and f.attached_at is null and f.created_at < clock() - make_interval(hours => $2)
order by f.id limit 500 for update skip locked
"""


LET_GO = f"""
delete from message_file where account_id = $1 and released_at < clock() - {UNDO} returning file_id
"""


async def drop_released(tx: Tx, account_id: UUID) -> int:
    """Remove the files of deleted messages, once that cannot be undone any more, unless another message holds them."""
    held = [row["file_id"] for row in await tx.fetch(LET_GO, account_id)]
    if not held:
        return 0
    await tx.fetch(LOCK, account_id, held)  # then a statement of its own, which sees who took them meanwhile
    return await _remove(tx, account_id, held)


async def drop_unattached(tx: Tx, account_id: UUID, hours: int) -> int:
    """Remove what was uploaded so long ago and never came into a message; returns how many."""
    stale = [row["id"] for row in await tx.fetch(STALE, account_id, hours)]
    return await _remove(tx, account_id, stale) if stale else 0


COUNT = "select count(*) from file where account_id = $1"


async def count(tx: Tx, account_id: UUID) -> int:
    """How many files the account has."""
    return int(await tx.fetchval(COUNT, account_id))

"""The content of files, once per account by its hash: what is stored, what is being written, what may go.

A blob's row is written before its content and outlives it, so that a crash leaves nothing behind that no row knows of:
what was being written and has no file is swept up an hour later. Where the storage is the database itself, the bytes
are in ``file_chunk``.
"""

from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import ids
from retinue.domain.base import Value
from retinue.domain.ids import AccountId

BLOB = "'account_id', {0}.account_id, 'id', {0}.id, 'sha256', encode({0}.sha256, 'hex'), 'bytes', {0}.bytes"
"""The arguments of a ``jsonb_build_object`` that makes a ``Blob``; ``{0}`` is the table's name."""
GRACE = "interval '1 hour'"
UNDO = "interval '15 minutes'"
"""Longer than a deleted message can be brought back."""
CHUNK_BYTES = 256 * 1024


class Blob(Value):
    """Some content: whose, under which id, and its hash in hexadecimal."""

    account_id: AccountId
    id: UUID
    sha256: str
    bytes: int

    def path(self) -> str:
        """Its place in a storage. Nothing in it comes from a person, and no two writes of one hash share it."""
        return f"{self.account_id.hex}/{self.sha256[:2]}/{self.sha256}-{self.id.hex}"


LOCK = "select pg_advisory_xact_lock(hashtextextended('files ' || $1::uuid::text, 0))"
KNOWN = """
update file_blob set touched_at = clock()
where account_id = $1 and sha256 = $2 and state <> 'deleting' returning id, bytes, state
"""
USED = "select coalesce(sum(bytes), 0)::bigint from file_blob where account_id = $1 and state <> 'deleting'"
BEGIN = "insert into file_blob (account_id, id, sha256, bytes) values ($1, $2, $3, $4)"


async def begin(tx: Tx, account_id: UUID, sha256: bytes, size: int, quota: int) -> tuple[Blob, bool]:
    """The blob for this content, and whether it is written already. Raises ``QuotaExceeded``.

    Whoever gets one that is not written writes it; two who write the same at the same time do no harm.
    """
    await tx.execute(LOCK, account_id)
    row = await tx.fetchrow(KNOWN, account_id, sha256)
    if row is not None:
        return Blob(account_id=account_id, id=row["id"], sha256=sha256.hex(), bytes=row["bytes"]), row[
            "state"
        ] != "writing"
    if quota and (left := quota - await used(tx, account_id)) < size:
        raise errors.QuotaExceeded(
            f"This account has room for {max(0, left)} more bytes of files, and this one has {size}. Delete messages "
            "with files, or ask the operator to raise RETINUE_FILE_QUOTA_BYTES."
        )
    blob = Blob(account_id=account_id, id=ids.new(), sha256=sha256.hex(), bytes=size)
    await tx.execute(BEGIN, account_id, blob.id, sha256, size)
    return blob, False


async def used(tx: Tx, account_id: UUID) -> int:
    """The bytes of the account's content, each counted once however many files have it."""
    return int(await tx.fetchval(USED, account_id))


WRITTEN = """
update file_blob set state = case state when 'writing' then 'idle' else state end, touched_at = clock()
where account_id = $1 and id = $2 and state <> 'deleting'
"""


async def written(tx: Tx, blob: Blob) -> bool:
    """Say that all of it is stored; False when the sweep has taken it meanwhile."""
    return (await tx.execute(WRITTEN, blob.account_id, blob.id)) == "UPDATE 1"


# ── what may go ──────────────────────────────────────────────────────────────────────────────────────────────────

DUE = f"""
-- cross-tenant: which accounts the sweep has something to do in; columns without content
select account_id from file_blob where state <> 'stored' and touched_at < clock() - {GRACE}
union
select account_id from file where attached_at is null and created_at < clock() - make_interval(hours => $1)
union
select account_id from message_file where released_at < clock() - {UNDO}
"""  # cross-tenant: which accounts the sweep has something to do in


async def accounts_due(tx: Tx, hours: int) -> list[UUID]:
    """The accounts with something to sweep up. Called as the system."""
    return [row["account_id"] for row in await tx.fetch(DUE, hours)]


HAS_FILE = """
exists (select from file f where f.account_id = $1 and f.blob_id = b.id)
or exists (select from file f where f.account_id = $1 and f.preview_id = b.id)
"""
RESTORE = f"""
update file_blob b set state = 'stored'
where b.account_id = $1 and b.state = 'idle' and b.touched_at < clock() - {GRACE} and ({HAS_FILE})
"""
CONDEMN = f"""
update file_blob b set state = 'deleting'
where b.account_id = $1 and b.state in ('writing', 'idle') and b.touched_at < clock() - {GRACE} and not ({HAS_FILE})
"""
CONDEMNED = f"""
select jsonb_build_object({BLOB.format("b")}) as blob from file_blob b
where b.account_id = $1 and b.state = 'deleting' order by b.id limit 500
"""


async def condemn(tx: Tx, account_id: UUID) -> list[Blob]:
    """Give up what no file has; returns what the storage is to delete, also what an earlier sweep did not get to."""
    await tx.execute(RESTORE, account_id)
    await tx.execute(CONDEMN, account_id)
    return [Blob.model_validate(row["blob"]) for row in await tx.fetch(CONDEMNED, account_id)]


FORGET = "delete from file_blob where account_id = $1 and id = $2 and state = 'deleting'"


async def forget(tx: Tx, blob: Blob) -> None:
    """The storage has deleted it."""
    await tx.execute(FORGET, blob.account_id, blob.id)


# ── bytes in the database ────────────────────────────────────────────────────────────────────────────────────────

PUT = """
insert into file_chunk (account_id, blob_id, seq, data) values ($1, $2, $3, $4)
on conflict (account_id, blob_id, seq) do nothing
"""
READ = "select data from file_chunk where account_id = $1 and blob_id = $2 and seq = $3"
DROP = "delete from file_chunk where account_id = $1 and blob_id = $2"


async def put_chunk(tx: Tx, account_id: UUID, blob_id: UUID, seq: int, data: bytes) -> None:
    """Write one chunk; all but a blob's last are ``CHUNK_BYTES`` long."""
    await tx.execute(PUT, account_id, blob_id, seq, data)


async def read_chunk(tx: Tx, account_id: UUID, blob_id: UUID, seq: int) -> bytes | None:
    """One chunk; None when it is not there."""
    found: Any = await tx.fetchval(READ, account_id, blob_id, seq)
    return found


async def drop_chunks(tx: Tx, account_id: UUID, blob_id: UUID) -> None:
    """Delete all chunks of a blob."""
    await tx.execute(DROP, account_id, blob_id)

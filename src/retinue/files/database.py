"""Files in PostgreSQL, in rows of 256 KB: nothing to set up, one backup for all, row-level security as for all else."""

from collections.abc import AsyncIterator

from retinue import errors
from retinue.db.pool import Database
from retinue.files.contents import Content
from retinue.store import blobs
from retinue.store.blobs import CHUNK_BYTES, Blob


class DatabaseStorage:
    """Chunks in ``file_chunk``."""

    kind = "database"
    place = "the database"

    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, blob: Blob, content: Content) -> None:
        """All chunks in one transaction: there is no half of it."""
        async with self._db.tenant_tx(blob.account_id) as tx:
            seq = 0
            async for chunk in content.chunks(CHUNK_BYTES):
                await blobs.put_chunk(tx, blob.account_id, blob.id, seq, chunk)
                seq += 1

    async def read(self, blob: Blob, start: int, end: int) -> AsyncIterator[bytes]:
        """Each chunk in a transaction of its own, so that a slow reader holds no connection."""
        for seq in range(start // CHUNK_BYTES, end // CHUNK_BYTES + 1):
            async with self._db.tenant_tx(blob.account_id) as tx:
                data = await blobs.read_chunk(tx, blob.account_id, blob.id, seq)
            if data is None:
                raise errors.StorageDown(f"The content {blob.path()} is not in the database.")
            at = seq * CHUNK_BYTES
            yield data[max(0, start - at) : end - at + 1]

    async def delete(self, blob: Blob) -> None:
        async with self._db.tenant_tx(blob.account_id) as tx:
            await blobs.drop_chunks(tx, blob.account_id, blob.id)

    async def close(self) -> None:
        """Nothing to close: the pools are the process's."""

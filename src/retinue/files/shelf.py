"""Files from end to end: taken in, read back, swept up. The rows are ``store``'s, the bytes the storage's.

The order makes a crash harmless: the blob's row, then its bytes, then the file's row. Nothing that is referred to can
be missing; what nobody refers to is swept up.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import IO
from uuid import UUID

from retinue import errors, telemetry
from retinue.db.pool import Database
from retinue.domain import files as rules
from retinue.domain import ids
from retinue.domain.accounts import Principal
from retinue.domain.files import StorageInfo, StorageLimits, StorageTest, StoredFile
from retinue.files import pictures
from retinue.files.contents import Content
from retinue.files.storage import Storage
from retinue.store import blobs, files
from retinue.store.blobs import Blob
from retinue.store.files import NewFile

log = telemetry.logger(__name__)

TRIES = 3
DECODING = 2
"""Pictures that one process unpacks at once; each may take some hundred megabytes."""
TEST_SECONDS = 15.0
NOBODY = UUID(int=0)
PROBE = b"Retinue was here to see whether it can write, read and delete."


@dataclass(frozen=True, slots=True)
class Upload:
    """What somebody sends: its name as they call it, and its bytes. ``file_id`` lets a retry find itself."""

    name: str
    content: Content
    file_id: UUID | None = None


@dataclass
class Shelf:
    """The files of this installation."""

    db: Database
    storage: Storage
    limits: StorageLimits
    _decoding: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DECODING))

    # ── in ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def keep(self, owner: Principal, upload: Upload) -> StoredFile:
        """Store a file.

        Raises FileTypeRefused, QuotaExceeded, StorageDown, IdempotencyMismatch (another file under this id).
        """
        content = upload.content
        if upload.file_id is not None and (known := await self._known(owner, upload.file_id, content)):
            return known
        name = rules.clean_name(upload.name)
        media_type = rules.sniff(content.head, name, content.is_text())
        if not rules.is_taken(media_type, self.limits.types):
            taken = ", ".join(self.limits.types)
            raise errors.FileTypeRefused(f"This file is {media_type} by its content. Taken are: {taken}.")
        picture, small = await self._picture(media_type, content.open())
        new = NewFile(
            id=upload.file_id or ids.new(), name=name, media_type=media_type, bytes=content.size,
            width=picture.width if picture else None, height=picture.height if picture else None,
        )  # fmt: skip
        for _ in range(TRIES):
            made = await self._store(owner, new, content, small)
            if made is not None:
                return made
        raise errors.StorageDown("The content was swept away again and again before it had a file.")

    async def _known(self, owner: Principal, file_id: UUID, content: Content) -> StoredFile | None:
        async with self.db.tenant_tx(owner.account_id) as tx:
            found = await files.find_own(tx, owner, file_id)
        if found is None:
            return None
        if found[1] != content.sha256:
            raise errors.IdempotencyMismatch("Send a new Idempotency-Key with a new file.")
        return found[0]

    async def _picture(self, media_type: str, file: IO[bytes]) -> tuple[pictures.Picture | None, bytes | None]:
        if media_type not in rules.PICTURES:
            return None, None
        measured = await pictures.measure(media_type, file)
        if measured is None:
            return None, None
        async with self._decoding:
            return measured, await pictures.preview(media_type, file)

    async def _store(self, owner: Principal, new: NewFile, content: Content, small: bytes | None) -> StoredFile | None:
        blob = await self._write(owner.account_id, content)
        preview = None
        if small is not None:
            async with await Content.of(small) as picture:
                preview = await self._write(owner.account_id, picture)
        if blob is None or (small is not None and preview is None):
            return None
        async with self.db.tenant_tx(owner.account_id) as tx:
            return await files.add(tx, owner, new, blob, preview)

    async def _write(self, account_id: UUID, content: Content) -> Blob | None:
        """The blob with this content, written if it was not there; None when it was swept away meanwhile."""
        async with self.db.tenant_tx(account_id) as tx:
            blob, is_written = await blobs.begin(tx, account_id, content.sha256, content.size, self.limits.quota_bytes)
        if is_written:
            return blob
        await self.storage.put(blob, content)
        async with self.db.tenant_tx(account_id) as tx:
            return blob if await blobs.written(tx, blob) else None

    # ── out ─────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, blob: Blob, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from ``start`` to ``end``, both included; nothing of an empty blob."""
        last = blob.bytes - 1 if end is None else end
        return self.storage.read(blob, start, last) if last >= start else _nothing()

    async def read_all(self, blob: Blob) -> bytes:
        """All of it in memory."""
        return b"".join([chunk async for chunk in self.read(blob)])

    async def for_model(self, found: files.Found) -> tuple[str, bytes] | None:
        """A picture as a model is given it, with its type; None when it cannot be decoded. Raises StorageDown."""
        data = await self.read_all(found.blob)
        async with self._decoding:
            return await pictures.for_model(found.media_type, data)

    # ── upkeep ──────────────────────────────────────────────────────────────────────────────────────────────

    async def sweep(self, hours: int) -> dict[str, int]:
        """Remove uploads that no message took within ``hours``, files of deleted messages, content that no file has."""
        async with self.db.system_tx() as tx:
            due = await blobs.accounts_due(tx, hours)
        dropped = deleted = 0
        for account_id in due:
            async with self.db.tenant_tx(account_id) as tx:
                dropped += await files.drop_unattached(tx, account_id, hours)
                dropped += await files.drop_released(tx, account_id)
                condemned = await blobs.condemn(tx, account_id)
            for blob in condemned:
                await self.storage.delete(blob)
                async with self.db.tenant_tx(account_id) as tx:
                    await blobs.forget(tx, blob)
                deleted += 1
        return {"files": dropped, "blobs": deleted}

    async def info(self, account_id: UUID) -> StorageInfo:
        """Where files are, and how much the account uses."""
        async with self.db.tenant_tx(account_id) as tx:
            used, count = await blobs.used(tx, account_id), await files.count(tx, account_id)
        return StorageInfo(
            kind=self.storage.kind, place=self.storage.place, limits=self.limits, used_bytes=used, files=count
        )

    async def test(self) -> StorageTest:
        """Write, read and delete a few bytes that belong to no account."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(TEST_SECONDS):
                await self._probe()
            ok, words = True, "A small file was written, read back and deleted."
        except TimeoutError:
            ok, words = False, f"No answer within {TEST_SECONDS:g} seconds."
        except errors.RetinueError as error:
            ok, words = False, error.detail
        return StorageTest(ok=ok, latency_ms=round((time.monotonic() - started) * 1000), detail=words)

    async def _probe(self) -> None:
        async with await Content.of(PROBE) as content:
            blob = Blob(account_id=NOBODY, id=ids.new(), sha256=content.sha256.hex(), bytes=content.size)
            try:
                await self.storage.put(blob, content)
                if await self.read_all(blob) != PROBE:
                    raise errors.StorageDown("What was read is not what was written.")
            finally:
                await self.storage.delete(blob)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""

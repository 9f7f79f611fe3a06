"""Files in a folder, which all nodes must share. Paths are made of ids and hashes only; nobody's text is in them."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO, Any, TypeVar

from retinue import errors
from retinue.files.contents import CHUNK_BYTES, Content
from retinue.store.blobs import Blob

T = TypeVar("T")


class DirectoryStorage:
    """One file per blob, readable by this user only."""

    kind = "directory"

    def __init__(self, root: Path) -> None:
        self._root = root
        self.place = str(root)

    async def put(self, blob: Blob, content: Content) -> None:
        """Written aside, flushed, then renamed: what stands under its name is whole."""
        await self._run(self._write, self._path(blob), content)

    def _write(self, path: Path, content: Content) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                source = content.open()
                while data := source.read(CHUNK_BYTES):
                    file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            for folder in (path.parent, path.parent.parent, self._root):
                _flush_folder(folder)
        finally:
            draft.unlink(missing_ok=True)

    async def read(self, blob: Blob, start: int, end: int) -> AsyncIterator[bytes]:
        file = await self._run(_open, self._path(blob), start)
        try:
            left = end - start + 1
            while left > 0:
                data = await self._run(file.read, min(CHUNK_BYTES, left))
                if not data:
                    raise errors.StorageDown(f"The content {blob.path()} is shorter than it was.")
                left -= len(data)
                yield data
        finally:
            file.close()

    async def delete(self, blob: Blob) -> None:
        await self._run(self._unlink, self._path(blob))

    def _unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        for draft in path.parent.glob(f".{path.name}.*"):  # of a process that died while it wrote
            draft.unlink(missing_ok=True)

    async def close(self) -> None:
        """Nothing is held open."""

    def _path(self, blob: Blob) -> Path:
        return self._root / blob.path()

    async def _run(self, act: Callable[..., T], *args: Any) -> T:
        try:
            return await asyncio.to_thread(act, *args)
        except OSError as error:
            raise errors.StorageDown(f"The folder {self._root} does not work: {error.strerror or error}.") from error


def _open(path: Path, start: int) -> IO[bytes]:
    file = path.open("rb")
    file.seek(start)
    return file


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

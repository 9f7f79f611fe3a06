"""Content on its way in: gathered on disk while it is hashed and measured, so that memory stays small.

Knows nothing of HTTP, of storages or of what the bytes mean.
"""

import asyncio
import codecs
import hashlib
import tempfile
from collections.abc import AsyncIterator
from types import TracebackType
from typing import IO, Any, Self

from retinue import errors
from retinue.domain.files import HEAD_BYTES

IN_MEMORY = 512 * 1024
"""What is longer goes to a temporary file, which has no name and goes with the process."""
CHUNK_BYTES = 256 * 1024


class Content:
    """Bytes that are written once and then read as often as needed. A context manager; holds a file."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed by the context
        self._hash = hashlib.sha256()
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        self.size = 0
        self.head = b""

    @classmethod
    async def of(cls, data: bytes) -> Self:
        """Content that is in memory already."""
        made = cls()
        await made.write(data)
        return made

    async def write(self, data: bytes) -> None:
        """Add some. Raises ``FileTooLarge`` as soon as there is more than the limit."""
        self.size += len(data)
        if self._limit is not None and self.size > self._limit:
            raise errors.FileTooLarge(f"A file may have at most {self._limit} bytes.")
        self._hash.update(data)
        if len(self.head) < HEAD_BYTES:
            self.head = (self.head + data)[:HEAD_BYTES]
        self._look(data)
        if self.size > IN_MEMORY:
            await asyncio.to_thread(self._file.write, data)
        else:
            self._file.write(data)

    def _look(self, data: bytes, final: bool = False) -> None:
        if self._decoder is None:
            return
        try:
            self._decoder.decode(data, final)
        except UnicodeDecodeError:
            self._decoder = None
            return
        if b"\x00" in data:
            self._decoder = None

    def is_text(self) -> bool:
        """Whether all of it is UTF-8 without NUL."""
        self._look(b"", final=True)
        return self._decoder is not None

    @property
    def sha256(self) -> bytes:
        return self._hash.digest()

    async def chunks(self, size: int = CHUNK_BYTES) -> AsyncIterator[bytes]:
        """All of it, from the beginning, in pieces of this size."""
        for start in range(0, self.size, size):
            yield await asyncio.to_thread(self._read, start, size)

    def _read(self, start: int, size: int) -> bytes:
        self._file.seek(start)
        return self._file.read(size)

    def open(self) -> IO[bytes]:
        """The file itself, at its beginning, for a reader that runs in a thread."""
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        self._file.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        self.close()

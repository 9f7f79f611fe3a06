"""A proxy before Postgres that cuts one connection at one statement: lost on its way, or done and not answered."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Fate = Literal["lost", "unanswered"]
PARTS = b"PBEDC"
"""Messages that only prepare a statement: it goes when Sync (or a simple query) comes."""


@dataclass
class Proxy:
    """Counts the statements that the application's role sends, once armed."""

    target: str
    folder: str = ""
    left: int = 0
    fate: Fate = "lost"
    done: bool = False

    def arm(self, number: int, fate: Fate) -> None:
        """Cut the connection that sends the ``number``-th statement from now on."""
        self.left, self.fate, self.done = number, fate, False

    def disarm(self) -> bool:
        """Whether it came to the cut."""
        self.left = 0
        return self.done

    def url(self, url: str) -> str:
        """The database's URL, through this proxy."""
        return url.replace(f"host={self.target}", f"host={self.folder}")

    def _is_the_one(self, startup: bytes, kind: bytes) -> bool:
        if kind not in b"SQ" or b"\0retinue_app\0" not in startup or self.left == 0:
            return False
        self.left -= 1
        self.done = self.left == 0
        return self.done

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_server = await asyncio.open_unix_connection(f"{self.target}/.s.PGSQL.5432")
        unanswered = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                back = group.create_task(_back(upstream, writer, unanswered))
                await self._forth(reader, to_server, unanswered)
                if not unanswered.is_set():
                    back.cancel()
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()
            to_server.transport.abort()

    async def _forth(
        self, reader: asyncio.StreamReader, to_server: asyncio.StreamWriter, unanswered: asyncio.Event
    ) -> None:
        """Client to server, until the end or the cut."""
        size = await reader.readexactly(4)
        startup = size + await reader.readexactly(int.from_bytes(size, "big") - 4)
        to_server.write(startup)
        batch = b""
        while head := await reader.read(1):
            size = await reader.readexactly(4)
            batch += head + size + await reader.readexactly(int.from_bytes(size, "big") - 4)
            if head in PARTS:
                continue
            cut = self._is_the_one(startup, head)
            if cut and self.fate == "lost":
                return
            if cut:
                unanswered.set()
            to_server.write(batch)
            await to_server.drain()
            if cut:
                return
            batch = b""


async def _back(upstream: asyncio.StreamReader, writer: asyncio.StreamWriter, unanswered: asyncio.Event) -> None:
    """Server to client; once ``unanswered``, to nobody, until the server says that it is ready again."""
    while True:
        head = await upstream.readexactly(1)
        size = await upstream.readexactly(4)
        body = await upstream.readexactly(int.from_bytes(size, "big") - 4)
        if not unanswered.is_set():
            writer.write(head + size + body)
        elif head == b"Z":
            return


@asynccontextmanager
async def proxy(url: str) -> AsyncIterator[Proxy]:
    """A proxy before the server of this URL, which listens on a socket in a folder."""
    with tempfile.TemporaryDirectory(prefix="pgproxy-") as folder:
        made = Proxy(target=url.rpartition("host=")[2], folder=folder)
        server = await asyncio.start_unix_server(made.serve, Path(folder) / ".s.PGSQL.5432", limit=2**22)
        try:
            yield made
        finally:
            server.close()

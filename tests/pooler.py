"""A pooler in transaction mode, as small as one can be: clients share sessions, one transaction at a time.

Like PgBouncer before 1.21 it knows nothing of prepared statements: what a client leaves behind in a session, another
one meets.
"""

import asyncio
import itertools
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
ENCRYPT = ((80877103).to_bytes(4, "big"), (80877104).to_bytes(4, "big"))
PROTOCOL = (3 << 16).to_bytes(4, "big")
IDLE = b"I"
SIZE = 3
"""Sessions for each role and database."""
pids = itertools.count(1)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The next message: its kind, and all of it."""
    kind, size = await reader.readexactly(1), await reader.readexactly(4)
    return kind, kind + size + await reader.readexactly(int.from_bytes(size, "big") - 4)


@dataclass
class Session:
    """One real connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    greeting: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])

    async def greet(self, startup: bytes) -> None:
        self.writer.write(startup)
        while not self.greeting or self.greeting[-1][0] not in b"ZE":
            self.greeting.append(await _message(self.reader))


class Shelf:
    """The sessions of one role in one database; the last one given back is the first one taken."""

    def __init__(self, path: str, startup: bytes) -> None:
        self._path, self._startup = path, startup
        self._free = asyncio.Semaphore(SIZE)
        self._idle: list[Session] = []

    async def take(self) -> Session:
        await self._free.acquire()
        if self._idle:
            return self._idle.pop()
        session = Session(*await asyncio.open_unix_connection(self._path))
        await session.greet(self._startup)
        return session

    def give(self, session: Session, *, broken: bool = False) -> None:
        if broken:
            session.writer.transport.abort()
        else:
            self._idle.append(session)
        self._free.release()

    def close(self) -> None:
        for session in self._idle:
            session.writer.transport.abort()


@dataclass
class Pooler:
    """Serves clients of the server that listens on the socket at ``path``, which lets everybody in."""

    path: str
    shelves: dict[bytes, Shelf] = field(default_factory=dict[bytes, Shelf])
    clients: "set[asyncio.Task[None]]" = field(default_factory=set["asyncio.Task[None]"])

    def enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        task = asyncio.create_task(self._serve(reader, writer))
        self.clients.add(task)
        task.add_done_callback(self.clients.discard)

    async def close(self) -> None:
        """Cut everybody off."""
        for task in self.clients:
            task.cancel()
        await asyncio.gather(*self.clients, return_exceptions=True)
        for shelf in self.shelves.values():
            shelf.close()
        await asyncio.sleep(0)  # transports end in the loop's next round

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            startup = await self._startup(reader, writer)
            if startup[4:8] == PROTOCOL:
                shelf = self.shelves.setdefault(startup, Shelf(self.path, startup))
                await self._welcome(shelf, writer)
                await self._client(shelf, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async def _startup(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        while True:
            size = await reader.readexactly(4)
            body = await reader.readexactly(int.from_bytes(size, "big") - 4)
            if body not in ENCRYPT:
                return size + body
            writer.write(b"N")

    async def _welcome(self, shelf: Shelf, writer: asyncio.StreamWriter) -> None:
        session = await shelf.take()
        for kind, message in session.greeting:
            own = message[:5] + next(pids).to_bytes(4, "big") + message[9:]  # no process of the server's
            writer.write(own if kind == b"K" else message)
        shelf.give(session, broken=session.greeting[-1][0] == b"E")

    async def _client(self, shelf: Shelf, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held: Session | None = None
        try:
            while True:
                kind, message = await _message(reader)
                if kind == b"X":
                    return
                held = held or await shelf.take()
                held.writer.write(message)
                if kind in b"QS":
                    last = await self._relay(held, writer, b"Z")
                    if last[5:6] == IDLE:
                        shelf.give(held)
                        held = None
                    writer.write(last)
                elif kind == b"H":
                    writer.write(await self._relay(held, writer, b"TnE"))
        finally:
            if held is not None:
                shelf.give(held, broken=True)

    async def _relay(self, session: Session, writer: asyncio.StreamWriter, ends: bytes) -> bytes:
        """Carry the answer to the client, but for its last message."""
        while True:
            kind, message = await _message(session.reader)
            if kind in ends:
                return message
            writer.write(message)


@contextmanager
def pooler(folder_of_socket: str) -> Iterator[str]:
    """The folder of the socket that this pooler listens on, before the server that listens in the other folder."""
    with tempfile.TemporaryDirectory(prefix="pooler-") as folder:
        stop, ready = asyncio.Event(), threading.Event()
        loop = asyncio.new_event_loop()

        async def run() -> None:
            made = Pooler(f"{folder_of_socket}/{SOCKET}")
            server = await asyncio.start_unix_server(made.enter, Path(folder) / SOCKET, limit=2**22)
            ready.set()
            await stop.wait()
            server.close()
            await made.close()

        thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
        thread.start()
        ready.wait()
        try:
            yield folder
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()

"""The world outside: what tools in other processes call, over TCP. It remembers every call and can hold it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Hold:
    """One held call: ``reached`` when it has come, ``release`` to answer it."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Outside:
    """Calls are ``(place, word, key)``. The words without a dot, ``keyed`` and ``once``, are the effects."""

    port: int = 0
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    holds: dict[tuple[str, str], Hold] = field(default_factory=dict)
    held: list[Hold] = field(default_factory=list)
    answering: set["asyncio.Task[None] | None"] = field(default_factory=set)

    def hold(self, place: str, word: str) -> Hold:
        """Hold the next call of this word at this place."""
        return self.holds.setdefault((place, word), Hold())

    def keys(self, place: str, word: str) -> list[str]:
        """The idempotency keys of these calls, in order."""
        return [key for where, what, key in self.calls if (where, what) == (place, word)]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.answering.add(asyncio.current_task())
        try:
            place, word, key = (await reader.readline()).decode().split()
            self.calls.append((place, word, key))
            held = self.holds.pop((place, word), None)
            if held is not None:
                self.held.append(held)
                held.reached.set()
                await held.release.wait()
            writer.write(b"go on\n")
            await writer.drain()
        except (OSError, ValueError):  # whoever called has died
            pass
        finally:
            writer.close()
            self.answering.discard(asyncio.current_task())


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    """An outside that listens on this machine."""
    world = Outside()
    server = await asyncio.start_server(world.answer, "127.0.0.1", 0)
    world.port = server.sockets[0].getsockname()[1]
    try:
        yield world
    finally:
        server.close()
        for held in world.held:
            held.release.set()
        while world.answering:
            await asyncio.wait([one for one in world.answering if one])

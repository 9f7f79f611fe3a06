"""The one listening connection of a process: LISTEN, and whatever lives and dies with a session (advisory locks).

It comes back by itself when the database does. Nothing is lost silently: after every (re)connection the hooks run,
and what listens must then look at the rows again.
"""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from retinue import errors, telemetry
from retinue.db.pool import DOWN, Database, Tx

log = telemetry.logger(__name__)

Callback = Callable[[str], None]
Hook = Callable[[Tx], Awaitable[None]]
RETRY_SECONDS = 0.25


class Listening:
    """Keeps one connection listening until told to stop."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._callbacks: dict[str, list[Callback]] = {}
        self._hooks: list[Hook] = []
        self._connection: Tx | None = None
        self.ready = asyncio.Event()
        """Set while the connection stands."""

    def on_connect(self, hook: Hook) -> None:
        """Run ``hook`` with the connection after each (re)connection, before anything else is told."""
        self._hooks.append(hook)

    async def add(self, channel: str, callback: Callback) -> None:
        """Hand every payload on ``channel`` to ``callback``, now and after every reconnection."""
        self._callbacks.setdefault(channel, []).append(callback)
        if self._connection is not None:
            await self._connection.add_listener(channel, _relay(callback))

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until ``stop`` is set."""
        while not stop.is_set():
            try:
                await self._session(stop)
            except (errors.DatabaseDown, asyncpg.PostgresError, *DOWN) as error:
                log.warning("the listening connection is gone", error=type(error).__name__)
                await _pause(stop, RETRY_SECONDS)

    async def _session(self, stop: asyncio.Event) -> None:
        connection = await self._db.listening()
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            for hook in self._hooks:
                await hook(connection)
            for channel, callbacks in self._callbacks.items():
                for callback in callbacks:
                    await connection.add_listener(channel, _relay(callback))
            self._connection = connection
            self.ready.set()
            await _first(stop, lost)
        finally:
            self._connection = None
            self.ready.clear()
            if not lost.is_set():
                connection.terminate()


def _relay(callback: Callback) -> Callable[[object, int, str, object], None]:
    def relay(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        callback(str(payload))

    return relay


async def _first(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(event.wait()) for event in events]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return

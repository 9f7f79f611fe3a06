"""Live: who waits for news of what, and the news, from any node (NOTIFY carries ids only; readers fetch the rows)."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from retinue import telemetry
from retinue.db.listen import Listening
from retinue.db.pool import Database, Tx
from retinue.store import streams

log = telemetry.logger(__name__)

CHANNEL = "retinue_live"
KEEP_ALIVE_SECONDS = 15.0
BACKLOG = 1000
"""News a slow reader may have waiting; past that it is told to fetch everything again."""


@dataclass(frozen=True, slots=True)
class News:
    """Something by this id has changed. ``scope``: the channel or the person whose readers it concerns."""

    account_id: UUID
    topic: str
    id: UUID
    scope: UUID | None = None


RESYNC = "resync"
"""The topic that says: you may have missed something, fetch everything again."""


def parse(payload: str) -> News:
    """``account topic id [scope]``."""
    account, topic, id, *scope = payload.split(" ")
    return News(UUID(account), topic, UUID(id), UUID(scope[0]) if scope else None)


class Bell(asyncio.Event):
    """Set when there is news by one id. ``more``: of more than a piece of its stream."""

    def __init__(self) -> None:
        super().__init__()
        self.more = True

    def ring(self, *, more: bool) -> None:
        self.more = self.more or more
        self.set()

    def clear(self) -> None:
        self.more = False
        super().clear()


class Hub:
    """Hands news to whoever waits for it on this node."""

    def __init__(self, db: Database) -> None:
        self.listening = Listening(db)
        self._by_account: dict[UUID, set[asyncio.Queue[News]]] = {}
        self._by_id: dict[UUID, set[Bell]] = {}
        self._watchers: list[Callable[[News], None]] = []
        self.closed = False
        self.listening.on_connect(self._resync)

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until ``stop`` is set; comes back by itself."""
        await self.listening.add(CHANNEL, self._take)
        await self.listening.run(stop)

    def close(self) -> None:
        """Let every reader go: this process is leaving. They come back to another node and go on where they were."""
        self.closed = True
        self._wake()

    def watch(self, callback: Callable[[News], None]) -> None:
        """Call ``callback(news)`` for everything (the worker, for cancellations)."""
        self._watchers.append(callback)

    def _take(self, payload: str) -> None:
        news = parse(payload)
        for bell in self._by_id.get(news.id, ()):
            bell.ring(more=news.topic != "stream")
        for callback in self._watchers:
            callback(news)
        if news.topic == "stream":
            return
        for queue in self._by_account.get(news.account_id, ()):
            _offer(queue, news)

    async def _resync(self, _connection: Tx) -> None:
        """After a reconnection: whoever waits looks again, for nothing may be missed."""
        self._wake()

    def _wake(self) -> None:
        for bells in self._by_id.values():
            for bell in bells:
                bell.ring(more=True)
        for account, queues in self._by_account.items():
            for queue in queues:
                _offer(queue, News(account, RESYNC, account))

    @contextmanager
    def about(self, id: UUID) -> Iterator["Bell"]:
        """An event that is set whenever there is news by this id."""
        bell = Bell()
        self._by_id.setdefault(id, set()).add(bell)
        try:
            yield bell
        finally:
            waiting = self._by_id[id]
            waiting.discard(bell)
            if not waiting:
                del self._by_id[id]

    @contextmanager
    def account(self, account_id: UUID) -> Iterator["asyncio.Queue[News]"]:
        """A queue of all news of one account; the reader filters by scope."""
        queue: asyncio.Queue[News] = asyncio.Queue(BACKLOG)
        self._by_account.setdefault(account_id, set()).add(queue)
        try:
            yield queue
        finally:
            waiting = self._by_account[account_id]
            waiting.discard(queue)
            if not waiting:
                del self._by_account[account_id]


def _offer(queue: "asyncio.Queue[News]", news: News) -> None:
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        news = News(news.account_id, RESYNC, news.account_id)
    queue.put_nowait(news)


@dataclass(frozen=True, slots=True)
class Told:
    """One event of an interaction's stream. ``id`` is ``attempt.seq`` for what can be resumed after."""

    event: str
    data: dict[str, Any]
    id: str | None = None


TERMINAL = frozenset({"succeeded", "failed", "cancelled"})
KINDS = {"text": "delta", "thinking": "reasoning", "call": "call", "reset": "reset"}


async def follow(
    db: Database, hub: Hub, account_id: UUID, interaction_id: UUID, after: tuple[int, int] = (0, 0)
) -> AsyncGenerator[Told | None, None]:
    """The stored prefix after ``after``, then the tail, to the end of the turn. None is a sign of life.

    Works on any node and across a server restart: it reads rows, and the news only says when to look.
    """
    attempt, seq = after
    seen: dict[str, Any] = {}
    with hub.about(interaction_id) as news:
        if after == (0, 0):
            yield Told("thinking", {})
        while True:
            whole = news.more
            news.clear()
            row = await streams.read(db, account_id, interaction_id, (attempt, seq), whole=whole)
            if attempt and row["attempt"] > attempt:
                yield Told("reset", {"attempt": row["attempt"]}, f"{row['attempt']}.0")
            attempt, seq = (row["attempt"], 0) if row["attempt"] > attempt else (attempt, seq)
            for chunk in row["chunks"]:
                attempt, seq = chunk["attempt"], chunk["seq"]
                yield Told(KINDS[chunk["kind"]], chunk["data"], f"{attempt}.{seq}")
            if row["state"] in TERMINAL and not whole:
                news.ring(more=True)
                continue
            for told in changes(row, seen):
                yield told
            if row["state"] in TERMINAL:
                yield Told("done", _end(row))
                return
            if not await _heard(news):
                yield None
            if hub.closed:
                return


def changes(row: dict[str, Any], seen: dict[str, Any]) -> Iterator[Told]:
    """Steps and waits that look other than when last told; remembers them in ``seen``."""
    for step in row["steps"] or ():
        if seen.get(f"step {step['seq']}") != step["state"]:
            seen[f"step {step['seq']}"] = step["state"]
            yield Told("step", step)
    for wait in row["waits"] or ():
        if wait["id"] not in seen:
            seen[wait["id"]] = True
            yield Told("wait", wait)


def _end(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: row[name]
        for name in ("state", "error", "error_detail", "stop_reason", "successor_id", "reply_message_id", "reply")
    }


async def _heard(news: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(KEEP_ALIVE_SECONDS):
            await news.wait()
    except TimeoutError:
        return False
    return True


async def next_news(queue: "asyncio.Queue[News]") -> News | None:
    """The next of the queue; None as a sign of life when there is none for a while."""
    try:
        async with asyncio.timeout(KEEP_ALIVE_SECONDS):
            return await queue.get()
    except TimeoutError:
        return None

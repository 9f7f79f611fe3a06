"""Live: who waits for news of what, and the news, from any node (NOTIFY carries ids only; readers fetch the rows).

A piece of a stream that this very process writes also goes straight to its readers here; the row serves all others,
and whoever comes back.
"""

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
    place: "Place | None" = None
    """For a piece of a stream: which."""


Place = tuple[int, int]
"""(attempt, seq): where a piece stands in the stream of its turn."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a streaming reply."""

    attempt: int
    seq: int
    kind: str
    data: dict[str, Any]

    @property
    def place(self) -> Place:
        return self.attempt, self.seq


RESYNC = "resync"
"""The topic that says: you may have missed something, fetch everything again."""


def parse(payload: str) -> News:
    """``account topic id [scope]``; for a piece of a stream ``account stream id attempt.seq``."""
    account, topic, id, *scope = payload.split(" ")
    if topic == "stream":
        attempt, seq = scope[0].split(".")
        return News(UUID(account), topic, UUID(id), place=(int(attempt), int(seq)))
    return News(UUID(account), topic, UUID(id), UUID(scope[0]) if scope else None)


class Bell(asyncio.Event):
    """Set when there is news by one id; of the pieces of its stream only for a reader who wants them."""

    def __init__(self, pieces: bool) -> None:
        super().__init__()
        self._pieces = pieces
        self.more = True
        """There is news of more than a piece of its stream."""
        self.far = False
        """There is a piece that only the database can give."""
        self.at: Place = (0, 0)
        """How far its reader has come, with what is in ``near``."""
        self.near: list[Piece] = []
        """Pieces from this process, none missing between them and what was read before."""

    def ring(self, *, more: bool) -> None:
        self.more = self.more or more
        self.far = True
        self.set()

    def told(self, place: Place) -> None:
        """A piece is in the database."""
        if self._pieces and place > self.at:
            self.ring(more=False)

    def give(self, piece: Piece) -> None:
        """A piece from this process; taken when it is the next, else the database is asked."""
        attempt, seq = self.at
        if not self._pieces:
            return
        if piece.place == (attempt, seq + 1) or (attempt == 0 and piece.seq == 1):
            self.at = piece.place
            self.near.append(piece)
            self.set()
        elif piece.place > self.at:
            self.ring(more=False)

    def clear(self) -> None:
        self.more = self.far = False
        self.near = []
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
        bells = self._by_id.get(news.id, ())
        if news.place is not None:
            for bell in bells:
                bell.told(news.place)
            return
        for bell in bells:
            bell.ring(more=True)
        for callback in self._watchers:
            callback(news)
        for queue in self._by_account.get(news.account_id, ()):
            _offer(queue, news)

    def hand(self, interaction_id: UUID, piece: Piece) -> None:
        """Give a piece to those here who follow its turn, before it is in the database."""
        for bell in self._by_id.get(interaction_id, ()):
            bell.give(piece)

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
    def about(self, id: UUID, *, pieces: bool = False) -> Iterator["Bell"]:
        """An event that is set whenever there is news by this id; ``pieces``: also of each piece of its stream."""
        bell = Bell(pieces)
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
    db: Database, hub: Hub, account_id: UUID, interaction_id: UUID, after: Place = (0, 0)
) -> AsyncGenerator[Told | None, None]:
    """The stored prefix after ``after``, then the tail, to the end of the turn. None is a sign of life.

    Works on any node and across a server restart: it reads rows, and the news only says when to look. Pieces from this
    process come without a look.
    """
    reader = _Reader(db, account_id, interaction_id, after)
    with hub.about(interaction_id, pieces=True) as news:
        if after == (0, 0):
            yield Told("thinking", {})
        while not hub.closed:
            near, far, whole = news.near, news.far, news.more
            news.clear()
            for told in reader.take(near):
                yield told
            if far or whole:
                for told in await reader.look(whole=whole):
                    yield told
                news.at = max(news.at, reader.at)
            if reader.ended:
                return
            if not await _heard(news):
                yield None


class _Reader:
    """How far one subscriber of one turn has come."""

    def __init__(self, db: Database, account_id: UUID, interaction_id: UUID, after: Place) -> None:
        self._db = db
        self._ids = account_id, interaction_id
        self._seen: dict[str, Any] = {}
        self.at = after
        self.ended = False

    def take(self, pieces: list[Piece]) -> Iterator[Told]:
        """What is new of these pieces of this process."""
        for piece in pieces:
            if piece.place > self.at:
                self.at = piece.place
                yield _piece(piece)

    async def look(self, *, whole: bool) -> list[Told]:
        """What is new in the database; ``whole``: also of calls and waits."""
        row = await streams.read(self._db, *self._ids, self.at, whole=whole)
        if row["state"] in TERMINAL and not whole:
            row = await streams.read(self._db, *self._ids, self.at, whole=True)
        told: list[Told] = []
        if self.at[0] and row["attempt"] > self.at[0]:
            told.append(Told("reset", {"attempt": row["attempt"]}, f"{row['attempt']}.0"))
        if row["attempt"] > self.at[0]:
            self.at = row["attempt"], 0
        told += self.take([Piece(**chunk) for chunk in row["chunks"]])
        told += changes(row, self._seen)
        if row["state"] in TERMINAL:
            told.append(Told("done", _end(row)))
            self.ended = True
        return told


def _piece(piece: Piece) -> Told:
    return Told(KINDS[piece.kind], piece.data, f"{piece.attempt}.{piece.seq}")


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

"""A streaming reply on its way into the database: pieces are gathered for a moment and written together.

The first piece waits a little, so that an answer that is complete at once writes no chunk at all.
"""

import asyncio
from types import TracebackType
from typing import Self

from retinue import errors, telemetry
from retinue.domain.models import Delta
from retinue.store import streams
from retinue.turn.engine import Engine, Turn
from retinue.turn.live import Piece

log = telemetry.logger(__name__)

FIRST_SECONDS = 0.008
BATCH_SECONDS = 0.05


class Writer:
    """Gathers one think step's deltas. Used as a context manager around the model call."""

    def __init__(self, engine: Engine, turn: Turn, step_seq: int) -> None:
        self._engine = engine
        self._turn = turn
        self._step = step_seq
        self._pieces: list[Delta] = []
        self._group = asyncio.TaskGroup()
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self.written = 0
        self.keep = False
        """Write what is left although nothing was written yet: no reply will repeat this text."""

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            async with self._writing:  # pieces on their way into the database are not cut off
                self._task.cancel()
        try:
            await self._group.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:  # the flusher never raises; what is here is the model call's
            raise group.exceptions[0] from None
        if error is None and (self.written or self.keep):
            await self._flush()

    async def add(self, delta: Delta) -> None:
        """Take one piece; returns at once."""
        self._pieces.append(delta)
        self._wake.set()
        if self._task is None:
            self._task = self._group.create_task(self._run())

    async def _run(self) -> None:
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            await self._flush()
            await asyncio.sleep(BATCH_SECONDS)
            await self._wake.wait()

    async def _flush(self) -> None:
        async with self._writing:
            pieces, self._pieces = self._pieces, []
            self._wake.clear()
            for kind, text in _merged(pieces):
                await self._append(kind, text)

    async def _append(self, kind: str, text: str) -> None:
        self._turn.chunks += 1
        self.written += 1
        fence, data = self._turn.fence, {"text": text, "step": self._step}
        piece = Piece(fence.attempt, self._turn.chunks, kind, data)
        if self._engine.tell is not None:
            self._engine.tell(fence.interaction_id, piece)
        try:
            await streams.append(self._engine.db, fence, seq=piece.seq, kind=kind, data=data)
        except errors.RetinueError as error:  # the stream is for the eyes; the journal is what counts
            log.warning("a stream chunk was not written", error=error.reason_code)


def _merged(pieces: list[Delta]) -> list[tuple[str, str]]:
    """Neighbouring pieces of one kind as one."""
    out: list[tuple[str, str]] = []
    for piece in pieces:
        if out and out[-1][0] == piece.kind:
            out[-1] = (piece.kind, out[-1][1] + piece.text)
        else:
            out.append((piece.kind, piece.text))
    return out

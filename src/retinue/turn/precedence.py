"""Requests before turns: a turn's next step waits while somebody waits for an answer, for a moment at most.

Requests, turns and often the database share few cores. When several people write at once, the turns they start would
compete with the requests that come next; a step that begins a few milliseconds later is noticed by nobody.
Decision 0024.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

MOMENT_SECONDS = 0.02
"""How long a request counts, and how long a step waits: a stream of requests only slows turns, it never stops them."""


class Precedence:
    """The requests in hand in one process, as far as turns give way to them."""

    def __init__(self) -> None:
        self._young: set[object] = set()
        self._calm = asyncio.Event()
        self._calm.set()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Around one request. A longer one (a stream, ``Prefer: wait``, an upload) counts for its first moment only."""
        mark = object()
        self._young.add(mark)
        self._calm.clear()
        timer = asyncio.get_running_loop().call_later(MOMENT_SECONDS, self._leave, mark)
        try:
            yield
        finally:
            timer.cancel()
            self._leave(mark)

    async def give_way(self) -> None:
        """Return as soon as no request counts, at the latest after ``MOMENT_SECONDS``."""
        if self._calm.is_set():
            return
        try:
            async with asyncio.timeout(MOMENT_SECONDS):
                await self._calm.wait()
        except TimeoutError:
            return

    def _leave(self, mark: object) -> None:
        self._young.discard(mark)
        if not self._young:
            self._calm.set()

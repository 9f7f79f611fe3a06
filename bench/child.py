"""A measured system in a process of its own: commands and answers are lines of JSON on its standard streams.

The parent runs ``Child``; the process runs ``obey(peer)`` where ``peer`` has ``start``, ``turn``, ``facts``, ``stop``.
All systems are driven by the same closed loop here, so that none is measured differently.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import uvloop

from bench import harness

LONG = 1024 * 1024


class Peer(Protocol):
    """A system that can do one plain turn: a message in, the model's answer out, both stored."""

    async def start(self, url: str) -> None:
        """Open pools on this database and make the tables."""
        ...

    async def turn(self, thread: str | None) -> str:
        """One turn, in a new thread or in one that ``thread`` names; returns the answer."""
        ...

    def facts(self) -> dict[str, Any]:
        """Versions and settings, for the record."""
        ...

    async def stop(self) -> None: ...


async def timed(peer: Peer, at_once: int, seconds: float, count: int | None) -> dict[str, Any]:
    """A closed loop of ``at_once`` clients on fresh threads, for ``seconds`` or for ``count`` turns."""
    times: list[float] = []
    left = iter(range(count)) if count else None
    begin = time.perf_counter()

    async def client() -> None:
        while (next(left, None) is not None) if left else (time.perf_counter() - begin < seconds):
            before = time.perf_counter()
            answer = await peer.turn(None)
            times.append((time.perf_counter() - before) * 1000)
            if not answer:
                raise RuntimeError("a turn gave no answer")

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(client())
    elapsed = time.perf_counter() - begin
    return {
        "turns": len(times),
        "seconds": elapsed,
        "per_second": len(times) / elapsed,
        "median_ms": statistics.median(times),
        "p99_ms": harness.percentile(times, 0.99),
    }


async def continued(peer: Peer, thread: str, count: int) -> dict[str, Any]:
    """``count`` turns one after another in one thread."""
    times: list[float] = []
    for _ in range(count):
        before = time.perf_counter()
        await peer.turn(thread)
        times.append((time.perf_counter() - before) * 1000)
    return {"ms": times}


async def _answer(peer: Peer, order: dict[str, Any]) -> dict[str, Any]:
    match order["do"]:
        case "turns":
            return await timed(peer, order["at_once"], order.get("seconds", 0), order.get("count"))
        case "continue":
            return await continued(peer, order["thread"], order["count"])
        case _:
            return peer.facts()


async def obey(peer: Peer, url: str) -> None:
    """Serve commands until standard input ends."""
    reader = asyncio.StreamReader(limit=LONG)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    answers = os.fdopen(os.dup(1), "w")  # a library that prints must not break the protocol
    os.dup2(2, 1)
    await peer.start(url)
    answers.write('{"ready": true}\n')
    answers.flush()
    while line := await reader.readline():
        answers.write(json.dumps(await _answer(peer, json.loads(line))) + "\n")
        answers.flush()
    await peer.stop()


def main(peer: Peer, url: str) -> None:
    """Run ``obey``, on uvloop for all alike."""
    uvloop.run(obey(peer, url))


class Child:
    """The parent's side of one process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def read(self, seconds: float) -> dict[str, Any]:
        assert self._process.stdout
        line = await asyncio.wait_for(self._process.stdout.readline(), seconds)
        if not line:
            raise RuntimeError("a measured process ended; see its words above")
        return dict(json.loads(line))

    async def ask(self, do: str, *, limit: float = 300, **arguments: Any) -> dict[str, Any]:
        """Send a command and wait for its answer. Raises TimeoutError after ``limit`` seconds."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
        await self._process.stdin.drain()
        return await self.read(limit)


@asynccontextmanager
async def started(module: str, url: str, env: dict[str, str]) -> AsyncIterator[Child]:
    """The process of ``python -m module url``, ready for commands; ended afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        url,
        env=env,
        cwd=harness.REPOSITORY,
        limit=LONG,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    child = Child(process)
    try:
        await child.read(60)
        yield child
    finally:
        if process.returncode is None:
            assert process.stdin
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()
                await process.wait()

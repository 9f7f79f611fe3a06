"""Real Retinue processes under measurement, and waiting until they are up: ``retinue worker``, ``retinue serve``."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from bench import harness

OFFLINE = "offline/retinue"
"""The model that answers at once, in process, without a network: Retinue's own."""
UP = "select pid from node where state = 'up' and pid = $1"


def start(url: str, env: dict[str, str], log: Path, command: str = "worker", *options: str) -> subprocess.Popen[bytes]:
    """Start ``retinue worker`` (or another command) on this database; the caller ends it with ``harness.stop``."""
    with log.open("ab") as output:
        return subprocess.Popen(
            harness.command(command, *options),
            env=env | {"RETINUE_DATABASE_URL": url},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


async def pids(url: str) -> list[int]:
    """The processes that are registered as nodes: of ``serve --workers`` the children, which do the work."""
    async with harness.owner(url) as connection:
        return [row["pid"] for row in await connection.fetch("select pid from node where state = 'up'")]


async def up(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 30) -> None:
    """Wait until this process is registered as a node. Raises RuntimeError with its last words when it ended."""

    async def registered() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"the node ended: {harness.last_words(log)}")
        async with harness.owner(url) as connection:
            return bool(await connection.fetchval(UP, process.pid))

    try:
        await harness.until(registered, seconds, "the node to register", pause=0.05)
    except TimeoutError as error:
        raise TimeoutError(f"{error}: {harness.last_words(log)}") from error


@asynccontextmanager
async def started(url: str, env: dict[str, str], home: Path) -> AsyncIterator[int]:
    """One node that takes turns; yields its process id."""
    log = home / "node.log"
    process = start(url, env, log)
    try:
        await up(url, process, log)
        yield process.pid
    finally:
        await asyncio.to_thread(harness.stop, process)


async def ready(base: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> float:
    """Wait until a server says it is ready; returns when (``time.monotonic``)."""
    end, seen = time.monotonic() + seconds, "no answer"
    async with httpx.AsyncClient(timeout=2) as client:
        while time.monotonic() < end:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended: {harness.last_words(log)}")
            try:
                answer = await client.get(f"{base}/readyz")
                if answer.status_code == 200:
                    return time.monotonic()
                seen = answer.text
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)
    raise TimeoutError(f"the server was not ready in {seconds:.0f} s: {seen} {harness.last_words(log)}")


@asynccontextmanager
async def serving(
    url: str, env: dict[str, str], home: Path, *options: str
) -> AsyncIterator[tuple[str, subprocess.Popen[bytes]]]:
    """``retinue serve`` on a free port; yields its address and process."""
    log, port = home / "serve.log", harness.free_port()
    process = start(url, env | {"RETINUE_PORT": str(port)}, log, "serve", *options)
    base = f"http://127.0.0.1:{port}"
    try:
        await ready(base, process, log)
        yield base, process
    finally:
        await asyncio.to_thread(harness.stop, process)

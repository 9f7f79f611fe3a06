"""What every benchmark stands on: a PostgreSQL of its own, processes that are ended, percentiles, the report.

Not a framework: a benchmark is a module with ``NAME`` and ``async def run(quick: bool) -> Report``.
"""

import asyncio
import contextlib
import json
import math
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from retinue.db import embedded, migrate

SECRET = "bench-secret-key"
REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Metric:
    """One measured number and what it is held against. ``better`` is ``higher`` or ``lower``."""

    metric: str
    value: float
    unit: str
    better: str
    target: float

    @property
    def met(self) -> bool:
        return self.value >= self.target if self.better == "higher" else self.value <= self.target


@dataclass
class Report:
    """What a benchmark prints, as one line of JSON."""

    name: str
    metrics: list[Metric]
    details: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        return json.dumps(
            {"name": self.name, "metrics": [asdict(item) for item in self.metrics], "details": self.details},
            default=str,
        )


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured")
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def summary(values: list[float], digits: int = 2) -> dict[str, float]:
    """Median, p90, p99 and maximum."""
    return {
        "n": len(values),
        "median": round(statistics.median(values), digits),
        "p90": round(percentile(values, 0.9), digits),
        "p99": round(percentile(values, 0.99), digits),
        "max": round(max(values), digits),
    }


class Server:
    """An embedded PostgreSQL in a folder of its own, as Retinue starts it, fsync on; gone afterwards."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="retinue-bench-"))

    def __enter__(self) -> "Server":
        self._server = embedded.start(self.home)
        return self

    def __exit__(self, *_: object) -> None:
        embedded.stop(self._server)
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def pid(self) -> int:
        return int(self._server.get_pid() or 0)

    def url(self, database: str) -> str:
        """The owner's URL."""
        return str(self._server.get_uri(database=database))

    def binary(self, name: str) -> str:
        return str(self._server.bin_path / name)

    @property
    def socket_folder(self) -> str:
        return self.url("postgres").rpartition("host=")[2]

    async def create(self, database: str) -> str:
        """An empty database; returns the owner's URL."""
        connection = await asyncpg.connect(self.url("postgres"))
        await connection.execute(f'create database "{database}"')
        await connection.close()
        return self.url(database)

    async def retinue(self, database: str = "retinue_bench") -> str:
        """A migrated Retinue database; returns the owner's URL."""
        url = await self.create(database)
        await migrate.migrate(url, SECRET)
        return url

    async def settings(self) -> dict[str, str]:
        """The server's settings that decide what a commit costs."""
        connection = await asyncpg.connect(self.url("postgres"))
        names = (
            "server_version",
            "fsync",
            "synchronous_commit",
            "full_page_writes",
            "shared_buffers",
            "wal_sync_method",
        )
        found = {name: str(await connection.fetchval(f"show {name}")) for name in names}
        await connection.close()
        return found

    def wal_records(self, start: str, end: str) -> dict[str, int]:
        """Commits, rows (inserted, updated, deleted) and bytes between two positions of the log, by pg_waldump."""
        output = subprocess.run(
            [
                self.binary("pg_waldump"),
                "--path",
                str(self.home / "postgres" / "pg_wal"),
                "--start",
                start,
                "--end",
                end,
                "--stats=record",
            ],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        counts = {"commits": 0, "inserts": 0, "updates": 0, "deletes": 0, "locks": 0}
        kinds = {
            "Transaction/COMMIT": "commits",
            "Heap/INSERT": "inserts",
            "Heap/UPDATE": "updates",
            "Heap/HOT_UPDATE": "updates",
            "Heap/DELETE": "deletes",
            "Heap/LOCK": "locks",
        }
        for match in re.finditer(r"^(\w+/\w+)(?:\+INIT)?\s+(\d+) ", output, re.MULTILINE):
            kind = kinds.get(match[1])
            if kind:
                counts[kind] += int(match[2])
        return counts


@contextlib.asynccontextmanager
async def owner(url: str) -> AsyncIterator[Any]:
    """A connection as the owner, for seeding and looking; jsonb as Python values."""
    connection = await asyncpg.connect(url)
    await connection.execute("set search_path = retinue, queue, public")
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    try:
        yield connection
    finally:
        await connection.close()


async def position(connection: Any) -> tuple[str, int]:
    """Where the write-ahead log is: as text and in bytes."""
    row = await connection.fetchrow(
        "select lsn::text, pg_wal_lsn_diff(lsn, '0/0')::bigint as at from pg_current_wal_insert_lsn() as lsn"
    )
    return row["lsn"], row["at"]


async def until(condition: Callable[[], Awaitable[Any]], seconds: float, what: str, pause: float = 0.02) -> Any:
    """The first true answer of ``condition``. Raises TimeoutError naming ``what``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = await condition()
        if answer:
            return answer
        await asyncio.sleep(pause)
    raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}")


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time used so far by these processes and all below them, ended ones that were waited for included."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(pid)
            times = top.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
            for process in top.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    below = process.cpu_times()
                    total += below.user + below.system + below.children_user + below.children_system
    return total


def memory_mb(pid: int) -> float:
    """Resident memory of a process and all below it that are not PostgreSQL."""
    total = 0
    top = psutil.Process(pid)
    for process in (top, *top.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name() != "postgres":
                total += process.memory_info().rss
    return total / 1e6


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "XDG_RUNTIME_DIR")
"""Of our own environment, what a measured process gets: no provider key, no setting of the person who runs this."""


def environment(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a measured process; ``settings`` are Retinue's without their prefix, or a provider's own."""
    found = {name: value for name, value in os.environ.items() if name in PASSED_ON}
    found |= {
        "HOME": str(home),
        "RETINUE_HOME": str(home),
        "RETINUE_SECRET_KEY": SECRET,
        "RETINUE_LOG_LEVEL": "warning",
    }
    return found | {name if name.isupper() else f"RETINUE_{name.upper()}": value for name, value in settings.items()}


def command(*arguments: str) -> list[str]:
    """The installed ``retinue`` command."""
    return [str(Path(sys.executable).parent / "retinue"), *arguments]


@contextlib.contextmanager
def process(arguments: list[str], env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is asked to stop afterwards, then killed with its whole group if it does not."""
    with log.open("ab") as output:
        started = subprocess.Popen(
            arguments, env=env, stdout=output, stderr=output, cwd=REPOSITORY, start_new_session=True
        )
    try:
        yield started
    finally:
        stop(started)


def stop(started: subprocess.Popen[bytes], seconds: float = 8.0) -> None:
    """SIGTERM, and SIGKILL to the group after ``seconds``."""
    if started.poll() is None:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait(seconds)


def last_words(log: Path) -> str:
    """The end of a process's log."""
    return log.read_text()[-2000:] if log.exists() else ""


def progress(words: str) -> None:
    """What is going on, for people; the result alone goes to standard output."""
    sys.stderr.write(f"  {words}\n")
    sys.stderr.flush()

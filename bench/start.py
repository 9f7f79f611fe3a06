"""How long a start takes, how quick the command line is, how much memory an idle node holds.

The start is that of ``make run`` on an installation that ran before: its embedded PostgreSQL is there, stopped.
"""

import asyncio
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from bench import harness, node
from bench.harness import Metric, Report

NAME = "start"
ROUNDS, QUICK_ROUNDS = 5, 2
HELPS, QUICK_HELPS = 11, 5
IDLE_SECONDS = 3.0


async def run(quick: bool) -> Report:
    """See the module."""
    rounds, helps = (QUICK_ROUNDS, QUICK_HELPS) if quick else (ROUNDS, HELPS)
    home = Path(tempfile.mkdtemp(prefix="retinue-bench-"))
    try:
        cold = await once(home)
        warm = [await once(home) for _ in range(rounds)]
        words = [help_seconds(home) for _ in range(helps)][1:]
    finally:
        shutil.rmtree(home, ignore_errors=True)
    starts = [item["ready_s"] for item in warm]
    details = {
        "command": " ".join(Path(part).name for part in way()),
        "cold_s": round(cold["ready_s"], 2),
        "warm": warm,
        "help_s": [round(value, 3) for value in words],
    }
    return Report(
        NAME,
        [
            Metric("warm_s", round(statistics.median(starts), 2), "s", "lower", 5.0),
            Metric("help_s", round(statistics.median(words), 3), "s", "lower", 0.5),
            Metric("idle_mb", round(max(item["idle_mb"] for item in warm), 1), "MB", "lower", 200.0),
        ],
        details,
    )


def way() -> list[str]:
    """``make run`` where this Python is the repository's own, else the same command without make."""
    ours = Path(sys.prefix).resolve() == (harness.REPOSITORY / ".venv").resolve()
    return ["make", "--silent", "run"] if ours and shutil.which("make") else harness.command("serve")


async def once(home: Path) -> dict[str, Any]:
    """Start, wait until it is ready, let it idle, stop it as Ctrl-C does."""
    port, log = harness.free_port(), home / "serve.log"
    env = harness.environment(home, port=str(port))
    begin = time.monotonic()
    process = launch(env, log)
    try:
        at = await node.ready(f"http://127.0.0.1:{port}", process, log)
        await asyncio.sleep(IDLE_SECONDS)
        idle = harness.memory_mb(process.pid)
    finally:
        stopped = await asyncio.to_thread(interrupt, process)
    return {"ready_s": round(at - begin, 3), "idle_mb": round(idle, 1), "stopped_s": round(stopped, 2)}


def launch(env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            way(), env=env, stdout=output, stderr=output, cwd=harness.REPOSITORY, start_new_session=True
        )


def interrupt(process: subprocess.Popen[bytes]) -> float:
    """Ctrl-C to all of it, as a terminal sends it; returns the seconds it took."""
    begin = time.monotonic()
    for member in psutil.Process(process.pid).children(recursive=True):
        if "retinue" in " ".join(member.cmdline()) and member.name() != "postgres":
            member.send_signal(signal.SIGINT)
            break
    else:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        harness.stop(process)
    return time.monotonic() - begin


def help_seconds(home: Path) -> float:
    begin = time.monotonic()
    subprocess.run(harness.command("--help"), env=harness.environment(home), check=True, capture_output=True)
    return time.monotonic() - begin

"""Several serving processes on one port (``serve --workers N``), or one that restarts when the code changes.

The parent holds the port and the embedded database, migrates, starts the children, starts again those that die, and
passes signals on. It serves nothing itself.
"""

import asyncio
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import multiprocess

import retinue
from retinue import app, server, settings, telemetry
from retinue.settings import Settings

log = telemetry.logger(__name__)

PAUSE_SECONDS = (0.2, 10.0)
STEADY_SECONDS = 30.0
"""A child that lived this long is restarted at once when it dies."""
LOOK_SECONDS = 0.5
FATAL = frozenset({app.EXIT_USAGE, app.EXIT_MISCONFIGURED, app.EXIT_PORT_TAKEN})
"""Exit codes that another start would not change."""


@dataclass
class Family:
    """The children and what they are started with."""

    command: list[str]
    environment: dict[str, str]
    metrics: Path
    stop: asyncio.Event
    living: dict[int, Process] = field(default_factory=dict[int, Process])
    code: int = 0


async def supervise(configured: Settings, count: int, *, worker: bool = True, reload: bool = False) -> int:
    """Keep ``count`` processes serving until a signal; returns the exit code. Raises what ``server.serve`` raises."""
    telemetry.configure(configured)
    configured = app.prepare(configured)
    with server.stopping() as stop:
        held = server.reserve(configured.host, configured.port)
        try:
            async with app.database(configured) as url:
                await app.bring_up_to_date(configured, url)
                await app.check_at_start(configured, url)
                family = _family(configured, url, held.getsockname()[1], stop)
                if not worker:
                    family.command.append("--no-worker")
                return await _live(family, count, reload)
        finally:
            held.close()


def _family(configured: Settings, url: str, port: int, stop: asyncio.Event) -> Family:
    metrics = configured.home / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir()
    environment = settings.inherited(
        {
            "RETINUE_DATABASE_URL": url,
            "RETINUE_SECRET_KEY": configured.secret_key or "",
            "RETINUE_HOME": str(configured.home),
            "RETINUE_HOST": configured.host,
            "RETINUE_PORT": str(port),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        }
    )
    return Family([sys.executable, "-m", "retinue.cli", "serve-child"], environment, metrics, stop)


async def _live(family: Family, count: int, reload: bool) -> int:
    try:
        async with asyncio.TaskGroup() as group:
            for place in range(count):
                group.create_task(_keep(family, place))
            if reload:
                group.create_task(_restart_on_change(family))
            await family.stop.wait()
            _tell(family)
    except asyncio.CancelledError:
        for child in family.living.values():
            child.kill()
        raise
    return family.code


def _tell(family: Family) -> None:
    for child in family.living.values():
        if child.returncode is None:
            child.terminate()


async def _keep(family: Family, place: int) -> None:
    """Run the child of this place until ``stop``; one that dies is started again, ever more slowly."""
    clock = asyncio.get_running_loop().time
    pause = PAUSE_SECONDS[0]
    while not family.stop.is_set():
        started = clock()
        code = await _once(family, place)
        if family.stop.is_set():
            return
        if code in FATAL:
            family.code = code
            family.stop.set()
            return
        if clock() - started > STEADY_SECONDS or code == 0:
            pause = PAUSE_SECONDS[0]
        log.warning("a serving process ended and is started again", place=place, code=code, seconds=pause)
        await _sleep(family.stop, pause)
        pause = min(pause * 2, PAUSE_SECONDS[1])


async def _once(family: Family, place: int) -> int:
    child = await asyncio.create_subprocess_exec(
        *family.command, str(place), stdin=PIPE, env=family.environment, start_new_session=True
    )
    family.living[place] = child
    if family.stop.is_set():
        child.terminate()
    code = await child.wait()
    multiprocess.mark_process_dead(child.pid, str(family.metrics))  # pyright: ignore[reportUnknownMemberType]
    return code


async def _restart_on_change(family: Family) -> None:
    seen = _newest()
    while not family.stop.is_set():
        await _sleep(family.stop, LOOK_SECONDS)
        now = _newest()
        if now > seen:
            seen = now
            log.info("the code has changed; restarting")
            _tell(family)


def _newest() -> float:
    """When the newest source file was written."""
    folder = Path(retinue.__file__).parent
    kinds = (".py", ".sql", ".yaml")
    return max(path.stat().st_mtime for path in folder.rglob("*") if path.suffix in kinds)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return

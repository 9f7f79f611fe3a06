"""``retinue doctor``: each check says ok, warn or fail, what it saw, and what to do about it. Repairs nothing."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import UTC
from typing import Any, Literal

from retinue import app, errors, telemetry
from retinue.cli import http
from retinue.cli.place import Place
from retinue.db import migrate
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.files import places
from retinue.llm.models import Models
from retinue.settings import Settings
from retinue.store import key_survey, numbers, wrapping
from retinue.tools.registry import Registry

Level = Literal["ok", "warn", "fail"]
GIB = 1024**3
LAG_SECONDS = (10.0, 120.0)
SEAL_SECONDS = 60.0
SKEW_SECONDS = (1.0, 30.0)
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. ``advice`` is empty when all is well."""

    name: str
    level: Level
    found: str
    advice: str = ""


async def run(settings: Settings, place: Place, as_json: bool) -> int:
    """Make all checks, print them, return the exit code: 1 when one failed."""
    telemetry.configure(settings.model_copy(update={"log_level": "error"}))
    found = [check async for check in examine(settings, place)]
    _print(found, as_json)
    return 1 if any(check.level == "fail" for check in found) else 0


async def examine(settings: Settings, place: Place) -> AsyncIterator[Check]:
    """The checks, each as soon as it is made; what cannot be looked at for an earlier failure is left out."""
    try:
        prepared = app.prepare(settings)
    except errors.Misconfigured as error:
        yield Check("home", "fail", error.detail, "Set RETINUE_HOME to a folder that this user may write.")
        return
    yield disk(prepared)
    try:
        async with app.database(prepared) as url:
            async for check in _database(prepared, url):
                yield check
    except errors.DatabaseDown as error:
        yield Check("database", "fail", error.detail.strip(), "Start the database, then look again.")
    except errors.RetinueError as error:
        yield Check("database", "fail", error.detail.strip(), "Mend that, then look again.")
    yield await _model(prepared)
    yield await asyncio.to_thread(_server, place)


def disk(settings: Settings) -> Check:
    """Room for data in the home folder."""
    free = shutil.disk_usage(settings.home).free
    words = f"{settings.home}, {free / GIB:.1f} GiB free"
    if free < GIB / 4:
        return Check("disk", "fail", words, "Make room: a full disk stops the database.")
    return Check("disk", "warn", words, "Make room soon.") if free < 2 * GIB else Check("disk", "ok", words)


async def _database(settings: Settings, url: str) -> AsyncIterator[Check]:
    pending = await migrate.pending(migrate.direct_url(url, settings.listen_url))
    if pending:
        yield Check("migrations", "fail", f"{pending} pending", "Run: retinue migrate")
        return
    yield Check("migrations", "ok", "up to date")
    db = await app.connect(settings, url)
    try:
        async with db.system_tx() as tx:
            facts, counts = await numbers.facts(tx), await numbers.read(tx)
        for check in judge(facts, counts):
            yield check
        yield _audit(counts["audit_age"], settings.seal_seconds)
        yield await _keys(db, settings)
        yield await _rules(db)
        yield await _nodes(db)
        yield await _storage(db, settings)
    finally:
        await db.close()


def judge(facts: dict[str, Any], counts: dict[str, Any]) -> list[Check]:
    """What the database's own facts mean."""
    version = f"PostgreSQL {facts['version']}, {facts['bytes'] / 1024**2:.0f} MiB"
    skew = abs((facts["now"].astimezone(UTC) - telemetry.clock.now()).total_seconds())
    return [
        Check("database", "ok", version),
        Check("extension", "ok", f"pgvector {facts['vector']}")
        if facts["vector"]
        else Check("extension", "fail", "pgvector is not there", "Run: retinue migrate"),
        _tenancy(facts),
        _graded("clock", skew, SKEW_SECONDS, f"database and machine differ by {skew:.2f} s", "Let both follow NTP."),
        _graded("queue", counts["queue_age"], LAG_SECONDS,
                f"{counts['queue']['queued']} waiting, the oldest due for {counts['queue_age']:.1f} s",
                "Is a worker running? Start another node, or raise RETINUE_CONCURRENCY."),
        Check("dead letters", "warn", f"{facts['dead_letters']} turns were given up",
              "Look at them: retinue dead-letter list")
        if facts["dead_letters"]
        else Check("dead letters", "ok", "none"),
    ]  # fmt: skip


def _tenancy(facts: dict[str, Any]) -> Check:
    if facts["strong_roles"]:
        found = f"{', '.join(facts['strong_roles'])} could bypass row-level security or own tables"
        return Check("tenancy", "fail", found, "Run: retinue migrate (as the owner); make neither role a superuser.")
    if facts["open_tables"]:
        found = f"no forced row-level security on {', '.join(facts['open_tables'])}"
        return Check("tenancy", "fail", found, "Run: retinue migrate. Own tables belong into another schema.")
    return Check("tenancy", "ok", "the application's roles own nothing and cannot bypass row-level security")


def _audit(age: float, every: float) -> Check:
    if not every:
        return Check("audit", "warn", "its lines are not sealed", "Set RETINUE_SEAL_SECONDS, for example to 5.")
    if age < SEAL_SECONDS:
        return Check("audit", "ok", "sealed" if age < every else f"sealed, but for the last {age:.0f} s")
    advice = "Is a node running? A transaction that writes and stays open delays the seals: see pg_stat_activity."
    return Check("audit", "warn", f"a line waits for its seal since {age:.0f} s", advice)


async def _keys(db: Database, settings: Settings) -> Check:
    try:
        found = await key_survey.survey(db, wrapping.of(settings))
    except errors.RetinueError as error:
        return Check("keys", "fail", error.detail, "Mend that: no secret opens meanwhile.")
    if found.lost:
        named = ", ".join(f"{name} of {ids.encode('acc', account)}" for account, name in found.lost[:MOST_NAMED])
        more = f" and {len(found.lost) - MOST_NAMED} more" if len(found.lost) > MOST_NAMED else ""
        return Check("keys", "fail", f"no known key opens {named}{more}", wrapping.ADVICE)
    count = sum(found.wrapped.values())
    older = count - found.wrapped.get(found.current, 0)
    if found.unfinished or older or found.direct:
        words = f"{older} of {count} data keys are under an earlier key, {found.direct} secrets under none"
        begun = f"; a rotation of {found.unfinished:%Y-%m-%d %H:%M} UTC broke off" if found.unfinished else ""
        return Check("keys", "warn", words + begun, "Run: retinue secrets rotate")
    words = f"all that is sealed opens, under {found.current}" if count else "nothing is sealed yet"
    return Check("keys", "ok", words)


def _graded(name: str, value: float, limits: tuple[float, float], found: str, advice: str) -> Check:
    if value < limits[0]:
        return Check(name, "ok", found)
    return Check(name, "warn" if value < limits[1] else "fail", found, advice)


async def _rules(db: Database) -> Check:
    """REG-10, REG-20: agents, tools, roles and restrictions that are outside the rules."""
    found = await app.outside_rules(db, Registry.load())
    if not found:
        return Check("rules", "ok", "every agent is registered, every tool and every restriction is known")
    words = "\n".join(str(one) for one in found)
    advice = "\n".join(dict.fromkeys(one.advice for one in found))
    return Check("rules", "fail" if any(one.fatal for one in found) else "warn", words, advice)


async def _nodes(db: Database) -> Check:
    known = await app.alive(db)
    living = [node for node in known if node["alive"]]
    if living:
        words = ", ".join(f"{node['host']} (pid {node['pid']}, {node['state']})" for node in living[:5])
        return Check("nodes", "ok", f"{len(living)} alive: {words}")
    return Check("nodes", "warn", "none is running: messages wait", "Start one: retinue serve (or: retinue worker)")


async def _storage(db: Database, settings: Settings) -> Check:
    try:
        shelf = places.shelf(db, settings)
    except errors.Misconfigured as error:
        return Check("storage", "fail", error.detail, "Set RETINUE_FILES.")
    try:
        made = await shelf.test()
    finally:
        await shelf.storage.close()
    words = f"{shelf.storage.place}: {made.detail} ({made.latency_ms} ms)"
    advice = "" if made.ok else "Mend it, or set RETINUE_FILES to another place: people cannot send or open files."
    return Check("storage", "ok" if made.ok else "fail", words, advice)


async def _model(settings: Settings) -> Check:
    models = await asyncio.to_thread(Models, settings)
    try:
        made = await models.check()
        offline = models.offline
    finally:
        await models.close()
    if not made.ok:
        return Check("model", "fail", f"{made.model}: {made.detail}", "Mend the key or address, or set another model.")
    if offline:
        return Check("model", "warn", "the offline model answers", made.detail)
    return Check("model", "ok", f"{made.model} answered in {made.duration_ms} ms")


def _server(place: Place) -> Check:
    api = place.api()
    try:
        api.get("/readyz")
    except http.NotRunning:
        return Check("server", "warn", f"nothing serves at {api.url}", "Start it: make run (or: retinue serve)")
    except errors.RetinueError as error:
        return Check("server", "fail", f"{api.url}: {error.detail}", "Look into the server's log.")
    return Check("server", "ok", f"{api.url} is ready")


# ── output ───────────────────────────────────────────────────────────────────────────────────────────────────────

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def _print(found: list[Check], as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    out = Console(highlight=False)
    if as_json:
        out.out(
            json.dumps({"ok": all(c.level != "fail" for c in found), "checks": [asdict(c) for c in found]}, indent=2)
        )
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for check in found:
        words = check.found if not check.advice else f"{check.found}\n[dim]{check.advice}[/]"
        table.add_row(f"[{COLOURS[check.level]}]{check.level}[/]", check.name, words)
    out.print(table)

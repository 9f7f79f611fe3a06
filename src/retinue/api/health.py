"""Is this process alive, is it ready, what has it counted: /healthz, /readyz, /metrics. Changes nothing."""

import asyncio
import ipaddress
import time
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.responses import JSONResponse, Response

from retinue import errors, settings, telemetry
from retinue.api import deps
from retinue.db.pool import Database
from retinue.domain.accounts import Role, Scope
from retinue.store import numbers

router = APIRouter(include_in_schema=False)
log = telemetry.logger(__name__)

PROBE_SECONDS = 2.0
REMEMBER_SECONDS = 2.0


@dataclass
class Vitals:
    """What this process knows about itself without asking the database."""

    worker: bool | None = None
    """Whether the worker runs; None where this process has none."""
    hub: bool | None = None
    draining: bool = False
    numbers_at: float = field(default=-REMEMBER_SECONDS)
    """When ``/metrics`` last asked the database, by the monotonic clock."""

    def set_worker(self, running: bool) -> None:
        self.worker = running

    def set_hub(self, running: bool) -> None:
        self.hub = running


def vitals(state: deps.AppState) -> Vitals:
    """This process's vitals; ``app`` puts them there."""
    found: Vitals = state.extras.setdefault("vitals", Vitals())
    return found


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive and serves. Says nothing about the database: restarting us would not mend that."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(state: deps.App) -> Response:
    """200 when the database answers and is up to date, and the worker runs; else 503 with what is missing."""
    own = vitals(state)
    checks = {"database": await _database(state.db)}
    if own.worker is not None:
        checks["worker"] = "ok" if own.worker else "the worker is starting again"
    if own.hub is not None:
        checks["live"] = "ok" if state.hub is None or state.hub.listening.ready.is_set() else "not listening yet"
    if own.draining:
        checks["node"] = "this node is shutting down"
    wrong = [f"{name}: {words}" for name, words in checks.items() if words != "ok"]
    if not wrong:
        return JSONResponse({"status": "ready", "checks": checks})
    problem = {
        "type": "urn:retinue:error:unavailable",
        "title": errors.Unavailable.title(),
        "status": 503,
        "detail": "; ".join(wrong),
        "code": "not_ready",
        "checks": checks,
    }
    return JSONResponse(problem, 503, {"retry-after": "2"}, "application/problem+json")


async def _database(db: Database) -> str:
    try:
        async with asyncio.timeout(PROBE_SECONDS), db.system_tx() as tx:
            missing = await numbers.migrations_missing(tx)
    except (errors.DatabaseDown, TimeoutError):
        return "the database does not answer"
    except Exception:  # whatever it is, we are not ready; the words stay in the log
        log.exception("the readiness check failed")
        return "the database answers with an error"
    return "ok" if missing == 0 else f"{missing} migrations are pending: run retinue migrate"


@router.get("/metrics")
async def metrics(request: Request, state: deps.App) -> Response:
    """Prometheus text. Open on a loopback address; elsewhere it needs an admin's key (queue depths tell something)."""
    if not is_loopback(state.settings.host):
        caller = await deps.principal(request)
        await deps.require(Role.ADMIN, Scope.ADMIN)(request, caller)
    await _refresh(state)
    return Response(await asyncio.to_thread(exposition), media_type=CONTENT_TYPE_LATEST)


def is_loopback(host: str) -> bool:
    """Whether this address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def exposition() -> bytes:
    """This process's numbers, or the sum over the processes of one ``serve --workers``."""
    if settings.provider_env(["PROMETHEUS_MULTIPROC_DIR"]):
        summed = CollectorRegistry()
        MultiProcessCollector(summed)
        return generate_latest(summed)
    return generate_latest(REGISTRY)


async def _refresh(state: deps.AppState) -> None:
    """Read queue and open interactions from the database, at most every two seconds; old numbers when it is away."""
    own = vitals(state)
    now = time.monotonic()
    if now - own.numbers_at < REMEMBER_SECONDS:
        return
    own.numbers_at = now
    try:
        async with asyncio.timeout(PROBE_SECONDS), state.db.system_tx() as tx:
            found = await numbers.read(tx)
    except (errors.DatabaseDown, TimeoutError):
        log.warning("the numbers from the database are old: it does not answer")
        return
    _show(found)
    for pool, (size, idle) in state.db.pool_sizes().items():
        telemetry.metrics.db_pool_size.labels(pool).set(size)
        telemetry.metrics.db_pool_idle.labels(pool).set(idle)


def _show(found: dict[str, Any]) -> None:
    shown = telemetry.metrics
    for state, count in found["queue"].items():
        shown.queue_depth.labels(state).set(count)
    shown.queue_age_seconds.set(found["queue_age"])
    shown.audit_age_seconds.set(found["audit_age"])
    for state, count in found["interactions"].items():
        shown.interactions_open.labels(state).set(count)
    shown.waits_open.set(found["waits"])
    shown.nodes_up.set(found["nodes"])

"""The composition root: one process's parts, opened in order and closed in the reverse order. It decides nothing.

    async with app.node(settings) as node: ...      # database, models, tools, live hub, worker, HTTP application
    async with app.database(settings) as url: ...   # only the database (``doctor``, ``init``, ``migrate``)

The embedded PostgreSQL runs when no ``RETINUE_DATABASE_URL`` is set. Everything that the operator must mend raises
``Misconfigured`` or ``DatabaseDown`` with words that say how; ``exit_code`` gives each its own code.
"""

import asyncio
import functools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import asyncpg
from fastapi import FastAPI

from retinue import errors, telemetry
from retinue.api import health, routes
from retinue.api.deps import AppState
from retinue.db import embedded, migrate, pool
from retinue.db.pool import Database
from retinue.domain.boot import Finding
from retinue.files import places
from retinue.llm.models import Models
from retinue.settings import Settings, secret_keys
from retinue.store import boot, nodes, wrapping
from retinue.store.secrets import Sealer, Vault
from retinue.tools import egress, registry, resolve, rest
from retinue.tools.registry import GateKey, Registry
from retinue.turn.engine import Engine
from retinue.turn.live import Hub
from retinue.worker import Worker

log = telemetry.logger(__name__)

EXIT_FAILED, EXIT_USAGE, EXIT_MISCONFIGURED, EXIT_DATABASE_DOWN, EXIT_PORT_TAKEN = 1, 2, 3, 4, 5
KEY_FILE = "secret.key"
RESTART_SECONDS = 1.0
LEAVE_SECONDS = 2.0


class PortTaken(errors.Misconfigured):
    """Another program listens on this port."""

    code = "port_taken"


def exit_code(error: BaseException) -> int:
    """What the process ends with when it cannot start."""
    match error:
        case PortTaken():
            return EXIT_PORT_TAKEN
        case errors.Misconfigured():
            return EXIT_MISCONFIGURED
        case errors.Unavailable():
            return EXIT_DATABASE_DOWN
        case _:
            return EXIT_FAILED


# ── the folder, the key, the database ────────────────────────────────────────────────────────────────────────────


def prepare(settings: Settings) -> Settings:
    """Make the home folder and the installation's secret key where they are missing; the settings with the key.

    Raises ``Misconfigured`` when the folder cannot be written.
    """
    home = settings.home.expanduser().absolute()
    try:
        home.mkdir(parents=True, exist_ok=True)
        key = settings.secret_key or _secret_key(home / KEY_FILE)
    except OSError as error:
        raise errors.Misconfigured(
            f"RETINUE_HOME ({home}) cannot be written: {error.strerror or error}. "
            "Set RETINUE_HOME to a folder that this user may write."
        ) from error
    return settings.model_copy(update={"home": home, "secret_key": key})


def _secret_key(path: Path) -> str:
    if not path.exists():
        write_private(path, new_key())
    found = path.read_text().strip()
    if not found:
        raise errors.Misconfigured(f"{path} is empty. Restore it from a backup, or delete it on a fresh installation.")
    return found


def new_key() -> str:
    """A fresh secret key."""
    return secrets.token_urlsafe(32)


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user may read (mode 0600), at once or not at all."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    try:
        draft.write_text(text)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """The owner's URL of a running database: ``database_url``, else the embedded server, stopped at the end if no
    other process uses it. Raises ``Misconfigured``."""
    if settings.database_pooler and not settings.listen_url:
        raise errors.Misconfigured(
            "RETINUE_DATABASE_POOLER needs RETINUE_LISTEN_URL: nobody can listen or migrate through a pooler in "
            "transaction mode. Set it to an address of the same database that leads past it."
        )
    if settings.database_url:
        yield settings.database_url
        return
    server = await asyncio.to_thread(embedded.start, settings.home)
    try:
        yield server.get_uri(database="postgres")
    finally:
        await asyncio.shield(asyncio.to_thread(embedded.stop, server))


async def bring_up_to_date(settings: Settings, owner_url: str) -> list[str]:
    """Migrate, past the pooler where there is one; returns the names applied. Raises ``DatabaseDown``,
    ``Misconfigured``."""
    current, *previous = _keys(settings)
    return await migrate.migrate(migrate.direct_url(owner_url, settings.listen_url), current, previous)


async def connect(settings: Settings, owner_url: str) -> Database:
    """The pools, as the two roles that own nothing. Raises ``DatabaseDown``, ``Misconfigured``."""
    keys = _keys(settings)
    app_urls, system_urls = ([migrate.role_url(owner_url, role, key) for key in keys] for role in migrate.ROLES)
    direct = settings.listen_url
    listen = [migrate.role_url(direct, "retinue_system", key) for key in keys] if direct else None
    try:
        return await pool.connect(
            app_urls, system_urls, size=settings.pool_size, pooler=settings.database_pooler, listen_url=listen
        )
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise errors.Misconfigured(
            f"The database refused the role retinue_app: {error}. Its password comes from the installation's secret "
            "key: give every node the same RETINUE_SECRET_KEY (or secret.key), then run: retinue migrate. After a "
            "change of that key: is the one before in RETINUE_SECRET_KEY_PREVIOUS?"
        ) from error


def _keys(settings: Settings) -> tuple[str, ...]:
    found = secret_keys(settings)
    if not found:
        raise errors.Misconfigured("The settings have no secret key: call app.prepare first.")
    return found


# ── one node ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Node:
    """The running parts of one process."""

    settings: Settings
    owner_url: str
    db: Database
    models: Models
    registry: Registry
    hub: Hub
    engine: Engine
    vitals: health.Vitals
    worker: Worker | None = None
    api: FastAPI | None = None
    state: AppState | None = None
    stop_worker: asyncio.Event = field(default_factory=asyncio.Event)
    working: "asyncio.Task[None] | None" = None

    @property
    def id(self) -> UUID:
        """This node's id in the table of nodes; a node that was given up for dead goes on under a new one."""
        return self.engine.node_id

    async def drain(self) -> None:
        """Stop taking turns, and wait a bounded time until those in hand are finished or handed over."""
        self.vitals.draining = True
        self.stop_worker.set()
        if self.working is None:
            return
        limit = self.settings.drain_seconds + LEAVE_SECONDS
        _, late = await asyncio.wait([self.working], timeout=limit)
        if late:
            log.warning("the worker did not end in time; other nodes take its turns over", seconds=limit)
            self.working.cancel()


@asynccontextmanager
async def node(
    settings: Settings, *, api: bool = True, worker: bool = True, migrated: bool = False
) -> AsyncIterator[Node]:
    """Open one node. ``migrated``: somebody else (the parent process) has brought the database up to date.

    Raises ``Misconfigured``, ``DatabaseDown``. Once open, a database that goes away stops nothing: the parts wait for
    it, and ``/readyz`` says so meanwhile.
    """
    settings = prepare(settings)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database(settings))
        if not migrated:
            await bring_up_to_date(settings, url)
        db = await connect(settings, url)
        stack.push_async_callback(_close, db)
        opened = await _parts(stack, settings, url, db)
        if not migrated:
            await tell_outside_rules(db, opened.registry)
        if worker:
            opened.worker = Worker(opened.engine, opened.hub)
        if api:
            opened.state = AppState(
                db=db,
                settings=settings,
                models=opened.models,
                registry=opened.registry,
                hub=opened.hub,
                engine=opened.engine,
                files=opened.engine.files,
                extras={"vitals": opened.vitals},
            )
            opened.api = routes.create(opened.state)
        async with _running(opened):
            yield opened


async def outside_rules(db: Database, tools: Registry) -> list[Finding]:
    """What is outside the rules in the whole installation (REG-10, REG-20)."""
    async with db.system_tx() as tx:
        return await boot.findings(tx, tools.specs())


async def tell_outside_rules(db: Database, tools: Registry) -> None:
    """Log what is outside the rules. It stops nobody: the gate refuses what the rules do not allow."""
    try:
        found = await outside_rules(db, tools)
    except asyncpg.PostgresError as error:
        log.warning("it could not be checked what is outside the rules", error=type(error).__name__)
        return
    for one in found:
        log.warning("outside the rules", found=str(one), advice=one.advice)


async def check_at_start(settings: Settings, owner_url: str) -> None:
    """As ``tell_outside_rules``, for a process that opens no node itself."""
    db = await connect(settings, owner_url)
    try:
        await tell_outside_rules(db, Registry.load())
    finally:
        await _close(db)


async def _close(db: Database) -> None:
    """Close the pools; a connection that does not come back in time is cut."""
    try:
        async with asyncio.timeout(LEAVE_SECONDS):
            await db.close()
    except (TimeoutError, *pool.DOWN):
        log.info("connections were cut")


async def _parts(stack: AsyncExitStack, settings: Settings, url: str, db: Database) -> Node:
    models = await asyncio.to_thread(Models, settings)  # it looks for a local Ollama, which takes a moment
    stack.push_async_callback(models.close)
    client = egress.Client(settings.egress_allow, settings.egress_max_bytes)
    stack.push_async_callback(client.close)
    found = Registry.load()
    for collision in found.collisions:
        log.warning("two packages declare one tool; the first wins", tool=collision.slug, loser=collision.loser)
    vault = Vault(db, Sealer(wrapping.of(settings)))
    sources = (resolve.Internal(found), rest.Source(db, vault))
    shelf = places.shelf(db, settings)
    stack.push_async_callback(shelf.storage.close)
    hub = Hub(db)
    engine = Engine(
        db=db, models=models, sources=sources, egress=client, settings=settings, gate_key=_gate_key(), files=shelf,
        tell=hub.hand,
    )  # fmt: skip
    return Node(settings, url, db, models, found, hub, engine, health.Vitals())


@functools.cache
def _gate_key() -> GateKey:
    """The registry gives the gate's key out once per process; a process may open several nodes, one after another."""
    return registry.gate_key()


@asynccontextmanager
async def _running(opened: Node) -> AsyncIterator[None]:
    """Run hub and worker around the body; at the end the worker stops first, as it still wants to hear of
    cancellations."""
    stop_hub = asyncio.Event()
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        group.create_task(_keep("live hub", opened.hub.run, stop_hub, opened.vitals.set_hub))
        if opened.worker is not None:
            run = _keep("worker", opened.worker.run, opened.stop_worker, opened.vitals.set_worker)
            opened.working = group.create_task(run)
            warming = group.create_task(_warm(opened.models))
        else:
            warming = None
        try:
            yield
        except Exception as error:  # carried past the group, which would wrap it
            failure = error
        if warming is not None:
            warming.cancel()
        await opened.drain()
        stop_hub.set()
    if failure is not None:
        raise failure


async def _warm(models: Models) -> None:
    """Load the default model's client now, off the loop, so that the first turn does not wait for it."""
    try:
        await models.warm(models.resolve())
    except errors.ModelError as error:
        log.info("the default model cannot be used", detail=error.detail)


async def _keep(
    name: str, run: Callable[[asyncio.Event], Awaitable[None]], stop: asyncio.Event, tell: Callable[[bool], None]
) -> None:
    """Run a part until ``stop``; one that fails, as when the database is away for long, is started again."""
    while not stop.is_set():
        tell(True)
        try:
            await run(stop)
        except (errors.DatabaseDown, asyncpg.PostgresError, *pool.DOWN) as error:
            log.warning("a part lost the database and starts again", part=name, error=type(error).__name__)
        except Exception:
            log.exception("a part failed and starts again", part=name)
        finally:
            tell(False)
        if not stop.is_set():
            await _pause(stop, RESTART_SECONDS)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def alive(db: Database) -> list[dict[str, object]]:
    """Every known node with whether it lives."""
    async with db.system_tx() as tx:
        return await nodes.list_nodes(tx)

"""Connections. ``tenant_tx`` is the only way to tenant data and the only commit; ``system_tx`` sees across tenants.

Two roles, neither owning anything: ``retinue_app`` sees one account at a time by forced row-level security,
``retinue_system`` sees all rows of the few tables it is granted (who signs in, nodes, queue, pruning).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from pydantic_core import from_json, to_json

from retinue import errors
from retinue.db.passwords import Door

Tx = asyncpg.Connection
"""An open transaction."""

FLUSH = "select pg_logical_emit_message(true, 'retinue', '')"
"""The smallest transaction whose commit waits for the disk, and so for all commits before it."""
SET_TENANT = "select set_config('retinue.account_id', $1, true)"
SET_TENANT_AND_IDLE = SET_TENANT + ", set_config('idle_in_transaction_session_timeout', $2, true)"
DOWN = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.TooManyConnectionsError,
)
"""What asyncpg raises when the database is away; worth trying again once it is back."""

SHARED = (asyncpg.DuplicatePreparedStatementError, asyncpg.InvalidSQLStatementNameError)
"""What a pooler in transaction mode leads to when it hands a session with our prepared statements to another client."""


async def _prepare(connection: Any) -> None:
    for kind in ("jsonb", "json"):
        await connection.set_type_codec(kind, encoder=_dump, decoder=from_json, schema="pg_catalog")


def _dump(value: Any) -> str:
    return to_json(value).decode()


async def _keep(_connection: Any) -> None:
    """No reset when a connection goes back to its pool: nothing here changes a session, and it costs a round trip."""


class Database:
    """The pools of one process."""

    def __init__(
        self, app: asyncpg.Pool, system: asyncpg.Pool, queue: asyncpg.Pool, connect: Callable[[], Awaitable[Tx]]
    ) -> None:
        self._app = app
        self._system = system
        self.queue = queue
        """PgQueuer's own small pool, without our JSON codecs."""
        self._connect = connect
        self._flushing = asyncio.Lock()
        self._wanted = self._flushed = 0

    @asynccontextmanager
    async def tenant_tx(self, account_id: UUID, idle_seconds: float | None = None) -> AsyncIterator[Tx]:
        """One transaction that sees one account. Commits at the end, rolls back on any error.

        ``idle_seconds``: the database ends it, and with it its locks, when nothing is heard from us for so long (we are
        frozen or cut off); else after the time that ``migrate`` gives our roles.
        """
        async with _acquire(self._app) as connection, connection.transaction():
            if idle_seconds is None:
                await connection.execute(SET_TENANT, str(account_id))
            else:
                await connection.execute(SET_TENANT_AND_IDLE, str(account_id), str(int(idle_seconds * 1000)))
            yield connection

    async def call(self, sql: str, *args: Any) -> Any:
        """One statement as its own transaction, for functions that set their tenant themselves; returns one value."""
        async with _acquire(self._app) as connection:
            return await connection.fetchval(sql, *args)

    async def call_durably(self, sql: str, *args: Any) -> Any:
        """As ``call``, for functions that defer their flush (``defer_flush_v1``): returns once it is on disk."""
        value = await self.call(sql, *args)
        await self.flush()
        return value

    async def flush(self) -> None:
        """Wait until all that was committed before is on disk. Those who wait at the same time share one fsync."""
        self._wanted += 1
        ticket = self._wanted
        while self._flushed < ticket:
            async with self._flushing:
                if self._flushed >= ticket:
                    return
                upto = self._wanted
                await self.call(FLUSH)
                self._flushed = upto

    @asynccontextmanager
    async def system_tx(self) -> AsyncIterator[Tx]:
        """One transaction across tenants, as ``retinue_system``."""
        async with _acquire(self._system) as connection, connection.transaction():
            yield connection

    async def listening(self) -> Tx:
        """A connection of its own, for LISTEN and the advisory lock that says this node lives. The caller closes it."""
        try:
            connection = await self._connect()
        except DOWN as error:
            raise errors.DatabaseDown(f"The database does not answer: {error}") from error
        await _prepare(connection)
        return connection

    def pool_sizes(self) -> dict[str, tuple[int, int]]:
        """Open and idle connections of each pool."""
        pools = {"app": self._app, "system": self._system, "queue": self.queue}
        return {name: (one.get_size(), one.get_idle_size()) for name, one in pools.items()}

    async def forget(self) -> None:
        """Replace all connections at their next use (a test that moves the clock, a role's changed settings)."""
        await self._app.expire_connections()
        await self._system.expire_connections()

    async def close(self) -> None:
        for pool in (self._app, self._system, self.queue):
            await pool.close()


@asynccontextmanager
async def _acquire(pool: asyncpg.Pool) -> AsyncIterator[Any]:
    try:
        connection = await pool.acquire()
    except DOWN as error:
        raise errors.DatabaseDown(f"The database does not answer: {error}") from error
    try:
        yield connection
    except asyncpg.PostgresError as error:
        translated = translate(error)
        if translated is error:
            raise
        raise translated from error
    except (OSError, asyncpg.InterfaceError) as error:
        raise errors.DatabaseDown(f"The database does not answer: {error}") from error
    finally:
        await pool.release(connection)


STATES: dict[str, type[errors.RetinueError]] = {
    "RT403": errors.Forbidden,
    "RT404": errors.NotFound,
    "RT409": errors.WrongState,
    "RT412": errors.Fenced,
    "RT423": errors.ThreadBusy,
}


def translate(error: Exception) -> Exception:
    """Our own SQL errors (``RTnnn``) and a database that is away, as Retinue's errors; anything else unchanged."""
    if isinstance(error, DOWN):
        return errors.DatabaseDown(f"The database does not answer: {error}")
    if isinstance(error, SHARED):
        return errors.Misconfigured(
            "The database's sessions are shared by a pooler in transaction mode: set RETINUE_DATABASE_POOLER=true."
        )
    state = getattr(error, "sqlstate", None)
    kind = STATES.get(state or "")
    return kind(_sentence(str(error))) if kind else error


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


async def connect(
    app_url: str | Sequence[str], system_url: str | Sequence[str], *, size: int = 12, pooler: bool = False,
    listen_url: str | Sequence[str] | None = None,
) -> Database:  # fmt: skip
    """Open the pools. Several URLs are one database with several passwords, of which one is good.

    Raises ``DatabaseDown`` when the server does not answer.
    """
    plain: dict[str, Any] = {"reset": _keep}
    if pooler:
        plain["statement_cache_size"] = 0
    options: dict[str, Any] = plain | {"init": _prepare}
    app_door, system_door = Door(app_url), Door(system_url)
    try:
        app = await asyncpg.create_pool(connect=app_door.open, min_size=1, max_size=size, **options)
        system = await asyncpg.create_pool(connect=system_door.open, min_size=1, max_size=4, **options)
        queue = await asyncpg.create_pool(connect=system_door.open, min_size=1, max_size=2, **plain)
    except DOWN as error:
        raise errors.DatabaseDown(f"The database does not answer: {error}") from error
    return Database(app, system, queue, Door(listen_url).open if listen_url else system_door.open)

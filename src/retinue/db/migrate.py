"""Migrations: numbered SQL files applied once, in order, under a lock, each in its own transaction.

Runs as the role of the database URL (owner). It makes the two roles the application connects as, the schemas
``retinue`` and ``queue``, and refuses a server that is too old, too new in schema, or without pgvector.
"""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings, Durability

from retinue import errors
from retinue.db import passwords, pool

LOCK = 7_305_611
ROLES = ("retinue_app", "retinue_system")
MINIMUM = 150_000
IDLE_SECONDS = 60
QUEUE = """
-- Only a new entry is news to a worker; each end of one would wake every worker for nothing.
drop trigger tg_pgqueuer_changed on queue.pgqueuer;
create trigger tg_pgqueuer_changed after insert on queue.pgqueuer execute function queue.fn_pgqueuer_changed();
-- Indexes that serve PgQueuer's dashboards and lists, which nothing here uses, and that every entry would pay for.
drop index queue.pgqueuer_priority_id_id1_idx, queue.pgqueuer_updated_id_id1_idx, queue.pgqueuer_log_status,
    queue.pgqueuer_log_not_aggregated;
"""
STRONG = "select rolsuper or rolcreatedb or rolcreaterole or rolbypassrls from pg_roles where rolname = $1"
WEAK = "nosuperuser nocreatedb nocreaterole nobypassrls"
RACES = (asyncpg.InternalServerError, asyncpg.UniqueViolationError, asyncpg.DuplicateObjectError)
"""What PostgreSQL says when two sessions make or change a role; "tuple concurrently updated" is an internal error."""
TRIES = 5
Step = tuple[str, str]


def files() -> list[Step]:
    """(name, sql) of every migration, in order."""
    folder = resources.files("retinue.db") / "migrations"
    return sorted((entry.name, entry.read_text()) for entry in folder.iterdir() if entry.name.endswith(".sql"))


def queue_settings() -> DBSettings:
    """PgQueuer's tables in a schema of their own; its log is not worth a WAL record."""
    return DBSettings(db_schema="queue", durability=Durability.balanced)


def password(secret_key: str, role: str) -> str:
    """A role's password, derived, so that every node of an installation knows it."""
    return hashlib.sha256(f"retinue-role:{role}:{secret_key}".encode()).hexdigest()


def role_url(url: str, role: str, secret_key: str) -> str:
    """The same database, as another role."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password(secret_key, role))}@{host}"))


def direct_url(url: str, listen_url: str | None) -> str:
    """The owner's URL past a pooler: migrations need a session of their own. Credentials are ``listen_url``'s, where it
    has any, else those of ``url``."""
    if not listen_url:
        return url
    parts = urlsplit(listen_url)
    if "@" in parts.netloc:
        return listen_url
    user, at, _ = urlsplit(url).netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{parts.netloc}"))


async def migrate(url: str, secret_key: str, previous: Sequence[str] = ()) -> list[str]:
    """Bring the database up to date; returns the names applied. Raises ``Misconfigured`` saying what to do.

    Roles that a ``previous`` secret key still lets in keep their passwords: see ``set_passwords``.
    """
    async with _owner(url) as connection:
        await _check_server(connection)
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        kept = await _kept_passwords(url, (secret_key, *previous)) if previous else ()
        await _prepare_patiently(connection, secret_key, kept)
        applied = await _apply(connection)
        await _count_on(connection)
        return applied


async def set_passwords(url: str, secret_key: str) -> None:
    """Give both roles the passwords of this secret key. Whoever knows only another one is let in no more."""
    async with _owner(url) as connection:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        for role in ROLES:
            await connection.execute(f"alter role {role} password '{password(secret_key, role)}'")


async def _kept_passwords(url: str, keys: Sequence[str]) -> tuple[str, ...]:
    """The roles that one of these keys lets in."""
    try:
        return tuple([role for role in ROLES if await passwords.lets_in([role_url(url, role, key) for key in keys])])
    except pool.DOWN as error:
        raise errors.DatabaseDown(f"The database does not answer: {error}") from error


@asynccontextmanager
async def _owner(url: str) -> AsyncIterator[pool.Tx]:
    """A connection as the role of the database URL. Raises ``DatabaseDown``, ``Misconfigured``."""
    try:
        connection = await asyncpg.connect(url, statement_cache_size=0)
    except (
        asyncpg.ClientConfigurationError,
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.InvalidCatalogNameError,
    ) as error:
        raise errors.Misconfigured(f"RETINUE_DATABASE_URL cannot be used: {error}.") from error
    except pool.DOWN as error:
        raise errors.DatabaseDown(
            f"The database does not answer: {error}. Check RETINUE_DATABASE_URL and that the server is running."
        ) from error
    try:
        await _check_session(connection, url)
        yield connection
    except asyncpg.InsufficientPrivilegeError as error:
        raise errors.Misconfigured(
            f"The role of RETINUE_DATABASE_URL lacks a right that migrations need: {error}. It must own the database "
            "and have CREATEROLE; where it may not make extensions, have a superuser run there: create extension vector"
        ) from error
    finally:
        await connection.close()


async def _check_session(connection: pool.Tx, url: str) -> None:
    """Raises ``Misconfigured`` where this connection shares its sessions with others: nothing can be set or locked."""
    if connection.get_server_pid() == await connection.fetchval("select pg_backend_pid()"):
        return
    other = await asyncpg.connect(url, statement_cache_size=0)
    try:
        sessions = [await one.fetchval("select pg_backend_pid()") for one in (connection, other)]
    finally:
        await other.close()
    if sessions[0] == sessions[1]:
        raise errors.Misconfigured(
            "This address leads to a pooler in transaction mode. Set RETINUE_DATABASE_POOLER=true, and "
            "RETINUE_LISTEN_URL to an address of the same database that leads past it."
        )


async def _check_server(connection: pool.Tx) -> None:
    version = int(await connection.fetchval("show server_version_num"))
    if version < MINIMUM:
        raise errors.Misconfigured(f"PostgreSQL {version // 10000} is too old: Retinue needs PostgreSQL 15 or newer.")
    available = await connection.fetchval("select 1 from pg_available_extensions where name = 'vector'")
    if not available:
        raise errors.Misconfigured(
            "This PostgreSQL has no pgvector extension. Install it (Debian: postgresql-NN-pgvector; managed services: "
            "enable 'vector'), or unset RETINUE_DATABASE_URL to use the embedded server, which has it."
        )


async def _prepare_patiently(connection: pool.Tx, secret_key: str, kept: Sequence[str]) -> None:
    """Roles belong to the whole server, our lock to this database alone: another database may be prepared meanwhile."""
    for _ in range(TRIES - 1):
        try:
            return await _prepare(connection, secret_key, kept)
        except RACES:
            await asyncio.sleep(random.uniform(0.05, 0.5))
    return await _prepare(connection, secret_key, kept)


async def _prepare(connection: pool.Tx, secret_key: str, kept: Sequence[str]) -> None:
    await connection.execute("create extension if not exists vector with schema public")
    database = await connection.fetchval("select quote_ident(current_database())")
    for role in ROLES:
        strong = await connection.fetchval(STRONG, role)
        # only what has to change: naming an attribute like nosuperuser is itself the right of superusers
        word, more = ("create", WEAK) if strong is None else ("alter", WEAK if strong else "")
        secret = "" if role in kept else f"password '{password(secret_key, role)}'"
        await connection.execute(f"{word} role {role} login noinherit {more} {secret}")
    for statement in role_settings(database):
        await connection.execute(statement)
    await connection.execute("create schema if not exists retinue; create schema if not exists queue;")
    if not await connection.fetchval("select to_regclass('queue.pgqueuer')"):
        await connection.execute(QueryBuilderEnvironment(queue_settings()).build_install_query())
        await connection.execute(QUEUE)
    await connection.execute("set search_path = retinue, public")
    await connection.execute(
        "create table if not exists migration (version int primary key, name text not null, checksum text not null, "
        "applied_at timestamptz not null default now())"
    )


def role_settings(database: str) -> Iterator[str]:
    """The statements that set what both roles begin every session of this database with."""
    settings = {
        "search_path": "retinue, queue, public",
        # a process that is frozen or cut off inside a transaction must not keep its locks from the others for ever
        "idle_in_transaction_session_timeout": f"'{IDLE_SECONDS}s'",
        # many short statements by index: the server's own defaults are for spinning disks and long queries
        "random_page_cost": "1.1",
        "jit": "off",
    }
    for role in ROLES:
        for name, value in settings.items():
            yield f"alter role {role} in database {database} set {name} = {value}"
    # what this role commits (queue entries picked and done, nodes, pruning) is found again if a crash loses it
    yield f"alter role retinue_system in database {database} set synchronous_commit = off"


async def _apply(connection: pool.Tx) -> list[str]:
    known = {row["version"]: row["checksum"] for row in await connection.fetch("select * from migration")}
    newest = max((number(name) for name, _ in files()), default=0)
    if known and max(known) > newest:
        raise errors.Misconfigured(
            f"The database is at schema version {max(known)}, this Retinue knows {newest}: it is too old. Upgrade it."
        )
    applied: list[str] = []
    for name, sql in files():
        checksum = hashlib.sha256(sql.encode()).hexdigest()
        if number(name) in known:
            _check_same(name, known[number(name)], checksum)
            continue
        async with connection.transaction():
            await connection.execute("set local lock_timeout = '5s'")
            await connection.execute(sql)
            await connection.execute(
                "insert into migration (version, name, checksum) values ($1, $2, $3)", number(name), name, checksum
            )
        applied.append(name)
    return applied


# cross-tenant: positions alone, of every account
BEHIND = """
select greatest((select max(tx) from audit_event), (select upto from audit_mark)) - audit_position_v1() as gap,
    audit_shift_v1() as shift
"""
SHIFT = "create or replace function audit_shift_v1() returns bigint language sql stable as $$ select {}::bigint $$"


async def _count_on(connection: pool.Tx) -> None:
    """A database restored from a dump counts its transactions anew: shift the positions of audit lines past those that
    are there, or new ones would stand before what is sealed."""
    row = await connection.fetchrow(BEHIND)
    if row is not None and row["gap"] > 0:
        await connection.execute(SHIFT.format(row["shift"] + row["gap"] + 1))


def _check_same(name: str, applied: str, ours: str) -> None:
    if applied != ours:
        raise errors.Misconfigured(
            f"The database was made with another {name} than this Retinue has: they are of different builds. Use the "
            "build that made it, or start with a fresh database (another RETINUE_HOME or RETINUE_DATABASE_URL)."
        )


def number(name: str) -> int:
    """``0003_turn.sql`` is 3."""
    return int(name.split("_", 1)[0])


async def pending(url: str) -> int:
    """How many migrations this database lacks; all of them when it was never migrated. Raises what ``migrate`` does
    where that would be in vain."""
    async with _owner(url) as connection:
        await _check_server(connection)
        if not await connection.fetchval("select to_regclass('retinue.migration')"):
            return len(files())
        done = await connection.fetchval("select count(*) from retinue.migration")
        return len(files()) - int(done)

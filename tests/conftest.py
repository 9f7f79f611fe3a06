"""Fixtures shared by all tests: one embedded PostgreSQL per test process, one cloned database per test."""

import asyncio
import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from retinue import settings, telemetry
from retinue.db import embedded, migrate, pool
from retinue.db.pool import Database

SECRET = "test-secret-key"
TEMPLATE = "retinue_template"
counter = itertools.count(1)


@pytest.fixture(autouse=True)
def quick_log() -> None:
    """Log as in production: a pretty traceback takes seconds, and shows local variables."""
    telemetry.configure(settings.load().model_copy(update={"log_format": "json"}))
    logging.getLogger().handlers = []  # pytest has its own, and closes the stream that ours would write to


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The superuser's URL of this test process's own embedded server, its template database migrated."""
    # not pytest's own temporary folder: it removes older runs' folders, also those of runs that still go on
    home = Path(tempfile.mkdtemp(prefix="retinue-tests-"))
    server = embedded.start(home)
    conf = home / "postgres" / "postgresql.conf"
    if "fsync = off" not in conf.read_text():
        with conf.open("a") as file:
            file.write("\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")
    url = server.get_uri(database="postgres")
    asyncio.run(_make_template(url))
    yield url
    embedded.stop(server)
    shutil.rmtree(home, ignore_errors=True)


async def _make_template(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("select pg_reload_conf()")
    await connection.execute(f"create database {TEMPLATE}")
    await connection.close()
    await migrate.migrate(_named(url, TEMPLATE), SECRET)


def _named(url: str, database: str) -> str:
    return url.replace("/postgres?", f"/{database}?", 1)


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """A database of this test's own, migrated, empty; the URL is the owner's."""
    name = f"t{os.getpid()}_{next(counter)}"

    async def run(sql: str) -> None:
        connection = await asyncpg.connect(server_url)
        await connection.execute(sql)
        await connection.close()

    asyncio.run(run(f"create database {name} template {TEMPLATE}"))
    # per-database role settings are not cloned with a template
    for role in migrate.ROLES:
        asyncio.run(run(f"alter role {role} in database {name} set search_path = retinue, queue, public"))
    yield _named(server_url, name)
    asyncio.run(run(f"drop database {name} with (force)"))


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """Pools on this test's database, as the two application roles."""
    database = await pool.connect(
        migrate.role_url(database_url, "retinue_app", SECRET), migrate.role_url(database_url, "retinue_system", SECRET)
    )
    yield database
    await database.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A RETINUE_HOME of this test's own."""
    return tmp_path / "home"

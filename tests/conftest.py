"""Fixtures shared by all tests: one embedded PostgreSQL per test process, one cloned database per test.

``RETINUE_TEST_DATABASE_URL``, a superuser's, has the tests run on that server instead.
"""

import asyncio
import itertools
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import hypothesis
import pytest

from retinue import settings, telemetry
from retinue.db import embedded, migrate, pool
from retinue.db.pool import Database

hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile("steady")
# The same examples each time, so that a run fails for what changed; --hypothesis-profile=explore tries new ones.
# No deadlines: how long an example takes is the machine's business.

SECRET = "test-secret-key"
RUN = secrets.token_hex(3)
"""Tells the databases of this test process from those of others on the same server."""
TEMPLATE = f"retinue_template_{RUN}"
counter = itertools.count(1)


@pytest.fixture(autouse=True)
def quick_log() -> None:
    """Log as in production: a pretty traceback takes seconds, and shows local variables."""
    telemetry.configure(settings.load().model_copy(update={"log_format": "json"}))
    logging.getLogger().handlers = []  # pytest has its own, and closes the stream that ours would write to


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The superuser's URL of a server with a migrated template database."""
    given = os.environ.get("RETINUE_TEST_DATABASE_URL")
    if given:
        asyncio.run(_make_template(given))
        yield given
        asyncio.run(_execute(given, f"drop database {TEMPLATE} with (force)"))
        return
    with _own_server() as url:
        asyncio.run(_make_template(url))
        yield url


@contextmanager
def _own_server() -> Iterator[str]:
    """An embedded server of this test process's own, which need not survive a loss of power."""
    # not pytest's own temporary folder: it removes older runs' folders, also those of runs that still go on
    home = Path(tempfile.mkdtemp(prefix="retinue-tests-"))
    server = embedded.start(home)
    with (home / "postgres" / "postgresql.conf").open("a") as file:
        file.write("\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")
    url = server.get_uri(database="postgres")
    asyncio.run(_execute(url, "select pg_reload_conf()"))
    yield url
    embedded.stop(server)
    shutil.rmtree(home, ignore_errors=True)


async def _make_template(url: str) -> None:
    await _execute(url, f"create database {TEMPLATE}")
    await migrate.migrate(named(url, TEMPLATE), SECRET)


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()


def named(url: str, database: str) -> str:
    """The same server's other database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """A database of this test's own, migrated, empty; the URL is the owner's."""
    name = f"t{RUN}_{next(counter)}"
    asyncio.run(_execute(server_url, f"create database {name} template {TEMPLATE}"))
    # settings of roles in a database are not cloned with it
    asyncio.run(_execute(server_url, "; ".join(migrate.role_settings(name))))
    yield named(server_url, name)
    asyncio.run(_execute(server_url, f"drop database {name} with (force)"))


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

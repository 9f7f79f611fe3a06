"""Migrations: applied once, refused when the database does not fit."""

import asyncio
import itertools
import os
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from retinue import errors
from retinue.db import migrate, pool
from retinue.store import accounts
from tests.conftest import SECRET, named

owners = itertools.count(1)


async def alter(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()


async def test_a_second_run_applies_nothing(database_url: str) -> None:
    assert await migrate.migrate(database_url, SECRET) == []
    assert await migrate.pending(database_url) == 0


async def test_a_database_of_another_build_is_refused(database_url: str) -> None:
    await alter(database_url, "update retinue.migration set checksum = 'x' where version = 3")
    with pytest.raises(errors.Misconfigured, match="another 0003"):
        await migrate.migrate(database_url, SECRET)


async def test_a_database_that_is_newer_is_refused(database_url: str) -> None:
    await alter(database_url, "insert into retinue.migration (version, name, checksum) values (9999, 'x', 'x')")
    with pytest.raises(errors.Misconfigured, match="too old"):
        await migrate.migrate(database_url, SECRET)


async def test_a_server_that_is_away_says_what_to_check() -> None:
    with pytest.raises(errors.DatabaseDown, match="RETINUE_DATABASE_URL"):
        await migrate.migrate("postgresql://nobody@127.0.0.1:1/none", SECRET)


@pytest.fixture
def owned(server_url: str) -> Iterator[Callable[[str], str]]:
    """Makes an empty database that a role with these attributes owns; the URL is that role's."""
    made: list[str] = []

    def make(attributes: str) -> str:
        name = f"owner{os.getpid()}_{next(owners)}"
        made.append(name)
        # who has CREATEROLE may since PostgreSQL 16 change only roles it administers: those it made itself, usually
        admin = (
            f"grant {', '.join(migrate.ROLES)} to {name} with admin option" if "nocreaterole" not in attributes else ""
        )
        asyncio.run(alter(server_url, f"create role {name} login {attributes} password 'a'; {admin}"))
        asyncio.run(alter(server_url, f"create database {name} owner {name}"))
        asyncio.run(alter(named(server_url, name), "create extension vector"))
        parts = urlsplit(named(server_url, name))
        return urlunsplit(parts._replace(netloc=f"{name}:a@{parts.netloc.rpartition('@')[2]}"))

    yield make
    for name in made:
        asyncio.run(alter(server_url, f"drop database {name} with (force)"))
        asyncio.run(alter(server_url, f"drop role {name}"))


def test_an_owner_who_is_no_superuser_migrates_as_often_as_a_node_starts(owned: Callable[[str], str]) -> None:
    """As on a managed PostgreSQL."""
    url = owned("createrole")

    async def run() -> None:
        assert len(await migrate.migrate(url, SECRET)) == len(migrate.files())
        assert await migrate.migrate(url, SECRET) == []
        db = await pool.connect(*(migrate.role_url(url, role, SECRET) for role in migrate.ROLES))
        assert (await accounts.bootstrap(db)).owner.id
        await db.close()

    asyncio.run(run())


def test_an_owner_who_may_not_make_roles_is_told_what_it_lacks(owned: Callable[[str], str], db: pool.Database) -> None:
    with pytest.raises(errors.Misconfigured, match="CREATEROLE"):
        asyncio.run(migrate.migrate(owned("nocreaterole"), SECRET))


@pytest.mark.parametrize(
    ("given", "words"),
    [("mysql://a@b/c", "scheme"), ("/another", "does not exist")],
)
async def test_an_address_that_cannot_be_used_says_which_setting(database_url: str, given: str, words: str) -> None:
    url = urlunsplit(urlsplit(database_url)._replace(path=given)) if given.startswith("/") else given
    for refused in (migrate.migrate(url, SECRET), migrate.pending(url)):
        with pytest.raises(errors.Misconfigured, match=f"RETINUE_DATABASE_URL.*{words}"):
            await refused


def test_migrations_go_past_a_pooler_with_the_owners_name() -> None:
    pooled = "postgresql://owner:s%40c@pooler:6432/app?sslmode=require"
    assert migrate.direct_url(pooled, None) == pooled
    assert migrate.direct_url(pooled, "postgresql://db:5432/app") == "postgresql://owner:s%40c@db:5432/app"
    assert migrate.direct_url(pooled, "postgresql://other@db:5432/app") == "postgresql://other@db:5432/app"

"""Migrations: applied once, refused when the database does not fit."""

import asyncpg
import pytest

from retinue import errors
from retinue.db import migrate
from tests.conftest import SECRET


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

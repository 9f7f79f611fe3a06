"""Row-level security holds even where the code would not: the application's role can do nothing about it."""

import asyncpg
import pytest

from retinue.db import migrate
from retinue.db.pool import Database
from retinue.domain import ids
from tests.api import seeds
from tests.api.conftest import Stranger, World
from tests.conftest import SECRET

TENANT_TABLES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'retinue' and c.relkind = 'r' and exists (
    select from pg_attribute a where a.attrelid = c.oid and a.attname = 'account_id' and not a.attisdropped)
order by 1
"""


async def tables(database_url: str) -> list[str]:
    connection = await asyncpg.connect(database_url)
    try:
        return [row["relname"] for row in await connection.fetch(TENANT_TABLES)]
    finally:
        await connection.close()


@pytest.mark.requirement("PRN-14", "SCH-23")
async def test_a_query_without_a_filter_sees_one_account(
    db: Database, world: World, stranger: Stranger, database_url: str
) -> None:
    await seeds.seed(db, world)
    names = await tables(database_url)
    assert len(names) > 20
    other = stranger.world.owner.account_id
    async with db.tenant_tx(other) as tx:
        for name in names:
            foreign = await tx.fetchval(f"select count(*) from {name} where account_id <> $1", other)
            assert foreign == 0, name
        assert await tx.fetchval("select count(*) from account") == 1


@pytest.mark.requirement("SCH-23")
async def test_without_a_tenant_nothing_is_seen(db: Database, world: World, database_url: str) -> None:
    await seeds.seed(db, world)
    connection = await asyncpg.connect(migrate.role_url(database_url, "retinue_app", SECRET))
    try:
        for name in [*await tables(database_url), "account"]:
            assert await connection.fetchval(f"select count(*) from {name}") == 0, name
    finally:
        await connection.close()


@pytest.mark.requirement("PRN-14", "SCH-23")
async def test_rows_cannot_be_written_into_or_moved_to_another_account(
    db: Database, world: World, stranger: Stranger
) -> None:
    mine, theirs = stranger.world.owner.account_id, world.owner.account_id
    insert = "insert into team (account_id, id, name, slug) values ($1, $2, 'x', 'x')"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.tenant_tx(mine) as tx:
            await tx.execute(insert, theirs, ids.new())
    async with db.tenant_tx(mine) as tx:
        await tx.execute(insert, mine, ids.new())
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.tenant_tx(mine) as tx:
            await tx.execute("update team set account_id = $1", theirs)
    async with db.tenant_tx(mine) as tx:
        assert await tx.execute("update app_user set name = 'x' where account_id = $1", theirs) == "UPDATE 0"
        assert await tx.execute("delete from api_key where account_id = $1", theirs) == "DELETE 0"


@pytest.mark.requirement("SCH-23")
@pytest.mark.parametrize("role", ["retinue_app", "retinue_system"])
async def test_the_applications_roles_cannot_lift_the_rules(database_url: str, world: World, role: str) -> None:
    connection = await asyncpg.connect(migrate.role_url(database_url, role, SECRET))
    try:
        for sql in (
            "set role postgres", "set session authorization postgres", "set role retinue_owner",
            "alter table app_user disable row level security", "alter table app_user no force row level security",
            "drop policy tenant on app_user", "create policy mine on app_user using (true)",
            f"alter role {role} bypassrls", "grant postgres to current_user",
            "alter table audit_event disable trigger all",
            "create function retinue.current_account() returns uuid language sql as 'select null::uuid'",
            "create or replace function retinue.current_account() returns uuid language sql as 'select null::uuid'",
            "copy app_user to program 'cat'", "set session_replication_role = replica", "truncate team",
            "update audit_event set event = 'x'", "delete from audit_event", "create table retinue.mine (id int)",
            "delete from migration", "insert into config_snapshot values (null)" if role == "retinue_system" else
            "insert into account (id, name, slug) values (gen_random_uuid(), 'x', 'x')",
        ):  # fmt: skip
            with pytest.raises(asyncpg.PostgresError) as refused:
                await connection.execute(sql)
            assert refused.value.sqlstate in ("42501", "42704", "22023", "42710"), f"{sql}: {refused.value!r}"
        flags = await connection.fetchrow(
            "select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = $1", role
        )
        assert flags is not None and not any(flags)
        owned = await connection.fetchval("select count(*) from pg_class where relowner = $1::regrole", role)
        assert owned == 0
    finally:
        await connection.close()


@pytest.mark.requirement("SCH-23")
async def test_every_tenant_table_forces_its_rules(database_url: str, db: Database) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        loose = await connection.fetch(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = 'retinue' and c.relkind = 'r' and not (c.relrowsecurity and c.relforcerowsecurity) "
            "and c.relname = any($1)", [*await tables(database_url), "account"],
        )  # fmt: skip
    finally:
        await connection.close()
    # stream_chunk holds what journals hold and is unlogged; it is a tenant table like any other
    assert [row["relname"] for row in loose] == []


async def test_the_tenant_of_one_transaction_does_not_leak_into_the_next(db: Database, world: World) -> None:
    async with db.tenant_tx(world.owner.account_id) as tx:
        assert await tx.fetchval("select count(*) from app_user") == 1
    for _ in range(20):  # whichever pooled connection comes
        assert await db.call("select count(*) from app_user") == 0

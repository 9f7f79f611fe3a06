"""Every query of a tenant table names its tenant, but for those that say why not and run as the system role."""

from pathlib import Path

import asyncpg

from tests.contracts import tenant_queries
from tests.contracts.tenant_queries import Statement

SRC = Path(__file__).resolve().parents[2] / "src" / "retinue"
CROSS_TENANT = {
    "sweep_v1": "finds turns that no queue entry stands for, in every account",
}
"""Functions of the database that look across tenants, each with its reason. The application role sees nothing there."""


async def tenant_tables(database_url: str) -> set[str]:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch(
        "select table_name from information_schema.columns "
        "where table_schema = 'retinue' and column_name = 'account_id'"
    )
    await connection.close()
    return {row["table_name"] for row in rows}


def all_statements() -> list[Statement]:
    return [found for path in sorted(SRC.rglob("*.py")) for found in tenant_queries.statements(path)]


async def test_every_query_of_a_tenant_table_filters_by_account(database_url: str) -> None:
    tenants = await tenant_tables(database_url)
    bad = [
        f"{found.path.relative_to(SRC)}:{found.line}: {lacking}"
        for found in all_statements()
        if not found.escaped and (lacking := tenant_queries.lacks_tenant(found.text, tenants))
    ]
    assert not bad, "Filter by account_id, or say why not: # cross-tenant: <reason>\n" + "\n".join(bad)


def test_every_cross_tenant_query_is_called_only_as_the_system_role() -> None:
    bad: list[str] = []
    for found in all_statements():
        if found.escaped and found.function:
            calls = tenant_queries.callers(SRC, found.path.stem, found.function)
            bad += [f"{path.relative_to(SRC)}:{line}: {found.function}" for path, line, inside in calls if not inside]
    assert not bad, "Call it within `async with db.system_tx()`:\n" + "\n".join(bad)


async def test_every_function_of_the_database_filters_by_account(database_url: str) -> None:
    tenants = await tenant_tables(database_url)
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("select proname, prosrc from pg_proc where pronamespace = 'retinue'::regnamespace")
    await connection.close()
    bad = {
        row["proname"]: " ".join(statement.split())[:120]
        for row in rows
        for statement in tenant_queries.body_statements(row["prosrc"])
        if row["proname"] not in CROSS_TENANT and tenant_queries.lacks_tenant(statement, tenants)
    }
    assert not bad, "\n".join(f"{name}: {text}" for name, text in bad.items())
    assert not set(CROSS_TENANT) - {row["proname"] for row in rows}, "a listed function is gone: take it off the list"


def test_a_query_that_forgets_its_tenant_is_found() -> None:
    tenants = {"agent", "thread", "step"}
    for bad in (
        "select * from agent where id = $1",
        "select 1 from agent a join thread t on t.id = a.id where a.account_id = $1",
        "select 1 from agent a, thread t where a.account_id = $1",
        "update step set state = 'x' where id = $1",
        "delete from only step",
        "select 'account_id' from step",
        "select account_id, id from step where seq = $1",
    ):
        assert tenant_queries.lacks_tenant(bad, tenants), bad
    for good in (
        "select * from agent where account_id = $1",
        "select intake_v1($1)",
        "insert into step (account_id, id) values ($1, $2)",
        "select 1 from agent a join thread t on t.account_id = a.account_id and t.id = a.id where a.account_id = $1",
        "select now()",
    ):
        assert not tenant_queries.lacks_tenant(good, tenants), good

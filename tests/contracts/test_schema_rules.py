"""The schema keeps tenants apart and can be distributed by tenant: proved from the catalogue of a migrated database."""

from collections.abc import AsyncIterator
from enum import StrEnum

import asyncpg
import pytest

from retinue.db import migrate
from retinue.domain import agents, assignments, channels, roles, tools, turns, waits

REFERENCE = {"account", "agent_catalog"}
"""What a tenant table may point at without account_id on the other side: its own account, and shared catalogues."""
NO_TENANT = {"node", "agent_catalog", "migration", "audit_key", "audit_mark", "key_rotation"}
"""The installation's own tables."""
ENUMS: dict[str, type[StrEnum]] = {
    "agent.trust_level": agents.TrustLevel,
    "agent.default_trigger_mode": agents.TriggerMode,
    "agent.capability_level": agents.CapabilityLevel,
    "agent.deployment_state": agents.DeploymentState,
    "agent.status": agents.AgentStatus,
    "agent_assignment.scope": assignments.AssignmentScope,
    "agent_registry.registry_tier": roles.RegistryTier,
    "channel.kind": channels.ChannelKind,
    "channel.input_policy": channels.InputPolicy,
    "channel_member.trigger_mode": agents.TriggerMode,
    "interaction.state": turns.State,
    "step.kind": turns.StepKind,
    "step.state": turns.StepState,
    "step.effect": tools.Effect,
    "tool.effect": tools.Effect,
    "tool.trust_level_required": agents.TrustLevel,
    "wait.kind": waits.WaitKind,
    "wait.state": waits.WaitState,
    "worker_role.autonomy_tier": roles.AutonomyTier,
}
CLOSED = ("state", "status", "kind", "role", "mode", "type", "effect", "policy", "level", "delivery")
"""A text column whose name ends so is one of a closed list of words, and the database must refuse any other."""

TABLES = """
select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
       exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'account_id') as tenant
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'retinue' and c.relkind in ('r', 'p') order by 1
"""
UNIQUES = """
select c.relname as on_table, i.relname as name, x.indisprimary as is_primary,
       array(select coalesce(a.attname, '(expression)') from unnest(x.indkey::int[]) with ordinality k(num, place)
             left join pg_attribute a on a.attrelid = c.oid and a.attnum = k.num order by k.place) as columns
from pg_index x join pg_class c on c.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'retinue' and (x.indisunique or $1) and x.indisvalid order by 1, 2
"""
FOREIGN_KEYS = """
select c.relname as on_table, t.relname as to_table, f.conname as name,
       array(select a.attname from unnest(f.conkey) with ordinality k(num, place)
             join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.num order by k.place) as columns,
       array(select a.attname from unnest(f.confkey) with ordinality k(num, place)
             join pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.num order by k.place) as targets
from pg_constraint f join pg_class c on c.oid = f.conrelid join pg_class t on t.oid = f.confrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'retinue' and f.contype = 'f' order by 1, 3
"""
POLICIES = """
select tablename as on_table, policyname as name, roles::text[] as roles, cmd, qual, with_check
from pg_policies where schemaname = 'retinue' and permissive = 'PERMISSIVE'
"""
TEXT_COLUMNS = """
select c.table_name || '.' || c.column_name as name from information_schema.columns c
join information_schema.tables t using (table_schema, table_name)
where c.table_schema = 'retinue' and c.data_type = 'text' and t.table_type = 'BASE TABLE' order by 1
"""
CHECKS = """
select c.relname || '.' || a.attname as name, pg_get_constraintdef(k.oid) as definition
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum = any(k.conkey)
where n.nspname = 'retinue' and k.contype = 'c'
union all
select c.relname || '.' || a.attname, pg_get_constraintdef(k.oid)
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
join pg_constraint k on k.contypid = a.atttypid
where n.nspname = 'retinue' and c.relkind = 'r' and not a.attisdropped
"""
OWNED = """
select 'relation ' || c.relname from pg_class c where c.relowner = $1::regrole
union all select 'function ' || p.proname from pg_proc p where p.proowner = $1::regrole
union all select 'schema ' || n.nspname from pg_namespace n where n.nspowner = $1::regrole
union all select 'type ' || t.typname from pg_type t where t.typowner = $1::regrole
union all select 'database ' || d.datname from pg_database d where d.datdba = $1::regrole
"""
POWERS = """
select r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication
       or exists (select from pg_auth_members m where m.member = r.oid)
from pg_roles r where r.rolname = $1
"""


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await connection.execute("set search_path = retinue, public")
    yield connection
    await connection.close()


async def tenant_tables(owner: asyncpg.Connection) -> set[str]:
    return {row["name"] for row in await owner.fetch(TABLES) if row["tenant"]}


@pytest.mark.requirement("SCH-23", "PRN-14")
async def test_every_tenant_table_has_forced_row_security(owner: asyncpg.Connection) -> None:
    bad = [
        row["name"]
        for row in await owner.fetch(TABLES)
        if row["name"] not in NO_TENANT and not (row["enabled"] and row["forced"])
    ]
    assert not bad


@pytest.mark.requirement("SCH-23")
async def test_every_table_belongs_to_a_tenant_or_is_listed_as_the_installations_own(owner: asyncpg.Connection) -> None:
    assert {row["name"] for row in await owner.fetch(TABLES)} - await tenant_tables(owner) == NO_TENANT | {"account"}


@pytest.mark.requirement("SCH-23", "PRN-14")
async def test_the_application_role_sees_exactly_one_account(owner: asyncpg.Connection) -> None:
    policies = await owner.fetch(POLICIES)
    bad: list[str] = []
    for table in await tenant_tables(owner) | {"account"}:
        column = "id" if table == "account" else "account_id"
        mine = [row for row in policies if row["on_table"] == table and {"retinue_app", "public"} & set(row["roles"])]
        expected = f"({column} = current_account())"
        if [(row["cmd"], row["qual"], row["with_check"]) for row in mine] != [("ALL", expected, expected)]:
            bad.append(f"{table}: {[dict(row) for row in mine]}")
    assert not bad


async def test_account_id_leads_every_unique_index_of_a_tenant_table(owner: asyncpg.Connection) -> None:
    tenants = await tenant_tables(owner)
    rows = await owner.fetch(UNIQUES, False)
    bad = [f"{r['name']} {r['columns']}" for r in rows if r["on_table"] in tenants and r["columns"][0] != "account_id"]
    assert not bad
    assert {row["on_table"] for row in rows if row["is_primary"]} >= tenants, "a tenant table has no primary key"


async def test_account_id_leads_every_foreign_key_between_tenant_tables(owner: asyncpg.Connection) -> None:
    tenants = await tenant_tables(owner)
    bad: list[str] = []
    for row in await owner.fetch(FOREIGN_KEYS):
        if row["to_table"] in REFERENCE:
            continue
        if row["on_table"] not in tenants or (row["columns"][0], row["targets"][0]) != ("account_id", "account_id"):
            bad.append(f"{row['name']} {row['columns']} -> {row['to_table']} {row['targets']}")
    assert not bad


@pytest.mark.requirement("SCH-22")
async def test_every_foreign_key_has_an_index_that_begins_with_its_columns(owner: asyncpg.Connection) -> None:
    indexes = await owner.fetch(UNIQUES, True)
    bad: list[str] = []
    for key in await owner.fetch(FOREIGN_KEYS):
        # ids are unique by themselves: an index that leaves account_id out finds the same rows (see 0001_tables.sql)
        own = [column for column in key["columns"] if column != "account_id"] or key["columns"]
        if not any(
            set(index["columns"][: len(key["columns"])]) == set(key["columns"]) or index["columns"][: len(own)] == own
            for index in indexes
            if index["on_table"] == key["on_table"]
        ):
            bad.append(f"{key['name']} on {key['on_table']} {key['columns']}")
    assert not bad


@pytest.mark.requirement("SCH-22")
async def test_every_column_of_a_closed_list_of_words_has_a_check(owner: asyncpg.Connection) -> None:
    checked = {row["name"] for row in await owner.fetch(CHECKS)}
    columns = [row["name"] for row in await owner.fetch(TEXT_COLUMNS)]
    assert not [name for name in columns if name.endswith(CLOSED) and name not in checked]
    assert not await owner.fetch("select from pg_type where typtype = 'e' and typnamespace = 'retinue'::regnamespace")


@pytest.mark.requirement("SCH-22")
@pytest.mark.parametrize("column", ENUMS)
async def test_the_check_and_the_enum_name_the_same_words(owner: asyncpg.Connection, column: str) -> None:
    words = {
        word
        for row in await owner.fetch(CHECKS)
        if row["name"] == column and "ARRAY[" in row["definition"]
        for word in row["definition"].split("'")[1::2]
    }
    assert words == {word.value for word in ENUMS[column]}


@pytest.mark.requirement("SCH-23")
@pytest.mark.parametrize("role", migrate.ROLES)
async def test_an_application_role_owns_nothing_and_has_no_powers(owner: asyncpg.Connection, role: str) -> None:
    assert not await owner.fetch(OWNED, role)
    assert await owner.fetchval(POWERS, role) is False


@pytest.mark.requirement("AUD-03")
async def test_audit_can_only_be_added_to(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(
        "select grantee, privilege_type from information_schema.role_table_grants "
        "where table_schema = 'retinue' and table_name = 'audit_event' and grantee = any($1)",
        list(migrate.ROLES),
    )
    assert {row["privilege_type"] for row in rows} <= {"INSERT", "SELECT"}
    assert await owner.fetchval("select count(*) from pg_trigger where tgrelid = 'retinue.audit_event'::regclass") >= 1


async def test_no_function_runs_with_its_owners_rights(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch("select proname from pg_proc where prosecdef and pronamespace = 'retinue'::regnamespace")
    assert not [row["proname"] for row in rows]

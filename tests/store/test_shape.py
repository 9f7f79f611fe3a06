"""The shape of the schema: names, tables and columns that the specification fixes."""

from collections import defaultdict

import asyncpg
import pytest

COLUMNS = """
select c.relname as on_table, a.attname as name, format_type(a.atttypid, a.atttypmod) as kind
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'retinue'::regnamespace and c.relkind = 'r'
"""


async def columns(url: str) -> dict[str, dict[str, str]]:
    connection = await asyncpg.connect(url)
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in await connection.fetch(COLUMNS):
        found[row["on_table"]][row["name"]] = row["kind"]
    await connection.close()
    return found


@pytest.mark.requirement("SCH-01", "CON-51")
async def test_tables_are_singular(database_url: str) -> None:
    plural = [name for name in await columns(database_url) if name.endswith("s") and not name.endswith("ss")]
    assert plural == []


@pytest.mark.requirement("SCH-02", "SCH-04", "SCH-08", "SCH-19", "AGT-05")
@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        ("agent_catalog", "name slug category default_system_prompt default_model default_trust_level default_tool_ids "
         "tier version default_trigger_mode"),
        ("tool", "slug name type schema return_schema config endpoint trust_level_required requires_approval"),
        ("user_agent_config", "user_id agent_id credentials preferences overrides"),
        ("interaction", "parent_id agent_id depth state attempt config_hash"),
        ("agent", "system_prompt model trust_level default_trigger_mode status delegation_set max_delegation_depth "
         "capability_level accent_colour avatar execution"),
    ],
)  # fmt: skip
async def test_a_table_has_the_columns_of_the_specification(database_url: str, table: str, wanted: str) -> None:
    assert set(wanted.split()) <= set((await columns(database_url))[table])


@pytest.mark.requirement("AGT-05")
async def test_an_agent_row_holds_no_conversation_state(database_url: str) -> None:
    agent = (await columns(database_url))["agent"]
    assert not {name for name in agent if "message" in name or "thread" in name or "history" in name}


@pytest.mark.requirement("SCH-24")
async def test_every_time_carries_its_zone(database_url: str) -> None:
    found = await columns(database_url)
    naive = [(table, name) for table, named in found.items() for name, kind in named.items() if "without time" in kind]
    assert naive == []
    assert found["message"]["created_at"] == "timestamp with time zone"


@pytest.mark.requirement("COST-18")
async def test_money_and_tokens_are_whole_numbers(database_url: str) -> None:
    found = await columns(database_url)
    kinds = {kind for named in found.values() for name, kind in named.items() if name.endswith(("_micro", "_tokens"))}
    assert kinds == {"bigint"}

"""What was used: exact, also when many turns count at once."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from retinue.db.pool import Database, Tx
from retinue.domain import ids
from retinue.domain.agents import NewAgent
from retinue.domain.channels import ChannelKind, NewChannel
from retinue.domain.usage import Dimension, UsageQuery, UsageRow
from retinue.store import agents, channels, usage
from tests.store.conftest import Office

COUNT = "select count_usage_v1($1, $2, $3, $4, $5, $6, $7, $8)"
EVENT = """
insert into token_event (account_id, id, agent_id, user_id, interaction_id, step_seq, model, tool, input_tokens,
                         output_tokens, cost_micro, currency)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""


async def make_agent(db: Database, office: Office, name: str = "Ann") -> UUID:
    async with db.tenant_tx(office.account_id) as tx:
        return (await agents.create(tx, office.admin, NewAgent(name=name))).id


async def event(tx: Tx, office: Office, agent: UUID, turn: UUID, seq: int, **row: Any) -> None:
    await tx.execute(
        EVENT, office.account_id, ids.new(), agent, row.get("user"), turn, seq, row.get("model"), row.get("tool"),
        row.get("tokens", 0), row.get("tokens", 0), row.get("cost"), row.get("currency", "USD"),
    )  # fmt: skip


@pytest.mark.requirement("COST-05", "COST-18")
async def test_sums_are_exact_under_concurrent_counting(db: Database, office: Office) -> None:
    both = [await make_agent(db, office), await make_agent(db, office, "Bea")]
    per_agent, cost = 60, 10**15 + 1

    async def count(number: int) -> None:
        async with db.tenant_tx(office.account_id) as tx:
            unknown = number % 6 == 0
            await tx.execute(COUNT, office.account_id, both[number % 2], 1, 2, 3, 10**12, 7, None if unknown else cost)

    async with asyncio.TaskGroup() as group:
        for number in range(2 * per_agent):
            group.create_task(count(number))
    async with db.tenant_tx(office.account_id) as tx:
        rows = await usage.list_totals(tx, office.admin, UsageQuery())
        whole = await usage.list_totals(tx, office.admin, UsageQuery(by=()))
        shards = await tx.fetchval("select count(*) from usage_counter where account_id = $1", office.account_id)
    assert {row.agent_id for row in rows} == set(both)
    assert shards > 2, "else nothing was counted at the same time"
    for row in rows:
        unpriced = 20 if row.agent_id == both[0] else 0
        assert row.interactions == per_agent
        assert (row.model_calls, row.tool_calls, row.input_tokens) == (120, 180, per_agent * 10**12)
        assert row.unpriced == unpriced
        assert row.cost.amount_micro == (per_agent - unpriced) * cost
    assert whole[0].cost.amount_micro == sum(row.cost.amount_micro for row in rows)


@pytest.mark.requirement("COST-10", "COST-17", "COST-18")
async def test_usage_is_broken_down_by_model_tool_user_and_team(db: Database, office: Office) -> None:
    agent = await make_agent(db, office)
    async with db.tenant_tx(office.account_id) as tx:
        new = NewChannel(kind=ChannelKind.TEAM, name="T", team_id=office.team_id)
        channel = (await channels.create(tx, office.admin, new)).id
        thread, turn, other = ids.new(), ids.new(), ids.new()
        await tx.execute("insert into thread (account_id, id, agent_id, owner) values ($1, $2, $3, 'system:a:b')",
                         office.account_id, thread, agent)  # fmt: skip
        await tx.execute(
            "insert into interaction (account_id, id, agent_id, thread_id, channel_id) values ($1, $2, $3, $4, $5)",
            office.account_id, turn, agent, thread, channel,
        )  # fmt: skip
        member, lead = office.member.user_id, office.lead.user_id
        await event(tx, office, agent, turn, 1, user=member, model="a/1", tokens=10, cost=5)
        await event(tx, office, agent, turn, 2, user=member, model="a/1", tokens=1, cost=None)
        await event(tx, office, agent, turn, 3, user=member, tool="web_search", cost=7)
        await event(tx, office, agent, other, 1, user=lead, model="b/2", tokens=2, cost=3)
        await event(tx, office, agent, other, 2, user=lead, model="c/3", tokens=2, cost=9, currency="EUR")

        async def totals(*by: Dimension, **wanted: Any) -> list[UsageRow]:
            return await usage.list_totals(tx, office.admin, UsageQuery(by=by, **wanted))

        models = {row.model: row for row in await totals(Dimension.MODEL)}
        users = await totals(Dimension.USER, user_id=member)
        teams = {(row.team_id, row.cost.currency): row.cost.amount_micro for row in await totals(Dimension.TEAM)}
        tools = {row.tool: row.tool_calls for row in await totals(Dimension.TOOL, user_id=member)}
        one_model = await totals(Dimension.DAY, model="b/2")
        none = await totals(Dimension.MODEL, until=date(2020, 1, 1))
        mine = await usage.list_totals(tx, office.lead, UsageQuery())
        nobodys = await usage.list_totals(tx, office.colleague, UsageQuery(user_id=member))
        page = await usage.list_totals(tx, office.admin, UsageQuery(by=(Dimension.MODEL,)), offset=1, limit=2)
    assert (models["a/1"].model_calls, models["a/1"].unpriced, models["a/1"].cost.amount_micro) == (2, 1, 5)
    assert (models["c/3"].cost.currency, models[None].tool_calls) == ("EUR", 1)
    assert [(row.user_id, row.interactions, row.cost.amount_micro) for row in users] == [(member, 1, 12)]
    assert teams == {(office.team_id, "USD"): 12, (None, "USD"): 3, (None, "EUR"): 9}
    assert tools == {None: 0, "web_search": 1}
    assert [row.model_calls for row in one_model] == [1]
    assert none == []
    assert sorted((row.cost.amount_micro, row.cost.currency) for row in mine) == [(3, "USD"), (9, "EUR")]
    assert nobodys == []
    assert [row.model for row in page] == ["b/2", "c/3"]


async def test_days_are_bounded_on_both_sides(db: Database, office: Office, other_office: Office) -> None:
    agent = await make_agent(db, office)
    async with db.tenant_tx(office.account_id) as tx:
        await tx.execute(COUNT, office.account_id, agent, 1, 0, 0, 0, 0, 0)
        today = await tx.fetchval("select (clock() at time zone 'utc')::date")
        for since, until, expected in (
            (today, None, 1), (today + timedelta(days=1), None, 0), (None, today, 0), (today, today + timedelta(1), 1),
        ):  # fmt: skip
            rows = await usage.list_totals(tx, office.owner, UsageQuery(since=since, until=until))
            assert len(rows) == expected
        assert await usage.list_totals(tx, office.owner, UsageQuery(agent_id=ids.new())) == []
    async with db.tenant_tx(other_office.account_id) as tx:
        assert await usage.list_totals(tx, other_office.owner, UsageQuery()) == []

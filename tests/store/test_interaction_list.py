"""The list of turns: filters, order, names without a query for each row, and 10,000 rows."""

import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from retinue import errors
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Bootstrapped, Principal, Role
from retinue.store import accounts, interactions
from retinue.store.interactions import AFTER, PAGES, Filter, Sort
from retinue.telemetry import clock

MANY = 10_000
TURNS = """
with made as (
    select new_id() as id, new_id() as asked, new_id() as said, n from generate_series(1, $6::int) n),
turns as (
    insert into interaction (account_id, id, agent_id, thread_id, channel_id, message_id, reply_message_id, user_id,
                             state, cost_micro, running_seconds, created_at)
    select $1, id, $2, $3, $4, asked, said, $5, case when n % 50 = 0 then 'failed' else 'succeeded' end,
           n % 97 * 1000, (n % 13) / 8.0, clock() - make_interval(secs => $6 - n) from made),
calls as (
    insert into step (account_id, interaction_id, seq, kind, state, tool)
    select $1, id, 2, 'act', 'success', 'web_search' from made where n % 100 = 0),
models as (
    insert into token_event (account_id, id, agent_id, interaction_id, step_seq, model)
    select $1, new_id(), $2, id, 1, 'script/1' from made)
insert into message (account_id, id, channel_id, seq, author_kind, user_id, content)
select $1, asked, $4, 2 * n, 'user', $5, 'question ' || n from made
union all
select $1, said, $4, 2 * n + 1, 'agent', null, 'answer ' || n from made
"""


async def seeded(db: Database, count: int) -> tuple[Bootstrapped, Principal]:
    world = await accounts.bootstrap(db)
    account, thread = world.account.id, ids.new()
    async with db.tenant_tx(account) as tx:
        await tx.execute(
            "insert into thread (account_id, id, agent_id, owner) values ($1, $2, $3, 'system:x')",
            account, thread, world.agent.id,
        )  # fmt: skip
        channel = world.private_channel.id
        await tx.execute(TURNS, account, world.agent.id, thread, channel, world.owner.id, count)
    return world, Principal(account_id=account, user_id=world.owner.id, role=Role.OWNER)


async def everything(db: Database, who: Principal, wanted: Filter, limit: int = 7) -> list[Any]:
    """All pages, in order."""
    found: list[Any] = []
    after: interactions.Place | None = None
    async with db.tenant_tx(who.account_id) as tx:
        while rows := await interactions.page(tx, who, wanted, after=after, limit=limit):
            found += rows
            *value, last = interactions.place(rows[-1], wanted.sort)
            after = (value[0] if value else None, last)
    return found


@pytest.mark.parametrize("sort", list(Sort))
async def test_pages_of_every_order_give_each_turn_once(db: Database, sort: Sort) -> None:
    _, owner = await seeded(db, 60)
    rows = await everything(db, owner, Filter(sort=sort))
    assert len({row.id for row in rows}) == len(rows) == 60
    by: dict[Sort, Any] = {
        Sort.NEWEST: lambda row: row.id,
        Sort.OLDEST: lambda row: row.id,
        Sort.COST: lambda row: (row.cost.amount_micro, row.id),
        Sort.SLOWEST: lambda row: (row.running_seconds, row.id),
    }
    assert rows == sorted(rows, key=by[sort], reverse=sort is not Sort.OLDEST)


async def test_rows_carry_the_names_of_agent_channel_person_and_model(db: Database) -> None:
    world, owner = await seeded(db, 1)
    [row] = await everything(db, owner, Filter())
    names = (row.agent_name, row.channel_name, row.user_name, row.model)
    assert names == (world.agent.name, world.private_channel.name, world.owner.name, "script/1")
    async with db.tenant_tx(owner.account_id) as tx:
        one = await interactions.access(tx, owner, row.id)
    assert (one.agent_name, one.channel_name, one.user_name, one.model) == names


async def test_filters_narrow_the_list(db: Database) -> None:
    world, owner = await seeded(db, 200)
    hour = timedelta(hours=1)
    sizes: list[tuple[dict[str, Any], int]] = [
        ({"state": "failed"}, 4),
        ({"tool": "web_search"}, 2),
        ({"tool": "web_fetch"}, 0),
        ({"min_cost_micro": 96_000}, 2),
        ({"min_cost_micro": 96_001}, 0),
        ({"agent_id": world.agent.id}, 200),
        ({"agent_id": ids.new()}, 0),
        ({"channel_id": world.private_channel.id, "user_id": owner.user_id}, 200),
        ({"user_id": ids.new()}, 0),
        ({"parent_id": ids.new()}, 0),
        ({"since": clock.now() - hour}, 200),
        ({"since": clock.now() + hour}, 0),
        ({"until": clock.now() - hour}, 0),
        ({"until": clock.now() + hour}, 200),
        ({"q": "question 77"}, 1),
        ({"q": "answer 78"}, 1),
        ({"q": "nonsense"}, 0),
        ({"state": "failed", "q": "answer 50"}, 1),
    ]
    for wanted, size in sizes:
        assert len(await everything(db, owner, Filter(**wanted), 200)) == size, wanted


async def test_the_list_shows_what_the_single_turn_shows_and_nothing_more(db: Database) -> None:
    world, owner = await seeded(db, 5)
    guest = Principal(account_id=owner.account_id, user_id=ids.new(), role=Role.OWNER)
    shown = await everything(db, owner, Filter())
    assert len(shown) == 5
    assert await everything(db, guest, Filter()) == [], "a private channel is not an admin's to read"
    async with db.tenant_tx(owner.account_id) as tx:
        await tx.execute(
            "update interaction set delivery = 'direct', user_id = $2 where account_id = $1 and id = $3",
            owner.account_id, guest.user_id, shown[0].id,
        )  # fmt: skip
        await tx.execute(
            "update interaction set channel_id = null where account_id = $1 and id = $2",
            owner.account_id, shown[1].id,
        )  # fmt: skip
    for who in (owner, guest):
        listed = {row.id for row in await everything(db, who, Filter())}
        for row in shown:
            async with db.tenant_tx(owner.account_id) as tx:
                try:
                    await interactions.access(tx, who, row.id)
                except errors.NotFound:
                    assert row.id not in listed
                else:
                    assert row.id in listed
    assert world.owner.id == owner.user_id


def nodes(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


async def test_a_page_of_ten_thousand_turns_reads_a_page_and_names_it_in_one_query(db: Database) -> None:
    _, owner = await seeded(db, MANY)
    account: UUID = owner.account_id
    async with db.tenant_tx(account) as tx:
        args: list[Any] = [account, owner.user_id, True, *[None] * 7, False, False, *[None] * 6, 51]
        explained = await tx.fetchval(f"explain (analyze, format json) {PAGES[Sort.NEWEST]}", *args)
    plan = (json.loads(explained) if isinstance(explained, str) else explained)[0]["Plan"]
    read = [node for node in nodes(plan) if node.get("Relation Name") == "interaction"]
    assert [node["Node Type"] for node in read] == ["Index Scan"], read
    assert read[0]["Index Name"] == "interaction_pkey" and read[0]["Scan Direction"] == "Backward"
    assert read[0]["Actual Rows"] <= 51
    for sort in AFTER:
        started = time.monotonic()
        async with db.tenant_tx(account) as tx:
            rows = await interactions.page(tx, owner, Filter(sort=sort, q="answer"), after=None, limit=51)
        assert len(rows) == 51 and time.monotonic() - started < 2

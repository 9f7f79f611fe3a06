"""Budgets over HTTP: who sees which, and how they stand."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.domain import ids, meters
from retinue.domain.accounts import Principal, Role
from retinue.domain.meters import Demand
from retinue.store import meters as stored
from tests.api.conftest import Stranger, World, as_client, make_key, make_user, problem
from tests.api.test_live import feed, listening, until
from tests.store.spending import Books, budget


def rule(per: str, limit: int = 1000, **more: Any) -> dict[str, Any]:
    return {"type": "cost_limit", "per": per, "period": "month", "limit_micro": limit, **more}


def of(policy: UUID, subject: UUID, amount: int, limit: int = 1000) -> Demand:
    starts = meters.period_start("month", datetime.now(UTC))
    return budget(limit, amount, policy=policy, subject=subject, starts=starts)


async def spend(books: Books, demand: Demand, amount: int) -> None:
    turn = await books.turn()
    assert await books.reserve(turn, 1, [demand])
    assert await stored.settle(books.db, turn, 1, cost_micro=amount, tokens=0)


async def listed(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/budgets", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def lead_of_a_team(db: Database, world: World, role: str = "lead") -> tuple[UUID, Principal]:
    """A team, and one of its people."""
    _, person = await make_user(db, world, Role.MEMBER, f"{role}@team.test")
    team = ids.new()
    async with db.tenant_tx(world.owner.account_id) as tx:
        await tx.execute(
            "insert into team (account_id, id, name, slug) values ($1, $2, 'Sales', $3)",
            world.owner.account_id, team, team.hex,
        )  # fmt: skip
        await tx.execute(
            "insert into member (account_id, id, user_id, team_id, role) values ($1, $2, $3, $4, $5)",
            world.owner.account_id, ids.new(), person.user_id, team, role,
        )  # fmt: skip
    return team, person


@pytest.mark.requirement("COST-06", "COST-17", "COST-18")
async def test_an_admin_sees_each_budget_with_what_is_spent_held_and_left_and_where_that_leads(
    db: Database, client: httpx.AsyncClient, world: World
) -> None:
    account = world.owner.account_id
    books = Books(db, account)
    policy = await books.policy(rule("account", warn_at=[50]), name="All of us")
    await spend(books, of(policy, account, 600), 600)
    turn = await books.turn()
    assert await books.reserve(turn, 1, [of(policy, account, 100)])
    (found,) = await listed(client)
    assert (found["name"], found["per"], found["period"], found["layer"]) == (
        "All of us",
        "account",
        "month",
        "account",
    )
    assert found["subject"] == {"kind": "account", "id": ids.encode("acc", account), "name": world.made.account.name}
    numbers = {name: found[name]["amount_micro"] for name in ("limit", "spent", "reserved", "left")}
    assert numbers == {"limit": 1000, "spent": 600, "reserved": 100, "left": 300}
    assert found["forecast"]["amount_micro"] >= 600
    assert (found["warn_at"], found["warned"]) == ([50], 50)
    starts, ends = (datetime.fromisoformat(found[name]) for name in ("starts_at", "ends_at"))
    assert starts <= datetime.now(UTC) < ends
    assert timedelta(days=28) <= ends - starts <= timedelta(days=31)


async def test_a_budget_says_what_was_spent_before_it_was_written(
    db: Database, client: httpx.AsyncClient, world: World
) -> None:
    account = world.owner.account_id
    async with db.tenant_tx(account) as tx:
        await tx.execute("select count_usage_v1($1, $2, 1, 1, 0, 0, 0, 250)", account, world.made.agent.id)
    books = Books(db, account)
    policy = await books.policy(rule("account"))
    assert [row["spent"]["amount_micro"] for row in await listed(client)] == [250]
    await spend(books, of(policy, account, 100), 100)
    assert [row["spent"]["amount_micro"] for row in await listed(client)] == [350]


@pytest.mark.requirement("COST-17")
async def test_leads_see_their_teams_budgets_and_members_what_counts_for_themselves(
    app: FastAPI, db: Database, client: httpx.AsyncClient, world: World
) -> None:
    account = world.owner.account_id
    books = Books(db, account)
    team, lead = await lead_of_a_team(db, world)
    _, outsider = await lead_of_a_team(db, world, "member")
    everyone = await books.policy(rule("account"), name="everyone")
    each = await books.policy(rule("user"), name="each")
    teams = await books.policy(rule("user", 500), name="of the team", team=team)
    whole = await books.policy(rule("team", 800), name="whole team", team=team)
    own = await books.policy(rule("user", 50), name="my own", user=outsider.user_id)
    for policy, subject, limit in (
        (everyone, account, 1000), (each, lead.user_id, 1000), (each, outsider.user_id, 1000),
        (teams, outsider.user_id, 500), (whole, team, 800), (own, outsider.user_id, 50),
    ):  # fmt: skip
        await spend(books, of(policy, subject, 10, limit), 10)

    async def seen(principal: Principal) -> list[tuple[str, str | None]]:
        async with as_client(app, (await make_key(db, principal)).secret) as opened:
            return [(row["name"], row["subject"] and row["subject"]["kind"]) for row in await listed(opened)]

    admins = [
        ("everyone", "account"),
        ("each", "user"),
        ("each", "user"),
        ("of the team", "user"),
        ("whole team", "team"),
    ]
    assert await seen(world.owner) == admins
    assert await seen(lead) == [("each", "user"), ("of the team", "user"), ("whole team", "team")]
    assert await seen(outsider) == [("each", "user"), ("of the team", "user"), ("my own", "user")]


async def test_limits_of_single_turns_and_untouched_ones_stand_without_a_subject(
    db: Database, client: httpx.AsyncClient, world: World
) -> None:
    books = Books(db, world.owner.account_id)
    await books.policy(rule("interaction", period="total"), name="a turn")
    await books.policy(rule("agent", period="total"), name="an agent")
    off = await books.policy(rule("agent"), name="off")
    async with db.tenant_tx(books.account_id) as tx:
        await tx.execute(
            "update policy set enabled = false, version = 2 where account_id = $1 and id = $2", books.account_id, off
        )
    rows = await listed(client)
    assert [(row["name"], row["subject"], row["starts_at"], row["forecast"]) for row in rows] == [
        ("a turn", None, None, None),
        ("an agent", None, None, None),
    ]
    page = (await client.get("/v1/budgets?limit=1")).json()
    rest = await listed(client, after=page["next"])
    assert [row["name"] for row in rest] == ["an agent"]
    assert [row["name"] for row in await listed(client, policy_id=rest[0]["policy_id"])] == ["an agent"]


async def test_another_account_sees_none_of_it(db: Database, stranger: Stranger, world: World) -> None:
    books = Books(db, world.owner.account_id)
    policy = await books.policy(rule("account"))
    await spend(books, of(policy, books.account_id, 10), 10)
    assert await listed(stranger.client) == []
    assert await listed(stranger.client, policy_id=ids.encode("pol", policy)) == []


async def test_a_cursor_of_another_list_is_refused(client: httpx.AsyncClient) -> None:
    problem(await client.get("/v1/budgets?after=WyJ4Il0"), 422, "invalid_input")


async def test_a_warning_is_told_live_to_those_who_can_raise_the_budget_and_to_nobody_else(
    state: AppState, db: Database, world: World
) -> None:
    books = Books(db, world.owner.account_id)
    team, lead = await lead_of_a_team(db, world)
    _, outsider = await make_user(db, world, Role.MEMBER)
    policy = await books.policy(rule("team", warn_at=[50]), team=team)
    wide = await books.policy(rule("account", warn_at=[50]))
    own = await books.policy(rule("user", warn_at=[50]), user=outsider.user_id)
    names = {ids.encode("pol", id): name for id, name in ((policy, "team"), (wide, "account"), (own, "own"))}

    async def told(body: AsyncIterator[bytes], last: UUID) -> list[str]:
        return [names[id] for _, id, _ in await until(body, "budget", ids.encode("pol", last))]

    async with (
        listening(state), feed(state, lead) as leads, feed(state, outsider) as outsiders,
        feed(state, world.owner) as owners,
    ):  # fmt: skip
        await spend(books, of(policy, team, 600), 600)
        await spend(books, of(own, outsider.user_id, 600), 600)
        await spend(books, of(wide, world.owner.account_id, 600), 600)
        assert await told(owners, wide) == ["team", "account"]
        assert await told(leads, policy) == ["team"]
        assert await told(outsiders, own) == ["own"]

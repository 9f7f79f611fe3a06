"""Usage over HTTP."""

import csv
import io
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Role
from tests.api.conftest import World, as_client, make_key, make_user, problem


@pytest.mark.requirement("COST-10", "COST-17")
async def test_admins_see_the_account_and_members_their_own(
    app: FastAPI, db: Database, client: httpx.AsyncClient, world: World
) -> None:
    _, member = await make_user(db, world, Role.MEMBER)
    account, agent = world.owner.account_id, world.made.agent.id
    async with db.tenant_tx(account) as tx:
        for user, cost in ((member.user_id, 7), (world.owner.user_id, None)):
            await tx.execute("select count_usage_v1($1, $2, 1, 1, 0, 10, 5, $3)", account, agent, cost)
            await tx.execute(
                "insert into token_event (account_id, id, agent_id, user_id, interaction_id, step_seq, model, "
                "cost_micro) values ($1, $2, $3, $4, $5, 1, 'a/b', $6)",
                account, ids.new(), agent, user, ids.new(), cost,
            )  # fmt: skip
    (row,) = (await client.get("/v1/usage")).json()["data"]
    assert (row["interactions"], row["input_tokens"], row["unpriced"]) == (2, 20, 1)
    assert (row["agent_id"], row["cost"]) == (ids.encode("agt", agent), {"amount_micro": 7, "currency": "USD"})
    page = (await client.get("/v1/usage?by=user&limit=1")).json()
    rest = (await client.get("/v1/usage", params={"by": "user", "after": page["next"]})).json()
    assert len({one["user_id"] for one in (*page["data"], *rest["data"])}) == 2
    async with as_client(app, (await make_key(db, member)).secret) as other:
        for query in ("", "?by=model", f"?user_id={ids.encode('usr', world.owner.user_id)}"):
            (own,) = (await other.get(f"/v1/usage{query}")).json()["data"]
            assert own["cost"]["amount_micro"] == 7


async def used(db: Database, world: World, agent: UUID, user: UUID | None, model: str | None, cost: int | None) -> None:
    """One call of a model, or of a tool where there is none, as the turn's own SQL writes it."""
    account = world.owner.account_id
    async with db.tenant_tx(account) as tx:
        await tx.execute("select count_usage_v1($1, $2, 1, 1, 0, 10, 5, $3)", account, agent, cost)
        await tx.execute(
            "insert into token_event (account_id, id, agent_id, user_id, interaction_id, step_seq, model, tool, "
            "input_tokens, output_tokens, cost_micro) values ($1, $2, $3, $4, $5, 1, $6, $7, 10, 5, $8)",
            account, ids.new(), agent, user, ids.new(), model, None if model else "send_email", cost,
        )  # fmt: skip


@pytest.mark.requirement("COST-17", "COST-20")
async def test_usage_is_a_table_for_other_programs_in_which_nothing_is_a_formula(
    app: FastAPI, db: Database, client: httpx.AsyncClient, world: World
) -> None:
    _, member = await make_user(db, world, Role.MEMBER)
    agent = world.made.agent.id
    async with db.tenant_tx(world.owner.account_id) as tx:
        await tx.execute(
            "update agent set name = '=cmd(), \"x\"' where account_id = $1 and id = $2", world.owner.account_id, agent
        )
    await used(db, world, agent, member.user_id, "a/b", 1_250_000)
    await used(db, world, agent, None, None, 7)
    answer = await client.get("/v1/usage/export?by=agent&by=user&by=model&by=tool&by=team&by=day")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="usage-')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    by_model = {row["model"]: row for row in rows}
    assert by_model["a/b"] | {"day": ""} == {
        "day": "", "agent_id": ids.encode("agt", agent), "agent": "'=cmd(), \"x\"", "model": "a/b", "tool": "",
        "user_id": ids.encode("usr", member.user_id), "user": "Member", "team_id": "", "team": "", "interactions": "1",
        "model_calls": "1", "tool_calls": "0", "input_tokens": "10", "output_tokens": "5", "cost": "1.25",
        "currency": "USD", "unpriced": "0",
    }  # fmt: skip
    assert (by_model[""]["tool"], by_model[""]["cost"], by_model[""]["user"]) == ("send_email", "0.000007", "")
    async with as_client(app, (await make_key(db, member)).secret) as other:
        own = (await other.get("/v1/usage/export?by=model")).text.splitlines()
    assert own == [
        "model,interactions,model_calls,tool_calls,input_tokens,output_tokens,cost,currency,unpriced",
        "a/b,1,1,0,10,5,1.25,USD,0",
    ]


async def test_the_forecast_goes_on_as_the_period_began(db: Database, client: httpx.AsyncClient, world: World) -> None:
    empty = (await client.get("/v1/usage/forecast")).json()
    assert (empty["period"], empty["spent"]["amount_micro"], empty["forecast"]["amount_micro"]) == ("month", 0, 0)
    await used(db, world, world.made.agent.id, world.owner.user_id, "a/b", 1000)
    await used(db, world, ids.new(), None, "a/b", None)
    for period in ("day", "week", "month"):
        found = (await client.get(f"/v1/usage/forecast?period={period}")).json()
        starts, ends = (datetime.fromisoformat(found[name]) for name in ("starts_at", "ends_at"))
        now = datetime.now(UTC)
        assert starts <= now < ends
        assert (found["spent"]["amount_micro"], found["unpriced"]) == (1000, 1)
        expected = 1000 * ((ends - starts) / (now - starts))
        assert found["forecast"]["amount_micro"] == pytest.approx(expected, rel=0.02)
    other = {"agent_id": ids.encode("agt", ids.new())}
    assert (await client.get("/v1/usage/forecast", params=other)).json()["spent"]["amount_micro"] == 0
    problem(await client.get("/v1/usage/forecast?period=year"), 422, "invalid_input")


@pytest.mark.parametrize("query", ["by=colour", "since=yesterday", "model=%00", "agent_id=x", "after=WzEwMDAwMDAwMDBd"])
async def test_a_wrong_question_is_refused(client: httpx.AsyncClient, query: str) -> None:
    problem(await client.get(f"/v1/usage?{query}"), 422, "invalid_input")

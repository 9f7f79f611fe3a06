"""Usage over HTTP."""

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


@pytest.mark.parametrize("query", ["by=colour", "since=yesterday", "model=%00", "agent_id=x", "after=WzEwMDAwMDAwMDBd"])
async def test_a_wrong_question_is_refused(client: httpx.AsyncClient, query: str) -> None:
    problem(await client.get(f"/v1/usage?{query}"), 422, "invalid_input")

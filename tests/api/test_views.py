"""What people do in the web app goes straight to the API: as themselves, and without any agent."""

import httpx
import pytest
from fastapi import FastAPI

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Role
from tests.api.conftest import Stranger, World, as_client, make_key, make_user, problem


@pytest.mark.requirement("VIEW-01", "VIEW-02", "VIEW-27")
async def test_a_change_by_hand_is_the_users_own_and_takes_nothing_of_an_agents_governance(
    db: Database, client: httpx.AsyncClient, world: World
) -> None:
    agent = f"/v1/agents/{ids.encode('agt', world.made.agent.id)}"
    limited = {"limits": {"max_cost_micro": 0, "max_steps": 1}, "trust_level": "read"}
    assert (await client.patch(agent, json=limited)).status_code == 200
    assert (await client.patch(agent, json={"name": "Aide"})).status_code == 200, "an agent's limits limit the agent"
    channel = (await client.post("/v1/channels", json={"kind": "group", "name": "Plans"})).json()
    assert (await client.patch(f"/v1/channels/{channel['id']}", json={"name": "Plan"})).status_code == 200
    assert (await client.get(agent)).json()["name"] == "Aide", "there is one truth, and no copy to wait for"
    lines = (await client.get("/v1/audit", params={"limit": 4})).json()["data"]
    me = ids.encode("usr", world.owner.user_id)
    assert {(line["actor_type"], line["actor_id"]) for line in lines} == {("user", me)}
    async with db.tenant_tx(world.owner.account_id) as tx:
        for table in ("interaction", "step", "token_event", "usage_counter"):
            assert await tx.fetchval(f"select count(*) from {table} where account_id = $1", world.owner.account_id) == 0


@pytest.mark.requirement("VIEW-02")
async def test_views_show_nothing_without_a_sign_in_and_nothing_beyond_ones_role(
    app: FastAPI, db: Database, anonymous: httpx.AsyncClient, stranger: Stranger, world: World
) -> None:
    agent = f"/v1/agents/{ids.encode('agt', world.made.agent.id)}"
    for path in (agent, f"{agent}/activity", "/v1/interactions", "/v1/channels"):
        problem(await anonymous.get(path), 401, "not_signed_in")
    problem(await stranger.client.get(f"{agent}/activity"), 404, "not_found")
    problem(await stranger.client.patch(agent, json={"name": "Mine"}), 404, "not_found")
    _, member = await make_user(db, world, Role.MEMBER)
    async with as_client(app, (await make_key(db, member)).secret) as other:
        problem(await other.patch(agent, json={"name": "Mine"}), 403, "forbidden")

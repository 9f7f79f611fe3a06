"""Audit over HTTP: for admins of the account."""

import httpx
import pytest
from fastapi import FastAPI

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Role, Scope
from retinue.domain.audit import SYSTEM
from retinue.store import audit
from tests.api.conftest import World, as_client, make_key, make_user, problem


@pytest.mark.requirement("AUD-04", "AUD-15", "ROL-08")
async def test_admins_read_who_did_what_by_filter_and_page(
    db: Database, client: httpx.AsyncClient, world: World
) -> None:
    made = (await client.post("/v1/agents", json={"name": "Ann", "system_prompt": "very private"})).json()
    await client.patch(f"/v1/agents/{made['id']}", json={"status": "paused"})
    lines = (await client.get("/v1/audit?event=agent.")).json()["data"]
    assert [line["event"] for line in lines[:2]] == ["agent.update", "agent.create"]
    assert lines[0]["actor_id"] == ids.encode("usr", world.owner.user_id)
    assert (lines[0]["detail"]["agent_id"], lines[0]["detail"]["status"]) == (made["id"], "paused")
    assert "very private" not in str(lines)
    query = {"actor_id": lines[0]["actor_id"], "actor_type": "user", "limit": "1"}
    page = (await client.get("/v1/audit", params=query)).json()
    older = (await client.get("/v1/audit", params=query | {"after": page["next"]})).json()
    assert [page["data"][0]["event"], older["data"][0]["event"]] == ["agent.update", "agent.create"]
    turn = ids.new()
    async with db.tenant_tx(world.owner.account_id) as tx:
        for event in ("step.think", "agent_turn"):
            await audit.append(tx, account_id=world.owner.account_id, event=event, actor=SYSTEM, interaction_id=turn)
    story = (await client.get(f"/v1/interactions/{ids.encode('int', turn)}/audit")).json()["data"]
    assert [line["event"] for line in story] == ["step.think", "agent_turn"]
    problem(await client.get(f"/v1/interactions/{ids.encode('int', ids.new())}/audit"), 404, "not_found")


@pytest.mark.requirement("AUD-15")
async def test_nobody_else_reads_it(app: FastAPI, db: Database, world: World) -> None:
    _, member = await make_user(db, world, Role.MEMBER)
    for key in (await make_key(db, member), await make_key(db, world.owner, Scope.READ)):
        async with as_client(app, key.secret) as other:
            problem(await other.get("/v1/audit"), 403, "forbidden")
            problem(await other.get(f"/v1/interactions/{ids.encode('int', ids.new())}/audit"), 403, "forbidden")


@pytest.mark.parametrize("query", ["since=2026-01-01T00:00:00", "event=%00", "actor_type=robot", "interaction_id=1"])
async def test_a_wrong_question_is_refused(client: httpx.AsyncClient, query: str) -> None:
    problem(await client.get(f"/v1/audit?{query}"), 422, "invalid_input")

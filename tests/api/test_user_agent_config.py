"""``/v1/agents/{agent_id}/my-config`` over HTTP: one's own, nobody else's, and no secret ever comes back."""

import base64
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Role, Scope
from retinue.domain.user_agent_config import MOST_CREDENTIALS, UserAgentConfigChange
from retinue.settings import Settings
from retinue.store import data_keys, wrapping
from retinue.store.secrets import Sealer
from tests.api.conftest import Stranger, World, as_client, make_key, make_user, problem

SECRET = "open-sesame-4711"
NOTHING = {"locale": None, "time_zone": None, "reply_length": None, "style": None}


def path(world: World) -> str:
    return f"/v1/agents/{ids.encode('agt', world.made.agent.id)}/my-config"


async def rows(db: Database, world: World) -> list[dict[str, Any]]:
    async with db.tenant_tx(world.owner.account_id) as tx:
        sql = "select * from user_agent_config where account_id = $1"
        return [dict(row) for row in await tx.fetch(sql, world.owner.account_id)]


@pytest.mark.requirement("SCH-08", "ROL-02", "MAN-20")
async def test_it_is_read_set_in_parts_and_forgotten(client: httpx.AsyncClient, world: World) -> None:
    here = path(world)
    empty = (await client.get(here)).json()
    assert (empty["preferences"], empty["overrides"], empty["credentials"]) == ({}, NOTHING, [])
    assert empty["updated_at"] is None
    chosen = {"preferred_name": "Ann", "cups": 2, "share": 0.5, "remote": True}
    answer = await client.put(here, json={"preferences": chosen, "credentials": {"calendar": SECRET, "mail": "x"}})
    assert answer.status_code == 200, answer.text
    overrides = {"locale": "de", "time_zone": "Europe/Vienna", "reply_length": "short", "style": "No lists."}
    made = (await client.put(here, json={"overrides": overrides})).json()
    assert (made["preferences"], made["overrides"]) == (chosen, overrides), "a part that is left out stays"
    assert made["credentials"] == ["calendar", "mail"] and made == (await client.get(here)).json()
    made = (await client.put(here, json={"preferences": {}, "credentials": {"mail": None, "unknown": None}})).json()
    assert (made["preferences"], made["credentials"]) == ({}, ["calendar"])
    assert (await client.put(here, json={})).json() == made
    assert [(await client.delete(here)).status_code for _ in range(2)] == [204, 204]
    assert (await client.get(here)).json() == empty


@pytest.mark.requirement("SCH-08")
async def test_each_person_has_their_own(app: FastAPI, db: Database, client: httpx.AsyncClient, world: World) -> None:
    _, other = await make_user(db, world, Role.ADMIN)
    await client.put(path(world), json={"preferences": {"name": "Ann"}, "credentials": {"mail": SECRET}})
    async with as_client(app, (await make_key(db, other)).secret) as theirs:
        assert (await theirs.get(path(world))).json()["preferences"] == {}
        await theirs.put(path(world), json={"preferences": {"name": "Bea"}})
        assert (await theirs.delete(path(world))).status_code == 204
    mine = (await client.get(path(world))).json()
    assert (mine["preferences"], mine["credentials"]) == ({"name": "Ann"}, ["mail"])
    assert [row["user_id"] for row in await rows(db, world)] == [world.owner.user_id]


@pytest.mark.requirement("SCH-08")
async def test_nobody_of_another_account_reaches_it(
    db: Database, client: httpx.AsyncClient, world: World, stranger: Stranger
) -> None:
    await client.put(path(world), json={"preferences": {"name": "Ann"}})
    for method in ("get", "delete"):
        problem(await stranger.client.request(method, path(world)), 404, "not_found")
    problem(await stranger.client.put(path(world), json={"preferences": {"name": "X"}}), 404, "not_found")
    assert len(await rows(db, world)) == 1 and await rows(db, stranger.world) == []


@pytest.mark.requirement("SCH-08", "AUD-13")
async def test_credentials_are_sealed_and_never_shown(
    db: Database, client: httpx.AsyncClient, world: World, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    here = path(world)
    answers = [await client.put(here, json={"credentials": {"calendar": SECRET}}), await client.get(here)]
    answers.append(await client.put(here, json={"credentials": {"calendar": SECRET, "two": [SECRET]}}))
    answers.append(await client.put(here, json={"credentials": {"calendar": SECRET * 1000}}))
    assert [answer.status_code for answer in answers] == [200, 200, 422, 422]
    answers.append(await client.get("/v1/audit", params={"event": "user_agent_config."}))
    [row] = await rows(db, world)
    assert SECRET not in "".join(answer.text for answer in answers) + str(row) + "".join(capfd.readouterr())
    name = f"user_agent_config/{world.owner.user_id}/{world.made.agent.id}/calendar"
    sealed = base64.b64decode(row["credentials"]["calendar"])
    async with db.tenant_tx(world.owner.account_id) as tx:
        keys = {key.binding.data_key_id: key for key in await data_keys.of_account(tx, world.owner.account_id)}
    sealer = Sealer(wrapping.of(settings))
    assert await sealer.open(world.owner.account_id, name, sealed, keys) == SECRET
    assert SECRET not in repr(UserAgentConfigChange.model_validate({"credentials": {"a": SECRET}}))


@pytest.mark.requirement("AUD-13")
async def test_every_change_is_audited_without_values(client: httpx.AsyncClient, world: World) -> None:
    change = {"preferences": {"name": "Ann-Sophie"}, "credentials": {"calendar": SECRET, "mail": None}}
    await client.put(path(world), json=change)
    await client.delete(path(world))
    answer = await client.get("/v1/audit", params={"event": "user_agent_config."})
    gone, put = answer.json()["data"]
    assert (gone["event"], put["event"]) == ("user_agent_config.delete", "user_agent_config.upsert")
    assert put["detail"] == {
        "agent_id": ids.encode("agt", world.made.agent.id), "fields": ["credentials", "preferences"],
        "stored": ["calendar"], "forgotten": ["mail"],
    }  # fmt: skip
    assert "Ann-Sophie" not in answer.text


@pytest.mark.parametrize(
    ("body", "where", "why"),
    [
        ({"preferences": {"a": None}}, "body.preferences.a", "a text of at most"),
        ({"preferences": {"a": {"b": 1}}}, "body.preferences.a", "a text of at most"),
        ({"preferences": {"a": "x" * 1001}}, "body.preferences.a", "a text of at most"),
        ({"preferences": {"a": "\x00"}}, "body.preferences.a", "a text of at most"),
        ({"preferences": {"a": 10**30}}, "body.preferences.a", "a text of at most"),
        ({"preferences": {"": 1}}, "body.preferences", "at least 1 character"),
        ({"preferences": {"a\nb": 1}}, "body.preferences", "control characters"),
        ({"preferences": {"api_key": "x"}}, "body.preferences", "under credentials"),
        ({"preferences": {str(one): one for one in range(51)}}, "body.preferences", "at most 50"),
        ({"preferences": {str(one): "x" * 1000 for one in range(5)}}, "body.preferences", "at most 4,096 bytes"),
        ({"overrides": {"tools": ["send_email"]}}, "body.overrides.tools", "not permitted"),
        ({"overrides": {"trust_level": "admin"}}, "body.overrides.trust_level", "not permitted"),
        ({"overrides": {"time_zone": "Mars/Base"}}, "body.overrides.time_zone", "time zone"),
        ({"overrides": {"locale": "deutsch!"}}, "body.overrides.locale", "pattern"),
        ({"overrides": {"style": "x" * 1001}}, "body.overrides.style", "1000"),
        ({"overrides": None}, "body.overrides", ""),
        ({"credentials": {"a b": "x"}}, "body.credentials", "pattern"),
        ({"credentials": {"a": ""}}, "body.credentials", "at least 1 character"),
        ({"credentials": {str(one): "x" for one in range(21)}}, "body.credentials", "at most 20"),
        ({"user_id": "usr_1"}, "body.user_id", "not permitted"),
    ],
)  # fmt: skip
async def test_what_is_not_valid_is_refused_at_its_place(
    client: httpx.AsyncClient, world: World, body: dict[str, Any], where: str, why: str
) -> None:
    found = problem(await client.put(path(world), json=body), 422, "invalid_input")
    listed: Any = found["errors"]
    assert any(one["path"].startswith(where) and why in one["reason"] for one in listed), listed
    assert (await client.get(path(world))).json()["updated_at"] is None


async def test_numbers_that_are_none_are_refused(client: httpx.AsyncClient, world: World) -> None:
    for number in ("NaN", "Infinity", "1e999"):
        body = f'{{"preferences": {{"a": {number}}}}}'
        answer = await client.put(path(world), content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422, answer.text


async def test_credentials_do_not_pile_up(client: httpx.AsyncClient, db: Database, world: World) -> None:
    full = {f"c{one}": "x" for one in range(MOST_CREDENTIALS)}
    assert (await client.put(path(world), json={"credentials": full})).status_code == 200
    problem(await client.put(path(world), json={"credentials": {"one-more": "x"}}), 422, "invalid_input")
    answer = await client.put(path(world), json={"credentials": {"one-more": "x", "c0": None}})
    assert answer.status_code == 200 and len((await rows(db, world))[0]["credentials"]) == MOST_CREDENTIALS


async def test_a_key_that_only_reads_changes_nothing(app: FastAPI, db: Database, world: World) -> None:
    async with as_client(app, (await make_key(db, world.owner, Scope.READ)).secret) as reader:
        assert (await reader.get(path(world))).status_code == 200
        problem(await reader.put(path(world), json={"preferences": {}}), 403, "forbidden")
        problem(await reader.delete(path(world)), 403, "forbidden")


async def test_it_goes_with_the_agent_and_with_the_person(
    app: FastAPI, db: Database, client: httpx.AsyncClient, world: World
) -> None:
    made = (await client.post("/v1/agents", json={"name": "Ann"})).json()
    here = f"/v1/agents/{made['id']}/my-config"
    user, member = await make_user(db, world, Role.MEMBER)
    async with as_client(app, (await make_key(db, member)).secret) as theirs:
        for one in (client, theirs):
            assert (await one.put(here, json={"credentials": {"mail": SECRET}})).status_code == 200
        await client.patch(f"/v1/agents/{made['id']}", json={"deployment_state": "testing"})
        problem(await theirs.get(here), 404, "not_found")
        assert (await theirs.delete(here)).status_code == 204, "what is one's own can be taken back"
        assert (await theirs.put(path(world), json={"credentials": {"mail": SECRET}})).status_code == 200
    assert (await client.delete(f"/v1/users/{ids.encode('usr', user.id)}")).status_code == 204
    assert [row["user_id"] for row in await rows(db, world)] == [world.owner.user_id]
    await client.delete(f"/v1/agents/{made['id']}")
    assert await rows(db, world) == []

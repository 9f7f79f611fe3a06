"""Approvals that stand for later calls: who may make them, how far they reach, and how they end."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Principal, Role, Scope
from retinue.domain.tools import arguments_hash
from retinue.domain.verdicts import Panel
from retinue.telemetry import clock
from tests.api import asking
from tests.api.asking import ARGUMENTS, House, People
from tests.api.conftest import Stranger, World, problem


@pytest.fixture
async def house(state: AppState, world: World, database_url: str) -> House:
    return await asking.house(state, world, database_url)


@pytest.fixture
async def people(app: FastAPI, db: Database, world: World) -> AsyncIterator[People]:
    async with AsyncExitStack() as stack:
        yield People(app, db, world, stack)


def until(days: float = 5, **scope: bool) -> dict[str, Any]:
    return {"until": (clock.now() + timedelta(days=days)).isoformat(), **scope}


async def grants(client: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get("/v1/grants", params=query)).json()["data"]
    return found


@pytest.mark.requirement("GOV-15")
async def test_a_grant_reaches_no_further_than_was_said(house: House, client: httpx.AsyncClient) -> None:
    owner, channel = house.world.made.owner.id, house.world.made.private_channel.id
    for scope, expected in (
        ({}, (channel, owner, None)),
        ({"channel": False}, (None, owner, None)),
        ({"person": False, "exact": True}, (channel, None, arguments_hash(ARGUMENTS))),
    ):
        request = await house.asks()
        assert (await request.decide(client, grant=until(**scope))).status_code == 200
        made = (await grants(client))[0]
        row = (await house.fetch("select * from approval_grant where account_id = $1 order by id desc"))[0]
        assert (row["channel_id"], row["user_id"], row["arguments_hash"]) == expected
        assert (row["tool"], row["agent_id"]) == ("send_money", house.world.made.agent.id)
        assert (made["wait_id"], made["granted_by_name"]) == (request.id, house.world.made.owner.name)
        assert [Panel.model_validate(one) for one in row["panels"]] == [Panel()]
    assert len(await house.audit("grant.create")) == 3


async def test_an_edited_call_is_granted_as_edited(house: House, client: httpx.AsyncClient) -> None:
    request = await house.asks()
    changed = ARGUMENTS | {"amount": 3}
    await request.decide(client, arguments=changed, grant=until(exact=True))
    assert (await grants(client))[0]["arguments_hash"] == arguments_hash(changed)


async def test_a_grant_takes_the_right_to_approve_all_such_calls_alone(
    house: House, client: httpx.AsyncClient, people: People
) -> None:
    boss, mine = await people.join("boss", Role.ADMIN), await people.join("mine", Role.MEMBER)
    wants_two = await house.asks(Panel(quorum=2))
    wants_both = await house.asks(Panel(), Panel(role=None, users=(people.ids["mine"],)))
    for request in (wants_two, wants_both):
        problem(await request.decide(client, grant=until()), 403, "grant_refused")
        assert (await request.row())["state"] == "open"
    assert [line["detail"]["reason"] for line in await house.audit("approval.refused")] == ["grant_refused"] * 2
    own = await house.asks(Panel(role=None, requester=True), requester=people.ids["mine"])
    problem(await own.decide(mine, grant=until(person=False)), 403, "grant_refused")
    assert (await own.decide(mine, grant=until())).status_code == 200
    eyes = await house.asks(Panel(four_eyes=True))
    problem(await eyes.decide(boss, grant=until(person=False)), 403, "grant_refused")
    assert (await eyes.decide(boss, grant=until())).status_code == 200


async def test_neither_the_rule_nor_the_account_needs_to_allow_grants(house: House, client: httpx.AsyncClient) -> None:
    each_time = await house.asks(grants=False)
    assert (await client.get(each_time.path)).json()["may"]["grant"] is False
    problem(await each_time.decide(client, grant=until()), 403, "grant_refused")
    await house.run("""update account set governance = '{"standing_grants": false}' where id = $1""")
    request = await house.asks()
    problem(await request.decide(client, grant=until()), 403, "grant_refused")
    assert (await request.decide(client)).status_code == 200
    assert await grants(client) == []


async def test_a_grant_needs_an_end_and_a_scope_that_is_there(house: House, client: httpx.AsyncClient) -> None:
    request = await house.asks()
    for wrong, path in ((until(-1), "body.grant.until"), (until(400), "body.grant.until")):
        body: Any = problem(await request.decide(client, grant=wrong), 422, "invalid_input")
        assert body["errors"][0]["path"] == path
    problem(await request.decide(client, "reject", grant=until()), 422, "invalid_input")
    await house.run(
        "update interaction set channel_id = null, user_id = null where account_id = $1 and id = $2", request.turn
    )
    body = problem(await request.decide(client, grant=until()), 422, "invalid_input")
    assert body["errors"][0]["path"] == "body.grant.channel"
    body = problem(await request.decide(client, grant=until(channel=False)), 422, "invalid_input")
    assert body["errors"][0]["path"] == "body.grant.person"
    assert (await request.decide(client, grant=until(channel=False, person=False))).status_code == 200


async def test_a_revoked_grant_is_gone_from_the_rules_and_stays_in_the_record(
    house: House, client: httpx.AsyncClient, people: People, stranger: Stranger
) -> None:
    boss, mine = await people.join("boss", Role.ADMIN), await people.join("mine", Role.MEMBER)
    other = await people.join("other", Role.MEMBER)
    request = await house.asks(requester=people.ids["mine"])
    await request.decide(client, grant=until())
    [made] = await grants(boss)
    assert [one["id"] for one in await grants(mine)] == [made["id"]]
    assert await grants(other) == await grants(stranger.client) == []
    path = f"/v1/grants/{made['id']}"
    for who in (other, stranger.client):
        problem(await who.delete(path), 404, "not_found")
    book = "select policy_book_v1($1, $2, $3, null) -> 'grants' as grants"
    before = await house.fetch(book, house.world.made.agent.id, people.ids["mine"])
    assert [one["id"] for one in before[0]["grants"]] == [str(ids.decode("grant", made["id"]))]
    assert (await mine.delete(path)).status_code == 204
    assert (await boss.delete(path)).status_code == 204
    assert (await house.fetch(book, house.world.made.agent.id, people.ids["mine"]))[0]["grants"] == []
    assert await grants(boss) == []
    assert (await grants(boss, ended="true"))[0]["revoked_by"] == ids.encode("usr", people.ids["mine"])
    assert len(await house.audit("grant.revoke")) == 1


async def test_a_key_of_an_admin_revokes_what_others_granted_only_with_the_scope_for_it(
    house: House, client: httpx.AsyncClient, people: People
) -> None:
    await people.join("boss", Role.ADMIN)
    await people.join("mine", Role.MEMBER)
    await (await house.asks(requester=people.ids["mine"])).decide(client, grant=until())
    boss = Principal(account_id=house.account, user_id=people.ids["boss"], role=Role.ADMIN)
    path = f"/v1/grants/{(await grants(client))[0]['id']}"
    problem(await (await people.key(boss, Scope.READ, Scope.WRITE)).delete(path), 403, "forbidden")
    assert (await (await people.key(boss)).delete(path)).status_code == 204


async def test_making_and_revoking_a_grant_changes_the_revision_of_the_rules(
    house: House, client: httpx.AsyncClient
) -> None:
    sql = "select policy_revision as n from account where id = $1"
    before = (await house.fetch(sql))[0]["n"]
    await (await house.asks()).decide(client, grant=until())
    between = (await house.fetch(sql))[0]["n"]
    await client.delete(f"/v1/grants/{(await grants(client))[0]['id']}")
    assert before < between < (await house.fetch(sql))[0]["n"]

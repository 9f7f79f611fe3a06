"""Deciding about calls over HTTP: who may, how many, what they see, and what becomes of the turn."""

import asyncio
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
from retinue.domain.accounts import Role
from retinue.domain.tools import arguments_hash
from retinue.domain.verdicts import Panel
from retinue.store import approvals, turns
from retinue.telemetry import clock
from retinue.tools.registry import Registry
from tests.api import asking
from tests.api.asking import ARGUMENTS, House, People
from tests.api.conftest import Stranger, World, problem

HASH = arguments_hash(ARGUMENTS)


@pytest.fixture
async def house(state: AppState, world: World, database_url: str) -> House:
    return await asking.house(state, world, database_url)


@pytest.fixture
async def people(app: FastAPI, db: Database, world: World) -> AsyncIterator[People]:
    async with AsyncExitStack() as stack:
        yield People(app, db, world, stack)


@pytest.mark.requirement("GOV-15", "TOOL-16")
async def test_an_approval_wakes_the_turn_once_and_says_who_approved_what(
    house: House, client: httpx.AsyncClient
) -> None:
    request = await house.asks()
    assert (await request.turn_state(), await request.woken()) == ("waiting", 0)
    body = (await request.decide(client, reason="They are waiting for it.")).json()
    assert (body["state"], body["decision"], body["missing"]) == ("resolved", "approve", [])
    assert await request.resolution() == {
        "decision": "approve", "by": [str(house.world.made.owner.id)], "arguments_hash": HASH,
        "reason": "They are waiting for it.", "question": "",
    }  # fmt: skip
    assert (await request.turn_state(), await request.woken()) == ("queued", 1)
    problem(await request.decide(client), 409, "already_decided")
    problem(await request.decide(client, "reject"), 409, "already_decided")
    assert (await request.turn_state(), await request.woken()) == ("queued", 1)
    [line] = await house.audit("approval.decided")
    assert line["actor_id"] == str(house.world.made.owner.id)
    assert line["detail"]["arguments_hash"] == HASH and line["detail"]["outcome"] == "approved"
    assert "ada@example.com" not in str(await house.audit("approval.decided"))
    assert len(await house.audit("wait.resolved")) == 1


@pytest.mark.requirement("GOV-15", "AUD-10")
async def test_a_rejection_and_a_question_end_it_with_the_words_the_agent_reads(
    house: House, client: httpx.AsyncClient
) -> None:
    refused, questioned = await house.asks(), await house.asks()
    assert (await refused.decide(client, "reject", reason="Too much.")).json()["decision"] == "reject"
    assert (await refused.resolution())["reason"] == "Too much."
    assert (await questioned.decide(client, "ask_back", reason="What for?")).json()["decision"] == "ask_back"
    said = await questioned.resolution()
    assert (said["decision"], said["question"], said["reason"]) == ("ask_back", "What for?", "")
    assert await refused.turn_state() == await questioned.turn_state() == "queued"
    problem(await (await house.asks()).decide(client, "ask_back"), 422, "invalid_input")


@pytest.mark.requirement("GOV-15")
async def test_of_many_who_decide_at_once_exactly_one_has_effect(
    house: House, client: httpx.AsyncClient, people: People
) -> None:
    others = [await people.join(f"admin{number}", Role.ADMIN) for number in range(3)]
    for _ in range(4):
        request = await house.asks()
        choices = ["approve", "reject", "approve", "ask_back"]
        answers = await asyncio.gather(
            *(request.decide(one, choice, reason="x") for one, choice in zip([client, *others], choices, strict=True))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        winner = next(answer.json() for answer in answers if answer.status_code == 200)
        assert (await request.resolution())["decision"] == winner["decision"]
        assert await request.woken() == 1
        assert len(winner["decisions"]) == 1


@pytest.mark.requirement("GOV-15")
async def test_a_quorum_is_of_different_people_and_the_last_of_several_at_once_ends_it(
    house: House, client: httpx.AsyncClient, people: People
) -> None:
    others = [await people.join(f"admin{number}", Role.ADMIN) for number in range(3)]
    request = await house.asks(Panel(role=Role.ADMIN, quorum=3))
    body = (await request.decide(client)).json()
    assert body["state"] == "open" and body["missing"][0]["have"] == 1
    assert body["may"] == {"decide": False, "withdraw": True, "grant": False}
    problem(await request.decide(client), 409, "already_decided")
    assert await request.turn_state() == "waiting"
    answers = await asyncio.gather(*(request.decide(one) for one in others))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 409]
    assert len((await request.resolution())["by"]) == 3
    assert await request.woken() == 1


async def test_every_panel_has_to_agree(house: House, client: httpx.AsyncClient, people: People) -> None:
    named = await people.join("named", Role.MEMBER)
    request = await house.asks(Panel(), Panel(role=None, users=(people.ids["named"],)))
    body = (await request.decide(client)).json()
    assert body["state"] == "open"
    assert body["missing"][0]["panel"]["users"] == [ids.encode("usr", people.ids["named"])]
    assert (await request.decide(named)).json()["state"] == "resolved"


@pytest.mark.requirement("GOV-16")
async def test_whoever_it_is_for_confirms_it_where_the_rule_says_so(
    house: House, client: httpx.AsyncClient, people: People
) -> None:
    mine, other = await people.join("mine", Role.MEMBER), await people.join("other", Role.MEMBER)
    request = await house.asks(Panel(role=None, requester=True), requester=people.ids["mine"])
    problem(await request.decide(other), 404, "not_found")
    problem(await request.decide(client), 403, "not_an_approver")
    assert (await request.decide(mine)).json()["decision"] == "approve"


# ── edits ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("GOV-15")
async def test_arguments_can_be_changed_before_they_are_approved(house: House, client: httpx.AsyncClient) -> None:
    request = await house.asks()
    changed = ARGUMENTS | {"amount": 20}
    body = (await request.decide(client, arguments=changed)).json()
    assert (body["edited"], body["arguments"], body["arguments_hash"]) == (True, changed, arguments_hash(changed))
    said = await request.resolution()
    assert (said["arguments"], said["arguments_hash"]) == (changed, arguments_hash(changed))
    [line] = await house.audit("approval.decided")
    assert line["detail"]["edited"] is True and line["detail"]["arguments_hash"] == arguments_hash(changed)


async def test_changed_arguments_have_to_fit_the_tool_before_they_count(
    house: House, client: httpx.AsyncClient
) -> None:
    request = await house.asks()
    for wrong, path in (
        ({"to": "ada", "amount": "much"}, "body.arguments.amount"),
        ({"to": "ada"}, "body.arguments"),
        (ARGUMENTS | {"more": 1}, "body.arguments"),
    ):
        body = problem(await request.decide(client, arguments=wrong), 422, "invalid_input")
        assert [one["path"] for one in body["errors"]] == [path]  # type: ignore[attr-defined, index]
    assert (await request.row())["state"] == "open"
    assert (await request.decide(client, arguments=ARGUMENTS)).json()["edited"] is False


async def test_arguments_are_not_changed_for_a_tool_that_is_gone(
    house: House, client: httpx.AsyncClient, state: AppState
) -> None:
    request = await house.asks()
    state.registry = Registry()
    problem(await request.decide(client, arguments=ARGUMENTS | {"amount": 1}), 409, "wrong_state")
    assert (await request.decide(client, "reject")).status_code == 200


async def test_an_edit_begins_the_count_anew_and_a_stale_look_counts_for_nothing(
    house: House, client: httpx.AsyncClient, people: People
) -> None:
    second, third = await people.join("second", Role.ADMIN), await people.join("third", Role.ADMIN)
    request = await house.asks(Panel(role=Role.ADMIN, quorum=2))
    await request.decide(client)
    changed = ARGUMENTS | {"amount": 1}
    body = (await request.decide(second, arguments=changed)).json()
    assert (body["state"], body["missing"][0]["have"], body["arguments"]) == ("open", 1, changed)
    problem(await request.decide(third), 409, "arguments_changed")
    seen = (await third.get(request.path)).json()
    assert seen["arguments"] == changed and seen["edited"]
    await request.decide(client, arguments_hash=seen["arguments_hash"])
    assert await request.resolution() == {
        "decision": "approve", "by": [str(people.ids["second"]), str(house.world.made.owner.id)],
        "arguments_hash": arguments_hash(changed), "arguments": changed, "reason": "", "question": "",
    }  # fmt: skip


async def test_numbers_are_hashed_as_the_database_gives_them_back(house: House, client: httpx.AsyncClient) -> None:
    request = await house.asks()
    raw = f'{{"decision": "approve", "arguments_hash": "{HASH}", "arguments": {{"to": "ada", "amount": 1e2}}}}'
    headers = {"content-type": "application/json"}
    body = (await client.post(f"{request.path}/decide", content=raw, headers=headers)).json()
    said = await request.resolution()
    assert said["arguments_hash"] == arguments_hash(said["arguments"]) == body["arguments_hash"]


# ── who sees what ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_whoever_decides_sees_the_call_but_not_the_conversation(
    house: House, client: httpx.AsyncClient, people: People
) -> None:
    boss, member = await people.join("boss", Role.ADMIN), await people.join("member", Role.MEMBER)
    request = await house.asks()
    seen = (await boss.get(request.path)).json()
    assert seen["arguments"] == ARGUMENTS and seen["readable"] is False and seen["may"]["decide"]
    assert seen["agent_name"] == "Assistant" and seen["tool"] == "send_money"
    assert [one["rule"] for one in seen["explanation"]["opinions"]] == ["Payments"]
    problem(await boss.get(f"/v1/interactions/{ids.encode('int', request.turn)}"), 404, "not_found")
    problem(await member.get(request.path), 404, "not_found")
    problem(await request.decide(member), 404, "not_found")
    assert (await client.get(request.path)).json()["readable"] is True


async def test_an_admin_who_is_not_asked_sees_that_it_waits_but_not_what(
    house: House, people: People, client: httpx.AsyncClient
) -> None:
    boss, named = await people.join("boss", Role.ADMIN), await people.join("named", Role.MEMBER)
    request = await house.asks(Panel(role=None, users=(people.ids["named"],)))
    seen = (await boss.get(request.path)).json()
    assert (seen["arguments"], seen["prompt"], seen["may"]["decide"]) == (None, "", False)
    problem(await request.decide(boss), 403, "not_an_approver")
    assert (await named.get(request.path)).json()["arguments"] == ARGUMENTS
    assert (await client.get(request.path)).json()["arguments"] == ARGUMENTS


@pytest.mark.requirement("GOV-17")
async def test_lists_are_what_one_is_to_decide_what_was_asked_for_one_and_all_one_sees(
    house: House, client: httpx.AsyncClient, people: People
) -> None:
    boss, member = await people.join("boss", Role.ADMIN), await people.join("member", Role.MEMBER)
    own = await house.asks()
    theirs = await house.asks(Panel(role=Role.ADMIN, quorum=2), requester=people.ids["member"])

    async def listed(who: httpx.AsyncClient, **query: str) -> list[str]:
        return [one["id"] for one in (await who.get("/v1/approvals", params=query)).json()["data"]]

    assert await listed(boss, mine="to_decide") == [theirs.id, own.id]
    assert await listed(member, mine="to_decide") == []
    assert await listed(member, mine="asked") == await listed(member) == [theirs.id]
    await theirs.decide(boss)
    assert await listed(boss, mine="to_decide") == [own.id]
    await own.decide(client)
    assert await listed(boss, mine="to_decide") == []
    assert await listed(boss, state="open") == [theirs.id]
    assert await listed(client, mine="all", state="resolved") == [own.id]
    page = (await client.get("/v1/approvals", params={"limit": 1})).json()
    assert [one["id"] for one in page["data"]] == [theirs.id]
    assert await listed(client, after=page["next"]) == [own.id]


async def test_a_lead_of_the_channels_team_counts_as_a_lead_there_and_nowhere_else(
    house: House, client: httpx.AsyncClient, people: People
) -> None:
    lead = await people.join("lead", Role.MEMBER)
    team = (await client.post("/v1/teams", json={"name": "Sales", "slug": "sales"})).json()["id"]
    person = ids.encode("usr", people.ids["lead"])
    await client.post(f"/v1/teams/{team}/members", json={"user_id": person, "role": "admin"})
    channel = (await client.post("/v1/channels", json={"kind": "team", "name": "Sales", "team_id": team})).json()["id"]
    inside = await house.asks(Panel(role=Role.LEAD), channel=ids.decode("ch", channel))
    above = await house.asks(Panel(role=Role.ADMIN), channel=ids.decode("ch", channel))
    outside = await house.asks(Panel(role=Role.LEAD))
    problem(await above.decide(lead), 403, "not_an_approver")
    problem(await outside.decide(lead), 404, "not_found")
    assert (await inside.decide(lead)).status_code == 200


# ── ends ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_whoever_it_is_for_or_an_admin_takes_a_request_back(
    house: House, client: httpx.AsyncClient, people: People
) -> None:
    mine, other = await people.join("mine", Role.MEMBER), await people.join("other", Role.MEMBER)
    for who in (mine, client):
        request = await house.asks(requester=people.ids["mine"])
        problem(await other.post(f"{request.path}/withdraw"), 404, "not_found")
        body = (await who.post(f"{request.path}/withdraw")).json()
        assert (body["state"], body["decision"]) == ("cancelled", "withdrawn")
        assert (await request.resolution())["decision"] == "withdrawn"
        assert (await request.turn_state(), await request.woken()) == ("queued", 1)
        problem(await who.post(f"{request.path}/withdraw"), 409, "already_decided")
        problem(await request.decide(client), 409, "already_decided")
    named = await people.join("named", Role.MEMBER)
    asked = await house.asks(Panel(role=None, users=(people.ids["named"],)), requester=people.ids["mine"])
    problem(await named.post(f"{asked.path}/withdraw"), 403, "forbidden")
    assert len(await house.audit("approval.withdrawn")) == 2


@pytest.mark.requirement("GOV-15")
@pytest.mark.parametrize("on_expiry", ["reject", "approve"])
async def test_when_time_is_up_the_default_counts_and_nobody_decides_any_more(
    house: House, client: httpx.AsyncClient, on_expiry: str
) -> None:
    request = await house.asks(due=clock.now() + timedelta(hours=1), on_expiry=on_expiry)
    open_ended = await house.asks(due=None)
    assert not await approvals.expire(house.db, house.account, request.wait)
    await house.move_clock("2 hours")
    problem(await request.decide(client), 409, "approval_expired")
    async with house.db.system_tx() as tx:
        assert await approvals.due(tx) == [(house.account, request.wait)]
    done = await asyncio.gather(*(approvals.expire(house.db, house.account, request.wait) for _ in range(4)))
    assert sorted(done) == [False, False, False, True]
    row = await request.row()
    assert (row["state"], row["ask"]["on_expiry"]) == ("expired", on_expiry)
    assert row["resolution"] == {"decision": "expired", "by": [], "arguments_hash": HASH, "reason": "", "question": ""}
    assert (await request.turn_state(), await request.woken()) == ("queued", 1)
    assert (await open_ended.row())["state"] == "open"
    [line] = await house.audit("approval.expired")
    assert (line["actor_type"], line["detail"]["on_expiry"]) == ("system", on_expiry)
    problem(await request.decide(client), 409, "already_decided")


async def test_when_the_turn_is_stopped_nobody_decides_any_more(house: House, client: httpx.AsyncClient) -> None:
    request = await house.asks()
    assert await turns.cancel(house.db, house.account, request.turn) == "cancelled"
    assert (await request.row())["state"] == "cancelled"
    problem(await request.decide(client), 409, "already_decided")
    assert await request.turn_state() == "cancelled"


async def test_new_input_leaves_the_request_open(house: House, client: httpx.AsyncClient) -> None:
    request = await house.asks()
    channel = ids.encode("ch", house.world.made.private_channel.id)
    posted = await client.post(f"/v1/channels/{channel}/messages", json={"content": "And now?"})
    assert posted.status_code == 202 and len(posted.json()["interactions"]) == 1
    assert ((await request.row())["state"], await request.turn_state()) == ("open", "waiting")
    assert (await request.decide(client)).status_code == 200


# ── nobody to ask ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_owners_stand_in_where_nobody_who_is_named_is_there_any_more(
    house: House, client: httpx.AsyncClient, people: People
) -> None:
    await people.join("gone", Role.MEMBER)
    boss = await people.join("boss", Role.ADMIN)
    panel = Panel(role=None, users=(people.ids["gone"],))
    before = await house.asks(panel)
    problem(await before.decide(client), 403, "not_an_approver")
    await client.patch(f"/v1/users/{ids.encode('usr', people.ids['gone'])}", json={"status": "suspended"})
    after = await house.asks(panel)
    seen = (await client.get(after.path)).json()
    assert seen["unroutable"] and seen["may"]["decide"]
    problem(await after.decide(boss), 403, "not_an_approver")
    for request in (before, after):
        assert (await request.decide(client)).status_code == 200
    [line] = await house.audit("approval.unroutable")
    assert line["interaction_id"] == after.turn and line["detail"]["panel_count"] == 1


async def test_people_who_have_left_count_no_longer(house: House, client: httpx.AsyncClient, people: People) -> None:
    leaver = await people.join("leaver", Role.ADMIN)
    request = await house.asks(Panel(role=Role.ADMIN, quorum=2))
    await request.decide(leaver)
    await client.patch(f"/v1/users/{ids.encode('usr', people.ids['leaver'])}", json={"status": "suspended"})
    body: dict[str, Any] = (await request.decide(client)).json()
    assert (body["state"], body["missing"][0]["have"]) == ("open", 1)


async def test_lists_and_decisions_agree_on_who_may_decide(
    house: House, client: httpx.AsyncClient, people: People
) -> None:
    """The same rule stands in SQL, for lists and news, and in Python, for decisions."""
    known = {"owner": client} | {
        name: await people.join(name, role)
        for name, role in (("admin", Role.ADMIN), ("lead", Role.LEAD), ("one", Role.MEMBER), ("two", Role.MEMBER))
    }
    one, two, owner = people.ids["one"], people.ids["two"], house.world.made.owner.id
    asked = [
        await house.asks(
            Panel(role=role, users=users, requester=requester, four_eyes=eyes, quorum=quorum), requester=who
        )
        for role in (None, Role.MEMBER, Role.LEAD, Role.ADMIN, Role.OWNER)
        for users in ((), (one,), (two, one))
        for requester, eyes, quorum, who in (
            (False, False, 1, one), (True, False, 1, one), (False, True, 1, one), (True, True, 1, two),
            (False, True, 2, owner), (True, False, 2, owner),
        )
    ]  # fmt: skip
    for name, who in known.items():
        told = (await who.get("/v1/approvals", params={"mine": "to_decide", "limit": 200})).json()["data"]
        listed = {entry["id"] for entry in told}
        assert all(entry["may"]["decide"] for entry in told), name
        shown = [await who.get(request.path) for request in asked]
        entitled = {one.json()["id"] for one in shown if one.status_code == 200 and one.json()["may"]["decide"]}
        assert listed == entitled, name


async def test_a_stranger_finds_nothing(house: House, stranger: Stranger) -> None:
    request = await house.asks()
    problem(await stranger.client.get(request.path), 404, "not_found")
    problem(await stranger.client.post(f"{request.path}/withdraw"), 404, "not_found")
    assert (await stranger.client.get("/v1/approvals")).json()["data"] == []

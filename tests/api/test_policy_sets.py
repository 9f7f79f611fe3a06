"""Policies kept as text: applied as a whole or not at all, compared first, read back, tried before they are there."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Role, Scope
from tests.api.conftest import World, as_client, make_key, make_user, problem
from tests.api.test_policies import lead_of, lines, make, team_of

DEPTH = {"type": "delegation_depth", "max": 2}


def doc(name: str, rule: Any = None, **fields: Any) -> dict[str, Any]:
    return {"name": name, "rule": rule or DEPTH, **fields}


async def apply(client: httpx.AsyncClient, *documents: dict[str, Any], **options: Any) -> dict[str, Any]:
    answer = await client.post("/v1/policies/apply", json={"policies": documents, **options})
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["action"], one["name"]) for one in answer["changes"]]


async def names(client: httpx.AsyncClient) -> dict[str, Any]:
    return {one["name"]: one for one in (await client.get("/v1/policies")).json()["data"]}


@pytest.mark.requirement("GOV-12", "GOV-24")
async def test_a_set_is_applied_and_says_what_it_changed(client: httpx.AsyncClient) -> None:
    team = await team_of(client)
    first = await apply(client, doc("Depth"), doc("Sales", DEPTH | {"max": 1}, layer="team", team="sales"))
    assert told(first) == [("create", "Depth"), ("create", "Sales")]
    there = await names(client)
    assert there["Sales"]["team_id"] == team
    assert [one["policy_id"] for one in first["changes"]] == [there["Depth"]["id"], there["Sales"]["id"]]
    second = await apply(client, doc("Depth", DEPTH | {"max": 3}, priority=5), doc("Other"))
    assert told(second) == [("update", "Depth"), ("create", "Other")]
    assert second["changes"][0]["differences"] == [
        {"path": "priority", "before": 100, "after": 5}, {"path": "rule.max", "before": 2, "after": 3},
    ]  # fmt: skip
    assert set(await names(client)) == {"Depth", "Sales", "Other"}, "without prune nothing is removed"
    assert {one["detail"]["via"] for one in await lines(client)} == {"apply"}


async def test_a_dry_run_says_the_same_and_does_nothing(client: httpx.AsyncClient) -> None:
    await apply(client, doc("Kept"), doc("Gone"))
    before = (await client.get("/v1/policies")).json(), (await client.get("/v1/audit")).json()
    wanted = (doc("Kept", DEPTH | {"max": 0}), doc("New"))
    tried = await apply(client, *wanted, dry_run=True, prune=True)
    assert ((await client.get("/v1/policies")).json(), (await client.get("/v1/audit")).json()) == before
    assert tried["dry_run"] is True
    assert told(tried) == [("delete", "Gone"), ("update", "Kept"), ("create", "New")]
    assert tried["changes"][2]["policy_id"] is None
    done = await apply(client, *wanted, prune=True)
    assert told(done) == told(tried)
    assert set(await names(client)) == {"Kept", "New"}


async def test_prune_removes_only_in_the_places_that_the_set_speaks_of(client: httpx.AsyncClient) -> None:
    await team_of(client)
    await team_of(client, "works")
    await apply(client, doc("A"), doc("B", layer="team", team="sales"), doc("C", layer="team", team="works"))
    await make(client, "Mine", layer="user")
    done = await apply(client, doc("B2", layer="team", team="sales"), prune=True)
    assert told(done) == [("delete", "B"), ("create", "B2")]
    assert set(await names(client)) == {"A", "B2", "C", "Mine"}
    assert told(await apply(client, prune=True)) == []


async def test_all_of_a_set_is_applied_or_nothing(client: httpx.AsyncClient) -> None:
    await team_of(client)
    body = {
        "policies": [
            doc("Good"), doc("Bad", {"type": "nonsense"}), doc("Team", layer="team", team="nobody"),
            doc("Agent", DEPTH | {"scope": {"agents": ["nobody"]}}), doc("good"),
            doc("Type", DEPTH, type="approval"),
        ]
    }  # fmt: skip
    found: Any = problem(await client.post("/v1/policies/apply", json=body), 422, "invalid_input")["errors"]
    assert [one["path"] for one in found] == [
        "body.policies.1.rule", "body.policies.2.team", "body.policies.3.rule.scope.agents.0", "body.policies.5.type",
        "body.policies.4.name",
    ]  # fmt: skip
    body = {"policies": [doc("Good"), doc("Wide", DEPTH | {"max": 3}, layer="team", team="sales")]}
    said: Any = problem(await client.post("/v1/policies/apply", json=body), 409, "loosens")
    assert said["errors"][0]["path"] == "body.policies.1.rule"
    assert said["detail"].startswith("“Wide”: ")
    nobody = {"type": "approval", "ask": {"panels": [{"role": "owner", "quorum": 3}]}}
    said = problem(
        await client.post("/v1/policies/apply", json={"policies": [doc("a"), doc("b", nobody)]}), 422, "unroutable"
    )
    assert said["errors"][0]["path"] == "body.policies.1.rule.ask.panels.0"
    assert await names(client) == {}


@pytest.mark.requirement("GOV-08")
async def test_a_set_is_held_to_the_ceilings_that_it_leaves_behind(client: httpx.AsyncClient) -> None:
    await team_of(client)
    await apply(client, doc("Depth", DEPTH | {"max": 1}), doc("Sales", DEPTH | {"max": 1}, layer="team", team="sales"))
    wider = await apply(
        client, doc("Sales", DEPTH | {"max": 3}, layer="team", team="sales"), doc("Depth", DEPTH | {"max": 3})
    )
    assert told(wider) == [("update", "Depth"), ("update", "Sales")]


async def test_only_who_may_write_a_place_applies_there(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient
) -> None:
    team = await team_of(client)
    key = await make_key(db, await lead_of(db, world, client, team))
    async with as_client(app, key.secret) as lead:
        assert told(await apply(lead, doc("Ours", layer="team", team="sales"))) == [("create", "Ours")]
        for dry_run in (True, False):
            body = {"policies": [doc("Ours too", layer="team", team="sales"), doc("All")], "dry_run": dry_run}
            problem(await lead.post("/v1/policies/apply", json=body), 403, "forbidden")
    assert set(await names(client)) == {"Ours"}


async def test_what_is_exported_and_applied_again_changes_nothing(
    app: FastAPI, client: httpx.AsyncClient, world: World, db: Database
) -> None:
    team = await team_of(client)
    agent, owner = world.made.agent, world.made.owner
    scope = {"agents": [ids.encode("agt", agent.id)], "channels": [ids.encode("ch", world.made.channel.id)]}
    panel = {"role": None, "users": [ids.encode("usr", owner.id)]}
    await make(client, "Ask", {"type": "approval", "scope": scope, "ask": {"panels": [panel, {}]}})
    await make(client, "Hours", {"type": "time_window", "start": "08:00", "end": "18:00"}, enabled=False, priority=3)
    await make(client, "Sales", layer="team", team_id=team)
    await make(client, "Mine", layer="user")
    found = (await client.get("/v1/policies/documents")).json()["policies"]
    assert [(one["name"], one["team"]) for one in found] == [("Hours", None), ("Ask", None), ("Sales", "sales")]
    rule = found[1]["rule"]
    assert rule["scope"] == {"agents": [agent.slug], "channels": [world.made.channel.slug]}
    assert rule["ask"]["panels"] == [{"role": None, "users": [owner.email]}, {"role": "admin"}]
    again = await apply(client, *found, prune=True)
    assert {one["action"] for one in again["changes"]} == {"unchanged"}
    _, member = await make_user(db, world, Role.MEMBER)
    key = await make_key(db, member)
    async with as_client(app, key.secret) as own:
        theirs = (await own.get("/v1/policies/documents")).json()["policies"]
    assert [one["name"] for one in theirs] == ["Hours", "Ask"]


# ── tests of policies ────────────────────────────────────────────────────────────────────────────────────────────


def expecting(verdict: str, tool: str = "current_time", **fields: Any) -> dict[str, Any]:
    return {"agent": "assistant", "tool": tool, "expect": verdict, **fields}


NEVER = {"type": "tool_restriction", "never": ["getCurrentTime"]}


@pytest.mark.requirement("GOV-07", "GOV-22")
async def test_expectations_are_tried_by_what_is_there_or_as_a_set_would_make_it(client: httpx.AsyncClient) -> None:
    tests = [expecting("allow"), expecting("deny", reason="tool_blocked")]
    answer = (await client.post("/v1/policies/test", json={"tests": tests})).json()
    assert (answer["passed"], [one["passed"] for one in answer["results"]]) == (False, [True, False])
    body = {"tests": tests, "policies": [doc("Never", NEVER)]}
    answer = (await client.post("/v1/policies/test", json=body)).json()
    assert [(one["passed"], one["verdict"], one["reason"], one["rule"]) for one in answer["results"]] == [
        (False, "deny", "tool_blocked", "account: Never"), (True, "deny", "tool_blocked", "account: Never"),
    ]  # fmt: skip
    assert await names(client) == {}, "nothing of the set stays"
    assert await lines(client) == []


async def test_expectations_are_of_people_places_and_times(
    app: FastAPI, client: httpx.AsyncClient, db: Database, world: World
) -> None:
    team = await team_of(client)
    person = await lead_of(db, world, client, team, "member")
    email = f"member-{team[-6:]}@home.test"
    await make(client, "Not sales", NEVER, layer="team", team_id=team)
    await make(client, "Weekdays", {"type": "time_window", "days": ["mon"]})
    monday, tuesday = "2026-11-23T12:00:00Z", "2026-11-24T12:00:00Z"
    tests = [
        expecting("allow", at=monday), expecting("deny", at=tuesday, reason="outside_hours"),
        expecting("deny", at=monday, person=email.upper(), reason="tool_blocked"),
        expecting("allow", at=monday, person=email, channel="organisation", tool="search_messages",
                  arguments={"query": "x"}),
        expecting("deny", at=monday, tool="send_email", reason="unknown_tool"),
        {"agent": "assistant", "model": "openai/gpt-5", "at": monday, "expect": "allow"},
    ]  # fmt: skip
    answer = await client.post("/v1/policies/test", json={"tests": tests})
    assert answer.json().get("passed"), answer.text
    wrong = [expecting("allow", person="nobody@home.test"), expecting("allow") | {"agent": "nobody"}]
    found: Any = problem(await client.post("/v1/policies/test", json={"tests": wrong}), 422, "invalid_input")["errors"]
    assert [one["path"] for one in found] == ["body.tests.0.person", "body.tests.1.agent"]
    key = await make_key(db, person)
    async with as_client(app, key.secret) as own:
        mine = {"tests": [expecting("deny", at=monday)]}
        assert (await own.post("/v1/policies/test", json=mine)).json()["passed"]
        others = {"tests": [expecting("allow", at=monday, person=world.made.owner.email)]}
        problem(await own.post("/v1/policies/test", json=others), 403, "forbidden")
        asked = mine | {"policies": [doc("All", NEVER)]}
        problem(await own.post("/v1/policies/test", json=asked), 403, "forbidden")


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_whoever_may_read_asks_why_and_what_would_have_been(
    app: FastAPI, client: httpx.AsyncClient, db: Database, world: World
) -> None:
    made = await make(client, "Never", NEVER)
    key = await make_key(db, world.owner, Scope.READ)
    agent_id = ids.encode("agt", world.made.agent.id)
    async with as_client(app, key.secret) as reader:
        asked = {"agent_id": agent_id, "tool": "currentTime"}
        said = (await reader.post("/v1/policy/explain", json=asked)).json()
        assert (said["verdict"], said["reason"], said["tool"]) == ("deny", "tool_blocked", "current_time")
        telling = next(one for one in said["opinions"] if one["verdict"] == "deny")
        assert (telling["layer"], telling["rule"], telling["policy_id"]) == ("account", "Never", made["id"])
        problem(await reader.post("/v1/policy/explain", json={"agent_id": agent_id}), 422, "invalid_input")
        removal = {"policy_id": made["id"]}
        problem(await reader.post("/v1/policies/preview", json=removal), 403, "forbidden")
        mine = {"policy": {"name": "Mine", "layer": "user", "rule": NEVER}}
        seen = (await reader.post("/v1/policies/preview", json=mine)).json()
        assert (seen["judged"], seen["complete"], seen["shifts"]) == (0, True, [])
    removed = await client.post("/v1/policies/preview", json=removal)
    assert removed.status_code == 200, removed.text

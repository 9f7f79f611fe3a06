"""One scheduler for several teams, each with what it may do: through HTTP, with a node that runs (002 §25.1, §25.6)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

import httpx
import pytest
from fastapi import FastAPI

from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Role
from retinue.domain.tools import Effect
from retinue.tools.registry import Context, Registry, tool
from tests.api.conftest import World, as_client, make_key, make_user, problem
from tests.turn.conftest import Lab, call, calls, node
from tests.turn.test_tools_in_turns import results

booked: list[str] = []
"""What stands in the calendar."""


@pytest.fixture(autouse=True)
def empty_calendar() -> None:
    booked.clear()


@tool(effect=Effect.READ)
async def find_free_time(ctx: Context, day: str) -> list[str]:
    """Find free time.

    Args:
        day: the day
    """
    return [f"{day} 10:00"]


@tool(effect=Effect.READ)
async def check_conflicts(ctx: Context, start: str) -> list[str]:
    """Check for conflicts.

    Args:
        start: when
    """
    return [one for one in booked if one.endswith(start)]


@tool(effect=Effect.EXTERNAL_KEYED)
async def create_event(ctx: Context, title: str, start: str) -> str:
    """Book an event.

    Args:
        title: what
        start: when
    """
    booked.append(f"{title} {start}")
    return "booked"


@tool(effect=Effect.EXTERNAL_KEYED)
async def calendar(ctx: Context, action: Literal["find_free_time", "check_conflicts", "create_event"], at: str) -> str:
    """Everything of a calendar in one tool.

    Args:
        action: what to do
        at: when
    """
    if action == "create_event":
        booked.append(at)
    return action


TOOLS = (find_free_time, check_conflicts, create_event, calendar)
FREE = call("find_free_time", day="Monday")
CLASH = call("check_conflicts", start="Monday 10:00")
BOOK = call("create_event", title="Budget", start="Monday 10:00")


@dataclass(frozen=True)
class Team:
    """A team with a channel, and a person of it."""

    path: str
    id: str
    person: httpx.AsyncClient


@dataclass(frozen=True)
class House:
    """An account with a scheduler that two teams have, each its own way."""

    lab: Lab
    owner: httpx.AsyncClient
    agent: str
    """Its path."""

    async def assign(self, scope: str, scope_id: str, **restrictions: Any) -> str:
        body = {"scope": scope, "scope_id": scope_id, "tool_restrictions": restrictions}
        made = await self.owner.post(f"{self.agent}/assignments", json=body)
        assert made.status_code == 201, made.text
        return f"{self.agent}/assignments/{made.json()['id']}"


@pytest.fixture
async def house(state: AppState, world: World, client: httpx.AsyncClient) -> AsyncIterator[House]:
    """The scheduler is active, and nobody's yet."""
    state.registry = Registry(TOOLS)
    lab = Lab(db=state.db, world=world.made)
    body = {"name": "Scheduler", "tools": [{"tool": one.spec.slug} for one in TOOLS]}
    agent = f"/v1/agents/{(await client.post('/v1/agents', json=body)).json()['id']}"
    [everyone] = (await client.get(f"{agent}/assignments")).json()
    assert (await client.delete(f"{agent}/assignments/{everyone['id']}")).status_code == 204
    async with node(lab, TOOLS):
        state.hub = lab.hub
        yield House(lab, client, agent)


@pytest.fixture
async def teams(app: FastAPI, db: Database, world: World, house: House) -> AsyncIterator[tuple[Team, Team]]:
    """Finance and Engineering."""
    made: list[Team] = []
    for name in ("finance", "engineering"):
        team = (await house.owner.post("/v1/teams", json={"name": name.title(), "slug": name})).json()["id"]
        user, principal = await make_user(db, world, Role.MEMBER, f"{name}@home.test")
        new = {"user_id": ids.encode("usr", user.id)}
        assert (await house.owner.post(f"/v1/teams/{team}/members", json=new)).status_code == 201
        members = [{"agent_id": house.agent[11:]}]
        channel = {"kind": "team", "name": name.title(), "team_id": team, "members": members}
        answer = await house.owner.post("/v1/channels", json=channel)
        assert answer.status_code == 201, answer.text
        key = await make_key(db, principal)
        person = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://retinue.test",
            headers={"authorization": f"Bearer {key.secret}"},
        )  # fmt: skip
        made.append(Team(f"/v1/channels/{answer.json()['id']}/messages", team, person))
    yield made[0], made[1]
    for team in made:
        await team.person.aclose()


async def ask(house: House, team: Team, *script: Any) -> dict[str, Any]:
    """Ask the scheduler in the team's channel; gives the turn once it has ended."""
    house.lab.models.script = list(script)
    answer = await team.person.post(team.path, json={"content": "@scheduler please"}, headers={"prefer": "wait=20"})
    assert answer.status_code == 200, answer.text
    [started] = answer.json()["interactions"]
    seen = await team.person.get(f"/v1/interactions/{started['id']}")
    assert seen.status_code == 200, seen.text
    return seen.json()


def acts(turn: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """What became of each call: tool to state and reason."""
    return {one["tool"]: (one["state"], one["error"]) for one in turn["steps"] if one["kind"] == "act"}


@pytest.mark.requirement("SCN-01", "DEL-23", "DEL-26", "GOV-10")
async def test_a_team_whose_scheduler_may_only_read_gets_free_times_and_no_event(
    house: House, teams: tuple[Team, Team]
) -> None:
    finance, _ = teams
    await house.assign("team", finance.id, createEvent={"blocked": True})
    turn = await ask(house, finance, calls(FREE, CLASH, BOOK), "Monday at 10 is free. I may not book it.")
    assert acts(turn) == {
        "find_free_time": ("success", None), "check_conflicts": ("success", None),
        "create_event": ("failed", "tool_blocked"),
    }  # fmt: skip
    assert booked == []
    assert [one["ok"] for one in results(house.lab)] == [True, True, False], "told in the model's order"
    assert results(house.lab)[2]["result"]["error"] == "tool_blocked"
    assert (turn["state"], turn["waits"], turn["parent_id"]) == ("succeeded", [], None), "at once, and by itself"
    tables = await house.lab.fetch("select to_regclass('retinue.job') is null as none where $1::uuid is not null")
    assert tables[0]["none"], "quick work makes no job: count the rows here once there are jobs"
    denied = (await house.owner.get("/v1/audit", params={"event": "policy.denied"})).json()["data"]
    assert [(line["interaction_id"], line["detail"]["tool"]) for line in denied] == [(turn["id"], "create_event")]


@pytest.mark.requirement("SCN-01")
async def test_the_same_scheduler_is_fully_usable_for_another_team(house: House, teams: tuple[Team, Team]) -> None:
    finance, engineering = teams
    await house.assign("team", finance.id, create_event={"blocked": True})
    await house.assign("team", engineering.id)
    turn = await ask(house, engineering, calls(FREE, CLASH, BOOK), "Booked.")
    assert set(acts(turn).values()) == {("success", None)}
    assert booked == ["Budget Monday 10:00"]
    assert acts(await ask(house, finance, calls(BOOK), "No."))["create_event"] == ("failed", "tool_blocked")
    assert booked == ["Budget Monday 10:00"]


@pytest.mark.requirement("DEL-24", "DEL-25", "CON-50", "TOOL-29")
async def test_actions_and_numbers_of_calls_are_restricted_by_assignment(
    house: House, teams: tuple[Team, Team]
) -> None:
    finance, engineering = teams
    only = {"allowed_actions": ["find_free_time", "check_conflicts"], "denied_actions": ["create_event"]}
    await house.assign("team", finance.id, calendar=only, find_free_time={"max_calls_per_interaction": 3})
    bad = {"scope": "team", "scope_id": engineering.id, "tool_restrictions": {"create_event": only}}
    problem(await house.owner.post(f"{house.agent}/assignments", json=bad), 422, "invalid_input")
    several = [call("calendar", action=action, at="now") for action in ("find_free_time", "create_event")]
    await ask(house, finance, calls(*several, *(FREE.model_copy(update={"id": ids.new()}) for _ in range(4))), "Done.")
    told = results(house.lab)
    assert [one["ok"] for one in told] == [True, False, True, True, True, False]
    assert [told[place]["result"]["error"] for place in (1, 5)] == ["action_not_allowed", "call_limit"]
    assert booked == []


async def test_one_scheduler_serves_three_each_within_their_own_assignment(
    app: FastAPI, db: Database, world: World, house: House, teams: tuple[Team, Team]
) -> None:
    """The restriction part of SCN-06: separate assignments of one agent, read-only for finance, full for engineering
    and for one person alone. What changes for one changes for no other, from the next step on."""
    finance, engineering = teams
    path = await house.assign("team", finance.id, create_event={"blocked": True})
    await house.assign("team", engineering.id)
    user, principal = await make_user(db, world, Role.MEMBER, "chief@home.test")
    await house.assign("user", ids.encode("usr", user.id))
    async with as_client(app, (await make_key(db, principal)).secret) as chief:
        direct = (await chief.post(f"{house.agent}/direct")).json()["id"]
        alone = Team(f"/v1/channels/{direct}/messages", "", chief)
        assert acts(await ask(house, alone, calls(BOOK), "Booked."))["create_event"] == ("success", None)
        refused = acts(await ask(house, finance, calls(BOOK), "No."))["create_event"]
        assert refused == ("failed", "tool_blocked")
        changed = await house.owner.patch(path, json={"tool_restrictions": {}})
        assert changed.status_code == 200, changed.text
        assert acts(await ask(house, finance, calls(BOOK), "Booked."))["create_event"] == ("success", None)
        assert acts(await ask(house, engineering, calls(BOOK), "Booked."))["create_event"] == ("success", None)
    assert len(booked) == 3
    seen = [(one["scope"], sorted(one["tool_restrictions"])) for one in await assigned(house)]
    assert seen == [("team", []), ("team", []), ("user", [])]


async def assigned(house: House) -> list[dict[str, Any]]:
    return (await house.owner.get(f"{house.agent}/assignments")).json()


@pytest.mark.requirement("LIFE-08", "REG-10", "GOV-22")
async def test_nothing_is_done_for_who_has_no_way_to_the_agent_nor_by_one_that_is_not_registered(
    house: House, teams: tuple[Team, Team]
) -> None:
    finance, engineering = teams
    await house.assign("team", finance.id)
    refused = await ask(house, engineering, calls(BOOK), "Never said.")
    assert (refused["state"], refused["stop_reason"]) == ("cancelled", "not_assigned")
    await house.lab.configure("delete from agent_registry where account_id = $1")
    stopped = await ask(house, finance, calls(BOOK), "Never said.")
    assert (stopped["state"], stopped["stop_reason"]) == ("succeeded", "not_registered")
    assert (booked, house.lab.models.requests) == ([], []), "no model is asked for what nobody may have"
    denied = (await house.owner.get("/v1/audit", params={"event": "policy.denied"})).json()["data"]
    assert [line["detail"]["reason"] for line in denied] == ["not_registered", "not_assigned"]


@pytest.mark.requirement("GOV-22", "GOV-23", "DEL-23")
async def test_each_denied_call_says_which_layer_was_against_it(house: House, teams: tuple[Team, Team]) -> None:
    finance, _ = teams
    await house.assign("team", finance.id, create_event={"blocked": True})
    turn = await ask(house, finance, calls(BOOK), "No.")
    [step] = [one for one in turn["steps"] if one["kind"] == "act"]
    against = [one for one in step["policy"]["opinions"] if one["verdict"] == "deny"]
    assert [(one["layer"], one["reason"]) for one in against] == [("assignment", "tool_blocked")]
    role = {"name": "Reader", "autonomy_tier": "retrieval"}
    role_id = (await house.owner.post("/v1/roles", json=role)).json()["id"]
    body = {"registry_tier": "department", "autonomy_score": 5, "role_id": role_id}
    assert (await house.owner.put(f"{house.agent}/registry", json=body)).status_code == 200
    turn = await ask(house, finance, calls(FREE, BOOK), "No.")
    steps = {one["tool"]: one for one in turn["steps"] if one["kind"] == "act"}
    assert steps["find_free_time"]["state"] == "success"
    against = [one for one in steps["create_event"]["policy"]["opinions"] if one["verdict"] == "deny"]
    assert [one["layer"] for one in against] == ["role", "assignment"]
    assert steps["create_event"]["error"] == against[0]["reason"], "the first layer that is as strict as all tells"

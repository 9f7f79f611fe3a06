"""Trying a draft of an agent before it is saved."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from retinue.api.deps import AppState
from retinue.domain import ids
from retinue.domain.accounts import Role
from retinue.domain.tools import Effect
from retinue.tools.registry import Context, tool
from tests.api.conftest import Stranger, World, as_client, make_key, make_user, problem
from tests.turn.conftest import Lab, call, calls, node

DRAFT: dict[str, Any] = {"name": "Pirate", "system_prompt": "Talk like a pirate.", "trust_level": "read"}


@tool(effect=Effect.WRITE)
async def bury(ctx: Context, what: str) -> str:
    """Bury treasure.

    Args:
        what: the treasure
    """
    return "buried"


@tool(effect=Effect.READ)
async def spy(ctx: Context) -> str:
    """Look out."""
    return "a ship"


@pytest.fixture
async def lab(state: AppState, world: World) -> AsyncIterator[Lab]:
    made = Lab(db=state.db, world=world.made)
    async with node(made, [bury, spy]):
        state.hub, state.engine = made.hub, made.engine
        yield made


async def tried(client: httpx.AsyncClient, lab: Lab, content: str = "Hello", **body: Any) -> dict[str, Any]:
    """What a trial answers at once, when its turn has ended."""
    answer = await client.post("/v1/agents/try", json={"agent": DRAFT, "content": content} | body)
    assert answer.status_code == 202, answer.text
    started: dict[str, Any] = answer.json()
    await lab.until(ids.decode("int", started["interaction_id"]))
    return started


async def test_a_draft_answers_by_its_own_prompt_without_becoming_an_agent(lab: Lab, client: httpx.AsyncClient) -> None:
    before = (await client.get("/v1/agents")).json()
    lab.models.script = ["Arr!"]
    started = await tried(client, lab)
    turn = (await client.get(f"/v1/interactions/{started['interaction_id']}")).json()
    assert (turn["state"], turn["reply"]["text"], turn["trial"]) == ("succeeded", "Arr!", True)
    assert turn["agent_name"] == "Pirate"
    [sent] = lab.models.requests
    assert "Talk like a pirate." in sent.system and "Pirate (@pirate)" in sent.system
    streamed = await client.get(f"/v1/interactions/{started['interaction_id']}/stream")
    assert "Arr!" in streamed.text
    assert (await client.get("/v1/agents")).json() == before
    assert (await client.get("/v1/agents/overview")).json()
    problem(await client.get(f"/v1/agents/{turn['agent_id']}"), 404, "not_found")
    problem(await client.patch(f"/v1/agents/{turn['agent_id']}", json={"name": "Mine"}), 404, "not_found")
    assert (await client.get("/v1/threads")).json()["data"] == []


async def test_a_trial_goes_on_in_its_thread_with_the_draft_as_it_is_then(lab: Lab, client: httpx.AsyncClient) -> None:
    first = await tried(client, lab, "My name is Ann")
    changed = DRAFT | {"system_prompt": "Talk like a queen."}
    second = await tried(client, lab, "Who am I?", agent=changed, thread_id=first["thread_id"])
    assert second["thread_id"] == first["thread_id"]
    one, two = lab.models.requests
    assert "pirate" in one.system and "queen" in two.system and "Ann" in str(two.messages)
    path = f"/v1/interactions/{first['interaction_id']}"
    prompt = (await client.get(f"{path}/steps/1/prompt")).json()
    assert prompt["exact"] and prompt["request"] == one.model_dump(mode="json"), "each turn keeps its own draft"


async def test_trials_are_left_out_of_the_list_unless_asked_for(lab: Lab, client: httpx.AsyncClient) -> None:
    started = await tried(client, lab)
    await lab.ask("A real one")
    usual = (await client.get("/v1/interactions")).json()["data"]
    assert [row["trial"] for row in usual] == [False]
    every = (await client.get("/v1/interactions", params={"trials": True})).json()["data"]
    assert started["interaction_id"] in [row["id"] for row in every if row["trial"]]


async def test_a_trial_of_an_edit_says_what_differs_from_the_saved_agent(lab: Lab, client: httpx.AsyncClient) -> None:
    agent_id = ids.encode("agt", lab.world.agent.id)
    saved = (await client.get(f"/v1/agents/{agent_id}")).json()
    names = ("name", "slug", "execution", "model", "trust_level", "capability_level", "limits", "context")
    tools = [{"tool": one["tool"]} for one in (await client.get(f"/v1/agents/{agent_id}/tools")).json()]
    draft = {name: saved[name] for name in names} | {"system_prompt": "Shorter.", "tools": tools}
    started = await tried(client, lab, agent=draft, agent_id=agent_id)
    config = (await client.get(f"/v1/interactions/{started['interaction_id']}/config")).json()
    assert {change["path"] for change in config["changes"]} == {"system_prompt"}


async def test_the_gate_holds_a_draft_to_its_own_rights(lab: Lab, client: httpx.AsyncClient) -> None:
    lab.models.script = [calls(call("bury", what="gold"), call("spy"), call("bury", what="more")), "Done."]
    draft = DRAFT | {"tools": [{"tool": "spy"}]}
    started = await tried(client, lab, agent=draft)
    turn = (await client.get(f"/v1/interactions/{started['interaction_id']}")).json()
    acts = [(step["tool"], step["state"]) for step in turn["steps"] if step["kind"] == "act"]
    assert acts == [("bury", "failed"), ("spy", "success"), ("bury", "failed")]


async def test_only_admins_try_and_each_sees_only_ones_own_trials(
    lab: Lab, client: httpx.AsyncClient, app: FastAPI, world: World, stranger: Stranger
) -> None:
    started = await tried(client, lab)
    body = {"agent": DRAFT, "content": "Hi", "thread_id": started["thread_id"]}
    _, member = await make_user(lab.db, world, Role.MEMBER)
    _, admin = await make_user(lab.db, world, Role.ADMIN)
    async with as_client(app, (await make_key(lab.db, member)).secret) as other:
        problem(await other.post("/v1/agents/try", json=body), 403, "forbidden")
    async with as_client(app, (await make_key(lab.db, admin)).secret) as other:
        problem(await other.post("/v1/agents/try", json=body), 404, "not_found")
        problem(await other.get(f"/v1/interactions/{started['interaction_id']}"), 404, "not_found")
        assert (await other.get("/v1/interactions", params={"trials": True})).json()["data"] == []
    problem(await stranger.client.post("/v1/agents/try", json=body), 404, "not_found")


async def test_a_draft_that_could_not_be_saved_is_refused(lab: Lab, client: httpx.AsyncClient) -> None:
    for draft in (
        {"name": ""},
        {"name": "X", "execution": "external"},
        {"name": "X", "tools": [{"tool": "spy", "config": {"timeout_seconds": "soon"}}]},
    ):
        answer = await client.post("/v1/agents/try", json={"agent": draft, "content": "Hi"})
        assert answer.status_code == 422, answer.text

"""Looking into a turn over HTTP: steps, prompts, configurations, an agent's activity."""

from collections.abc import AsyncIterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI

from retinue import errors
from retinue.api.deps import AppState
from retinue.domain import ids
from retinue.domain.accounts import Role
from retinue.domain.models import ModelReply, ModelRequest, TextPart, ThinkingPart, Usage
from retinue.domain.tools import Effect
from retinue.llm.models import Models
from retinue.settings import Settings
from retinue.telemetry import clock
from retinue.testing.models import ScriptedModels
from retinue.testing.scripts import Script
from retinue.tools.registry import Context, tool
from tests.api.conftest import Stranger, World, as_client, make_key, make_user, problem
from tests.turn.conftest import Lab, call, calls, node


@tool(effect=Effect.READ)
async def look_up(ctx: Context, word: str) -> dict[str, str]:
    """Look a word up.

    Args:
        word: what to look up
    """
    if word == "nothing":
        raise errors.ToolError("Not in this book.", code="not_in_book")
    return {"meaning": f"{word}!"}


@pytest.fixture
async def lab(state: AppState, world: World) -> AsyncIterator[Lab]:
    made = Lab(db=state.db, world=world.made)
    await made.configure("delete from agent_tool where account_id = $1")
    await made.give("look_up")
    async with node(made, [look_up]):
        state.hub, state.engine = made.hub, made.engine
        yield made


def agent_path(lab: Lab) -> str:
    return f"/v1/agents/{ids.encode('agt', lab.world.agent.id)}"


async def looked_up(lab: Lab) -> str:
    """The path of a turn: a think step, two calls of which one fails, a think step, a reply."""
    thought = ModelReply(
        model="script/1",
        provider="script",
        text="It is a word.",
        thinking="Hm.",
        parts=(ThinkingPart(text="Hm."), TextPart(text="It is a word.")),
        usage=Usage(input_tokens=20, output_tokens=7),
        cost_micro=300,
    )
    lab.models.script = [calls(call("look_up", word="moss"), call("look_up", word="nothing")), thought]
    return f"/v1/interactions/{ids.encode('int', (await lab.ask('What is moss?')).id)}"


async def test_every_step_shows_what_it_worked_on_and_what_it_gave(lab: Lab, client: httpx.AsyncClient) -> None:
    turn = await looked_up(lab)
    think, act, failed, last, respond = [(await client.get(f"{turn}/steps/{seq}")).json() for seq in range(1, 6)]
    seen = think["input_resolved"]
    assert [message["role"] for message in seen["messages"]] == ["user"] and seen["tools"] == ["look_up"]
    assert (seen["model"], seen["exact"], seen["notes"]) == ("script/1", True, [])
    asked = think["output_resolved"]["calls"]
    assert [(one["seq"], one["tool"], one["arguments"], one["state"]) for one in asked] == [
        (2, "look_up", {"word": "moss"}, "success"),
        (3, "look_up", {"word": "nothing"}, "failed"),
    ]
    assert act["input_resolved"] | {"config_hash": ""} == {
        "config_hash": "", "model": None, "messages": None, "tools": None, "exact": None, "notes": [], "asked_by": 1,
        "tool_name": "Look up", "tool_description": "Look a word up.", "arguments": {"word": "moss"},
        "malformed": None,
    }  # fmt: skip
    assert act["output_resolved"]["result"] == {"meaning": "moss!"}
    assert failed["output_resolved"]["result"]["error"] == failed["step"]["error"] == "not_in_book"
    assert [message["role"] for message in last["input_resolved"]["messages"]] == ["user", "assistant", "tool"]
    said = last["output_resolved"]
    assert (said["text"], said["thinking"], said["provider"], said["finish"]) == (
        "It is a word.", "Hm.", "script", "stop",
    )  # fmt: skip
    assert respond["output_resolved"]["message"]["content"] == "It is a word."
    assert respond["output_resolved"]["delivery"] == "inline"
    problem(await client.get(f"{turn}/steps/6"), 404, "not_found")


async def test_the_prompt_of_a_step_comes_with_everything_the_model_was_sent(
    lab: Lab, client: httpx.AsyncClient
) -> None:
    turn = await looked_up(lab)
    made = (await client.get(f"{turn}/steps/4/prompt")).json()
    sent = lab.models.requests[1]
    assert made["exact"] and made["request"] == sent.model_dump(mode="json")
    problem(await client.get(f"{turn}/steps/2/prompt"), 409, "wrong_state")


async def test_the_rebuilt_request_is_byte_for_byte_what_a_real_providers_client_sent(
    lab: Lab, client: httpx.AsyncClient
) -> None:
    script = Script.model_validate(
        {
            "steps": [
                {"calls": [{"tool": "look_up", "arguments": {"word": "moss"}}]},
                {"match": {"after_result": True}, "text": "A plant."},
            ],
            "default": "Again.",
        }
    )
    async with ScriptedModels(script) as server:
        real = Models(Settings(), env=server.env())
        assert lab.engine is not None
        await real.warm(real.resolve())
        lab.engine.models = real
        turn = await lab.ask("What is moss?", seconds=30)
        first, second = [request.body for request in server.requests]
        await lab.configure("update agent set system_prompt = 'Later.' where account_id = $1")
        await lab.ask("And later?", seconds=30)
        for seq, sent in ((1, first), (3, second)):
            path = f"/v1/interactions/{ids.encode('int', turn.id)}/steps/{seq}/prompt"
            made = (await client.get(path)).json()
            assert made["exact"]
            await real.stream(ModelRequest.model_validate(made["request"]))
            assert server.requests[-1].body == sent
        await real.close()


async def test_a_turns_configuration_is_compared_with_todays(lab: Lab, client: httpx.AsyncClient) -> None:
    turn = await looked_up(lab)
    same = (await client.get(f"{turn}/config")).json()
    assert same["hash"] == same["current_hash"] and same["changes"] == []
    await client.patch(agent_path(lab), json={"system_prompt": "Be brief.", "limits": {"max_steps": 3}})
    now = (await client.get(f"{turn}/config")).json()
    assert {change["path"]: change["after"] for change in now["changes"]} == {
        "system_prompt": "Be brief.", "limits.max_steps": 3,
    }  # fmt: skip
    assert now["snapshot"] == same["snapshot"] and now["current"]["system_prompt"] == "Be brief."
    await lab.configure("update agent set deleted_at = clock() where account_id = $1")
    gone = (await client.get(f"{turn}/config")).json()
    assert (gone["current"], gone["changes"]) == (None, []) and gone["snapshot"] == same["snapshot"]


async def test_who_may_not_see_the_turn_may_not_look_into_it(
    lab: Lab, app: FastAPI, stranger: Stranger, world: World
) -> None:
    turn = await looked_up(lab)
    _, admin = await make_user(lab.db, world, Role.ADMIN)
    key = await make_key(lab.db, admin)
    async with as_client(app, key.secret) as other:
        for one in (other, stranger.client):
            for path in ("/config", "/steps/1", "/steps/1/prompt", "/steps/5"):
                problem(await one.get(turn + path), 404, "not_found")


async def test_an_agents_activity_has_its_channels_turns_and_days_in_the_readers_time_zone(
    lab: Lab, client: httpx.AsyncClient, app: FastAPI, world: World
) -> None:
    await looked_up(lab)
    lab.models.script = [errors.ModelPermanent("No.")]
    await lab.ask("fails")
    await lab.configure("update app_user set time_zone = 'Pacific/Kiritimati' where account_id = $1")
    today = clock.now().astimezone(ZoneInfo("Pacific/Kiritimati")).date()
    found = (await client.get(f"{agent_path(lab)}/activity")).json()
    assert found["time_zone"] == "Pacific/Kiritimati"
    assert {"name", "trigger_mode", "channel_id"} == found["channels"][0].keys()
    assert [row["state"] for row in found["recent"]] == ["failed", "succeeded"]
    assert len(found["days"]) == 30 and found["days"][-1] == {
        "day": str(today), "turns": 2, "failed": 1, "cost": {"amount_micro": 400, "currency": "USD"},
        "input_tokens": 30, "output_tokens": 12,
    }  # fmt: skip
    assert found["days"][0]["day"] == str(today - timedelta(days=29)) and found["days"][0]["turns"] == 0
    _, member = await make_user(lab.db, world, Role.MEMBER)
    async with as_client(app, (await make_key(lab.db, member)).secret) as other:
        seen = (await other.get(f"{agent_path(lab)}/activity")).json()
    assert seen["recent"] == [] and seen["days"][-1]["turns"] == 0, "who is no admin sees one's own turns"
    private = ids.encode("ch", lab.world.private_channel.id)
    assert private not in [channel["channel_id"] for channel in seen["channels"]]


async def test_a_turn_says_what_was_asked_until_that_is_deleted(lab: Lab, client: httpx.AsyncClient) -> None:
    await looked_up(lab)
    turn = (await client.get("/v1/interactions")).json()["data"][0]
    assert turn["asked"] == "What is moss?"
    await client.delete(f"/v1/channels/{turn['channel_id']}/messages/{turn['message_id']}")
    assert (await client.get(f"/v1/interactions/{turn['id']}")).json()["asked"] is None


async def test_the_list_takes_its_filters_and_cursors_from_the_query(lab: Lab, client: httpx.AsyncClient) -> None:
    await looked_up(lab)
    await lab.ask("Thanks")
    assert len((await client.get("/v1/interactions", params={"tool": "look_up"})).json()["data"]) == 1
    assert len((await client.get("/v1/interactions", params={"q": "moss"})).json()["data"]) == 1
    first = (await client.get("/v1/interactions", params={"sort": "cost", "limit": 1})).json()
    assert first["data"][0]["cost"]["amount_micro"] == 400 and first["data"][0]["agent_name"]
    second = (await client.get("/v1/interactions", params={"sort": "cost", "after": first["next"]})).json()
    assert [row["cost"]["amount_micro"] for row in second["data"]] == [100] and second["next"] is None
    problem(await client.get("/v1/interactions", params={"after": first["next"]}), 422, "invalid_input")
    newest = (await client.get("/v1/interactions", params={"limit": 1})).json()["next"]
    problem(await client.get("/v1/interactions", params={"sort": "slowest", "after": newest}), 422, "invalid_input")

"""Messages and interactions over HTTP, with a node that runs."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from retinue import errors
from retinue.api import routes
from retinue.api.deps import AppState
from retinue.domain import ids
from retinue.domain.accounts import Role
from retinue.domain.tools import Effect
from retinue.tools.registry import Context, tool
from tests.api.conftest import Stranger, World, as_client, make_key, make_user, problem
from tests.turn.conftest import Lab, call, calls, node
from tests.turn.test_new_input import Slow


@tool(effect=Effect.EXTERNAL_ONCE)
async def wire_money(ctx: Context, to: str) -> str:
    """Wire money.

    Args:
        to: the receiver
    """
    raise errors.ToolOutcomeUnknown("The line went dead.")


@pytest.fixture
async def lab(state: AppState, world: World) -> AsyncIterator[Lab]:
    """A node with a scripted model behind the HTTP application."""
    made = Lab(db=state.db, world=world.made)
    await made.give("wire_money")
    async with node(made, [wire_money]):
        state.hub = made.hub
        yield made


def path(lab: Lab) -> str:
    return f"/v1/channels/{ids.encode('ch', lab.world.private_channel.id)}/messages"


async def post(client: httpx.AsyncClient, lab: Lab, content: str = "hello", **headers: str) -> httpx.Response:
    return await client.post(path(lab), json={"content": content}, headers=headers)


def events(body: str) -> list[tuple[str, Any, str | None]]:
    """The events of a server-sent stream: name, data, id."""
    found: list[tuple[str, Any, str | None]] = []
    for block in body.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"]), fields.get("id")))
    return found


@pytest.mark.requirement("ROL-03", "CHN-19")
async def test_a_message_is_answered_at_once_with_the_ids_of_what_it_started(
    lab: Lab, client: httpx.AsyncClient
) -> None:
    answer = await post(client, lab)
    assert answer.status_code == 202
    body = answer.json()
    assert body["message"]["id"].startswith("msg_")
    [started] = body["interactions"]
    assert started["id"].startswith("int_")
    assert started["agent_id"].startswith("agt_")
    assert body["replies"] is None


async def test_prefer_wait_answers_with_the_replies(lab: Lab, client: httpx.AsyncClient) -> None:
    lab.models.script = ["Good morning."]
    answer = await post(client, lab, prefer="wait=20")
    assert answer.status_code == 200, answer.text
    assert [reply["content"] for reply in answer.json()["replies"]] == ["Good morning."]
    assert answer.json()["interactions"][0]["state"] == "succeeded"


async def test_prefer_wait_answers_202_when_time_is_up(lab: Lab, client: httpx.AsyncClient) -> None:
    slow = Slow("late")
    lab.models.script = [slow]
    assert (await post(client, lab, prefer="wait=1")).status_code == 202
    slow.go.set()


async def test_a_reply_to_input_that_came_late_is_the_follow_ups(lab: Lab, client: httpx.AsyncClient) -> None:
    slow = Slow("first")
    lab.models.script = [slow, "second"]
    await post(client, lab, "one")
    await slow.begun.wait()

    async def let_go() -> None:
        async with asyncio.timeout(10):
            while not await lab.fetch("select 1 from thread where account_id = $1 and late_seq > 0"):
                await asyncio.sleep(0.01)
        slow.go.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(let_go())
        waited = group.create_task(post(client, lab, "two", prefer="wait=20"))
    assert [reply["content"] for reply in waited.result().json()["replies"]] == ["second"]


@pytest.mark.requirement("CHN-10")
async def test_what_is_asked_under_a_reply_is_answered_under_the_first_message_of_the_thread(
    lab: Lab, client: httpx.AsyncClient
) -> None:
    async def ask(text: str, **fields: str) -> tuple[dict[str, Any], dict[str, Any]]:
        answer = await client.post(path(lab), json={"content": text, **fields}, headers={"prefer": "wait=20"})
        return answer.json()["message"], answer.json()["replies"][0]

    root, answered = await ask("root")
    assert (answered["reply_to"], answered["delivery"]) == (None, "inline")
    first, under_first = await ask("first", reply_to=root["id"])
    second, under_second = await ask("second", reply_to=under_first["id"])
    thread = [first, under_first, second, under_second]
    assert {(one["reply_to"], one["delivery"]) for one in thread} == {(root["id"], "threaded")}
    listed = (await client.get(path(lab), params={"reply_to": root["id"], "order": "oldest"})).json()["data"]
    assert [one["id"] for one in listed] == [one["id"] for one in thread]
    alone, apart = await ask("in a thread of its own", delivery="threaded")
    assert (alone["reply_to"], apart["reply_to"]) == (None, alone["id"])


@pytest.mark.requirement("CHN-11")
async def test_nobody_replies_to_what_was_said_to_somebody_else(
    lab: Lab, client: httpx.AsyncClient, app: FastAPI, world: World
) -> None:
    messages = f"/v1/channels/{ids.encode('ch', lab.world.channel.id)}/messages"
    asked = {"content": "@assistant between us", "delivery": "direct"}
    told = (await client.post(messages, json=asked, headers={"prefer": "wait=20"})).json()["replies"][0]
    assert (told["delivery"], told["reply_to"]) == ("direct", None)
    _, other = await make_user(lab.db, world, Role.MEMBER)
    async with as_client(app, (await make_key(lab.db, other)).secret) as member:
        answer = await member.post(messages, json={"content": "what?", "reply_to": told["id"]})
        problem(answer, 404, "not_found")
    assert (await client.post(messages, json={"content": "so", "reply_to": told["id"]})).status_code == 202


@pytest.mark.requirement("AGT-24", "ROL-06")
async def test_an_interaction_shows_every_step_with_tokens_and_cost(lab: Lab, client: httpx.AsyncClient) -> None:
    lab.models.script = [calls(call("nothing", a=1)), "done"]
    started = (await post(client, lab, prefer="wait=20")).json()["interactions"][0]
    body = (await client.get(f"/v1/interactions/{started['id']}")).json()
    assert body["state"] == "succeeded"
    assert [(s["kind"], s["state"]) for s in body["steps"]] == [
        ("think", "success"),
        ("act", "failed"),
        ("think", "success"),
        ("respond", "success"),
    ]
    assert body["steps"][1]["error"] == "unknown_tool"
    assert body["steps"][1]["input"]["arguments"] == {"a": 1}
    assert body["cost"] == {"amount_micro": 200, "currency": "USD"}
    assert (body["input_tokens"], body["output_tokens"]) == (20, 10)
    assert len(body["config_hash"]) == 64
    listed = (await client.get("/v1/interactions", params={"state": "succeeded", "limit": 1})).json()
    assert [row["id"] for row in listed["data"]] == [started["id"]]
    assert (await client.get("/v1/interactions", params={"state": "failed"})).json()["data"] == []


@pytest.mark.requirement("AGT-24")
async def test_the_steps_of_a_turn_are_shown_while_it_runs(lab: Lab, client: httpx.AsyncClient) -> None:
    slow = Slow("done")
    lab.models.script = [calls(call("nothing")), slow]
    started = (await post(client, lab)).json()["interactions"][0]["id"]
    await slow.begun.wait()
    body = (await client.get(f"/v1/interactions/{started}")).json()
    slow.go.set()
    assert (body["state"], body["ended_at"]) == ("running", None)
    assert [(one["kind"], one["state"]) for one in body["steps"]] == [
        ("think", "success"), ("act", "failed"), ("think", "running"),
    ]  # fmt: skip
    await lab.until(ids.decode("int", started))


@pytest.mark.requirement("AGT-25", "ROL-04")
async def test_the_stream_tells_the_whole_turn_and_can_be_resumed(lab: Lab, client: httpx.AsyncClient) -> None:
    slow = Slow("unused")

    async def speak(_request: object) -> Any:
        await slow.go.wait()
        return "Hello there."

    lab.models.script = [calls(call("nothing")), speak]
    started = (await post(client, lab)).json()["interactions"][0]
    url = f"/v1/interactions/{started['id']}/stream"
    async with asyncio.TaskGroup() as group:
        following = group.create_task(client.get(url))
        await asyncio.sleep(0)
        slow.go.set()
    told = events(following.result().text)
    names = [name for name, _, _ in told]
    assert names[0] == "thinking"
    assert names[-2:] == ["message", "done"]
    assert "step" in names
    message = next(data for name, data, _ in told if name == "message")
    assert message["content"] == "Hello there."
    done = told[-1][1]
    assert (done["state"], done["interaction_id"], done["reply_message_id"]) == (
        "succeeded",
        started["id"],
        message["id"],
    )
    again = events((await client.get(url, headers={"last-event-id": "1.999"})).text)
    assert [name for name, _, _ in again if name != "step"] == ["message", "done"]
    problem(await client.get(url, headers={"last-event-id": "nonsense"}), 422, "invalid_input")


async def test_cancel_and_retry_over_http(lab: Lab, client: httpx.AsyncClient) -> None:
    slow = Slow("never")
    lab.models.script = [slow, errors.ModelPermanent("No."), "better"]
    first = (await post(client, lab)).json()["interactions"][0]["id"]
    await slow.begun.wait()
    assert (await client.post(f"/v1/interactions/{first}/cancel")).json()["state"] == "running"
    await lab.until(ids.decode("int", first))
    assert (await client.post(f"/v1/interactions/{first}/cancel")).json()["state"] == "cancelled"
    problem(await client.post(f"/v1/interactions/{first}/retry"), 409, "wrong_state")
    failed = (await post(client, lab, prefer="wait=20")).json()["interactions"][0]
    assert failed["state"] == "failed"
    detail = (await client.get(f"/v1/interactions/{failed['id']}")).json()
    assert (detail["error"], detail["error_detail"]) == ("model_refused", "No.")
    assert (await client.post(f"/v1/interactions/{failed['id']}/retry")).json()["state"] in (
        "queued",
        "running",
        "succeeded",
    )
    await lab.until(ids.decode("int", failed["id"]), "succeeded")
    assert await lab.replies() == ["better"]


async def test_an_unknown_outcome_is_visible_and_answerable(lab: Lab, client: httpx.AsyncClient) -> None:
    lab.models.script = [calls(call("wire_money", to="x")), "Settled."]
    answer = (await post(client, lab, prefer="wait=20")).json()
    [wait] = answer["waits"]
    assert (wait["kind"], wait["tool"], wait["state"]) == ("outcome", "wire_money", "open")
    assert answer["interactions"][0]["state"] == "waiting"
    assert [row["id"] for row in (await client.get("/v1/waits")).json()["data"]] == [wait["id"]]
    url = f"/v1/waits/{wait['id']}/answer"
    problem(await client.post(url, json={"happened": "maybe"}), 422, "invalid_input")
    assert (await client.post(url, json={"happened": True})).json()["state"] == "resolved"
    problem(await client.post(url, json={"happened": True}), 409, "wrong_state")
    await lab.until(ids.decode("int", answer["interactions"][0]["id"]), "succeeded")
    assert await lab.replies() == ["Settled."]


@pytest.mark.requirement("PRN-14", "AUD-16")
async def test_a_private_turn_is_nobody_elses_business(
    lab: Lab,
    client: httpx.AsyncClient,
    app: FastAPI,
    world: World,
    stranger: Stranger,
) -> None:
    started = (await post(client, lab, prefer="wait=20")).json()["interactions"][0]["id"]
    _, other = await make_user(lab.db, world, Role.ADMIN)
    key = await make_key(lab.db, other)
    async with as_client(app, key.secret) as admin:
        for one in (admin, stranger.client):
            problem(await one.get(f"/v1/interactions/{started}"), 404, "not_found")
            problem(await one.get(f"/v1/interactions/{started}/stream"), 404, "not_found")
            problem(await one.post(f"/v1/interactions/{started}/cancel"), 404, "not_found")
            assert (await one.get("/v1/interactions")).json()["data"] == []
            problem(await one.post(path(lab), json={"content": "let me in"}), 404, "not_found")


async def test_bad_messages_get_clear_answers(
    lab: Lab, client: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    problem(await client.post(path(lab), json={"content": ""}), 422, "invalid_input")
    problem(await client.post(path(lab), json={"text": "hello"}), 422, "invalid_input")
    problem(await client.post(path(lab), json={"content": "x" * 300_000}), 413, "too_large")
    problem(await client.post("/v1/channels/ch_nonsense/messages", json={"content": "x"}), 422, "invalid_input")
    unknown = ids.encode("ch", ids.new())
    problem(await client.post(f"/v1/channels/{unknown}/messages", json={"content": "x"}), 404, "not_found")
    reply_to = {"content": "x", "reply_to": ids.encode("msg", ids.new())}
    problem(await client.post(path(lab), json=reply_to), 404, "not_found")
    problem(await anonymous.post(path(lab), json={"content": "x"}), 401, "not_signed_in")


async def test_a_busy_channel_that_rejects_says_so(lab: Lab, client: httpx.AsyncClient) -> None:
    await lab.configure(
        "update channel set input_policy = 'reject' where account_id = $1 and id = $2", lab.world.private_channel.id
    )
    slow = Slow("a")
    lab.models.script = [slow]
    await post(client, lab)
    await slow.begun.wait()
    problem(await post(client, lab), 409, "thread_busy")
    slow.go.set()


async def test_the_same_key_posts_one_message(lab: Lab, client: httpx.AsyncClient) -> None:
    first = await post(client, lab, **{"idempotency-key": "k1"})
    again = await post(client, lab, **{"idempotency-key": "k1"})
    assert again.json() == first.json()
    rows = await lab.fetch("select 1 from message where account_id = $1 and author_kind = 'user'")
    assert len(rows) == 1


def test_the_application_documents_every_turn_route(state: AppState) -> None:
    paths = routes.create(state).openapi()["paths"]
    assert {
        "/v1/channels/{channel_id}/messages",
        "/v1/interactions/{interaction_id}/stream",
        "/v1/live",
    } <= paths.keys()

"""Messages after they are posted: lists, threads, reactions, edits, undo, read marks, exports."""

import json
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Role
from retinue.domain.messages import MAX_EMOJI
from tests.api.conftest import World, as_client, make_key, make_user, problem


async def make(client: httpx.AsyncClient, *members: str, **fields: object) -> str:
    """A group; gives its path."""
    body = {"kind": "group", "name": "Général", "members": [{"user_id": one} for one in members], **fields}
    answer = await client.post("/v1/channels", json=body)
    assert answer.status_code == 201, answer.text
    return f"/v1/channels/{answer.json()['id']}"


async def say(client: httpx.AsyncClient, channel: str, text: str, **fields: object) -> dict[str, object]:
    answer = await client.post(f"{channel}/messages", json={"content": text, **fields})
    assert answer.status_code == 202, answer.text
    return answer.json()["message"]


async def texts(client: httpx.AsyncClient, channel: str, **query: object) -> list[str]:
    answer = await client.get(f"{channel}/messages", params=query)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [one["content"] for one in answer.json()["data"]]


@pytest.fixture
async def other(app: FastAPI, db: Database, world: World):  # type: ignore[no-untyped-def]
    """Somebody else of the account: (id, client)."""
    user, principal = await make_user(db, world, Role.MEMBER)
    async with as_client(app, (await make_key(db, principal)).secret) as opened:
        yield ids.encode("usr", user.id), opened


async def test_a_list_is_read_from_any_place_in_both_directions(client: httpx.AsyncClient) -> None:
    channel = await make(client)
    said = [await say(client, channel, str(number)) for number in range(1, 10)]
    assert await texts(client, channel, after_seq=6) == ["9", "8", "7"]
    assert await texts(client, channel, after_seq=6, order="oldest", limit=2) == ["7", "8"]
    assert await texts(client, channel, before_seq=4) == ["3", "2", "1"]
    assert await texts(client, channel, before_seq=8, after_seq=5) == ["7", "6"]
    centre = said[4]["id"]
    assert await texts(client, channel, around=centre, limit=4) == ["6", "5", "4", "3"]
    assert await texts(client, channel, around=centre, limit=5, order="oldest") == ["3", "4", "5", "6", "7"]
    assert await texts(client, channel, around=centre, limit=1) == ["5"]
    page = (await client.get(f"{channel}/messages", params={"around": centre, "limit": 4})).json()  # type: ignore[arg-type]
    assert await texts(client, channel, after=page["next"], around=centre) == ["2", "1"]
    stranger = await make(client)
    problem(await client.get(f"{stranger}/messages", params={"around": str(centre)}), 404, "not_found")


@pytest.mark.requirement("CHN-10")
async def test_a_thread_is_one_level_and_stays_out_of_the_channels_top_level(client: httpx.AsyncClient) -> None:
    channel = await make(client)
    root = await say(client, channel, "root")
    await say(client, channel, "beside")
    first = await say(client, channel, "first", reply_to=root["id"])
    second = await say(client, channel, "second", reply_to=first["id"])
    assert (second["reply_to"], second["delivery"]) == (root["id"], "threaded")
    assert await texts(client, channel, top_level=True) == ["beside", "root"]
    assert await texts(client, channel, reply_to=root["id"], order="oldest") == ["first", "second"]
    await client.delete(f"{channel}/messages/{first['id']}")
    seen = (await client.get(f"{channel}/messages/{root['id']}")).json()
    assert (seen["reply_count"], seen["last_reply_at"]) == (1, second["created_at"])
    problem(await client.post(f"{await make(client)}/messages", json={"content": "x", "reply_to": root["id"]}),
            404, "not_found")  # fmt: skip


async def test_reactions_are_one_per_person_and_emoji(
    client: httpx.AsyncClient, world: World, other: tuple[str, httpx.AsyncClient]
) -> None:
    someone, their = other
    channel = await make(client, someone)
    path = f"{channel}/messages/{(await say(client, channel, 'x'))['id']}"
    for who in (client, client, their):
        answer = await who.put(f"{path}/reactions/{quote('👍')}")
        assert answer.status_code == 200, answer.text
    me = ids.encode("usr", world.owner.user_id)
    assert answer.json()["reactions"] == [{"emoji": "👍", "count": 2, "mine": True, "user_ids": [me, someone]}]
    answer = await client.delete(f"{path}/reactions/{quote('👍')}")
    assert answer.json()["reactions"] == [{"emoji": "👍", "count": 1, "mine": False, "user_ids": [someone]}]
    assert (await client.delete(f"{path}/reactions/{quote('👍')}")).json() == answer.json()
    [listed] = (await their.get(f"{channel}/messages")).json()["data"]
    assert listed["reactions"][0]["mine"]
    problem(await client.put(f"{path}/reactions/{quote('👍👍')}"), 422, "invalid_input")
    problem(await client.put(f"{path}/reactions/ok"), 422, "invalid_input")
    for number in range(MAX_EMOJI - 1):
        assert (await client.put(f"{path}/reactions/{quote(chr(0x1F400 + number))}")).status_code == 200
    problem(await client.put(f"{path}/reactions/{quote('🎉')}"), 409, "wrong_state")
    assert (await client.put(f"{path}/reactions/{quote('👍')}")).status_code == 200, "one that is there can be joined"
    await client.delete(path)
    problem(await client.put(f"{path}/reactions/{quote('👍')}"), 409, "wrong_state")
    assert (await client.get(path)).json()["reactions"] == []


async def test_a_message_is_edited_deleted_and_brought_back(
    client: httpx.AsyncClient, other: tuple[str, httpx.AsyncClient]
) -> None:
    someone, their = other
    channel = await make(client, someone)
    path = f"{channel}/messages/{(await say(their, channel, 'one'))['id']}"
    problem(await client.patch(path, json={"content": "two"}), 403, "forbidden")
    problem(await their.patch(path, json={"content": ""}), 422, "invalid_input")
    problem(await their.patch(path, json={"content": "x" * 200_000 + "é" * 50_000}), 413, "too_large")
    edited = (await their.patch(path, json={"content": "two"})).json()
    assert (edited["content"], edited["edited_at"] is not None) == ("two", True)
    assert [one["content"] for one in (await client.get(f"{path}/edits")).json()] == ["one"]
    assert (await their.delete(path)).status_code == 204
    assert (await client.get(path)).json()["status"] == "deleted"
    problem(await client.post(f"{path}/restore"), 409, "wrong_state")
    assert (await their.post(f"{path}/restore")).json() == edited
    elsewhere = f"{await make(their)}/messages/{path.rpartition('/')[2]}"
    for answer in (
        await their.patch(elsewhere, json={"content": "three"}),
        await their.delete(elsewhere),
        await their.post(f"{elsewhere}/restore"),
        await their.get(f"{elsewhere}/edits"),
        await their.put(f"{elsewhere}/reactions/{quote('👍')}"),
    ):
        problem(answer, 404, "not_found")


async def test_an_archived_channel_is_read_and_not_written(client: httpx.AsyncClient) -> None:
    channel = await make(client)
    path = f"{channel}/messages/{(await say(client, channel, 'x'))['id']}"
    await client.delete(channel)
    for answer in (
        await client.patch(path, json={"content": "y"}),
        await client.put(f"{path}/reactions/{quote('👍')}"),
        await client.delete(f"{path}/reactions/{quote('👍')}"),
        await client.post(f"{channel}/typing"),
    ):
        problem(answer, 409, "wrong_state")
    assert (await client.put(f"{channel}/read", json={"seq": 1})).status_code == 200
    assert (await client.get(f"{channel}/export")).status_code == 200


async def test_the_sidebar_says_what_is_new_for_each(
    client: httpx.AsyncClient, other: tuple[str, httpx.AsyncClient]
) -> None:
    someone, their = other
    channel = await make(client, someone)
    handle = next(one["slug"] for one in (await client.get(f"{channel}/members")).json()["data"]
                  if one["user_id"] == someone)  # fmt: skip
    await say(client, channel, "hello")
    last = await say(client, channel, f"@{handle}: look")
    found = next(one for one in (await their.get("/v1/channels")).json()["data"] if channel.endswith(one["id"]))
    assert (found["last_seq"], found["read_seq"], found["unread"], found["mentions_unread"]) == (2, 0, 2, 1)
    assert found["last_message_at"] == last["created_at"]
    assert (await client.get(channel)).json()["unread"] == 0, "one's own messages are read"
    assert (await their.put(f"{channel}/read", json={"seq": 2})).json() == {
        "channel_id": found["id"], "last_seq": 2, "read_seq": 2, "unread": 0, "mentions_unread": 0,
    }  # fmt: skip
    assert (await their.put(f"{channel}/read", json={"seq": 1})).json()["read_seq"] == 2
    problem(await their.put(f"{channel}/read", json={"seq": -1}), 422, "invalid_input")


@pytest.mark.requirement("CHN-14")
async def test_each_person_chooses_how_agents_reply_in_each_channel(client: httpx.AsyncClient) -> None:
    answer = await client.patch("/v1/accounts/current", json={"default_delivery": "threaded"})
    assert answer.json()["default_delivery"] == "threaded"
    channel = await make(client)
    assert (await client.get(f"{channel}/preferences")).json() == {
        "channel_id": channel.rpartition("/")[2], "delivery": None, "channel_delivery": "threaded",
    }  # fmt: skip
    assert (await client.put(f"{channel}/preferences", json={"delivery": "direct"})).json()["delivery"] == "direct"
    assert (await client.get(f"{channel}/preferences")).json()["delivery"] == "direct"
    assert (await client.get(f"{await make(client)}/preferences")).json()["delivery"] is None
    assert (await client.put(f"{channel}/preferences", json={"delivery": None})).json()["delivery"] is None
    problem(await client.put(f"{channel}/preferences", json={"delivery": "loud"}), 422, "invalid_input")
    await client.patch("/v1/accounts/current", json={"name": "Still threaded"})
    assert (await client.get("/v1/accounts/current")).json()["default_delivery"] == "threaded"


async def test_a_channel_is_exported_whole_as_json_and_markdown(
    client: httpx.AsyncClient, other: tuple[str, httpx.AsyncClient]
) -> None:
    someone, their = other
    channel = await make(client, someone)
    root = await say(their, channel, "<script>alert(1)</script>\n# no heading")
    await say(client, channel, "reply", reply_to=root["id"])
    gone = await say(client, channel, "regretted")
    await client.delete(f"{channel}/messages/{gone['id']}")
    await client.put(f"{channel}/messages/{root['id']}/reactions/{quote('👍')}")

    answer = await client.get(f"{channel}/export")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith('attachment; filename="general-')
    whole = json.loads(answer.text)
    assert [(one["seq"], one["author"], one["content"]) for one in whole["messages"]] == [
        (1, "Member", root["content"]), (2, "Owner", "reply"), (3, "Owner", ""),
    ]  # fmt: skip
    assert "unread" not in whole["channel"]

    answer = await client.get(f"{channel}/export?format=markdown")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert "\n> &lt;script>alert(1)&lt;/script>\n> # no heading\n" in answer.text
    assert "#2 · reply to \\#1\n" in answer.text and "#3 · deleted\n" in answer.text and "👍 1" in answer.text
    assert "regretted" not in answer.text

    answer = await client.get(f"{channel}/export", params={"reply_to": str(root["id"])})
    assert [one["seq"] for one in answer.json()["messages"]] == [1, 2]
    lines = (await client.get("/v1/audit?event=channel.export")).json()["data"]
    assert [(line["actor_type"], line["detail"]["format"]) for line in lines] == [
        ("user", "json"), ("user", "markdown"), ("user", "json"),
    ]  # fmt: skip
    problem(await client.get(f"{channel}/export?format=docx"), 422, "invalid_input")


async def test_a_thread_is_exported_with_its_tool_calls(client: httpx.AsyncClient, world: World, db: Database) -> None:
    made = await client.post("/v1/threads", json={"agent_id": ids.encode("agt", world.made.agent.id), "title": "T"})
    thread = made.json()["id"]
    await client.post(f"/v1/threads/{thread}/messages", json={"content": "what time?"})
    parts = [
        {"kind": "tool-call",
         "call": {"id": str(ids.new()), "provider_id": "1", "tool": "current_time", "arguments": {"zone": "UTC"}}},
        {"kind": "tool-result", "tool_name": "current_time", "call_id": "1", "result": {"now": "```"}},
    ]  # fmt: skip
    async with db.tenant_tx(world.owner.account_id) as tx:
        await tx.execute(
            "select append_thread_v1($1, $2, 'assistant', 'Assistant', $3, '', null, null, null)",
            world.owner.account_id, ids.decode("thr", thread), parts,
        )  # fmt: skip
    whole = (await client.get(f"/v1/threads/{thread}/export")).json()
    assert [one["role"] for one in whole["messages"]] == ["user", "assistant"]
    text = (await client.get(f"/v1/threads/{thread}/export?format=markdown")).text
    assert "\n> what time?\n" in text
    assert '\nCalled current\\_time\n\n> ```\n> {\n>   "zone": "UTC"\n> }\n> ```\n' in text
    assert '\ncurrent\\_time gave\n\n> ````\n> {\n>   "now": "```"\n> }\n> ````\n' in text
    assert len((await client.get("/v1/audit?event=thread.export")).json()["data"]) == 2


@pytest.mark.requirement("CHN-13", "CHN-14")
async def test_a_reply_is_delivered_as_asked_else_as_preferred_else_as_the_channel_says(
    client: httpx.AsyncClient, world: World, db: Database
) -> None:
    agent = {"agent_id": ids.encode("agt", world.made.agent.id), "trigger_mode": "proactive"}
    channel = await make(client, members=[agent], default_delivery="inline", input_policy="queue")
    root = (await say(client, channel, "root"))["id"]
    for preferred, fields, expected in (
        (None, {}, "inline"),
        ("direct", {}, "direct"),
        ("direct", {"delivery": "silent"}, "silent"),
        ("direct", {"reply_to": root}, "direct"),
        ("inline", {"reply_to": root}, "threaded"),
        (None, {"reply_to": root}, "threaded"),
        (None, {"reply_to": root, "delivery": "inline"}, "inline"),
    ):
        await client.put(f"{channel}/preferences", json={"delivery": preferred})
        answer = await client.post(f"{channel}/messages", json={"content": "x", **fields})
        [started] = answer.json()["interactions"]
        async with db.tenant_tx(world.owner.account_id) as tx:
            found = await tx.fetchval(
                "select delivery from interaction where account_id = $1 and id = $2",
                world.owner.account_id, ids.decode("int", started["id"]),
            )  # fmt: skip
        assert found == expected, (preferred, fields)

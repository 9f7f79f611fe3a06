"""Channels, members and messages over HTTP."""

import httpx
import pytest
from fastapi import FastAPI

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Role
from tests.api.conftest import World, as_client, make_key, make_user, problem


async def make(client: httpx.AsyncClient, **fields: object) -> str:
    answer = await client.post("/v1/channels", json={"kind": "group", "name": "G", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def texts(client: httpx.AsyncClient, path: str, **query: object) -> list[str]:
    answer = await client.get(path, params=query)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [one["content"] for one in answer.json()["data"]]


@pytest.mark.requirement("CHN-04", "CHN-17")
async def test_a_channel_is_made_with_members_changed_and_archived(
    db: Database, client: httpx.AsyncClient, world: World
) -> None:
    user, _ = await make_user(db, world, Role.MEMBER)
    agent = ids.encode("agt", world.made.agent.id)
    channel = await make(
        client,
        slug="g",
        members=[{"user_id": ids.encode("usr", user.id)}, {"agent_id": agent, "trigger_mode": "silent"}],
    )
    path = f"/v1/channels/{channel}"
    members = (await client.get(f"{path}/members")).json()["data"]
    assert {(one["kind"], one["role"], one["trigger_mode"]) for one in members} == {
        ("user", "owner", None), ("user", "member", None), ("agent", "member", "silent"),
    }  # fmt: skip
    changed = await client.patch(f"{path}/members/{agent}", json={"trigger_mode": "proactive"})
    assert changed.json()["trigger_mode"] == "proactive"
    assert (await client.delete(f"{path}/members/{agent}")).status_code == 204
    problem(await client.delete(f"{path}/members/{agent}"), 404, "not_found")
    changed = await client.patch(path, json={"name": "H", "input_policy": "queue", "slug": None})
    assert (changed.json()["name"], changed.json()["slug"]) == ("H", None)
    assert (await client.delete(path)).status_code == 204
    assert channel not in [one["id"] for one in (await client.get("/v1/channels")).json()["data"]]
    assert [one["id"] for one in (await client.get("/v1/channels?archived=true")).json()["data"]] == [channel]


async def test_channels_are_listed_by_kind_and_agent_page_by_page(client: httpx.AsyncClient, world: World) -> None:
    made = [await make(client) for _ in range(3)]
    page = (await client.get("/v1/channels?kind=group&limit=2")).json()
    rest = (await client.get("/v1/channels", params={"kind": "group", "after": page["next"]})).json()
    assert [one["id"] for one in (*page["data"], *rest["data"])] == made
    assert rest["next"] is None
    found = (await client.get("/v1/channels", params={"agent_id": ids.encode("agt", world.made.agent.id)})).json()
    assert {one["kind"] for one in found["data"]} == {"organisation", "private"}


async def test_messages_are_read_both_ways_and_taken_back(client: httpx.AsyncClient) -> None:
    path = f"/v1/channels/{await make(client)}"
    said = [(await client.post(f"{path}/messages", json={"content": text})).json()["message"] for text in "abcd"]
    await client.post(f"{path}/messages", json={"content": "re", "reply_to": said[0]["id"]})
    assert await texts(client, f"{path}/messages") == ["re", "d", "c", "b", "a"]
    page = (await client.get(f"{path}/messages?order=oldest&limit=2")).json()
    assert [one["content"] for one in page["data"]] == ["a", "b"]
    assert await texts(client, f"{path}/messages", order="oldest", after=page["next"]) == ["c", "d", "re"]
    assert await texts(client, f"{path}/messages", reply_to=said[0]["id"]) == ["re"]
    assert await texts(client, f"{path}/messages", drafts=True, limit=1) == ["re"]
    one = f"{path}/messages/{said[1]['id']}"
    assert (await client.get(one)).json() == said[1]
    assert (await client.delete(one)).status_code == 204
    assert (await client.get(one)).json()["status"] == "deleted"
    other = f"/v1/channels/{await make(client)}/messages/{said[0]['id']}"
    for attempt in (client.get(other), client.delete(other)):
        problem(await attempt, 404, "not_found")


async def test_a_closed_channel_is_closed_over_http_as_well(
    app: FastAPI, db: Database, client: httpx.AsyncClient, world: World
) -> None:
    path = f"/v1/channels/{await make(client)}"
    _, admin = await make_user(db, world, Role.ADMIN)
    async with as_client(app, (await make_key(db, admin)).secret) as other:
        for attempt in (
            other.get(path),
            other.patch(path, json={"name": "X"}),
            other.delete(path),
            other.get(f"{path}/members"),
            other.post(f"{path}/members", json={"user_id": ids.encode("usr", admin.user_id)}),
            other.get(f"{path}/messages"),
            other.post(f"{path}/messages", json={"content": "x"}),
        ):
            problem(await attempt, 404, "not_found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "team", "name": "T"}, {"kind": "group"}, {"kind": "club", "name": "C"},
        {"kind": "group", "name": "\x00"},
        {"kind": "group", "name": "G", "debounce_ms": 10**9}, {"kind": "group", "name": "G", "members": [{}]},
        {"kind": "group", "name": "G", "team_id": ids.encode("team", ids.new())},
    ],
)  # fmt: skip
async def test_a_wrong_channel_is_refused_in_words(client: httpx.AsyncClient, wrong: dict[str, object]) -> None:
    problem(await client.post("/v1/channels", json=wrong), 422, "invalid_input")
    assert len((await client.get("/v1/channels")).json()["data"]) == 2

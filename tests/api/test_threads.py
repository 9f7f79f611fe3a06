"""Threads over HTTP, without generating."""

import httpx
import pytest

from retinue.domain import ids
from tests.api.conftest import Stranger, World, problem


@pytest.mark.requirement("THR-01", "THR-02", "THR-04", "THR-07", "THR-24")
async def test_a_thread_is_made_saved_to_read_and_searched(client: httpx.AsyncClient, world: World) -> None:
    agent = ids.encode("agt", world.made.agent.id)
    made = (await client.post("/v1/threads", json={"agent_id": agent, "title": "T"})).json()
    path = f"/v1/threads/{made['id']}"
    assert made["owner"] == ids.encode("usr", world.owner.user_id)
    saved = [
        (await client.post(f"{path}/messages", json={"content": text, "role": role})).json()
        for role, text in (("user", "where is the needle"), ("assistant", "in the haystack"), ("user", "thanks"))
    ]
    assert saved[0]["id"].startswith("msg_")
    page = (await client.get(f"{path}/messages?limit=2")).json()
    rest = (await client.get(f"{path}/messages", params={"after": page["next"]})).json()
    assert [*page["data"], *rest["data"]] == saved
    newest = (await client.get(f"{path}/messages?order=newest&drafts=true")).json()["data"]
    assert newest == list(reversed(saved))
    (hit,) = (await client.get(f"{path}/search", params={"q": "needle"})).json()
    assert (hit["message"]["id"], [one["id"] for one in hit["after"]]) == (saved[0]["id"], [saved[1]["id"]])
    assert (await client.get(path)).json()["id"] == made["id"]
    assert [one["id"] for one in (await client.get("/v1/threads", params={"agent_id": agent})).json()["data"]] == [
        made["id"]
    ]


@pytest.mark.requirement("THR-03")
async def test_an_admin_makes_a_thread_of_the_system(client: httpx.AsyncClient, world: World) -> None:
    body = {"agent_id": ids.encode("agt", world.made.agent.id), "context": "nightly"}
    assert (await client.post("/v1/threads", json=body)).json()["owner"] == "system:assistant:nightly"


async def test_wrong_threads_and_messages_are_refused(
    client: httpx.AsyncClient, stranger: Stranger, world: World
) -> None:
    agent = ids.encode("agt", world.made.agent.id)
    path = f"/v1/threads/{(await client.post('/v1/threads', json={'agent_id': agent})).json()['id']}"
    for body in (
        {"content": ""},
        {"content": "\x00"},
        {"content": "x", "role": "tool"},
        {"content": "x", "metadata": 1},
    ):
        problem(await client.post(f"{path}/messages", json=body), 422, "invalid_input")
    for query in ({}, {"q": ""}, {"q": "a\x00"}, {"q": "a", "limit": 0}):
        problem(await client.get(f"{path}/search", params=query), 422, "invalid_input")
    problem(await client.post("/v1/threads", json={"agent_id": agent, "context": "a b"}), 422, "invalid_input")
    problem(await stranger.client.post("/v1/threads", json={"agent_id": agent}), 404, "not_found")

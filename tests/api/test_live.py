"""The live feed: each reader is told what changes in what they may see, and of nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI

from retinue.api import live
from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Principal, Role
from tests.api.conftest import World, as_client, make_key, make_user

News = tuple[str, str, str | None]
"""Topic, id, scope."""


@asynccontextmanager
async def listening(state: AppState) -> AsyncIterator[None]:
    """The hub runs beside the test."""
    assert state.hub is not None
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(state.hub.run(stop))
        async with asyncio.timeout(10):
            await state.hub.listening.ready.wait()
        try:
            yield
        finally:
            stop.set()


@asynccontextmanager
async def feed(state: AppState, who: Principal) -> AsyncIterator[AsyncIterator[bytes]]:
    """The open feed of one reader; its first event, which says that all is to be fetched, has been read."""
    body: Any = (await live.live_feed(who, state)).body_iterator
    async with aclosing(body):
        assert b"resync" in await anext(body)
        yield body


async def until(body: AsyncIterator[bytes], topic: str, id: str | None = None) -> list[News]:
    """What is told up to the first news of this topic (by this id)."""
    told: list[News] = []
    async with asyncio.timeout(10):
        async for event in body:
            if event.startswith(b":"):
                continue
            data = json.loads(event.decode().partition("data: ")[2])
            told.append((data["topic"], data["id"], data.get("scope")))
            if data["topic"] == topic and id in (None, data["id"]):
                return told
    raise AssertionError(f"the feed ended before {topic}")


async def until_resync(body: AsyncIterator[bytes]) -> list[News]:
    """What is told up to the news that all is to be fetched again."""
    told: list[News] = []
    async with asyncio.timeout(10):
        async for event in body:
            data = json.loads(event.decode().partition("data: ")[2])
            if data["topic"] == "resync":
                return told
            told.append((data["topic"], data["id"], data.get("scope")))
    raise AssertionError("the feed ended")


@pytest.fixture
async def other(app: FastAPI, db: Database, world: World) -> AsyncIterator[tuple[Principal, httpx.AsyncClient]]:
    _, principal = await make_user(db, world, Role.MEMBER)
    async with as_client(app, (await make_key(db, principal)).secret) as opened:
        yield principal, opened


async def make(client: httpx.AsyncClient, *people: Principal) -> str:
    members = [{"user_id": ids.encode("usr", one.user_id)} for one in people]
    answer = await client.post("/v1/channels", json={"kind": "group", "name": "G", "members": members})
    return answer.json()["id"]


async def test_a_reader_is_told_of_edits_reactions_deletions_and_undo(
    state: AppState, client: httpx.AsyncClient, other: tuple[Principal, httpx.AsyncClient]
) -> None:
    reader, _ = other
    channel = await make(client, reader)
    async with listening(state), feed(state, reader) as body:
        said = (await client.post(f"/v1/channels/{channel}/messages", json={"content": "x"})).json()["message"]["id"]
        path = f"/v1/channels/{channel}/messages/{said}"
        assert await until(body, "channel") == [("channel", channel, None)]
        for act in (
            client.patch(path, json={"content": "y"}),
            client.put(f"{path}/reactions/{quote('👍')}"),
            client.delete(f"{path}/reactions/{quote('👍')}"),
        ):
            assert (await act).status_code == 200
            assert await until(body, "message") == [("message", said, channel)]
        for act in (client.delete(path), client.post(f"{path}/restore")):
            await act
            assert await until(body, "channel") == [("message", said, channel), ("channel", channel, None)]


async def test_typing_is_told_to_the_other_readers_of_the_channel_and_not_too_often(
    state: AppState, client: httpx.AsyncClient, world: World, other: tuple[Principal, httpx.AsyncClient]
) -> None:
    reader, _ = other
    shared, closed = await make(client, reader), await make(client)
    me = ids.encode("usr", world.owner.user_id)
    async with listening(state), feed(state, reader) as body, feed(state, world.owner) as own:
        for channel in (closed, shared, shared, shared):
            assert (await client.post(f"/v1/channels/{channel}/typing")).status_code == 204
        await client.post(f"/v1/channels/{shared}/messages", json={"content": "x"})
        assert await until(body, "channel") == [("typing", me, shared), ("channel", shared, None)]
        assert await until(own, "channel") == [("channel", shared, None)]


async def test_a_read_mark_is_told_to_ones_own_other_windows_alone(
    state: AppState, client: httpx.AsyncClient, world: World, other: tuple[Principal, httpx.AsyncClient]
) -> None:
    reader, _ = other
    channel = await make(client, reader)
    await client.post(f"/v1/channels/{channel}/messages", json={"content": "x"})
    async with listening(state), feed(state, reader) as body, feed(state, world.owner) as own:
        for _ in range(2):  # the second time nothing moves
            await client.put(f"/v1/channels/{channel}/read", json={"seq": 1})
        await client.post(f"/v1/channels/{channel}/messages", json={"content": "y"})
        assert await until(own, "channel") == [("read", channel, None), ("channel", channel, None)]
        assert await until(body, "channel") == [("channel", channel, None)]


@pytest.mark.requirement("PRN-14")
async def test_whoever_comes_is_told_at_once_and_whoever_leaves_hears_no_more(
    state: AppState, client: httpx.AsyncClient, other: tuple[Principal, httpx.AsyncClient]
) -> None:
    reader, _ = other
    user = ids.encode("usr", reader.user_id)
    channel, shared = await make(client), await make(client, reader)
    async with listening(state), feed(state, reader) as body:
        await client.post(f"/v1/channels/{channel}/messages", json={"content": "before"})
        await client.post(f"/v1/channels/{channel}/members", json={"user_id": user})
        assert ("membership", channel, None) in await until(body, "membership")
        said = (await client.post(f"/v1/channels/{channel}/messages", json={"content": "x"})).json()["message"]["id"]
        assert ("channel", channel, None) in await until(body, "channel")
        await client.delete(f"/v1/channels/{channel}/members/{user}")
        await client.patch(f"/v1/channels/{channel}/messages/{said}", json={"content": "secret"})
        await client.post(f"/v1/channels/{channel}/typing")
        await client.post(f"/v1/channels/{shared}/messages", json={"content": "for all"})
        told = await until(body, "channel", shared)
        assert ("membership", channel, None) in told
        assert not [one for one in told if one[0] in ("message", "typing")], "news of a channel that one has left"


@pytest.mark.requirement("PRN-14", "PRN-15")
async def test_whoever_comes_to_a_team_or_leaves_it_is_told_at_once(
    state: AppState, client: httpx.AsyncClient, other: tuple[Principal, httpx.AsyncClient]
) -> None:
    reader, _ = other
    team = (await client.post("/v1/teams", json={"name": "Crew", "slug": "crew"})).json()["id"]
    made = await client.post("/v1/channels", json={"kind": "team", "name": "Crew", "team_id": team})
    channel, shared = made.json()["id"], await make(client, reader)
    async with listening(state), feed(state, reader) as body:
        came = await client.post(f"/v1/teams/{team}/members", json={"user_id": ids.encode("usr", reader.user_id)})
        await until_resync(body)
        await client.post(f"/v1/channels/{channel}/messages", json={"content": "x"})
        assert await until(body, "channel") == [("channel", channel, None)]
        await client.delete(f"/v1/teams/{team}/members/{came.json()['id']}")
        await until_resync(body)
        await client.post(f"/v1/channels/{channel}/messages", json={"content": "secret"})
        await client.post(f"/v1/channels/{shared}/messages", json={"content": "for all"})
        assert await until(body, "channel") == [("channel", shared, None)]


@pytest.mark.requirement("PRN-14")
@pytest.mark.parametrize("act", ["suspend", "leave", "remove"])
async def test_the_feed_of_someone_who_has_no_access_any_more_ends(
    state: AppState, client: httpx.AsyncClient, other: tuple[Principal, httpx.AsyncClient], act: str
) -> None:
    reader, _ = other
    user = f"/v1/users/{ids.encode('usr', reader.user_id)}"
    async with listening(state), feed(state, reader) as body:
        if act == "suspend":
            answer = await client.patch(user, json={"status": "suspended"})
        elif act == "leave":
            listed = (await client.get("/v1/members", params={"user_id": user.rpartition("/")[2]})).json()["data"]
            answer = await client.delete(f"/v1/members/{listed[0]['id']}")
        else:
            answer = await client.delete(user)
        assert answer.is_success, answer.text
        async with asyncio.timeout(10):
            assert [event async for event in body if b"resync" in event] == []


async def test_all_are_told_of_a_policy_for_all_and_nobody_of_anothers_own(
    state: AppState, client: httpx.AsyncClient, other: tuple[Principal, httpx.AsyncClient]
) -> None:
    them, _ = other
    rule = {"type": "delegation_depth", "max": 2}
    async with listening(state), feed(state, them) as told:
        mine = await client.post("/v1/policies", json={"layer": "user", "name": "Mine", "rule": rule})
        ours = await client.post("/v1/policies", json={"layer": "account", "name": "Ours", "rule": rule})
        assert mine.is_success
        assert [one for one in await until(told, "policy") if one[0] == "policy"] == [
            ("policy", ours.json()["id"], None)
        ]

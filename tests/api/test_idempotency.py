"""The same POST twice does its work once."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from retinue import errors
from retinue.api import idempotency as layer
from retinue.api import routes
from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.store import idempotency
from tests.api.conftest import Stranger, World, as_client, problem


def team(number: int = 1) -> dict[str, str]:
    return {"name": f"Team {number}", "slug": f"team-{number}"}


async def rows(db: Database, world: World) -> list[Any]:
    async with db.tenant_tx(world.owner.account_id) as tx:
        return list(await tx.fetch("select * from idempotency where account_id = $1", world.owner.account_id))


async def test_a_repeated_request_gets_the_first_answer(client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "one"}
    first = await client.post("/v1/teams", json=team(), headers=headers)
    again = await client.post("/v1/teams", json=team(), headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    assert len((await client.get("/v1/teams")).json()["data"]) == 1


async def test_the_same_key_with_another_request_is_409(client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "one"}
    await client.post("/v1/teams", json=team(), headers=headers)
    problem(await client.post("/v1/teams", json=team(2), headers=headers), 409, "idempotency_mismatch")
    problem(await client.post("/v1/users", json=team(), headers=headers), 409, "idempotency_mismatch")
    problem(await client.post("/v1/teams?x=1", json=team(), headers=headers), 409, "idempotency_mismatch")


async def test_final_refusals_are_repeated_too(client: httpx.AsyncClient) -> None:
    await client.post("/v1/teams", json=team())
    for replayed in (None, "true"):
        answer = await client.post("/v1/teams", json=team(), headers={"idempotency-key": "again"})
        problem(answer, 409, "already_exists")
        assert answer.headers.get("idempotent-replayed") == replayed


async def test_another_key_or_account_has_its_own_keys(
    app: FastAPI, client: httpx.AsyncClient, stranger: Stranger
) -> None:
    headers = {"idempotency-key": "one"}
    await client.post("/v1/teams", json=team(), headers=headers)
    made = await client.post("/v1/keys", json={"name": "second", "scopes": ["read", "write", "admin"]})
    async with as_client(app, made.json()["secret"]) as second:
        problem(await second.post("/v1/teams", json=team(), headers=headers), 409, "already_exists")
    theirs = await stranger.client.post("/v1/teams", json=team(), headers=headers)
    assert (theirs.status_code, theirs.headers.get("idempotent-replayed")) == (201, None)


async def test_requests_at_the_same_time_do_the_work_once(client: httpx.AsyncClient) -> None:
    async def post() -> httpx.Response:
        return await client.post("/v1/teams", json=team(), headers={"idempotency-key": "race"})

    answers = await asyncio.gather(*(post() for _ in range(12)))
    fresh = [each for each in answers if each.status_code == 201 and "idempotent-replayed" not in each.headers]
    assert len(fresh) == 1
    for other in answers:
        if other is fresh[0]:
            continue
        if other.status_code == 409:
            problem(other, 409, "idempotency_busy")
            assert int(other.headers["retry-after"]) >= 1
        else:
            assert other.content == fresh[0].content
    assert len((await client.get("/v1/teams")).json()["data"]) == 1


async def test_a_failure_of_ours_is_not_kept_so_that_a_retry_runs(app: FastAPI, state: AppState, world: World) -> None:
    calls = 0

    @app.post("/v1/flaky", status_code=201)
    async def flaky() -> dict[str, int]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("first")
        if calls == 2:
            raise errors.DatabaseDown
        if calls == 3:
            raise errors.TooMany
        return {"calls": calls}

    async with as_client(app, world.key) as client:
        answers = [await client.post("/v1/flaky", headers={"idempotency-key": "x"}) for _ in range(5)]
    assert [each.status_code for each in answers] == [500, 503, 429, 201, 201]
    assert answers[3].json() == answers[4].json() == {"calls": 4}


async def test_a_retry_takes_over_from_a_first_request_that_crashed(
    client: httpx.AsyncClient, db: Database, world: World
) -> None:
    answer = await client.post("/v1/teams", json=team(), headers={"idempotency-key": "crash"})
    assert answer.status_code == 201
    async with db.tenant_tx(world.owner.account_id) as tx:
        await tx.execute("delete from team where account_id = $1", world.owner.account_id)
        await tx.execute("update idempotency set status = null, response = null where account_id = $1",
                         world.owner.account_id)  # fmt: skip
    busy = await client.post("/v1/teams", json=team(), headers={"idempotency-key": "crash"})
    problem(busy, 409, "idempotency_busy")
    async with db.tenant_tx(world.owner.account_id) as tx:
        await tx.execute("update idempotency set seen_at = clock() - interval '61 seconds' where account_id = $1",
                         world.owner.account_id)  # fmt: skip
    again = await client.post("/v1/teams", json=team(), headers={"idempotency-key": "crash"})
    assert (again.status_code, again.headers.get("idempotent-replayed")) == (201, None)


async def test_who_was_taken_over_from_can_no_longer_write_the_answer(db: Database, world: World) -> None:
    slot = idempotency.Slot(world.owner.account_id, "key:x", "k")
    first = await idempotency.claim(db, slot, b"hash")
    assert first.state == "mine" and first.claimed_at is not None
    old = first.claimed_at - timedelta(seconds=61)
    async with db.tenant_tx(world.owner.account_id) as tx:
        await tx.execute("update idempotency set created_at = $2, seen_at = $2 where account_id = $1",
                         world.owner.account_id, old)  # fmt: skip
    second = await idempotency.claim(db, slot, b"hash")
    assert second.state == "mine" and second.claimed_at is not None
    assert not await idempotency.keep(db, slot, old, 201, {})
    assert not await idempotency.release(db, slot, old)
    assert await idempotency.keep(db, slot, second.claimed_at, 201, {"x": 1})
    assert (await idempotency.claim(db, slot, b"hash")).response == {"x": 1}


async def test_a_first_request_that_takes_long_is_not_taken_over(app: FastAPI, world: World, db: Database,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(layer, "BEAT_SECONDS", 0.01)
    go_on = asyncio.Event()

    @app.post("/v1/slow", status_code=201)
    async def slow() -> dict[str, bool]:
        await asyncio.wait_for(go_on.wait(), 20)
        return {"done": True}

    async with as_client(app, world.key) as client, asyncio.TaskGroup() as group, asyncio.timeout(30):
        first = group.create_task(client.post("/v1/slow", headers={"idempotency-key": "slow"}))
        while not await rows(db, world):
            await asyncio.sleep(0.01)
        account_id = world.owner.account_id
        async with db.tenant_tx(account_id) as tx:  # an hour goes by
            await tx.execute(
                "update idempotency set seen_at = seen_at - interval '1 hour' where account_id = $1", account_id
            )
        while (await rows(db, world))[0]["seen_at"] < (await rows(db, world))[0]["created_at"]:
            await asyncio.sleep(0.01)
        problem(await client.post("/v1/slow", headers={"idempotency-key": "slow"}), 409, "idempotency_busy")
        go_on.set()
        assert (await first).json() == {"done": True}
        again = await client.post("/v1/slow", headers={"idempotency-key": "slow"})
        assert again.headers["idempotent-replayed"] == "true"


async def test_a_secret_that_is_shown_once_does_not_stand_in_the_database(client: httpx.AsyncClient, db: Database,
                                                                          world: World) -> None:  # fmt: skip
    headers = {"idempotency-key": "secret"}
    made = await client.post("/v1/keys", json={"name": "n"}, headers=headers)
    again = await client.post("/v1/keys", json={"name": "n"}, headers=headers)
    assert made.json()["secret"] == again.json()["secret"]
    kept = await rows(db, world)
    assert len(kept) == 1
    assert made.json()["secret"] not in str(dict(kept[0])) and "rtn_" not in str(dict(kept[0]))


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
async def test_an_unusable_key_is_refused(client: httpx.AsyncClient, key: str) -> None:
    problem(await client.post("/v1/teams", json=team(), headers={"idempotency-key": key}), 422, "invalid_input")


async def test_streams_pass_as_they_come_and_are_not_kept(state: AppState, world: World, db: Database) -> None:
    app = routes.create(state)
    held = asyncio.Event()
    seen: list[bytes] = []

    @app.post("/v1/streamed")
    async def streamed() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"data: first\n\n"
            await asyncio.wait_for(held.wait(), 10)
            yield b"data: last\n\n"

        return StreamingResponse(chunks(), media_type="text/event-stream")

    sent = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not sent:
            await asyncio.Event().wait()  # the client stays
        return sent.pop()

    async def send(message: MutableMapping[str, Any]) -> None:
        if message.get("body"):
            seen.append(message["body"])
            held.set()  # the stream goes on only once its first part has come out

    headers = [
        (b"authorization", f"Bearer {world.key}".encode()),
        (b"idempotency-key", b"s"),
        (b"content-length", b"0"),
    ]
    scope = {"type": "http", "method": "POST", "path": "/v1/streamed", "raw_path": b"/v1/streamed", "query_string": b"",
             "headers": headers, "scheme": "http", "server": ("t", 80), "client": ("t", 1), "http_version": "1.1",
             "root_path": "", "asgi": {"version": "3.0"}}  # fmt: skip
    async with asyncio.timeout(20):
        await app(scope, receive, send)
    assert seen == [b"data: first\n\n", b"data: last\n\n"]
    assert await rows(db, world) == []

"""Nobody takes more than a share: body size, requests per second; and every answer carries strict headers."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from retinue.api import limits, routes
from retinue.api.deps import AppState
from retinue.domain.accounts import Scope
from retinue.settings import Settings
from tests.api.conftest import World, as_client, make_key, problem


@pytest.fixture
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The application behind a real server; its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group, asyncio.timeout(60):
        group.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True


async def test_a_body_over_the_limit_is_413_before_it_is_read(served: str, world: World, settings: Settings) -> None:
    headers = {"authorization": f"Bearer {world.key}", "content-type": "application/json"}
    async with httpx.AsyncClient(base_url=served, headers=headers) as client:
        large = b"x" * (settings.max_body_bytes + 1)
        problem(await client.post("/v1/users", content=large), 413, "too_large")

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b"x" * (settings.max_body_bytes // 10)

        problem(await client.post("/v1/users", content=chunks()), 413, "too_large")
        problem(await client.request("DELETE", "/v1/keys/x", content=large), 413, "too_large")


async def test_a_chunked_body_within_the_limit_arrives_whole(served: str, world: World) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"name": "Chunked", '
        yield b'"slug": "chunked"}'

    headers = {"authorization": f"Bearer {world.key}", "content-type": "application/json"}
    async with httpx.AsyncClient(base_url=served, headers=headers) as client:
        answer = await client.post("/v1/teams", content=chunks(), headers={"idempotency-key": "c"})
        assert (answer.status_code, answer.json()["slug"]) == (201, "chunked")


@pytest.fixture
def tight(state: AppState) -> FastAPI:
    state.settings = state.settings.model_copy(update={"rate_per_second": 0.5, "rate_burst": 3})
    return routes.create(state)


async def test_a_key_that_asks_too_often_is_told_to_wait_and_others_are_not(
    tight: FastAPI, world: World, state: AppState
) -> None:
    other = await make_key(state.db, world.owner, Scope.READ)
    async with as_client(tight, world.key) as client:
        left = [(await client.get("/v1/me")).headers["ratelimit-remaining"] for _ in range(3)]
        assert left == ["2", "1", "0"]
        refused = await client.get("/v1/me")
        problem(refused, 429, "rate_limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 2
        assert refused.headers["ratelimit-limit"] == "3"
    async with as_client(tight, other.secret) as client:
        assert (await client.get("/v1/me")).status_code == 200


async def test_those_not_signed_in_share_the_bucket_of_their_address(tight: FastAPI) -> None:
    async with as_client(tight, None) as client:
        codes = [(await client.get("/v1/me", headers={"authorization": f"Bearer {n}"})).status_code for n in range(4)]
    assert codes == [401, 401, 401, 429]


@given(st.lists(st.floats(0, 10), max_size=60), st.floats(0.1, 20), st.integers(1, 20))
def test_a_bucket_never_gives_more_than_its_burst_and_rate(gaps: list[float], rate: float, burst: int) -> None:
    now = 0.0
    buckets = limits.Buckets(rate, burst, now=lambda: now)
    given_out = 0
    for gap in gaps:
        now += gap
        taken = buckets.take("one")
        given_out += taken.allowed
        assert 0 <= taken.remaining <= burst
        assert taken.allowed or taken.retry_after > 0
    assert given_out <= burst + now * rate + 1e-6


async def test_every_answer_is_strict(client: httpx.AsyncClient) -> None:
    for path in ("/v1/me", "/v1/nothing", "/openapi.json", "/sign-in"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "strict-transport-security" not in headers, "plain http must stay usable on one's own machine"
    assert (await client.get("/v1/me")).headers["cache-control"] == "no-store"
    assert "script-src 'self';" in (await client.get("/sign-in")).headers["content-security-policy"]


async def test_over_tls_browsers_are_told_to_stay_there(state: AppState, world: World) -> None:
    state.settings = state.settings.model_copy(update={"public_url": "https://retinue.test"})
    async with as_client(routes.create(state), world.key) as client:
        assert "strict-transport-security" in (await client.get("/v1/me")).headers

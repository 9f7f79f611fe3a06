"""The state of the model providers, and a test of one by a real request."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from retinue.api import routes
from retinue.api.deps import AppState
from retinue.domain.accounts import Role
from retinue.llm.models import Models
from retinue.testing.models import KEY, ScriptedModels
from retinue.testing.scripts import Script
from tests.api.conftest import World, as_client, make_key, make_user, problem

SCRIPT = {
    "steps": [
        {"text": "ready"},
        {"fault": {"kind": "bad_key"}},
        {"fault": {"kind": "rate_limit", "retry_after": 2}},
    ]
}


@pytest.fixture
async def server() -> AsyncIterator[ScriptedModels]:
    async with ScriptedModels(Script.model_validate(SCRIPT)) as started:
        yield started


@pytest.fixture
async def admin(state: AppState, world: World, server: ScriptedModels) -> AsyncIterator[httpx.AsyncClient]:
    state.models = Models(state.settings, env=server.env())
    async with as_client(routes.create(state), world.key) as opened:
        yield opened
    await state.models.close()


async def test_a_test_is_one_real_request_with_the_providers_real_error(admin: httpx.AsyncClient) -> None:
    asked = {"model": "openai/gpt-4o"}
    good, refused, busy = [(await admin.post("/v1/models/test", json=asked)).json() for _ in range(3)]
    assert (good["ok"], good["reply"], good["model"], good["provider"]) == (True, "ready", "openai/gpt-4o", "openai")
    assert good["error"] is None and good["latency_ms"] >= 0
    assert not refused["ok"] and refused["error"]["code"] == "model_refused"
    assert "key was refused (401)" in refused["error"]["detail"]
    assert busy["error"]["code"] == "model_unavailable"
    assert KEY not in str([good, refused, busy])


async def test_an_unknown_model_says_what_to_set(admin: httpx.AsyncClient) -> None:
    answer = (await admin.post("/v1/models/test", json={"model": "mistral/large"})).json()
    assert answer["error"]["code"] == "unknown_model" and "MISTRAL_API_KEY" in answer["error"]["detail"]


async def test_tests_are_for_admins_and_not_many(admin: httpx.AsyncClient, app: FastAPI, world: World) -> None:
    for _ in range(5):
        assert (await admin.post("/v1/models/test", json={"model": "mistral/large"})).status_code == 200
    problem(await admin.post("/v1/models/test", json={}), 429, "rate_limited")


async def test_a_member_sees_the_providers_and_may_not_test(state: AppState, app: FastAPI, world: World) -> None:
    _, member = await make_user(state.db, world, Role.MEMBER)
    async with as_client(app, (await make_key(state.db, member)).secret) as client:
        problem(await client.post("/v1/models/test", json={}), 403, "forbidden")
        found = {one["provider"]: one for one in (await client.get("/v1/models/providers")).json()}
    assert not found["anthropic"]["configured"] and "ANTHROPIC_API_KEY" in found["anthropic"]["how"]
    assert found["offline"]["configured"]


async def test_the_offline_model_passes_its_test_and_says_how_to_connect_another(
    client: httpx.AsyncClient, state: AppState
) -> None:
    answer = (await client.post("/v1/models/test", json={})).json()
    assert answer["ok"] and answer["provider"] == "offline" and answer["reply"]

"""Whatever goes wrong, the answer is a problem document that says what to do and nothing that is not the caller's."""

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from retinue import errors, telemetry
from retinue.api import problems
from retinue.api.deps import AppState
from retinue.domain import ids
from tests.api.conftest import World, as_client, problem

PRIVATE = "postgres://retinue:hunter2@db.internal/retinue"


async def test_a_missing_or_wrong_key_is_401_and_says_how_to_sign_in(app: FastAPI, world: World) -> None:
    for key in (None, "", "rtn_nonsense", world.key[:-1] + ("A" if world.key[-1] != "A" else "B"), "a.b.c"):
        async with as_client(app, key) as client:
            body = problem(answer := await client.get("/v1/me"), 401, "not_signed_in")
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert "sign in" in str(body["detail"]).lower() or "key" in str(body["detail"]).lower()


async def test_another_scheme_of_authorization_is_401(anonymous: httpx.AsyncClient) -> None:
    problem(await anonymous.get("/v1/me", headers={"authorization": "Basic dTpw"}), 401, "not_signed_in")


async def test_unknown_routes_ids_and_methods(client: httpx.AsyncClient) -> None:
    problem(await client.get("/v1/nothing"), 404, "not_found")
    problem(await client.get(f"/v1/users/{ids.encode('usr', ids.new())}"), 404, "not_found")
    refused = await client.put("/v1/users", json={})
    problem(refused, 405, "method_not_allowed")
    assert "GET" in refused.headers["allow"] or "POST" in refused.headers["allow"]


async def test_wrong_input_names_the_field_and_never_repeats_the_value(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/users", json={"email": "hunter2", "name": "", "unknown": 1})
    body = problem(answer, 422, "invalid_input")
    listed = {str(entry["path"]): str(entry["reason"]) for entry in body["errors"]}  # type: ignore[attr-defined]
    assert set(listed) == {"body.email", "body.name", "body.unknown"}
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"{", 422, "invalid_input"), (b"[]", 422, "invalid_input"), (b'{"name": "\xe9"}', 400, "bad_request")],
)
async def test_a_body_that_is_not_json(client: httpx.AsyncClient, content: bytes, status: int, code: str) -> None:
    headers = {"content-type": "application/json"}
    problem(await client.post("/v1/users", content=content, headers=headers), status, code)


async def test_text_the_database_cannot_hold_is_the_callers_mistake(client: httpx.AsyncClient) -> None:
    problem(await client.post("/v1/users", json={"email": "a@b.c", "name": "a\x00b"}), 422, "invalid_input")
    lone = {"content": b'{"name": "x\\ud800"}', "headers": {"content-type": "application/json"}}
    problem(await client.patch("/v1/accounts/current", **lone), 422, "invalid_input")
    problem(await client.get("/v1/users", params={"email": "a\x00@b.c"}), 422, "invalid_input")


async def test_ill_formed_ids_and_pages_are_422(client: httpx.AsyncClient) -> None:
    for path in ("/v1/users/usr_x", "/v1/users?limit=0", "/v1/users?limit=201", "/v1/users?after=!!",
                 "/v1/users?after=e30", "/v1/users?after=WyJ4Il0", "/v1/users?after=WzFd"):  # fmt: skip
        problem(await client.get(path), 422, "invalid_input")


async def test_a_failure_of_ours_shows_a_code_and_an_id_and_the_log_the_rest(
    app: FastAPI, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A logger keeps the set-up it was first used with, maybe that of an earlier test: take one not yet used.
    monkeypatch.setattr(problems, "log", telemetry.logger("retinue.api.problems"))

    @app.get("/v1/broken")
    async def broken() -> None:
        raise RuntimeError(PRIVATE)

    @app.get("/v1/wrong-setup")
    async def wrong_setup() -> None:
        raise errors.Misconfigured(PRIVATE)

    async with as_client(app, world.key) as client:
        for path, code in (("/v1/broken", "internal_error"), ("/v1/wrong-setup", "misconfigured")):
            with capture_logs() as logs:
                answer = await client.get(path)
            body = problem(answer, 500, code)
            assert "hunter2" not in answer.text and "db.internal" not in answer.text
            assert str(body["id"]) in str(body["detail"])
            assert any(line.get("error_id") == body["id"] for line in logs)


async def test_a_database_that_is_away_is_503_with_retry_after(state: AppState, app: FastAPI, world: World) -> None:
    @app.get("/v1/away")
    async def away() -> None:
        raise errors.DatabaseDown(PRIVATE)

    async with as_client(app, world.key) as client:
        answer = await client.get("/v1/away")
        problem(answer, 503, "database_down")
        assert int(answer.headers["retry-after"]) >= 1
        assert "hunter2" not in answer.text
        await state.db.close()
        assert state.verifier is not None
        state.verifier.forget(world.owner.account_id)
        problem(await client.get("/v1/me"), 503, "database_down")
        assert (await client.get("/sign-in")).status_code == 200, "public pages do not need the database"


def test_text_errors_of_the_database_are_bad_input() -> None:
    for kind in (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError):
        assert isinstance(problems.as_ours(kind("0x00")), errors.BadInput)


async def test_the_document_describes_problems(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert "Problem" in document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert "default" in operation["responses"], f"{method} {path}"
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names)), "a generated client needs one name per route"

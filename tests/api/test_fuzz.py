"""Every route with inputs nobody thought of, made from the OpenAPI document: an answer as documented, never a 5xx.

Schemathesis makes them, right ones and wrong ones, half of them with the ids of rows that exist. The run is the same
every time. Not here: event streams (they do not end), and the pages and calls that sign in or out.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import hypothesis
import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from retinue.api import problems, routes
from retinue.api.deps import AppState
from retinue.db import migrate, pool
from retinue.db.pool import Database
from retinue.llm.models import Models
from retinue.settings import Settings
from retinue.tools.registry import Registry
from retinue.turn.live import Hub
from tests.api import seeds
from tests.api.conftest import BASE, as_client, make_key, make_world
from tests.api.seeds import Seeded
from tests.conftest import SECRET

EXAMPLES = 8
"""Inputs for each route."""
ANSWER_SECONDS = 15.0
"""An answer that takes longer counts as wrong."""
LEFT_OUT = {
    "GET /v1/live", "GET /v1/interactions/{interaction_id}/stream", "POST /v1/sessions", "POST /v1/sessions/link",
    "DELETE /v1/sessions/current", "GET /v1/oidc/start", "GET /v1/oidc/callback",
}  # fmt: skip
SLOW_IS_FINE = (
    HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example,
)  # fmt: skip
REVOKES = {"DELETE /v1/keys/{key_id}"}
"""Routes that may take away the very key they are called with."""
CHECKS: list[Any] = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
]  # fmt: skip
Send = Callable[[Case], httpx.Response]


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """The test's one event loop: hypothesis calls synchronously, and pools belong to the loop they were made in."""
    with asyncio.Runner() as opened:
        yield opened


@pytest.fixture
def db(runner: asyncio.Runner, database_url: str) -> Iterator[Database]:
    urls = [migrate.role_url(database_url, role, SECRET) for role in ("retinue_app", "retinue_system")]
    database = runner.run(pool.connect(*urls))
    yield database
    runner.run(database.close())


@pytest.fixture
def state(runner: asyncio.Runner, db: Database, settings: Settings) -> AppState:
    """As in the other tests, made on ``runner``'s loop."""

    async def make() -> AppState:
        models = Models(settings, env={})
        return AppState(db=db, settings=settings, models=models, registry=Registry.load(), hub=Hub(db))

    return runner.run(make())


@pytest.fixture
def app(state: AppState) -> FastAPI:
    return routes.create(state)


def test_no_input_makes_a_route_fail_or_answer_what_is_not_documented(
    runner: asyncio.Runner, app: FastAPI, db: Database
) -> None:
    schema = schemathesis.openapi.from_dict(app.openapi(), config=SchemathesisConfig())
    failures: list[str] = []
    count = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if operation.label in LEFT_OUT:
            continue
        count += 1
        # an account for each route, as some of them delete or revoke what the others stand on
        world = runner.run(make_world(db, f"world-{count}"))
        seeded = runner.run(seeds.seed(db, world))
        key = runner.run(make_key(db, world.owner))  # not the one in the paths
        try:
            fuzz(operation, seeded, sender(runner, app, key.secret))
        except (Exception, BaseExceptionGroup) as error:  # Schemathesis groups what it finds as the latter
            failures.append(f"{operation.label}: {described(error)}")
    assert not failures, f"{len(failures)} routes\n\n" + "\n\n".join(failures)
    assert count > 75, "the document has fewer routes than it should"


def fuzz(operation: APIOperation, seeded: Seeded, send: Send) -> None:
    """Send ``EXAMPLES`` inputs to this route; raises for the first, made small, whose answer is wrong."""
    made = st.one_of(*(operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)))

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=SLOW_IS_FINE,
    )
    @hypothesis.given(case=made, real=st.booleans())
    def run(case: Case, real: bool) -> None:
        if real:
            case.path_parameters = {name: seeded.places[name] for name in case.path_parameters or {}}
        answer = send(case)
        case.validate_response(answer, checks=CHECKS)
        judge(operation, answer)

    run()


def judge(operation: APIOperation, answer: httpx.Response) -> None:
    """What Schemathesis cannot know, as every route documents a default answer: only errors may be that one."""
    if answer.status_code < 400:
        assert str(answer.status_code) in operation.definition.raw["responses"], answer.status_code
    else:
        assert answer.headers["content-type"] == problems.MEDIA_TYPE, answer.text
        assert answer.json()["status"] == answer.status_code, answer.text
    if operation.label not in REVOKES:
        assert answer.status_code != 401, "the key was refused: nothing was tried"


def sender(runner: asyncio.Runner, app: FastAPI, key: str) -> Send:
    """Sends a case's request to the application as the holder of this key, byte for byte as made."""

    async def exchange(case: Case) -> httpx.Response:
        made = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
        sent: dict[str, Any] = dict(made.headers)
        headers = {name: value for name, value in sent.items() if name.lower() != "authorization"}
        content: Any = made.body
        async with asyncio.timeout(ANSWER_SECONDS), as_client(app, key) as client:
            return await client.request(made.method or "", made.url or "", headers=headers, content=content)

    return lambda case: runner.run(exchange(case))


def described(error: BaseException) -> str:
    """All that the error says, also of the errors in it and of the input."""
    inner = getattr(error, "exceptions", ())
    notes = getattr(error, "__notes__", ())
    return "\n".join([f"{type(error).__name__}: {error}", *notes, *(described(each) for each in inner)])

"""Every route, called from another account with real ids: nothing is seen, nothing is changed.

The routes come from the OpenAPI document, so that a new one is covered by itself. A new kind of path parameter must be
placed in ``seeds.seed``, or this fails.
"""

import httpx
import pytest
from fastapi import FastAPI

from retinue.db.pool import Database
from tests.api import seeds
from tests.api.conftest import Stranger, World, as_client
from tests.api.seeds import Operation, Seeded

NAMED_BY_CALLER = {"PUT /v1/secrets/{name}"}
"""Routes that make a thing of the caller's own under the name in the path: nothing of the other account is
meant. They come last, as what they make is then rightly seen."""
PUBLIC = {
    "GET /v1/sign-in-methods", "POST /v1/sessions", "POST /v1/sessions/link", "GET /v1/oidc/start",
    "GET /v1/oidc/callback",
}  # fmt: skip


@pytest.fixture
async def seeded(db: Database, world: World) -> Seeded:
    return await seeds.seed(db, world)


@pytest.mark.requirement("PRN-14", "AUD-15")
async def test_a_stranger_sees_and_changes_nothing_anywhere(
    app: FastAPI, seeded: Seeded, stranger: Stranger, database_url: str
) -> None:
    document = app.openapi()
    before = await seeds.contents(database_url, seeded.world)
    failures: list[str] = []
    count = 0
    for operation in sorted(seeds.operations(document), key=lambda each: str(each) in NAMED_BY_CALLER):
        if operation.is_endless() and not operation.parameters("path"):
            continue
        for answer in await call(stranger.client, operation, seeded, document):
            count += 1
            failures += judge(operation, answer, seeded)
        after = await seeds.contents(database_url, seeded.world)
        failures += [f"{operation}: changed {name}" for name in before if before[name] != after[name]]
        before = after
    assert not failures, "\n".join(failures)
    assert count > 40, "the document has fewer routes than it should"


async def call(
    client: httpx.AsyncClient, operation: Operation, seeded: Seeded, document: dict[str, object]
) -> list[httpx.Response]:
    """The route's answers: plain, and with every filter that takes an id set to the other account's."""
    missing = [name for name in operation.parameters("path") if name not in seeded.places]
    assert not missing, f"{operation}: place {missing} in tests/api/seeds.py"
    path = operation.path.format(**{name: seeded.places[name] for name in operation.parameters("path")})
    body = seeds.body_of(operation, document, seeded.places)
    needed = {
        each["name"]: "x"
        for each in operation.spec.get("parameters", [])
        if each["in"] == "query" and each.get("required")
    }
    filters = {
        name: seeded.places[name]
        for name in operation.parameters("query")
        if name.endswith("_id") and name in seeded.places
    }
    answers: list[httpx.Response] = []
    for query in [needed, needed | filters] if filters else [needed]:
        answers.append(await client.request(operation.method.upper(), path, params=query, json=body))
    return answers


def judge(operation: Operation, answer: httpx.Response, seeded: Seeded) -> list[str]:
    """What is wrong with this answer."""
    wrong: list[str] = []
    body = seeds_of_request(answer)
    leaked = [trace for trace in seeded.traces() if trace in answer.text and trace not in body]
    if leaked:
        wrong.append(f"{operation}: shows {leaked} in {answer.text[:300]}")
    if answer.status_code >= 500:
        wrong.append(f"{operation}: {answer.status_code} {answer.text[:300]}")
    foreign = bool(operation.parameters("path")) and "slug" not in operation.path
    foreign = foreign and str(operation) not in NAMED_BY_CALLER
    if foreign and answer.status_code not in (403, 404):
        wrong.append(f"{operation}: {answer.status_code} instead of 404 or 403: {answer.text[:300]}")
    return wrong


def seeds_of_request(answer: httpx.Response) -> str:
    """What the stranger sent and may therefore see again."""
    return str(answer.request.url) + answer.request.content.decode()


async def test_nobody_gets_past_the_door_without_a_key(app: FastAPI, seeded: Seeded) -> None:
    document = app.openapi()
    async with as_client(app, None) as client:
        for operation in seeds.operations(document):
            if str(operation) in PUBLIC:
                continue
            for answer in await call(client, operation, seeded, document):
                assert answer.status_code == 401, f"{operation}: {answer.status_code} {answer.text[:300]}"


async def test_the_owner_does_see_what_was_seeded(seeded: Seeded, client: httpx.AsyncClient) -> None:
    for path in (
        "/v1/teams/{team_id}",
        "/v1/users/{user_id}",
        "/v1/members/{member_id}",
        "/v1/keys/{key_id}",
        "/v1/tools/{tool_id}",
        "/v1/tools/{tool}",
    ):
        answer = await client.get(path.format(**seeded.places))
        assert answer.status_code == 200, "else a stranger's 404 would prove nothing"

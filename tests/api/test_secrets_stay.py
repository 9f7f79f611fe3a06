"""A secret's value shows up nowhere: not where its tool sends it back, in answers of any route, audit, logs or prompts.

The tool sends back all that it was sent, as it is and in every usual form, in results, errors and redirects. Afterwards
every table, every answer, every line of the log and everything that a model was told is searched.
"""

import base64
import html
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote, quote_plus

import asyncpg
import httpx
import pytest
import structlog
from fastapi import FastAPI

from retinue import telemetry
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.redaction import Redactor
from retinue.domain.turns import Interaction
from retinue.settings import Settings
from retinue.store import wrapping
from retinue.store.secrets import Sealer, Vault
from retinue.tools import egress, registry, rest
from retinue.tools.resolve import Internal
from tests.api import seeds
from tests.api.conftest import World
from tests.tools.conftest import Seen, Server, http, serving
from tests.turn.conftest import Lab, call, calls, node

BEARER = 'open sesame/4711+x="~"'
SIGNING = "whsec_" + base64.b64encode(b"a signing key that nobody else has").decode()
API_KEY = "k-9f8e7d6c5b4a"
PERSONAL = "my-own-calendar-password-31"
SECRETS = (BEARER, SIGNING, API_KEY, PERSONAL)
HEADERS = ("authorization", "x-api-key")


def forms(text: str) -> list[str]:
    """A text as others would send it back."""
    raw = text.encode()
    return [
        text, json.dumps({"sent": text}), quote(text, safe=""), quote_plus(text), html.escape(text), raw.hex(),
        base64.b64encode(raw).decode(), base64.urlsafe_b64encode(b"user:" + raw + b":end").decode(),
    ]  # fmt: skip


class Echo:
    """Answers each call in another way, always with what it was sent, and the signing secret, which it knows, too."""

    def __init__(self) -> None:
        self.count = 0
        self.url = ""

    def __call__(self, seen: Seen) -> bytes:
        heard = [one for name in HEADERS for one in forms(seen.headers.get(name, "")) if one]
        bare = [one for name in HEADERS for one in forms(seen.headers.get(name, "").removeprefix("Bearer ")) if one]
        told = heard + bare
        if "authorization" in seen.headers:  # the call that it signs
            told += forms(SIGNING) + forms(SIGNING.removeprefix("whsec_"))
        words = " | ".join(told)
        self.count += 1
        match self.count:
            case 1:
                data = {"list": told, "deep": {"headers": seen.headers, words[:200]: [told]}}
                return http(body=json.dumps({"result": {"content": words, "structured_data": data}}).encode())
            case 2:
                return http(400, json.dumps({"detail": "x" * 290 + told[0] + words}).encode())
            case 3:
                return http(body=json.dumps({"result": {"content": "fine", "structured_data": {"id": words}}}).encode())
            case 4:
                return http(403, json.dumps({"error": words, words: 1}).encode())
            case 5:
                return http(302, words.encode(), location=f"{self.url}?key={quote(words)}")
            case 6:
                return http(500, words.encode())
            case _:
                return http(body=words.encode())


CALLS = 8
SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}}


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All that the process logs, at level debug."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    before = root.handlers, root.level
    telemetry.configure(Settings(log_format="json", log_level="debug"))
    root.setLevel(logging.DEBUG)
    yield stream
    root.handlers, level = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
async def lab(db: Database, world: World, settings: Settings, log: io.StringIO) -> AsyncIterator[Lab]:
    """A node that may call this machine."""
    lab = Lab(db, world.made)
    client = egress.Client("127.0.0.1")
    async with node(lab):
        assert lab.engine is not None
        source = rest.Source(db, Vault(db, Sealer(wrapping.of(settings))))
        lab.engine.sources, lab.engine.egress = [Internal(registry.Registry(())), source], client
        yield lab
    await client.close()


async def tell_them(client: httpx.AsyncClient, world: World, server: Server) -> None:
    """Store the secrets as people do, by the API, and register two tools that use them."""
    values = {"crm.token": BEARER, "crm.signing": SIGNING, "other.key": API_KEY}
    for name, value in values.items():
        assert (await client.put(f"/v1/secrets/{name}", json={"value": value})).status_code == 200
    agent = ids.encode("agt", world.made.agent.id)
    mine = {"credentials": {"calendar": PERSONAL}}
    assert (await client.put(f"/v1/agents/{agent}/my-config", json=mine)).status_code == 200
    crm = {"type": "bearer", "secret_name": "crm.token", "signing_secret_name": "crm.signing"}
    other = {"type": "api_key", "secret_name": "other.key", "header": "X-Api-Key"}
    for slug, auth in (("crm", crm), ("other", other)):
        body = {
            "slug": slug, "name": slug, "description": "Tell.", "parameters": {"type": "object"}, "effect": "read",
            "endpoint": server.url("/"), "auth": auth, "returns": SCHEMA,
        }  # fmt: skip
        assert (await client.post("/v1/tools", json=body)).status_code == 201


async def answers(
    client: httpx.AsyncClient, app: FastAPI, places: list[dict[str, str]]
) -> AsyncIterator[tuple[str, str]]:
    """What every route that reads says, of every thing that is known."""
    for operation in seeds.operations(app.openapi()):
        if operation.method != "get" or operation.is_endless():
            continue
        for known in places:
            path = operation.path.format(**{name: known[name] for name in operation.parameters("path")})
            needed = {one["name"]: "x" for one in operation.spec.get("parameters", []) if one.get("required")}
            query = {name: value for name, value in needed.items() if name in operation.parameters("query")}
            answer = await client.get(path, params=query)
            yield f"{operation} {answer.status_code}", answer.text


async def rows(database_url: str) -> AsyncIterator[tuple[str, str]]:
    """Every row of every table."""
    connection = await asyncpg.connect(database_url)
    tables = await connection.fetch(
        "select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname in ('retinue', 'queue') and c.relkind = 'r'"
    )
    for table in tables:
        for row in await connection.fetch(f"select t::text as text from {table['name']} t"):
            yield table["name"], row["text"]
    await connection.close()


@pytest.mark.requirement("AUD-13", "EXT-27", "SCH-08")
async def test_a_secrets_value_shows_up_nowhere(
    app: FastAPI, client: httpx.AsyncClient, world: World, lab: Lab, database_url: str, log: io.StringIO
) -> None:
    seeded = await seeds.seed(lab.db, world)
    echo = Echo()
    async with serving(echo) as server:
        echo.url = server.url("/")
        await tell_them(client, world, server)
        await lab.give("crm", "other")
        for tool in ("crm", "other"):
            echo.count = 0
            lab.models.script = [calls(*(call(tool) for _ in range(CALLS))), "I was told much."]
            ended: Interaction = await lab.ask("Ask them.", seconds=60)
            assert ended.state == "succeeded"
    assert any(BEARER in seen.headers.get("authorization", "") for seen in server.seen)
    assert any(API_KEY in seen.headers.get("x-api-key", "") for seen in server.seen)

    found: list[str] = []
    hidden = Redactor(SECRETS)

    def search(where: str, text: str) -> None:
        if hidden.text(text) != text:
            found.append(f"{where}: {hidden.text(text)[:300]}")

    for number, request in enumerate(lab.models.requests):
        search(f"prompt {number}", request.model_dump_json())
        search(f"prompt {number}", repr(request))
    async for where, text in rows(database_url):
        search(where, text)
    search("log", log.getvalue())
    real = {
        "interaction_id": ids.encode("int", ended.id),
        "thread_id": ids.encode("thr", ended.thread_id),
        "tool": "crm",
    }
    shown = 0
    async for where, text in answers(client, app, [seeded.places, seeded.places | real | {"seq": "2"}]):
        search(where, text)
        shown += "[redacted]" in text
    search("log", log.getvalue())
    assert not found, "\n".join(found)
    assert shown, "the results of the calls are shown somewhere, or nothing was proved"


def test_the_search_itself_finds_every_form() -> None:
    hidden = Redactor(SECRETS)
    for secret in SECRETS:
        for text in forms(secret):
            assert hidden.text(f"<{text}>") != f"<{text}>"

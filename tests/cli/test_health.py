"""Health, numbers and the first page over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from retinue import telemetry
from retinue.api import health, routes, web
from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.domain.accounts import NewKey, Scope
from retinue.llm.models import Models
from retinue.settings import Settings
from retinue.store import accounts, keys
from tests.conftest import SECRET


def parts(db: Database, home: Path, **changes: str) -> AppState:
    settings = Settings(home=home, secret_key=SECRET).model_copy(update=changes)
    return AppState(db=db, settings=settings, models=Models(settings, env={}))


@asynccontextmanager
async def client(state: AppState, key: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    transport = httpx.ASGITransport(routes.create(state))
    async with httpx.AsyncClient(transport=transport, base_url="http://retinue.test", headers=headers) as opened:
        yield opened


async def make_key(db: Database, *scopes: Scope) -> str:
    first = await accounts.bootstrap(db)
    async with db.tenant_tx(first.account.id) as tx:
        return (await keys.create(tx, first.account.id, first.owner.id, NewKey(name="k", scopes=scopes))).secret


async def test_a_process_is_ready_when_its_database_is_migrated_and_its_worker_runs(db: Database, home: Path) -> None:
    state = parts(db, home)
    vitals = health.vitals(state)
    async with client(state) as http:
        assert (await http.get("/readyz")).json() == {"status": "ready", "checks": {"database": "ok"}}
        vitals.set_worker(False)
        starting = await http.get("/readyz")
        vitals.set_worker(True)
        assert (await http.get("/readyz")).status_code == 200
        vitals.draining = True
        leaving = await http.get("/readyz")
        assert (await http.get("/healthz")).json() == {"status": "ok"}
    for refused, words in ((starting, "worker"), (leaving, "shutting down")):
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["retry-after"]
        assert words in refused.json()["detail"]


async def test_pending_migrations_make_a_process_not_ready(db: Database, home: Path, database_url: str) -> None:
    async with db.system_tx() as tx:
        newest = await tx.fetchval("select max(version) from migration")
    async with client(parts(db, home)) as http:
        assert (await http.get("/readyz")).status_code == 200
        await _forget(database_url, newest)
        refused = await http.get("/readyz")
    assert refused.status_code == 503
    assert "retinue migrate" in refused.json()["detail"]


async def _forget(url: str, version: int) -> None:
    import asyncpg

    owner = await asyncpg.connect(url)
    await owner.execute("delete from retinue.migration where version = $1", version)
    await owner.close()


async def test_numbers_come_from_this_process_and_from_the_database(db: Database, home: Path) -> None:
    telemetry.metrics.turns_total.labels("succeeded").inc()
    async with client(parts(db, home)) as http:
        shown = (await http.get("/metrics")).text
    for line in (
        'retinue_turns_total{state="succeeded"}', 'retinue_queue_depth{state="queued"} 0.0',
        "retinue_queue_age_seconds 0.0", 'retinue_interactions_open{state="running"} 0.0', "retinue_waits_open 0.0",
        "retinue_audit_age_seconds",
        "retinue_nodes_up 0.0", 'retinue_db_pool_size{pool="app"}', "retinue_turn_seconds_bucket",
    ):  # fmt: skip
        assert line in shown, line


async def test_numbers_are_open_on_loopback_and_need_an_admins_key_elsewhere(db: Database, home: Path) -> None:
    weak, strong = await make_key(db, Scope.READ, Scope.WRITE), await make_key(db, Scope.READ, Scope.ADMIN)
    outside = {"host": "0.0.0.0"}
    for key, status in ((None, 401), (weak, 403), (strong, 200)):
        async with client(parts(db, home, **outside), key) as http:
            assert (await http.get("/metrics")).status_code == status


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.1.2.3", True), ("0.0.0.0", False), ("::", False),
     ("10.0.0.1", False), ("example.org", False)],
)  # fmt: skip
def test_only_addresses_of_this_machine_count_as_loopback(host: str, expected: bool) -> None:
    assert health.is_loopback(host) is expected


async def test_the_first_page_says_how_to_talk_and_what_answers_without_any_script(
    db: Database, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the web app is not built."""
    monkeypatch.setattr(web, "FOLDER", tmp_path / "not built")
    async with client(parts(db, home)) as http:
        page = await http.get("/")
    assert page.status_code == 200
    assert "retinue chat" in page.text
    assert "offline model answers" in page.text
    assert "<script" not in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


async def test_the_state_of_models_is_said_to_whoever_is_signed_in(db: Database, home: Path) -> None:
    key = await make_key(db, Scope.READ)
    async with client(parts(db, home)) as http:
        assert (await http.get("/v1/models")).status_code == 401
    async with client(parts(db, home), key) as http:
        models = (await http.get("/v1/models")).json()
    assert models["offline"] is True
    assert "ANTHROPIC_API_KEY" in models["how"]
    assert {"anthropic", "openai", "ollama"} <= {one["provider"] for one in models["providers"]}

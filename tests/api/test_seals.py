"""The sealed record over HTTP: for admins, as a file that proves itself, and checked where it is stored."""

import base64

import httpx
import pytest
from fastapi import FastAPI

from retinue.db.pool import Database
from retinue.domain import verifying
from retinue.domain.accounts import Role, Scope
from retinue.store import seals as store
from tests.api.conftest import Stranger, World, as_client, make_key, make_user, problem

SIGNER = store.Signer("test-secret-key")


@pytest.mark.requirement("AUD-04", "AUD-15")
async def test_an_export_is_verified_by_itself_and_holds_this_account_alone(
    client: httpx.AsyncClient, stranger: Stranger, db: Database, world: World
) -> None:
    await store.run(db, SIGNER)
    answer = await client.get("/v1/audit/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/jsonl")
    assert "attachment" in answer.headers["content-disposition"]
    report = verifying.verify(answer.content.splitlines(keepends=True), store.signed, SIGNER.id)
    assert report.ok, report.findings
    assert report.account_id == world.made.account.id
    assert report.lines > 0
    assert stranger.world.made.account.id.hex not in answer.text.replace("-", "")
    [key] = (await client.get("/v1/audit/keys")).json()
    assert key == {"id": SIGNER.id, "public": base64.b64encode(SIGNER.public).decode(), "current": True}


async def test_the_state_tells_what_waits_for_its_seal(client: httpx.AsyncClient, db: Database) -> None:
    before = (await client.get("/v1/audit/seal")).json()
    assert (before["seals"], before["hash"], before["sealed_at"]) == (0, None, None)
    assert before["unsealed"] > 0
    await store.run(db, SIGNER)
    after = (await client.get("/v1/audit/seal")).json()
    assert (after["seals"], after["unsealed"], after["key_id"]) == (1, 0, SIGNER.id)


async def test_a_part_of_the_record_is_exported_by_time(client: httpx.AsyncClient, db: Database) -> None:
    await store.run(db, SIGNER)
    none = await client.get("/v1/audit/export", params={"since": "2100-01-01T00:00:00Z"})
    report = verifying.verify(none.content.splitlines(keepends=True), store.signed)
    assert (report.ok, report.seals) == (True, 0)
    await store.run(db, SIGNER)
    when = (await client.get("/v1/audit/seal")).json()["sealed_at"]
    later = await client.get("/v1/audit/export", params={"since": when})
    report = verifying.verify(later.content.splitlines(keepends=True), store.signed)
    assert (report.ok, report.first_seal, report.last_seal) == (True, 2, 2)


async def test_what_is_stored_is_verified_and_both_acts_are_audited(client: httpx.AsyncClient, db: Database) -> None:
    await store.run(db, SIGNER)
    report = (await client.post("/v1/audit/verify")).json()
    assert (report["faults"], report["findings"], report["seals"]) == (0, [], 1)
    await client.get("/v1/audit/export")
    events = [line["event"] for line in (await client.get("/v1/audit")).json()["data"]]
    assert events[:2] == ["audit.export", "audit.verify"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/audit/export"), ("GET", "/v1/audit/seal"), ("GET", "/v1/audit/keys"), ("POST", "/v1/audit/verify")],
)
async def test_only_admins_see_the_record(app: FastAPI, db: Database, world: World, method: str, path: str) -> None:
    _, member = await make_user(db, world, Role.MEMBER)
    key = await make_key(db, member, Scope.READ, Scope.WRITE)
    async with as_client(app, key.secret) as client:
        problem(await client.request(method, path), 403, "forbidden")

"""API keys do what their scopes and their user's role allow, and stop when they are revoked or end."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from retinue import errors
from retinue.api import auth
from retinue.api.auth import Verifier
from retinue.db.pool import Database
from retinue.domain import accounts, ids
from retinue.domain.accounts import Role, Scope
from tests.api.conftest import World, as_client, make_key, make_user, problem


async def test_a_key_is_shown_once_and_works(client: httpx.AsyncClient, app: FastAPI, world: World) -> None:
    made = await client.post("/v1/keys", json={"name": "ci"})
    assert made.status_code == 201
    body = made.json()
    assert (
        body["secret"].startswith(f"rtn_{ids.encode('x', world.owner.account_id)[2:]}_") and len(body["secret"]) == 74
    )
    assert body["scopes"] == ["read", "write"]
    async with as_client(app, body["secret"]) as theirs:
        assert (await theirs.get("/v1/me")).json()["key_id"] == body["id"]
    shown = (await client.get(f"/v1/keys/{body['id']}")).json()
    assert "secret" not in shown and shown["prefix"] in (body["secret"][:4] + "…" + body["secret"][31:35],)
    assert shown["last_used_at"] is not None


async def test_scopes_are_kept(app: FastAPI, db: Database, world: World) -> None:
    team = {"name": "T", "slug": "t"}
    for scopes, read, write, administer in (
        ((Scope.READ,), 200, 403, 403), ((Scope.WRITE,), 403, 201, 403), ((Scope.READ, Scope.WRITE), 200, 201, 403),
        ((Scope.READ, Scope.ADMIN), 200, 403, 201),
    ):  # fmt: skip
        key = await make_key(db, world.owner, *scopes)
        async with as_client(app, key.secret) as theirs:
            assert (await theirs.get("/v1/teams")).status_code == read
            made = await theirs.post("/v1/keys", json={"name": "n", "scopes": [scopes[-1].value]})
            assert made.status_code == write
            answer = await theirs.post("/v1/teams", json=team | {"slug": f"t-{'-'.join(scopes)}"})
            assert answer.status_code == administer


async def test_roles_are_kept(app: FastAPI, db: Database, world: World) -> None:
    for role, status in ((Role.MEMBER, 403), (Role.LEAD, 403), (Role.ADMIN, 201)):
        _, principal = await make_user(db, world, role)
        key = await make_key(db, principal)
        async with as_client(app, key.secret) as theirs:
            answer = await theirs.post("/v1/teams", json={"name": "T", "slug": f"of-{role.value}"})
            assert answer.status_code == status


async def test_a_key_makes_no_stronger_key(app: FastAPI, db: Database, world: World, client: httpx.AsyncClient) -> None:
    limited = await make_key(db, world.owner, Scope.READ, Scope.WRITE)
    async with as_client(app, limited.secret) as theirs:
        problem(await theirs.post("/v1/keys", json={"name": "n", "scopes": ["admin"]}), 403, "forbidden")
    ends = datetime.now(UTC) + timedelta(hours=1)
    short = (await client.post("/v1/keys", json={"name": "short", "expires_at": ends.isoformat()})).json()
    async with as_client(app, short["secret"]) as theirs:
        for asked in (None, (ends + timedelta(days=1)).isoformat()):
            made = await theirs.post("/v1/keys", json={"name": "n", "expires_at": asked})
            assert datetime.fromisoformat(made.json()["expires_at"]) == ends


async def test_keys_of_others_take_an_admin_and_those_of_owners_an_owner(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient
) -> None:
    member, member_principal = await make_user(db, world, Role.MEMBER)
    _, admin_principal = await make_user(db, world, Role.ADMIN)
    owners_key = (await client.get("/v1/me")).json()["key_id"]
    owner_id, member_id = ids.encode("usr", world.owner.user_id), ids.encode("usr", member.id)
    async with as_client(app, (await make_key(db, member_principal)).secret) as theirs:
        assert [key["user_id"] for key in (await theirs.get("/v1/keys")).json()["data"]] == [member_id]
        problem(await theirs.get(f"/v1/keys?user_id={owner_id}"), 403, "forbidden")
        problem(await theirs.get(f"/v1/keys/{owners_key}"), 404, "not_found")
        problem(await theirs.delete(f"/v1/keys/{owners_key}"), 404, "not_found")
        problem(await theirs.post("/v1/keys", json={"name": "n", "user_id": owner_id}), 403, "forbidden")
    async with as_client(app, (await make_key(db, admin_principal)).secret) as theirs:
        assert len((await theirs.get("/v1/keys")).json()["data"]) == 3
        problem(await theirs.delete(f"/v1/keys/{owners_key}"), 403, "forbidden")
        problem(await theirs.post("/v1/keys", json={"name": "n", "user_id": owner_id}), 403, "forbidden")
        made = await theirs.post("/v1/keys", json={"name": "n", "user_id": member_id})
        assert made.json()["user_id"] == member_id
        assert (await theirs.delete(f"/v1/keys/{made.json()['id']}")).status_code == 204


async def test_a_revoked_key_stops_at_once_on_this_node(client: httpx.AsyncClient, app: FastAPI) -> None:
    made = (await client.post("/v1/keys", json={"name": "n"})).json()
    async with as_client(app, made["secret"]) as theirs:
        assert (await theirs.get("/v1/me")).status_code == 200
        assert (await client.delete(f"/v1/keys/{made['id']}")).status_code == 204
        problem(await theirs.get("/v1/me"), 401, "not_signed_in")
    assert (await client.get(f"/v1/keys/{made['id']}")).json()["revoked_at"] is not None


async def test_a_revoked_key_stops_on_other_nodes_when_their_memory_of_it_ends(
    db: Database, world: World, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "TTL", 0.0)
    other_node = Verifier(db)
    made = (await client.post("/v1/keys", json={"name": "n"})).json()
    await other_node.verify(made["secret"])
    await client.delete(f"/v1/keys/{made['id']}")
    with pytest.raises(errors.NotSignedIn):
        await other_node.verify(made["secret"])


async def test_an_expired_key_stops(client: httpx.AsyncClient, app: FastAPI, db: Database, world: World) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    problem(await client.post("/v1/keys", json={"name": "n", "expires_at": past}), 422, "invalid_input")
    problem(
        await client.post("/v1/keys", json={"name": "n", "expires_at": "2030-01-01T00:00:00"}), 422, "invalid_input"
    )
    future = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = (await client.post("/v1/keys", json={"name": "n", "expires_at": future})).json()
    async with as_client(app, made["secret"]) as theirs:
        async with db.tenant_tx(world.owner.account_id) as tx:
            await tx.execute("update api_key set expires_at = clock() where account_id = $1 and name = 'n'",
                             world.owner.account_id)  # fmt: skip
        problem(await theirs.get("/v1/me"), 401, "not_signed_in")


async def test_the_last_use_is_written_at_most_once_a_minute(db: Database, world: World) -> None:
    account_id = world.owner.account_id

    async def last_use() -> datetime:
        async with db.tenant_tx(account_id) as tx:
            found: datetime = await tx.fetchval(
                "select last_used_at from api_key where account_id = $1 and id = $2", account_id, world.owner.key_id
            )
            return found

    await Verifier(db).verify(world.key)
    first = await last_use()
    await Verifier(db).verify(world.key)
    assert await last_use() == first
    async with db.tenant_tx(account_id) as tx:
        await tx.execute("update api_key set last_used_at = last_used_at - interval '61 seconds' where account_id = $1",
                         account_id)  # fmt: skip
    await Verifier(db).verify(world.key)
    assert await last_use() > first


async def test_a_busy_key_is_looked_up_once(db: Database, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = Verifier(db)
    await verifier.verify(world.key)
    calls: list[str] = []
    call = db.call

    async def counted(sql: str, *args: object) -> object:
        calls.append(sql)
        return await call(sql, *args)

    monkeypatch.setattr(db, "call", counted)
    for _ in range(50):
        await verifier.verify(world.key)
    assert calls == []
    verifier.forget(world.owner.account_id)
    await verifier.verify(world.key)
    assert len(calls) == 1


async def test_a_revocation_during_a_look_up_is_not_lost(
    db: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = Verifier(db)
    call = db.call

    async def overtaken(sql: str, *args: object) -> object:
        found = await call(sql, *args)
        verifier.forget(world.owner.account_id)  # the revocation commits after our read and before we remember it
        return found

    monkeypatch.setattr(db, "call", overtaken)
    await verifier.verify(world.key)
    monkeypatch.setattr(db, "call", call)
    async with db.tenant_tx(world.owner.account_id) as tx:
        await tx.execute("update api_key set revoked_at = clock() where account_id = $1", world.owner.account_id)
    with pytest.raises(errors.NotSignedIn):
        await verifier.verify(world.key)


async def test_a_token_of_one_account_does_not_open_another(
    db: Database, world: World, client: httpx.AsyncClient
) -> None:
    other = accounts.make_token("rtn", ids.new())
    for forged in (other[:31] + world.key[31:], world.key.replace("rtn_", "rts_", 1), world.key + "x", world.key[:-1]):
        problem(await client.get("/v1/me", headers={"authorization": f"Bearer {forged}"}), 401, "not_signed_in")


def test_tokens_are_parsed_as_they_are_made() -> None:
    account_id = ids.new()
    token = accounts.make_token("rtn", account_id)
    parsed = accounts.parse_token(token, "rtn")
    assert parsed is not None
    assert (parsed.account_id, parsed.hash) == (account_id, accounts.hash_token(token))
    for wrong in ("", "rtn_", token.replace("_", "-", 1), token.upper(), "é" * 74, token[:40] + "é" + token[41:]):
        assert accounts.parse_token(wrong, "rtn") is None

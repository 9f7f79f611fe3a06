"""People sign in by password or one-time link and out again; a browser's cookie works only from our own pages."""

from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from retinue.api import limits, routes
from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Role, Scope
from retinue.store import keys
from tests.api.conftest import BASE, World, as_client, make_key, make_user, problem

PASSWORD = "correct horse battery"
ORIGIN = {"origin": BASE}


async def set_password(client: httpx.AsyncClient) -> None:
    assert (await client.put("/v1/me/password", json={"password": PASSWORD})).status_code == 204


async def sign_in(client: httpx.AsyncClient, **more: str) -> httpx.Response:
    return await client.post("/v1/sessions", json={"email": "owner@home.test", "password": PASSWORD} | more)


async def test_a_password_opens_a_session_whose_cookie_is_kept_from_scripts(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    await set_password(client)
    answer = await sign_in(anonymous, email="OWNER@home.test")
    assert answer.status_code == 201
    assert answer.json()["id"].startswith("ses_") and "token" not in answer.text
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("retinue_session=rts_")
    assert "httponly" in cookie and "samesite=lax" in cookie and "secure" not in cookie
    me = (await anonymous.get("/v1/me")).json()
    assert (me["user"]["email"], me["session_id"], me["key_id"]) == ("owner@home.test", answer.json()["id"], None)


async def test_over_tls_the_cookie_is_secure(state: AppState, client: httpx.AsyncClient) -> None:
    await set_password(client)
    state.settings = state.settings.model_copy(update={"public_url": "https://retinue.test"})
    async with as_client(routes.create(state), None) as browser:
        assert "secure" in (await sign_in(browser)).headers["set-cookie"].lower()


async def test_wrong_passwords_unknown_people_and_accounts_look_alike(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    await set_password(client)
    answers = [
        await sign_in(anonymous, password="wrong password"), await sign_in(anonymous, email="nobody@home.test"),
        await sign_in(anonymous, account="elsewhere"),
    ]  # fmt: skip
    for answer in answers:
        problem(answer, 401, "sign_in_refused")
        assert "set-cookie" not in answer.headers
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert (await sign_in(anonymous, account="home")).status_code == 201


async def test_guessing_is_slowed_down_for_one_address_and_one_e_mail(
    state: AppState, anonymous: httpx.AsyncClient
) -> None:
    state.attempts = limits.Buckets(0.01, 2)
    for expected in ("sign_in_refused", "sign_in_refused", "rate_limited"):
        answer = await sign_in(anonymous, email="a@b.c")
        assert answer.json()["code"] == expected
    assert int(answer.headers["retry-after"]) > 1
    assert (await sign_in(anonymous, email="other@b.c")).json()["code"] == "sign_in_refused"
    state.addresses = limits.Buckets(0.01, 1)
    assert (await sign_in(anonymous, email="third@b.c")).json()["code"] == "sign_in_refused"
    problem(await sign_in(anonymous, email="fourth@b.c"), 429, "rate_limited")


async def test_signing_out_ends_the_session_at_once(client: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    await set_password(client)
    await sign_in(anonymous)
    token = anonymous.cookies["retinue_session"]
    assert (await anonymous.get("/v1/me")).status_code == 200
    assert (await anonymous.delete("/v1/sessions/current", headers=ORIGIN)).status_code == 204
    assert "retinue_session" not in anonymous.cookies
    problem(await anonymous.get("/v1/me", headers={"authorization": f"Bearer {token}"}), 401, "not_signed_in")
    problem(await client.delete("/v1/sessions/current"), 409, "wrong_state")


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, False), ({"origin": "https://evil.test"}, False), ({"origin": "null"}, False),
        ({"origin": f"{BASE}.evil.test"}, False), ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False), (ORIGIN, True), ({"sec-fetch-site": "same-origin"}, True),
    ],
)  # fmt: skip
async def test_a_write_with_the_cookie_must_come_from_our_own_pages(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, headers: dict[str, str], passes: bool
) -> None:
    await set_password(client)
    await sign_in(anonymous)
    answer = await anonymous.post("/v1/teams", json={"name": "T", "slug": "t"}, headers=headers)
    if passes:
        assert answer.status_code == 201
    else:
        problem(answer, 403, "bad_origin")
        assert (await anonymous.get("/v1/me")).status_code == 200, "reading needs no origin"
        assert (await client.get("/v1/teams")).json()["data"] == []


async def test_another_site_cannot_sign_a_browser_in(client: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    user_id = (await client.get("/v1/me")).json()["user"]["id"]
    link = (await client.post("/v1/sign-in-links", json={"user_id": user_id})).json()
    evil = {"origin": "https://evil.test"}
    problem(await anonymous.post("/v1/sessions/link", json={"token": link["token"]}, headers=evil), 403, "bad_origin")
    problem(await anonymous.post("/sign-in", data={"token": link["token"]}, headers=evil), 403, "bad_origin")


async def test_a_link_signs_in_once_by_its_button_and_not_by_being_opened(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    user_id = (await client.get("/v1/me")).json()["user"]["id"]
    made = await client.post("/v1/sign-in-links", json={"user_id": user_id})
    assert made.status_code == 201
    url, token = made.json()["url"], made.json()["token"]
    assert url == f"{BASE}/sign-in?token={token}" and token.startswith("rtl_")
    for _ in range(3):  # mail programs and chat previews
        page = await anonymous.get(url)
        assert page.status_code == 200 and token in page.text and page.headers["cache-control"] == "no-store"
        assert "set-cookie" not in page.headers
    answer = await anonymous.post("/sign-in", data={"token": token}, headers=ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await anonymous.get("/v1/me")).json()["user"]["id"] == user_id
    problem(await anonymous.post("/sign-in", data={"token": token}, headers=ORIGIN), 401, "sign_in_refused")
    problem(await anonymous.post("/v1/sessions/link", json={"token": token}), 401, "sign_in_refused")


async def test_no_span_records_the_token_in_a_links_address(anonymous: httpx.AsyncClient, state: AppState) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = routes.create(state)
    app._telemetry["tracer_provider"] = provider
    async with as_client(app, None) as browser:
        for path in ("/sign-in?token=rtl_secret", "/v1/oidc/callback?code=secret&state=secret", "/v1/me?plain=1"):
            await browser.get(path)
    told = str([dict(span.attributes or {}) for span in exporter.get_finished_spans()])
    assert "plain" in told and "secret" not in told


async def test_the_sign_in_page_repeats_no_markup(anonymous: httpx.AsyncClient) -> None:
    page = await anonymous.get("/sign-in", params={"token": '"><script>alert(1)</script>'})
    assert "<script>" not in page.text
    form = {"content": "&".join(["token=x"] * 20), "headers": {"content-type": "application/x-www-form-urlencoded"}}
    problem(await anonymous.post("/sign-in", **form), 400, "bad_request")


async def test_a_link_is_good_for_fifteen_minutes(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, db: Database, world: World
) -> None:
    user_id = (await client.get("/v1/me")).json()["user"]["id"]
    for minutes, status in ((14, 201), (16, 401)):
        link = (await client.post("/v1/sign-in-links", json={"user_id": user_id})).json()
        async with db.tenant_tx(world.owner.account_id) as tx:
            await tx.execute(
                "update sign_in_link set expires_at = expires_at - $2::interval where account_id = $1",
                world.owner.account_id, timedelta(minutes=minutes),
            )  # fmt: skip
        answer = await anonymous.post("/v1/sessions/link", json={"token": link["token"]})
        assert answer.status_code == status


async def test_links_and_sessions_of_the_suspended_open_nothing(
    client: httpx.AsyncClient, app: FastAPI, db: Database, world: World
) -> None:
    user, _ = await make_user(db, world, Role.MEMBER)
    user_id = ids.encode("usr", user.id)
    first = (await client.post("/v1/sign-in-links", json={"user_id": user_id})).json()["token"]
    second = (await client.post("/v1/sign-in-links", json={"user_id": user_id})).json()["token"]
    async with as_client(app, None) as browser:
        assert (await browser.post("/v1/sessions/link", json={"token": first})).status_code == 201
        assert (await browser.get("/v1/me")).status_code == 200
        suspended = await client.patch(f"/v1/users/{user_id}", json={"status": "suspended"})
        assert suspended.json()["status"] == "suspended"
        problem(await browser.get("/v1/me"), 401, "not_signed_in")
        problem(await browser.post("/v1/sessions/link", json={"token": second}), 401, "sign_in_refused")


async def test_an_expired_session_opens_nothing(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, db: Database, world: World, state: AppState
) -> None:
    await set_password(client)
    await sign_in(anonymous)
    async with db.tenant_tx(world.owner.account_id) as tx:
        await tx.execute("update session set expires_at = clock() where account_id = $1", world.owner.account_id)
    problem(await anonymous.get("/v1/me"), 401, "not_signed_in")


async def test_a_new_password_takes_the_old_one_and_ends_other_sessions(
    client: httpx.AsyncClient, app: FastAPI, anonymous: httpx.AsyncClient
) -> None:
    await set_password(client)
    await sign_in(anonymous)
    async with as_client(app, None) as second:
        await sign_in(second)
        body = {"password": "a new password", "current": "not it at all"}
        problem(await second.put("/v1/me/password", json=body, headers=ORIGIN), 422, "invalid_input")
        body["current"] = PASSWORD
        assert (await second.put("/v1/me/password", json=body, headers=ORIGIN)).status_code == 204
        assert (await second.get("/v1/me")).status_code == 200
    problem(await anonymous.get("/v1/me"), 401, "not_signed_in")
    problem(await sign_in(anonymous), 401, "sign_in_refused")


async def test_a_key_without_the_scope_admin_sets_no_password(app: FastAPI, db: Database, world: World) -> None:
    key = await make_key(db, world.owner, Scope.READ, Scope.WRITE)
    async with as_client(app, key.secret) as limited:
        problem(await limited.put("/v1/me/password", json={"password": PASSWORD}), 403, "forbidden")


async def test_admins_make_no_links_for_owners(app: FastAPI, db: Database, world: World) -> None:
    _, admin = await make_user(db, world, Role.ADMIN)
    member, _ = await make_user(db, world, Role.MEMBER)
    key = await make_key(db, admin)
    async with as_client(app, key.secret) as theirs:
        owner = {"user_id": ids.encode("usr", world.owner.user_id)}
        problem(await theirs.post("/v1/sign-in-links", json=owner), 403, "forbidden")
        other = {"user_id": ids.encode("usr", member.id)}
        assert (await theirs.post("/v1/sign-in-links", json=other)).status_code == 201


@pytest.mark.requirement("AUD-13")
async def test_neither_tokens_nor_passwords_stand_in_the_database_or_audit(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, db: Database, world: World
) -> None:
    await set_password(client)
    await sign_in(anonymous)
    user_id = (await client.get("/v1/me")).json()["user"]["id"]
    link = (await client.post("/v1/sign-in-links", json={"user_id": user_id})).json()["token"]
    secret = (await client.post("/v1/keys", json={"name": "n"})).json()["secret"]
    async with db.tenant_tx(world.owner.account_id) as tx:
        everything = ""
        for table in ("app_user", "session", "sign_in_link", "api_key", "audit_event"):
            rows = await tx.fetch(f"select to_jsonb(t)::text as row from {table} t")
            everything += "\n".join(row["row"] for row in rows)
        events = await tx.fetch("select event from audit_event where account_id = $1", world.owner.account_id)
        stored = await keys.list_keys(tx, world.owner.account_id)
    for hidden in (PASSWORD, link[31:], secret[36:], anonymous.cookies["retinue_session"][31:], world.key[36:]):
        assert hidden not in everything
    assert {"user.password", "session.start", "sign_in_link.create", "key.create"} <= {row["event"] for row in events}
    assert all("secret" not in key.model_dump() for key in stored)


async def test_one_sees_ones_sessions_and_ends_them_one_by_one_or_all_others(
    app: FastAPI, client: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    await set_password(client)
    async with as_client(app, None) as phone, as_client(app, None) as tablet:
        here = (await sign_in(anonymous)).json()["id"]
        phone.headers["user-agent"] = "Phone/1"
        there = (await sign_in(phone)).json()["id"]
        await sign_in(tablet)
        listed = (await anonymous.get("/v1/me/sessions")).json()["data"]
        assert [one["current"] for one in listed] == [False, False, True] and listed[2]["id"] == here
        assert listed[1]["user_agent"] == "Phone/1"
        assert (await anonymous.delete(f"/v1/me/sessions/{there}", headers=ORIGIN)).status_code == 204
        problem(await anonymous.delete(f"/v1/me/sessions/{there}", headers=ORIGIN), 404, "not_found")
        problem(await phone.get("/v1/me"), 401, "not_signed_in")
        assert (await anonymous.delete("/v1/me/sessions", headers=ORIGIN)).status_code == 204
        problem(await tablet.get("/v1/me"), 401, "not_signed_in")
        assert [one["id"] for one in (await anonymous.get("/v1/me/sessions")).json()["data"]] == [here]


async def test_nobody_ends_the_sessions_of_somebody_else(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    await set_password(client)
    session_id = (await sign_in(anonymous)).json()["id"]
    _, admin = await make_user(db, world, Role.ADMIN)
    async with as_client(app, (await make_key(db, admin)).secret) as other:
        assert (await other.get("/v1/me/sessions")).json()["data"] == []
        problem(await other.delete(f"/v1/me/sessions/{session_id}"), 404, "not_found")
        assert (await other.delete("/v1/me/sessions")).status_code == 204
    assert (await anonymous.get("/v1/me")).status_code == 200


async def test_me_says_whether_there_is_a_password(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/me")).json()["has_password"] is False
    await set_password(client)
    assert (await client.get("/v1/me")).json()["has_password"] is True


async def test_anybody_may_ask_how_one_signs_in_here(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.get("/v1/sign-in-methods")).json() == {"password": True, "provider": None}

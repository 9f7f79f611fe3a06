"""Sign-in at a real identity provider: only its own, fresh, rightly signed tokens for us open an account."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import RSAKey

from retinue.api import oidc, routes
from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.domain.accounts import Role
from tests.api import provider
from tests.api.conftest import World, as_client, make_user, make_world, problem
from tests.api.provider import CLIENT, CLIENT_SECRET, Provider


@pytest.fixture
async def issuer() -> AsyncIterator[Provider]:
    async with provider.running() as found:
        yield found


@pytest.fixture
async def app(state: AppState, issuer: Provider) -> FastAPI:
    state.settings = state.settings.model_copy(
        update={"oidc_issuer": issuer.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": CLIENT_SECRET}
    )
    return routes.create(state)


async def start(browser: httpx.AsyncClient, **query: str) -> dict[str, str]:
    """Go to the provider and back; the query that the callback gets."""
    sent = await browser.get("/v1/oidc/start", params=query)
    assert sent.status_code == 303, sent.text
    async with httpx.AsyncClient() as elsewhere:
        back = await elsewhere.get(sent.headers["location"])
    return {name: values[0] for name, values in parse_qs(urlsplit(back.headers["location"]).query).items()}


async def bearer(app: FastAPI, token: str, **headers: str) -> httpx.Response:
    async with as_client(app, token) as client:
        return await client.get("/v1/me", headers=headers)


@pytest.mark.requirement("PRN-16")
async def test_the_code_flow_signs_in_and_goes_where_it_was_asked_to(
    world: World, anonymous: httpx.AsyncClient, db: Database, issuer: Provider
) -> None:
    query = await start(anonymous, return_to="/channels?x=1")
    done = await anonymous.get("/v1/oidc/callback", params=query)
    assert (done.status_code, done.headers["location"]) == (303, "/channels?x=1")
    me = (await anonymous.get("/v1/me")).json()
    assert (me["user"]["email"], me["role"]) == ("owner@home.test", "owner")
    async with db.tenant_tx(world.owner.account_id) as tx:
        linked = await tx.fetchrow("select oidc_issuer, oidc_subject from app_user where account_id = $1",
                                   world.owner.account_id)  # fmt: skip
    assert linked is not None and tuple(linked) == (issuer.issuer, "subject-1")


async def test_a_second_sign_in_goes_by_subject_not_by_e_mail(
    world: World, anonymous: httpx.AsyncClient, issuer: Provider
) -> None:
    await anonymous.get("/v1/oidc/callback", params=await start(anonymous))
    issuer.person = {"sub": "subject-1", "email": "renamed@home.test"}
    done = await anonymous.get("/v1/oidc/callback", params=await start(anonymous))
    assert done.status_code == 303
    issuer.person = {"sub": "another", "email": "owner@home.test", "email_verified": True}
    taken = await anonymous.get("/v1/oidc/callback", params=await start(anonymous))
    problem(taken, 401, "sign_in_refused")


@pytest.mark.parametrize("person", [
    {"sub": "s", "email": "owner@home.test", "email_verified": False}, {"sub": "s", "email": "owner@home.test"},
    {"sub": "s", "email": "owner@home.test", "email_verified": "true"}, {"sub": "s"},
    {"sub": "s", "email": "nobody@home.test", "email_verified": True},
])  # fmt: skip
async def test_nobody_comes_in_by_an_e_mail_that_was_not_verified_or_is_not_known(
    world: World, app: FastAPI, issuer: Provider, person: dict[str, object]
) -> None:
    issuer.person = person
    problem(await bearer(app, issuer.mint()), 401, "sign_in_refused")


async def test_state_code_and_cookie_belong_together_and_work_once(
    world: World, app: FastAPI, anonymous: httpx.AsyncClient
) -> None:
    query = await start(anonymous)
    async with as_client(app, None) as other_browser:
        problem(await other_browser.get("/v1/oidc/callback", params=query), 401, "sign_in_refused")
    forged = query | {"state": "x" * 43}
    problem(await anonymous.get("/v1/oidc/callback", params=forged), 401, "sign_in_refused")
    cookie = anonymous.cookies["retinue_oidc"]
    assert (await anonymous.get("/v1/oidc/callback", params=query)).status_code == 303
    anonymous.cookies.set("retinue_oidc", cookie, domain="retinue.test", path="/v1/oidc")
    problem(await anonymous.get("/v1/oidc/callback", params=query), 401, "sign_in_refused")


async def test_an_id_token_of_another_attempt_is_refused(
    world: World, anonymous: httpx.AsyncClient, issuer: Provider
) -> None:
    for override in ({"nonce": "of another attempt"}, {"nonce": None}):
        issuer.override = override
        query = await start(anonymous)
        problem(await anonymous.get("/v1/oidc/callback", params=query), 401, "not_signed_in")


async def test_the_pkce_verifier_never_leaves_with_the_browser(anonymous: httpx.AsyncClient, world: World) -> None:
    sent = await anonymous.get("/v1/oidc/start")
    query = parse_qs(urlsplit(sent.headers["location"]).query)
    assert query["code_challenge_method"] == ["S256"] and "code_verifier" not in query
    cookie = sent.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "path=/v1/oidc" in cookie


@pytest.mark.parametrize("target", ["//evil.test", "https://evil.test", "/\\evil.test", "/\tevil", "evil"])
async def test_the_way_back_stays_on_this_host(anonymous: httpx.AsyncClient, world: World, target: str) -> None:
    done = await anonymous.get("/v1/oidc/callback", params=await start(anonymous, return_to=target))
    assert done.headers["location"] == "/"


async def test_a_refusal_at_the_provider_is_told(anonymous: httpx.AsyncClient, world: World) -> None:
    query = await start(anonymous)
    answer = await anonymous.get("/v1/oidc/callback", params={"state": query["state"], "error": "access_denied"})
    problem(answer, 401, "sign_in_refused")


async def test_a_jwt_of_the_provider_works_as_bearer(world: World, app: FastAPI, issuer: Provider) -> None:
    me = await bearer(app, issuer.mint())
    assert me.status_code == 200
    assert (me.json()["role"], me.json()["key_id"], me.json()["session_id"]) == ("owner", None, None)


def unsigned(issuer: Provider) -> str:
    def part(value: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    body = {"iss": issuer.issuer, "aud": CLIENT, "sub": "subject-1", "exp": time.time() + 300, "iat": time.time()}
    return f"{part({'alg': 'none', 'kid': 'first'})}.{part(body)}."


async def test_tokens_that_are_not_the_providers_word_to_us_now_are_refused(
    world: World, app: FastAPI, issuer: Provider
) -> None:
    assert (await bearer(app, issuer.mint())).status_code == 200  # else all below would prove nothing
    now = int(time.time())
    valid = issuer.mint()
    head, body, signature = valid.split(".")
    public_pem = issuer.keys[0].as_pem(private=False)
    other = RSAKey.generate_key(2048, {"kid": "first"})
    refused = {
        "bad signature": f"{head}.{body}.{signature[:-6]}AAAAAA",
        "changed body": f"{head}.{issuer.mint(sub='somebody else').split('.')[1]}.{signature}",
        "another key under the same id": issuer.mint(key=other),
        "none": unsigned(issuer),
        "public key as HMAC secret": hmac_with(issuer, public_pem),
        "wrong audience": issuer.mint(aud="another-client"),
        "no audience": issuer.mint(aud=None),
        "several audiences, not issued to us": issuer.mint(aud=[CLIENT, "other"]),
        "issued to another party": issuer.mint(azp="other"),
        "wrong issuer": issuer.mint(iss="https://evil.test"),
        "no issuer": issuer.mint(iss=None),
        "expired": issuer.mint(exp=now - 60),
        "no expiry": issuer.mint(exp=None),
        "expiry that is no number": issuer.mint(exp="tomorrow"),
        "not yet valid": issuer.mint(nbf=now + 120),
        "issued in the future": issuer.mint(iat=now + 120),
        "nobody": issuer.mint(sub=None),
        "unknown key": issuer.mint(header={"kid": "unknown"}),
        "garbage": "a.b.c",
    }
    for name, token in refused.items():
        answer = await bearer(app, token)
        assert answer.status_code == 401, name
        problem(answer, 401, "not_signed_in")
    assert (await bearer(app, issuer.mint(aud=[CLIENT, "other"], azp=CLIENT))).status_code == 200


def hmac_with(issuer: Provider, secret: bytes) -> str:
    """The classic confusion: the public key taken for a shared secret."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "first"}).encode()).decode().rstrip("=")
    body = issuer.mint().split(".")[1]
    digest = hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


async def test_a_rotated_key_is_fetched_once_and_withdrawn_ones_end(
    world: World, app: FastAPI, issuer: Provider, state: AppState, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = issuer.mint()
    assert (await bearer(app, old)).status_code == 200
    assert issuer.fetched_keys == 1
    state.oidc = app.state.retinue.oidc
    assert state.oidc is not None
    state.oidc._pause = 0.0
    issuer.rotate("second", keep=True)
    assert (await bearer(app, issuer.mint())).status_code == 200
    assert (await bearer(app, issuer.mint(nbf=1))).status_code == 200
    assert issuer.fetched_keys == 2, "known keys are not fetched again"
    issuer.rotate("third")
    monkeypatch.setattr(oidc, "FRESH", -1.0)
    assert state.verifier is not None
    state.verifier.forget(world.owner.account_id)
    problem(await bearer(app, old), 401, "not_signed_in")


async def test_the_sign_in_page_learns_of_the_identity_provider(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.get("/v1/sign-in-methods")).json()["provider"] == "127.0.0.1"


async def test_tokens_with_unknown_keys_do_not_make_us_hammer_the_provider(
    world: World, app: FastAPI, issuer: Provider
) -> None:
    for number in range(10):
        await bearer(app, issuer.mint(header={"kid": f"unknown-{number}"}))
    assert issuer.fetched_keys <= 2


async def test_a_person_in_several_accounts_says_which(
    world: World, app: FastAPI, issuer: Provider, db: Database
) -> None:
    other = await make_world(db, "other")
    await make_user(db, other, Role.MEMBER, "owner@home.test")
    problem(await bearer(app, issuer.mint()), 401, "sign_in_refused")
    first = await bearer(app, issuer.mint(), **{"retinue-account": "home"})
    second = await bearer(app, issuer.mint(), **{"retinue-account": "other"})
    assert [answer.json()["account"]["slug"] for answer in (first, second)] == ["home", "other"]
    assert [answer.json()["role"] for answer in (first, second)] == ["owner", "member"]
    problem(await bearer(app, issuer.mint(), **{"retinue-account": "nowhere"}), 401, "sign_in_refused")


async def test_the_suspended_and_removed_stay_out(world: World, app: FastAPI, issuer: Provider, db: Database) -> None:
    user, _ = await make_user(db, world, Role.MEMBER, "member@home.test")
    issuer.person = {"sub": "member", "email": "member@home.test", "email_verified": True}
    assert (await bearer(app, issuer.mint())).status_code == 200
    async with db.tenant_tx(world.owner.account_id) as tx:
        await tx.execute("delete from member where account_id = $1 and user_id = $2", world.owner.account_id, user.id)
    problem(await bearer(app, issuer.mint(nbf=2)), 401, "not_signed_in")
    async with db.tenant_tx(world.owner.account_id) as tx:
        await tx.execute("update app_user set status = 'suspended' where account_id = $1 and id = $2",
                         world.owner.account_id, user.id)  # fmt: skip
    problem(await bearer(app, issuer.mint(nbf=3)), 401, "sign_in_refused")


async def test_a_provider_that_is_away_or_lies_about_its_name_is_503(
    world: World, state: AppState, issuer: Provider
) -> None:
    for wrong in ("http://127.0.0.1:9", issuer.issuer + "/"):
        state.oidc = state.verifier = None
        state.settings = state.settings.model_copy(update={"oidc_issuer": wrong, "oidc_client_id": CLIENT})
        async with as_client(routes.create(state), None) as browser:
            problem(await browser.get("/v1/oidc/start"), 503, "unavailable")


async def test_without_a_provider_there_is_nothing_there(state: AppState, world: World) -> None:
    async with as_client(routes.create(state), None) as browser:
        problem(await browser.get("/v1/oidc/start"), 404, "not_found")

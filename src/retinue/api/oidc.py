"""Sign-in at an identity provider: authorization code with PKCE, state and nonce; and its JWTs as bearer tokens.

The provider says who somebody is; it never makes anybody a member. A person is recognised by (issuer, subject), the
first time by an e-mail address that the provider has verified. Keys come from the provider's JWKS and are fetched
again when a token names an unknown one. Only asymmetric algorithms are accepted.
"""

import base64
import binascii
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, cast
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

from authlib.oauth2.rfc7636 import create_s256_code_challenge  # pyright: ignore[reportUnknownVariableType]
from fastapi import APIRouter, Query, Request
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from starlette.responses import RedirectResponse

from retinue import errors, telemetry
from retinue.api import auth, deps, sessions
from retinue.db import pool
from retinue.domain import audit as lines
from retinue.domain.accounts import Identity, Principal, Scope
from retinue.settings import Settings
from retinue.store import accounts, audit, members, users
from retinue.telemetry import clock
from retinue.tools import egress

log = telemetry.logger(__name__)
router = APIRouter(prefix="/v1/oidc", tags=["sessions"])
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
JWT_SCOPES = (Scope.READ, Scope.WRITE, Scope.ADMIN)
"""A JWT is what a program sends; who approves a call signs in, or uses a key that was given the right."""
LEEWAY = 30
FRESH = 600.0
"""Seconds after which discovery and keys are fetched again, so that a withdrawn key stops to count."""
COOKIE = "retinue_oidc"
COOKIE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Client:
    """What we are at the provider. No secret: a public client, protected by PKCE alone."""

    issuer: str
    id: str
    secret: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in under way, kept in the browser's own cookie: it binds the answer to the browser that asked."""

    state: str
    nonce: str
    verifier: str
    return_to: str
    account: str | None


def provider(db: pool.Database, settings: Settings) -> "Provider":
    """The provider that the settings name; its host may be a private one, since the operator chose it."""
    assert settings.oidc_issuer is not None
    if not settings.oidc_client_id:
        raise errors.Misconfigured("RETINUE_OIDC_ISSUER needs RETINUE_OIDC_CLIENT_ID beside it.")
    host = urlsplit(settings.oidc_issuer)
    allow = ",".join(filter(None, [settings.egress_allow, host.netloc.rpartition("@")[2]]))
    client = Client(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret)
    return Provider(db, client, egress.Client(allow))


class Provider:
    """One identity provider: its endpoints, its keys, what its tokens say."""

    def __init__(self, db: pool.Database, client: Client, http: egress.Client, *, pause: float = 5.0) -> None:
        """``pause``: the least seconds between two fetches of the keys, whatever unknown keys tokens name."""
        self._db = db
        self._client = client
        self._http = http
        self._pause = pause
        self._endpoints: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._endpoints_at = self._keys_at = float("-inf")

    # ── what it publishes ──

    async def endpoints(self) -> dict[str, Any]:
        """The discovery document. Raises ``Unavailable``."""
        if clock.monotonic() - self._endpoints_at > FRESH:
            url = self._client.issuer.rstrip("/") + "/.well-known/openid-configuration"
            found = await self._fetch(egress.Request("GET", url, {"accept": "application/json"}, timeout=10))
            if found.get("issuer") != self._client.issuer:
                raise errors.Unavailable("The identity provider's discovery document names another issuer.")
            self._endpoints, self._endpoints_at = found, clock.monotonic()
        return self._endpoints

    async def keys(self, *, again: bool = False) -> KeySet:
        """The provider's signing keys; with ``again`` fetched anew unless that was done a moment ago."""
        age = clock.monotonic() - self._keys_at
        if self._keys is None or age > FRESH or (again and age > self._pause):
            url = str((await self.endpoints()).get("jwks_uri"))
            found = await self._fetch(egress.Request("GET", url, {"accept": "application/json"}, timeout=10))
            try:
                self._keys = KeySet.import_key_set(cast("Any", found))
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise errors.Unavailable("The identity provider's keys cannot be read.") from error
            self._keys_at = clock.monotonic()
        return self._keys

    async def _fetch(self, request: egress.Request) -> dict[str, Any]:
        try:
            answer = await self._http.send(request)
            body: object = json.loads(answer.content)
        except (errors.ToolError, ValueError) as error:
            raise errors.Unavailable(f"The identity provider did not answer at {request.url}.") from error
        if answer.status != 200 or not isinstance(body, dict):
            raise errors.Unavailable(f"The identity provider answered {answer.status} at {request.url}.")
        return cast("dict[str, Any]", body)

    # ── its tokens ──

    async def claims(self, token: str, *, nonce: str | None = None) -> dict[str, Any]:
        """The claims of a valid token for us. Raises ``NotSignedIn`` for any other, ``Unavailable``."""
        try:
            try:
                found = jwt.decode(token, await self.keys(), algorithms=ALGORITHMS).claims
            except InvalidKeyIdError:
                found = jwt.decode(token, await self.keys(again=True), algorithms=ALGORITHMS).claims
            self._check(found, nonce)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            log.info("token refused", reason=type(error).__name__)
            raise errors.NotSignedIn("This token is not valid here: sign in again.") from error
        return found

    def _check(self, claims: dict[str, Any], nonce: str | None) -> None:
        jwt.JWTClaimsRegistry(
            now=int(clock.now().timestamp()), leeway=LEEWAY,
            iss={"essential": True, "value": self._client.issuer}, sub={"essential": True},
            aud={"essential": True, "value": self._client.id}, exp={"essential": True}, iat={"essential": True},
        ).validate(claims)  # fmt: skip
        audience = claims["aud"]
        several = isinstance(audience, list) and len(cast("list[Any]", audience)) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._client.id:
            raise ValueError("issued to another party")
        if nonce is not None and not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise ValueError("nonce")

    async def principal(self, token: str, account: str | None) -> tuple[Principal, datetime | None]:
        """Who sends this JWT as a bearer token, and until when it counts. Raises ``NotSignedIn``."""
        claims = await self.claims(token)
        account_id, user_id = await self.recognise(claims, account)
        async with self._db.tenant_tx(account_id) as tx:
            role = await members.role_of(tx, account_id, user_id)
        if role is None:
            raise errors.NotSignedIn("You are no longer a member here.")
        ends = min(int(claims["exp"]), int(clock.now().timestamp()) + 86_400)
        return (
            Principal(account_id=account_id, user_id=user_id, role=role, scopes=JWT_SCOPES),
            datetime.fromtimestamp(ends, UTC),
        )

    async def recognise(self, claims: dict[str, Any], account: str | None) -> tuple[UUID, UUID]:
        """The (account, user) these claims speak of; links them the first time. Raises ``SignInRefused``."""
        identity = _identity(self._client.issuer, claims)
        async with self._db.system_tx() as tx:
            account_id = await accounts.find(tx, account) if account else None
            if account and account_id is None:
                raise errors.SignInRefused("There is no such account for you.")
            known = await users.find_by_subject(tx, identity, account_id)
            if not known and identity.email and identity.email_verified:
                known = [each for each in await users.find_by_email(tx, identity.email, account_id) if not each.linked]
        if not known:
            raise errors.SignInRefused("Nobody here has this identity. Ask an admin to add your e-mail address.")
        if len(known) > 1:
            raise errors.SignInRefused("You are in several accounts: say which (?account= or Retinue-Account: slug).")
        if not known[0].linked:
            await self._link(known[0], identity)
        return known[0].account_id, known[0].user_id

    async def _link(self, person: users.Candidate, identity: Identity) -> None:
        async with self._db.tenant_tx(person.account_id) as tx:
            if not await users.link(tx, person.account_id, person.user_id, identity):
                raise errors.SignInRefused("This user belongs to another identity.")
            actor = lines.Actor(type="user", id=person.user_id)
            detail = {"user_id": person.user_id, "issuer": identity.issuer}
            await audit.append(tx, account_id=person.account_id, event="user.link", actor=actor, detail=detail)

    # ── the code flow ──

    async def authorize_url(self, attempt: Attempt, redirect_uri: str) -> str:
        """Where to send the browser."""
        query = {
            "response_type": "code", "client_id": self._client.id, "redirect_uri": redirect_uri,
            "scope": "openid email profile", "state": attempt.state, "nonce": attempt.nonce,
            "code_challenge": cast("str", create_s256_code_challenge(attempt.verifier)),
            "code_challenge_method": "S256",
        }  # fmt: skip
        endpoint = str((await self.endpoints()).get("authorization_endpoint"))
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def redeem(self, code: str, attempt: Attempt, redirect_uri: str) -> dict[str, Any]:
        """The ID token's claims for an authorization code. Raises ``SignInRefused``, ``NotSignedIn``."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
            "client_id": self._client.id, "code_verifier": attempt.verifier,
        }  # fmt: skip
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        endpoints = await self.endpoints()
        if self._client.secret is not None:
            methods = endpoints.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
            if "client_secret_basic" in methods:
                pair = f"{quote(self._client.id, safe='')}:{quote(self._client.secret, safe='')}"
                headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            else:
                form["client_secret"] = self._client.secret
        url = str(endpoints.get("token_endpoint"))
        try:
            found = await self._fetch(egress.Request("POST", url, headers, urlencode(form).encode(), timeout=10))
        except errors.Unavailable as error:
            raise errors.SignInRefused("The identity provider did not accept this sign-in. Start again.") from error
        return await self.claims(str(found.get("id_token", "")), nonce=attempt.nonce)


def _identity(issuer: str, claims: dict[str, Any]) -> Identity:
    subject, email = claims["sub"], claims.get("email")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or "\x00" in subject:
        raise errors.NotSignedIn("This token names nobody.")
    usable = isinstance(email, str) and 3 <= len(email) <= 320 and "\x00" not in email
    return Identity(
        issuer=issuer, subject=subject, email=email if usable else None,
        email_verified=claims.get("email_verified") is True,
    )  # fmt: skip


# ── routes ───────────────────────────────────────────────────────────────────────────────────────────────────────


@router.get("/start", status_code=303, response_class=RedirectResponse)
async def start_oidc(
    request: Request,
    app: deps.App,
    account: Annotated[str | None, Query(max_length=100, description="Slug or id, for people in several.")] = None,
    return_to: Annotated[str, Query(max_length=1000, description="A path of ours to come back to.")] = "/",
) -> RedirectResponse:
    """Send the browser to the identity provider."""
    attempt = Attempt(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48),
                      _local(return_to), account)  # fmt: skip
    answer = RedirectResponse(await _provider(app).authorize_url(attempt, _redirect_uri(request, app)), 303)
    secure = auth.is_https(request.scope, app.settings)
    answer.set_cookie(COOKIE, _pack(attempt), max_age=COOKIE_SECONDS, path="/v1/oidc", httponly=True, samesite="lax",
                      secure=secure)  # fmt: skip
    return answer


@router.get("/callback", status_code=303, response_class=RedirectResponse)
async def finish_oidc(
    request: Request,
    app: deps.App,
    code: Annotated[str, Query(max_length=4000)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> RedirectResponse:
    """Where the identity provider sends the browser back to: signs in and goes on to ``return_to``."""
    attempt = _unpack(request.cookies.get(COOKIE, ""))
    if attempt is None or not hmac.compare_digest(attempt.state.encode(), state.encode()):
        raise errors.SignInRefused("This sign-in was not started in this browser, or too long ago. Start again.")
    if error or not code:
        raise errors.SignInRefused("The identity provider did not sign you in. Start again.")
    found = _provider(app)
    claims = await found.redeem(code, attempt, _redirect_uri(request, app))
    account_id, user_id = await found.recognise(claims, attempt.account)
    answer = RedirectResponse(attempt.return_to, 303)
    await sessions.open_session(app, request, answer, (account_id, user_id, "oidc"))
    answer.delete_cookie(COOKIE, path="/v1/oidc")
    return answer


def _provider(app: deps.AppState) -> Provider:
    if app.oidc is None:
        raise errors.NotFound("No identity provider is configured here (RETINUE_OIDC_ISSUER).")
    return app.oidc


def _redirect_uri(request: Request, app: deps.AppState) -> str:
    return f"{auth.base_url(request, app.settings)}/v1/oidc/callback"


def _local(path: str) -> str:
    """The path if it stays on this host, else the start page: browsers take ``//`` and ``/\\`` for another host."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def _pack(attempt: Attempt) -> str:
    values = [attempt.state, attempt.nonce, attempt.verifier, attempt.return_to, attempt.account]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _unpack(text: str) -> Attempt | None:
    try:
        values: Any = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        state, nonce, verifier, return_to, account = values
        if not all(isinstance(value, str) for value in (state, nonce, verifier, return_to)):
            return None
    except (binascii.Error, ValueError, TypeError):
        return None
    return Attempt(state, nonce, verifier, _local(return_to), account if isinstance(account, str) else None)

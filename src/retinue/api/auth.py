"""Who is calling: from ``Authorization: Bearer`` (API key, session token or the identity provider's JWT) or the session
cookie to a Principal. What that principal may do is decided elsewhere (``deps.require``, ``store.access_*``).

A verified credential is remembered for two seconds under its hash, so that a busy key costs no query; ``forget`` makes
a revocation count at once on this node.
"""

import hmac
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from retinue import errors
from retinue.api.deps import AppState
from retinue.db import pool
from retinue.domain import accounts
from retinue.domain.accounts import Principal, Token
from retinue.settings import Settings
from retinue.store import sessions
from retinue.telemetry import clock

COOKIE = "retinue_session"
TTL = 2.0
CACHED = 20_000
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
KINDS = (accounts.KEY_PREFIX, accounts.SESSION_PREFIX)
Jwt = Callable[[str, str | None], Awaitable[tuple[Principal, datetime | None]]]
"""Verifies a JWT for the account it names (slug, id or None)."""


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    expires_at: datetime | None
    until: float


class Verifier:
    """Turns credentials into principals. One per process."""

    def __init__(self, db: pool.Database, jwt: Jwt | None = None) -> None:
        self._db = db
        self._jwt = jwt
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._generation = 0

    async def verify(self, text: str, account: str | None = None) -> Principal:
        """The principal of this credential. Raises ``NotSignedIn``, ``DatabaseDown``."""
        digest = accounts.hash_token(text if account is None else f"{text} {account}")
        known = self._recall(digest)
        if known is not None:
            return known
        generation = self._generation
        principal, expires_at = await self._look_up(text, account)
        if generation == self._generation:  # else something was revoked while we looked
            self._known[digest] = _Known(principal, expires_at, time.monotonic() + TTL)
            while len(self._known) > CACHED:
                self._known.popitem(last=False)
        return principal

    def forget(self, account_id: UUID) -> None:
        """Ask the database again for everyone of this account: a key, session, role or user has changed."""
        self._generation += 1
        stale = [digest for digest, known in self._known.items() if known.principal.account_id == account_id]
        for digest in stale:
            del self._known[digest]

    def _recall(self, digest: bytes) -> Principal | None:
        known = self._known.get(digest)
        if known is None:
            return None
        if known.until < time.monotonic() or (known.expires_at is not None and known.expires_at <= clock.now()):
            del self._known[digest]
            return None
        return known.principal

    async def _look_up(self, text: str, account: str | None) -> tuple[Principal, datetime | None]:
        for kind in KINDS:
            token = accounts.parse_token(text, kind)
            if token is not None:
                return await self._of_token(token)
        if self._jwt is not None and text.count(".") == 2:
            return await self._jwt(text, account)
        raise errors.NotSignedIn("This is not an API key (rtn_...) or session of this installation.")

    async def _of_token(self, token: Token) -> tuple[Principal, datetime | None]:
        found = await sessions.find_caller(self._db, token)
        if found is None or not hmac.compare_digest(found.hash, token.hash):
            raise errors.NotSignedIn("This key or session is unknown, revoked or expired. Sign in or make a new key.")
        return found.principal, found.expires_at


class Identify:
    """ASGI: puts ``retinue.principal`` or, when the credential is no good, ``retinue.refused`` into the scope.

    It never answers by itself: a public route serves anybody, a private one asks ``deps.Caller``.
    """

    def __init__(self, app: Any, verifier: Verifier, settings: Settings) -> None:
        self.app = app
        self._verifier = verifier
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            text, by_cookie = credential(headers)
            if text is not None:
                try:
                    await self._identify(scope, headers, text, by_cookie)
                except (errors.NotSignedIn, errors.BadOrigin, errors.DatabaseDown) as refused:
                    scope["retinue.refused"] = refused
        await self.app(scope, receive, send)

    async def _identify(self, scope: Scope, headers: Headers, text: str, by_cookie: bool) -> None:
        if by_cookie and scope["method"] not in SAFE:
            check_origin(scope, headers, self._settings)
        principal = await self._verifier.verify(text, None if by_cookie else headers.get("retinue-account"))
        scope["retinue.principal"] = principal
        scope["retinue.credential"] = text


def credential(headers: Headers) -> tuple[str | None, bool]:
    """The credential that came with the request and whether a browser sent it by itself (the cookie)."""
    sent = headers.get("authorization")
    if sent is not None:
        kind, _, text = sent.partition(" ")
        return (text.strip() if kind.lower() == "bearer" else ""), False
    cookies = headers.get("cookie")
    found = cookie_parser(cookies).get(COOKIE) if cookies else None
    return found, found is not None


def check_origin(scope: Scope, headers: Headers, settings: Settings) -> None:
    """Raises ``BadOrigin`` unless a page of this installation sent the request (browsers say so on every write)."""
    origin = headers.get("origin")
    if origin is None:
        if headers.get("sec-fetch-site") == "same-origin":
            return
        raise errors.BadOrigin("A write with the session cookie needs an Origin header. Programs use an API key.")
    host = headers.get("host", "")
    allowed = {f"{scope['scheme']}://{host}", f"https://{host}"}
    if settings.public_url:
        allowed.add(origin_of(settings.public_url))
    if origin not in allowed:
        raise errors.BadOrigin("Send writes from this installation's own pages, or use an API key.")


def origin_of(url: str) -> str:
    """``https://host:port`` of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_https(scope: Scope, settings: Settings) -> bool:
    """Whether people reach us over TLS, so that the cookie may be marked Secure."""
    return scope["scheme"] == "https" or (settings.public_url or "").startswith("https://")


def base_url(request: Request, settings: Settings) -> str:
    """Where people reach this installation: ``https://host``, without a slash at the end."""
    return (settings.public_url or str(request.base_url)).rstrip("/")


def forget(app: AppState, account_id: UUID) -> None:
    """Call after the commit of anything that changes who may do what: it counts at once on this node."""
    if app.verifier is not None:
        app.verifier.forget(account_id)


def set_cookie(answer: Response, token: str, *, days: int, secure: bool) -> None:
    """Sign the browser in."""
    answer.set_cookie(COOKIE, token, max_age=days * 86_400, path="/", httponly=True, samesite="lax", secure=secure)


def clear_cookie(answer: Response, *, secure: bool) -> None:
    """Sign the browser out."""
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=secure)

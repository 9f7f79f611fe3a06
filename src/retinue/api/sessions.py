"""Signing in and out: by password, by one-time link (also as a page, safe against link previews)."""

from html import escape
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from retinue import errors
from retinue.api import auth, deps, limits, pages, passwords
from retinue.domain import accounts as words
from retinue.domain import audit as lines
from retinue.domain.accounts import (
    LinkSignIn,
    NewPassword,
    NewSignInLink,
    OpenSession,
    PasswordSignIn,
    Principal,
    Scope,
    Session,
    SignInLink,
    SignInMethods,
    Token,
)
from retinue.domain.ids import AccountId, SessionId, UserId
from retinue.store import accounts, audit, sessions, users

router = APIRouter(prefix="/v1", tags=["sessions"])
pages_router = APIRouter(include_in_schema=False)
USER_AGENT = 300
"""How much is kept of what a browser calls itself."""


@router.get("/sign-in-methods")
async def get_sign_in_methods(app: deps.App) -> SignInMethods:
    """How one can sign in here; anybody may ask."""
    issuer = app.settings.oidc_issuer if app.oidc is not None else None
    return SignInMethods(provider=urlsplit(issuer).hostname if issuer else None)


@router.post("/sessions", status_code=201)
async def create_session(body: PasswordSignIn, request: Request, response: Response, app: deps.App) -> Session:
    """Sign in with e-mail and password; sets the session cookie. Refusals take as long as a wrong password."""
    _check_attempt(app, request, f"email:{body.email.lower()}")
    async with app.db.system_tx() as tx:
        account_id = await accounts.find(tx, body.account) if body.account else None
        unknown = body.account is not None and account_id is None
        candidates = [] if unknown else await users.find_by_email(tx, body.email, account_id)
    for candidate in candidates or [None]:
        if await passwords.verify_password(body.password, candidate.password_hash if candidate else None):
            assert candidate is not None
            return await open_session(app, request, response, (candidate.account_id, candidate.user_id, "password"))
    raise errors.SignInRefused("Check e-mail and password, or ask an admin for a sign-in link.")


@router.post("/sessions/link", status_code=201)
async def create_session_by_link(body: LinkSignIn, request: Request, response: Response, app: deps.App) -> Session:
    """Sign in with a one-time token; sets the session cookie."""
    _check_attempt(app, request)
    return await _by_link(app, request, response, body.token)


@router.delete("/sessions/current", status_code=204)
async def delete_session(request: Request, response: Response, caller: deps.Caller, app: deps.App) -> None:
    """Sign out."""
    if caller.session_id is None:
        raise errors.WrongState("This request came with an API key; revoke it by DELETE /v1/keys/{key_id}.")
    async with app.db.tenant_tx(caller.account_id) as tx:
        await sessions.revoke(tx, caller.account_id, caller.session_id)
        await audit.append(tx, account_id=caller.account_id, event="session.end", actor=lines.actor(caller))
    auth.forget(app, caller.account_id)
    auth.clear_cookie(response, secure=auth.is_https(request.scope, app.settings))


@router.get("/me/sessions")
async def list_sessions(caller: deps.Caller, db: deps.Db, page: pages.Paging) -> pages.Page[OpenSession]:
    """Where one is signed in, newest first."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await sessions.list_open(tx, caller, before=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda session: [session.id])


@router.delete("/me/sessions", status_code=204)
async def end_other_sessions(caller: deps.Caller, app: deps.App) -> None:
    """Sign out everywhere else; with an API key, everywhere."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        await sessions.revoke_of_user(tx, caller.account_id, caller.user_id, but=caller.session_id)
        await audit.append(
            tx, account_id=caller.account_id, event="session.end", actor=lines.actor(caller),
            detail={"which": "others"},
        )  # fmt: skip
    auth.forget(app, caller.account_id)


@router.delete("/me/sessions/{session_id}", status_code=204)
async def end_session(session_id: SessionId, caller: deps.Caller, app: deps.App) -> None:
    """Sign out of one session of one's own."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        await sessions.revoke_own(tx, caller, session_id)
        await audit.append(
            tx, account_id=caller.account_id, event="session.end", actor=lines.actor(caller),
            detail={"session_id": session_id},
        )  # fmt: skip
    auth.forget(app, caller.account_id)


@router.put("/me/password", status_code=204)
async def set_password(body: NewPassword, request: Request, caller: deps.Caller, app: deps.App) -> None:
    """Set one's own password; ends one's other sessions. A key needs the scopes admin and approve for it."""
    _check_all_scopes(caller, "A password")
    _check_attempt(app, request, f"user:{caller.user_id}")
    async with app.db.tenant_tx(caller.account_id) as tx:
        before = await users.password_hash(tx, caller.account_id, caller.user_id)
    if before is not None and not await passwords.verify_password(body.current or "", before):
        raise errors.BadInput(errors=[{"path": "body.current", "reason": "is not your present password"}])
    hashed = await passwords.hash_password(body.password)
    async with app.db.tenant_tx(caller.account_id) as tx:
        await users.set_password_hash(tx, caller.account_id, caller.user_id, hashed)
        await sessions.revoke_of_user(tx, caller.account_id, caller.user_id, but=caller.session_id)
        await audit.append(tx, account_id=caller.account_id, event="user.password", actor=lines.actor(caller))
    auth.forget(app, caller.account_id)


@router.post("/sign-in-links", status_code=201)
async def create_sign_in_link(body: NewSignInLink, request: Request, caller: deps.Admin, app: deps.App) -> SignInLink:
    """A link that signs a user in once, within 15 minutes. Shown this once; give it to that person alone. A key needs
    the scopes admin and approve for it."""
    _check_all_scopes(caller, "A link")
    async with app.db.tenant_tx(caller.account_id) as tx:
        await users.access_managed(tx, caller, body.user_id)
        link = await sessions.create_link(tx, caller.account_id, body.user_id)
        await audit.append(
            tx, account_id=caller.account_id, event="sign_in_link.create", actor=lines.actor(caller),
            detail={"user_id": body.user_id},
        )  # fmt: skip
    return link.model_copy(update={"url": link_url(auth.base_url(request, app.settings), link.token)})


def _check_all_scopes(caller: Principal, what: str) -> None:
    """Whoever signs in may approve: a key without that right must not get around it by a session. Raises Forbidden."""
    if not {Scope.ADMIN, Scope.APPROVE} <= set(caller.scopes):
        raise errors.Forbidden(
            f"{what} opens everything: this takes a session or a key with the scopes admin and approve."
        )


def link_url(base: str, token: str) -> str:
    """The address that the person opens."""
    return f"{base.rstrip('/')}/sign-in?token={token}"


# ── pages: mail programs and chat previews open links by GET, so only the button's POST uses the token up ────────

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in to Retinue</title></head>
<body><main><h1>Sign in to Retinue</h1>
<form method="post" action="/sign-in"><input type="hidden" name="token" value="{token}">
<p>This link works once.</p><button type="submit" autofocus>Sign in</button></form></main></body></html>
"""


@pages_router.get("/sign-in")
async def sign_in_page(token: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """A page with one button. Opening it changes nothing."""
    return HTMLResponse(PAGE.format(token=escape(token, quote=True)), headers={"cache-control": "no-store"})


@pages_router.post("/sign-in")
async def sign_in(request: Request, app: deps.App) -> RedirectResponse:
    """The button: use the link, set the cookie, go to the start page."""
    _check_attempt(app, request)
    try:
        form = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
    except ValueError as error:
        raise errors.BadRequest("Send the form of the sign-in page.") from error
    answer = RedirectResponse("/", 303)
    await _by_link(app, request, answer, form.get("token", [""])[0])
    return answer


# ── what all ways of signing in share ────────────────────────────────────────────────────────────────────────────


async def _by_link(app: deps.AppState, request: Request, response: Response, text: str) -> Session:
    token: Token | None = words.parse_token(text, words.LINK_PREFIX)
    if token is None:
        raise errors.SignInRefused("This is not a sign-in link of ours. Ask for a new one.")
    async with app.db.tenant_tx(token.account_id) as tx:
        user_id = await sessions.use_link(tx, token)
    return await open_session(app, request, response, (token.account_id, user_id, "link"))


async def open_session(
    app: deps.AppState, request: Request, response: Response, who: tuple[AccountId, UserId, str]
) -> Session:
    """Start a session of ``who`` (account, user, way of signing in) and put its cookie on the answer."""
    account_id, user_id, method = who
    program = request.headers.get("user-agent", "").replace("\x00", "")[:USER_AGENT] or None
    async with app.db.tenant_tx(account_id) as tx:
        session, token = await sessions.create(tx, account_id, user_id, app.settings.session_days, program)
        actor = lines.Actor(type="user", id=user_id)
        await audit.append(tx, account_id=account_id, event="session.start", actor=actor, detail={"method": method})
    secure = auth.is_https(request.scope, app.settings)
    auth.set_cookie(response, token, days=app.settings.session_days, secure=secure)
    return session


def _check_attempt(app: deps.AppState, request: Request, *callers: str) -> None:
    """Slow guessing down, and refuse forms of other sites. Raises ``TooMany``, ``BadOrigin``."""
    if "origin" in request.headers:
        auth.check_origin(request.scope, request.headers, app.settings)
    assert app.attempts is not None and app.addresses is not None
    app.addresses.check(limits.address_of(request.scope))
    app.attempts.check(*callers)

"""What a route may ask for: the parts of this process, and who is calling with which right. Decides no domain question.

    @router.get("/things")
    async def list_things(caller: deps.Caller, app: deps.App) -> pages.Page[Thing]: ...

``Caller`` is anyone signed in whose key has the scope of the method (``read`` for GET, else ``write``); ``Admin`` has
role admin or owner and, with a key, scope ``admin``. ``require(role, scope)`` makes others.

Every dependency is ``async``: a plain function would be run in a thread, and each hop there and back costs more than
all of them do together (a contract test says so).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request

from retinue import errors
from retinue.db import pool
from retinue.domain import accounts
from retinue.domain.accounts import Principal, Role, Scope
from retinue.settings import Settings

if TYPE_CHECKING:  # the state only carries these; FastAPI never looks at its type
    from retinue.api.auth import Verifier
    from retinue.api.limits import Buckets
    from retinue.api.oidc import Provider
    from retinue.files.shelf import Shelf
    from retinue.llm.models import Models
    from retinue.store.wrapping import Keyring
    from retinue.tools.registry import Registry
    from retinue.turn.live import Hub

READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class AppState:
    """The parts of one process that routes use. What a test does not need may stay None."""

    db: pool.Database
    settings: Settings
    models: "Models | None" = None
    registry: "Registry | None" = None
    hub: "Hub | None" = None
    engine: Any = None
    files: "Shelf | None" = None
    """Where files are kept; ``routes.create`` opens it by the settings."""
    keyring: "Keyring | None" = None
    """What wraps the keys of secrets; ``secrets.sealer`` makes it by the settings."""
    verifier: "Verifier | None" = None
    """Who is calling; ``routes.create`` makes it."""
    oidc: "Provider | None" = None
    """The identity provider; ``routes.create`` makes it when the settings name an issuer."""
    attempts: "Buckets | None" = None
    """Sign-in attempts by e-mail; ``routes.create`` makes it."""
    addresses: "Buckets | None" = None
    """Sign-in attempts by network address; ``routes.create`` makes it."""
    extras: dict[str, Any] = field(default_factory=dict[str, Any])


async def app_state(request: Request) -> AppState:
    """The state of the application that serves this request."""
    state: AppState = request.app.state.retinue
    return state


async def database(request: Request) -> pool.Database:
    return (await app_state(request)).db


async def principal(request: Request) -> Principal:
    """Who is calling, whatever the scope. Raises ``NotSignedIn`` (what the credential lacked) or ``BadOrigin``."""
    found: Principal | None = request.scope.get("retinue.principal")
    if found is not None:
        return found
    refused: errors.RetinueError | None = request.scope.get("retinue.refused")
    raise refused or errors.NotSignedIn("Send Authorization: Bearer rtn_... or sign in.")


def require(role: Role = Role.MEMBER, scope: Scope | None = None) -> Callable[..., Awaitable[Principal]]:
    """A dependency: the caller, who has at least ``role`` in the account and ``scope`` (None: by the method)."""

    async def check(request: Request, caller: Annotated[Principal, Depends(principal)]) -> Principal:
        needed = scope or (Scope.READ if request.method in READING else Scope.WRITE)
        if needed not in caller.scopes:
            raise errors.Forbidden(f"This API key lacks the scope {needed.value}. Make one that has it.")
        if not accounts.at_least(caller.role, role):
            raise errors.Forbidden(f"This needs the role {role.value}; yours is {caller.role.value}.")
        return caller

    return check


caller = require()
admin = require(Role.ADMIN, Scope.ADMIN)

App = Annotated[AppState, Depends(app_state)]
Db = Annotated[pool.Database, Depends(database)]
Caller = Annotated[Principal, Depends(caller)]
Admin = Annotated[Principal, Depends(admin)]

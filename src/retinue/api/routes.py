"""The whole HTTP application: its layers and its routers. Every part adds its router to ``ROUTERS`` with one line."""

from collections.abc import Callable, MutableMapping
from contextlib import AbstractAsyncContextManager
from importlib import metadata
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from retinue.api import (
    accounts,
    agents,
    approvals,
    assignments,
    audit,
    budgets,
    catalogue,
    channels,
    corrections,
    document,
    export,
    files,
    generate,
    governance,
    health,
    history,
    idempotency,
    interactions,
    keys,
    limits,
    live,
    looking,
    members,
    messages,
    models,
    oidc,
    policies,
    policy_sets,
    problems,
    reads,
    roles,
    seals,
    search,
    secrets,
    security,
    sessions,
    teams,
    threads,
    tools,
    trials,
    usage,
    user_agent_config,
    users,
    web,
    welcome,
)  # fmt: skip
from retinue.api.auth import Identify, Verifier
from retinue.api.deps import AppState
from retinue.files import places
from retinue.turn.precedence import Precedence

ROUTERS: list[APIRouter] = [
    messages.router,  # the busiest first: a request is matched against one after the other
    live.router,
    interactions.router,
    accounts.router,
    users.router,
    teams.router,
    members.router,
    keys.router,
    sessions.router,
    sessions.pages_router,
    oidc.router,
    agents.router,
    trials.router,
    roles.router,
    assignments.router,
    user_agent_config.router,
    catalogue.router,
    tools.router,
    secrets.router,
    policy_sets.router,
    policies.router,
    governance.router,
    channels.router,
    history.router,
    corrections.router,
    reads.router,
    export.router,
    files.router,
    threads.router,
    generate.router,
    looking.router,
    approvals.router,
    audit.router,
    seals.router,
    search.router,
    usage.router,
    budgets.router,
    models.router,
    health.router,
    welcome.router,
]
ERRORS: dict[int | str, dict[str, Any]] = {
    "default": {
        "model": problems.Problem,
        "description": "What went wrong, and what to do.",
        "content": {problems.MEDIA_TYPE: {}},
    },
}
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create(state: AppState, lifespan: Lifespan | None = None) -> FastAPI:
    """The application over these parts. Fills in ``state``'s verifier, provider and attempts where they are None."""
    if state.oidc is None and state.settings.oidc_issuer:
        state.oidc = oidc.provider(state.db, state.settings)
    if state.verifier is None:
        state.verifier = Verifier(state.db, state.oidc.principal if state.oidc else None)
    if state.attempts is None:
        state.attempts = limits.Buckets(per_second=0.2, burst=10)
    if state.addresses is None:
        state.addresses = limits.Buckets(per_second=1.0, burst=30)
    if state.files is None:
        state.files = places.shelf(state.db, state.settings)
    app = FastAPI(
        title="Retinue",
        version=metadata.version("retinue"),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        generate_unique_id_function=_operation,
        lifespan=lifespan,
        telemetry={"logs": False, "exclude": carries_secret},  # its logs would quote what people sent
        redirect_slashes=False,
        description="People and AI agents, side by side. Errors: docs/errors.md.",
    )
    app.state.retinue = state
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router, responses=ERRORS)
    app.openapi = document.exact(app)
    _add_layers(app, state, state.verifier)
    return app


def _add_layers(app: FastAPI, state: AppState, verifier: Verifier) -> None:
    """From the inside out: each of these is around all before it."""
    settings = state.settings
    app.add_middleware(idempotency.Idempotency, db=state.db)
    app.add_middleware(limits.RateLimit, buckets=limits.Buckets(settings.rate_per_second, settings.rate_burst))
    app.add_middleware(Identify, verifier=verifier, settings=settings)
    app.add_middleware(limits.BodyLimit, max_bytes=settings.max_body_bytes, max_file_bytes=settings.max_file_bytes)
    app.add_middleware(web.Web, folder=web.FOLDER)
    app.add_middleware(problems.Guard)
    precedence = state.engine.precedence if state.engine is not None else Precedence()
    app.add_middleware(security.Security, settings=settings, precedence=precedence)


def carries_secret(scope: MutableMapping[str, Any]) -> bool:
    """Whether a request's query holds a token or code, which no span may record."""
    return scope.get("path", "").startswith(("/sign-in", "/v1/oidc/"))


def _operation(route: APIRoute) -> str:
    """Operation ids are the functions' names: what generated clients call them."""
    return route.name

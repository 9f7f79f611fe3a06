"""Fixtures of the HTTP tests: two accounts on one application, and clients that speak to it as ASGI.

``client`` is the owner of ``world`` with an API key of all scopes; ``stranger`` the owner of another account.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from retinue.api import routes
from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.domain.accounts import Bootstrapped, MadeKey, NewKey, NewUser, Principal, Role, Scope, UserDetail
from retinue.llm.models import Models
from retinue.settings import Settings
from retinue.store import accounts, keys, users
from retinue.tools.registry import Registry
from retinue.turn.live import Hub

BASE = "http://retinue.test"
ALL = tuple(Scope)


@dataclass(frozen=True)
class World:
    """One account as ``bootstrap`` makes it, and a key of its owner."""

    made: Bootstrapped
    owner: Principal
    key: str


@dataclass(frozen=True)
class Stranger:
    """Another account, and a client signed in there."""

    world: World
    client: httpx.AsyncClient


@pytest.fixture
def settings(home: Path) -> Settings:
    """Settings of this test's process; limits so high that only their own tests meet them."""
    return Settings(home=home, rate_per_second=100_000, rate_burst=1_000_000, secret_key="test-secret-key")


@pytest.fixture
def state(db: Database, settings: Settings) -> AppState:
    """The parts the application is made of, without a worker: turns are queued and stay so."""
    return AppState(db=db, settings=settings, models=Models(settings, env={}), registry=Registry.load(), hub=Hub(db))


@pytest.fixture
def app(state: AppState) -> FastAPI:
    return routes.create(state)


@pytest.fixture
async def world(db: Database) -> World:
    return await make_world(db, "home")


@pytest.fixture
async def client(app: FastAPI, world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with as_client(app, world.key) as opened:
        yield opened


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends no credential of its own."""
    async with as_client(app, None) as opened:
        yield opened


@pytest.fixture
async def stranger(app: FastAPI, db: Database) -> AsyncIterator[Stranger]:
    other = await make_world(db, "elsewhere")
    async with as_client(app, other.key) as opened:
        yield Stranger(other, opened)


@asynccontextmanager
async def as_client(app: FastAPI, key: str | None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, with this API key or session token."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as opened:
        yield opened


async def make_world(db: Database, slug: str) -> World:
    """An account with everything a first run makes, and a key of its owner."""
    made = await accounts.bootstrap(db, name=slug.title(), slug=slug, email=f"owner@{slug}.test")
    owner = Principal(account_id=made.account.id, user_id=made.owner.id, role=Role.OWNER)
    key = await make_key(db, owner)
    return World(made, owner.model_copy(update={"key_id": key.id}), key.secret)


async def make_key(db: Database, of: Principal, *scopes: Scope) -> MadeKey:
    """A key of this user; without ``scopes`` one of all."""
    async with db.tenant_tx(of.account_id) as tx:
        return await keys.create(tx, of.account_id, of.user_id, NewKey(name="test", scopes=scopes or ALL))


async def make_user(db: Database, world: World, role: Role, email: str | None = None) -> tuple[UserDetail, Principal]:
    """Someone more in the account."""
    account_id = world.owner.account_id
    async with db.tenant_tx(account_id) as tx:
        new = NewUser(email=email or f"{role.value}@home.test", name=role.value.title(), role=role)
        user = await users.create(tx, account_id, new)
    return user, Principal(account_id=account_id, user_id=user.id, role=role)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """Asserts that the answer is this problem document; returns it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert (body["status"], body["code"]) == (status, code), body
    assert {"type", "title", "status", "detail", "code"} <= body.keys()
    return body

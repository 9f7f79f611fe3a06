"""Whoever may decide about a call, and whoever asked for it, hears of it at once; nobody else does."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from datetime import datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Principal, Role
from retinue.domain.tools import arguments_hash
from retinue.domain.verdicts import Panel
from retinue.store import approvals
from retinue.telemetry import clock
from retinue.turn import live
from retinue.turn.live import Told
from tests.api import asking
from tests.api.asking import ARGUMENTS, House, People
from tests.api.conftest import World
from tests.api.test_live import feed, listening, until


@pytest.fixture
async def house(state: AppState, world: World, database_url: str) -> House:
    return await asking.house(state, world, database_url)


@pytest.fixture
async def people(app: FastAPI, db: Database, world: World) -> AsyncIterator[People]:
    async with AsyncExitStack() as stack:
        yield People(app, db, world, stack)


def as_member(house: House, people: People, name: str) -> Principal:
    return Principal(account_id=house.account, user_id=people.ids[name], role=Role.MEMBER)


@pytest.mark.requirement("GOV-17")
async def test_deciders_and_whoever_asked_hear_that_it_opens_goes_on_and_ends_and_others_do_not(
    state: AppState, house: House, client: httpx.AsyncClient, people: People
) -> None:
    boss = await people.join("boss", Role.ADMIN)
    for name in ("mine", "other"):
        await people.join(name, Role.MEMBER)
    decider = Principal(account_id=house.account, user_id=people.ids["boss"], role=Role.ADMIN)
    async with (
        listening(state),
        feed(state, decider) as told,
        feed(state, as_member(house, people, "mine")) as mine,
        feed(state, as_member(house, people, "other")) as other,
    ):
        request = await house.asks(Panel(quorum=2), requester=people.ids["mine"])
        for expected, who in ((told, "boss"), (mine, "mine")):
            news = await until(expected, "approval")
            assert news[-1] == ("approval", request.id, ids.encode("usr", people.ids[who]))
        await request.decide(boss)
        await until(told, "approval", request.id)
        await until(mine, "approval", request.id)
        await request.decide(client)
        await until(told, "approval", request.id)
        await until(mine, "approval", request.id)
        own = await house.asks(Panel(role=None, users=(people.ids["other"],)))
        assert await until(other, "approval") == [("approval", own.id, ids.encode("usr", people.ids["other"]))]


async def test_all_hear_of_it_where_nearly_everybody_may_decide(state: AppState, house: House, people: People) -> None:
    await people.join("one", Role.MEMBER)
    await house.run(
        "insert into app_user (account_id, id, email, name) select $1, new_id(), 'p' || n || '@home.test', 'P' "
        "from generate_series(1, 101) n"
    )
    await house.run(
        "insert into member (account_id, id, user_id, role) select account_id, new_id(), id, 'member' "
        "from app_user where account_id = $1 and name = 'P'"
    )
    async with listening(state), feed(state, as_member(house, people, "one")) as told:
        request = await house.asks(Panel(role=Role.MEMBER))
        assert (await until(told, "approval"))[-1] == ("approval", request.id, None)


async def first(events: AsyncGenerator[Told | None, None], kind: str) -> AsyncIterator[Told]:
    """What is told up to the first event of this kind."""
    async for told in events:
        if told is not None:
            yield told
            if told.event == kind:
                return


async def test_the_stream_of_the_turn_says_what_waits_for_approval_until_when(state: AppState, house: House) -> None:
    due = clock.now() + timedelta(hours=3)
    request = await house.asks(due=due)
    assert state.hub is not None
    async with (
        listening(state),
        asyncio.timeout(10),
        aclosing(live.follow(house.db, state.hub, house.account, request.turn)) as events,
    ):
        told = [one async for one in first(events, "wait")][-1]
    assert (told.data["id"], told.data["kind"]) == (str(request.wait), "approval")
    assert told.data["arguments_hash"] == arguments_hash(ARGUMENTS)
    assert abs(datetime.fromisoformat(told.data["due_at"]) - due) < timedelta(seconds=1)


async def test_the_next_time_that_runs_out_is_known_to_the_second(house: House) -> None:
    async with house.db.system_tx() as tx:
        assert await approvals.next_due(tx) is None
    await house.asks(due=None)
    await house.asks(due=clock.now() + timedelta(hours=2))
    await house.asks(due=clock.now() + timedelta(seconds=90))
    async with house.db.system_tx() as tx:
        assert 80 < (await approvals.next_due(tx) or 0) <= 90
        assert await approvals.due(tx) == []

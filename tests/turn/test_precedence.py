"""Steps of turns wait while a request is being answered, for a moment at most (decision 0024)."""

import asyncio
from collections.abc import Awaitable
from contextlib import AbstractContextManager

import httpx
import pytest

from retinue.api import routes, security
from retinue.api.deps import AppState
from retinue.domain.models import ModelRequest
from retinue.settings import load
from retinue.turn import precedence
from retinue.turn.precedence import Precedence
from tests.turn.conftest import Lab

LONG = 600.0


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A moment that no test lives to see the end of."""
    monkeypatch.setattr(precedence, "MOMENT_SECONDS", LONG)


class Watched(Precedence):
    """Tells when a step asks, and counts requests."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.counted = 0

    def request(self) -> AbstractContextManager[None]:
        self.counted += 1
        return super().request()

    async def give_way(self) -> None:
        self.asked.set()
        await super().give_way()


@pytest.fixture
def requests(running: Lab) -> Watched:
    """The requests of the process in which the node of ``running`` is."""
    assert running.engine is not None
    running.engine.precedence = watched = Watched()
    return watched


async def soon(waited: Awaitable[object]) -> None:
    async with asyncio.timeout(10):
        await waited


async def turns_of_the_loop() -> None:
    """Let everything that can run now run."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_nobody_waits_where_no_request_is_in_hand() -> None:
    await soon(Precedence().give_way())


@pytest.mark.usefixtures("patient")
async def test_a_step_waits_until_the_last_of_the_requests_is_answered() -> None:
    requests = Precedence()
    with requests.request():
        with requests.request():
            step = asyncio.create_task(requests.give_way())
            await turns_of_the_loop()
        await turns_of_the_loop()
        assert not step.done()
    await soon(step)


@pytest.mark.usefixtures("patient")
async def test_a_request_that_fails_holds_nobody_up() -> None:
    requests = Precedence()
    with pytest.raises(ZeroDivisionError), requests.request():
        raise ZeroDivisionError
    await soon(requests.give_way())


async def test_a_request_that_stays_open_counts_for_its_first_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = Precedence()
    with requests.request():
        monkeypatch.setattr(precedence, "MOMENT_SECONDS", LONG)  # for the step, not for the request before it
        await soon(requests.give_way())


async def test_requests_without_end_slow_steps_and_never_stop_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "MOMENT_SECONDS", LONG)
    requests = Precedence()
    with requests.request():
        monkeypatch.setattr(precedence, "MOMENT_SECONDS", 0.01)  # for the step, not for the request before it
        await soon(requests.give_way())


@pytest.mark.usefixtures("patient")
async def test_a_turn_begins_when_the_requests_of_its_process_are_answered(running: Lab, requests: Watched) -> None:
    with requests.request():
        interaction = await running.say("hello")
        await soon(requests.asked.wait())
        await turns_of_the_loop()
        assert (await running.rows(interaction))[0].state == "queued"
    assert (await running.until(interaction)).state == "succeeded"


@pytest.mark.usefixtures("patient")
async def test_a_turn_gives_way_between_its_steps_too(running: Lab, requests: Watched) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def held(_request: ModelRequest) -> str:
        asked.set()
        await answer.wait()
        return "done"

    running.models.script = [held]
    interaction = await running.say("hello")
    await soon(asked.wait())
    with requests.request():
        requests.asked.clear()
        answer.set()
        await soon(requests.asked.wait())
        await turns_of_the_loop()
        assert await running.replies() == []
    assert (await running.until(interaction)).state == "succeeded"
    assert await running.replies() == ["done"]


@pytest.mark.usefixtures("patient")
async def test_what_the_api_answers_is_counted_while_it_is_answered() -> None:
    requests, stood = Precedence(), list[bool]()

    async def inner(*_: object) -> None:
        step = asyncio.create_task(requests.give_way())
        await turns_of_the_loop()
        stood.append(step.done())
        step.cancel()

    async def none(*_: object) -> None: ...

    scope = {"type": "http", "method": "GET", "path": "/v1/agents", "headers": []}
    await security.Security(inner, load(), requests)(scope, none, none)  # type: ignore[arg-type]
    assert stood == [False]
    await soon(requests.give_way())


async def test_turns_give_way_to_the_requests_of_the_api_in_their_process(running: Lab, requests: Watched) -> None:
    api = routes.create(AppState(db=running.db, settings=load(), hub=running.hub, engine=running.engine))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://test") as client:
        assert (await client.get("/v1/agents")).status_code == 401
    assert requests.counted == 1

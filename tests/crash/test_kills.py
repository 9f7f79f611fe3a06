"""SIGKILL of real nodes at every boundary and inside every step of a canonical turn: one reply, no effect twice."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest

from retinue.testing.models import ScriptedModels
from retinue.testing.scripts import Step as Line
from tests.crash import site as places
from tests.crash.site import Site, check, until

BLOCKED = """
select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1
"""
ROWS = {
    "channel": "select 1 from channel where account_id = $1 and id = $2::uuid for update",
    "thread": "select 1 from thread t where t.account_id = $1 and t.id = (select thread_id from interaction "
    "where account_id = $1 and id = $2::uuid) for update",
    "interaction": "select 1 from interaction where account_id = $1 and id = $2::uuid for update",
}
TOOL_WORDS = {"look": "look", "note": "note", "send_keyed": "keyed", "send_once": "once"}
HELD_CALLS = [f"{word}.{when}" for word in TOOL_WORDS.values() for when in ("before", "after")]
ALL = ("all.before", "all.after")
"""Where all four calls of a turn are held at once."""
MODEL = {"first-token": (0, 0), "first-think": (0, 2), "second-think": (1, 3)}
"""Where the model is held: in which think, after how many pieces."""
LOCKED = ("claim", "calls", "outcome", "results", "finish", "late-finish")
"""Where the node is inside a transaction that the database has not let through when it dies: it may still commit."""


@dataclass
class Turn:
    """One canonical turn, on its way to where it is to be killed."""

    place: str
    channel: UUID
    id: UUID


@asynccontextmanager
async def locked(site: Site, kind: str, id: UUID) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Hold a row lock from outside, so that whoever wants that row stands in the middle of a transaction; yields what
    lets go of it."""
    connection = await asyncpg.connect(site.url)
    try:
        await connection.execute("set search_path = retinue, public; begin")
        await connection.fetch(ROWS[kind], site.account, id)
        yield lambda: connection.execute("rollback")
    finally:
        connection.terminate()


async def blocked(site: Site, function: str, count: int = 1) -> None:
    """Wait until so many calls of this SQL function stand before a lock."""

    async def found() -> bool:
        return (await site.owner(BLOCKED, f"%{function}%"))[0]["count"] >= count

    await until(found, f"{function} to stand before a lock")


def held_model(place: str, think: int, after: int) -> Line:
    """The line of the canonical turn's first or second think, once, stopping at a hold of the place's name."""
    return places.lines(place, times=1, hold=place, hold_after=after)[think]


@pytest.mark.requirement(
    "DUR-01", "DUR-05", "DUR-06", "DUR-07", "DUR-11", "DUR-14", "DUR-16", "DUR-18", "AGT-11", "AGT-12"
)
async def test_a_turn_killed_at_any_boundary_or_inside_any_step_ends_as_if_nothing_had_happened(site: Site) -> None:
    """Nineteen turns, each held at another point; one SIGKILL; one restart."""
    thinks = {"calls": (0, 1), "finish": (1, 1), "late-finish": (1, 1)} | MODEL
    names = ["undisturbed", *HELD_CALLS, *ALL, *MODEL, *LOCKED]
    site.models = ScriptedModels(places.canonical(*names, first=[held_model(name, *thinks[name]) for name in thinks]))
    site.models.start()
    holds = {name: [site.outside.hold(name, name)] for name in HELD_CALLS}
    holds |= {name: [site.outside.hold(name, f"{word}.{name[4:]}") for word in TOOL_WORDS.values()] for name in ALL}
    holds |= {name: [site.outside.hold(name, "keyed.after")] for name in ("outcome", "results")}
    turns = {
        name: Turn(name, channel, await site.say(channel, f"Please go to {name}"))
        for name, channel in zip(names, await site.channels(len(names)), strict=True)
    }

    async with (
        locked(site, "thread", turns["claim"].id) as free_claim,
        locked_later(site, "thread", turns["calls"].id) as lock_calls,
        locked_later(site, "interaction", turns["outcome"].id) as lock_outcome,
        locked_later(site, "thread", turns["results"].id) as lock_results,
        locked_later(site, "channel", turns["finish"].channel) as lock_finish,
        locked_later(site, "channel", turns["late-finish"].channel) as lock_late,
    ):
        first = await site.node(pool_size=40)
        for name in thinks:
            await site.models.reached(name, 30)
        async with asyncio.timeout(30):
            for held in (one for some in holds.values() for one in some):
                await held.reached.wait()
        free = [free_claim, *[await lock() for lock in (lock_calls, lock_outcome, lock_results, lock_finish)]]
        free_late = await lock_late()
        for name in ("calls", "finish", "late-finish"):
            site.models.release(name)
        for name in ("outcome", "results"):
            holds[name][0].release.set()
        for function in ("claim_v2", "calls_v1", "act_done_v3", "think_begin_v2"):
            await blocked(site, function)
        await blocked(site, "finish_v1", 2)
        await until(lambda: quiet(site, turns), "all other calls to be journalled")
        first.kill()
        for let_go in free:
            await let_go()
        await site.node(pool_size=40)
        await until(lambda: taken_over(site, turns["late-finish"]), "the late writer's turn to be taken over")
        await free_late()
        await site.ended([turn.id for turn in turns.values()])

    wrong = {
        turn.place: found for turn in turns.values() if (found := await check(site, turn.place, turn.channel, turn.id))
    }
    assert wrong == {}
    asked = await site.fetch(
        "select e.interaction_id as id from audit_event e where account_id = $1 and event = 'wait.open'"
    )
    assert {row["id"] for row in asked} == {turns[name].id for name in ("once.before", "once.after", *ALL)}
    assert {name: len(site.outside.keys(name, "keyed")) for name in ("keyed.before", "keyed.after", "undisturbed")} == {
        "keyed.before": 1,
        "keyed.after": 2,
        "undisturbed": 1,
    }


@asynccontextmanager
async def locked_later(
    site: Site, kind: str, id: UUID
) -> AsyncIterator[Callable[[], Awaitable[Callable[[], Awaitable[object]]]]]:
    """As ``locked``, but the lock is taken when what is yielded is called; that gives what lets go."""
    connection = await asyncpg.connect(site.url)

    async def take() -> Callable[[], Awaitable[object]]:
        await connection.execute("set search_path = retinue, public; begin")
        await connection.fetch(ROWS[kind], site.account, id)
        return lambda: connection.execute("rollback")

    try:
        yield take
    finally:
        connection.terminate()


async def quiet(site: Site, turns: dict[str, Turn]) -> bool:
    """Whether every call that is not held has its outcome in the journal, and the undisturbed turn has ended."""
    for turn in turns.values():
        held = set(TOOL_WORDS.values()) if turn.place in ALL else {turn.place.partition(".")[0]}
        held |= {"keyed"} if turn.place == "outcome" else set()
        _, steps, _ = await site.journal(turn.id)
        if any(
            step.tool and TOOL_WORDS[step.tool] not in held and step.state != "success"
            for step in steps
            if turn.place != "calls"
        ):
            return False
    return (await site.journal(turns["undisturbed"].id))[0].state == "succeeded"


async def taken_over(site: Site, turn: Turn) -> bool:
    return (await site.journal(turn.id))[0].attempt > 1


@pytest.mark.requirement("DUR-06", "DUR-11", "DUR-13")
async def test_nodes_killed_at_random_moments_leave_every_turn_with_one_reply(site: Site) -> None:
    """Twenty kills, one of two or three nodes each time, among sixty turns. Costs a process start per kill: 40 s of
    CPU, the most of all tests."""
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    names = [f"place{number:02}." for number in range(60)]
    site.models = ScriptedModels(places.canonical(*names, delay=0.01))
    site.models.start()
    turns: list[Turn] = []
    channels = await site.channels(len(names))
    nodes = [site.start() for _ in range(3)]
    for _ in range(20):
        await site.up(*nodes[:2])
        for name, channel in list(zip(names, channels, strict=True))[len(turns) : len(turns) + 3]:
            turns.append(Turn(name, channel, await site.say(channel, f"Please go to {name}")))
        await asyncio.sleep(dice.uniform(0, 0.35))  # the moment is what is random, nothing is waited for
        nodes.pop(dice.randrange(2)).kill()
        nodes.append(site.start())
    states = await site.ended([turn.id for turn in turns], 60)
    wrong = {turn.place: found for turn in turns if (found := await check(site, turn.place, turn.channel, turn.id))}
    assert (wrong, states) == ({}, {"succeeded": len(turns)}), f"seed {seed}"
    assert (await site.fetch("select max(attempt) as n from interaction where account_id = $1"))[0]["n"] > 1


@pytest.mark.requirement("DUR-12", "DUR-16")
async def test_a_turn_that_waits_for_a_person_waits_on_through_every_restart(site: Site) -> None:
    site.models = ScriptedModels(places.canonical("limbo"))
    site.models.start()
    held = site.outside.hold("limbo", "once.after")
    channel = site.world.private_channel.id
    turn = await site.say(channel, "Please go to limbo")
    first = await site.node()
    async with asyncio.timeout(20):
        await held.reached.wait()
    first.kill()
    second = await site.node()

    async def waiting() -> bool:
        return (await site.journal(turn))[0].state == "waiting"

    await until(waiting, "the turn to wait")
    asked, calls = (await site.journal(turn))[2], len(site.outside.calls)
    second.kill()
    await site.node()
    other = (await site.channels(1))[0]
    site.models.script = places.canonical("limbo", "elsewhere")
    assert await site.ended([await site.say(other, "Please go to elsewhere")], answer=False) == {"succeeded": 1}
    seen, _, waits = await site.journal(turn)
    assert (seen.state, waits) == ("waiting", asked)
    assert len([one for one in site.outside.calls if one[0] == "limbo"]) == calls
    assert await site.ended([turn]) == {"succeeded": 1}
    assert await check(site, "limbo", channel, turn) == []

"""Several nodes on one database: killed, frozen, thawed, stopped and added while they work."""

import asyncio
import re
import signal
import time
from typing import Any

import httpx
import pytest

from retinue.testing.models import ScriptedModels
from retinue.testing.scripts import Script
from retinue.testing.scripts import Step as Line
from tests.crash import site as places
from tests.crash.site import Process, Site, check, until

RUNNING = "select count(*) as n from interaction where account_id = $1 and state = 'running'"
HELD_BY = """
select count(*) as n from interaction i join node n on n.id = i.node_id
where i.account_id = $1 and i.state = 'running' and n.pid = $2
"""
REPLIES = """
select count(*) as replies, count(distinct interaction_id) as turns, count(*) filter (where content <> $2) as wrong
from message where account_id = $1 and author_kind = 'agent'
"""


async def count(site: Site, process: Process) -> int:
    """How many turns this node has in hand."""
    return (await site.fetch(HELD_BY, process.popen.pid))[0]["n"]


async def metric(process: Process, name: str) -> float:
    """A number of a serving process."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{process.port}/metrics", timeout=20)).text
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? ([0-9.e+]+)$", text, re.MULTILINE))


def play(site: Site, *steps: Line | str, default: Line | str | None = None) -> ScriptedModels:
    site.models = ScriptedModels(Script.model_validate({"steps": steps, "default": default}))
    site.models.start()
    return site.models


@pytest.mark.requirement("DUR-11", "DUR-13")
async def test_a_node_goes_on_with_the_turns_of_a_killed_one_within_seconds(site: Site) -> None:
    models = play(site, *[Line(text="never said", hold="killed")] * 20, default="the reply")
    victim = await site.node()
    turns = [await site.say(channel, "hello") for channel in await site.channels(20)]
    await until(lambda: _all_asked(models, 20), "the model to be asked for every turn")
    survivor = await site.node()
    assert await count(site, victim) == 20
    victim.kill()
    begin = time.monotonic()
    assert await site.ended(turns) == {"succeeded": 20}
    assert time.monotonic() - begin < 15, "5 s on a machine that does nothing else"
    assert (await site.fetch(REPLIES, "the reply"))[0] == {"replies": 20, "turns": 20, "wrong": 0}
    assert survivor.alive


async def _all_asked(models: ScriptedModels, times: int) -> bool:
    return len(models.requests) >= times


@pytest.mark.requirement("DUR-13")
async def test_a_thawed_node_cannot_write_one_of_a_thousand_turns_that_another_has_finished(site: Site) -> None:
    """Costs 1,000 model calls over HTTP, half a minute; the survivor's model is the built-in one, to save as many."""
    total = 1000
    stale = Line(text="from the frozen", hold="frozen", times=total)
    models = play(site, stale)
    settings: dict[str, Any] = {"concurrency": 1200, "heartbeat_seconds": 2}
    frozen = await site.node("serve", port=places.free_port(), **settings)
    channels = await site.channels(total)
    turns = [
        turn
        for part in range(0, total, 20)
        for turn in await asyncio.gather(*(site.say(channel, "hello") for channel in channels[part : part + 20]))
    ]
    await until(lambda: _all_asked(models, total), "the model to be asked for every turn", 60, pause=0.1)
    frozen.signal(signal.SIGSTOP)
    survivor = await site.node(**settings, default_model="offline/retinue")
    assert await site.ended(turns, 60, pause=0.5) == {"succeeded": total}
    finished = (await site.fetch(REPLIES, "from the frozen"))[0]
    assert finished == {"replies": total, "turns": total, "wrong": total}
    models.release("frozen")
    frozen.signal(signal.SIGCONT)

    async def refused() -> bool:
        return await metric(frozen, "retinue_fenced_writes_total") >= total

    await until(refused, "every write of the thawed node to be refused", 60, pause=0.2)
    assert (await site.fetch(REPLIES, "from the frozen"))[0] == finished
    assert await metric(frozen, "retinue_fenced_writes_total") == total
    steps = await site.fetch(
        "select count(*) as n from step where account_id = $1 and (kind, attempt) = ('respond', 2)"
    )
    assert steps[0]["n"] == total
    # the thawed node is a good one again
    survivor.kill()
    models.script = Script(default=Line(text="Here I am."))
    channel = (await site.channels(1))[0]
    assert await site.ended([await site.say(channel, "and now?")]) == {"succeeded": 1}
    assert await site.replies(channel) == ["Here I am."]


@pytest.mark.requirement("DUR-13")
async def test_a_thawed_node_can_neither_answer_for_its_successor_nor_take_its_queue_entry(site: Site) -> None:
    models = play(site, Line(text="stale", hold="frozen"), Line(text="fresh", hold="survivor"), default="too much")
    frozen = await site.node("serve", port=places.free_port(), heartbeat_seconds=2)
    turn = await site.say(site.world.private_channel.id, "hello")
    await models.reached("frozen")
    await site.node(heartbeat_seconds=2)
    frozen.signal(signal.SIGSTOP)
    await models.reached("survivor", 12)
    models.release("frozen")
    frozen.signal(signal.SIGCONT)
    await until(lambda: _refused(frozen), "the stale write to be refused")
    await until(lambda: _settled(site), "the thawed node to report what it has ended")
    rows = await site.owner("select q.status from queue.pgqueuer q join retinue.interaction i on i.job_id = q.id")
    assert [row["status"] for row in rows] == ["picked"]
    models.release("survivor")
    assert await site.ended([turn]) == {"succeeded": 1}
    assert (await site.journal(turn))[0].attempt == 2
    assert await site.replies(site.world.private_channel.id) == ["fresh"]


async def _refused(process: Process) -> bool:
    return await metric(process, "retinue_fenced_writes_total") > 0


async def _settled(site: Site) -> bool:
    """Whether the thawed node has no turn in hand any more, by its own count."""
    return await metric(site.processes[0], "retinue_turns_running") == 0


@pytest.mark.requirement("DUR-13")
async def test_a_node_frozen_inside_a_write_does_not_hold_its_successor_for_ever(site: Site) -> None:
    """The frozen node's transaction holds the row that its successor must write; the database ends it."""
    site.models = ScriptedModels(places.canonical("ice"))
    site.models.start()
    held = site.outside.hold("ice", "note_soon.after")
    site.models.script = Script.model_validate(
        {
            "steps": [
                {"match": {"after_result": False}, "calls": [{"tool": "note_soon", "arguments": {"place": "ice"}}]},
                {"match": {"after_result": False}, "calls": [{"tool": "note_soon", "arguments": {"place": "ice"}}]},
            ],
            "default": "noted",
        }
    )
    await site.give("note_soon")
    frozen = await site.node(heartbeat_seconds=2)
    turn = await site.say(site.world.private_channel.id, "Note it")
    async with asyncio.timeout(20):
        await held.reached.wait()
    frozen.signal(signal.SIGSTOP)
    await site.node(heartbeat_seconds=2)
    assert await site.ended([turn], 40) == {"succeeded": 1}
    held.release.set()
    frozen.signal(signal.SIGCONT)
    notes = await site.fetch("select sum((metadata->>'notes')::int) as n from message where account_id = $1")
    assert notes[0]["n"] == 1
    assert await site.replies(site.world.private_channel.id) == ["noted"]


async def test_a_node_told_to_stop_hands_its_model_calls_over_at_once(site: Site) -> None:
    models = play(site, *[Line(text="half an answer", hold="drained", hold_after=1, piece=4)] * 10, default="the reply")
    leaving = await site.node(drain_seconds=60)
    turns = [await site.say(channel, "hello") for channel in await site.channels(10)]
    await until(lambda: _all_asked(models, 10), "the model to be asked for every turn")
    await site.node()
    leaving.signal(signal.SIGTERM)
    assert await site.ended(turns, 30) == {"succeeded": 10}, "long before the drain is over"
    assert await asyncio.to_thread(leaving.popen.wait, 15) == 0
    assert (await site.fetch(REPLIES, "the reply"))[0] == {"replies": 10, "turns": 10, "wrong": 0}
    attempts = await site.fetch("select distinct attempt, retries from interaction where account_id = $1")
    assert attempts == [{"attempt": 2, "retries": 0}]


async def test_a_node_told_to_stop_lets_effects_end_and_gives_back_at_once_what_does_not(site: Site) -> None:
    """Seventeen seconds of which are the drain and nothing else would be too long: the drain is set to two."""
    site.models = ScriptedModels(places.canonical("quick", "slow"))
    site.models.start()
    quick, slow = site.outside.hold("quick", "once.after"), site.outside.hold("slow", "keyed.after")
    leaving = await site.node(drain_seconds=2)
    channels = await site.channels(2)
    turns = [
        await site.say(channel, f"Please go to {name}")
        for channel, name in zip(channels, ("quick", "slow"), strict=True)
    ]
    async with asyncio.timeout(20):
        await quick.reached.wait()
        await slow.reached.wait()
    await site.node()
    leaving.signal(signal.SIGTERM)
    quick.release.set()
    assert await asyncio.to_thread(leaving.popen.wait, 15) == 0
    begin = time.monotonic()
    assert await site.ended(turns) == {"succeeded": 2}
    assert time.monotonic() - begin < 8
    wrong = [
        await check(site, name, channel, turn)
        for name, channel, turn in zip(("quick", "slow"), channels, turns, strict=True)
    ]
    assert wrong == [[], []]
    asked = await site.fetch("select id from audit_event where account_id = $1 and event = 'wait.open'")
    assert asked == [], "an effect that was given time to end is not in doubt"
    assert len(site.outside.keys("slow", "keyed")) == 2


@pytest.mark.requirement("DUR-13", "DUR-16")
async def test_three_nodes_under_load_lose_nothing_when_one_is_killed_and_one_is_added(site: Site) -> None:
    """docs/scale.md cites this test."""
    names = [f"load{number:03}." for number in range(120)]
    site.models = ScriptedModels(places.canonical(*names, delay=0.05))
    site.models.start()
    nodes = [site.start() for _ in range(3)]
    await site.up(*nodes)
    channels = await site.channels(len(names))
    turns: list[tuple[str, object, object]] = []
    for number, (name, channel) in enumerate(zip(names, channels, strict=True)):
        turns.append((name, channel, await site.say(channel, f"Please go to {name}")))
        if number >= 40 and nodes[0].alive and await _works(site, nodes[0]):
            nodes[0].kill()
            nodes.append(site.start())
    assert not nodes[0].alive, "the first node never had a turn in hand while 80 were asked"
    assert await site.ended([turn for _, _, turn in turns], 60) == {"succeeded": len(names)}  # type: ignore[misc]
    wrong = {name: found for name, channel, turn in turns if (found := await check(site, name, channel, turn))}  # type: ignore[arg-type]
    assert wrong == {}
    workers = await site.owner("select distinct n.pid from interaction i join node n on n.id = i.node_id")
    assert len({row["pid"] for row in workers} & {node.popen.pid for node in nodes[1:]}) >= 2


async def _works(site: Site, process: Process) -> bool:
    return await count(site, process) > 0

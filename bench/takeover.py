"""SIGKILL of one of two real workers in the middle of turns: how long until the next journalled step on the other.

The model is slow, so that every turn of the killed node is inside a think step. The clock stops when the other node
has written that step again under its own attempt (``step_s``). When it noticed the death (``noticed_s``) and took the
turn (``claim_s``) is told beside it.
"""

import asyncio
import os
import signal
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from bench import harness, model, node, world
from bench.harness import Metric, Report, Server
from bench.model import Script
from retinue.db import migrate, pool
from retinue.db.pool import Database
from retinue.domain.events import Event
from retinue.turn import intake

NAME = "takeover"
TRIALS, QUICK_TRIALS = 30, 5
QUICK_SECONDS = 28
TURNS = 8
SLOW = Script(delay=1.5)
RUNNING = """
select i.id, i.attempt from interaction i join node n on n.id = i.node_id
where i.state = 'running' and n.pid = $1
and exists (select from step s where s.account_id = i.account_id and s.interaction_id = i.id and s.state = 'running')
"""
CLAIMED = (
    "select count(*) from interaction i join unnest($1::uuid[], $2::int[]) as old (id, attempt) "
    "on old.id = i.id and i.attempt > old.attempt"
)
JOURNALLED = (
    "select count(*) from step s join unnest($1::uuid[], $2::int[]) as old (id, attempt) "
    "on old.id = s.interaction_id and s.attempt > old.attempt"
)
BURIED = "select count(*) from node where pid = $1 and state = 'down'"
OPEN = "select count(*) from interaction where state in ('queued', 'running')"


@dataclass
class Nodes:
    """Two workers, the killed one replaced."""

    url: str
    env: dict[str, str]
    log: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    async def fill(self) -> None:
        """Start workers until there are two that live."""
        self.processes = [process for process in self.processes if process.poll() is None]
        while len(self.processes) < 2:
            self.processes.append(node.start(self.url, self.env, self.log))
        for process in self.processes:
            await node.up(self.url, process, self.log)

    def stop(self) -> None:
        for process in self.processes:
            harness.stop(process)


async def run(quick: bool) -> Report:
    """See the module."""
    trials, begin = QUICK_TRIALS if quick else TRIALS, time.monotonic()
    with Server() as server:
        url = await server.retinue()
        async with harness.owner(url) as connection:
            made = await world.make(connection)
            channels = await world.add_channels(connection, made, TURNS)
        async with model.started(harness.environment(server.home), server.home) as env:
            nodes = Nodes(url, env, server.home / "nodes.log")
            db = await pool.connect(
                migrate.role_url(url, "retinue_app", harness.SECRET),
                migrate.role_url(url, "retinue_system", harness.SECRET),
                size=4,
            )
            try:
                found: list[dict[str, Any]] = []
                while len(found) < trials and not (quick and time.monotonic() - begin > QUICK_SECONDS):
                    found.append(await trial(nodes, db, made, channels, len(found)))
                lost = await check(url, len(found) * TURNS)
            finally:
                await db.close()
                await asyncio.to_thread(nodes.stop)
        details = {
            "step_s": harness.summary([item["step_s"] for item in found], 3),
            "noticed_s": harness.summary([item["noticed_s"] for item in found], 3),
            "claim_s": harness.summary([item["claim_s"] for item in found], 3),
            "all_turns_s": harness.summary([item["all_s"] for item in found], 3),
            "turns_in_hand_of_the_killed_node": [item["in_hand"] for item in found],
            "turns_without_exactly_one_reply": lost,
            "server": await server.settings(),
        }
    steps = [item["step_s"] for item in found]
    return Report(
        NAME,
        [
            Metric("median_s", round(statistics.median(steps), 3), "s", "lower", 1.0),
            Metric("max_s", round(max(steps), 3), "s", "lower", 5.0),
        ],
        details,
    )


async def trial(nodes: Nodes, db: Database, made: world.World, channels: list[UUID], number: int) -> dict[str, Any]:
    """One kill: turns on both nodes, one node gone, the first and the last of its turns going on at the other."""
    await nodes.fill()
    for channel in channels:
        await intake.receive(
            db, Event(account_id=made.account_id, user_id=made.user_id, channel_id=channel, content=SLOW.words())
        )
    async with harness.owner(nodes.url) as connection:
        await asyncio.sleep(0.3)  # both nodes have taken what they take
        victim = await busiest(connection, nodes)
        rows = await connection.fetch(RUNNING, victim.pid)
        old = [row["id"] for row in rows], [row["attempt"] for row in rows]
        begin = time.monotonic()
        os.killpg(victim.pid, signal.SIGKILL)
        noticed = await moment(connection, (BURIED, victim.pid), 1)
        claim = await moment(connection, (CLAIMED, *old), 1)
        step = await moment(connection, (JOURNALLED, *old), 1)
        every = await moment(connection, (JOURNALLED, *old), len(rows))
        victim.wait()
        await harness.until(lambda: none_open(connection), 30, "all turns to end")
    harness.progress(f"trial {number + 1}: {step - begin:.2f} s, {len(rows)} turns")
    return {
        "noticed_s": noticed - begin,
        "claim_s": claim - begin,
        "step_s": step - begin,
        "all_s": every - begin,
        "in_hand": len(rows),
    }


async def busiest(connection: Any, nodes: Nodes) -> subprocess.Popen[bytes]:
    """The node that has most turns in hand, once one has any."""

    async def found() -> subprocess.Popen[bytes] | None:
        counts = [(len(await connection.fetch(RUNNING, process.pid)), process) for process in nodes.processes]
        count, process = max(counts, key=lambda pair: pair[0])
        return process if count else None

    return await harness.until(found, 10, "a turn in a think step", pause=0.01)


async def moment(connection: Any, query: tuple[Any, ...], count: int) -> float:
    """When ``query`` (SQL and its arguments) counts at least this many."""

    async def seen() -> bool:
        return await connection.fetchval(*query) >= count

    await harness.until(seen, 60, "the other node", pause=0.002)
    return time.monotonic()


async def none_open(connection: Any) -> bool:
    return await connection.fetchval(OPEN) == 0


async def check(url: str, turns: int) -> int:
    """How many of the turns do not have exactly one reply."""
    async with harness.owner(url) as connection:
        good = await connection.fetchval(
            "select count(*) from (select i.id from interaction i join message m on m.account_id = i.account_id "
            "and m.interaction_id = i.id where i.state = 'succeeded' group by i.id having count(*) = 1) one"
        )
    return turns - int(good)

"""What a turn costs at message 100 and at message 10,000 of a thread: time, rows and bytes of write-ahead log.

Groups of turns in short and in long threads alternate; each group is measured until the queue has settled, and the
metric is the ratio of the medians. The peers' curve is measured beside it, in one thread that grows by its own turns.
"""

import asyncio
import statistics
from dataclasses import dataclass
from typing import Any

from bench import harness, turns, world
from bench.harness import Metric, Report, Server

NAME = "growth"
SHORT, LONG = 100, 10_000


@dataclass(frozen=True)
class Plan:
    """``threads`` of each length, ``groups`` of ``size`` turns in each length, lengths of the peers' curve."""

    threads: int
    groups: int
    size: int
    curve: tuple[int, ...]


QUICK = Plan(threads=2, groups=8, size=5, curve=(20, 60))
FULL = Plan(threads=10, groups=40, size=10, curve=(20, 100, 300))
SETTLE = 0.15
CURVE_TURNS = 5


async def run(quick: bool) -> Report:
    """See the module."""
    plan = QUICK if quick else FULL
    with Server() as server:
        async with turns.systems(server, stock=100) as found:
            ours = next(system for system in found if system.name == "retinue")
            async with harness.owner(server.url("retinue_bench")) as connection:
                threads = await seed(connection, plan.threads)
                groups = await measure(server, connection, ours, threads, plan)
                shares = await sizes(connection)
            peers = {
                system.name: await curve(server, system, plan.curve) for system in found if system.name != "retinue"
            }
        details = {
            "retinue": {str(length): medians(groups, length) for length in (SHORT, LONG)},
            "groups": groups,
            "peers": peers,
            "tables_mb": shares,
            "server": await server.settings(),
            "plan": vars(plan),
        }
    return Report(NAME, metrics(groups), details)


async def seed(connection: Any, count: int) -> dict[int, list[str]]:
    """``count`` channels of each length, as long-lived rows: vacuumed, analysed, checkpointed."""
    row = await connection.fetchrow(
        "select a.id as account, u.id as person, g.id as agent from account a, app_user u, agent g"
    )
    made = world.World(row["account"], row["person"], row["agent"])
    threads: dict[int, list[str]] = {}
    for length in (SHORT, LONG):
        channels = await world.add_channels(connection, made, count)
        for channel in channels:
            await world.add_history(connection, made, channel, length)
        threads[length] = [str(channel) for channel in channels]
    await world.settle(connection)
    return threads


async def measure(
    server: Server, connection: Any, ours: turns.System, threads: dict[int, list[str]], plan: Plan
) -> list[dict[str, Any]]:
    """Alternating groups. The first group of each thread is not counted: after a checkpoint a page's first change logs
    the whole page, in short and long threads alike."""
    for length in (SHORT, LONG):
        for channel in threads[length]:
            await ours.child.ask("continue", thread=channel, count=plan.size)
    groups: list[dict[str, Any]] = []
    for number in range(plan.groups):
        for length in ((SHORT, LONG), (LONG, SHORT))[number % 2]:
            channel = threads[length][number % plan.threads]
            groups.append({"length": length, **await group(server, connection, ours, channel, plan.size)})
    return groups


async def group(server: Server, connection: Any, system: turns.System, thread: str, size: int) -> dict[str, Any]:
    """``size`` turns in one thread: median time, and bytes and rows of each."""
    start, before = await harness.position(connection)
    result = await system.child.ask("continue", thread=thread, count=size)
    await asyncio.sleep(SETTLE)  # the queue removes its finished entries a moment later
    end, after = await harness.position(connection)
    records = await asyncio.to_thread(server.wal_records, start, end)
    rows = records["inserts"] + records["updates"] + records["deletes"]
    return {
        "ms": statistics.median(result["ms"]),
        "wal_bytes": (after - before) / size,
        "rows": rows / size,
        "commits": records["commits"] / size,
    }


def medians(groups: list[dict[str, Any]], length: int) -> dict[str, float]:
    mine = [item for item in groups if item["length"] == length]
    return {
        name: round(statistics.median(item[name] for item in mine), 3)
        for name in ("ms", "wal_bytes", "rows", "commits")
    }


def metrics(groups: list[dict[str, Any]]) -> list[Metric]:
    short, long = medians(groups, SHORT), medians(groups, LONG)
    return [
        Metric("time_ratio", round(long["ms"] / short["ms"], 3), "x", "lower", 1.10),
        Metric("wal_ratio", round(long["wal_bytes"] / short["wal_bytes"], 3), "x", "lower", 1.10),
    ]


async def sizes(connection: Any) -> dict[str, float]:
    """Megabytes of the tables that grow with a conversation."""
    rows = await connection.fetch(
        "select relname, pg_total_relation_size(c.oid) / 1e6 as mb from pg_class c join pg_namespace n "
        "on n.oid = c.relnamespace where n.nspname = 'retinue' and c.relkind = 'r' order by 2 desc limit 6"
    )
    return {row["relname"]: round(float(row["mb"]), 2) for row in rows}


async def curve(server: Server, system: turns.System, lengths: tuple[int, ...]) -> dict[str, dict[str, float]]:
    """A peer's turn at these numbers of messages (two for each turn) of one thread."""
    found: dict[str, dict[str, float]] = {}
    done = 0
    async with harness.owner(server.url("postgres")) as connection:
        for length in lengths:
            await system.child.ask("continue", thread="long", count=length // 2 - done)
            measured = await group(server, connection, system, "long", CURVE_TURNS)
            found[str(length)] = {name: round(value, 2) for name, value in measured.items()}
            done = length // 2 + CURVE_TURNS
    return found

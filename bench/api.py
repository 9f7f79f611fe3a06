"""POST message over real HTTP at 100 connections while the turns it starts run in the same processes.

The latency is at a steady rate below what the machine can do, the throughput in a closed loop, with one process and
with two. Load generator, Retinue and PostgreSQL share the cores, so a second process can only use what one leaves free:
the cores over those that were busy under one process is the ceiling (``scale_2_ceiling``). The target is 1.6 where the
ceiling is above that, else nine tenths of the ceiling.
"""

import os
import statistics
from typing import Any
from uuid import UUID

import psutil

from bench import harness, load, node, stream, world
from bench.harness import Metric, Report, Server
from bench.load import Order
from retinue.domain import ids

NAME = "api"
CONNECTIONS = 100
RATE = 100.0
SCALE = 1.6
SECONDS, QUICK_SECONDS = 20.0, 4.0
ROUNDS, QUICK_ROUNDS = 3, 1


async def run(quick: bool) -> Report:
    """See the module."""
    seconds, rounds = (QUICK_SECONDS, QUICK_ROUNDS) if quick else (SECONDS, ROUNDS)
    with Server() as server:
        url = await server.retinue()
        async with harness.owner(url) as connection:
            made = await world.make(connection, node.OFFLINE)
            channels = await world.add_channels(connection, made, CONNECTIONS)
            key = await world.add_key(connection, made)
            await world.settle(connection)
        found: dict[int, list[dict[str, Any]]] = {1: [], 2: []}
        for number in range(rounds):
            for processes in ((1, 2), (2, 1))[number % 2]:
                found[processes].append(await measure(server, url, (key, channels), processes, seconds))
                harness.progress(f"round {number + 1}, {processes} processes")
        settings = await server.settings()
    best = {processes: max(item["closed"]["per_second"] for item in items) for processes, items in found.items()}
    p99 = max(item["steady"]["ms"]["p99"] for item in found[1])
    cores = os.cpu_count() or 1
    ceiling = cores / statistics.median(item["closed"]["busy_cores"] for item in found[1])
    details = {
        "one_process": found[1],
        "two_processes": found[2],
        "steady_rate_per_second": RATE,
        "posts_per_second": best,
        "connections": CONNECTIONS,
        "cores": cores,
        "scale_2_ceiling": round(ceiling, 2),
        "server": settings,
    }
    return Report(
        NAME,
        [
            Metric("post_p99_ms", p99, "ms", "lower", 50.0),
            Metric("scale_2", round(best[2] / best[1], 3), "x", "higher", round(min(SCALE, 0.9 * ceiling), 2)),
        ],
        details,
    )


async def measure(
    server: Server, url: str, who: tuple[str, list[UUID]], processes: int, seconds: float
) -> dict[str, Any]:
    """A steady and a closed load on this many processes, and the turns that ended meanwhile."""
    env = harness.environment(server.home, **stream.FREELY)
    key, channels = who
    names = [ids.encode("ch", channel) for channel in channels]
    async with node.serving(url, env, server.home, "--workers", str(processes)) as (base, _process):
        await load.send(Order(base, key, names, 1.0), env)
        steady = await counted(url, Order(base, key, names, seconds, RATE), env)
        closed = await counted(url, Order(base, key, names, seconds), env)
        await settled(url)
    return {"steady": steady, "closed": closed}


async def counted(url: str, order: Order, env: dict[str, str]) -> dict[str, Any]:
    """One load, once nothing is left of the one before."""
    await settled(url)
    before = await ended(url)
    psutil.cpu_percent()  # counts from here
    result = await load.send(order, env)
    busy = psutil.cpu_percent() / 100 * (os.cpu_count() or 1)
    turns = (await ended(url) - before) / order.seconds
    return result | {"turns_ended_per_second": round(turns, 1), "busy_cores": round(busy, 2)}


async def ended(url: str) -> int:
    async with harness.owner(url) as connection:
        return int(await connection.fetchval("select count(*) from interaction where state = 'succeeded'"))


async def settled(url: str) -> None:
    """Wait until no turn is open."""
    async with harness.owner(url) as connection:

        async def none() -> bool:
            return not await connection.fetchval(
                "select count(*) from interaction where state in ('queued', 'running')"
            )

        await harness.until(none, 60, "the open turns to end", pause=0.1)

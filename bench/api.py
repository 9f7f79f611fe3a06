"""POST message over real HTTP at 100 connections while the turns it starts run in the same processes.

The latency is at a steady rate below what the machine can do, the throughput in a closed loop, with one process and
with two in turns; both metrics are medians over the rounds. Load generator, Retinue and PostgreSQL share the cores, so
that a second process can only use what one leaves free. On a machine too small for two whole processes and the rest,
``scale_2`` therefore compares processes that may each use ``SHARE`` of a core (decision 0023); the throughput on whole
cores is in the details.
"""

import os
import statistics
from typing import Any
from uuid import UUID

import psutil

from bench import harness, load, node, shares, stream, world
from bench.harness import Metric, Report, Server
from bench.load import Order
from retinue.domain import ids

NAME = "api"
CONNECTIONS = 100
RATE = 100.0
SCALE = 1.6
ROOMY = 4
"""Cores from which two whole processes, the load and PostgreSQL fit side by side."""
SHARE = 0.4
SECONDS, QUICK_SECONDS = 20.0, 6.0
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
                found[processes].append(
                    await measure(server, url, (key, channels), processes, seconds, whole=not quick)
                )
                harness.progress(f"round {number + 1}, {processes} processes")
        settings = await server.settings()
    p99 = statistics.median(item["steady"]["ms"]["p99"] for item in found[1])
    compared = "shared" if all("shared" in item for items in found.values() for item in items) else "closed"
    rates = {processes: [item[compared]["per_second"] for item in items] for processes, items in found.items()}
    scale = statistics.median(two / one for one, two in zip(rates[1], rates[2], strict=True))
    details = {
        "one_process": found[1],
        "two_processes": found[2],
        "steady_rate_per_second": RATE,
        "scale_2_compares": compared,
        "share_of_a_core": SHARE if compared == "shared" else 1,
        "posts_per_second": rates,
        "connections": CONNECTIONS,
        "cores": os.cpu_count(),
        "server": settings,
    }
    return Report(
        NAME,
        [
            Metric("post_p99_ms", p99, "ms", "lower", 50.0),
            Metric("scale_2", round(scale, 3), "x", "higher", SCALE),
        ],
        details,
    )


async def measure(
    server: Server, url: str, who: tuple[str, list[UUID]], processes: int, seconds: float, *, whole: bool
) -> dict[str, Any]:
    """A steady and a closed load on this many processes, and the turns that ended meanwhile.

    Where the machine is small, the closed load is on shares of a core, as ``shared``; on whole cores only when that is
    asked for, or shares cannot be had.
    """
    env = harness.environment(server.home, **stream.FREELY)
    key, channels = who
    names = [ids.encode("ch", channel) for channel in channels]
    async with node.serving(url, env, server.home, "--workers", str(processes)) as (base, _process):
        await load.send(Order(base, key, names, 1.0), env)
        found = {"steady": await counted(url, Order(base, key, names, seconds, RATE), env)}
        closed = Order(base, key, names, seconds)
        if (os.cpu_count() or 1) < ROOMY:
            with shares.limited(await node.pids(url), SHARE) as limited:
                if limited:
                    found["shared"] = await counted(url, closed, env)
        if whole or "shared" not in found:
            found["closed"] = await counted(url, closed, env)
        await settled(url)
    return found


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

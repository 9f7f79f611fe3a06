"""What sealing the audit record costs: plain turns per second of a node that seals every second, beside one that does
not seal, in turns on one database. Nothing is left unsealed when a round with sealing begins or ends, so that each
round pays for its own lines.
"""

import statistics
import time
from typing import Any

from bench import child, harness, node, world
from bench.harness import Metric, Report, Server

NAME = "audit"
AT_ONCE = 8
SECONDS, QUICK_SECONDS = 6.0, 2.0
ROUNDS, QUICK_ROUNDS = 6, 4
STOCK, QUICK_STOCK = 60_000, 12_000
MODES = {"sealed": "1", "unsealed": "0"}
"""``RETINUE_SEAL_SECONDS``."""
LEFT = "select (select upto from audit_mark) < (select max(tx) from audit_event)"


async def run(quick: bool) -> Report:
    """See the module."""
    seconds, rounds = (QUICK_SECONDS, QUICK_ROUNDS) if quick else (SECONDS, ROUNDS)
    found: dict[str, list[dict[str, Any]]] = {mode: [] for mode in MODES}
    with Server() as server:
        url = await server.retinue()
        async with harness.owner(url) as connection:
            made = await world.make(connection, node.OFFLINE)
            await world.add_channels(connection, made, QUICK_STOCK if quick else STOCK)
            await world.settle(connection)
        env = harness.environment(server.home)
        async with child.started("bench.peers.retinue", url, env) as driver:
            for number in range(rounds):
                for mode in sorted(MODES, reverse=bool(number % 2)):
                    found[mode].append(await measure(server, url, driver, mode, seconds))
                harness.progress(f"round {number + 1} of {rounds}")
        details = {"rounds": found, "server": await server.settings()}
    rates = {mode: statistics.median(item["per_second"] for item in items) for mode, items in found.items()}
    cost = (1 - rates["sealed"] / rates["unsealed"]) * 100
    return Report(
        NAME,
        [Metric("sealing_cost_percent", round(cost, 2), "%", "lower", 5.0)],
        details | {"turns_per_second": rates},
    )


async def measure(server: Server, url: str, driver: child.Child, mode: str, seconds: float) -> dict[str, Any]:
    """Turns per second in one mode, with a node of its own; of sealing, until the last of its lines is sealed."""
    env = harness.environment(server.home, seal_seconds=MODES[mode])
    async with node.started(url, env, server.home):
        if mode == "sealed":
            await sealed(url)
        await driver.ask("turns", at_once=AT_ONCE, count=60)
        begin = time.monotonic()
        result = await driver.ask("turns", at_once=AT_ONCE, seconds=seconds)
        if mode == "sealed":
            await sealed(url)
        return result | {"seconds_until_sealed": round(time.monotonic() - begin, 2)}


async def sealed(url: str) -> None:
    """Wait until every line has its seal."""
    async with harness.owner(url) as connection:

        async def none_left() -> bool:
            return not await connection.fetchval(LEFT)

        await harness.until(none_left, 60, "the record to be sealed", pause=0.1)

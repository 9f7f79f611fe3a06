"""What the gate costs a call of a model, and whether a budget holds: 64 callers on 8 processes against one budget.

Each call is judged by all policies of the account, reserves its worst case under three limits (a budget of the
account, one per person, a token bucket; all callers share all three, so that each waits for the same rows), and is
settled by what it came to. ``gate_*`` is the time of these three together, without the call itself. Callers are paced
like calls of a model: between half and one and a half ``PACE`` seconds each. The budget is used up before the end, so
that all callers reach its edge at once; it is looked at all the while.

The peers have nothing to compare: none reserves before a call. They add up what was spent after it, if at all.
"""

import asyncio
import contextlib
from typing import Any

from bench import child, harness, world
from bench.harness import Metric, Report, Server

NAME = "budget"
PROCESSES, CALLERS = 8, 8
PACE = 0.8
"""Seconds of a call, on average: a short answer of a fast model."""
WORST = 30_000
"""Millionths of a dollar that a call costs at most; it comes to anything up to that."""
SECONDS, QUICK_SECONDS = 40.0, 10.0
SHARE = 0.7
"""Of the time, until the budget is used up."""
POLICY = """
insert into policy (account_id, id, layer, name, type, rule) values ($1, new_id(), 'account', $2, $3, $4) returning id
"""
STANDS = "select cap, spent, reserved from meter where policy_id = $1"
ENDED = "select coalesce(sum(cost_micro), 0)::bigint as cost, count(*) as calls from step where kind = 'think'"


async def run(quick: bool) -> Report:
    """See the module."""
    seconds = QUICK_SECONDS if quick else SECONDS
    cap = int(PROCESSES * CALLERS / PACE * seconds * SHARE * WORST / 2)
    with Server() as server:
        url = await server.retinue()
        async with harness.owner(url) as connection:
            made = await world.make(connection)
            budget = await policies(connection, made, cap)
            hash = await connection.fetchval("select config_hash from agent where id = $1", made.agent_id)
            await world.settle(connection)
        order: dict[str, Any] = {
            "account": str(made.account_id), "user": str(made.user_id), "agent": str(made.agent_id),
            "config_hash": hash, "seconds": seconds, "pace": PACE, "worst": WORST, "callers": CALLERS,
        }  # fmt: skip
        env = harness.environment(server.home)
        async with contextlib.AsyncExitStack() as stack:
            children = [
                await stack.enter_async_context(child.started("bench.spender", url, env)) for _ in range(PROCESSES)
            ]
            harness.progress(f"{PROCESSES} processes are up")
            watch = Watch()
            looking = asyncio.create_task(watch.run(url, budget))
            found = await asyncio.gather(
                *(one.ask("spend", **order, seed=number) for number, one in enumerate(children))
            )
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking
        details = await outcome(url, budget, found)
        settings = {"server": await server.settings(), "looks": watch.looks}
    highest: int = max(details["spent_micro"], details["recorded_micro"])
    overshoot = max(0, watch.overshoot, highest - cap)
    gate = [one for each in found for one in each["gate_ms"]]
    return Report(
        NAME,
        [
            Metric("overshoot_microunits", overshoot, "", "lower", 0),
            Metric("gate_p50_ms", round(harness.percentile(gate, 0.5), 2), "ms", "lower", 3.0),
            Metric("gate_p99_ms", round(harness.percentile(gate, 0.99), 2), "ms", "lower", 20.0),
        ],
        details | settings | {"cap_micro": cap, "gate_ms": harness.summary(gate)},
    )


async def policies(connection: Any, made: world.World, cap: int) -> Any:
    """The three limits; returns the id of the budget that is to be used up."""
    rules: dict[str, dict[str, Any]] = {
        "Account": {"type": "cost_limit", "per": "account", "period": "total", "limit_micro": cap},
        "Each person": {"type": "cost_limit", "per": "user", "period": "month", "limit_micro": 10 * cap},
        "Tokens": {
            "type": "rate_limit", "per": "account", "of": "tokens", "about": "model", "amount": 10**9, "seconds": 60,
        },
    }  # fmt: skip
    found = {
        name: await connection.fetchval(POLICY, made.account_id, name, rule["type"], rule)
        for name, rule in rules.items()
    }
    return found["Account"]


class Watch:
    """Looks at the budget as often as it goes."""

    def __init__(self) -> None:
        self.overshoot = self.looks = 0

    async def run(self, url: str, budget: Any) -> None:
        """Look until cancelled."""
        async with harness.owner(url) as connection:
            while True:
                for row in await connection.fetch(STANDS, budget):
                    self.overshoot = max(self.overshoot, row["spent"] + row["reserved"] - row["cap"])
                    self.looks += 1
                await asyncio.sleep(0.005)


async def outcome(url: str, budget: Any, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Where the budget stands at the end, and what the steps say."""
    async with harness.owner(url) as connection:
        stands = await connection.fetchrow(STANDS, budget)
        ended = await connection.fetchrow(ENDED)
    refused = [one for each in found for one in each["refused_ms"]]
    return {
        "spent_micro": stands["spent"],
        "reserved_micro_at_the_end": stands["reserved"],
        "recorded_micro": ended["cost"],
        "calls": ended["calls"],
        "refused_calls": len(refused),
        "refused_ms": harness.summary(refused) if refused else None,
        "callers": PROCESSES * CALLERS,
        "peers": "none reserves before a call, so there is nothing to put beside it",
    }

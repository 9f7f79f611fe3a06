"""A load of POST messages in a process of its own: the order as JSON on standard input, the result as JSON on output.

One connection posts to one channel. With a ``rate`` each connection sends at its own moments of every period, whatever
the answers take, and a late answer counts from when it was due; without a rate it is a closed loop.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

from bench import harness
from bench.wire import Connection


@dataclass(frozen=True)
class Order:
    """What to send where. ``rate`` is messages a second over all connections."""

    base: str
    key: str
    channels: list[str]
    seconds: float
    rate: float | None = None
    content: str = "Hello, how are you today?"


@dataclass
class Result:
    """Milliseconds of every answer, and how many of each status."""

    times: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


async def client(order: Order, channel: str, result: Result, begin: float) -> None:
    """One connection until the time is over."""
    connection = Connection(order.base, order.key)
    period = len(order.channels) / order.rate if order.rate else 0.0
    due = begin + random.random() * period
    while time.monotonic() < begin + order.seconds:
        if period:
            await asyncio.sleep(max(due - time.monotonic(), 0))
        sent = due if period else time.monotonic()
        status, _ = await connection.post(f"/v1/channels/{channel}/messages", {"content": order.content})
        result.times.append((time.monotonic() - sent) * 1000)
        result.statuses[status] += 1
        due += period
    connection.cut()


async def work(order: Order) -> dict[str, Any]:
    """Run the load; open connections first, so that their making is not measured."""
    result, begin = Result(), time.monotonic() + 0.2
    async with asyncio.TaskGroup() as group:
        for channel in order.channels:
            group.create_task(client(order, channel, result, begin))
    elapsed = time.monotonic() - begin
    return {
        "posts": len(result.times),
        "per_second": round(len(result.times) / elapsed, 1),
        "ms": harness.summary(result.times),
        "statuses": {str(key): value for key, value in result.statuses.items()},
    }


async def send(order: Order, env: dict[str, str]) -> dict[str, Any]:
    """Run the order in a process of its own. Raises RuntimeError when an answer was not 202."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.load",
        env=env,
        cwd=harness.REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    output, _ = await asyncio.wait_for(process.communicate(json.dumps(asdict(order)).encode()), order.seconds + 60)
    result = dict(json.loads(output))
    if set(result["statuses"]) - {"200", "202"}:
        raise RuntimeError(f"some answers were refusals: {result['statuses']}")
    return result


if __name__ == "__main__":
    sys.stdout.write(json.dumps(uvloop.run(work(Order(**json.load(sys.stdin))))))

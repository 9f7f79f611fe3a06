"""Streams over real HTTP: how long after the model's first token the subscriber has it, and what reconnecting loses.

Fifty streams whose first tokens come at one instant, which is the worst for the reader; how it is when they come over
two seconds, while the others stream twenty tokens a second, is told in the details. The scripted model
(``bench.model``) writes the time into its first piece and numbers the others, so that a reader
knows both how late a piece is and whether one is missing or came twice.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from bench import harness, model, node, world
from bench.harness import Metric, Report, Server
from bench.model import Script
from bench.wire import Connection
from retinue.domain import ids

NAME = "stream"
STREAMS = 50
ROUNDS, QUICK_ROUNDS = 20, 2
CUTS, QUICK_CUTS = 1000, 100
FIRST = Script(delay=0.8, pieces=5, gap=0.05)
BUSY = Script(delay=0.8, pieces=60, gap=0.05)
"""Twenty tokens a second for three seconds, as a hosted model writes."""
SPREAD_SECONDS = 2.0
"""Those begin over this time, so that all are open while the last begin."""
LONG = Script(delay=0.5, pieces=200, gap=0.03)


@dataclass
class Cuts:
    """How many connections are still to be cut."""

    left: int
    done: int = 0

    def due(self) -> bool:
        return self.left > 0

    def take(self) -> None:
        self.left -= 1
        self.done += 1


@dataclass
class Reading:
    """What one subscriber has read: the pieces' text and the milliseconds to the first."""

    text: str = ""
    added_ms: float | None = None
    last_id: str | None = None
    done: bool = False
    resets: int = 0
    cuts: int = field(default=0)


async def run(quick: bool) -> Report:
    """See the module."""
    rounds, wanted = (QUICK_ROUNDS, QUICK_CUTS) if quick else (ROUNDS, CUTS)
    with Server() as server:
        url = await server.retinue()
        async with harness.owner(url) as connection:
            made = await world.make(connection)
            channels = await world.add_channels(connection, made, STREAMS)
            key = await world.add_key(connection, made)
        async with model.started(harness.environment(server.home, **FREELY), server.home) as env:  # noqa: SIM117
            async with node.serving(url, env, server.home) as (base, _process):
                await first_bytes(base, key, channels, FIRST)  # warm: connections to the model, statements
                added: list[float] = []
                spread: list[float] = []
                for number in range(rounds):
                    added += await first_bytes(base, key, channels, FIRST)
                    spread += await first_bytes(base, key, channels, BUSY, SPREAD_SECONDS)
                    harness.progress(f"round {number + 1} of {rounds}")
                wrong, details = await reconnect(base, key, channels, wanted)
        details |= {"added_ms": harness.summary(added), "added_ms_while_others_stream": harness.summary(spread)}
        details |= {"streams": STREAMS, "server": await server.settings()}
    return Report(
        NAME,
        [
            Metric("added_p99_ms", round(harness.percentile(added, 0.99), 1), "ms", "lower", 60.0),
            Metric("lost_or_doubled", wrong, "deltas", "lower", 0),
        ],
        details,
    )


FREELY = {"rate_per_second": "1000000", "rate_burst": "1000000"}
"""The rate limit is per key, and here one key is all the load."""


async def ask(connection: Connection, channel: UUID, script: Script) -> str:
    """Post the message; returns the interaction's id."""
    path = f"/v1/channels/{ids.encode('ch', channel)}/messages"
    status, body = await connection.post(path, {"content": script.words()})
    if status not in (200, 202):
        raise RuntimeError(f"POST answered {status}: {body}")
    return str(body["interactions"][0]["id"])


async def first_bytes(base: str, key: str, channels: list[UUID], script: Script, spread: float = 0.0) -> list[float]:
    """All streams together, begun over ``spread`` seconds; milliseconds from token to byte of each."""
    readings: list[Reading] = []
    chance = random.Random(2)

    async def subscriber(channel: UUID, pause: float) -> None:
        await asyncio.sleep(pause)
        post, stream = Connection(base, key), Connection(base, key)
        interaction = await ask(post, channel, script)
        reading = Reading()
        await read(stream, interaction, reading, None)
        readings.append(reading)
        post.cut()
        stream.cut()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for channel in channels:
            group.create_task(subscriber(channel, chance.random() * spread))
    return [reading.added_ms for reading in readings if reading.added_ms is not None]


async def read(connection: Connection, interaction: str, reading: Reading, events: int | None) -> None:
    """Read on after ``reading.last_id``, to the end or for ``events`` events with an id."""
    seen = 0
    async for told in connection.events(f"/v1/interactions/{interaction}/stream", reading.last_id):
        now = time.monotonic()
        reading.last_id = told.id or reading.last_id
        if told.event == "done":
            reading.done = True
            return
        if told.event == "reset":
            reading.text, reading.resets = "", reading.resets + 1
        if told.event == "delta":
            reading.text += told.data["text"]
            if reading.added_ms is None and reading.text.startswith("@"):
                reading.added_ms = (now - float(reading.text[1:].split(" ")[0])) * 1000
            seen += 1
            if events is not None and seen >= events:
                return


async def reconnect(base: str, key: str, channels: list[UUID], wanted: int) -> tuple[int, dict[str, Any]]:
    """Cut ``wanted`` connections of long streams; returns deltas lost or doubled, and what was done."""
    cuts, chance = Cuts(wanted), random.Random(1)
    wrong = streams = resets = 0

    async def subscriber(channel: UUID) -> Reading:
        connection = Connection(base, key)
        interaction = await ask(connection, channel, LONG)
        reading = Reading()
        while not reading.done:
            connection.cut()
            await read(connection, interaction, reading, chance.randint(1, 4) if cuts.due() else None)
            if not reading.done and cuts.due():
                cuts.take()
        connection.cut()
        return reading

    while cuts.due():
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            tasks = [group.create_task(subscriber(channel)) for channel in channels]
        readings = [task.result() for task in tasks]
        streams += len(readings)
        resets += sum(reading.resets for reading in readings)
        wrong += sum(differences(reading.text) for reading in readings)
        harness.progress(f"{cuts.done} reconnects")
    return wrong, {"reconnects": cuts.done, "streams_cut": streams, "pieces_each": LONG.pieces, "resets": resets}


def differences(text: str) -> int:
    """How many pieces are missing, doubled or out of place."""
    words = text.split()
    expected = [str(number) for number in range(1, LONG.pieces)]
    found = words[1:] if words and words[0].startswith("@") else words
    lost = len(set(expected) - set(found)) + (0 if words and words[0].startswith("@") else 1)
    doubled = len(found) - len(set(found))
    return lost + doubled + (0 if lost or doubled or found == expected else 1)

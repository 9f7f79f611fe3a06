"""The stream of an answer survives the death of the server that served it."""

import asyncio
import json
import signal
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest

from retinue.domain import ids
from retinue.domain.accounts import NewKey, Scope
from retinue.store import keys
from retinue.testing.models import ScriptedModels
from retinue.testing.scripts import Script
from retinue.testing.scripts import Step as Line
from tests.crash import site as places
from tests.crash.site import Process, Site, until

PIECES = tuple(f"piece {number:03} " for number in range(120))
WHOLE = "".join(PIECES).strip()


@dataclass
class Reader:
    """A client that follows one stream, through whatever connection it gets."""

    url: str
    key: str
    last: str | None = None
    events: list[tuple[str, str | None, Any]] = field(default_factory=list)

    async def follow(self) -> None:
        """Read until the stream or its connection ends."""
        headers = {"Authorization": f"Bearer {self.key}"} | ({"Last-Event-ID": self.last} if self.last else {})
        try:
            async with (
                httpx.AsyncClient(timeout=30) as client,
                client.stream("GET", self.url, headers=headers) as answer,
            ):
                assert answer.status_code == 200, await answer.aread()
                fields: dict[str, str] = {}
                async for line in answer.aiter_lines():
                    if line:
                        name, _, value = line.partition(":")
                        fields[name] = value.strip()
                    elif fields.get("event"):
                        self._take(fields)
                        fields = {}
        except httpx.TransportError:
            return

    def _take(self, fields: dict[str, str]) -> None:
        self.last = fields.get("id", self.last)
        self.events.append((fields["event"], fields.get("id"), json.loads(fields["data"])))

    async def to_the_end(self, server: Process) -> None:
        """Come back until it is done."""
        async with asyncio.timeout(60):
            while not self.over():
                await until(lambda: _listening(server), "the server to listen")
                await self.follow()

    def over(self) -> bool:
        return bool(self.events) and self.events[-1][0] == "done"

    def told(self) -> list[str]:
        """The names of the events without the deltas, neighbours of one name once."""
        return [event for event, _, _ in self.events if event != "delta"]

    def deltas(self, attempt: int) -> list[tuple[str, str]]:
        """(id, text) of each delta of an attempt, as they came."""
        return [
            (id, data["text"])
            for event, id, data in self.events
            if event == "delta" and id and id.startswith(f"{attempt}.")
        ]

    async def seen(self, text: str) -> None:
        """Wait until this piece has come."""

        async def there() -> bool:
            return any(event == "delta" and text in data["text"] for event, _, data in self.events)

        await until(there, f"{text!r} to be streamed", 20)


async def _listening(server: Process) -> bool:
    return places.listens(server.port)


async def reader(site: Site, port: int, interaction_id: UUID) -> Reader:
    async with site.db.tenant_tx(site.account) as tx:
        made = await keys.create(tx, site.account, site.world.owner.id, NewKey(name="reader", scopes=tuple(Scope)))
    return Reader(f"http://127.0.0.1:{port}/v1/interactions/{ids.encode('int', interaction_id)}/stream", made.secret)


def line(hold: str, after: int) -> Line:
    """The answer, stopping once."""
    return Line(text=WHOLE, pieces=PIECES, delay=0.005, hold=hold, hold_after=after)


def check(client: Reader, attempt: int) -> None:
    """The final attempt's deltas came exactly once, in order, and then the message and the end."""
    deltas = client.deltas(attempt)
    assert [int(id.partition(".")[2]) for id, _ in deltas] == list(range(1, len(deltas) + 1))
    assert "".join(text for _, text in deltas).strip() == WHOLE
    assert client.told()[-2:] == ["message", "done"]
    assert client.told().count("message") == client.told().count("done") == 1
    assert client.events[-2][2]["content"].strip() == WHOLE
    assert client.events[-1][2]["state"] == "succeeded"


@pytest.mark.requirement("AGT-25", "DUR-14")
async def test_a_reader_gets_the_final_attempt_once_and_whole_though_the_server_is_killed_and_stopped(
    site: Site,
) -> None:
    """Killed in the first attempt, told to stop in the second; the reader comes back with the last id it saw."""
    site.models = ScriptedModels(Script(steps=(line("killed", 40), line("stopped", 60), line("never", 200))))
    site.models.start()
    port = places.free_port()
    first = await site.node("serve", port=port)
    turn = await site.say(site.world.private_channel.id, "Tell me a long story")
    client = await reader(site, port, turn)
    async with asyncio.TaskGroup() as group:
        group.create_task(client.follow())
        await client.seen("piece 039")
        first.kill()
    before = client.last
    assert before and before.startswith("1.")

    second = await site.node("serve", port=port)
    async with asyncio.TaskGroup() as group:
        group.create_task(client.follow())
        await client.seen("piece 059")
        second.signal(signal.SIGTERM)
        assert await asyncio.to_thread(second.popen.wait, 15) == 0
    assert client.last and client.last.startswith("2.")

    third = await site.node("serve", port=port)
    await client.to_the_end(third)
    check(client, 3)
    assert client.told().count("reset") == 2
    assert client.deltas(1)[-1][0] == before
    assert (await site.journal(turn))[0].attempt == 3
    assert len(await site.replies(site.world.private_channel.id)) == 1

    late = await reader(site, port, turn)
    await late.follow()
    check(late, 3)


@pytest.mark.requirement("AGT-25")
async def test_a_reader_cut_off_again_and_again_misses_and_doubles_nothing(site: Site) -> None:
    """The server lives; thirty connections die."""
    site.models = ScriptedModels(Script(steps=(Line(text=WHOLE, pieces=PIECES, delay=0.02),)))
    site.models.start()
    server = await site.node("serve", port=places.free_port())
    turn = await site.say(site.world.private_channel.id, "Tell me a long story")
    client = await reader(site, server.port, turn)
    connections = 0
    while not client.over():
        connections += 1
        try:
            async with asyncio.timeout(0.12):
                await client.follow()
        except TimeoutError:
            continue
    assert connections > 5
    check(client, 1)

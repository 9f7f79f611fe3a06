# ruff: noqa: TID251 - a client of the server, run by hand; it is no part of it
"""Records what `GET /v1/interactions/{id}/stream` says of real turns, for the tests of the web app's reducer.

``python tools/stream_traces.py`` starts a server of its own with a scripted model provider, kills it where a trace is
about that, and writes one JSON file per trace to ``web/src/lib/traces/``. Not run by the tests: the files are kept.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from retinue.testing.models import ScriptedModels
from retinue.testing.scripts import Call, Fault, Match, Script, Step

TO = Path(__file__).parents[1] / "web" / "src" / "lib" / "traces"
STORY = "Once upon a time there was a room where nothing was ever lost. " * 8
CALLS = (
    Call(tool="current_time", arguments={"time_zone": "Europe/Lisbon"}),
    Call(tool="search_messages", arguments={"query": "lighthouse"}),
    Call(tool="no_such_tool", arguments={"city": "Berlin"}),
)
SCRIPT = Script(
    steps=(
        Step(match=Match(contains="plainly"), text="Gladly. " + STORY, delay=0.01, thinking="A short story, then."),
        Step(match=Match(contains="tools", after_result=False), text="Let me look.", calls=CALLS, delay=0.02),
        Step(match=Match(after_result=True), text="It is late in Lisbon, and nobody wrote of it.", delay=0.02),
        Step(match=Match(contains="survive"), text=STORY, delay=0.01, hold="killed", hold_after=20),
        Step(match=Match(contains="survive"), text=STORY, delay=0.01),
        Step(match=Match(contains="stopped"), text=STORY, delay=0.01, hold="stopped", hold_after=20),
        Step(match=Match(contains="refused"), fault=Fault(kind="bad_key")),
        Step(match=Match(contains="again"), text=STORY, delay=0.02),
    ),
)
Event = dict[str, Any]


class Server:
    """`retinue serve` on a home of its own."""

    def __init__(self, home: Path, models: ScriptedModels) -> None:
        self.home = home
        self.port = free_port()
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("RETINUE_", "OPENAI_"))}
        self.env = plain | models.env() | {
            "RETINUE_HOME": str(home), "RETINUE_PORT": str(self.port), "RETINUE_DEFAULT_MODEL": "openai/gpt-4o-mini",
            "RETINUE_RETRY_BASE_SECONDS": "0.1",
        }  # fmt: skip
        self.key = ""
        self.channel = ""

    def start(self) -> None:
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "retinue.cli", "serve"], env=self.env, stdout=log, stderr=log
            )

    async def ready(self) -> None:
        async with asyncio.timeout(120), httpx.AsyncClient(trust_env=False) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"http://127.0.0.1:{self.port}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(self.process.wait)

    def init(self) -> None:
        command = [sys.executable, "-m", "retinue.cli", "init", "--json", "--new-key"]
        made = json.loads(subprocess.run(command, env=self.env, capture_output=True, text=True, check=True).stdout)
        self.key = made["api_key"]
        self.channel = made["private_channel"]["id"]

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {self.key}"}, timeout=60,
            trust_env=False,
        )  # fmt: skip

    async def say(self, content: str) -> str:
        async with self.client() as client:
            answer = await client.post(f"/v1/channels/{self.channel}/messages", json={"content": content})
            return answer.raise_for_status().json()["interactions"][0]["id"]

    async def cancel(self, turn: str) -> None:
        async with self.client() as client:
            (await client.post(f"/v1/interactions/{turn}/cancel")).raise_for_status()

    async def follow(self, turn: str, last: str | None = None) -> AsyncIterator[Event]:
        """The events of one connection, until it ends or breaks."""
        headers = {"Last-Event-ID": last} if last else {}
        with contextlib.suppress(httpx.TransportError):
            async with (
                self.client() as client,
                client.stream("GET", f"/v1/interactions/{turn}/stream", headers=headers) as answer,
            ):
                event: Event = {}
                async for line in answer.aiter_lines():
                    name, _, value = line.partition(": ")
                    if not line and event:
                        yield event
                        event = {}
                    elif name in ("id", "event"):
                        event[name] = value
                    elif name == "data":
                        event["data"] = json.loads(value)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


async def whole(server: Server, content: str) -> list[Event]:
    return [event async for event in server.follow(await server.say(content))]


async def killed(server: Server) -> list[Event]:
    """The server dies in mid-answer; the reader comes back with the last id it saw."""
    turn = await server.say("survive a crash")
    events: list[Event] = []
    async for event in server.follow(turn):
        events.append(event)
        if len([one for one in events if one["event"] == "delta"]) == 2:
            await server.kill()
    server.start()
    await server.ready()
    events += [event async for event in server.follow(turn, events[-1]["id"])]
    return events


async def stopped(server: Server) -> list[Event]:
    turn = await server.say("be stopped")
    events: list[Event] = []
    async for event in server.follow(turn):
        events.append(event)
        if event["event"] == "delta" and len(events) == 3:
            await server.cancel(turn)
    return events


async def duplicated(server: Server) -> list[Event]:
    """A reader that loses its connection and comes back without saying where it was: the prefix comes twice."""
    turn = await server.say("once again")
    events: list[Event] = []
    async for event in server.follow(turn):
        events.append(event)
        if len(events) == 5:
            break
    return events + [event async for event in server.follow(turn)]


async def main() -> None:
    TO.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="retinue-traces-"))
    async with ScriptedModels(SCRIPT) as models:
        server = Server(home, models)
        server.init()
        server.start()
        await server.ready()
        try:
            traces = {
                "plain": await whole(server, "Tell it plainly"),
                "tools": await whole(server, "Use your tools"),
                "takeover": await killed(server),
                "cancelled": await stopped(server),
                "failed": await whole(server, "Be refused"),
                "duplicates": await duplicated(server),
            }
        finally:
            await server.kill()
            shutil.rmtree(home, ignore_errors=True)
    for name, events in traces.items():
        (TO / f"{name}.json").write_text(json.dumps(events, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    asyncio.run(main())

"""Test an agent without a model: a scripted provider speaks the real API over HTTP, and the agent's turn is real.

This starts a Retinue of its own in a folder of its own, so that no provider key of yours is used.
"""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

import httpx

from retinue.testing import scripts
from retinue.testing.models import ScriptedModels
from retinue.testing.scripts import Call, Match, Step

SCRIPT = scripts.of(
    Step(match=Match(contains="time"), calls=(Call(tool="current_time", arguments={"time_zone": "Asia/Tokyo"}),)),
    Step(match=Match(after_result=True), text="Time to go home."),
)


async def main() -> None:
    async with ScriptedModels(SCRIPT) as model:
        home = Path(tempfile.mkdtemp())
        own = {"RETINUE_HOME": str(home), "RETINUE_DEFAULT_MODEL": "openai/gpt-4o"}
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "retinue.cli", "serve", "--port", "0"),
            env={**os.environ, **own, **model.env()},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            print("reply:", await ask(home / "cli.json", "@assistant what time is it?"))
            print("the model was asked", len(model.requests), "times")
        finally:
            server.terminate()
            await server.wait()


async def ask(place_file: Path, content: str) -> str:
    async with asyncio.timeout(60):
        while not place_file.exists():
            await asyncio.sleep(0.1)
    place = json.loads(place_file.read_text())
    headers = {"Authorization": f"Bearer {place['api_key']}", "Prefer": "wait=30"}
    async with httpx.AsyncClient(base_url=place["url"], headers=headers, timeout=60) as client:
        answer = await client.post(f"/v1/channels/{place['channel_id']}/messages", json={"content": content})
        return answer.raise_for_status().json()["replies"][0]["content"]


asyncio.run(main())

# prints: reply: Time to go home.
# prints: the model was asked 2 times

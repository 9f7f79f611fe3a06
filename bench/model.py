"""A language model over HTTP for benchmarks, in a process of its own: OpenAI's chat API, as slow as the message says.

A message that contains ``delay=0.5 pieces=20 gap=0.02`` is answered after half a second by twenty pieces, one each
20 ms. The first piece says when it left (``@`` and the monotonic clock, which all processes share); the others count.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from bench import harness

app = FastAPI()


@dataclass(frozen=True)
class Script:
    """How one answer is given: seconds before the first piece, how many, seconds between them."""

    delay: float = 0.0
    pieces: int = 1
    gap: float = 0.0

    def words(self) -> str:
        """The message that asks for it."""
        return f"Please: delay={self.delay} pieces={self.pieces} gap={self.gap}"


def script(body: dict[str, Any]) -> Script:
    """What the last message of a person asks for."""
    text = next((json.dumps(message) for message in reversed(body["messages"]) if message["role"] == "user"), "")
    found = dict(re.findall(r"(delay|pieces|gap)=([\d.]+)", text))
    return Script(float(found.get("delay", 0)), int(found.get("pieces", 1)), float(found.get("gap", 0)))


def text(number: int) -> str:
    """Piece ``number``; the first one carries the time."""
    return f"@{time.monotonic():.6f} " if number == 0 else f"{number} "


@app.post("/v1/chat/completions", response_model=None)
async def complete(request: Request) -> Any:
    body = await request.json()
    asked = script(body)
    if body.get("stream"):
        return StreamingResponse(pieces(body["model"], asked), media_type="text/event-stream")
    await asyncio.sleep(asked.delay + asked.gap * (asked.pieces - 1))
    message = {"role": "assistant", "content": "".join(text(number) for number in range(asked.pieces))}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return frame(body["model"], choice, "chat.completion") | {"usage": usage(asked)}


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


def usage(asked: Script) -> dict[str, int]:
    return {"prompt_tokens": 20, "completion_tokens": asked.pieces, "total_tokens": 20 + asked.pieces}


def frame(model: str, choice: dict[str, Any] | None, kind: str = "chat.completion.chunk") -> dict[str, Any]:
    return {"id": "bench", "object": kind, "created": 0, "model": model, "choices": [choice] if choice else []}


async def pieces(model: str, asked: Script) -> AsyncIterator[str]:
    """The answer as server-sent events."""
    await asyncio.sleep(asked.delay)
    for number in range(asked.pieces):
        if number:
            await asyncio.sleep(asked.gap)
        choice = {"index": 0, "delta": {"role": "assistant", "content": text(number)}, "finish_reason": None}
        yield f"data: {json.dumps(frame(model, choice))}\n\n"
    yield f"data: {json.dumps(frame(model, {'index': 0, 'delta': {}, 'finish_reason': 'stop'}))}\n\n"
    yield f"data: {json.dumps(frame(model, None) | {'usage': usage(asked)})}\n\ndata: [DONE]\n\n"


@asynccontextmanager
async def started(env: dict[str, str], home: Path) -> AsyncIterator[dict[str, str]]:
    """The model's process; yields the environment that sends every model request to it."""
    port = harness.free_port()
    with harness.process([sys.executable, "-m", "bench.model", str(port)], env, home / "model.log"):
        async with httpx.AsyncClient(timeout=1) as client:

            async def answers() -> bool:
                try:
                    return (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200
                except httpx.TransportError:
                    return False

            await harness.until(answers, 20, "the scripted model")
        yield env | {"LLM_PROXY_BASE_URL": f"http://127.0.0.1:{port}/v1", "LLM_PROXY_API_KEY": "bench"}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")

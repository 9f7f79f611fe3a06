"""A language model provider that plays a script, over real HTTP on this machine.

Speaks OpenAI's chat API (``/v1/chat/completions``) and Anthropic's messages API (``/v1/messages``), streaming and not,
so that an agent is tested with the real provider clients. Runs in a thread of its own: a test that blocks its event
loop does not stop it. Not a general mock of these APIs: it knows what agents use.
"""

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType, TracebackType
from typing import Any, Self

import uvicorn

from retinue.testing import anthropic, openai
from retinue.testing.scripts import Fault, Request, Script, Step

KEY = "scripted-key"
START_SECONDS = 10.0
JSON = [(b"content-type", b"application/json")]
EVENTS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
DIALECTS: dict[str, ModuleType] = {"/v1/chat/completions": openai, "/v1/messages": anthropic}
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Cut(Exception):
    """Ends a response without finishing it: uvicorn then closes the connection."""


def without_cuts(record: logging.LogRecord) -> bool:
    """Keeps the cuts that a script asked for out of the log."""
    return not (record.exc_info and record.exc_info[0] is Cut)


class ScriptedModels:
    """``async with ScriptedModels(script) as server``: listens at ``server.base_url`` until the end of the block."""

    def __init__(self, script: Script, *, port: int = 0) -> None:
        """``port`` 0 takes a free one."""
        self.script = script
        self._port = port
        self._lock = threading.Lock()
        self._used: dict[int, int] = {}
        self._requests: list[Request] = []
        self._unmatched: list[Request] = []
        self._reached: dict[str, threading.Event] = {}
        self._released: dict[str, asyncio.Event] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """``http://127.0.0.1:port``, without a path."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def requests(self) -> list[Request]:
        """What was asked so far, in order."""
        with self._lock:
            return list(self._requests)

    @property
    def unmatched(self) -> list[Request]:
        """Requests that no step answered."""
        with self._lock:
            return list(self._unmatched)

    def env(self) -> dict[str, str]:
        """Environment variables that send a Retinue process to this server for OpenAI's and Anthropic's models."""
        return {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": f"{self.base_url}/v1",
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": self.base_url,
        }

    def release(self, name: str) -> None:
        """Lets every reply that holds at ``name`` go on, and those that will."""
        with self._lock:
            event, loop = self._released.setdefault(name, asyncio.Event()), self._loop
        if loop is None:
            event.set()
        else:
            loop.call_soon_threadsafe(event.set)

    async def reached(self, name: str, timeout_seconds: float = 10.0) -> None:
        """Waits until a reply holds at ``name``. Raises TimeoutError."""
        if not await asyncio.to_thread(self._reached_event(name).wait, timeout_seconds):
            raise TimeoutError(f"no reply has come to the hold {name!r}")

    def _reached_event(self, name: str) -> threading.Event:
        with self._lock:
            return self._reached.setdefault(name, threading.Event())

    # ── life ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Listens; returns when requests are taken. Raises OSError when the port is in use."""
        listener = _listen(self._port)
        self._port = listener.getsockname()[1]
        logging.getLogger("uvicorn.error").addFilter(without_cuts)
        config = uvicorn.Config(
            self._app, interface="asgi3", log_config=None, access_log=False, lifespan="off", ws="none",
            loop="asyncio", proxy_headers=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        with socket.create_connection(("127.0.0.1", self._port), timeout=START_SECONDS) as probe:
            probe.sendall(b"GET /v1/models HTTP/1.1\r\nhost: scripted\r\nconnection: close\r\n\r\n")
            while probe.recv(4096):
                pass

    def stop(self) -> None:
        """Stops listening and ends every reply that is still under way."""
        for name in list(self._released):
            self.release(name)
        if self._server and self._thread:
            self._server.should_exit = self._server.force_exit = True
            self._thread.join(START_SECONDS)

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    # ── answering ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _app(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        path = str(scope["path"])
        body = await _body(receive)
        dialect = DIALECTS.get(path)
        if dialect is None or scope["method"] != "POST":
            await self._other(path, send)
            return
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        request, step = self._take(dialect, body, headers)
        if step is None:
            await self._refuse(
                dialect, Fault(kind="bad_request", message="The script has no answer to this."), request, send
            )
            return
        await self._play(dialect, step, request, send)

    def _take(self, dialect: ModuleType, body: bytes, headers: Mapping[str, str]) -> tuple[Request, Step | None]:
        """Records a request and takes the step that answers it."""
        with self._lock:
            request: Request = dialect.read(json.loads(body), headers, len(self._requests) + 1)
            self._requests.append(request)
            for place, step in enumerate(self.script.steps):
                left = step.times is None or self._used.get(place, 0) < step.times
                if left and step.match.fits(request) and (step.when is None or step.when(request)):
                    self._used[place] = self._used.get(place, 0) + 1
                    return request, step
            if self.script.default is None:
                self._unmatched.append(request)
            return request, self.script.default

    async def _other(self, path: str, send: Send) -> None:
        """Lists and controls: the models, the requests so far, holds, and a token for OAuth clients."""
        head, _, name = path.rpartition("/")
        names = sorted({step.match.model or "scripted" for step in self.script.steps} | {"scripted"})
        match head, name:
            case "/v1", "models":
                listed = [{"id": model, "object": "model", "type": "model", "display_name": model} for model in names]
                await _json(send, 200, {"object": "list", "data": listed, "has_more": False})
            case "/api", "tags":
                await _json(send, 200, {"models": [{"name": model} for model in names]})
            case "/oauth2", "token":
                await _json(send, 200, {"access_token": "scripted-token", "token_type": "Bearer", "expires_in": 3600})
            case "/scripted", "requests":
                await _json(send, 200, [request.model_dump(mode="json") for request in self.requests])
            case "/scripted", "held":
                await _json(send, 200, sorted(name for name, event in self._reached.items() if event.is_set()))
            case "/scripted/release", _:
                self.release(name)
                await _json(send, 200, {"released": name})
            case _:
                await _json(send, 404, {"error": {"message": f"The scripted server has no {path}."}})

    async def _play(self, dialect: ModuleType, step: Step, request: Request, send: Send) -> None:
        fault = step.fault
        if step.hold and step.hold_after == 0:
            await self._hold(step.hold)
        if fault and fault.after is None:
            await self._refuse(dialect, fault, request, send)
        elif request.stream:
            await self._stream(dialect, step, request, send)
        else:
            await asyncio.sleep(step.delay)
            await _json(send, 200, dialect.whole(step, request), cut=fault is not None)

    async def _stream(self, dialect: ModuleType, step: Step, request: Request, send: Send) -> None:
        begin, pieces, end = dialect.stream(step, request)
        after = len(pieces) if step.fault is None else min(step.fault.after or 0, len(pieces))
        await send({"type": "http.response.start", "status": 200, "headers": EVENTS})
        await _more(send, b"".join(begin))
        for place, piece in enumerate(pieces[:after]):
            if step.hold and place and place == step.hold_after:
                await self._hold(step.hold)
            await asyncio.sleep(step.delay)
            await _more(send, piece)
        if step.fault is not None:
            await self._break(dialect, step.fault, request, send)
        else:
            await _more(send, b"".join(end))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _break(self, dialect: ModuleType, fault: Fault, request: Request, send: Send) -> None:
        """A failure in the middle of a stream."""
        if fault.kind == "cut":
            raise Cut
        await _more(send, dialect.GARBAGE if fault.kind == "garbage" else dialect.error_event(fault, request))

    async def _refuse(self, dialect: ModuleType, fault: Fault, request: Request, send: Send) -> None:
        """A failure instead of a reply."""
        if fault.kind == "cut":
            await send({"type": "http.response.start", "status": 200, "headers": EVENTS})
            raise Cut
        if fault.kind == "garbage":
            await _answer(send, 200, b"<html>this is not JSON</html>", JSON)
            return
        status, body = dialect.error(fault, request)
        headers = [(b"retry-after", f"{fault.retry_after:g}".encode())] if fault.retry_after is not None else []
        await _answer(send, status, json.dumps(body).encode(), [*JSON, *headers])

    async def _hold(self, name: str) -> None:
        self._reached_event(name).set()
        with self._lock:
            released = self._released.setdefault(name, asyncio.Event())
        await released.wait()


def _listen(port: int) -> socket.socket:
    """A listening socket. asyncio turns Nagle's delay of 40 ms off only where the protocol is named."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise
    listener.listen(2048)
    return listener


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = bool(message.get("more_body"))
    return body


async def _more(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _json(send: Send, status: int, value: Any, *, cut: bool = False) -> None:
    """A whole JSON answer; with ``cut``, half of it and then no more."""
    data = json.dumps(value).encode()
    if not cut:
        await _answer(send, status, data, JSON)
        return
    length = (b"content-length", str(len(data)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*JSON, length]})
    await _more(send, data[: len(data) // 2])
    raise Cut


async def _answer(send: Send, status: int, data: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(data)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": data, "more_body": False})

"""One serving process: a node, its HTTP server, its signals. How several of them run together is ``supervisor``'s."""

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
import uvloop

from retinue import app, errors, telemetry
from retinue.settings import Settings

log = telemetry.logger(__name__)

GRACE_SECONDS = 1
"""How long open answers (event streams, mostly) may go on after the worker has left; clients come back themselves."""
EXIT_INTERRUPTED = 130
OnReady = Callable[[app.Node], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What this process does."""

    api: bool = True
    worker: bool = True
    child: bool = False
    """True for one of several processes: the parent has migrated, and holds our standard input open while it lives."""


# ── the port ─────────────────────────────────────────────────────────────────────────────────────────────────────


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A bound socket. ``shared``: processes of ours share the port. Raises ``PortTaken``, ``Misconfigured``."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError as error:
        raise _unbound(host, port, error) from error
    return bound


def _unbound(host: str, port: int, error: OSError) -> errors.Misconfigured:
    if error.errno == errno.EADDRINUSE:
        return app.PortTaken(
            f"Port {port} on {host} is taken by another program (or Retinue runs there already). "
            f"Choose another one: retinue serve --port {port + 1} (or set RETINUE_PORT)."
        )
    if error.errno == errno.EACCES:
        return errors.Misconfigured(f"This user may not open port {port}. Choose one above 1023: --port 8000.")
    return errors.Misconfigured(f"{host} is no address of this machine: {error}. Set --host (127.0.0.1, 0.0.0.0, ...).")


def reserve(host: str, port: int) -> socket.socket:
    """Hold a port that several processes will listen on, and make sure that nobody else does."""
    probe = bind(host, port)
    port = probe.getsockname()[1]
    probe.close()
    return bind(host, port, shared=True)


# ── signals ──────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """An event that the first Ctrl-C or SIGTERM sets; the second cancels the current task, the third ends it all."""
    stop = asyncio.Event()
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    count = 0

    def on_signal() -> None:
        nonlocal count
        count += 1
        if count == 1:
            log.info("stopping; once more to stop at once")
            stop.set()
        elif count == 2 and task is not None:
            task.cancel()
        else:
            os._exit(EXIT_INTERRUPTED)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def run(main: Coroutine[Any, Any, int]) -> int:
    """Run ``main`` on uvloop to its exit code. Errors of the tree pass; a forced stop gives 130."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(main)
        except (asyncio.CancelledError, KeyboardInterrupt):
            return EXIT_INTERRUPTED


@contextmanager
def _with_parent(stop: asyncio.Event, child: bool) -> Iterator[None]:
    """Stop when the parent is gone, however it went: its end of our standard input closes."""
    if not child:
        yield
        return
    loop = asyncio.get_running_loop()

    def on_readable() -> None:
        if os.read(0, 1024) == b"":
            loop.remove_reader(0)
            stop.set()

    loop.add_reader(0, on_readable)
    try:
        yield
    finally:
        loop.remove_reader(0)


# ── serving ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Http(uvicorn.Server):
    """uvicorn without signals of its own."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop_accepting(self) -> None:
        """Take no more connections; those that stand go on."""
        for server in self.servers:
            server.close()


async def serve(settings: Settings, plan: Plan, on_ready: OnReady) -> int:
    """Open a node and serve until a signal; then drain, close, and stop what was started. Returns the exit code.

    Raises ``Misconfigured`` (``PortTaken``) and ``DatabaseDown`` when it cannot start.
    """
    telemetry.configure(settings)
    with stopping() as stop, _with_parent(stop, plan.child):
        bound = bind(settings.host, settings.port, shared=plan.child) if plan.api else None
        try:
            if bound is not None:
                settings = settings.model_copy(update={"port": bound.getsockname()[1]})
            opening = app.node(settings, api=plan.api, worker=plan.worker, migrated=plan.child)
            async with opening as node, _http(node, bound):
                _settle_memory()
                await on_ready(node)
                await stop.wait()
        finally:
            if bound is not None:
                bound.close()
    return 0


def _settle_memory() -> None:
    """Take what was loaded at the start out of the garbage collector's sight; look at young objects less often.

    A full collection would walk through some 300,000 objects that never go away, and everyone would wait for it for
    300 ms.
    """
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


@asynccontextmanager
async def _http(node: app.Node, bound: socket.socket | None) -> AsyncIterator[None]:
    """Serve the node's API around the body; at the end: no new connections, drain the worker, then end the answers."""
    if node.api is None or bound is None:
        yield
        await node.drain()
        return
    config = uvicorn.Config(
        node.api, http="httptools", ws="none", lifespan="on", log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS, backlog=2048,
    )  # fmt: skip
    server = Http(config)
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve([bound]))
        await server.listening.wait()
        try:
            yield
        except Exception as error:  # carried past the group, which would wrap it
            failure = error
        server.stop_accepting()
        await node.drain()
        node.hub.close()
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # cut streams are no errors
        server.should_exit = True
    if failure is not None:
        raise failure

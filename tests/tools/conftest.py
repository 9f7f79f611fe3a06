"""Real local servers that answer as a test says, and an account with a user, an agent and a channel."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Bootstrapped, Principal, Role
from retinue.domain.tools import ToolContext
from retinue.store import accounts
from retinue.tools import egress, registry
from retinue.tools.registry import Context

KEY = registry._KEY  # pyright: ignore[reportPrivateUsage]


@dataclass
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]] | None
Handler = Callable[[Seen], Answer]


def http(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of an HTTP answer."""
    lines = {"content-length": str(len(body)), "connection": "close"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body


@dataclass
class Server:
    """A server on 127.0.0.1 that records what it was sent. An answer of None closes the connection without one."""

    port: int
    handler: Handler
    seen: list[Seen] = field(default_factory=list[Seen])

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@asynccontextmanager
async def serving(handler: Handler, ssl: Any = None) -> AsyncIterator[Server]:
    """A running server."""

    # The loop itself holds a handler weakly: one that waits only for its own connection could be collected in mid-wait.
    at_work = set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        at_work.add(task)
        task.add_done_callback(at_work.discard)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _ = head[0].split(" ", 2)
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            server.seen.append(Seen(method, path, headers, body))
            answer = server.handler(server.seen[-1])
            if callable(answer):
                await answer(writer)
            elif answer:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=ssl)
    server = Server(listener.sockets[0].getsockname()[1], handler)
    try:
        yield server
    finally:
        listener.close()
        for task in at_work:
            task.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Start servers that live as long as the test."""
    open_servers: list[Any] = []

    async def start(handler: Handler | bytes, ssl: Any = None) -> Server:
        fixed = handler if callable(handler) else lambda _: handler
        context = serving(fixed, ssl)
        server = await context.__aenter__()
        open_servers.append(context)
        return server

    yield start
    for context in reversed(open_servers):
        await context.__aexit__(None, None, None)


@asynccontextmanager
async def client(allow: str = "", **options: Any) -> AsyncIterator[egress.Client]:
    """A guarded client, closed at the end."""
    made = egress.Client(allow, **options)
    try:
        yield made
    finally:
        await made.close()


@dataclass
class World:
    """An account and what is in it."""

    db: Database
    made: Bootstrapped
    egress: egress.Client

    @property
    def account(self) -> UUID:
        return self.made.account.id

    @property
    def owner(self) -> Principal:
        return Principal(account_id=self.account, user_id=self.made.owner.id, role=Role.OWNER)

    def call(self, **changes: Any) -> ToolContext:
        values: dict[str, Any] = {
            "account_id": self.account,
            "user_id": self.made.owner.id,
            "agent_id": self.made.agent.id,
            "interaction_id": ids.new(),
            "thread_id": ids.new(),
            "channel_id": self.made.channel.id,
            "call_id": ids.new(),
            "idempotency_key": "int_1:3",
            "agent_name": "Assistant",
            "instruction": "Find out who Acme is",
        }
        return ToolContext(**(values | changes))

    async def run(self, tool: registry.Tool, arguments: dict[str, Any], **changes: Any) -> Any:
        """Run a tool as the gate would."""
        if not tool.spec.inside:
            return await tool.run(KEY, Context(call=self.call(**changes), egress=self.egress), arguments)
        async with self.db.tenant_tx(self.account) as tx:
            return await tool.run(KEY, Context(call=self.call(**changes), egress=self.egress, tx=tx), arguments)


@pytest.fixture
async def world(db: Database) -> AsyncIterator[World]:
    """A first account, its owner, the Assistant and the organisation channel; egress may reach 127.0.0.1."""
    async with client("127.0.0.1") as made:
        yield World(db, await accounts.bootstrap(db), made)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for good.example, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "good.example")])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("good.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "cert.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"

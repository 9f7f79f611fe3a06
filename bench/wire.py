"""A lean HTTP/1.1 client on asyncio streams: what it costs must not be mistaken for what the server costs.

One ``Connection`` is one kept-open socket. ``events`` reads server-sent events of a streaming answer.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

LIMIT = 1024 * 1024


@dataclass(frozen=True)
class Told:
    """One server-sent event."""

    event: str
    data: dict[str, Any]
    id: str | None


class Connection:
    """One socket to one server, opened at the first use."""

    def __init__(self, base: str, key: str) -> None:
        address = urlsplit(base)
        self._host, self._port = address.hostname or "127.0.0.1", address.port or 80
        self._head = f"Host: {self._host}:{self._port}\r\nAuthorization: Bearer {key}\r\n"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer."""
        payload = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\n{self._head}Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n"
        )
        headers = await self._send(head.encode() + b"\r\n" + payload)
        return headers.status, json.loads(await self._body(headers) or b"{}")

    async def events(self, path: str, after: str | None = None) -> AsyncIterator[Told]:
        """The events of a stream from its start or after the event ``after``; ends when the server ends it."""
        extra = f"Last-Event-ID: {after}\r\n" if after else ""
        headers = await self._send(
            f"GET {path} HTTP/1.1\r\n{self._head}{extra}Accept: text/event-stream\r\n\r\n".encode()
        )
        if headers.status != 200:
            raise RuntimeError(f"the stream answered {headers.status}: {(await self._body(headers))[:500]!r}")
        buffer = b""
        async for piece in self._pieces(headers):
            buffer = (buffer + piece).replace(b"\r\n", b"\n")
            while b"\n\n" in buffer:
                block, buffer = buffer.split(b"\n\n", 1)
                told = parse(block.decode())
                if told:
                    yield told

    async def _send(self, request: bytes) -> "Headers":
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=LIMIT)
        self._writer.write(request)
        await self._writer.drain()
        raw = await self._reader.readuntil(b"\r\n\r\n")
        return Headers.parse(raw.decode("latin-1"))

    async def _body(self, headers: "Headers") -> bytes:
        return b"".join([piece async for piece in self._pieces(headers)])

    async def _pieces(self, headers: "Headers") -> AsyncIterator[bytes]:
        assert self._reader
        if not headers.chunked:
            yield await self._reader.readexactly(headers.length)
            return
        while True:
            size = int((await self._reader.readline()).strip() or b"0", 16)
            piece = await self._reader.readexactly(size + 2)
            if size == 0:
                return
            yield piece[:-2]

    def cut(self) -> None:
        """Close the socket at once, as a lost network would."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


@dataclass(frozen=True)
class Headers:
    """What of an answer's head matters here."""

    status: int
    length: int
    chunked: bool

    @classmethod
    def parse(cls, text: str) -> "Headers":
        first, *lines = text.split("\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return cls(
            int(first.split(" ")[1]),
            int(fields.get("content-length", 0)),
            "chunked" in fields.get("transfer-encoding", ""),
        )


def parse(block: str) -> Told | None:
    """One event of its lines; None for a comment."""
    fields: dict[str, str] = {}
    for line in block.split("\n"):
        name, separator, value = line.partition(":")
        if separator and name:
            fields[name] = (fields[name] + "\n" if name in fields else "") + value.removeprefix(" ")
    if "data" not in fields:
        return None
    return Told(fields.get("event", "message"), json.loads(fields["data"] or "{}"), fields.get("id"))

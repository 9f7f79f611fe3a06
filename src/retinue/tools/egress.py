"""The only outbound HTTP client of tools, transports and hooks: guarded against reaching inside the network (TOOL-25).

The guard sits where connections are made: it resolves the host itself, checks every address and connects to the very
address it checked, while TLS still verifies the name. Every hop of a redirect passes the same guard. One call is one
connection, so that an error before the request's first byte is known to have done nothing.
"""

import asyncio
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpcore
import httpx

from retinue import errors
from retinue.domain import addresses
from retinue.domain.addresses import Allowed

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Host and port to addresses."""

MAX_REDIRECTS = 3
MOST_ADDRESSES = 8
DEFAULTS = {"user-agent": "retinue", "accept": "*/*", "accept-encoding": "identity"}
KEPT_HEADERS = frozenset({"accept", "accept-encoding", "content-type", "user-agent", "content-length"})
"""All that a request keeps when a redirect leads to another origin: credentials and signatures stay behind."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Request:
    """One outbound call. Times are seconds; ``max_bytes`` bounds the body both as sent and unpacked."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes = b""
    timeout: float = 30.0
    connect_timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, whole."""

    status: int
    headers: httpx.Headers
    content: bytes
    url: str


class Unreached(errors.ToolTransient):
    """The address could not be reached."""

    code = "unreachable"


class Broken(errors.ToolTransient):
    """The connection failed after the request was sent."""

    code = "connection_lost"


def refuse(why: str) -> errors.ToolRefused:
    """The guard's refusal, in words that name no inside address."""
    return errors.ToolRefused(f"This call may not be made: {why}.", code="egress_refused")


async def system_resolver(host: str, port: int) -> list[str]:
    """Ask the operating system, off the event loop."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Guard(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only."""

    def __init__(self, allowed: Allowed, resolver: Resolver) -> None:
        self._allowed = allowed
        self._resolver = resolver
        self._network: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()  # pyright: ignore[reportAttributeAccessIssue]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check, connect. Raises ``ToolRefused`` (``egress_refused``) or httpcore's connection errors."""
        failure: Exception = httpcore.ConnectError("no address")
        for address in (await self.addresses(host, port))[:MOST_ADDRESSES]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def addresses(self, host: str, port: int) -> list[str]:
        """The host's addresses, all of them checked: one bad one spoils the name."""
        host = host.lower().rstrip(".")
        try:
            known = addresses.literal(host)
        except ValueError as error:
            raise refuse(f"the host is {error}") from None
        if known is None:
            try:
                found = [_address(text) for text in await self._resolver(host, port)]
            except OSError as error:
                raise httpcore.ConnectError("the host's name is not known") from error
        else:
            found = [known]
        for address in found:
            if address is None or (addresses.forbidden(address) and not self._allowed.opens(host, address, port)):
                raise refuse("the host is inside a private network")
        if host in addresses.METADATA_HOSTS and not self._allowed.hosts & {(host, None), (host, port)}:
            raise refuse("the host is a metadata service")
        return [str(address) for address in found]


def _address(text: str) -> addresses.Address | None:
    try:
        return addresses.literal(text)
    except ValueError:
        return None


class Transport(httpx.AsyncBaseTransport):
    """The guard as an httpx transport, for libraries that bring their own client."""

    def __init__(self, guard: Guard, verify: Any = True) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(verify=verify, trust_env=False),
            network_backend=guard,
            max_keepalive_connections=0,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        check_url(request.url)
        response = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                content=request.stream,
                headers=request.headers.raw,
                extensions=request.extensions,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
            )
        )
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=cast(Any, response.extensions),  # pyright: ignore[reportUnknownMemberType]
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.aiter_stream():
            yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()


def check_url(url: httpx.URL) -> None:
    """What can be refused before the name is resolved. Raises ``ToolRefused``."""
    if url.scheme not in ("http", "https"):
        raise refuse("only http and https addresses are called")
    if url.userinfo:
        raise refuse("the address carries a user name or password")
    if not url.host:
        raise refuse("the address has no host")
    try:
        addresses.literal(url.raw_host.decode("ascii"))
    except ValueError as error:
        raise refuse(f"the host is {error}") from None


class Client:
    """Makes calls. One per process; holds no connection between calls and no cookies."""

    def __init__(
        self, allow: str = "", max_bytes: int = 1024 * 1024, *, resolver: Resolver = system_resolver, verify: Any = True
    ) -> None:
        """``allow``: the operator's opened private targets. Raises ``Misconfigured`` when it cannot be read."""
        try:
            allowed = Allowed.parse(allow)
        except ValueError as error:
            raise errors.Misconfigured(f"RETINUE_EGRESS_ALLOW: {error}.") from error
        self.max_bytes = max_bytes
        self._transport = Transport(Guard(allowed, resolver), verify)

    async def close(self) -> None:
        await self._transport.aclose()

    async def send(self, request: Request) -> Response:
        """Make one call, following checked redirects.

        Raises ``ToolRefused`` (``egress_refused``, ``invalid_url``), ``Unreached`` (nothing was sent), ``Broken`` or
        ``ToolTransient`` (``timeout``) with ``data["sent"]`` telling whether the request had begun to leave, and
        ``ToolError`` (``response_too_large``, ``bad_response``).
        """
        sent: list[str] = []
        try:
            async with asyncio.timeout(request.timeout):
                return await self._follow(request, sent)
        except TimeoutError as error:
            raise errors.ToolTransient(
                f"No full answer within {request.timeout:g} seconds.", code="timeout", sent=bool(sent)
            ) from error
        except errors.ToolError as error:
            error.data.setdefault("sent", bool(sent))
            raise

    async def _follow(self, request: Request, sent: list[str]) -> Response:
        url, method = _parse(request.url), request.method.upper()
        headers = DEFAULTS | {name.lower(): value for name, value in request.headers.items()}
        connect = min(request.connect_timeout, request.timeout)
        timeouts = httpx.Timeout(request.timeout, connect=connect).as_dict()
        for _ in range(MAX_REDIRECTS + 1):
            extensions = {"trace": _tracer(sent), "timeout": timeouts}
            outgoing = httpx.Request(
                method, url, headers=headers, content=request.content or None, extensions=extensions
            )
            async with self._exchange(outgoing, sent) as response:
                if response.status_code not in REDIRECTS or "location" not in response.headers:
                    body = await _read(response, self.max_bytes)
                    return Response(response.status_code, response.headers, body, str(url))
                target = _target(url, response, method)
            if _origin(target) != _origin(url):
                headers = {name: value for name, value in headers.items() if name in KEPT_HEADERS}
            url = target
        raise refuse(f"more than {MAX_REDIRECTS} redirects")

    @asynccontextmanager
    async def _exchange(self, outgoing: httpx.Request, sent: list[str]) -> AsyncIterator[httpx.Response]:
        try:
            response = await self._transport.handle_async_request(outgoing)
            try:
                yield response
            finally:
                await response.aclose()
        except (
            httpcore.TimeoutException,
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpx.TransportError,
            OSError,
        ) as error:
            if sent:
                raise Broken("The connection was lost before the whole answer had come.") from error
            raise Unreached("The address could not be reached.") from error


def _tracer(sent: list[str]) -> Callable[[str, Any], Awaitable[None]]:
    async def trace(event: str, _: Any) -> None:
        if event.endswith("send_request_headers.started"):
            sent.append(event)

    return trace


def _parse(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise errors.ToolRefused("This is not a web address.", code="invalid_url") from error


def _target(url: httpx.URL, response: httpx.Response, method: str) -> httpx.URL:
    """Where a redirect leads. Raises ``ToolRefused`` for one that would change the request or weaken it."""
    if method not in ("GET", "HEAD") and response.status_code not in (307, 308):
        raise refuse(f"a redirect ({response.status_code}) would drop the request's body")
    target = url.join(_parse(response.headers["location"]))
    if url.scheme == "https" and target.scheme != "https":
        raise refuse("a redirect leads from https to http")
    return target


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


async def _read(response: httpx.Response, limit: int) -> bytes:
    """The body, unpacked, stopping at the limit. A bomb is cut off before it unfolds."""
    unpack = _unpacker(response.headers.get("content-encoding", "identity").strip().lower())
    body = bytearray()
    packed = 0
    async for chunk in response.aiter_raw():
        packed += len(chunk)
        body += unpack(chunk, limit - len(body) + 1)
        if len(body) > limit or packed > limit:
            raise errors.ToolError(f"The answer is larger than {limit} bytes.", code="response_too_large")
    return bytes(body)


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    if encoding in ("", "identity"):
        return lambda chunk, _: chunk
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise errors.ToolError("The answer is packed in a way that was not asked for.", code="bad_response")
    machine = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def unpack(chunk: bytes, most: int) -> bytes:
        try:
            return machine.decompress(chunk, most)
        except zlib.error as error:
            raise errors.ToolError("The answer's packing is damaged.", code="bad_response") from error

    return unpack

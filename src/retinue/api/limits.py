"""How much one caller may send: size of a body, requests per second. Money and turns are limited by the gate."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from retinue import errors
from retinue.api import idempotency
from retinue.domain.accounts import Principal

REMEMBERED = 50_000
BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
LIMITED = "/v1/"
FORM_BYTES = 16 * 1024
"""What the form around a file may take."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a bucket said. ``retry_after`` is 0 when the request may go on; ``reset`` is when the bucket is full."""

    allowed: bool
    remaining: int
    retry_after: float
    reset: float


class Buckets:
    """Token buckets in this process, one per caller; those not seen for longest are forgotten first."""

    def __init__(self, per_second: float, burst: int, now: Callable[[], float] = time.monotonic) -> None:
        self.per_second = per_second
        self.burst = burst
        self._now = now
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> Taken:
        """Take one token of this caller's bucket, if there is one."""
        now = self._now()
        level, at = self._levels.pop(caller, (float(self.burst), now))
        level = min(float(self.burst), level + (now - at) * self.per_second)
        allowed = level >= 1
        level -= 1 if allowed else 0
        self._levels[caller] = (level, now)
        while len(self._levels) > REMEMBERED:
            self._levels.popitem(last=False)
        wait = 0.0 if allowed else (1 - level) / self.per_second
        return Taken(allowed, int(level), wait, (self.burst - level) / self.per_second)

    def check(self, *callers: str) -> None:
        """Take one token of each. Raises ``TooMany`` when a bucket is empty."""
        for caller in callers:
            taken = self.take(caller)
            if not taken.allowed:
                raise errors.TooMany(f"Try again in {math.ceil(taken.retry_after)} s.", retry_after=taken.retry_after)


class BodyLimit:
    """ASGI: 413 for a body over the limit, before more of it than the limit is read.

    A file has a limit of its own, and its route counts what arrives, once it knows who sends it.
    """

    def __init__(self, app: Any, max_bytes: int, max_file_bytes: int) -> None:
        self.app = app
        self._max = max_bytes
        self._max_file = max_file_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length")
        if scope["method"] == "POST" and scope["path"] == idempotency.UPLOADS:
            if declared is not None and (not declared.isdecimal() or int(declared) > self._max_file + FORM_BYTES):
                raise errors.FileTooLarge(f"A file may have at most {self._max_file} bytes.")
        elif declared is None:  # chunked: nobody promised a size
            receive = idempotency.replaying(await self._read(receive), receive)
        elif not declared.isdecimal() or int(declared) > self._max:
            raise self._too_large()
        await self.app(scope, receive, send)

    async def _read(self, receive: Receive) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise errors.BadRequest("The connection ended before the body did.")
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self._max:
                raise self._too_large()
            if not message.get("more_body", False):
                return b"".join(chunks)

    def _too_large(self) -> errors.TooLarge:
        return errors.TooLarge(f"Send at most {self._max} bytes.")


class RateLimit:
    """ASGI: 429 when a key, session or, for those not signed in, an address asks too often; says how much is left."""

    def __init__(self, app: Any, buckets: Buckets) -> None:
        self.app = app
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(LIMITED):
            await self.app(scope, receive, send)
            return
        taken = self._buckets.take(caller_of(scope))
        # headers are added where the answer starts, so that refusals carry them as well
        scope["retinue.rate"] = (self._buckets.burst, taken.remaining, math.ceil(taken.reset))
        if not taken.allowed:
            wait = taken.retry_after
            raise errors.TooMany(f"Wait {math.ceil(wait)} s; RateLimit headers say what is left.", retry_after=wait)
        await self.app(scope, receive, send)


def caller_of(scope: Scope) -> str:
    """Whose bucket: the principal's, else the address's."""
    principal: Principal | None = scope.get("retinue.principal")
    return address_of(scope) if principal is None else idempotency.principal_name(principal)


def address_of(scope: Scope) -> str:
    """``ip:`` and the peer's address (the proxy's word for it where uvicorn trusts one)."""
    client = scope.get("client")
    return f"ip:{client[0] if client else 'local'}"


def add_rate_headers(scope: Scope, message: Message) -> None:
    """Put ``RateLimit-*`` on the start of an answer, if the request was counted."""
    rate: tuple[int, int, int] | None = scope.get("retinue.rate")
    if rate is not None:
        headers = MutableHeaders(scope=message)
        headers["ratelimit-limit"], headers["ratelimit-remaining"], headers["ratelimit-reset"] = map(str, rate)

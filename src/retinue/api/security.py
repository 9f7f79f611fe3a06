"""ASGI: the headers that keep browsers strict, on every answer, and what every request is counted in."""

import time
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from retinue import telemetry
from retinue.api import auth, limits
from retinue.settings import Settings
from retinue.turn.precedence import Precedence

API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""For HTML: nothing but our own. Inline styles only, which component libraries set on elements."""
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # not no-referrer: browsers then send Origin: null with a form
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(self), payment=()",
}


class Security:
    """The outermost layer, so that every answer passes it."""

    def __init__(self, app: Any, settings: Settings, precedence: Precedence) -> None:
        self.app = app
        self._settings = settings
        self._precedence = precedence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.monotonic()
        status = 500

        async def dress(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add(scope, message)
            await send(message)

        try:
            with self._precedence.request():
                await self.app(scope, receive, dress)
        finally:
            _count(scope, status, time.monotonic() - started)

    def _add(self, scope: Scope, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in ALWAYS.items():
            headers.setdefault(name, value)
        page = headers.get("content-type", "").startswith("text/html")
        headers.setdefault("content-security-policy", PAGE_POLICY if page else API_POLICY)
        if scope["path"].startswith("/v1/"):
            headers.setdefault("cache-control", "no-store")
        if auth.is_https(scope, self._settings):
            headers.setdefault("strict-transport-security", "max-age=31536000")
        limits.add_rate_headers(scope, message)


def _count(scope: Scope, status: int, seconds: float) -> None:
    """Count the request under its route's pattern, never its path: labels stay few."""
    route = getattr(scope.get("route"), "path", "none")
    method = scope["method"] if scope["method"] in METHODS else "other"
    telemetry.metrics.http_requests_total.labels(route, method, str(status)).inc()
    telemetry.metrics.http_seconds.labels(route, method).observe(seconds)


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

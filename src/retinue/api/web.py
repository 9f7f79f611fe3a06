"""ASGI: the built web app (``retinue/web``, made by Vite): its files, and its one page at every address that is not the
API's. Knows nothing of accounts, and asks the database nothing.

Where the app is not built (a checkout before ``make setup``), ``welcome`` and the plain sign-in page answer instead.
"""

import re
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse
from starlette.types import Receive, Scope, Send

FOLDER = Path(__file__).parents[1] / "web"
RESERVED = re.compile(r"/(v1|assets|healthz|readyz|metrics|openapi\.json)(/|$)")
"""Addresses that are never the app's page."""
FILE = re.compile(r"/(assets/)?[^./\\\0][^/\\\0]*\.[a-z0-9]+")
FOREVER = "public, max-age=31536000, immutable"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
"""Ours, because those of the machine differ. A file of any other kind is not served."""
ROOT = '<div id="root"></div>'
FORM = """<noscript><main><h1>Sign in to Retinue</h1>
<form method="post" action="/sign-in"><input type="hidden" name="token" value="{token}">
<p>This link works once.</p><button type="submit">Sign in</button></form></main></noscript>"""


class Web:
    """Answers what is the web app's; everything else, and all of it while there is no build, goes on inwards."""

    path = "web"
    """What the numbers of requests call all of it."""

    def __init__(self, app: Any, folder: Path) -> None:
        self.app = app
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._answer(scope) if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else None
        if answer is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = self
        await answer(scope, receive, send)

    def _answer(self, scope: Scope) -> FileResponse | HTMLResponse | None:
        path: str = scope["path"]
        if path.startswith("/v1/"):
            return None
        headers = Headers(scope=scope)
        found = self._file(path, headers) if FILE.fullmatch(path) and path != "/openapi.json" else None
        if found is not None:
            return found
        if path == "/" or ("text/html" in headers.get("accept", "") and not RESERVED.match(path)):
            return self._page(scope)
        return None

    def _file(self, path: str, headers: Headers) -> FileResponse | None:
        found = self._folder / path[1:]
        kind = TYPES.get(found.suffix)
        if kind is None or not found.is_file():
            return None
        caching = FOREVER if path.startswith("/assets/") else "no-cache"
        dressed = {"cache-control": caching, "vary": "accept-encoding"}
        accepted = headers.get("accept-encoding", "")
        for encoding, suffix in ENCODINGS:
            packed = found.with_name(found.name + suffix)
            if encoding in accepted and packed.is_file():
                return FileResponse(packed, headers=dressed | {"content-encoding": encoding}, media_type=kind)
        return FileResponse(found, headers=dressed, media_type=kind)

    def _page(self, scope: Scope) -> HTMLResponse | None:
        try:
            page = (self._folder / "index.html").read_text()
        except FileNotFoundError:
            return None
        if scope["path"] != "/sign-in":
            return HTMLResponse(page, headers={"cache-control": "no-cache"})
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0][:200]
        if token:
            page = page.replace(ROOT, ROOT + FORM.format(token=escape(token, quote=True)))
        return HTMLResponse(page, headers={"cache-control": "no-store"})

"""Taking known secrets out of what came back from outside: by their exact value, and by the forms it travels in.

Whoever is sent a secret may send it back, in an error, a log line, an echo of the request. Not here: finding secrets
that are not known by what they look like (``telemetry.redact``, ``domain.audit``).
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, TypeVar, cast
from urllib.parse import quote, quote_plus

from retinue.errors import ToolError

REDACTED = "[redacted]"
LEAST = 4
"""A shorter value hides nothing, and would be found in every other word."""
LEAST_ENCODED = 6
MOST_ESCAPED = 256
"""Of a longer value, such as a private key, the usual forms are looked for, not every mixture of escapes."""
WEBHOOK_PREFIX = "whsec_"
E = TypeVar("E", bound=ToolError)


class Redactor:
    """Knows some secrets and takes them out of texts, structures and errors."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({form for secret in secrets for form in _plain(secret)}, key=len, reverse=True)
        # the longest first: no end of one is left over by another that is its beginning
        self._texts = sorted({text for secret in known for text in _encoded(secret)}, key=len, reverse=True)
        short = ["".join(map(_escaped, secret)) for secret in known if len(secret) <= MOST_ESCAPED]
        self._pattern = re.compile("|".join(short)) if short else None

    def text(self, text: str) -> str:
        """The text without them."""
        for found in self._texts:
            text = text.replace(found, REDACTED)
        return self._pattern.sub(REDACTED, text) if self._pattern else text

    def value(self, value: Any) -> Any:
        """A JSON value without them, in keys, too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            entries = cast("dict[str, Any]", value)
            return {self.text(key): self.value(entry) for key, entry in entries.items()}
        if isinstance(value, list | tuple):
            return [self.value(entry) for entry in cast("list[Any]", value)]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value if self.text(repr(value)) == repr(value) else REDACTED
        return value

    def error(self, error: E) -> E:
        """The same error without them in its words and data."""
        error.detail = self.text(error.detail)
        error.args = (error.detail,)
        error.data = {name: self.value(entry) for name, entry in error.data.items()}
        return error


def _plain(secret: str) -> set[str]:
    """The secret, and what of it is the key, where that is marked."""
    return {form for form in (secret, secret.removeprefix(WEBHOOK_PREFIX)) if len(form) >= LEAST}


def _encoded(secret: str) -> Iterator[str]:
    """The secret in hex and base64; a long one also as URLs, JSON and HTML usually write it."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield from (raw.hex(), raw.hex().upper())
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield from _within(raw, encode)
    if len(secret) > MOST_ESCAPED:
        in_json = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
        yield from (secret, html.escape(secret), *in_json, *(text.replace("/", r"\/") for text in in_json))
        yield from (quote(raw, safe=""), quote(raw), quote_plus(raw))


@lru_cache(maxsize=1024)
def _escaped(char: str) -> str:
    """A pattern of one character however it is escaped: each place escapes others."""
    percent = "".join(f"%{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
    found = {re.escape(char), f"(?i:{percent})"}
    if not char.isalnum() or not char.isascii():
        entities = {html.escape(char), f"&#{ord(char)};", f"&#x{ord(char):x};", f"&#x{ord(char):02x};", "&apos;"}
        in_json = {json.dumps(char)[1:-1], json.dumps(char, ensure_ascii=False)[1:-1]}
        units = char.encode("utf-16-be", "surrogatepass").hex()
        in_json.add("".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)))
        more = (entities if char == "'" else entities - {"&apos;"}) | in_json
        found |= {f"(?i:{re.escape(text)})" for text in more if text != char}
        found |= {r"\\/"} if char == "/" else {r"\+"} if char == " " else set()
    return f"(?:{'|'.join(sorted(found, key=len, reverse=True))})"


def _within(raw: bytes, encode: Any) -> Iterator[str]:
    """Base64 of these bytes whatever stands before and after them: what of it depends on them alone."""
    for before in range(3):
        text = encode(bytes(before) + raw).decode().rstrip("=")
        first = (before * 8 + 5) // 6  # sextets that hold bits of what stands before
        last = (before + len(raw)) * 8 // 6  # the sextet after that holds bits of what comes after
        if last - first >= LEAST_ENCODED:
            yield text[first:last]
    text = encode(raw).decode()
    if len(text.rstrip("=")) >= LEAST_ENCODED:
        yield text
        yield text.rstrip("=")

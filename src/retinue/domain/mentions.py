"""@mentions in a message's text (TRG-04)."""

import re
import unicodedata

MENTION = re.compile(r"(?<![\w@/.])@([a-z0-9][a-z0-9_-]{0,62})", re.IGNORECASE)
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


def slugs(content: str) -> tuple[str, ...]:
    """The distinct slugs mentioned, in order, lower case. Code spans, e-mail addresses and URLs mention nobody."""
    found = (match.group(1).lower().rstrip("-_") for match in MENTION.finditer(CODE.sub(" ", content)))
    return tuple(dict.fromkeys(found))


def handle(name: str, email: str) -> str:
    """What mentions a person: ``Zoë O'Neil`` is ``@zoe-o-neil``. A name without Latin letters gives way to the e-mail
    address's first part. Two people of one name share it, and are mentioned together."""
    return _slug(name) or _slug(email.partition("@")[0]) or "someone"


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")

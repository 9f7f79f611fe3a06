"""@mentions in a message's text (TRG-04)."""

import re

from retinue.domain.texts import latin

MENTION = re.compile(r"(?<![\w@/.])@([a-z0-9][a-z0-9_-]{0,62})", re.IGNORECASE)
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


def slugs(content: str) -> tuple[str, ...]:
    """The distinct slugs mentioned, in order, lower case. Code spans, e-mail addresses and URLs mention nobody."""
    found = (match.group(1).lower().rstrip("-_") for match in MENTION.finditer(CODE.sub(" ", content)))
    return tuple(dict.fromkeys(found))


def handle(name: str, email: str) -> str:
    """What mentions a person: ``Zoë O'Neil`` is ``@zoe-o-neil``. A name without Latin letters gives way to the e-mail
    address's first part. Two people of one name share it, and are mentioned together."""
    return latin(name) or latin(email.partition("@")[0]) or "someone"

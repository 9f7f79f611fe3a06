"""@mentions in a message's text (TRG-04)."""

import re

MENTION = re.compile(r"(?<![\w@/.])@([a-z0-9][a-z0-9_-]{0,62})", re.IGNORECASE)
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


def slugs(content: str) -> tuple[str, ...]:
    """The distinct slugs mentioned, in order, lower case. Code spans, e-mail addresses and URLs mention nobody."""
    found = (match.group(1).lower().rstrip("-_") for match in MENTION.finditer(CODE.sub(" ", content)))
    return tuple(dict.fromkeys(found))

"""Texts that people send: lengths, and what PostgreSQL cannot store (NUL, lone surrogates), refused in words.

Not about meaning: what a text says is nobody's business here.
"""

import json
import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

SLUG_PATTERN = "^[a-z0-9][a-z0-9_-]{0,62}$"
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL as JSON text spells it."""


def storable(text: str) -> str:
    """The text, if the database can hold it. Raises ValueError."""
    if "\x00" in text:
        raise ValueError("must not contain NUL characters")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("must not contain half of a surrogate pair")
    return text


def storable_json(value: Any) -> Any:
    """The value, if the database can hold it as JSON. Raises ValueError."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    except (ValueError, RecursionError) as error:
        raise ValueError("must be plain JSON without NaN or infinity") from error
    if _NUL.search(text):
        raise ValueError("must not contain NUL characters")
    storable(text)
    return value


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), AfterValidator(storable)]
"""A name or a title: 1 to 120 characters."""
Word = Annotated[str, StringConstraints(max_length=200), AfterValidator(storable)]
"""Something to filter by."""
Text = Annotated[str, Field(max_length=20_000), AfterValidator(storable)]
LongText = Annotated[str, Field(max_length=200_000), AfterValidator(storable)]
"""A prompt."""
Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
Object = Annotated[dict[str, Any], AfterValidator(storable_json)]
"""A JSON object."""
Colour = Annotated[str, StringConstraints(pattern="^#[0-9a-fA-F]{6}$")]


def slug_of(name: str) -> str:
    """A slug made from a name: ``Dr. Ann's helper`` is ``dr-ann-s-helper``; ``agent`` when nothing is left."""
    kept = "".join(char if char.isascii() and char.isalnum() else " " for char in name.lower())
    return "-".join(kept.split())[:55].strip("-") or "agent"


def latin(text: str) -> str:
    """What is left of a text in plain letters and digits: ``Zoë O'Neil`` is ``zoe-o-neil``, ``李雷`` is empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")

"""What one person sets about one agent for themselves (SCH-08, MAN-20): facts, how it should answer, secrets.

Nothing here widens what the agent may do: tools, trust and limits are the account's, trigger modes are set elsewhere.

Credentials are only kept so far. A turn in a shared channel takes in what others say while it runs (``coalesce``), so
that a tool which used the credentials of whoever started it would act for those others, too: that wants its own rule.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    MISSING,
    AfterValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from retinue.domain import audit
from retinue.domain.accounts import Locale, TimeZone
from retinue.domain.base import Value
from retinue.domain.ids import AgentId
from retinue.domain.texts import storable

MOST_PREFERENCES = 50
MOST_CREDENTIALS = 20
MOST_BYTES = 4096
"""Of all preferences together, as the agent is shown them."""
BIGGEST = 2**53 - 1
"""The largest number; whole ones up to here every reader of JSON keeps exactly."""


def written(values: Mapping[str, Any]) -> str:
    """The values as the agent is shown them: one line each, and nothing in them can end the place they stand in."""
    lines = [f"{_json(name)}: {_json(value)}" for name, value in values.items()]
    return "\n".join(lines)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    return re.sub("[\x7f-\x9f\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _name(text: str) -> str:
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise ValueError("must not contain control characters")
    if audit.is_secret(text):
        raise ValueError("sounds like a secret, and the agent reads preferences: put it under credentials")
    return text


def _simple(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    try:
        return handler(value)
    except ValidationError as error:
        raise ValueError("must be a text of at most 1,000 characters, a number, true or false") from error


def _bounded(values: dict[str, Any]) -> dict[str, Any]:
    size = len(written(values).encode())
    if size > MOST_BYTES:
        raise ValueError(f"must be at most {MOST_BYTES:,} bytes together, these are {size:,}")
    return values


PreferenceName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), AfterValidator(_name)
]
PreferenceValue = Annotated[
    bool
    | Annotated[int, Field(ge=-BIGGEST, le=BIGGEST)]
    | Annotated[float, Field(ge=-BIGGEST, le=BIGGEST, allow_inf_nan=False)]
    | Annotated[str, StringConstraints(max_length=1000), AfterValidator(storable)],
    WrapValidator(_simple),
]
Preferences = Annotated[
    dict[PreferenceName, PreferenceValue], Field(max_length=MOST_PREFERENCES), AfterValidator(_bounded)
]
Style = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000), AfterValidator(storable)
]
CredentialName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
CredentialValue = Annotated[str, StringConstraints(min_length=1, max_length=4096), AfterValidator(storable)]
Credentials = Annotated[
    dict[CredentialName, CredentialValue | None],
    Field(max_length=MOST_CREDENTIALS, json_schema_extra={"writeOnly": True}),
]


class Overrides(Value):
    """How the agent should answer this person. What is null is as it would be for anyone."""

    locale: Locale | None = None
    """The language to answer in, such as ``de`` or ``pt-BR``."""
    time_zone: TimeZone | None = None
    reply_length: Literal["short", "medium", "long"] | None = None
    style: Style | None = None
    """In the person's own words."""


class UserAgentConfig(Value):
    """What you have set about an agent. Credentials are named and never shown."""

    agent_id: AgentId
    preferences: dict[str, bool | int | float | str]
    overrides: Overrides
    credentials: tuple[str, ...]
    """The names, in order."""
    updated_at: datetime | None
    """Null: nothing is set."""


class UserAgentConfigChange(Value):
    """What to set. A part that is left out stays as it is.

    ``preferences`` and ``overrides`` are replaced as a whole. Of ``credentials`` only those named change: text stores
    or replaces one, null forgets it.
    """

    preferences: Preferences | MISSING = MISSING
    overrides: Overrides | MISSING = MISSING
    credentials: Credentials | MISSING = Field(default=MISSING, repr=False)


class Personal(Value):
    """What of it a turn of this person runs on."""

    revision: UUID
    """Steps name it, so that it is known whether what they were shown is what is set today."""
    preferences: dict[str, Any]
    overrides: dict[str, Any]

    def text(self) -> str:
        """It as the agent is shown it; empty when nothing is set."""
        chosen = {LABELS.get(name, name): value for name, value in self.overrides.items() if value is not None}
        return written(self.preferences | chosen)


LABELS = {
    "locale": "Language to answer in",
    "time_zone": "Time zone",
    "reply_length": "Length of answers",
    "style": "How to answer",
}

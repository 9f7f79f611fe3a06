"""Audit lines: what was done, by whom, never optional, never changed (AUD-01..05).

Here is also what may not stand in them: secrets (AUD-13), and what people and models wrote, which is referred to by
its hash (AUD-16, CON-69).
"""

import hashlib
import json
import re
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from pydantic import AwareDatetime, Field

from retinue.domain import ids
from retinue.domain.accounts import Principal
from retinue.domain.base import Value
from retinue.domain.ids import AuditId, InteractionId
from retinue.domain.texts import Word

ActorType = Literal["user", "agent", "system", "external"]


class Actor(Value):
    """Who did it. ``id`` is the user's or agent's id, or the name of a part of Retinue or of an outside system."""

    type: ActorType
    id: UUID | str | None = None


SYSTEM = Actor(type="system", id="retinue")


def actor(principal: Principal) -> Actor:
    """The signed-in user."""
    return Actor(type="user", id=principal.user_id)


class AuditEvent(Value):
    """One line. ``event`` is ``noun.verb`` (``tool.call``, ``policy.denied``, ``agent.update``)."""

    id: AuditId
    event: str
    actor_type: ActorType
    actor_id: str | None
    """A TypeID for users and agents, else a name."""
    interaction_id: InteractionId | None = None
    step_seq: int | None = None
    detail: dict[str, Any] = Field(default_factory=dict)
    at: datetime


class AuditFilter(Value):
    """Which lines are asked for; empty fields ask for all."""

    event: Word | None = None
    """An event, or a noun with a dot (``tool.``) for all of its events."""
    actor_type: ActorType | None = None
    actor_id: Word | None = None
    """A TypeID or a name."""
    interaction_id: InteractionId | None = None
    since: AwareDatetime | None = None
    """Inclusive."""
    until: AwareDatetime | None = None
    """Exclusive."""


# ── what may stand in a line ─────────────────────────────────────────────────────────────────────────────────────

SECRET_WORDS = frozenset(
    {"password", "passwd", "passphrase", "token", "secret", "authorization", "cookie", "credential"}
)
SECRET_NAMES = frozenset({"api_key", "apikey", "private_key", "access_key", "signing_key", "password_hash"})
REFERENCES = ("_id", "_name", "_count")
"""``secret_name`` and ``token_id`` say which secret, not what it is."""
CONTENT = frozenset({"content", "text", "body", "prompt", "system_prompt", "arguments", "result", "parts", "query"})
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_TOKEN_SHAPES = (
    re.compile(r"\brt[nsl]_[0-9a-z]{26}_[\w-]+"),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]{8,}"),
    re.compile(r"\b(?:sk|pk|whsec)[-_][\w-]{12,}"),
    re.compile(r"(?<=://)[^\s:/@]+:[^\s@/]+(?=@)"),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"),
)


def is_secret(key: str) -> bool:
    """Whether a field of this name holds a secret. ``input_tokens`` does not; ``newPassword`` does."""
    words = [word.lower() for word in _WORD.findall(key)]
    name = "_".join(words)
    if name.endswith(REFERENCES):
        return False
    return name in SECRET_NAMES or any(word.removesuffix("s") in SECRET_WORDS for word in words)


def reference(value: Any) -> dict[str, Any]:
    """What stands for a text or a structure that people or models wrote: its SHA-256 and its length in bytes."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    raw = text.encode("utf-8", "surrogatepass")
    return {"sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}


def clean(detail: dict[str, Any]) -> dict[str, Any]:
    """The detail as it may be written: secrets dropped, content by reference, no text shaped like a token."""
    out: dict[str, Any] = {}
    for key, value in detail.items():
        if is_secret(key) and not isinstance(value, bool | int | float | None):
            continue
        if key in CONTENT and isinstance(value, str | list | tuple | dict):
            out[key] = reference(cast("Any", value))
        else:
            out[key] = _clean_value(value)
    return out


def _clean_value(value: Any) -> Any:
    if isinstance(value, dict):
        return clean(cast("dict[str, Any]", value))
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean_value(entry) for entry in cast("list[Any]", value)]
    if isinstance(value, str):
        for shape in _TOKEN_SHAPES:
            value = shape.sub("[redacted]", value)
    return value


# ── ids inside a line: UUIDs in the database, TypeIDs outside ────────────────────────────────────────────────────

PREFIXES = {
    "account_id": "acc", "team_id": "team", "user_id": "usr", "recipient_id": "usr", "resolved_by": "usr",
    "member_id": "mem", "key_id": "key", "session_id": "ses", "agent_id": "agt", "tool_id": "tool", "channel_id": "ch",
    "message_id": "msg", "reply_message_id": "msg", "thread_id": "thr", "event_id": "evt", "interaction_id": "int",
    "parent_id": "int", "successor_id": "int", "call_id": "tc", "wait_id": "wait",
    "grant_id": "grant",
    "policy_id": "pol", "role_id": "role", "assignment_id": "asg",
}  # fmt: skip
ACTOR_PREFIX = {"user": "usr", "agent": "agt"}


def outside(detail: dict[str, Any]) -> dict[str, Any]:
    """The detail with TypeIDs where the database has UUIDs."""
    out: dict[str, Any] = {}
    for key, value in detail.items():
        if key in PREFIXES and isinstance(value, str):
            out[key] = outside_id(PREFIXES[key], value)
        else:
            out[key] = outside(cast("dict[str, Any]", value)) if isinstance(value, dict) else value
    return out


def outside_id(prefix: str | None, value: str | None) -> str | None:
    """The TypeID of a UUID in text; anything else unchanged."""
    if prefix is None or value is None:
        return value
    try:
        return ids.encode(prefix, UUID(value))
    except ValueError:
        return value


def inside_id(value: str) -> str:
    """The UUID in text of a TypeID; anything else unchanged."""
    prefix, _, _ = value.rpartition("_")
    try:
        return str(ids.decode(prefix, value))
    except ValueError:
        return value

"""Tools as the engine sees them: a flat list of specs, declared effects, results the model can read."""

import hashlib
import json
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from retinue.domain.agents import TrustLevel
from retinue.domain.base import Value
from retinue.domain.ids import (
    AccountId,
    AgentId,
    CallId,
    ChannelId,
    InteractionId,
    MessageId,
    ThreadId,
    UserId,
)


class Effect(StrEnum):
    """What a call does to the world, declared per tool; it decides what a crash in mid-call means.

    After a crash a running ``read``, ``write`` or ``external_keyed`` step is run again; a running ``external_once``
    step has an unknown outcome and becomes a question to a person.
    """

    READ = "read"
    """Changes nothing."""
    WRITE = "write"
    """Changes our own database, inside the transaction that records the step: exactly once."""
    EXTERNAL_KEYED = "external_keyed"
    """Changes the outside, which accepts an idempotency key: safe to send again with the same key (DUR-07)."""
    EXTERNAL_ONCE = "external_once"
    """Changes the outside, which accepts no key: never sent twice without a person's word."""


class ToolKind(StrEnum):
    """TOOL-08, CON-47; also the order in which names that collide resolve (TOOL-12)."""

    INTERNAL = "internal"
    EXTERNAL = "external"
    MCP = "mcp"
    AGENT = "agent"


class ToolSpec(Value):
    """One tool in the uniform format (TOOL-13). ``parameters`` and ``returns`` are JSON Schema 2020-12 objects."""

    slug: str
    kind: ToolKind
    name: str
    """In words, for people: "Search messages"."""
    description: str
    parameters: dict[str, Any]
    returns: dict[str, Any] = Field(default_factory=dict)
    effect: Effect
    trust: TrustLevel = TrustLevel.READ
    requires_approval: bool = False
    timeout_seconds: float = 30.0
    max_calls_per_interaction: int | None = None
    has_body: bool = True
    """TOOL-02: a tool with no body is legal and means stop and signal."""
    categories: tuple[str, ...] = ()
    """What it is about, such as ``external_email`` or ``financial_transaction``: rules may name these (GOV-14)."""
    host: str | None = None
    """Where its calls go to, for a tool with an endpoint."""
    price_micro: int = 0
    """The most that one call may cost; what it did cost is in its result."""

    @property
    def inside(self) -> bool:
        """Whether its body runs inside the transaction that records the step; an endpoint's never does."""
        return self.kind is ToolKind.INTERNAL and self.effect in (Effect.READ, Effect.WRITE)


class ToolCall(Value):
    """What a model asked for. ``provider_id`` is the model's own id, echoed back and never used as a key."""

    id: CallId
    provider_id: str
    tool: str
    arguments: dict[str, Any]
    malformed: str | None = None
    """Set when the arguments were not a JSON object; holds the raw text, at most 2,000 characters."""


def arguments_hash(arguments: dict[str, Any]) -> str:
    """SHA-256 of the arguments as canonical JSON: what an approval is bound to."""
    canonical = json.dumps(arguments, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


class ToolContext(Value):
    """What a tool body may know about its caller. It reaches data through its transaction, no other way."""

    account_id: AccountId
    user_id: UserId | None
    agent_id: AgentId
    interaction_id: InteractionId
    thread_id: ThreadId
    channel_id: ChannelId | None
    call_id: CallId
    idempotency_key: str
    """The same for every attempt of this step: interaction and step number (DUR-07)."""
    agent_name: str = ""
    instruction: str = ""
    """What the agent was asked, in words: the message that started the turn (EXT-04)."""
    channel_type: str = "web"
    """The channel's transport."""


class Hit(Value):
    """A message that a search found."""

    message_id: MessageId
    channel_id: ChannelId
    channel: str
    author: str
    content: str
    """At most 2,000 characters."""
    at: datetime


class Participant(Value):
    """A person or an agent in a channel, as a tool tells of them."""

    kind: Literal["user", "agent"]
    name: str
    user_id: UserId | None = None
    agent_id: AgentId | None = None
    slug: str | None = None
    """An agent's slug: what ``@slug`` mentions."""


class ToolResult(Value):
    """What a call gave. ``content`` is what the model reads, as JSON (TOOL-05)."""

    ok: bool
    content: Any
    reason: str | None = None
    """A stable code when ``ok`` is false: ``invalid_arguments``, ``unknown_tool``, ``trust_too_low``, ..."""
    cost_micro: int = 0


class Collision(Value):
    """TOOL-15: two tools claimed one name; the first in the order of resolution has it."""

    slug: str
    winner: str
    """Who has the name: a kind (``internal``) or a package."""
    loser: str


def narrow(spec: ToolSpec, config: dict[str, Any]) -> ToolSpec:
    """The spec under an agent's own configuration of the tool, which can only tighten (TOOL-17).

    Known keys: ``requires_approval``, ``max_calls_per_interaction``, ``timeout_seconds``; a value that would loosen,
    or is not of the right type, changes nothing.
    """
    calls = [n for n in (spec.max_calls_per_interaction, _number(config.get("max_calls_per_interaction"))) if n]
    seconds = _number(config.get("timeout_seconds")) or spec.timeout_seconds
    return spec.model_copy(
        update={
            "requires_approval": spec.requires_approval or config.get("requires_approval") is True,
            "max_calls_per_interaction": int(min(calls)) if calls else None,
            "timeout_seconds": min(spec.timeout_seconds, seconds),
        }
    )


def config_objections(config: dict[str, Any]) -> list[dict[str, str]]:
    """What is wrong with an agent's configuration of a tool, as ``errors`` entries of ``BadInput``."""
    found: list[dict[str, str]] = []
    if not isinstance(config.get("requires_approval", False), bool):
        found.append({"path": "config.requires_approval", "reason": "must be true or false"})
    for key in ("max_calls_per_interaction", "timeout_seconds"):
        if key in config and _number(config[key]) is None:
            found.append({"path": f"config.{key}", "reason": "must be a number, at least 1"})
    return found


def _number(value: Any) -> float | None:
    """A positive number, else None. ``True`` is not a number here."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value >= 1 else None

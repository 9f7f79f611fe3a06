"""Anything that arrives, normalised to one shape (PRN-05, TRG-17)."""

from typing import Any, Literal

from pydantic import Field

from retinue.domain import ids
from retinue.domain.base import Value
from retinue.domain.ids import AccountId, AgentId, ChannelId, EventId, InteractionId, MessageId, UserId
from retinue.domain.messages import AuthorKind, Delivery
from retinue.domain.models import Part

SourceType = Literal["message", "webhook", "schedule", "callback", "internal", "delegation", "api"]


class Event(Value):
    """One arrival. ``idempotency_key`` makes a redelivery find itself (CHN-18)."""

    id: EventId = Field(default_factory=ids.new)
    account_id: AccountId
    source_type: SourceType = "message"
    source_id: str | None = None
    actor_kind: AuthorKind = "user"
    user_id: UserId | None = None
    agent_id: AgentId | None = None
    channel_id: ChannelId
    message_id: MessageId = Field(default_factory=ids.new)
    content: str
    parts: tuple[Part, ...] = ()
    mentions: tuple[str, ...] = ()
    """Slugs after an @ in the content."""
    targets: tuple[AgentId, ...] = ()
    """Agents addressed whatever their trigger mode (API, schedule, delegation)."""
    reply_to: MessageId | None = None
    """Any message of a thread: what it replies to, if it is a reply, takes its place."""
    delivery: Delivery | None = None
    """How the agents' replies interrupt (CHN-13); None: as this person prefers, in a thread there, else as the channel
    says."""
    parent_interaction_id: InteractionId | None = None
    correlation_id: str | None = None
    idempotency_key: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)

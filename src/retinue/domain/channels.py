"""Channels: places where people and agents talk (CHN-17)."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import MISSING, Field, model_validator

from retinue.domain.agents import TriggerMode
from retinue.domain.base import Value
from retinue.domain.ids import AgentId, ChannelId, TeamId, UserId
from retinue.domain.texts import Line, Slug


class ChannelKind(StrEnum):
    """CHN-17: organisation (all members), team (a team's members), group and private (those invited)."""

    ORGANISATION = "organisation"
    TEAM = "team"
    GROUP = "group"
    PRIVATE = "private"


class InputPolicy(StrEnum):
    """What new input does while an agent works in the channel."""

    COALESCE = "coalesce"
    """Read at the next think, or in one follow-up turn."""
    QUEUE = "queue"
    """A turn of its own, after this one."""
    STEER = "steer"
    """Cancel this turn and start again with the new input."""
    REJECT = "reject"
    """409 thread_busy; nothing is written."""


DefaultDelivery = Literal["inline", "threaded", "direct", "silent"]


class Channel(Value):
    id: ChannelId
    kind: ChannelKind
    name: str
    slug: str | None = None
    team_id: TeamId | None = None
    transport: str = "web"
    """How it reaches people: web, api, email, telegram, ... (``webchat`` is an alias of web, CON-49)."""
    input_policy: InputPolicy = InputPolicy.COALESCE
    debounce_ms: int = 0
    default_delivery: DefaultDelivery = "inline"
    archived_at: datetime | None = None
    created_at: datetime
    last_seq: int = 0
    last_message_at: datetime | None = None
    read_seq: int = 0
    """How far the caller has read."""
    unread: int = 0
    """Messages of others beyond ``read_seq``, counted among the newest 100: 100 means as many or more."""
    mentions_unread: int = 0
    """Those of them that mention the caller or are for the caller alone."""
    people_count: int = 0
    """With those who are in by themselves, as people of the organisation or team."""
    agent_count: int = 0
    agent_id: AgentId | None = None
    """The agent, where this is the private channel of the caller and one agent alone."""
    may_change: bool = False
    """Whether the caller may change the channel and its members."""


class Preferences(Value):
    """What one person wants in one channel (CHN-14)."""

    channel_id: ChannelId
    delivery: DefaultDelivery | None = None
    """How agents reply to this person here; null: as the channel says."""
    channel_delivery: DefaultDelivery
    """What the channel says."""


class ReadState(Value):
    """How far one has read a channel."""

    channel_id: ChannelId
    last_seq: int
    read_seq: int
    unread: int
    mentions_unread: int


class ChannelMember(Value):
    """A person or an agent in a channel; exactly one of ``user_id`` and ``agent_id`` is set."""

    channel_id: ChannelId
    kind: Literal["user", "agent"]
    user_id: UserId | None = None
    agent_id: AgentId | None = None
    name: str
    slug: str | None = None
    """What ``@slug`` mentions: an agent's slug; a person's is made from the name."""
    role: Literal["owner", "member"] = "member"
    trigger_mode: TriggerMode | None = None
    joined_at: datetime
    reachable: bool = True
    """Whether you may ask them here: false for an agent that is not active, or not assigned to you (LIFE-08)."""


# ── what people send ─────────────────────────────────────────────────────────────────────────────────────────────

Debounce = Annotated[int, Field(ge=0, le=60_000)]
"""Milliseconds that a burst of messages is waited out."""


class NewMember(Value):
    """A person or an agent to put into a channel."""

    user_id: UserId | None = None
    agent_id: AgentId | None = None
    role: Literal["owner", "member"] = "member"
    """For people; an agent is a member."""
    trigger_mode: TriggerMode | None = None
    """For agents; empty: the agent's default. The strictest of account, team and user holds (TRG-20)."""

    def objections(self) -> list[dict[str, str]]:
        """What is wrong with it, as ``errors`` entries of ``BadInput``."""
        if (self.user_id is None) == (self.agent_id is None):
            return [{"path": "body", "reason": "name either user_id or agent_id"}]
        if self.user_id is not None and self.trigger_mode is not None:
            return [{"path": "body.trigger_mode", "reason": "only agents have one"}]
        if self.agent_id is not None and self.role == "owner":
            return [{"path": "body.role", "reason": "an agent cannot own a channel"}]
        return []


class MemberChange(Value):
    """What to change about a member."""

    role: Literal["owner", "member"] | MISSING = MISSING
    trigger_mode: TriggerMode | MISSING = MISSING


class NewChannel(Value):
    """A channel to make. Its maker owns it. ``team_id`` goes with the kind team and no other."""

    kind: ChannelKind
    name: Line
    slug: Slug | None = None
    team_id: TeamId | None = None
    input_policy: InputPolicy = InputPolicy.COALESCE
    debounce_ms: Debounce = 0
    default_delivery: DefaultDelivery | None = None
    """Empty: as the organisation says."""
    members: tuple[NewMember, ...] = Field(default=(), max_length=200)

    @model_validator(mode="after")
    def team_goes_with_kind(self) -> Self:
        if (self.kind is ChannelKind.TEAM) != (self.team_id is not None):
            raise ValueError("team_id goes with the kind team and no other")
        return self


class ChannelChange(Value):
    """What to change; fields left out stay as they are."""

    name: Line | MISSING = MISSING
    slug: Slug | MISSING | None = MISSING
    input_policy: InputPolicy | MISSING = MISSING
    debounce_ms: Debounce | MISSING = MISSING
    default_delivery: DefaultDelivery | MISSING = MISSING
    archived: bool | MISSING = MISSING
    """An archived channel is read, not written."""


class ChannelFilter(Value):
    """Which channels are asked for; empty fields ask for all."""

    kind: ChannelKind | None = None
    agent_id: AgentId | None = None
    """Those this agent is in."""
    archived: bool = False

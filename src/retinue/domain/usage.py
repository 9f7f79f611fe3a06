"""What was used, by whom, at what price (COST-01, COST-02, COST-10)."""

from datetime import date, datetime
from enum import StrEnum

from retinue.domain.base import Value
from retinue.domain.ids import AgentId, InteractionId, TeamId, UsageId, UserId
from retinue.domain.money import Money
from retinue.domain.texts import Word


class UsageEvent(Value):
    """One model response or paid tool call. ``cost_micro`` is None when the price is unknown."""

    id: UsageId
    source: str = "native"
    agent_id: AgentId
    user_id: UserId | None
    interaction_id: InteractionId
    step_seq: int
    model: str | None
    tool: str | None
    input_tokens: int
    output_tokens: int
    cost_micro: int | None
    currency: str = "USD"
    created_at: datetime


class Dimension(StrEnum):
    """What usage may be broken down by (COST-10)."""

    DAY = "day"
    AGENT = "agent"
    MODEL = "model"
    TOOL = "tool"
    USER = "user"
    """On whose behalf."""
    TEAM = "team"
    """Whose channel the turn ran in."""


COUNTED = frozenset({Dimension.DAY, Dimension.AGENT})
"""What the counters know; finer questions are answered from single events."""


class UsageQuery(Value):
    """Which totals are asked for. Days are in UTC; ``since`` is inclusive, ``until`` exclusive."""

    by: tuple[Dimension, ...] = (Dimension.DAY, Dimension.AGENT)
    since: date | None = None
    until: date | None = None
    agent_id: AgentId | None = None
    user_id: UserId | None = None
    model: Word | None = None

    def needs_events(self) -> bool:
        """Whether the counters cannot answer it."""
        return bool(set(self.by) - COUNTED) or self.user_id is not None or self.model is not None


class UsageRow(Value):
    """Totals of one group; the fields it is not broken down by are null.

    ``unpriced`` counts the responses and calls whose price is unknown: what they cost is not in ``cost`` (LLM-11).
    """

    day: date | None = None
    agent_id: AgentId | None = None
    model: str | None = None
    tool: str | None = None
    user_id: UserId | None = None
    team_id: TeamId | None = None
    interactions: int
    model_calls: int
    tool_calls: int
    """Broken down by anything but day and agent: only the calls that have a price."""
    input_tokens: int
    output_tokens: int
    cost: Money
    unpriced: int

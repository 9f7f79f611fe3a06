"""What was used, by whom, at what price (COST-01, COST-02, COST-10)."""

import csv as writing
import io
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal
from uuid import UUID

from retinue.domain.base import Value
from retinue.domain.ids import AgentId, InteractionId, TeamId, UsageId, UserId, encode
from retinue.domain.money import MICRO, Money
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


PREFIXES = {Dimension.AGENT: "agt", Dimension.USER: "usr", Dimension.TEAM: "team"}
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


class UsageForecast(Value):
    """What was spent in the period that runs now (days in UTC), and what will have been at its end."""

    period: Literal["day", "week", "month"]
    starts_at: datetime
    ends_at: datetime
    spent: Money
    forecast: Money | None
    """If it goes on like this; None at the very start of the period."""
    unpriced: int
    """Responses and calls of unknown price, which are in neither number."""


# ── as a table for other programs ────────────────────────────────────────────────────────────────────────────────

COUNTS = ("interactions", "model_calls", "tool_calls", "input_tokens", "output_tokens")


def csv(rows: Iterable[UsageRow], by: Collection[Dimension], names: Mapping[UUID, str]) -> str:
    """The rows as CSV (RFC 4180) with a head. Agents, people and teams stand with their ids and their ``names``."""
    text = io.StringIO()
    writer = writing.writer(text)
    writer.writerow([*_head(by), *COUNTS, "cost", "currency", "unpriced"])
    for row in rows:
        cost = [f"{Decimal(row.cost.amount_micro) / MICRO:f}", row.cost.currency, row.unpriced]
        writer.writerow([*_cells(row, by, names), *(getattr(row, name) for name in COUNTS), *cost])
    return text.getvalue()


def _head(by: Collection[Dimension]) -> list[str]:
    return [name for one in Dimension if one in by for name in ((f"{one}_id", one) if one in PREFIXES else (one,))]


def _cells(row: UsageRow, by: Collection[Dimension], names: Mapping[UUID, str]) -> list[str]:
    found: list[str] = []
    for one in (each for each in Dimension if each in by):
        prefix = PREFIXES.get(one)
        if prefix is None:
            found.append(_plain(str(getattr(row, one) or "")))
            continue
        id: UUID | None = getattr(row, f"{one}_id")
        found += [encode(prefix, id), _plain(names.get(id, ""))] if id else ["", ""]
    return found


def _plain(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text

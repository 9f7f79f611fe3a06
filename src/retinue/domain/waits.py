"""The one wait: anything an interaction or job is suspended on (architecture, idea 4)."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from retinue.domain.base import Value
from retinue.domain.ids import InteractionId, UserId, WaitId
from retinue.domain.verdicts import Ask, Judgement


class WaitKind(StrEnum):
    APPROVAL = "approval"
    QUESTION = "question"
    OUTCOME = "outcome"
    """An ``external_once`` call whose outcome is unknown: did it happen?"""
    CALLBACK = "callback"
    JOB = "job"
    TIMER = "timer"


class WaitState(StrEnum):
    """Terminal is terminal; a trigger refuses anything else."""

    OPEN = "open"  # -> resolved, expired, cancelled
    RESOLVED = "resolved"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Wait(Value):
    """Bound to (interaction, step, tool, hash of the arguments); resolved once, by compare-and-set."""

    id: WaitId
    kind: WaitKind
    state: WaitState
    interaction_id: InteractionId | None
    step_seq: int | None
    tool: str | None
    arguments_hash: str | None
    prompt: str
    """The question in words a person understands."""
    payload: dict[str, Any] = Field(default_factory=dict)
    resolution: dict[str, Any] | None = None
    """For ``outcome``: ``{"happened": true, "result": ...}`` or ``{"happened": false, "retry": bool}``; for
    ``approval``: ``{"decision": "approve" | "reject" | "ask_back" | "withdrawn" | "expired", "by": [user],
    "arguments_hash": ...}``, with ``arguments`` where they were edited, ``reason`` and ``question``
    where one was given."""
    resolved_by: UserId | None = None
    due_at: datetime | None = None
    ask: Ask | None = None
    """For ``approval``: who decides, how many, until when, and what then."""
    policy_revision: int | None = None
    """By which rules it was asked."""
    explanation: Judgement | None = None
    """What every layer said about the call."""
    created_at: datetime
    resolved_at: datetime | None = None

    def private(self) -> "Wait":
        """As anybody else than the person whose turn it is reads it."""
        return self.model_copy(update={"explanation": self.explanation and self.explanation.private()})

"""Budgets as people read them: each limit of cost with what is used up of it, by whom, and where that leads to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from retinue.domain import ids, meters
from retinue.domain.base import Value
from retinue.domain.ids import PolicyId, TeamId, UserId
from retinue.domain.money import Money
from retinue.domain.rule_limits import CostRule, CostSubject, Period

PREFIXES: dict[str, str] = {"account": "acc", "team": "team", "user": "usr", "agent": "agt"}


class Subject(Value):
    """Whose spending is added up."""

    kind: Literal["account", "team", "user", "agent"]
    id: str
    """A TypeID."""
    name: str | None
    """None for one that is no more."""


class Budget(Value):
    """One limit of cost for one subject in the period that runs now."""

    policy_id: PolicyId
    name: str
    """The policy's."""
    layer: Literal["account", "team", "user"]
    team_id: TeamId | None
    user_id: UserId | None
    per: CostSubject
    subject: Subject | None
    """None where nobody has spent anything yet, and for limits of single turns."""
    period: Period
    starts_at: datetime | None
    """None for a total."""
    ends_at: datetime | None
    limit: Money
    spent: Money
    reserved: Money
    """Held by calls that run now, at their worst case."""
    left: Money
    forecast: Money | None
    """What will have been spent at the end, if it goes on like this. None where that cannot be said."""
    warn_at: tuple[int, ...]
    """At how many percent those who can raise it are told."""
    warned: int
    """Up to which percent they have been, in this period."""


def budget(policy: Mapping[str, Any], rule: CostRule, used: Mapping[str, Any], now: datetime) -> Budget:
    """A budget from its policy's row and its meter's (``subject``, ``subject_name``, ``spent``, ``reserved``,
    ``warned``)."""
    starts = meters.period_start(rule.period, now, rule.time_zone)
    ends = meters.period_end(rule.period, now, rule.time_zone)
    spent, reserved = used["spent"], used["reserved"]
    ahead = meters.forecast(spent, starts, now, ends) if ends is not None and used["subject"] is not None else None
    return Budget(
        policy_id=policy["id"],
        name=policy["name"],
        layer=policy["layer"],
        team_id=policy["team_id"],
        user_id=policy["user_id"],
        per=rule.per,
        subject=_subject(rule.per, used["subject"], used["subject_name"]),
        period=rule.period,
        starts_at=None if ends is None else starts,
        ends_at=ends,
        limit=Money(amount_micro=rule.limit_micro),
        spent=Money(amount_micro=spent),
        reserved=Money(amount_micro=reserved),
        left=Money(amount_micro=max(rule.limit_micro - spent - reserved, 0)),
        forecast=None if ahead is None else Money(amount_micro=ahead),
        warn_at=tuple(sorted(set(rule.warn_at))),
        warned=used["warned"],
    )


def _subject(kind: str, id: UUID | None, name: str | None) -> Subject | None:
    if id is None or kind not in PREFIXES:
        return None
    return Subject(kind=kind, id=ids.encode(PREFIXES[kind], id), name=name)  # type: ignore[arg-type]

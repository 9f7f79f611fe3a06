"""From the limits that apply to a call to what has to be reserved for it, in one order, before it runs (COST-04..11).

Pure: what was spent is in the database, which reserves every demand or none. All reservations are made in the order of
``demands``, so that two of them can never wait for each other. The smallest of all limits decides (COST-07).
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field

from retinue.domain import aliases, money
from retinue.domain.base import Value
from retinue.domain.ids import AccountId, AgentId, InteractionId, PolicyId, TeamId, UserId
from retinue.domain.rule_base import Question
from retinue.domain.rule_limits import CostRule, Period, RateRule
from retinue.domain.verdicts import Layer, Opinion

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOOLS = UUID("6f2a4f0e-9d0b-5c1e-8a57-2f6d1b3c7e94")
"""The name space in which tools have ids to be counted by."""


class Metered(Value):
    """A limit of a layer. ``team_id``: the team that a policy of the team layer belongs to."""

    policy_id: PolicyId
    layer: Layer
    name: str
    team_id: TeamId | None = None
    rule: CostRule | RateRule


class Subjects(Value):
    """On whom a call is counted."""

    account_id: AccountId
    team_ids: tuple[TeamId, ...] = ()
    """Whose channel it is in."""
    user_id: UserId | None = None
    """On whose behalf; what nobody asked for is counted on no user."""
    agent_id: AgentId
    chain: tuple[InteractionId, ...]
    """The turns that led here: first the one that a person or an event began, last the one that asks. All but the first
    are delegations."""


class Need(Value):
    """What a call may use at most."""

    cost_micro: int | None
    """In millionths of a US dollar; None: nobody knows."""
    tokens: int = Field(default=0, ge=0)
    calls: int = Field(default=1, ge=0)


Strategy = Literal["token_bucket", "fixed_window"]


class Demand(Value):
    """One counter, and how much of it the call needs.

    ``budget`` and ``interaction``: at most ``cap`` may be spent and reserved together since ``starts_at``. ``window``:
    the same of calls or tokens. ``bucket``: it holds ``cap`` at most and fills by ``refill`` in ``seconds``.
    """

    policy_id: PolicyId
    subject: UUID
    """Of an account, team, user, agent or interaction, or ``tool_id`` of a tool."""
    kind: Literal["budget", "bucket", "window", "interaction"]
    starts_at: AwareDatetime
    """Of the period or window; 1970 for what has none."""
    ends_at: AwareDatetime | None = None
    """When the period or window is over, for words like "again tomorrow"."""
    cap: int
    amount: int
    refill: int = 0
    seconds: int = 0
    strategy: Strategy | None = None
    unit: Literal["micro", "calls", "tokens"] = "micro"
    warn_at: tuple[int, ...] = ()
    """At how many percent of ``cap`` those who can raise it are told."""
    layer: Layer
    name: str
    """The policy's."""

    @property
    def refill_per_second(self) -> float:
        """How much flows into a bucket."""
        return self.refill / self.seconds if self.seconds else 0.0

    @property
    def order(self) -> tuple[UUID, UUID, datetime]:
        """The place in the one order in which counters are locked."""
        return self.policy_id, self.subject, self.starts_at


def tool_id(slug: str) -> UUID:
    """What a tool is counted by: the same for every spelling of its name."""
    return uuid5(TOOLS, aliases.canonical(slug))


def demands(limits: Iterable[Metered], subjects: Subjects, need: Need, asked: Question) -> tuple[Demand, ...]:
    """Everything that has to be reserved for this call, in the order in which it is locked.

    Where the price is unknown, a budget's demand is more than its cap, so that nothing can be reserved: whoever allows
    unknown prices says so by asking for 0.
    """
    found: list[Demand] = []
    for limit in limits:
        if limit.rule.scope.covers(asked):
            found += _demands_of(limit, limit.rule, subjects, need, asked)
    return tuple(sorted(found, key=lambda one: one.order))


def _demands_of(
    limit: Metered, rule: CostRule | RateRule, subjects: Subjects, need: Need, asked: Question
) -> Iterator[Demand]:
    if isinstance(rule, CostRule):
        amount = rule.limit_micro + 1 if need.cost_micro is None else need.cost_micro
        shared = _budget(limit, rule, amount, asked.at) if amount else None
    else:
        amount = need.calls if rule.of == "calls" else need.tokens
        shared = _rate(limit, rule, amount, asked.at) if amount and _is_about(rule, asked) else None
    if shared is not None:
        for subject in _subjects_of(limit, rule, subjects, asked):
            yield shared.model_copy(update={"subject": subject})


def _is_about(rule: RateRule, asked: Question) -> bool:
    return asked.spec is not None if rule.about == "tool" else asked.model is not None


def _subjects_of(limit: Metered, rule: CostRule | RateRule, subjects: Subjects, asked: Question) -> tuple[UUID, ...]:
    match rule.per:
        case "account":
            return (subjects.account_id,)
        case "team":
            return (limit.team_id,) if limit.team_id is not None else tuple(dict.fromkeys(subjects.team_ids))
        case "user":
            return (subjects.user_id,) if subjects.user_id is not None else ()
        case "agent":
            return (subjects.agent_id,)
        case "tool":
            return (tool_id(asked.spec.slug),) if asked.spec is not None else ()
        case "interaction":
            return subjects.chain[:1]
        case "delegation":
            return subjects.chain[1:]


def _budget(limit: Metered, rule: CostRule, amount: int, at: datetime) -> Demand:
    start = period_start(rule.period, at, rule.time_zone)
    return Demand(
        policy_id=limit.policy_id,
        subject=limit.policy_id,
        kind="interaction" if rule.per in ("interaction", "delegation") else "budget",
        starts_at=start,
        ends_at=period_end(rule.period, at, rule.time_zone),
        cap=rule.limit_micro,
        amount=amount,
        warn_at=tuple(sorted(set(rule.warn_at))),
        layer=limit.layer,
        name=limit.name,
    )


def _rate(limit: Metered, rule: RateRule, amount: int, at: datetime) -> Demand:
    bucket = rule.strategy == "token_bucket"
    start = EPOCH if bucket else window_start(rule.seconds, at)
    return Demand(
        policy_id=limit.policy_id,
        subject=limit.policy_id,
        kind="bucket" if bucket else "window",
        starts_at=start,
        ends_at=None if bucket else start + timedelta(seconds=rule.seconds),
        cap=rule.most,
        amount=amount,
        refill=rule.amount if bucket else 0,
        seconds=rule.seconds,
        strategy=rule.strategy,
        unit=rule.of,
        layer=limit.layer,
        name=limit.name,
    )


# ── periods ──────────────────────────────────────────────────────────────────────────────────────────────────────


def period_start(period: Period, at: datetime, time_zone: str = "UTC") -> datetime:
    """When the period that holds ``at`` began, in UTC: at midnight there, on Monday, on the first; 1970 for total."""
    return EPOCH if period == "total" else _midnight(period, at, time_zone, 0)


def period_end(period: Period, at: datetime, time_zone: str = "UTC") -> datetime | None:
    """When the period that holds ``at`` is over, in UTC; None for total."""
    return None if period == "total" else _midnight(period, at, time_zone, 1)


def _midnight(period: Period, at: datetime, time_zone: str, later: int) -> datetime:
    """The midnight, there, that begins this period (``later`` 0) or the next (1)."""
    zone = ZoneInfo(time_zone)
    day = at.astimezone(zone).date()
    match period:
        case "week":
            day += timedelta(days=7 * later - day.weekday())
        case "month":
            months = day.year * 12 + day.month - 1 + later
            day = day.replace(year=months // 12, month=months % 12 + 1, day=1)
        case _:
            day += timedelta(days=later)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def window_start(seconds: int, at: datetime) -> datetime:
    """When the window of so many seconds that holds ``at`` began, in UTC. Windows are counted from 1970 on."""
    length = timedelta(seconds=seconds)
    return EPOCH + (at - EPOCH) // length * length


# ── money ────────────────────────────────────────────────────────────────────────────────────────────────────────


def worst_case_micro(per_input: Decimal, per_output: Decimal, most_input: int, max_output: int) -> int:
    """What a call of a model costs at most, in millionths of a US dollar, rounded up.

    ``per_input``: the highest price of one token that goes in, be it new or written to a cache. ``most_input``: how
    many go in at most; the request's size in bytes is such a number, as no tokeniser makes a token of less than a
    byte. ``max_output``: the request's own limit of tokens that come out.
    """
    return money.micro(per_input * most_input + per_output * max_output)


def forecast(spent_micro: int, start: datetime, now: datetime, end: datetime) -> int | None:
    """What will have been spent at the end of a period if it goes on as it began; None at its very start."""
    if now <= start:
        return None
    if now >= end:
        return spent_micro
    second = timedelta(microseconds=1)
    return -(-spent_micro * ((end - start) // second) // ((now - start) // second))


def crossed(before: int, after: int, cap: int, percents: Iterable[int]) -> tuple[int, ...]:
    """Which of these percentages of ``cap`` were passed on the way from ``before`` to ``after``."""
    return tuple(one for one in sorted(set(percents)) if before * 100 < cap * one <= after * 100)


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────


def unpriced(limits: Iterable[Metered], need: Need, asked: Question) -> tuple[Opinion, ...]:
    """What budgets say about a call whose price nobody knows: no (COST-08)."""
    if need.cost_micro is not None:
        return ()
    words = "Nobody knows what this costs, so that no budget can be kept. Name another model, or allow unknown prices."
    return tuple(
        Opinion(layer=one.layer, rule=one.name, verdict="deny", reason="unknown_price", detail=words)
        for one in limits
        if isinstance(one.rule, CostRule) and one.rule.scope.covers(asked)
    )


def refused(demand: Demand, left: int) -> Opinion:
    """What is said when a demand could not be reserved (COST-19). ``left``: how much of it could have been."""
    if demand.unit == "micro":
        again = f" A new period begins on {demand.ends_at:%Y-%m-%d at %H:%M} UTC." if demand.ends_at else ""
        words = (
            f"This could cost {money.Money(amount_micro=demand.amount)}; of the budget {demand.name!r} "
            f"{money.Money(amount_micro=max(left, 0))} are left.{again}"
        )
        return Opinion(layer=demand.layer, rule=demand.name, verdict="deny", reason="budget_exceeded", detail=words)
    words = (
        f"The limit {demand.name!r} of {demand.cap} {demand.unit} in {demand.seconds} s is reached. Try again later."
    )
    return Opinion(layer=demand.layer, rule=demand.name, verdict="deny", reason="rate_limited", detail=words)

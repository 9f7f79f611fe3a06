"""Rules of policy, each of one type, each of which can only narrow (GOV-11). Pure and total: a rule that cannot read
what it is asked about refuses (GOV-20).

A rule is asked about one thing at a time, a ``Question``: a call of a tool, or a call of a model. It answers with an
opinion, or with None where it does not apply or has nothing against it. Limits of cost and rate have no opinion: they
count, which is the business of ``meters``.
"""

from datetime import datetime, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from retinue.domain.agents import TRIGGER_RANK, TriggerMode, strictest
from retinue.domain.base import Value
from retinue.domain.rule_approval import ApprovalRule
from retinue.domain.rule_base import Question, RuleType, Scope, ToolPattern, listed, names, wild
from retinue.domain.rule_content import ContentRule
from retinue.domain.rule_limits import CostRule, RateRule, Zone
from retinue.domain.tools import ToolKind
from retinue.domain.verdicts import Ask, Layer, Opinion, Verdict


class ToolRule(Value):
    """Which tools may be called, with which actions, how often in one turn."""

    type: Literal[RuleType.TOOL] = RuleType.TOOL
    scope: Scope = Scope()
    only: tuple[ToolPattern, ...] | None = None
    """Only these; None: any."""
    never: tuple[ToolPattern, ...] = ()
    """Not these, though ``only`` names them (REG-08)."""
    allowed_actions: tuple[str, ...] | None = None
    denied_actions: tuple[str, ...] = ()
    max_calls_per_interaction: int | None = Field(default=None, ge=0)

    def judge(self, asked: Question) -> tuple[str, str] | None:
        """Why not, as code and words; None when nothing is against it."""
        if asked.spec is None or asked.call is None:
            return None
        slug = asked.spec.slug
        if any(names(pattern, slug) for pattern in self.never):
            return "tool_blocked", f"{slug} is not to be used here."
        if self.only is not None and not any(names(pattern, slug) for pattern in self.only):
            return "tool_blocked", f"{slug} is not among the tools that may be used here."
        action = asked.call.arguments.get("action")
        if self.allowed_actions is not None and action not in self.allowed_actions:
            return "action_not_allowed", f"{slug} may be used here for {listed(self.allowed_actions)} only."
        if self.denied_actions and (not isinstance(action, str) or action in self.denied_actions):
            return "action_not_allowed", f"{slug} may not be used here for {listed(self.denied_actions)}."
        if self.max_calls_per_interaction is not None and asked.calls_before >= self.max_calls_per_interaction:
            return "call_limit", f"{slug} may be called {self.max_calls_per_interaction} times in one turn here."
        return None


class ModelRule(Value):
    """Which models may be called: ids with ``*`` for any letters."""

    type: Literal[RuleType.MODEL] = RuleType.MODEL
    scope: Scope = Scope()
    models: tuple[Annotated[str, Field(pattern=r"^\S{1,200}$")], ...]

    def judge(self, asked: Question) -> tuple[str, str] | None:
        """As ``ToolRule.judge``."""
        if asked.model is None or any(wild(pattern, asked.model) for pattern in self.models):
            return None
        return "model_not_allowed", f"The model {asked.model} is not among those that may be used here."


class EgressRule(Value):
    """Which hosts a call may go to: ``example.com``, or ``*.example.com`` for all below it."""

    type: Literal[RuleType.EGRESS] = RuleType.EGRESS
    scope: Scope = Scope()
    hosts: tuple[Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9.-]{1,253}$")], ...]

    def judge(self, asked: Question) -> tuple[str, str] | None:
        """As ``ToolRule.judge``."""
        if asked.host is None:
            return None
        host = asked.host.lower().rstrip(".")
        if any(host_matches(pattern, host) for pattern in self.hosts):
            return None
        return "host_not_allowed", f"{asked.host} is not among the hosts that may be called from here."


def host_matches(pattern: str, host: str) -> bool:
    """Whether a host is meant: by its name, or with ``*.`` by the name of a domain above it."""
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _local(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("must be a time of the day without a zone; time_zone says which")
    return value


LocalTime = Annotated[time, AfterValidator(_local)]


class TimeRule(Value):
    """When calls may be made: on these days from one time of the day to another, which may be past midnight."""

    type: Literal[RuleType.TIME] = RuleType.TIME
    scope: Scope = Scope()
    days: tuple[Day, ...] = DAYS
    start: LocalTime = time(0)
    end: LocalTime = time(0)
    """Exclusive; the same as ``start``: the whole day. A window past midnight belongs to the day it begins on."""
    time_zone: Zone = "UTC"

    def is_open(self, at: datetime) -> bool:
        """Whether it is open at this time."""
        here = at.astimezone(ZoneInfo(self.time_zone))
        today, yesterday = DAYS[here.weekday()], DAYS[(here.weekday() - 1) % 7]
        now = here.time()
        if self.start < self.end:
            return today in self.days and self.start <= now < self.end
        if self.start == self.end:
            return today in self.days
        return (today in self.days and now >= self.start) or (yesterday in self.days and now < self.end)

    def judge(self, asked: Question) -> tuple[str, str] | None:
        """As ``ToolRule.judge``."""
        if self.is_open(asked.at):
            return None
        window = f"{self.start:%H:%M} to {self.end:%H:%M}" if self.start != self.end else "all day"
        return "outside_hours", f"This is allowed on {', '.join(self.days)}, {window} ({self.time_zone})."


class TriggerRule(Value):
    """How agents may be set off at the loosest (GOV-09): ``mention`` and ``silent`` only by being addressed.

    It holds for every agent and channel: one agent's mode in one channel is set there.
    """

    type: Literal[RuleType.TRIGGER] = RuleType.TRIGGER
    scope: Scope = Scope()
    loosest: TriggerMode

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.scope != Scope():
            raise ValueError(
                "holds for all agents and channels: leave scope out, or set the agent's mode in the channel"
            )
        return self

    def judge(self, asked: Question) -> tuple[str, str] | None:
        """As ``ToolRule.judge``. To be addressed is what both ``mention`` and ``silent`` need (CON-42)."""
        if asked.trigger is None or asked.trigger is not TriggerMode.PROACTIVE:
            return None
        if TRIGGER_RANK[asked.trigger] <= TRIGGER_RANK[self.loosest]:
            return None
        return (
            "trigger_mode_not_allowed",
            "Agents work here only when they are addressed, and nobody addressed this one.",
        )


def loosest(rules: tuple[TriggerRule, ...], asked: Question) -> TriggerMode:
    """The loosest mode that all of these rules leave, where they apply (TRG-20)."""
    return strictest(TriggerMode.PROACTIVE, *(rule.loosest for rule in rules if rule.scope.covers(asked)))


class DepthRule(Value):
    """How many delegations may follow one another (GOV-11, CON-33, CON-34). 0: none at all."""

    type: Literal[RuleType.DEPTH] = RuleType.DEPTH
    scope: Scope = Scope()
    max: int = Field(ge=0, le=10)

    def judge(self, asked: Question) -> tuple[str, str] | None:
        """As ``ToolRule.judge``. Only calls of other agents are delegations."""
        if asked.spec is None or asked.spec.kind is not ToolKind.AGENT or asked.depth < self.max:
            return None
        return "delegation_depth_exceeded", f"Work may be passed on {self.max} times here; that is used up."


Rule = Annotated[
    ToolRule
    | ContentRule
    | ModelRule
    | EgressRule
    | TimeRule
    | ApprovalRule
    | TriggerRule
    | DepthRule
    | CostRule
    | RateRule,
    Field(discriminator="type"),
]


def opinion(rule: Rule, layer: Layer, name: str, asked: Question) -> Opinion | None:
    """What this rule says; None where it does not apply or has nothing against it. Never raises: a rule that breaks
    refuses."""
    try:
        if isinstance(rule, CostRule | RateRule) or not rule.scope.covers(asked):
            return None
        found = rule.judge(asked)
        if found is None:
            return None
        verdict, ask, redact = _answer(rule, asked)
    except Exception:  # whatever it is: a rule that cannot be evaluated holds the call back
        return Opinion(layer=layer, rule=name, verdict="deny", reason="policy_failed", detail="A rule cannot be read.")
    return Opinion(layer=layer, rule=name, verdict=verdict, reason=found[0], detail=found[1], ask=ask, redact=redact)


def _answer(rule: Rule, asked: Question) -> tuple[Verdict, Ask | None, tuple[str, ...]]:
    """What a rule that found something wants done about it."""
    match rule:
        case ApprovalRule():
            return "ask", rule.ask, ()
        case ContentRule(then="ask"):
            return "ask", rule.ask, ()
        case ContentRule(then="redact"):
            return "allow", None, rule.kinds(asked)
        case _:
            return "deny", None, ()

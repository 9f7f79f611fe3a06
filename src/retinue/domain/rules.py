"""Rules of policy, each of one type, each of which can only narrow (GOV-11). Pure and total: a rule that cannot read
what it is asked about refuses (GOV-20).

A rule is asked about one thing at a time, a ``Question``: a call of a tool, or a call of a model. It answers with an
opinion, or with None where it does not apply.
"""

import fnmatch
import re
from datetime import datetime, time
from enum import StrEnum
from typing import Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from retinue.domain import aliases
from retinue.domain.base import Value
from retinue.domain.ids import AgentId, ChannelId, UserId
from retinue.domain.tools import Effect, ToolCall, ToolSpec
from retinue.domain.verdicts import Ask, Layer, Opinion, Verdict


class Question(Value):
    """What a rule may look at: of a call of a model ``model``, of a call of a tool ``spec`` and ``call``."""

    agent_id: AgentId
    user_id: UserId | None = None
    channel_id: ChannelId | None = None
    at: datetime
    spec: ToolSpec | None = None
    call: ToolCall | None = None
    calls_before: int = 0
    """Calls of the same tool earlier in the turn."""
    model: str | None = None
    host: str | None = None
    """Where the call would go to, for a tool with an endpoint."""
    categories: tuple[str, ...] = ()
    """What the tool is about, such as ``external_email`` (GOV-14)."""


# ── to what a rule applies ───────────────────────────────────────────────────────────────────────────────────────


def _pattern(text: str) -> str:
    """A tool's name in any spelling, with ``*`` for any letters; ``*`` alone is every tool."""
    if not re.fullmatch(r"[A-Za-z0-9_*-]{1,64}", text):
        raise ValueError("must be a tool's name; * stands for any letters")
    return text


ToolPattern = Annotated[str, AfterValidator(_pattern)]


def names(pattern: str, slug: str) -> bool:
    """Whether this pattern names this tool, by any of the tool's spellings (CON-48)."""
    if "*" in pattern:
        return fnmatch.fnmatchcase(slug, pattern.lower().replace("-", "_"))
    return slug in aliases.expand(pattern)


class Scope(Value):
    """Where a rule applies; an empty field does not narrow."""

    agents: tuple[AgentId, ...] = ()
    channels: tuple[ChannelId, ...] = ()
    tools: tuple[ToolPattern, ...] = ()
    effects: tuple[Effect, ...] = ()

    def covers(self, asked: Question) -> bool:
        """Whether the question is of this scope. What is not known counts as covered."""
        if self.agents and asked.agent_id not in self.agents:
            return False
        if self.channels and asked.channel_id is not None and asked.channel_id not in self.channels:
            return False
        if not self.tools and not self.effects:
            return True
        if asked.spec is None:
            return False
        if self.tools and not any(names(pattern, asked.spec.slug) for pattern in self.tools):
            return False
        return not self.effects or asked.spec.effect in self.effects


# ── the types ────────────────────────────────────────────────────────────────────────────────────────────────────


class RuleType(StrEnum):
    """GOV-11."""

    TOOL = "tool_restriction"
    CONTENT = "content_restriction"
    MODEL = "model_allow_list"
    EGRESS = "network_egress"
    TIME = "time_window"
    APPROVAL = "approval"


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
            return "action_not_allowed", f"{slug} may be used here for {_listed(self.allowed_actions)} only."
        if self.denied_actions and (not isinstance(action, str) or action in self.denied_actions):
            return "action_not_allowed", f"{slug} may not be used here for {_listed(self.denied_actions)}."
        if self.max_calls_per_interaction is not None and asked.calls_before >= self.max_calls_per_interaction:
            return "call_limit", f"{slug} may be called {self.max_calls_per_interaction} times in one turn here."
        return None


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words) or "nothing"


class ContentRule(Value):
    """Text that may not go into the arguments of a call."""

    type: Literal[RuleType.CONTENT] = RuleType.CONTENT
    scope: Scope = Scope()
    patterns: tuple[Annotated[str, AfterValidator(lambda text: _compiled(text).pattern)], ...] = Field(
        min_length=1, max_length=50
    )
    """Regular expressions, found anywhere in any text of the arguments, whatever its case."""

    def judge(self, asked: Question) -> tuple[str, str] | None:
        if asked.call is None:
            return None
        for text in texts(asked.call.arguments):
            for pattern in self.patterns:
                if _compiled(pattern).search(text):
                    return "content_blocked", "The arguments hold text that may not be used here."
        return None


LONGEST_PATTERN = 200


def _compiled(pattern: str) -> re.Pattern[str]:
    """The expression. Raises ValueError for one that cannot be read or can take very long."""
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"must have at most {LONGEST_PATTERN} characters")
    if re.search(r"[+*}]\)?[+*{]", pattern):
        raise ValueError("a repetition of a repetition can take for ever")
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error


def texts(value: Any) -> list[str]:
    """All texts in a JSON value, names of fields too."""
    match value:
        case str():
            return [value]
        case dict():
            found: list[str] = []
            for key, inner in cast("dict[str, Any]", value).items():
                found += [key, *texts(inner)]
            return found
        case list() | tuple():
            return [text for inner in cast("list[Any]", value) for text in texts(inner)]
        case _:
            return []


class ModelRule(Value):
    """Which models may be called: ids with ``*`` for any letters."""

    type: Literal[RuleType.MODEL] = RuleType.MODEL
    scope: Scope = Scope()
    models: tuple[Annotated[str, Field(pattern=r"^\S{1,200}$")], ...]

    def judge(self, asked: Question) -> tuple[str, str] | None:
        if asked.model is None or any(fnmatch.fnmatchcase(asked.model, pattern) for pattern in self.models):
            return None
        return "model_not_allowed", f"The model {asked.model} is not among those that may be used here."


class EgressRule(Value):
    """Which hosts a call may go to: ``example.com``, or ``*.example.com`` for all below it."""

    type: Literal[RuleType.EGRESS] = RuleType.EGRESS
    scope: Scope = Scope()
    hosts: tuple[Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9.-]{1,253}$")], ...]

    def judge(self, asked: Question) -> tuple[str, str] | None:
        if asked.host is None or any(host_matches(pattern, asked.host.lower()) for pattern in self.hosts):
            return None
        return "host_not_allowed", f"{asked.host} is not among the hosts that may be called from here."


def host_matches(pattern: str, host: str) -> bool:
    """Whether a host is meant: by its name, or with ``*.`` by the name of a domain above it."""
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is no time zone, such as Europe/Berlin") from error
    return name


class TimeRule(Value):
    """When calls may be made: on these days from one time of the day to another, which may be past midnight."""

    type: Literal[RuleType.TIME] = RuleType.TIME
    scope: Scope = Scope()
    days: tuple[Day, ...] = DAYS
    start: time = time(0)
    end: time = time(0)
    """Exclusive; the same as ``start``: the whole day. A window past midnight belongs to the day it begins on."""
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"

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
        if self.is_open(asked.at):
            return None
        window = f"{self.start:%H:%M} to {self.end:%H:%M}" if self.start != self.end else "all day"
        return "outside_hours", f"This is allowed on {', '.join(self.days)}, {window} ({self.time_zone})."


class Comparison(Value):
    """What an argument must be like: a dotted path into the arguments, compared with a value.

    An argument that is not there, or cannot be compared, counts as a match: what cannot be read is asked about.
    """

    argument: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+){0,5}$")]
    is_: Literal["above", "equal", "one_of", "not_one_of", "matches"] = Field(alias="is")
    value: float | str | tuple[str, ...]

    def holds(self, arguments: dict[str, Any]) -> bool:
        """Whether the argument is so."""
        found: Any = arguments
        for name in self.argument.split("."):
            if not isinstance(found, dict) or name not in found:
                return True
            found = cast("dict[str, Any]", found)[name]
        match self.is_:
            case "above":
                number = _number(found)
                return number is None or not isinstance(self.value, float) or number > self.value
            case "equal":
                return _same(found, self.value)
            case "one_of":
                return not isinstance(found, str) or found in _words(self.value)
            case "not_one_of":
                return not isinstance(found, str) or found not in _words(self.value)
            case "matches":
                return not isinstance(found, str) or fnmatch.fnmatchcase(found.lower(), str(self.value).lower())


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _same(found: Any, value: float | str | tuple[str, ...]) -> bool:
    if isinstance(value, float):
        return (number := _number(found)) is None or number == value
    return found == value


def _words(value: float | str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)


class ApprovalRule(Value):
    """What a person must approve before it is done (GOV-14): calls of these categories or of this scope, where all
    comparisons hold."""

    type: Literal[RuleType.APPROVAL] = RuleType.APPROVAL
    scope: Scope = Scope()
    categories: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")], ...] = ()
    where: tuple[Comparison, ...] = ()
    ask: Ask

    def judge(self, asked: Question) -> tuple[str, str] | None:
        if asked.spec is None or asked.call is None:
            return None
        if self.categories and not set(self.categories) & set(asked.categories):
            return None
        if not all(one.holds(asked.call.arguments) for one in self.where):
            return None
        return "approval_required", f"{asked.spec.name} is done here once a person has approved it."


Rule = Annotated[ToolRule | ContentRule | ModelRule | EgressRule | TimeRule | ApprovalRule, Field(discriminator="type")]


def opinion(rule: Rule, layer: Layer, name: str, asked: Question) -> Opinion | None:
    """What this rule says; None where it does not apply or has nothing against it. Never raises: a rule that breaks
    refuses."""
    try:
        if not rule.scope.covers(asked):
            return None
        found = rule.judge(asked)
    except Exception:  # whatever it is: a rule that cannot be evaluated holds the call back
        return Opinion(layer=layer, rule=name, verdict="deny", reason="policy_failed", detail="A rule cannot be read.")
    if found is None:
        return None
    verdict: Verdict = "ask" if isinstance(rule, ApprovalRule) else "deny"
    ask = rule.ask if isinstance(rule, ApprovalRule) else None
    return Opinion(layer=layer, rule=name, verdict=verdict, reason=found[0], detail=found[1], ask=ask)

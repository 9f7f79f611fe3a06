"""Whether a rule of a lower layer promises what a higher one does not give (GOV-08).

Layers are joined, so such a rule could never loosen anything; but whoever writes it believes that it does. It is
refused, with the ceiling that it meets. Only what a rule permits by name can promise too much: lists of tools, actions,
models and hosts, windows of time, numbers of calls.
"""

import fnmatch
from datetime import UTC, datetime, timedelta

from retinue.domain import rules
from retinue.domain.base import Value
from retinue.domain.rules import EgressRule, ModelRule, Rule, Scope, TimeRule, ToolRule
from retinue.domain.verdicts import Layer

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
WEEK_STEPS = 7 * 24 * 4
"""Quarters of an hour: the offsets of all time zones are such."""


class Ceiling(Value):
    """A rule above that gives less."""

    layer: Layer
    rule: str
    detail: str


def meets(rule: Rule, above: Rule) -> str | None:
    """What ``rule`` promises and ``above`` does not give, in words; None when it promises nothing more."""
    if not _overlap(rule.scope, above.scope):
        return None
    match rule, above:
        case ToolRule(), ToolRule():
            return _tools(rule, above)
        case ModelRule(), ModelRule():
            more = [one for one in rule.models if not any(fnmatch.fnmatchcase(one, each) for each in above.models)]
            return f"allows the models {', '.join(more)}, which are not allowed above" if more else None
        case EgressRule(), EgressRule():
            more = [one for one in rule.hosts if not any(_covers(each, one) for each in above.hosts)]
            return f"allows the hosts {', '.join(more)}, which are not allowed above" if more else None
        case TimeRule(), TimeRule():
            return _hours(rule, above)
        case _:
            return None


def _overlap(one: Scope, other: Scope) -> bool:
    """Whether something may be of both. Patterns of tools are taken to overlap."""
    pairs = ((one.agents, other.agents), (one.channels, other.channels), (one.effects, other.effects))
    return all(not mine or not theirs or set(mine) & set(theirs) for mine, theirs in pairs)


def _tools(rule: ToolRule, above: ToolRule) -> str | None:
    if rule.only is not None:
        more = [one for one in rule.only if _blocked(one, above) and one not in rule.never]
        if more:
            return f"allows {', '.join(more)}, which is not allowed above"
    if rule.allowed_actions is not None:
        denied = [one for one in rule.allowed_actions if _action_denied(one, above) and one not in rule.denied_actions]
        if denied:
            return f"allows the actions {', '.join(denied)}, which are not allowed above"
    calls, limit = rule.max_calls_per_interaction, above.max_calls_per_interaction
    if calls is not None and limit is not None and calls > limit:
        return f"allows {calls} calls in one turn, {limit} are allowed above"
    return None


def _blocked(pattern: str, above: ToolRule) -> bool:
    if any(_same_tools(each, pattern) for each in above.never):
        return True
    return above.only is not None and not any(_same_tools(each, pattern) for each in above.only)


def _same_tools(wide: str, narrow: str) -> bool:
    """Whether ``wide`` names all that ``narrow`` does."""
    if "*" in narrow:
        return "*" in wide and fnmatch.fnmatchcase(narrow.lower(), wide.lower())
    return any(rules.names(wide, slug) for slug in rules.aliases.expand(narrow))


def _action_denied(action: str, above: ToolRule) -> bool:
    return action in above.denied_actions or (above.allowed_actions is not None and action not in above.allowed_actions)


def _covers(wide: str, narrow: str) -> bool:
    if narrow.startswith("*."):
        return wide.startswith("*.") and narrow[1:].endswith(wide[1:])
    return rules.host_matches(wide, narrow)


def _hours(rule: TimeRule, above: TimeRule) -> str | None:
    for step in range(WEEK_STEPS):
        at = MONDAY + timedelta(minutes=15 * step)
        if rule.is_open(at) and not above.is_open(at):
            return f"is open on {at:%A} at {at:%H:%M} UTC, when it is closed above"
    return None

"""Whether a rule of a lower layer promises what a higher one does not give (GOV-08).

Layers are joined, so such a rule could never loosen anything; but whoever writes it believes that it does. It is
refused, with the ceiling that it meets. Only what a rule permits by name can promise too much: lists of tools, actions,
models and hosts, windows of time, numbers of calls, modes, depths, limits of cost and rate. Rules that only forbid or
ask promise nothing.
"""

from retinue.domain import aliases, opening_hours
from retinue.domain.agents import TRIGGER_RANK
from retinue.domain.base import Value
from retinue.domain.money import Money
from retinue.domain.roles import WorkerRole
from retinue.domain.rule_base import Scope, names, plain, wild
from retinue.domain.rule_limits import CostRule, RateRule
from retinue.domain.rules import DepthRule, EgressRule, ModelRule, Rule, TimeRule, ToolRule, TriggerRule, host_matches
from retinue.domain.verdicts import Layer


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
        case (ModelRule(), ModelRule()) | (EgressRule(), EgressRule()):
            return _lists(rule, above)
        case TimeRule(), TimeRule():
            at = opening_hours.only_open(rule, above)
            return f"is open on {at:%A} at {at:%H:%M:%S} UTC, when it is closed above" if at else None
        case TriggerRule(), TriggerRule():
            looser = TRIGGER_RANK[rule.loosest] > TRIGGER_RANK[above.loosest]
            return f"allows the mode {rule.loosest}, {above.loosest} is the loosest above" if looser else None
        case DepthRule(), DepthRule():
            return f"allows a depth of {rule.max}, {above.max} is the most above" if rule.max > above.max else None
        case CostRule(), CostRule():
            return _cost(rule, above)
        case RateRule(), RateRule():
            return _rate(rule, above)
        case _:
            return None


def role_meets(role: WorkerRole, above: Rule) -> str | None:
    """The same of the tools that a worker role allows by name."""
    if not isinstance(above, ToolRule) or role.scope.tools_allow is None:
        return None
    return meets(ToolRule(only=role.scope.tools_allow, never=role.scope.tools_deny), above)


def _overlap(one: Scope, other: Scope) -> bool:
    """Whether something may be of both. Patterns of tools are taken to overlap."""
    pairs = ((one.agents, other.agents), (one.channels, other.channels), (one.effects, other.effects))
    return all(not mine or not theirs or set(mine) & set(theirs) for mine, theirs in pairs)


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────


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
        return "*" in wide and wild(plain(wide), plain(narrow))
    return all(names(wide, slug) for slug in aliases.expand(narrow))


def _action_denied(action: str, above: ToolRule) -> bool:
    return action in above.denied_actions or (above.allowed_actions is not None and action not in above.allowed_actions)


def _lists(rule: ModelRule | EgressRule, above: Rule) -> str | None:
    match rule, above:
        case ModelRule(), ModelRule():
            what, more = "models", [one for one in rule.models if not any(wild(each, one) for each in above.models)]
        case EgressRule(), EgressRule():
            what, more = "hosts", [one for one in rule.hosts if not any(_covers(each, one) for each in above.hosts)]
        case _:
            return None
    return f"allows the {what} {', '.join(more)}, which are not allowed above" if more else None


def _covers(wide: str, narrow: str) -> bool:
    if narrow.startswith("*."):
        return wide.startswith("*.") and narrow[1:].endswith(wide[1:])
    return host_matches(wide, narrow)


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _cost(rule: CostRule, above: CostRule) -> str | None:
    if (rule.per, rule.period) != (above.per, above.period) or rule.limit_micro <= above.limit_micro:
        return None
    spans = "" if rule.period == "total" else f" and {rule.period}"
    mine, theirs = Money(amount_micro=rule.limit_micro), Money(amount_micro=above.limit_micro)
    return f"allows {mine} per {rule.per}{spans}, {theirs} is the most above"


def _rate(rule: RateRule, above: RateRule) -> str | None:
    if (rule.per, rule.of, rule.about) != (above.per, above.of, above.about):
        return None
    if rule.amount * above.seconds > above.amount * rule.seconds:
        most = f"{above.amount} in {above.seconds} s are the most above"
        return f"allows {rule.amount} {rule.of} in {rule.seconds} s, {most}"
    if rule.strategy == above.strategy and rule.most > above.most:
        return f"allows {rule.most} {rule.of} at once, {above.most} are the most above"
    return None

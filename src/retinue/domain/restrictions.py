"""Restrictions of tools by slug, each of which can only narrow (TOOL-17, TOOL-29, CON-48, CON-50, DEL-23).

Pure. Where they come from (assignments, policies) and when they are asked is the gate's business.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from pydantic import Field

from retinue.domain import aliases
from retinue.domain.base import Value
from retinue.domain.rule_base import Question, listed
from retinue.domain.tools import ToolSpec
from retinue.domain.verdicts import Layer, Opinion


class Restriction(Value):
    """What one tool may not do. ``None`` means: not restricted in this respect."""

    blocked: bool = False
    allowed_actions: tuple[str, ...] | None = None
    """Only these values of the parameter ``action``."""
    denied_actions: tuple[str, ...] = ()
    max_calls_per_interaction: int | None = Field(default=None, ge=0)


def tighten(first: Restriction, second: Restriction) -> Restriction:
    """Both at once: whatever either refuses is refused."""
    calls = [n for n in (first.max_calls_per_interaction, second.max_calls_per_interaction) if n is not None]
    return Restriction(
        blocked=first.blocked or second.blocked,
        allowed_actions=_both(first.allowed_actions, second.allowed_actions),
        denied_actions=tuple(sorted({*first.denied_actions, *second.denied_actions})),
        max_calls_per_interaction=min(calls, default=None),
    )


def _both(first: tuple[str, ...] | None, second: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if first is None or second is None:
        return second if first is None else first
    return tuple(action for action in first if action in second)


def resolve(written: Mapping[str, Restriction]) -> dict[str, Restriction]:
    """By canonical slug: blocking ``sendEmail`` blocks ``send_email``; spellings of one tool are all in force."""
    found: dict[str, list[Restriction]] = {}
    for name, restriction in written.items():
        for slug in aliases.expand(name):
            found.setdefault(slug, []).append(restriction)
    return {slug: reduce(tighten, several) for slug, several in found.items()}


def refusal(restriction: Restriction, arguments: Mapping[str, Any], calls_before: int) -> str | None:
    """The stable reason for which a call is refused, or None.

    A restricted action that the call leaves out or does not spell as text is refused, as it cannot be checked.
    """
    if restriction.blocked:
        return "tool_blocked"
    limit = restriction.max_calls_per_interaction
    if limit is not None and calls_before >= limit:
        return "call_limit"
    action = arguments.get("action")
    if restriction.allowed_actions is not None and action not in restriction.allowed_actions:
        return "action_not_allowed"
    if restriction.denied_actions and (not isinstance(action, str) or action in restriction.denied_actions):
        return "action_not_allowed"
    return None


def assignment_opinions(restrictions: Mapping[str, Restriction], asked: Question) -> tuple[Opinion, ...]:
    """What the assignments have against a call, be it of a tool or of another agent (DEL-23..28); nothing where nothing
    is. Names may be spelt in any way. Never raises: a restriction that breaks refuses (GOV-20)."""
    spec = asked.spec
    if spec is None:
        return ()
    try:
        known = {slug: one for slug, one in resolve(restrictions).items() if slug in _spellings(spec.slug)}
        arguments = asked.call.arguments if asked.call is not None else {}
        against = {slug: refusal(one, arguments, asked.calls_before) for slug, one in known.items()}
        return tuple(_opinion(slug, known[slug], reason) for slug, reason in sorted(against.items()) if reason)
    except Exception:  # whatever it is: a restriction that cannot be evaluated holds the call back
        return (_opinion(spec.slug, Restriction(), "policy_failed"),)


def _spellings(slug: str) -> tuple[str, ...]:
    return slug, aliases.canonical(slug)


def _opinion(slug: str, restriction: Restriction, reason: str) -> Opinion:
    words = {
        "tool_blocked": f"{slug} is not to be used where this agent is assigned.",
        "call_limit": f"{slug} may be called {restriction.max_calls_per_interaction} times in one turn here.",
        "action_not_allowed": f"{slug} may be used here for {_actions(restriction)}.",
    }
    return Opinion(
        layer=Layer.ASSIGNMENT,
        rule=f"assignment: {slug}",
        verdict="deny",
        reason=reason,
        detail=words.get(reason, "A restriction cannot be read."),
    )


def _actions(restriction: Restriction) -> str:
    if restriction.allowed_actions is None:
        return f"anything but {listed(restriction.denied_actions)}"
    return f"{listed(tuple(one for one in restriction.allowed_actions if one not in restriction.denied_actions))} only"


def objections(written: Mapping[str, Restriction], specs: Iterable[ToolSpec]) -> list[dict[str, str]]:
    """What cannot be saved: a restriction of actions on a tool whose schema has no property ``action`` (CON-50)."""
    known = {spec.slug: spec for spec in specs}
    found: list[dict[str, str]] = []
    for name, restriction in written.items():
        if restriction.allowed_actions is None and not restriction.denied_actions:
            continue
        for slug in aliases.expand(name):
            spec = known.get(slug)
            if spec is not None and "action" not in spec.parameters.get("properties", {}):
                found.append({"path": name, "reason": f"{slug} has no action parameter, so actions cannot restrict it"})
    return found

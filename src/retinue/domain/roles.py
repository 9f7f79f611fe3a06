"""The registry's words, and what worker roles allow (REG-02..10).

Four things are called tier and two are called trust elsewhere; here they keep names of their own (CON-07, CON-08,
REG-23): ``registry_tier`` says whom an agent serves, ``autonomy_tier`` what its role may do alone, ``autonomy_score``
is a number from 1 to 10, and ``trust_level``, the named level, is what decides about tools.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from retinue.domain.agents import TrustLevel
from retinue.domain.base import Value
from retinue.domain.ids import RoleId
from retinue.domain.rule_approval import Comparison
from retinue.domain.rule_base import Category, Question, ToolPattern, listed, names
from retinue.domain.texts import Line, Text
from retinue.domain.tools import Effect, ToolKind, ToolSpec
from retinue.domain.verdicts import Ask, Layer, Opinion, Panel


class RegistryTier(StrEnum):
    """REG-02: whom an agent serves."""

    OPERATOR = "operator"
    DEPARTMENT = "department"
    PERSONAL = "personal"


AutonomyScore = Annotated[int, Field(ge=1, le=10)]
"""REG-03."""


def level_of(score: int) -> TrustLevel:
    """The trust level that goes with an autonomy score: 1-2 read, 3-5 standard, 6-8 elevated, 9-10 admin (CON-07).

    Admin still needs the account's grant (GOV-05). Raises ValueError outside 1..10.
    """
    if not 1 <= score <= 10:
        raise ValueError("an autonomy score is from 1 to 10")
    bounds = ((2, TrustLevel.READ), (5, TrustLevel.STANDARD), (8, TrustLevel.ELEVATED))
    return next((level for most, level in bounds if score <= most), TrustLevel.ADMIN)


SCORE_OF = {TrustLevel.READ: 2, TrustLevel.STANDARD: 5, TrustLevel.ELEVATED: 8, TrustLevel.ADMIN: 10}
"""The score an agent is registered with where nobody gives one."""


class AutonomyTier(StrEnum):
    """REG-09, from the strictest."""

    ADVISORY = "advisory"
    """May only recommend: no tool that changes anything."""
    RETRIEVAL = "retrieval"
    """Only tools that read, by effect and by the trust that they need."""
    APPROVAL_REQUIRED = "approval_required"
    """A person approves every call that changes anything."""
    BOUNDED_AUTONOMOUS = "bounded_autonomous"
    """Free within the bounds."""


class Environment(StrEnum):
    """Where a call acts."""

    PLATFORM = "platform"
    """Retinue's own data."""
    NETWORK = "network"
    """The world outside: endpoints, mail, the web."""
    MCP = "mcp"
    AGENTS = "agents"
    """Other agents."""


def environment_of(spec: ToolSpec) -> Environment:
    """Where calls of this tool act."""
    match spec.kind:
        case ToolKind.MCP:
            return Environment.MCP
        case ToolKind.AGENT:
            return Environment.AGENTS
        case _:
            return Environment.PLATFORM if spec.inside else Environment.NETWORK


class RoleScope(Value):
    """REG-05. None: not narrowed in this respect. A tool of no category is outside every list of categories."""

    tools_allow: tuple[ToolPattern, ...] | None = None
    tools_deny: tuple[ToolPattern, ...] = ()
    """Wins over ``tools_allow`` (REG-08)."""
    data_access: tuple[Category, ...] | None = None
    """The categories of tools with which it may read."""
    write_access: tuple[Category, ...] | None = None
    """The categories of tools with which it may change anything."""
    environment_access: tuple[Environment, ...] | None = None


class AuthorityBounds(Value):
    """REG-06: how far one turn may go before it stops, and from where on a person decides. None: no bound."""

    max_spend_micro: int | None = Field(default=None, ge=0)
    """In millionths of a US dollar, the call asked about included."""
    max_seconds: int | None = Field(default=None, ge=1)
    """Of the running parts; time spent waiting for people does not count."""
    max_concurrent_steps: int | None = Field(default=None, ge=1)
    escalation_threshold_micro: int | None = Field(default=None, ge=0)
    """From this spending on, a person approves every further call of a tool."""
    escalation_confidence: float | None = Field(default=None, ge=0, le=1)
    """Below this confidence a person takes over; None: 0.7 (CON-71)."""
    approvers: Panel = Panel()
    """Who decides what the role may not do alone."""


class Condition(Value):
    """What a call must be like; all that is given must hold, and what cannot be read holds."""

    tools: tuple[ToolPattern, ...] = ()
    categories: tuple[Category, ...] = ()
    effects: tuple[Effect, ...] = ()
    where: tuple[Comparison, ...] = Field(default=(), max_length=20)
    spent_above_micro: int | None = Field(default=None, ge=0)
    seconds_above: int | None = Field(default=None, ge=0)
    calls_above: int | None = Field(default=None, ge=0)
    """Calls of the same tool earlier in the turn."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self == Condition.model_construct():
            raise ValueError("must say when: tools, categories, effects, where, or a number")
        return self

    def holds(self, asked: Question) -> bool:
        """Whether the question is such."""
        return self._is_about(asked) and self._is_past(asked)

    def _is_about(self, asked: Question) -> bool:
        spec, call = asked.spec, asked.call
        if spec is None or call is None:
            return not (self.tools or self.categories or self.effects or self.where)
        if self.tools and not any(names(pattern, spec.slug) for pattern in self.tools):
            return False
        if self.categories and not set(self.categories) & set(asked.categories):
            return False
        if self.effects and spec.effect not in self.effects:
            return False
        return all(one.holds(call.arguments) for one in self.where)

    def _is_past(self, asked: Question) -> bool:
        used = asked.so_far
        spending = None if used.worst_micro is None else used.spent_micro + used.worst_micro
        if self.spent_above_micro is not None and spending is not None and spending <= self.spent_above_micro:
            return False
        if self.seconds_above is not None and used.seconds <= self.seconds_above:
            return False
        return self.calls_above is None or asked.calls_before > self.calls_above


class EscalationRule(Value):
    """REG-07."""

    condition: Condition
    action: Literal["ask", "deny"] = "ask"


class NewRole(Value):
    """What people write of a role."""

    name: Line
    description: Text = ""
    autonomy_tier: AutonomyTier
    scope: RoleScope = RoleScope()
    authority_bounds: AuthorityBounds = AuthorityBounds()
    escalation_rules: tuple[EscalationRule, ...] = Field(default=(), max_length=50)


class WorkerRole(NewRole):
    """REG-04: a role that agents are registered with."""

    id: RoleId


# ── what a role says about a call ────────────────────────────────────────────────────────────────────────────────

Against = tuple[str, str, str]
"""The part of the role that is against it, the code and the words."""


def role_opinions(role: WorkerRole, asked: Question) -> tuple[Opinion, ...]:
    """Everything in the role that is against this call; nothing where nothing is. Never raises: a role that breaks
    refuses (GOV-20)."""
    try:
        denials = [*_tier(role, asked), *_scope(role.scope, asked), *_bounds(role.authority_bounds, asked)]
        denials += _escalated(role, asked, "deny")
        questions: list[Against] = []
        if asked.call is not None:  # a person can be asked about calls of tools only
            questions += [*_tier_asks(role, asked), *_threshold(role.authority_bounds, asked)]
            questions += _escalated(role, asked, "ask")
    except Exception:  # whatever it is: a role that cannot be evaluated holds the call back
        denials, questions = [("role", "policy_failed", f"The role {role.name} cannot be read.")], []
    ask = Ask(panels=(role.authority_bounds.approvers,))
    return (
        *(_opinion(role, one, None) for one in denials),
        *(_opinion(role, one, ask) for one in questions),
    )


def _opinion(role: WorkerRole, against: Against, ask: Ask | None) -> Opinion:
    part, reason, detail = against
    return Opinion(
        layer=Layer.ROLE,
        rule=f"{role.name}: {part}",
        verdict="deny" if ask is None else "ask",
        reason=reason,
        detail=detail,
        ask=ask,
    )


def _tier(role: WorkerRole, asked: Question) -> list[Against]:
    spec = asked.spec
    if spec is None:
        return []
    if role.autonomy_tier is AutonomyTier.ADVISORY and spec.effect is not Effect.READ:
        return [("autonomy tier", "advisory_only", f"The role {role.name} may only recommend; {spec.slug} does more.")]
    reads = spec.effect is Effect.READ and spec.trust is TrustLevel.READ
    if role.autonomy_tier is AutonomyTier.RETRIEVAL and not reads:
        return [("autonomy tier", "retrieval_only", f"The role {role.name} may only read; {spec.slug} does more.")]
    return []


def _tier_asks(role: WorkerRole, asked: Question) -> list[Against]:
    spec = asked.spec
    if spec is None or spec.effect is Effect.READ or role.autonomy_tier is not AutonomyTier.APPROVAL_REQUIRED:
        return []
    return [("autonomy tier", "approval_required", f"{spec.name} changes something, which a person approves first.")]


def _scope(scope: RoleScope, asked: Question) -> list[Against]:
    spec = asked.spec
    if spec is None:
        return []
    found: list[Against] = []
    if any(names(pattern, spec.slug) for pattern in scope.tools_deny):
        found.append(("tools_deny", "tool_blocked", f"{spec.slug} is not to be used in this role."))
    if scope.tools_allow is not None and not any(names(pattern, spec.slug) for pattern in scope.tools_allow):
        found.append(("tools_allow", "tool_blocked", f"{spec.slug} is not among the tools of this role."))
    reads = spec.effect is Effect.READ
    access = scope.data_access if reads else scope.write_access
    if access is not None and not set(access) & set(asked.categories):
        part, words = ("data_access", "read") if reads else ("write_access", "change")
        found.append((part, "outside_role", f"This role may {words} {listed(access)} only."))
    place = environment_of(spec)
    if scope.environment_access is not None and place not in scope.environment_access:
        found.append(
            ("environment_access", "outside_role", f"This role may act on {listed(scope.environment_access)} only.")
        )
    return found


def _bounds(bounds: AuthorityBounds, asked: Question) -> list[Against]:
    used = asked.so_far
    found: list[Against] = []
    if bounds.max_spend_micro is not None:
        if used.worst_micro is None:
            found.append(
                ("max_spend", "unknown_price", "Nobody knows what this costs, and the role's spending is bounded.")
            )
        elif used.spent_micro + used.worst_micro > bounds.max_spend_micro:
            found.append(
                ("max_spend", "authority_exceeded", "This could cost more than the role may spend in one turn.")
            )
    if bounds.max_seconds is not None and used.seconds >= bounds.max_seconds:
        found.append(("max_seconds", "authority_exceeded", f"The role may work {bounds.max_seconds} s in one turn."))
    if bounds.max_concurrent_steps is not None and used.running_steps >= bounds.max_concurrent_steps:
        words = f"The role may do {bounds.max_concurrent_steps} things at once. Do this after the others."
        found.append(("max_concurrent_steps", "authority_exceeded", words))
    return found


def _threshold(bounds: AuthorityBounds, asked: Question) -> list[Against]:
    limit, used = bounds.escalation_threshold_micro, asked.so_far
    if limit is None or (used.worst_micro is not None and used.spent_micro + used.worst_micro < limit):
        return []
    return [("escalation threshold", "escalated", "This turn has become so dear that a person decides about the rest.")]


def _escalated(role: WorkerRole, asked: Question, action: str) -> list[Against]:
    words = "hands this to a person" if action == "ask" else "rules this out"
    return [
        (f"escalation rule {number}", "escalated", f"The role {role.name} {words}.")
        for number, rule in enumerate(role.escalation_rules, start=1)
        if rule.action == action and rule.condition.holds(asked)
    ]

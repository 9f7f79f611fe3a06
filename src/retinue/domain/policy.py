"""Whether a call may run, and why: everything that rules over one agent, joined so that each layer only narrows
(GOV-07, TOOL-17, DEL-26).

Pure and total. ``Book`` is what the database says; ``judge`` is what follows from it for one question. A policy that
cannot be read denies (GOV-20), and so does a book that says nothing at all.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError

from retinue.domain import roles, rules, verdicts
from retinue.domain.agents import TRUST_RANK, AgentConfig, CapabilityLevel, TrustLevel
from retinue.domain.base import Value
from retinue.domain.ids import AgentId, AssignmentId, ChannelId, GrantId, PolicyId, RoleId, TeamId, UserId, WaitId
from retinue.domain.restrictions import Restriction, assignment_opinions, resolve, tighten
from retinue.domain.roles import RegistryTier, WorkerRole
from retinue.domain.rule_base import Question
from retinue.domain.rule_content import ContentRule
from retinue.domain.rules import Rule
from retinue.domain.tools import ToolKind, ToolSpec
from retinue.domain.verdicts import Ask, Judgement, Layer, Opinion, Panel

COMPOSING = frozenset({CapabilityLevel.WORKFLOW, CapabilityLevel.EXPERIMENTAL, CapabilityLevel.LEARNING})
"""AGT-20: who may call other agents."""


class Governance(Value):
    """What an account has decided for all of its agents."""

    approvals: bool = True
    """Whether a call one level above an agent's trust may be approved by a person; else it is denied (CON-09)."""
    approver: Panel = Panel()
    """Who decides where nothing else says so."""
    admin_agents: tuple[AgentId, ...] = Field(default=(), max_length=1000)
    """The agents that may use tools of trust level admin (GOV-05)."""
    standing_grants: bool = True
    """Whether a decision may stand for later calls, too."""
    unpriced: Literal["refuse", "allow"] = "refuse"
    """What becomes of a call of unknown price where a budget applies."""


class Written(Value):
    """An enabled policy of one layer. ``rule`` is None when it cannot be read."""

    id: PolicyId
    layer: Layer
    name: str
    team_id: TeamId | None = None
    priority: int = 100
    version: int = 1
    rule: Rule | None


class Registration(Value):
    """REG-02: how an agent is registered."""

    agent_id: AgentId
    registry_tier: RegistryTier
    autonomy_score: int = Field(ge=1, le=10)
    skills: tuple[str, ...] = ()
    capabilities: tuple[Literal["streaming", "file_io", "cost_tracking"], ...] = ()
    role_id: RoleId | None = None


class Assigned(Value):
    """One way in which an agent is assigned to whoever it works for (LIFE-07, DEL-23)."""

    id: AssignmentId
    scope: Literal["user", "team", "account"]
    scope_id: UUID
    tool_restrictions: dict[str, Restriction] = Field(default_factory=dict)


class Grant(Value):
    """An approval that stands for later calls of its scope until its end."""

    id: GrantId
    tool: str
    channel_id: ChannelId | None = None
    user_id: UserId | None = None
    arguments_hash: str | None = None
    wait_id: WaitId | None = None
    granted_by: UserId
    panels: tuple[Panel, ...]
    created_at: datetime
    expires_at: datetime

    def covers(self, asked: Question, ask: Ask, arguments_hash: str) -> bool:
        """Whether it answers for this call, and for everyone who has to be asked about it."""
        return (
            asked.spec is not None
            and asked.spec.slug == self.tool
            and asked.at < self.expires_at
            and self.channel_id in (None, asked.channel_id)
            and self.user_id in (None, asked.user_id)
            and self.arguments_hash in (None, arguments_hash)
            and set(ask.panels) <= set(self.panels)
        )


class Book(Value):
    """Everything that rules over one agent that works for one person in one place, as of ``revision``."""

    revision: int
    governance: Governance = Governance()
    known: bool = False
    """Whether it is an agent of the account; a draft on trial is not, and needs no registration or assignment."""
    policies: tuple[Written, ...] = ()
    registry: Registration | None = None
    role: WorkerRole | None = None
    assignments: tuple[Assigned, ...] = ()
    grants: tuple[Grant, ...] = ()
    team_ids: tuple[TeamId, ...] = ()
    """The team whose channel it is; where there is none, all of the person's teams."""

    def rules(self) -> Iterable[tuple[Written, Rule]]:
        """The policies that can be read."""
        return ((one, one.rule) for one in self.policies if one.rule is not None)


RULE: TypeAdapter[Rule] = TypeAdapter(Rule)


def book(row: Mapping[str, Any]) -> Book:
    """A book from what ``policy_book_v1`` says. Raises ValidationError where more than a rule cannot be read."""
    return Book.model_validate({**row, "policies": tuple(written(one) for one in row["policies"])})


def written(row: Mapping[str, Any]) -> Written:
    """A policy from its row; its rule is None where it cannot be read."""
    try:
        rule = RULE.validate_python(row["rule"])
    except ValidationError:
        rule = None
    return Written.model_validate({**row, "rule": rule})


# ── judging ──────────────────────────────────────────────────────────────────────────────────────────────────────


def judge(book: Book, config: AgentConfig, asked: Question) -> Judgement:
    """The verdict of all layers on a call of a tool, or of a model, with every opinion that led to it."""
    opinions = [Opinion(layer=Layer.AGENT, rule="agent", verdict="allow")]
    opinions += _registered(book)
    if asked.call is not None:
        opinions += _of_agent(book, config, asked)
    if book.role is not None:
        opinions += roles.role_opinions(book.role, asked)
    if asked.spec is not None:
        opinions += assignment_opinions(restrictions(book), asked)
    for policy in book.policies:
        said = _policy_opinion(policy, asked)
        if said is not None:
            opinions.append(said)
    return verdicts.join(opinions)


def granted(book: Book, judged: Judgement, asked: Question, arguments_hash: str) -> Judgement:
    """The same, with a question that a standing grant answers already answered. A denial stays one."""
    if judged.verdict != "ask" or judged.ask is None or not judged.ask.grants or not book.governance.standing_grants:
        return judged
    ask = judged.ask
    grant = next((one for one in book.grants if one.covers(asked, ask, arguments_hash)), None)
    if grant is None:
        return judged
    words = f"Approved beforehand until {grant.expires_at:%Y-%m-%d %H:%M} UTC."
    said = Opinion(layer=Layer.ACCOUNT, rule=f"grant {grant.id}", verdict="allow", reason="granted", detail=words)
    return judged.model_copy(update={"verdict": "allow", "ask": None, "opinions": (*judged.opinions, said)})


def listening(book: Book, asked: Question) -> tuple[ContentRule, ...]:
    """The content rules that hold for this call, or for what is said here."""
    return tuple(rule for _, rule in book.rules() if isinstance(rule, ContentRule) and rule.scope.covers(asked))


def restrictions(book: Book) -> dict[str, Restriction]:
    """What all assignments that apply restrict, by canonical slug: several ways to an agent are all in force."""
    joined: dict[str, Restriction] = {}
    for one in book.assignments:
        for slug, restriction in resolve(one.tool_restrictions).items():
            joined[slug] = tighten(joined[slug], restriction) if slug in joined else restriction
    return joined


def _policy_opinion(policy: Written, asked: Question) -> Opinion | None:
    if policy.rule is None:
        words = f"The policy {policy.name!r} cannot be read, so nothing is allowed until it is mended."
        return _against(policy.layer, policy.name, "policy_failed", words)
    return rules.opinion(policy.rule, policy.layer, policy.name, asked)


def _registered(book: Book) -> list[Opinion]:
    """REG-10, LIFE-08: an agent works only where it is registered and assigned."""
    if not book.known:
        return []
    found: list[Opinion] = []
    if book.registry is None:
        words = "This agent is not registered. An administrator has to register it with a tier and a score."
        found.append(_against(Layer.AGENT, "registry", "not_registered", words))
    if not book.assignments:
        words = "This agent is not assigned to the person it would work for, nor to their team."
        found.append(_against(Layer.ASSIGNMENT, "assignment", "not_assigned", words))
    return found


def _of_agent(book: Book, config: AgentConfig, asked: Question) -> list[Opinion]:
    """What the agent's own configuration says about a call of a tool."""
    call, spec = asked.call, asked.spec
    assert call is not None
    if spec is None:
        words = f"You have no tool named {call.tool!r}. Use one of the tools you were given."
        return [_against(Layer.AGENT, "tools", "unknown_tool", words)]
    if call.malformed is not None:
        words = "The arguments were not a JSON object. Send them again as one."
        return [_against(Layer.AGENT, "tools", "invalid_arguments", words)]
    found = [*_trust(book.governance, config, spec), *_calls(config, spec, asked.calls_before)]
    if spec.kind is ToolKind.AGENT and asked.depth >= config.max_delegation_depth:
        words = f"Work may be passed on {config.max_delegation_depth} times at most from here; that is used up."
        found.append(_against(Layer.AGENT, "max_delegation_depth", "delegation_depth_exceeded", words))
    if spec.kind is ToolKind.AGENT and config.capability_level not in COMPOSING:
        words = f"{spec.slug} is another agent; calling agents needs the capability level workflow."
        found.append(_against(Layer.AGENT, "capability_level", "capability_too_low", words))
    if spec.requires_approval:
        found.append(_asking(book.governance, "requires_approval", f"{spec.name} is done once a person approves it."))
    return found


def _trust(governance: Governance, config: AgentConfig, spec: ToolSpec) -> list[Opinion]:
    """GOV-01..06, CON-09: at the agent's level or below it is allowed; one above is asked about; more is denied."""
    if spec.trust is TrustLevel.ADMIN and config.id not in governance.admin_agents:
        words = f"{spec.slug} manages the platform. The account has to grant that to this agent first."
        return [_against(Layer.AGENT, "trust_level", "admin_not_granted", words)]
    above = TRUST_RANK[spec.trust] - TRUST_RANK[config.trust_level]
    if above <= 0:
        return []
    words = f"{spec.slug} needs trust level {spec.trust.value}; this agent's is {config.trust_level.value}."
    if above == 1 and governance.approvals:
        return [_asking(governance, "trust_level", words)]
    return [_against(Layer.AGENT, "trust_level", "trust_too_low", words)]


def _calls(config: AgentConfig, spec: ToolSpec, before: int) -> list[Opinion]:
    bounds = [one for one in (config.limits.max_calls_per_tool, spec.max_calls_per_interaction) if one is not None]
    if not bounds or before < min(bounds):
        return []
    words = f"{spec.slug} may be called {min(bounds)} times in one turn; that is used up."
    return [_against(Layer.AGENT, "max_calls", "call_limit", words)]


def _against(layer: Layer, rule: str, reason: str, detail: str) -> Opinion:
    return Opinion(layer=layer, rule=rule, verdict="deny", reason=reason, detail=detail)


def _asking(governance: Governance, rule: str, detail: str) -> Opinion:
    ask = Ask(panels=(governance.approver,), grants=governance.standing_grants)
    return Opinion(layer=Layer.AGENT, rule=rule, verdict="ask", reason="approval_required", detail=detail, ask=ask)

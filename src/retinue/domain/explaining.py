"""Asking what would happen, without it happening: one call explained, several expected, a week judged again (GOV-08,
GOV-23). Here is what is asked and answered; ``turn.explaining`` works it out, by the same rules as the gate."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import MISSING, AwareDatetime, Field, model_validator

from retinue.domain.agents import ModelId, ToolName
from retinue.domain.base import Value
from retinue.domain.ids import AgentId, ChannelId, InteractionId, PolicyId, UserId
from retinue.domain.policies import NewPolicy, Remarks
from retinue.domain.policy_documents import PolicyDocument
from retinue.domain.rule_limits import CostRule, RateRule
from retinue.domain.texts import Line, Object, Word
from retinue.domain.tools import Effect
from retinue.domain.verdicts import Ask, Layer, Verdict

# ── one call ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Hypothesis(Value):
    """A call that is not made: of a tool with these arguments, or of a model."""

    agent_id: AgentId
    tool: ToolName | None = None
    arguments: Object = Field(default_factory=dict)
    model: ModelId | None = None
    user_id: UserId | MISSING | None = MISSING
    """On whose behalf; left out: yours; null: nobody's, as when a schedule began it."""
    channel_id: ChannelId | None = None
    at: AwareDatetime | None = None
    """When; left out: now."""
    calls_before: Annotated[int, Field(ge=0, le=10_000)] = 0
    """How often the tool was called earlier in the same turn."""
    depth: Annotated[int, Field(ge=0, le=1000)] = 0
    """How many delegations led to the turn."""

    @model_validator(mode="after")
    def _of_one_thing(self) -> Self:
        if (self.tool is None) == (self.model is None):
            raise ValueError("name a tool or a model")
        return self


class ReasonedOpinion(Value):
    """What one rule says about it."""

    layer: Layer
    rule: str
    """The policy's name, or which part of the agent's configuration. Another person's own policy has no name here."""
    policy_id: PolicyId | None = None
    verdict: Verdict
    reason: str | None
    detail: str


class LimitingPolicy(Value):
    """A limit of cost or rate that the call would count against."""

    policy_id: PolicyId
    layer: Layer
    name: str
    rule: CostRule | RateRule
    left: int | None = None
    """How much could be reserved now, in ``unit``; null where that is not for the caller to know."""
    unit: Literal["micro", "calls", "tokens"]
    """``micro``: millionths of the rule's currency."""


class Explanation(Value):
    """What would happen, and because of which rules. Nothing has happened."""

    verdict: Verdict
    reason: str | None
    """Why not, or why somebody is asked: a stable code."""
    detail: str
    opinions: tuple[ReasonedOpinion, ...]
    ask: Ask | None
    """Who decides, how many of them, until when, and what then."""
    redact: tuple[str, ...]
    """What would be taken out of the arguments before the call."""
    budgets: tuple[LimitingPolicy, ...]
    """These are reserved from before the call. Where less is left than a tool's call may cost, that is the verdict;
    what a call of a model may cost depends on what it is sent, and is not known here."""
    tool: str | None = None
    """The tool's own name; null where the agent has no such tool, or a model is asked about."""
    effect: Effect | None = None
    misfit: str | None = None
    """What is wrong with the arguments, for which the tool itself would refuse them."""
    revision: int
    """Of the account's rules: it rises with each change."""


# ── several calls, with what is expected of them ─────────────────────────────────────────────────────────────────


class Expectation(Value):
    """A call and what the rules are to say about it. The agent and the channel by slug or id, the person by e-mail or
    id; without a person: the caller."""

    name: Line | None = None
    agent: Word
    tool: ToolName | None = None
    arguments: Object = Field(default_factory=dict)
    model: ModelId | None = None
    person: Word | None = None
    channel: Word | None = None
    at: AwareDatetime | None = None
    calls_before: Annotated[int, Field(ge=0, le=10_000)] = 0
    depth: Annotated[int, Field(ge=0, le=1000)] = 0
    expect: Verdict
    reason: Word | None = None
    """The code that is expected; left out: any."""

    @model_validator(mode="after")
    def _of_one_thing(self) -> Self:
        if (self.tool is None) == (self.model is None):
            raise ValueError("name a tool or a model")
        return self


class PolicyTests(Value):
    """Expectations to try. ``policies``: on top of what is there, as ``apply`` would make it; nothing of it stays."""

    tests: tuple[Expectation, ...] = Field(min_length=1, max_length=500)
    policies: tuple[PolicyDocument, ...] | None = Field(default=None, max_length=1000)
    prune: bool = False


class ExpectationOutcome(Value):
    """What came of one expectation."""

    passed: bool
    verdict: Verdict
    reason: str | None
    detail: str
    rule: str | None
    """What decided, as ``layer: name``."""


class PolicyTestResults(Value):
    """One result for each expectation, in their order."""

    passed: bool
    results: tuple[ExpectationOutcome, ...]


# ── a week again ─────────────────────────────────────────────────────────────────────────────────────────────────


Kind = Literal["calls", "models", "both", "none"]
"""What a rule speaks of: calls of tools, of models, of both; ``none``: it counts, or decides elsewhere."""


class PolicyDraft(Value):
    """A change to look at before it is made: a new policy, another content for one (``policy_id``), or, without
    ``policy``, that one gone."""

    policy: NewPolicy | None = None
    policy_id: PolicyId | None = None

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.policy is None and self.policy_id is None:
            raise ValueError("send a policy, the policy_id of one, or both")
        return self


class VerdictShift(Value):
    """So many calls would have had another verdict, or the same one on other terms."""

    before: Verdict
    after: Verdict
    count: int


class PreviewExample(Value):
    """A call that the change would have made a difference to."""

    interaction_id: InteractionId
    step_seq: int
    agent_id: AgentId
    tool: str | None
    model: str | None
    at: datetime
    before: Verdict
    after: Verdict
    reason: str | None
    detail: str


class PolicyPreview(Remarks):
    """What the change would have made of the calls of the last days, judged by today's rules with it and without it.

    ``examples`` are of turns that the caller may see; the counts are of all.
    """

    since: datetime
    judged: int
    complete: bool
    """Whether all calls of these days were looked at; else the newest."""
    shifts: tuple[VerdictShift, ...]
    examples: tuple[PreviewExample, ...]
    kind: Kind
    """What was judged again; ``none`` of trigger modes, which are not decided by one call. A limit counts the calls
    again, by what they did cost."""

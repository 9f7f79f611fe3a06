"""No layer can loosen another: over random sets of layers, rules, roles, restrictions and questions."""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import ids
from retinue.domain.agents import TriggerMode, TrustLevel
from retinue.domain.personal_data import PersonalData
from retinue.domain.reasons import REASONS
from retinue.domain.restrictions import Restriction, assignment_opinions, tighten
from retinue.domain.roles import (
    AuthorityBounds,
    AutonomyTier,
    Condition,
    Environment,
    EscalationRule,
    RoleScope,
    WorkerRole,
    role_opinions,
)
from retinue.domain.rule_approval import ApprovalRule, Comparison
from retinue.domain.rule_base import Question, Scope, SoFar
from retinue.domain.rule_content import ContentRule, Topic
from retinue.domain.rule_limits import CostRule, RateRule
from retinue.domain.rules import (
    DAYS,
    DepthRule,
    EgressRule,
    ModelRule,
    Rule,
    TimeRule,
    ToolRule,
    TriggerRule,
    opinion,
)
from retinue.domain.tools import Effect, ToolCall, ToolKind, ToolSpec
from retinue.domain.verdicts import Ask, Judgement, Layer, Opinion, Panel, join, stricter

AGENTS = [UUID(int=1), UUID(int=2)]
TOOLS = ["send_email", "web_search", "scheduler_agent"]
WORDS = ["read", "write", "mail ann@example.com", "falcon", "4111 1111 1111 1111", ""]


def some(values: Any, most: int = 2, least: int = 0) -> Any:
    return st.lists(st.sampled_from(values), min_size=least, max_size=most, unique=True).map(tuple)


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────

arguments = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(WORDS) | st.none(),
        "to": st.sampled_from(WORDS) | st.lists(st.sampled_from(WORDS), max_size=2),
        "amount": st.integers(-5, 20) | st.sampled_from(["7", "much", "nan"]),
    },
)
specs = st.builds(
    ToolSpec,
    slug=st.sampled_from(TOOLS),
    kind=st.sampled_from(ToolKind),
    name=st.just("A tool"),
    description=st.just(""),
    parameters=st.just({}),
    effect=st.sampled_from(Effect),
    trust=st.sampled_from(TrustLevel),
)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    spec = draw(st.none() | specs)
    call = None
    if spec is not None:
        call = ToolCall(id=ids.new(), provider_id="1", tool=spec.slug, arguments=draw(arguments))
    return Question(
        agent_id=draw(st.sampled_from(AGENTS)),
        channel_id=draw(st.none() | st.just(UUID(int=5))),
        at=draw(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))),
        spec=spec,
        call=call,
        calls_before=draw(st.integers(0, 4)),
        model=draw(st.sampled_from(["openai/gpt-5", "anthropic/claude"])) if spec is None else None,
        host=draw(st.none() | st.sampled_from(["mail.example.com", "example.org"])),
        categories=draw(some(["external_email", "financial_transaction"])),
        depth=draw(st.integers(0, 4)),
        trigger=draw(st.none() | st.sampled_from(TriggerMode)),
        so_far=SoFar(
            spent_micro=draw(st.integers(0, 100)),
            worst_micro=draw(st.none() | st.integers(0, 100)),
            seconds=draw(st.floats(0, 100)),
            running_steps=draw(st.integers(0, 3)),
        ),
    )


# ── what rules over them ─────────────────────────────────────────────────────────────────────────────────────────

patterns = some(["send_*", "web_search", "emailSend", "*"])
comparisons = st.one_of(
    st.builds(
        lambda value: Comparison.model_validate({"argument": "amount", "is": "above", "value": value}),
        st.integers(0, 10),
    ),
    st.builds(lambda value: Comparison.model_validate({"argument": "to", "is": "one_of", "value": value}), some(WORDS)),
    st.just(Comparison.model_validate({"argument": "to", "is": "matches", "value": "*@example.com"})),
)
scopes = st.builds(
    Scope,
    agents=some(AGENTS),
    channels=some([UUID(int=5), UUID(int=6)]),
    tools=patterns,
    effects=some(list(Effect)),
)
asks = st.builds(
    Ask,
    panels=some([Panel(), Panel(quorum=2), Panel(four_eyes=True), Panel(role=None, users=(UUID(int=9),))], least=1),
    expires_seconds=st.integers(60, 3600),
    on_expiry=st.sampled_from(["reject", "approve"]),
    grants=st.booleans(),
)
actions = some(["read", "write"])
tool_rules = st.builds(
    ToolRule,
    scope=scopes,
    only=st.none() | patterns,
    never=patterns,
    allowed_actions=st.none() | actions,
    denied_actions=actions,
    max_calls_per_interaction=st.none() | st.integers(0, 4),
)
content_rules = st.builds(
    ContentRule,
    scope=scopes,
    patterns=st.sampled_from([(), ("wri.e",)]),
    topics=st.just((Topic(name="t", words=("falcon",)),)),
    detect=some(list(PersonalData), 6),
    then=st.sampled_from(["block", "redact", "ask"]),
    ask=asks,
)
time_rules = st.builds(
    TimeRule,
    scope=scopes,
    days=some(DAYS, 7),
    start=st.times(),
    end=st.just(time(0)),
    time_zone=st.just("Europe/Berlin"),
)
rules: st.SearchStrategy[Rule] = st.one_of(
    tool_rules,
    content_rules,
    time_rules,
    st.builds(ModelRule, scope=scopes, models=some(["openai/*", "anthropic/claude"])),
    st.builds(EgressRule, scope=scopes, hosts=some(["*.example.com", "example.org"])),
    st.builds(
        ApprovalRule,
        scope=scopes,
        categories=some(["external_email", "other"]),
        where=st.lists(comparisons, max_size=2).map(tuple),
        cost_above_micro=st.none() | st.integers(0, 100),
        ask=asks,
    ),
    st.builds(TriggerRule, loosest=st.sampled_from(TriggerMode)),
    st.builds(DepthRule, scope=scopes, max=st.integers(0, 3)),
    st.builds(CostRule, limit_micro=st.integers(0, 9)),
    st.builds(RateRule, amount=st.integers(1, 9), seconds=st.just(60)),
)
written = st.tuples(st.sampled_from([Layer.USER, Layer.TEAM, Layer.ACCOUNT]), st.sampled_from(["a", "b", "c"]), rules)
maybe = st.none() | st.integers(0, 100)
roles_ = st.builds(
    WorkerRole,
    id=st.just(UUID(int=7)),
    name=st.sampled_from(["Clerk", "Scout"]),
    autonomy_tier=st.sampled_from(AutonomyTier),
    scope=st.builds(
        RoleScope,
        tools_allow=st.none() | patterns,
        tools_deny=patterns,
        data_access=st.none() | some(["external_email"]),
        write_access=st.none() | some(["external_email"]),
        environment_access=st.none() | some(list(Environment), 4),
    ),
    authority_bounds=st.builds(
        AuthorityBounds,
        max_spend_micro=maybe,
        max_seconds=st.none() | st.integers(1, 100),
        max_concurrent_steps=st.none() | st.integers(1, 3),
        escalation_threshold_micro=maybe,
    ),
    escalation_rules=st.lists(
        st.builds(
            EscalationRule,
            condition=st.builds(Condition, tools=patterns, spent_above_micro=st.integers(0, 100), calls_above=maybe),
            action=st.sampled_from(["ask", "deny"]),
        ),
        max_size=2,
    ).map(tuple),
)
restriction = st.builds(
    Restriction,
    blocked=st.booleans(),
    allowed_actions=st.none() | actions,
    denied_actions=actions,
    max_calls_per_interaction=st.none() | st.integers(0, 4),
)
restrictions = st.dictionaries(
    st.sampled_from([*TOOLS, "sendEmail", "search_web", "email_send"]), restriction, max_size=3
)
Written = tuple[Layer, str, Rule]
agent_layer = st.sampled_from([
    Opinion(layer=Layer.AGENT, rule="agent", verdict="allow"),
    Opinion(layer=Layer.AGENT, rule="agent", verdict="ask", reason="approval_required"),
    Opinion(layer=Layer.AGENT, rule="agent", verdict="deny", reason="trust_too_low"),
])  # fmt: skip


def judged(
    asked: Question,
    own: Opinion,
    policies: list[Written] | tuple[Written, ...] = (),
    roles: list[WorkerRole] | tuple[WorkerRole, ...] = (),
    assigned: list[dict[str, Restriction]] | tuple[dict[str, Restriction], ...] = (),
) -> Judgement:
    """As ``policy.judge``: the agent's own opinion, and all that narrows it."""
    said = [opinion(rule, layer, name, asked) for layer, name, rule in policies]
    said += [one for role in roles for one in role_opinions(role, asked)]
    said += [one for some_ in assigned for one in assignment_opinions(some_, asked)]
    return join([own, *(one for one in said if one is not None)])


@pytest.mark.requirement("GOV-07", "TOOL-17", "DEL-26", "DEL-27")
@given(
    questions(),
    agent_layer,
    st.lists(written, max_size=4),
    st.lists(roles_, max_size=1),
    st.lists(restrictions, max_size=2),
    written,
    roles_,
    restrictions,
)
def test_whatever_is_added_lets_nothing_more_through(
    asked: Question,
    own: Opinion,
    policies: list[Written],
    roles: list[WorkerRole],
    assigned: list[dict[str, Restriction]],
    policy: Written,
    role: WorkerRole,
    narrowing: dict[str, Restriction],
) -> None:
    before = judged(asked, own, policies, roles, assigned)
    assert all(one.reason in REASONS for one in before.opinions if one is not own)
    assert stricter(judged(asked, own, [*policies, policy], roles, assigned), before)
    assert stricter(judged(asked, own, policies, [*roles, role], assigned), before)
    assert stricter(judged(asked, own, policies, roles, [*assigned, narrowing]), before)
    assert before.verdict == "deny" or own.verdict != "deny"


@given(questions(), agent_layer, st.lists(written, max_size=5), st.randoms(use_true_random=False), restrictions)
def test_the_order_of_rules_and_layers_decides_nothing(
    asked: Question, own: Opinion, policies: list[Written], random: Any, narrowing: dict[str, Restriction]
) -> None:
    shuffled = policies[:]
    random.shuffle(shuffled)
    turned = dict(reversed(narrowing.items()))
    assert judged(asked, own, policies, assigned=[narrowing]) == judged(asked, own, shuffled, assigned=[turned])


@given(questions(), restriction, restriction)
def test_two_restrictions_of_one_tool_are_as_strict_as_both(
    asked: Question, one: Restriction, other: Restriction
) -> None:
    tool = asked.spec.slug if asked.spec else TOOLS[0]
    own = Opinion(layer=Layer.AGENT, rule="agent", verdict="allow")
    verdicts = {judged(asked, own, assigned=[{tool: each}]).verdict for each in (one, other)}
    both = judged(asked, own, assigned=[{tool: tighten(one, other)}]).verdict
    assert both == ("deny" if "deny" in verdicts else "allow")


@pytest.mark.requirement("GOV-20")
@given(questions(), agent_layer, written)
def test_a_rule_that_breaks_denies_whatever_else_is_said(asked: Question, own: Opinion, policy: Written) -> None:
    class Broken(ToolRule):
        def judge(self, asked: Question) -> tuple[str, str] | None:
            raise RuntimeError("no")

    broken = judged(asked, own, [policy, (Layer.USER, "broken", Broken())])
    assert broken.verdict == "deny"
    assert "policy_failed" in {one.reason for one in broken.opinions}


@given(questions(), written)
def test_what_is_said_has_its_reason(asked: Question, policy: Written) -> None:
    layer, name, rule = policy
    said = opinion(rule, layer, name, asked)
    assert said is None or (said.reason in REASONS and said.detail and (said.verdict != "allow" or said.redact))

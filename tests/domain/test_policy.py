"""What follows from a book of rules for one call: pure, total, and never looser for a standing grant."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import ids, policy
from retinue.domain.agents import AgentConfig, CapabilityLevel, ContextOptions, Limits, TrustLevel
from retinue.domain.policy import Assigned, Book, Governance, Grant, Registration
from retinue.domain.roles import RegistryTier
from retinue.domain.rule_base import Question
from retinue.domain.tools import Effect, ToolCall, ToolKind, ToolSpec
from retinue.domain.verdicts import Ask, Panel

AGENT, USER, CHANNEL = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
LEVELS = list(TrustLevel)


def config(**changes: Any) -> AgentConfig:
    fields: dict[str, Any] = {
        "id": AGENT, "slug": "a", "name": "A", "execution": "platform", "system_prompt": "", "endpoint": None,
        "model": None, "trust_level": TrustLevel.STANDARD, "capability_level": CapabilityLevel.TOOLS_ONLY,
        "limits": Limits(), "context": ContextOptions(), "delegation_set": (), "max_delegation_depth": 3, "tools": (),
    }  # fmt: skip
    return AgentConfig.model_validate(fields | changes)


def asked(trust: TrustLevel = TrustLevel.READ, **changes: Any) -> Question:
    fields: dict[str, Any] = {
        "slug": "send", "name": "Send", "description": "Send", "parameters": {"type": "object"}, "trust": trust,
        "kind": ToolKind.INTERNAL, "effect": Effect.EXTERNAL_KEYED,
    }  # fmt: skip
    spec = ToolSpec.model_validate(fields | changes)
    call = ToolCall(id=ids.new(), provider_id="c", tool="send", arguments={"to": "ada"})
    return Question(agent_id=AGENT, user_id=USER, channel_id=CHANNEL, at=NOW, spec=spec, call=call)


def book(**changes: Any) -> Book:
    assigned = Assigned(id=ids.new(), scope="account", scope_id=UUID(int=9))
    registered = Registration(agent_id=AGENT, registry_tier=RegistryTier.DEPARTMENT, autonomy_score=5)
    return Book.model_validate(
        {"revision": 1, "known": True, "registry": registered, "assignments": (assigned,)} | changes
    )


def grant(**changes: Any) -> Grant:
    fields: dict[str, Any] = {
        "id": ids.new(), "tool": "send", "granted_by": USER, "panels": (Panel(),),
        "created_at": NOW - timedelta(days=1), "expires_at": NOW + timedelta(days=1),
    }  # fmt: skip
    return Grant.model_validate(fields | changes)


@pytest.mark.requirement("GOV-01", "GOV-06", "CON-09")
@pytest.mark.parametrize("own", LEVELS)
@pytest.mark.parametrize("needed", LEVELS)
def test_at_the_agents_level_it_is_allowed_one_above_asked_about_and_more_denied(
    own: TrustLevel, needed: TrustLevel
) -> None:
    rules = book(governance=Governance(admin_agents=(AGENT,)))
    above = LEVELS.index(needed) - LEVELS.index(own)
    wanted = "allow" if above <= 0 else "ask" if above == 1 else "deny"
    assert policy.judge(rules, config(trust_level=own), asked(needed)).verdict == wanted


@pytest.mark.requirement("GOV-05")
def test_admin_tools_need_the_grant_whatever_the_agents_level() -> None:
    judged = policy.judge(book(), config(trust_level=TrustLevel.ADMIN), asked(TrustLevel.ADMIN))
    assert (judged.verdict, judged.reason) == ("deny", "admin_not_granted")


@pytest.mark.requirement("AGT-20")
@pytest.mark.parametrize("level", CapabilityLevel)
def test_only_from_the_level_workflow_on_may_other_agents_be_called(level: CapabilityLevel) -> None:
    judged = policy.judge(book(), config(capability_level=level), asked(kind=ToolKind.AGENT))
    assert (judged.verdict == "allow") is (level is not CapabilityLevel.TOOLS_ONLY)


@pytest.mark.requirement("CON-34", "GOV-22")
@pytest.mark.parametrize(
    ("own", "account", "depth", "reason"),
    [
        (3, 5, 2, None),
        (3, 5, 3, "delegation_depth_exceeded"),
        (5, 3, 3, "delegation_depth_exceeded"),
        (5, 3, 2, None),
    ],
)
def test_the_smaller_depth_of_agent_and_account_counts(own: int, account: int, depth: int, reason: str | None) -> None:
    rule = {"type": "delegation_depth", "max": account}
    written = policy.written({"id": ids.new(), "layer": "account", "name": "Depth", "rule": rule})
    agent = config(capability_level=CapabilityLevel.WORKFLOW, max_delegation_depth=own)
    question = asked(kind=ToolKind.AGENT).model_copy(update={"depth": depth})
    assert policy.judge(book(policies=(written,)), agent, question).reason == reason


@pytest.mark.requirement("GOV-02", "GOV-03", "GOV-04")
@pytest.mark.parametrize(
    ("own", "may"),
    [
        (TrustLevel.READ, {TrustLevel.READ}),
        (TrustLevel.STANDARD, {TrustLevel.READ, TrustLevel.STANDARD}),
        (TrustLevel.ELEVATED, {TrustLevel.READ, TrustLevel.STANDARD, TrustLevel.ELEVATED}),
    ],
)
def test_an_agent_does_by_itself_what_its_level_is_for(own: TrustLevel, may: set[TrustLevel]) -> None:
    allowed = {one for one in LEVELS if policy.judge(book(), config(trust_level=own), asked(one)).verdict == "allow"}
    assert allowed == may


@pytest.mark.requirement("CON-06")
def test_agents_that_come_with_the_platform_are_judged_like_all_others() -> None:
    rule = {"type": "tool_restriction", "never": ["send"]}
    written = policy.written({"id": ids.new(), "layer": "account", "name": "No", "rule": rule})
    judged = policy.judge(book(policies=(written,)), config(slug="assistant"), asked())
    assert (judged.verdict, judged.reason) == ("deny", "tool_blocked")


@pytest.mark.requirement("REG-10", "LIFE-08")
@pytest.mark.parametrize(
    ("missing", "reason"), [({"registry": None}, "not_registered"), ({"assignments": ()}, "not_assigned")]
)
def test_an_agent_works_only_where_it_is_registered_and_assigned(missing: dict[str, Any], reason: str) -> None:
    assert policy.judge(book(**missing), config(), asked()).reason == reason
    model = Question(agent_id=AGENT, at=NOW, model="some/model")
    assert policy.judge(book(**missing), config(), model).verdict == "deny"
    assert policy.judge(book(**missing, known=False), config(), asked()).verdict == "allow"  # a draft on trial


@pytest.mark.parametrize(
    ("changes", "covers"),
    [
        ({}, True),
        ({"tool": "other"}, False),
        ({"channel_id": CHANNEL, "user_id": USER}, True),
        ({"channel_id": UUID(int=77)}, False),
        ({"user_id": UUID(int=77)}, False),
        ({"arguments_hash": "h"}, True),
        ({"arguments_hash": "other"}, False),
        ({"expires_at": NOW}, False),
        ({"panels": (Panel(quorum=2),)}, False),
        ({"panels": (Panel(quorum=2), Panel())}, True),
    ],
)
def test_a_grant_answers_for_its_own_scope_until_its_end_and_for_those_who_gave_it(
    changes: dict[str, Any], covers: bool
) -> None:
    assert grant(**changes).covers(asked(), Ask(panels=(Panel(),)), "h") is covers


@given(
    own=st.sampled_from(LEVELS), needed=st.sampled_from(LEVELS), approvals=st.booleans(), standing=st.booleans(),
    permits=st.booleans(),
)  # fmt: skip
def test_a_grant_answers_questions_and_lifts_no_denial(
    own: TrustLevel, needed: TrustLevel, approvals: bool, standing: bool, permits: bool
) -> None:
    rules = book(governance=Governance(approvals=approvals, standing_grants=standing), grants=(grant(),))
    judged = policy.judge(rules, config(trust_level=own), asked(needed))
    if judged.ask is not None:
        judged = judged.model_copy(update={"ask": judged.ask.model_copy(update={"grants": permits})})
    after = policy.granted(rules, judged, asked(needed), "h")
    if judged.verdict == "ask":
        assert (after.verdict == "allow") is (standing and permits)
        assert set(judged.opinions) <= set(after.opinions)
    else:
        assert after == judged

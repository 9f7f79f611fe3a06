"""Worker roles say what an agent may do alone; assignments say what it may do for whom."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from retinue.domain import ids, roles
from retinue.domain.agents import TrustLevel
from retinue.domain.restrictions import Restriction, assignment_opinions
from retinue.domain.roles import AutonomyScore, RegistryTier, WorkerRole, role_opinions
from retinue.domain.rule_base import Question, SoFar
from retinue.domain.tools import Effect, ToolCall, ToolKind, ToolSpec
from retinue.domain.verdicts import Layer


def asked(tool: str = "send_email", arguments: dict[str, Any] | None = None, **fields: Any) -> Question:
    spec = ToolSpec(
        slug=tool,
        kind=fields.pop("kind", ToolKind.EXTERNAL),
        name=tool,
        description="",
        parameters={},
        effect=fields.pop("effect", Effect.EXTERNAL_ONCE),
        trust=fields.pop("trust", TrustLevel.READ),
    )
    call = ToolCall(id=ids.new(), provider_id="1", tool=tool, arguments=arguments or {})
    return Question(agent_id=UUID(int=1), at=datetime(2026, 1, 1, tzinfo=UTC), spec=spec, call=call, **fields)


def thought(**fields: Any) -> Question:
    return Question(agent_id=UUID(int=1), at=datetime(2026, 1, 1, tzinfo=UTC), model="openai/gpt-5", **fields)


def role(**fields: Any) -> WorkerRole:
    return WorkerRole.model_validate(
        {"id": UUID(int=7), "name": "Clerk", "autonomy_tier": "bounded_autonomous"} | fields
    )


def said(made: WorkerRole, question: Question) -> list[tuple[str, str | None]]:
    found = role_opinions(made, question)
    assert all(one.layer is Layer.ROLE and one.rule.startswith("Clerk: ") and one.detail for one in found)
    assert all((one.ask is not None) == (one.verdict == "ask") for one in found)
    return [(one.verdict, one.reason) for one in found]


READ, WRITE = asked("web_search", effect=Effect.READ), asked()


@pytest.mark.requirement("CON-07", "CON-08")
def test_scores_stand_for_trust_levels() -> None:
    assert [roles.level_of(score).value for score in range(1, 11)] == [
        *["read"] * 2, *["standard"] * 3, *["elevated"] * 3, *["admin"] * 2,
    ]  # fmt: skip
    assert all(roles.level_of(score) is level for level, score in roles.SCORE_OF.items())


@pytest.mark.requirement("REG-03")
@pytest.mark.parametrize("score", [0, 11])
def test_a_score_outside_the_scale_is_refused(score: int) -> None:
    with pytest.raises(ValueError, match="1 to 10"):
        roles.level_of(score)
    with pytest.raises(ValidationError):
        TypeAdapter(AutonomyScore).validate_python(score)
    with pytest.raises(ValueError, match="is not a valid"):
        RegistryTier("team")


@pytest.mark.requirement("REG-09")
@pytest.mark.parametrize(
    ("tier", "question", "against"),
    [
        ("advisory", READ, []),
        ("advisory", WRITE, [("deny", "advisory_only")]),
        ("retrieval", READ, []),
        ("retrieval", WRITE, [("deny", "retrieval_only")]),
        ("retrieval", asked(effect=Effect.READ, trust=TrustLevel.ELEVATED), [("deny", "retrieval_only")]),
        ("approval_required", READ, []),
        ("approval_required", WRITE, [("ask", "approval_required")]),
        ("approval_required", asked(effect=Effect.WRITE), [("ask", "approval_required")]),
        ("bounded_autonomous", WRITE, []),
        ("advisory", thought(), []),
        ("approval_required", thought(), []),
    ],
)
def test_an_autonomy_tier_says_what_is_done_alone(
    tier: str, question: Question, against: list[tuple[str, str]]
) -> None:
    assert said(role(autonomy_tier=tier), question) == against


@pytest.mark.requirement("REG-05", "REG-08")
@pytest.mark.parametrize(
    ("scope", "question", "reason"),
    [
        ({"tools_allow": ["send_*"]}, WRITE, None),
        ({"tools_allow": []}, WRITE, "tool_blocked"),
        ({"tools_allow": ["web_search"]}, WRITE, "tool_blocked"),
        ({"tools_allow": ["*"], "tools_deny": ["sendEmail"]}, WRITE, "tool_blocked"),
        ({"data_access": ["web"]}, READ, "outside_role"),
        ({"data_access": ["web"]}, READ.model_copy(update={"categories": ("web", "x")}), None),
        ({"data_access": []}, WRITE, None),
        ({"write_access": []}, READ, None),
        ({"write_access": ["crm"]}, WRITE, "outside_role"),
        ({"write_access": ["crm"]}, WRITE.model_copy(update={"categories": ("crm",)}), None),
        ({"environment_access": ["platform"]}, WRITE, "outside_role"),
        ({"environment_access": ["platform"]}, asked(kind=ToolKind.INTERNAL, effect=Effect.WRITE), None),
        ({"environment_access": ["network"]}, asked(kind=ToolKind.INTERNAL), None),
        ({"environment_access": ["network", "mcp"]}, asked(kind=ToolKind.MCP), None),
        ({"environment_access": ["network", "mcp"]}, asked(kind=ToolKind.AGENT), "outside_role"),
        ({"tools_allow": []}, thought(), None),
    ],
)
def test_a_scope_narrows_tools_data_and_places(scope: dict[str, Any], question: Question, reason: str | None) -> None:
    assert said(role(scope=scope), question) == ([("deny", reason)] if reason else [])


@pytest.mark.requirement("REG-06")
@pytest.mark.parametrize(
    ("bounds", "so_far", "against"),
    [
        ({"max_spend_micro": 100}, SoFar(spent_micro=60, worst_micro=40), []),
        ({"max_spend_micro": 100}, SoFar(spent_micro=60, worst_micro=41), [("deny", "authority_exceeded")]),
        ({"max_spend_micro": 100}, SoFar(worst_micro=None), [("deny", "unknown_price")]),
        ({"max_seconds": 60}, SoFar(seconds=59.9), []),
        ({"max_seconds": 60}, SoFar(seconds=60), [("deny", "authority_exceeded")]),
        ({"max_concurrent_steps": 2}, SoFar(running_steps=1), []),
        ({"max_concurrent_steps": 2}, SoFar(running_steps=2), [("deny", "authority_exceeded")]),
        ({"escalation_threshold_micro": 100}, SoFar(spent_micro=60, worst_micro=39), []),
        ({"escalation_threshold_micro": 100}, SoFar(spent_micro=60, worst_micro=40), [("ask", "escalated")]),
        ({"escalation_threshold_micro": 100}, SoFar(worst_micro=None), [("ask", "escalated")]),
    ],
)
def test_authority_ends_at_its_bounds(bounds: dict[str, Any], so_far: SoFar, against: list[tuple[str, str]]) -> None:
    made = role(authority_bounds=bounds)
    assert said(made, WRITE.model_copy(update={"so_far": so_far})) == against
    # A call of a model is stopped by the same bounds, but nobody can be asked about it.
    assert said(made, thought(so_far=so_far)) == [one for one in against if one[0] == "deny"]


@pytest.mark.requirement("REG-07")
@pytest.mark.parametrize(
    ("condition", "question", "holds"),
    [
        ({"tools": ["send_*"]}, WRITE, True),
        ({"tools": ["send_*"]}, READ, False),
        ({"categories": ["crm"]}, WRITE, False),
        ({"effects": ["external_once"]}, WRITE, True),
        ({"effects": ["write"]}, WRITE, False),
        ({"where": [{"argument": "amount", "is": "above", "value": 5}]}, asked(arguments={"amount": 6}), True),
        ({"where": [{"argument": "amount", "is": "above", "value": 5}]}, asked(arguments={"amount": 5}), False),
        ({"where": [{"argument": "amount", "is": "above", "value": 5}]}, asked(), True),
        ({"spent_above_micro": 5}, asked(so_far=SoFar(spent_micro=5)), False),
        ({"spent_above_micro": 5}, asked(so_far=SoFar(spent_micro=5, worst_micro=1)), True),
        ({"spent_above_micro": 5}, asked(so_far=SoFar(worst_micro=None)), True),
        ({"seconds_above": 5}, asked(so_far=SoFar(seconds=5)), False),
        ({"seconds_above": 5}, asked(so_far=SoFar(seconds=6)), True),
        ({"calls_above": 2}, asked(calls_before=2), False),
        ({"calls_above": 2}, asked(calls_before=3), True),
        ({"tools": ["*"], "calls_above": 2}, asked(calls_before=1), False),
    ],
)
def test_an_escalation_rule_acts_by_itself_when_its_condition_holds(
    condition: dict[str, Any], question: Question, holds: bool
) -> None:
    for action in ("ask", "deny"):
        made = role(escalation_rules=[{"condition": condition, "action": action}])
        assert said(made, question) == ([(action, "escalated")] if holds else [])


def test_a_condition_on_spending_stops_the_model_too() -> None:
    rule = {"condition": {"spent_above_micro": 5}, "action": "deny"}
    assert said(role(escalation_rules=[rule]), thought(so_far=SoFar(spent_micro=6))) == [("deny", "escalated")]
    rule = {"condition": {"tools": ["*"]}, "action": "deny"}
    assert said(role(escalation_rules=[rule]), thought()) == []


def test_an_escalation_rule_without_a_condition_is_refused() -> None:
    with pytest.raises(ValidationError, match="must say when"):
        role(escalation_rules=[{"condition": {}, "action": "ask"}])


def test_all_that_is_against_a_call_is_told() -> None:
    made = role(autonomy_tier="advisory", scope={"tools_deny": ["*"], "environment_access": []})
    assert said(made, WRITE) == [("deny", "advisory_only"), ("deny", "tool_blocked"), ("deny", "outside_role")]


@pytest.mark.requirement("GOV-20")
def test_a_role_that_breaks_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(roles, "_scope", broken)
    assert said(role(), WRITE) == [("deny", "policy_failed")]


# ── assignments ──────────────────────────────────────────────────────────────────────────────────────────────────

FIXTURE = {
    "scheduler_agent": Restriction(
        allowed_actions=("find_free_time", "check_conflicts"), denied_actions=("create_event",)
    ),
    "search_web": Restriction(max_calls_per_interaction=3),
    "send_email": Restriction(blocked=True),
}


@pytest.mark.requirement("DEL-23", "DEL-24", "DEL-25", "DEL-28", "CON-48")
@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (asked("scheduler_agent", {"action": "find_free_time"}, kind=ToolKind.AGENT), None),
        (asked("scheduler_agent", {"action": "create_event"}, kind=ToolKind.AGENT), "action_not_allowed"),
        (asked("scheduler-agent", {"action": "delete"}, kind=ToolKind.AGENT), "action_not_allowed"),
        (asked("scheduler_agent", kind=ToolKind.AGENT), "action_not_allowed"),
        (asked("web_search", calls_before=2), None),
        (asked("web_search", calls_before=3), "call_limit"),
        (asked("send_email"), "tool_blocked"),
        (asked("read_inbox"), None),
        (thought(), None),
    ],
)
def test_an_assignment_narrows_tools_and_delegations(question: Question, reason: str | None) -> None:
    found = assignment_opinions(FIXTURE, question)
    assert [(one.layer, one.verdict, one.reason) for one in found] == (
        [(Layer.ASSIGNMENT, "deny", reason)] if reason else []
    )
    assert all(one.detail for one in found)


def test_a_tool_with_the_name_of_an_alias_is_restricted_by_it() -> None:
    assert assignment_opinions({"time": Restriction(blocked=True)}, asked("time"))
    assert assignment_opinions({"time": Restriction(blocked=True)}, asked("current_time"))


def test_denied_actions_alone_leave_the_others() -> None:
    (found,) = assignment_opinions({"a": Restriction(denied_actions=("b",))}, asked("a", {"action": "b"}))
    assert "anything but b" in found.detail


@pytest.mark.requirement("GOV-20")
def test_a_restriction_that_breaks_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("retinue.domain.restrictions.refusal", broken)
    assert [one.reason for one in assignment_opinions(FIXTURE, asked())] == ["policy_failed"]

"""Rules refuse what they are made for, apply where they say, and never break open."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from retinue.domain import ids, rules
from retinue.domain.rules import ContentRule, Question, Rule, ToolRule, opinion
from retinue.domain.tools import Effect, ToolCall, ToolKind, ToolSpec
from retinue.domain.verdicts import Layer

AGENT, CHANNEL = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
RULE: TypeAdapter[Any] = TypeAdapter(Rule)


def asked(tool: str = "send_email", *, at: datetime = NOON, before: int = 0, **arguments: Any) -> Question:
    spec = ToolSpec(
        slug=tool, kind=ToolKind.EXTERNAL, name=tool, description="", parameters={}, effect=Effect.EXTERNAL_ONCE
    )
    call = ToolCall(id=ids.new(), provider_id="1", tool=tool, arguments=arguments)
    return Question(
        agent_id=AGENT, channel_id=CHANNEL, at=at, spec=spec, call=call, calls_before=before, host="mail.example.com",
        categories=("external_email",), model="openai/gpt-5",
    )  # fmt: skip


def said(written: dict[str, Any], question: Question) -> str | None:
    found = opinion(RULE.validate_python(written), Layer.ACCOUNT, "rule", question)
    return found.reason if found else None


@pytest.mark.requirement("GOV-11", "TOOL-29", "CON-48", "REG-08", "DEL-25")
@pytest.mark.parametrize(
    ("written", "question", "reason"),
    [
        ({"never": ["sendEmail"]}, asked(), "tool_blocked"),
        ({"never": ["email-send"]}, asked(), "tool_blocked"),
        ({"never": ["send_*"]}, asked(), "tool_blocked"),
        ({"never": ["web_search"]}, asked(), None),
        ({"only": ["web_search"]}, asked(), "tool_blocked"),
        ({"only": ["*"], "never": ["send_email"]}, asked(), "tool_blocked"),
        ({"only": []}, asked(), "tool_blocked"),
        ({"allowed_actions": ["read"]}, asked(action="read"), None),
        ({"allowed_actions": ["read"]}, asked(action="write"), "action_not_allowed"),
        ({"allowed_actions": ["read"]}, asked(), "action_not_allowed"),
        ({"denied_actions": ["write"]}, asked(action="read"), None),
        ({"denied_actions": ["write"]}, asked(action=["write"]), "action_not_allowed"),
        ({"max_calls_per_interaction": 3}, asked(before=2), None),
        ({"max_calls_per_interaction": 3}, asked(before=3), "call_limit"),
    ],
)
def test_tools_are_restricted(written: dict[str, Any], question: Question, reason: str | None) -> None:
    assert said({"type": "tool_restriction"} | written, question) == reason


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"type": "model_allow_list", "models": ["openai/*"]}, None),
        ({"type": "model_allow_list", "models": ["anthropic/*"]}, "model_not_allowed"),
        ({"type": "network_egress", "hosts": ["*.example.com"]}, None),
        ({"type": "network_egress", "hosts": ["example.com"]}, "host_not_allowed"),
        ({"type": "content_restriction", "patterns": ["project falcon"]}, "content_blocked"),
        ({"type": "content_restriction", "patterns": ["project eagle"]}, None),
        ({"type": "time_window", "days": ["mon"], "start": "09:00", "end": "17:00"}, None),
        ({"type": "time_window", "days": ["mon"], "start": "13:00", "end": "17:00"}, "outside_hours"),
        ({"type": "time_window", "days": ["sun"], "start": "22:00", "end": "13:00"}, None),
        ({"type": "time_window", "days": ["mon"], "start": "22:00", "end": "13:00"}, "outside_hours"),
        ({"type": "time_window", "days": ["tue"]}, "outside_hours"),
        ({"type": "time_window", "start": "20:00", "end": "22:00", "time_zone": "Asia/Tokyo"}, None),
        ({"type": "approval", "categories": ["external_email"], "ask": {"panels": [{}]}}, "approval_required"),
        ({"type": "approval", "categories": ["financial_transaction"], "ask": {"panels": [{}]}}, None),
    ],
)
def test_each_type_of_rule_holds_back_what_it_is_made_for(written: dict[str, Any], reason: str | None) -> None:
    assert said(written, asked(body={"lines": ["About Project Falcon."]})) == reason


@pytest.mark.parametrize(
    ("comparison", "arguments", "holds"),
    [
        ({"argument": "amount", "is": "above", "value": 100}, {"amount": 100}, False),
        ({"argument": "amount", "is": "above", "value": 100}, {"amount": "100.01"}, True),
        ({"argument": "amount", "is": "above", "value": 100}, {"amount": "a lot"}, True),
        ({"argument": "amount", "is": "above", "value": 100}, {}, True),
        (
            {"argument": "to.address", "is": "matches", "value": "*@example.com"},
            {"to": {"address": "A@EXAMPLE.COM"}},
            True,
        ),
        ({"argument": "to", "is": "not_one_of", "value": ["a@b.c"]}, {"to": "a@b.c"}, False),
        ({"argument": "to", "is": "not_one_of", "value": ["a@b.c"]}, {"to": ["a@b.c"]}, True),
        ({"argument": "to", "is": "one_of", "value": ["a@b.c"]}, {"to": "x@b.c"}, False),
    ],
)
def test_what_cannot_be_read_is_asked_about(comparison: dict[str, Any], arguments: dict[str, Any], holds: bool) -> None:
    rule = {"type": "approval", "where": [comparison], "ask": {"panels": [{}]}}
    assert (said(rule, asked(**arguments)) == "approval_required") is holds


def test_a_rule_says_nothing_outside_its_scope() -> None:
    for scope in ({"agents": [str(UUID(int=9))]}, {"tools": ["web_search"]}, {"effects": ["read"]}):
        assert said({"type": "tool_restriction", "only": [], "scope": scope}, asked()) is None
    assert said({"type": "tool_restriction", "only": [], "scope": {"tools": ["emailSend"]}}, asked()) == "tool_blocked"


@pytest.mark.requirement("GOV-20")
def test_a_rule_that_breaks_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: object, _asked: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(ToolRule, "judge", broken)
    found = opinion(ToolRule(), Layer.TEAM, "rule", asked())
    assert found is not None
    assert (found.verdict, found.reason) == ("deny", "policy_failed")


@pytest.mark.parametrize("pattern", ["(", "(a+)+$", "a" * 201])
def test_a_pattern_that_cannot_be_read_in_time_is_refused_when_it_is_written(pattern: str) -> None:
    with pytest.raises(ValidationError):
        ContentRule(patterns=(pattern,))


@given(st.recursive(st.text(max_size=5) | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3)))
def test_every_text_of_the_arguments_is_looked_at(value: Any) -> None:
    assert rules.texts({"a": value, "b": ["needle"]}).count("needle") >= 1

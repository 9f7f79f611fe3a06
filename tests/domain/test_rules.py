"""Rules refuse what they are made for, apply where they say, and never break open."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from retinue.domain import ids, rules
from retinue.domain.agents import TriggerMode
from retinue.domain.rule_base import Question, SoFar, names, wild
from retinue.domain.rules import Rule, ToolRule, TriggerRule, opinion
from retinue.domain.tools import Effect, ToolCall, ToolKind, ToolSpec
from retinue.domain.verdicts import Layer

AGENT, CHANNEL = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
RULE: TypeAdapter[Any] = TypeAdapter(Rule)


def asked(
    tool: str = "send_email",
    *,
    at: datetime = NOON,
    before: int = 0,
    kind: ToolKind = ToolKind.EXTERNAL,
    **arguments: Any,
) -> Question:
    spec = ToolSpec(slug=tool, kind=kind, name=tool, description="", parameters={}, effect=Effect.EXTERNAL_ONCE)
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
        ({"never": ["sendE*"]}, asked(), "tool_blocked"),
        ({"never": ["time"]}, asked("time"), "tool_blocked"),
        ({"only": ["time"]}, asked("current_time"), None),
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
        ({"argument": "to", "is": "one_of", "value": ["a@b.c"]}, {"to": " A@B.C "}, True),
        ({"argument": "to", "is": "not_one_of", "value": ["a@b.c"]}, {"to": "A@b.c"}, True),
        ({"argument": "to", "is": "equal", "value": "all"}, {"to": "ALL"}, True),
        ({"argument": "to", "is": "equal", "value": "all"}, {"to": "some"}, False),
        ({"argument": "to", "is": "equal", "value": ["a", "b"]}, {"to": ["a", "b"]}, True),
        ({"argument": "to", "is": "equal", "value": ["a", "b"]}, {"to": ["a"]}, False),
        ({"argument": "n", "is": "equal", "value": 3}, {"n": "3.0"}, True),
        ({"argument": "n", "is": "equal", "value": 3}, {"n": 4}, False),
        ({"argument": "urgent", "is": "equal", "value": True}, {"urgent": False}, False),
        ({"argument": "urgent", "is": "equal", "value": True}, {"urgent": True}, True),
        ({"argument": "urgent", "is": "equal", "value": True}, {"urgent": "no"}, True),
        ({"argument": "amount", "is": "above", "value": 100}, {"amount": "nan"}, True),
        ({"argument": "amount", "is": "above", "value": 100}, {"amount": 10**400}, True),
        ({"argument": "amount", "is": "above", "value": 100}, {"amount": True}, True),
        ({"argument": "amount.value", "is": "above", "value": 100}, {"amount": 5}, True),
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


@pytest.mark.requirement("CON-42", "GOV-09")
@pytest.mark.parametrize(
    ("loosest", "trigger", "reason"),
    [
        ("mention", TriggerMode.PROACTIVE, "trigger_mode_not_allowed"),
        ("silent", TriggerMode.PROACTIVE, "trigger_mode_not_allowed"),
        ("proactive", TriggerMode.PROACTIVE, None),
        ("mention", TriggerMode.MENTION, None),
        ("silent", TriggerMode.MENTION, None),
        ("silent", None, None),
    ],
)
def test_an_agent_that_nobody_addressed_may_be_held_back(
    loosest: str, trigger: TriggerMode | None, reason: str | None
) -> None:
    question = asked().model_copy(update={"trigger": trigger})
    assert said({"type": "trigger_mode_restriction", "loosest": loosest}, question) == reason


def test_of_several_modes_the_strictest_counts_where_it_applies() -> None:
    here = TriggerRule(loosest=TriggerMode.MENTION)
    with pytest.raises(ValueError, match="all agents and channels"):
        TriggerRule(loosest=TriggerMode.SILENT, scope=rules.Scope(agents=(UUID(int=9),)))
    assert rules.loosest((here, TriggerRule(loosest=TriggerMode.SILENT)), asked()) is TriggerMode.SILENT
    assert rules.loosest((), asked()) is TriggerMode.PROACTIVE


@pytest.mark.requirement("CON-33", "GOV-22")
@pytest.mark.parametrize(("depth", "reason"), [(0, None), (2, None), (3, "delegation_depth_exceeded")])
def test_work_is_passed_on_so_many_times_and_no_more(depth: int, reason: str | None) -> None:
    rule = {"type": "delegation_depth", "max": 3}
    question = asked("research", kind=ToolKind.AGENT).model_copy(update={"depth": depth})
    assert said(rule, question) == reason
    assert said(rule, asked().model_copy(update={"depth": depth})) is None  # a tool is no delegation


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"type": "time_window", "start": "09:00Z"}, "without a zone"),
        ({"type": "time_window", "time_zone": "Mars/Olympus"}, "no time zone"),
        ({"type": "tool_restriction", "never": ["send mail"]}, "must be a tool's name"),
        ({"type": "tool_restriction", "nevr": ["send_mail"]}, "Extra inputs"),
        ({"type": "cost_limit", "limit_micro": 5, "per": "interaction", "period": "day"}, "must be total"),
        ({"type": "cost_limit", "limit_micro": 5, "currency": "EUR"}, "USD"),
        ({"type": "rate_limit", "amount": 5, "seconds": 60, "of": "tokens", "about": "tool"}, "about must be model"),
        ({"type": "rate_limit", "amount": 5, "seconds": 60, "per": "tool", "about": "model"}, "about must be tool"),
        ({"type": "rate_limit", "amount": 5, "seconds": 60, "burst": 9, "strategy": "fixed_window"}, "burst"),
        (
            {"type": "rate_limit", "amount": 5, "seconds": 60, "about": "model", "scope": {"tools": ["a"]}},
            "about models",
        ),
        (
            {"type": "approval", "where": [{"argument": "a", "is": "above", "value": "b"}], "ask": {"panels": [{}]}},
            "number",
        ),
        (
            {"type": "approval", "where": [{"argument": "a", "is": "one_of", "value": "b"}], "ask": {"panels": [{}]}},
            "list",
        ),
        (
            {"type": "approval", "where": [{"argument": "a", "is": "matches", "value": 2}], "ask": {"panels": [{}]}},
            "text",
        ),
        ({"type": "approval", "ask": {"panels": []}}, "at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_written(rule: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        RULE.validate_python(rule)


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "approval", "where": [{"argument": "a", "is": "equal", "value": True}], "ask": {"panels": [{}]}},
        {"type": "approval", "where": [{"argument": "a", "is": "one_of", "value": ["b"]}], "ask": {"panels": [{}]}},
        {"type": "time_window", "days": ["mon"], "start": "09:30", "end": "17:00:30", "time_zone": "Europe/Berlin"},
        {"type": "cost_limit", "limit_micro": 5_000_000, "per": "team", "period": "week"},
        {"type": "rate_limit", "amount": 5, "seconds": 60, "burst": 10},
        {
            "type": "content_restriction",
            "detect": ["email"],
            "topics": [{"name": "x", "words": ["y"]}],
            "then": "redact",
        },
    ],
)
def test_a_rule_is_the_same_after_it_was_kept(rule: dict[str, Any]) -> None:
    made = RULE.validate_python(rule)
    assert RULE.validate_json(RULE.dump_json(made)) == made


@pytest.mark.parametrize("cost", [None, 101])
def test_a_call_that_may_cost_much_is_asked_about(cost: int | None) -> None:
    rule = {"type": "approval", "cost_above_micro": 100, "ask": {"panels": [{}]}}
    assert said(rule, asked()) is None
    question = asked().model_copy(update={"so_far": SoFar(worst_micro=cost)})
    assert said(rule, question) == "approval_required"


def test_what_counts_has_no_opinion_of_its_own() -> None:
    assert said({"type": "cost_limit", "limit_micro": 0}, asked()) is None
    assert said({"type": "rate_limit", "amount": 1, "seconds": 1}, asked()) is None


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_a_star_stands_for_any_letters(pattern: str, text: str) -> None:
    expression = ".*".join(re.escape(piece) for piece in pattern.split("*"))
    assert wild(pattern, text) == (re.fullmatch(expression, text) is not None)


def test_many_stars_take_no_time() -> None:
    assert not wild("*a" * 100 + "b", "a" * 20_000)


@pytest.mark.requirement("CON-48")
@pytest.mark.parametrize(
    "spelling", ["send_email", "sendEmail", "send-email", "email_send", "SendEmail", "send*", "*email"]
)
def test_a_tool_is_named_by_any_of_its_spellings(spelling: str) -> None:
    assert names(spelling, "send_email")
    assert not names(spelling, "web_search")

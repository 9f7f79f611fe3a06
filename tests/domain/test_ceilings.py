"""A rule that promises more than one above it gives is found, and what it meets is told."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from retinue.domain import ceilings, opening_hours
from retinue.domain.roles import AutonomyTier, RoleScope, WorkerRole
from retinue.domain.rules import DAYS, Rule, TimeRule

RULE: TypeAdapter[Any] = TypeAdapter(Rule)
TOOL, MODEL, EGRESS = "tool_restriction", "model_allow_list", "network_egress"
COST, RATE = {"type": "cost_limit"}, {"type": "rate_limit"}


@pytest.mark.requirement("GOV-08")
@pytest.mark.parametrize(
    ("rule", "above", "words"),
    [
        ({"type": TOOL, "only": ["send_email"]}, {"type": TOOL, "never": ["sendEmail"]}, "allows send_email"),
        ({"type": TOOL, "only": ["send_email"]}, {"type": TOOL, "never": ["send*"]}, "allows send_email"),
        ({"type": TOOL, "only": ["send_email"]}, {"type": TOOL, "only": ["send_*"]}, None),
        ({"type": TOOL, "only": ["send_*"]}, {"type": TOOL, "only": ["s*"]}, None),
        ({"type": TOOL, "only": ["s*"]}, {"type": TOOL, "only": ["send_*"]}, "allows s*"),
        ({"type": TOOL, "only": ["send_email"]}, {"type": TOOL, "only": []}, "allows send_email"),
        ({"type": TOOL, "only": ["a"], "never": ["a"]}, {"type": TOOL, "never": ["a"]}, None),
        ({"type": TOOL, "only": ["calendar_api"]}, {"type": TOOL, "only": ["get_events"]}, "allows calendar_api"),
        ({"type": TOOL, "never": ["a"]}, {"type": TOOL, "never": ["b"]}, None),
        ({"type": TOOL, "allowed_actions": ["write"]}, {"type": TOOL, "denied_actions": ["write"]}, "actions write"),
        ({"type": TOOL, "allowed_actions": ["write"]}, {"type": TOOL, "allowed_actions": ["read"]}, "actions write"),
        ({"type": TOOL, "allowed_actions": ["read"]}, {"type": TOOL, "allowed_actions": ["read", "write"]}, None),
        ({"type": TOOL, "max_calls_per_interaction": 5}, {"type": TOOL, "max_calls_per_interaction": 3}, "5 calls"),
        ({"type": TOOL, "max_calls_per_interaction": 3}, {"type": TOOL, "max_calls_per_interaction": 3}, None),
        ({"type": MODEL, "models": ["openai/*"]}, {"type": MODEL, "models": ["openai/gpt-5"]}, "models openai/*"),
        ({"type": MODEL, "models": ["openai/gpt-5"]}, {"type": MODEL, "models": ["openai/*"]}, None),
        ({"type": EGRESS, "hosts": ["a.example"]}, {"type": EGRESS, "hosts": ["*.a.example"]}, "hosts a.example"),
        ({"type": EGRESS, "hosts": ["*.b.a.example"]}, {"type": EGRESS, "hosts": ["*.a.example"]}, None),
        ({"type": EGRESS, "hosts": ["*.a.example"]}, {"type": EGRESS, "hosts": ["x.a.example"]}, "a.example"),
        ({"type": "trigger_mode_restriction", "loosest": "proactive"},
         {"type": "trigger_mode_restriction", "loosest": "mention"}, "mode proactive"),
        ({"type": "trigger_mode_restriction", "loosest": "silent"},
         {"type": "trigger_mode_restriction", "loosest": "mention"}, None),
        ({"type": "delegation_depth", "max": 3}, {"type": "delegation_depth", "max": 2}, "depth of 3"),
        ({"type": "delegation_depth", "max": 2}, {"type": "delegation_depth", "max": 2}, None),
        (COST | {"limit_micro": 2_000_000}, COST | {"limit_micro": 1_500_000}, "2 USD per account and month, 1.5 USD"),
        (COST | {"limit_micro": 1}, COST | {"limit_micro": 2}, None),
        (COST | {"limit_micro": 2, "per": "user"}, COST | {"limit_micro": 1}, None),
        (COST | {"limit_micro": 2, "period": "day"}, COST | {"limit_micro": 1}, None),
        (COST | {"limit_micro": 2, "period": "total"}, COST | {"limit_micro": 1, "period": "total"}, "per account, "),
        (RATE | {"amount": 10, "seconds": 60}, RATE | {"amount": 60, "seconds": 3600}, "10 calls in 60 s"),
        (RATE | {"amount": 1, "seconds": 60}, RATE | {"amount": 60, "seconds": 3600}, None),
        (RATE | {"amount": 1, "seconds": 60, "burst": 99}, RATE | {"amount": 60, "seconds": 3600}, "99 calls at once"),
        (RATE | {"amount": 9, "seconds": 1, "about": "model"}, RATE | {"amount": 1, "seconds": 1}, None),
        ({"type": TOOL, "only": ["a"]}, {"type": MODEL, "models": []}, None),
    ],
)  # fmt: skip
def test_what_a_rule_promises_beyond_the_one_above_is_told(
    rule: dict[str, Any], above: dict[str, Any], words: str | None
) -> None:
    met = ceilings.meets(RULE.validate_python(rule), RULE.validate_python(above))
    assert (met is not None) == (words is not None), met
    assert words is None or (met is not None and words in met)


def test_rules_about_different_agents_do_not_meet() -> None:
    def scoped(number: int) -> Any:
        return {"type": "delegation_depth", "max": number, "scope": {"agents": [str(UUID(int=number))]}}

    assert ceilings.meets(RULE.validate_python(scoped(3)), RULE.validate_python(scoped(2))) is None


def test_the_tools_of_a_role_meet_ceilings_too() -> None:
    def role(**scope: Any) -> WorkerRole:
        return WorkerRole(
            id=UUID(int=1), name="Clerk", autonomy_tier=AutonomyTier.ADVISORY, scope=RoleScope.model_validate(scope)
        )

    above = RULE.validate_python({"type": TOOL, "never": ["send_email"]})
    assert ceilings.role_meets(role(tools_allow=["send_email"]), above) is not None
    assert ceilings.role_meets(role(tools_allow=["send_email"], tools_deny=["send_email"]), above) is None
    assert ceilings.role_meets(role(), above) is None
    assert ceilings.role_meets(role(tools_allow=["a"]), RULE.validate_python({"type": MODEL, "models": []})) is None


# ── hours ────────────────────────────────────────────────────────────────────────────────────────────────────────


def window(start: str, end: str, zone: str = "UTC", days: tuple[Any, ...] = DAYS) -> TimeRule:
    return TimeRule(start=time.fromisoformat(start), end=time.fromisoformat(end), time_zone=zone, days=days)


@pytest.mark.parametrize(
    ("rule", "above", "open_above"),
    [
        (window("09:00", "17:00"), window("09:00", "17:00"), True),
        (window("09:00", "17:01"), window("09:00", "17:00"), False),
        (window("08:59:59", "17:00"), window("09:00", "17:00"), False),
        (window("09:00", "17:00", days=("mon",)), window("00:00", "00:00", days=("mon", "tue")), True),
        (window("22:00", "06:00", days=("mon",)), window("00:00", "00:00", days=("mon",)), False),
        (window("22:00", "06:00", days=("mon",)), window("00:00", "00:00", days=("mon", "tue")), True),
        (window("10:00", "16:00"), window("10:00", "17:00", "Europe/Berlin"), False),
        (window("10:00", "14:00"), window("10:00", "18:00", "Europe/Berlin"), True),
        # New York and Berlin are six hours apart, but for the weeks between their changes of the clocks: five.
        (window("09:00", "10:00", "America/New_York"), window("15:00", "16:00", "Europe/Berlin"), False),
        (window("09:00", "10:00", "America/New_York"), window("14:00", "16:00", "Europe/Berlin"), True),
        # Lord Howe changes its clocks by half an hour.
        (window("09:10", "10:10", "Australia/Lord_Howe"), window("08:40", "09:10", "Australia/Sydney"), False),
        (window("09:10", "10:10", "Australia/Lord_Howe"), window("08:40", "10:10", "Australia/Sydney"), True),
        # The half hour that the clocks skip: an opening in it is an opening at the change.
        (window("02:30", "05:00", "Europe/Berlin"), window("01:30", "04:00"), False),
    ],
)
def test_windows_of_time_are_compared_exactly(rule: TimeRule, above: TimeRule, open_above: bool) -> None:
    at = opening_hours.only_open(rule, above)
    assert (at is None) is open_above
    assert at is None or (rule.is_open(at) and not above.is_open(at))
    assert (ceilings.meets(rule, above) is None) is open_above


zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
hours = st.times().map(lambda at: at.replace(microsecond=0)) | st.sampled_from(
    [time(0), time(9), time(17), time(2, 30)]
)
windows = st.builds(
    TimeRule, start=hours, end=hours, time_zone=zones, days=st.lists(st.sampled_from(DAYS), unique=True).map(tuple)
)


@settings(deadline=None)
@given(windows, windows, st.lists(st.integers(0, 366 * 86_400), min_size=20, max_size=60))
def test_no_moment_is_missed(rule: TimeRule, above: TimeRule, seconds: list[int]) -> None:
    """Of the year that is looked at, moments at random and those around every change of the clocks."""
    at = opening_hours.only_open(rule, above)
    if at is not None:
        assert rule.is_open(at) and not above.is_open(at)
        return
    start = datetime(2024, 1, 1, tzinfo=UTC)
    changes = [datetime(2024, 3, 31, 1, tzinfo=UTC), datetime(2024, 10, 27, 1, tzinfo=UTC),
               datetime(2024, 3, 10, 7, tzinfo=UTC), datetime(2024, 11, 3, 6, tzinfo=UTC),
               datetime(2024, 4, 6, 15, tzinfo=UTC), datetime(2024, 10, 5, 15, 30, tzinfo=UTC)]  # fmt: skip
    near = [change + timedelta(minutes=minutes) for change in changes for minutes in range(-90, 90, 15)]
    for moment in [start + timedelta(seconds=number) for number in seconds] + near:
        assert not rule.is_open(moment) or above.is_open(moment)


def test_the_second_of_a_change_of_the_clocks_is_found() -> None:
    moments = set(opening_hours._moments(window("09:00", "17:00", "Europe/Berlin"), opening_hours.DAYS))
    assert {datetime(2024, 3, 31, 1, tzinfo=UTC), datetime(2024, 10, 27, 1, tzinfo=UTC)} <= moments
    assert ZoneInfo("Europe/Berlin").utcoffset(datetime(2024, 3, 31, 3)) == timedelta(hours=2)

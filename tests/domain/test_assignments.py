"""What an assignment may say, and when it lets more through than before."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import assignments, ids, restrictions
from retinue.domain.agents import PROMOTION, DeploymentState, skipped
from retinue.domain.assignments import AssignmentScope, NewAssignment
from retinue.domain.restrictions import Restriction
from retinue.domain.tools import Effect, ToolKind, ToolSpec

ACCOUNT = ids.new()


def spec(slug: str, *parameters: str) -> ToolSpec:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in parameters}}
    return ToolSpec(
        slug=slug, kind=ToolKind.EXTERNAL, name=slug, description=slug, parameters=schema, effect=Effect.READ
    )


@pytest.mark.parametrize(
    ("scope", "prefix", "own", "fits"),
    [
        ("user", "usr", False, True), ("team", "team", False, True), ("account", "acc", True, True),
        ("account", "acc", False, False), ("user", "team", False, False), ("team", "usr", False, False),
        ("account", "usr", False, False),
    ],
)  # fmt: skip
def test_an_assignment_is_to_a_person_a_team_or_ones_own_account(
    scope: str, prefix: str, own: bool, fits: bool
) -> None:
    wanted = ACCOUNT if own else ids.new()
    new = NewAssignment(scope=AssignmentScope(scope), scope_id=ids.encode(prefix, wanted))
    assert new.target(ACCOUNT) == (wanted if fits else None)


def test_only_the_account_need_not_be_named() -> None:
    assert NewAssignment(scope=AssignmentScope.ACCOUNT).target(ACCOUNT) == ACCOUNT
    assert NewAssignment(scope=AssignmentScope.TEAM).target(ACCOUNT) is None


@pytest.mark.requirement("CON-50", "CON-48", "DEL-27")
def test_what_could_not_hold_cannot_be_written() -> None:
    specs = [spec("calendar", "action"), spec("send_email", "to"), spec("get_events"), spec("create_event")]
    written = {
        "calendar": Restriction(allowed_actions=("find",)),
        "sendEmail": Restriction(denied_actions=("send",)),
        "scheduler-agent": Restriction(denied_actions=("create_event",)),
        "calendar_api": Restriction(blocked=True),
        "calender": Restriction(blocked=True),
    }
    found = assignments.objections(written, specs, {"scheduler_agent"})
    assert [entry["path"] for entry in found] == ["calendar_api", "calender", "sendEmail"]
    assert "no tool named find_free_time" in found[0]["reason"], "a family is known when all of it is"
    assert "action" in found[2]["reason"]


ACTIONS = ("a", "b", "c")
RULES = st.builds(
    Restriction,
    blocked=st.booleans(),
    allowed_actions=st.none() | st.lists(st.sampled_from(ACTIONS), max_size=3).map(tuple),
    denied_actions=st.lists(st.sampled_from(ACTIONS), max_size=3).map(tuple),
    max_calls_per_interaction=st.none() | st.integers(0, 3),
)
CALLS: list[tuple[dict[str, Any], int]] = [
    (arguments, before)
    for arguments in ({"action": "a"}, {"action": "b"}, {"action": "c"}, {"action": "d"}, {"action": 1}, {})
    for before in range(5)
]


def passed(rule: Restriction) -> set[int]:
    """Which of the calls it lets through."""
    return {number for number, call in enumerate(CALLS) if restrictions.refusal(rule, *call) is None}


@given(RULES, RULES)
def test_what_is_not_called_loosened_lets_nothing_more_through(before: Restriction, after: Restriction) -> None:
    if not assignments.loosened({"sendEmail": before}, {"send_email": after}):
        assert passed(after) <= passed(before)


@given(RULES, RULES)
def test_adding_a_restriction_never_counts_as_loosening(before: Restriction, more: Restriction) -> None:
    both = restrictions.tighten(before, more)
    assert assignments.loosened({"t": before}, {"t": both, "u": more}) == ()
    assert assignments.loosened({"t": before}, {"t": before}) == ()


def test_taking_a_restriction_away_loosens_it() -> None:
    blocked = Restriction(blocked=True)
    assert assignments.loosened({"sendEmail": blocked, "t": blocked}, {"t": blocked}) == ("send_email",)
    assert assignments.loosened({"t": Restriction(max_calls_per_interaction=3)}, {"t": blocked}) == ()


# ── promotion ────────────────────────────────────────────────────────────────────────────────────────────────────

DEVELOPED, TESTED, AVAILABLE, ACTIVE = PROMOTION


@pytest.mark.requirement("LIFE-06")
def test_an_agent_is_promoted_one_step_at_a_time_and_taken_back_at_will() -> None:
    for place, before in enumerate(PROMOTION):
        for later, after in enumerate(PROMOTION):
            first = skipped(before, after, built_in=False, external=False)
            assert first == (PROMOTION[place + 1] if later > place + 1 else None), (before, after)


@pytest.mark.requirement("LIFE-05", "LIFE-06", "LIFE-18")
def test_built_in_agents_skip_what_they_need_not_and_external_ones_become_available_by_approval() -> None:
    assert skipped(DEVELOPED, ACTIVE, built_in=True, external=False) is None
    assert skipped(DEVELOPED, AVAILABLE, built_in=False, external=True) is None
    assert skipped(DEVELOPED, ACTIVE, built_in=False, external=True) is DeploymentState.TESTING
    assert skipped(TESTED, ACTIVE, built_in=False, external=True) is AVAILABLE

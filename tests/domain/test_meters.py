"""What has to be reserved for a call: every limit that applies, each on its subject, always in one order."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import meters
from retinue.domain.meters import EPOCH, Metered, Need, Subjects, demands
from retinue.domain.rule_base import Question, Scope
from retinue.domain.rule_limits import CostRule, Period, RateRule
from retinue.domain.tools import Effect, ToolKind, ToolSpec
from retinue.domain.verdicts import Layer

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
ACCOUNT, TEAM, OTHER_TEAM, USER, AGENT, ROOT, CHILD, GRANDCHILD = (UUID(int=number) for number in range(1, 9))
WHO = Subjects(account_id=ACCOUNT, team_ids=(TEAM,), user_id=USER, agent_id=AGENT, chain=(ROOT,))
SPEC = ToolSpec(
    slug="web_search", kind=ToolKind.EXTERNAL, name="Search", description="", parameters={}, effect=Effect.READ
)
TOOL = Question(agent_id=AGENT, user_id=USER, at=NOON, spec=SPEC)
MODEL = Question(agent_id=AGENT, user_id=USER, at=NOON, model="openai/gpt-5")


def limit(rule: CostRule | RateRule, number: int = 100, **fields: Any) -> Metered:
    return Metered(policy_id=UUID(int=number), layer=Layer.ACCOUNT, name=f"policy {number}", rule=rule, **fields)


def subjects_of(rule: CostRule | RateRule, who: Subjects = WHO, asked: Question = TOOL, **fields: Any) -> list[UUID]:
    need = Need(cost_micro=5, tokens=10)
    return [one.subject for one in demands([limit(rule, **fields)], who, need, asked)]


@pytest.mark.requirement("COST-06")
@pytest.mark.parametrize(
    ("per", "subjects"),
    [
        ("account", [ACCOUNT]),
        ("team", [TEAM]),
        ("user", [USER]),
        ("agent", [AGENT]),
        ("interaction", [ROOT]),
        ("delegation", []),
    ],
)
def test_money_is_counted_on_whom_the_limit_says(per: Any, subjects: list[UUID]) -> None:
    assert subjects_of(CostRule(per=per, period="total", limit_micro=10)) == subjects


@pytest.mark.requirement("COST-07", "CON-32")
def test_a_delegated_turn_counts_on_the_turn_that_began_it_and_on_every_delegation_above() -> None:
    who = WHO.model_copy(update={"chain": (ROOT, CHILD, GRANDCHILD)})
    assert subjects_of(CostRule(per="interaction", period="total", limit_micro=10), who) == [ROOT]
    assert subjects_of(CostRule(per="delegation", period="total", limit_micro=10), who) == [CHILD, GRANDCHILD]


def test_a_limit_of_a_team_counts_that_team_only() -> None:
    who = WHO.model_copy(update={"team_ids": (TEAM, OTHER_TEAM)})
    rule = CostRule(per="team", limit_micro=10)
    assert subjects_of(rule, who) == [TEAM, OTHER_TEAM]
    assert subjects_of(rule, who, team_id=OTHER_TEAM) == [OTHER_TEAM]


def test_what_nobody_asked_for_counts_on_no_user() -> None:
    who = WHO.model_copy(update={"user_id": None})
    assert subjects_of(CostRule(per="user", limit_micro=10), who) == []
    assert subjects_of(CostRule(per="account", limit_micro=10), who) == [ACCOUNT]


def test_a_limit_counts_only_where_it_applies() -> None:
    elsewhere = Scope(agents=(UUID(int=99),))
    assert subjects_of(CostRule(limit_micro=10, scope=elsewhere)) == []
    assert subjects_of(RateRule(amount=1, seconds=1, about="model")) == []
    assert subjects_of(RateRule(amount=1, seconds=1, about="tool"), asked=MODEL) == []


def test_a_tool_is_one_subject_however_its_name_is_spelt() -> None:
    assert meters.tool_id("web_search") == meters.tool_id("searchWeb") != meters.tool_id("send_email")
    assert subjects_of(RateRule(per="tool", amount=1, seconds=1)) == [meters.tool_id("web_search")]


@pytest.mark.requirement("COST-04")
def test_buckets_fill_and_windows_begin_anew() -> None:
    need = Need(cost_micro=0, tokens=700)
    bucket, window, tokens = (
        RateRule(amount=30, seconds=60, burst=50),
        RateRule(amount=30, seconds=3600, strategy="fixed_window"),
        RateRule(amount=1000, seconds=60, of="tokens", about="model", per="user"),
    )
    (one,) = demands([limit(bucket)], WHO, need, TOOL)
    assert (one.kind, one.strategy, one.starts_at, one.cap, one.amount, one.unit) == (
        "bucket", "token_bucket", EPOCH, 50, 1, "calls",
    )  # fmt: skip
    assert one.refill_per_second == 0.5
    at = NOON + timedelta(minutes=59, seconds=59.5)
    (one,) = demands([limit(window)], WHO, need, TOOL.model_copy(update={"at": at}))
    assert (one.kind, one.starts_at, one.ends_at, one.cap) == ("window", NOON, NOON + timedelta(hours=1), 30)
    assert one.refill_per_second == 0
    (one,) = demands([limit(tokens)], WHO, need, MODEL)
    assert (one.amount, one.unit, one.subject) == (700, "tokens", USER)


def test_what_costs_nothing_reserves_nothing() -> None:
    assert demands([limit(CostRule(limit_micro=0))], WHO, Need(cost_micro=0), TOOL) == ()


@pytest.mark.requirement("COST-08")
def test_an_unknown_price_can_never_be_reserved_and_is_refused_in_words() -> None:
    limits, need = [limit(CostRule(limit_micro=10)), limit(RateRule(amount=1, seconds=1), 101)], Need(cost_micro=None)
    assert demands(limits, WHO, need, TOOL)[0].amount > 10
    assert [(one.verdict, one.reason) for one in meters.unpriced(limits, need, TOOL)] == [("deny", "unknown_price")]
    assert meters.unpriced(limits, Need(cost_micro=3), TOOL) == ()
    assert meters.unpriced(limits[1:], need, TOOL) == ()


some_rules = st.one_of(
    st.builds(CostRule, per=st.sampled_from(["account", "team", "user", "agent"]), limit_micro=st.integers(1, 99),
              period=st.sampled_from(["day", "week", "month", "total"])),
    st.builds(CostRule, per=st.sampled_from(["interaction", "delegation"]), limit_micro=st.just(9),
              period=st.just("total")),
    st.builds(RateRule, per=st.sampled_from(["account", "user", "agent", "tool"]), amount=st.integers(1, 9),
              seconds=st.integers(1, 90), strategy=st.sampled_from(["token_bucket", "fixed_window"])),
)  # fmt: skip


@pytest.mark.requirement("COST-11")
@given(st.lists(some_rules, max_size=5))
def test_all_callers_lock_in_one_order(rules: list[CostRule | RateRule]) -> None:
    limits = [limit(rule, number=number % 3) for number, rule in enumerate(rules)]
    who = WHO.model_copy(update={"chain": (ROOT, CHILD), "team_ids": (OTHER_TEAM, TEAM)})
    found = [demands(order, who, Need(cost_micro=5), TOOL) for order in list(permutations(limits))[:24]]
    assert all([one.order for one in some] == sorted(one.order for one in some) for some in found)
    assert len({tuple(one.order for one in some) for some in found}) == 1


# ── periods ──────────────────────────────────────────────────────────────────────────────────────────────────────

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "America/Santiago",
    "Asia/Beirut",
    "Pacific/Apia",
]


@given(
    st.sampled_from(["day", "week", "month"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(ZONES),
)
def test_periods_follow_one_another_without_gaps(period: Period, at: datetime, zone: str) -> None:
    start, end = meters.period_start(period, at, zone), meters.period_end(period, at, zone)
    assert end is not None
    assert start <= at < end
    assert meters.period_start(period, start, zone) == start
    assert meters.period_start(period, end, zone) == end
    assert meters.period_end(period, end - timedelta(microseconds=1), zone) == end


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("day", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"),
        ("week", "2026-10-19T00:00+02:00", "2026-10-26T00:00+01:00"),
        ("month", "2026-10-01T00:00+02:00", "2026-11-01T00:00+01:00"),
    ],
)
def test_a_period_begins_at_midnight_there_also_when_the_clocks_change(period: Period, start: str, end: str) -> None:
    at = datetime(2026, 10, 25, 18, tzinfo=ZoneInfo("Europe/Berlin"))
    assert meters.period_start(period, at, "Europe/Berlin") == datetime.fromisoformat(start)
    assert meters.period_end(period, at, "Europe/Berlin") == datetime.fromisoformat(end)


def test_a_total_begins_once_and_never_ends() -> None:
    assert (meters.period_start("total", NOON), meters.period_end("total", NOON)) == (EPOCH, None)


@given(st.integers(1, 10**6), st.datetimes(datetime(1960, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)))
def test_windows_follow_one_another_without_gaps(seconds: int, at: datetime) -> None:
    start = meters.window_start(seconds, at)
    assert start <= at < start + timedelta(seconds=seconds)
    assert meters.window_start(seconds, start) == start


# ── money ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("COST-18")
def test_the_worst_case_is_exact_and_rounded_up() -> None:
    assert meters.worst_case_micro(Decimal("0.000003"), Decimal("0.000015"), 1000, 200) == 6000
    assert meters.worst_case_micro(Decimal("0.0000001"), Decimal(0), 1, 0) == 1
    assert meters.worst_case_micro(Decimal(0), Decimal(0), 10**9, 10**9) == 0


def test_a_forecast_goes_on_as_it_began() -> None:
    start, end = NOON, NOON + timedelta(days=10)
    assert meters.forecast(100, start, start, end) is None
    assert meters.forecast(100, start, start + timedelta(days=1), end) == 1000
    assert meters.forecast(100, start, start + timedelta(days=3), end) == 334
    assert meters.forecast(100, start, end, end) == 100


@pytest.mark.parametrize(
    ("before", "after", "percents"),
    [(0, 49, ()), (79, 80, (80,)), (80, 90, ()), (0, 100, (50, 80, 100)), (99, 150, (100,)), (50, 50, ())],
)
def test_a_warning_is_given_once_when_its_mark_is_passed(before: int, after: int, percents: tuple[int, ...]) -> None:
    assert meters.crossed(before, after, 100, (100, 80, 50)) == percents


@pytest.mark.requirement("COST-19")
def test_a_refusal_says_what_is_left_and_until_when() -> None:
    (budget,) = demands([limit(CostRule(limit_micro=2_000_000))], WHO, Need(cost_micro=500_000), TOOL)
    said = meters.refused(budget, 250_000)
    assert (said.verdict, said.reason, said.rule) == ("deny", "budget_exceeded", "policy 100")
    assert "0.5 USD" in said.detail and "0.25 USD are left" in said.detail and "2026-12-01 at 00:00 UTC" in said.detail
    (total,) = demands([limit(CostRule(limit_micro=2, period="total"))], WHO, Need(cost_micro=5), TOOL)
    assert "period" not in meters.refused(total, -3).detail
    (rate,) = demands([limit(RateRule(amount=2, seconds=60))], WHO, Need(cost_micro=0), TOOL)
    assert meters.refused(rate, 0).reason == "rate_limited"

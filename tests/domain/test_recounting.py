"""A limit that counts again lets through all that fits, and nothing more."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import ids
from retinue.domain.meters import Metered, Need, Subjects
from retinue.domain.recounting import Recount
from retinue.domain.rule_base import Question
from retinue.domain.rule_limits import CostRule, RateRule
from retinue.domain.verdicts import Layer

START = datetime(2026, 3, 2, tzinfo=UTC)
ACCOUNT = ids.new()
AGENTS = [ids.new(), ids.new()]
CALLS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1), st.integers(0, 60)), max_size=40)
"""Hours since the one before, the agent, the cost."""


def run(rule: CostRule | RateRule, calls: list[tuple[int, int, int]]) -> list[tuple[datetime, int, int, bool]]:
    recount = Recount(Metered(policy_id=ids.new(), layer=Layer.ACCOUNT, name="limit", rule=rule))
    at, found = START, list[tuple[datetime, int, int, bool]]()
    for hours, who, cost in calls:
        at += timedelta(hours=hours)
        subjects = Subjects(account_id=ACCOUNT, agent_id=AGENTS[who], chain=(ids.new(),))
        asked = Question(agent_id=AGENTS[who], at=at, model="m")
        found.append((at, who, cost, recount.take(subjects, Need(cost_micro=cost), asked) is None))
    return found


@given(CALLS, st.integers(0, 100), st.sampled_from(["account", "agent"]))
def test_a_budget_by_day_is_used_as_far_as_it_goes(calls: list[Any], cap: int, per: Any) -> None:
    spent: dict[Any, int] = {}
    for at, who, cost, taken in run(CostRule(per=per, period="day", limit_micro=cap), calls):
        key = at.date(), who if per == "agent" else None
        assert taken == (spent.get(key, 0) + cost <= cap or cost == 0)
        spent[key] = spent.get(key, 0) + (cost if taken else 0)


@given(CALLS, st.integers(1, 5), st.integers(1, 48))
def test_a_bucket_gives_no_more_than_it_holds_and_what_flows_in(calls: list[Any], amount: int, hours: int) -> None:
    rule = RateRule(per="account", about="model", amount=amount, seconds=hours * 3600)
    taken = [at for at, _, _, ok in run(rule, calls) if ok]
    for i, first in enumerate(taken):
        for j, last in enumerate(taken[i:], start=i):
            flowed = (last - first).total_seconds() * amount / (hours * 3600)
            assert j - i + 1 <= amount + flowed + 1e-6


@given(CALLS, st.integers(1, 5), st.integers(1, 48))
def test_a_window_takes_its_number_of_calls(calls: list[Any], amount: int, hours: int) -> None:
    rule = RateRule(per="account", about="model", strategy="fixed_window", amount=amount, seconds=hours * 3600)
    counted: dict[int, int] = {}
    for at, _, _, taken in run(rule, calls):
        window = int(at.timestamp()) // (hours * 3600)
        assert taken == (counted.get(window, 0) < amount)
        counted[window] = counted.get(window, 0) + taken

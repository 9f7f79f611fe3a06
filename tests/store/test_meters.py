"""Reserving and settling against the database: all or nothing, once, and nothing is left behind."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from retinue import errors
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.meters import EPOCH, Demand
from retinue.domain.verdicts import Layer
from retinue.store import audit, meters
from tests.store.conftest import Office
from tests.store.spending import Books, budget


@pytest.fixture
def books(db: Database, office: Office) -> Books:
    return Books(db, office.account_id)


def of(demand: Demand, **changes: Any) -> Demand:
    return demand.model_copy(update=changes)


def bucket(cap: int, amount: int, *, per_second: int) -> Demand:
    return Demand(
        policy_id=ids.new(), subject=ids.new(), kind="bucket", starts_at=EPOCH, cap=cap, amount=amount,
        refill=per_second, seconds=1, strategy="token_bucket", unit="tokens", layer=Layer.ACCOUNT, name="Rate",
    )  # fmt: skip


async def drain(books: Books, demand: Demand, spent: int) -> None:
    """Spend so much of it."""
    other = await books.turn()
    assert await books.reserve(other, 1, [of(demand, amount=spent)])
    await meters.settle(books.db, other, 1, cost_micro=spent, tokens=spent)


# ── reserve and settle ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("COST-11", "COST-18")
async def test_the_worst_case_is_reserved_and_what_it_came_to_is_spent(books: Books) -> None:
    turn, demand = await books.turn(), budget(cap=1000, amount=400)
    assert await books.reserve(turn, 1, [demand])
    assert await books.stand(demand) == (0, 400)
    assert await meters.settle(books.db, turn, 1, cost_micro=150, tokens=10)
    assert await books.stand(demand) == (150, 0)


@pytest.mark.requirement("COST-08")
async def test_what_would_go_past_the_limit_is_refused_before_it_is_spent(books: Books) -> None:
    ends = datetime.now(UTC) + timedelta(hours=1)
    demand = budget(cap=1000, amount=600, ends=ends)
    assert await books.reserve(await books.turn(), 1, [demand])
    found = await meters.reserve(books.db, await books.turn(), 1, [demand])
    assert isinstance(found, meters.Refused)
    assert (found.demand, found.left, found.opinion.reason) == (demand, 400, "budget_exceeded")
    assert found.retry_after_seconds == pytest.approx(3600, abs=30)
    assert await books.stand(demand) == (0, 600)


async def test_a_limit_can_be_used_up_to_the_last_unit_and_what_is_free_goes_on(books: Books) -> None:
    demand = budget(cap=1000, amount=1000)
    await drain(books, demand, 1000)
    turn = await books.turn()
    assert not await books.reserve(turn, 1, [of(demand, amount=1)])
    assert await books.reserve(turn, 1, [of(demand, amount=0)])


@pytest.mark.requirement("COST-06", "COST-07")
async def test_all_limits_are_reserved_or_none_and_the_smallest_decides(books: Books) -> None:
    account, team, user = budget(10_000, 500), budget(5_000, 500), budget(700, 500)
    assert await books.reserve(await books.turn(), 1, [account, team, user])
    found = await meters.reserve(books.db, await books.turn(), 1, [user, account, team])
    assert isinstance(found, meters.Refused)
    assert (found.demand, found.left) == (user, 200)
    assert [await books.stand(one) for one in (account, team, user)] == [(0, 500)] * 3


async def test_a_call_that_was_not_made_gives_everything_back(books: Books) -> None:
    turn, cost, rate = await books.turn(), budget(1000, 400), bucket(100, 60, per_second=1)
    assert await books.reserve(turn, 1, [cost, rate])
    assert await meters.release(books.db, turn, 1)
    assert not await meters.release(books.db, turn, 1)
    assert await books.stand(cost) == (0, 0)
    assert (await books.meter(rate))["level"] == 100


@pytest.mark.requirement("COST-13")
async def test_a_step_that_reserves_again_holds_once_and_settles_once(books: Books) -> None:
    turn, demand = await books.turn(), budget(1000, 400)
    for _ in range(3):
        assert await books.reserve(turn, 1, [demand])
    assert await books.stand(demand) == (0, 400)
    assert await meters.settle(books.db, turn, 1, cost_micro=100, tokens=0)
    assert not await meters.settle(books.db, turn, 1, cost_micro=100, tokens=0)
    assert await books.stand(demand) == (100, 0)


async def test_a_step_taken_over_holds_what_its_new_attempt_needs_and_no_more(books: Books) -> None:
    turn, old, new = await books.turn(), budget(1000, 900), budget(1000, 300)
    assert await books.reserve(turn, 1, [old])
    taken = await books.take_over(turn)
    assert await books.reserve(taken, 1, [of(old, amount=800), new]), "the dead attempt's hold is no obstacle"
    assert (await books.stand(old), await books.stand(new)) == ((0, 800), (0, 300))
    with pytest.raises(errors.Fenced):
        await meters.reserve(books.db, turn, 1, [old])


@pytest.mark.requirement("COST-11")
async def test_what_a_fenced_attempt_has_spent_counts_all_the_same(books: Books) -> None:
    turn, demand = await books.turn(), budget(1000, 300)
    await books.reserve(turn, 1, [demand])
    taken = await books.take_over(turn)
    await books.reserve(taken, 1, [demand])
    assert await meters.settle(books.db, turn, 1, cost_micro=250, tokens=0)
    assert await books.stand(demand) == (250, 300)
    assert await meters.settle(books.db, taken, 1, cost_micro=200, tokens=0)
    assert not await meters.settle(books.db, turn, 1, cost_micro=250, tokens=0)
    assert await books.stand(demand) == (450, 0)


async def test_a_cost_that_nobody_knows_counts_as_the_worst_case(books: Books) -> None:
    turn, demand = await books.turn(), budget(1000, 300)
    await books.reserve(turn, 1, [demand])
    await meters.settle(books.db, turn, 1, cost_micro=None, tokens=None)
    assert await books.stand(demand) == (300, 0)


async def test_a_cost_above_the_worst_case_is_spent_and_stops_the_next(books: Books) -> None:
    turn, demand = await books.turn(), budget(1000, 300)
    await books.reserve(turn, 1, [demand])
    await meters.settle(books.db, turn, 1, cost_micro=1200, tokens=0)
    found = await meters.reserve(books.db, await books.turn(), 1, [of(demand, amount=1)])
    assert isinstance(found, meters.Refused)
    assert found.left == 0


async def test_without_limits_nothing_is_written(books: Books) -> None:
    turn = await books.turn()
    assert await meters.reserve(books.db, turn, 1, ()) == meters.Reserved()
    async with books.db.tenant_tx(books.account_id) as tx:
        assert await tx.fetchval("select count(*) from reservation where account_id = $1", books.account_id) == 0


# ── periods, windows, buckets ────────────────────────────────────────────────────────────────────────────────────


async def test_what_was_reserved_in_a_period_is_settled_in_it_and_the_next_begins_anew(books: Books) -> None:
    today = budget(1000, 700, starts=datetime(2030, 1, 1, tzinfo=UTC), ends=datetime(2030, 1, 2, tzinfo=UTC))
    tomorrow = of(today, starts_at=today.ends_at, ends_at=datetime(2030, 1, 3, tzinfo=UTC))
    late, early = await books.turn(), await books.turn()
    assert await books.reserve(late, 1, [today])
    assert await books.reserve(early, 1, [tomorrow])
    await meters.settle(books.db, late, 1, cost_micro=600, tokens=0)
    assert (await books.stand(today), await books.stand(tomorrow)) == ((600, 0), (0, 700))
    taken = await books.take_over(early)
    assert await books.reserve(taken, 1, [today.model_copy(update={"amount": 100})])
    assert (await books.stand(today), await books.stand(tomorrow)) == ((600, 100), (0, 0))


@pytest.mark.requirement("COST-04", "COST-19")
async def test_a_window_lets_through_its_number_of_calls_and_says_when_the_next_begins(books: Books) -> None:
    now = datetime.now(UTC)
    window = Demand(
        policy_id=ids.new(), subject=ids.new(), kind="window", starts_at=now, ends_at=now + timedelta(seconds=60),
        cap=3, amount=1, seconds=60, strategy="fixed_window", unit="calls", layer=Layer.ACCOUNT, name="Three",
    )  # fmt: skip
    for _ in range(3):
        turn = await books.turn()
        assert await books.reserve(turn, 1, [window])
        await meters.settle(books.db, turn, 1, cost_micro=5_000, tokens=5_000)
    found = await meters.reserve(books.db, await books.turn(), 1, [window])
    assert isinstance(found, meters.Refused)
    assert (found.left, found.opinion.reason) == (0, "rate_limited")
    assert found.retry_after_seconds is not None
    assert 0 < found.retry_after_seconds <= 60


@pytest.mark.requirement("COST-04")
async def test_a_bucket_fills_evenly_and_what_was_not_used_flows_back(books: Books) -> None:
    rate = bucket(cap=100, amount=80, per_second=10)
    turn = await books.turn()
    assert await books.reserve(turn, 1, [rate])
    found = await meters.reserve(books.db, await books.turn(), 1, [rate])
    assert isinstance(found, meters.Refused)
    assert found.retry_after_seconds == pytest.approx(6, abs=1)
    await meters.settle(books.db, turn, 1, cost_micro=0, tokens=30)
    assert 70 <= (await books.meter(rate))["level"] <= 80
    async with books.db.tenant_tx(books.account_id) as tx:
        await tx.execute(
            "update meter set touched_at = touched_at - interval '2 seconds' where account_id = $1", books.account_id
        )
    assert await books.reserve(await books.turn(), 1, [of(rate, amount=90)])
    await drain_past(books, rate)


async def drain_past(books: Books, rate: Demand) -> None:
    found = await meters.reserve(books.db, await books.turn(), 1, [of(rate, amount=101)])
    assert isinstance(found, meters.Refused)
    assert found.retry_after_seconds is None, "it can never be, so no time is named"


# ── delegation ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("COST-07", "COST-09", "CON-32")
async def test_a_delegated_turn_spends_what_is_left_of_every_turn_above(books: Books) -> None:
    parent = await books.turn()
    cap = meters.own_cap(parent, 2_000_000, 1_000_000)
    assert await books.reserve(parent, 1, [cap])
    await meters.settle(books.db, parent, 1, cost_micro=900_000, tokens=0)
    child = await books.turn(parent.interaction_id, cap=5_000_000)
    grandchild = await books.turn(child.interaction_id)

    found = await meters.reserve(books.db, grandchild, 1, (), above=1_200_000)
    assert isinstance(found, meters.Refused)
    assert (found.demand.subject, found.left) == (parent.interaction_id, 1_100_000)
    assert found.opinion.reason == "budget_exceeded"
    assert await books.reserve(grandchild, 1, (), above=1_000_000)
    assert await books.stand(cap) == (900_000, 1_000_000)
    await meters.settle(books.db, grandchild, 1, cost_micro=800_000, tokens=0)
    assert await books.stand(cap) == (1_700_000, 0)
    assert await books.stand(meters.own_cap(child, 0, 0)) == (800_000, 0)
    assert not await books.reserve(child, 1, (), above=300_001)
    assert not await books.reserve(parent, 2, [of(cap, amount=300_001)])


async def test_a_cap_that_begins_in_the_middle_counts_what_the_turn_has_cost_with_all_it_delegated(
    books: Books,
) -> None:
    parent = await books.turn()
    child = await books.turn(parent.interaction_id)
    async with books.db.tenant_tx(books.account_id) as tx:
        for turn, cost in ((parent, 300), (child, 200)):
            await tx.execute(
                "update interaction set cost_micro = $3 where account_id = $1 and id = $2",
                books.account_id, turn.interaction_id, cost,
            )  # fmt: skip
    found = await meters.reserve(books.db, parent, 3, [meters.own_cap(parent, 1000, 501)])
    assert isinstance(found, meters.Refused)
    assert found.left == 500


@pytest.mark.requirement("COST-11")
async def test_children_that_run_at_once_do_not_pass_the_cap_of_their_parent_together(books: Books) -> None:
    parent = await books.turn(cap=10_000)
    children = [await books.turn(parent.interaction_id) for _ in range(12)]
    found = await asyncio.gather(*(books.reserve(child, 1, (), above=1_500) for child in children))
    assert sum(found) == 6
    assert await books.stand(meters.own_cap(parent, 0, 0)) == (0, 9_000)


# ── what was spent before ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("per", "spent"), [("account", 600), ("agent", 400), ("user", 400), ("team", 500)])
async def test_a_limit_written_in_the_middle_of_its_period_counts_from_the_beginning(
    books: Books, office: Office, per: str, spent: int
) -> None:
    user, team = office.member.user_id, office.team_id
    async with books.db.tenant_tx(books.account_id) as tx:
        channel, turn = ids.new(), ids.new()
        await tx.execute(
            "insert into channel (account_id, id, kind, name, team_id) values ($1, $2, 'team', 'T', $3)",
            books.account_id, channel, team,
        )  # fmt: skip
        await tx.execute(
            "insert into interaction (account_id, id, agent_id, thread_id, channel_id) values ($1, $2, $3, $2, $4)",
            books.account_id, turn, ids.new(), channel,
        )  # fmt: skip
        for agent, whose, where, cost in (
            (books.agent_id, user, ids.new(), 400), (ids.new(), office.colleague.user_id, turn, 100),
            (ids.new(), None, ids.new(), 100),
        ):  # fmt: skip
            await tx.execute("select count_usage_v1($1, $2, 1, 1, 0, 0, 0, $3)", books.account_id, agent, cost)
            await tx.execute(
                "insert into token_event (account_id, id, agent_id, user_id, interaction_id, step_seq, cost_micro) "
                "values ($1, $2, $3, $4, $5, 1, $6)", books.account_id, ids.new(), agent, whose, where, cost,
            )  # fmt: skip
    policy = await books.policy({"type": "cost_limit", "per": per, "period": "month", "limit_micro": 1000})
    subject = {"account": books.account_id, "agent": books.agent_id, "user": user, "team": team}[per]
    starts = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    demand = budget(1000, 1, policy=policy, subject=subject, starts=starts)
    assert await books.reserve(await books.turn(), 1, [demand])
    assert await books.stand(demand) == (spent, 1)
    next_month = of(demand, starts_at=starts + timedelta(days=40))
    assert await books.reserve(await books.turn(), 1, [next_month])
    assert await books.stand(next_month) == (0, 1), "only a period in which the limit was written has a past"


# ── warnings ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_threshold_that_is_crossed_is_audited_once_in_a_period_and_anew_when_the_limit_is_raised(
    books: Books,
) -> None:
    rule = {"type": "cost_limit", "per": "account", "period": "total", "limit_micro": 1000, "warn_at": [50, 80]}
    policy = await books.policy(rule, name="Everything")
    demand = budget(1000, 100, policy=policy, subject=books.account_id)

    async def told() -> list[int]:
        async with books.db.tenant_tx(books.account_id) as tx:
            lines = await audit.list_events(tx, books.account_id, audit.AuditFilter(event="budget.warning"))
        return [line.detail["percent"] for line in reversed(lines)]

    await drain(books, demand, 400)
    assert await told() == []
    await drain(books, demand, 150)
    assert await told() == [50]
    await drain(books, demand, 100)
    await drain(books, demand, 100)
    assert await told() == [50]
    await drain(books, demand, 200)
    assert await told() == [50, 80]
    raised = of(demand, cap=2000)
    await drain(books, raised, 100)
    assert (await books.meter(raised))["warned"] in (47, 50)
    await drain(books, raised, 700)
    assert (await told())[2:] in ([50, 80], [80])


# ── what others have left ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("COST-03", "COST-11")
async def test_the_sweep_settles_steps_that_have_ended_and_releases_what_nobody_runs(books: Books) -> None:
    demand = budget(10_000, 1000)
    done, gone, ended, runs = [await books.turn() for _ in range(4)]
    for turn in (done, gone, ended, runs):
        assert await books.reserve(turn, 1, [demand])
    await books.step(done, 1, 300)
    await books.step(gone, 1, 0, state="running")
    await books.take_over(gone)
    await books.end(ended, "failed")
    await books.step(runs, 1, 0, state="running")

    assert await meters.sweep(books.db, 3600) == meters.Swept()
    assert await meters.sweep(books.db, 0) == meters.Swept(settled=1, released=2)
    assert await books.stand(demand) == (300, 1000)
    assert not await meters.settle(books.db, done, 1, cost_micro=300, tokens=0), "the sweep was first"
    await books.end(runs)
    assert (await meters.sweep(books.db, 0)).released == 1
    assert await books.stand(demand) == (300, 0)


async def test_a_step_that_ended_in_a_later_attempt_does_not_settle_an_earlier_one(books: Books) -> None:
    turn, demand = await books.turn(), budget(1000, 400)
    await books.reserve(turn, 1, [demand])
    taken = await books.take_over(turn)
    await books.step(taken, 1, 77)
    assert await meters.sweep(books.db, 0) == meters.Swept(released=1)
    assert await books.stand(demand) == (0, 0)


async def test_settling_never_raises(books: Books) -> None:
    turn = await books.turn()
    await books.reserve(turn, 1, [budget(1000, 400)])
    await books.db.close()
    assert await meters.settle(books.db, turn, 1, cost_micro=1, tokens=1) is False
    assert await meters.release(books.db, turn, 1) is False


async def test_what_has_served_its_time_is_pruned_and_nothing_else(books: Books) -> None:
    now = datetime.now(UTC)
    turn, other = await books.turn(), await books.turn()
    policy = await books.policy({"type": "cost_limit", "limit_micro": 100})
    kept = [budget(100, 5, policy=policy), bucket(1000, 500, per_second=1), meters.own_cap(turn, 100, 5)]
    old = now - timedelta(days=2)
    over = of(budget(100, 5, starts=old, ends=old), kind="window", unit="calls")
    full = bucket(1000, 0, per_second=1)
    assert await books.reserve(turn, 1, kept)
    assert await books.reserve(other, 1, [over, full, meters.own_cap(other, 100, 5), budget(100, 5)])
    await meters.release(books.db, other, 1)
    async with books.db.tenant_tx(books.account_id) as tx:
        await tx.execute(
            "update interaction set state = 'succeeded', ended_at = $3 where account_id = $1 and id = $2",
            books.account_id, other.interaction_id, old,
        )  # fmt: skip
        await tx.execute(
            "update reservation set created_at = $2 where account_id = $1 and state = 'released'", books.account_id, old
        )
    async with books.db.system_tx() as tx:
        assert await meters.prune(tx) == 5
    assert [(await books.stand(one))[1] for one in kept] == [5, 500, 5]

"""What was answered is spent, whatever becomes of the turn that asked."""

import asyncio
from typing import Any

import pytest

from retinue import errors
from retinue.domain import ids
from retinue.domain.models import ModelReply, ModelRequest
from retinue.store import meters, turns
from tests.turn.conftest import Answer, Lab, call, calls, node

BUDGET = {"type": "cost_limit", "per": "account", "period": "day", "limit_micro": 10_000}


async def budgeted(lab: Lab) -> None:
    await lab.configure(
        "insert into policy (account_id, id, layer, name, type, rule) "
        "values ($1, $2, 'account', 'Daily', 'cost_limit', $3)",
        ids.new(), BUDGET,
    )  # fmt: skip


def taken_over(lab: Lab, answer: "str | ModelReply") -> Any:
    """A model that answers after another node has taken the turn."""

    async def asked(request: ModelRequest) -> Answer:
        await lab.configure("update interaction set attempt = attempt + 1 where account_id = $1")
        return answer

    return asked


@pytest.mark.requirement("COST-09", "COST-11")
@pytest.mark.parametrize("answer", ["late", calls(call("nothing"))], ids=["a reply", "calls"])
async def test_an_answer_that_is_fenced_off_is_spent_all_the_same(lab: Lab, answer: "str | ModelReply") -> None:
    await budgeted(lab)
    lab.models.script = [taken_over(lab, answer)]
    async with node(lab):
        started = await lab.say()
        await until_settled(lab)
        seen, steps, _ = await lab.rows(started)
    assert (seen.state, seen.attempt, seen.cost_micro) == ("running", 2, 0)
    assert [step.state for step in steps] == ["running"], "nothing of it was written"


async def until_settled(lab: Lab) -> None:
    """One answer is spent and nothing is reserved."""
    async with asyncio.timeout(8):
        while not await lab.fetch("select 1 from meter where account_id = $1 and spent = 100 and reserved = 0"):
            await asyncio.sleep(0.02)


@pytest.mark.requirement("COST-11")
async def test_a_call_that_is_cut_off_is_counted_by_estimate_and_one_that_failed_at_once_is_not(lab: Lab) -> None:
    await budgeted(lab)
    began, never = asyncio.Event(), asyncio.Event()

    async def hangs(request: ModelRequest) -> Answer:
        lab.models.worst = 70
        began.set()
        await never.wait()
        return ""

    lab.models.script = [errors.ModelPermanent("No."), hangs]
    async with node(lab):
        assert (await lab.ask()).state == "failed"
        assert await metered(lab) == {(0, 0)}
        started = await lab.say()
        await asyncio.wait_for(began.wait(), 8)
        assert await metered(lab) == {(0, 500)}
        await turns.cancel(lab.db, lab.account, started, "cancelled")
        assert (await lab.until(started)).state == "cancelled"
        assert await metered(lab) == {(70, 0)}


async def metered(lab: Lab) -> set[tuple[int, int]]:
    """What is spent and what is reserved."""
    rows = await lab.fetch("select spent, reserved from meter where account_id = $1")
    return {(row["spent"], row["reserved"]) for row in rows}


@pytest.mark.requirement("COST-03", "COST-11")
async def test_a_worker_settles_what_a_process_that_is_gone_has_left(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    await budgeted(lab)
    monkeypatch.setattr("retinue.worker.SETTLE_SECONDS", 0.05)

    async def forgets(*_: Any, **__: Any) -> bool:
        return False

    monkeypatch.setattr(meters, "settle", forgets)
    async with node(lab):
        assert (await lab.ask()).state == "succeeded"
        await until_settled(lab)

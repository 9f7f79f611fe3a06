"""Failures: retried, made visible, set aside; cancelled from anywhere; handed over."""

from datetime import timedelta

import pytest

from retinue import errors
from retinue.domain.models import ModelReply, TextPart
from retinue.store import turns
from retinue.store.turns import Fence
from retinue.turn import loop
from tests.turn.conftest import Lab, call, calls, node
from tests.turn.test_new_input import Slow


@pytest.mark.requirement("DUR-05")
async def test_a_transient_failure_is_tried_again_and_the_reply_is_one(running: Lab) -> None:
    running.models.script = [errors.ModelTransient("busy"), errors.ModelTransient("busy", retry_after=0.05), "at last"]
    ended = await running.ask()
    assert (ended.state, ended.retries, ended.attempt) == ("succeeded", 2, 3)
    assert await running.replies() == ["at last"]
    lines = await running.fetch("select detail from audit_event where account_id = $1 and event = 'turn.retry'")
    assert [line["detail"]["error"] for line in lines] == ["model_unavailable"] * 2


@pytest.mark.requirement("AUD-17")
async def test_what_keeps_failing_becomes_a_dead_letter_that_a_person_can_retry(running: Lab) -> None:
    running.models.script = [errors.ModelTransient("busy")] * 6
    ended = await running.ask()
    assert (ended.state, ended.dead_letter, ended.error, ended.error_detail) == (
        "failed",
        True,
        "model_unavailable",
        "busy",
    )
    assert await running.replies() == []
    lines = await running.fetch("select detail from audit_event where account_id = $1 and event = 'agent_turn'")
    assert lines[0]["detail"]["dead_letter"] is True
    await turns.retry(running.db, running.account, ended.id)
    again = await running.until(ended.id, "succeeded")
    assert not again.dead_letter
    assert await running.replies() == ["done"]


async def test_a_permanent_failure_is_not_retried_and_says_what_happened(running: Lab) -> None:
    running.models.script = [errors.ModelPermanent("The key was refused (401).")]
    ended = await running.ask()
    assert (ended.state, ended.error, ended.error_detail) == ("failed", "model_refused", "The key was refused (401).")
    assert len(running.models.requests) == 1
    assert (await running.ask()).state == "succeeded"


async def test_only_a_failed_turn_can_be_retried(running: Lab) -> None:
    ended = await running.ask()
    with pytest.raises(errors.WrongState):
        await turns.retry(running.db, running.account, ended.id)


async def test_a_bug_is_retried_and_then_set_aside_without_its_words(running: Lab) -> None:
    running.models.script = [KeyError("sk-secret-value")] * 9
    ended = await running.ask()
    assert (ended.state, ended.error, ended.dead_letter) == ("failed", "internal_error", True)
    assert "secret" not in (ended.error_detail or "")


async def test_a_context_that_is_too_long_is_shortened(running: Lab) -> None:
    for n in range(6):
        await running.ask(f"m{n}")
    before = len(running.models.requests)
    running.models.script = [errors.ContextTooLong("too long"), errors.ContextTooLong("too long"), "short enough"]
    assert (await running.ask("last")).state == "succeeded"
    sizes = [len(request.messages) for request in running.models.requests[before:]]
    assert sizes == [13, 7, 4]


async def test_a_context_that_is_too_long_for_any_shortening_fails_clearly(running: Lab) -> None:
    running.models.script = [errors.ContextTooLong("This message is too long for the model.")] * 20
    ended = await running.ask("enormous")
    assert (ended.state, ended.error) == ("failed", "context_too_long")


@pytest.mark.requirement("DUR-14")
async def test_cancel_stops_a_model_call_at_once_and_the_thread_goes_on(running: Lab) -> None:
    slow = Slow("never said")
    running.models.script = [slow]
    interaction_id = await running.say()
    await slow.begun.wait()
    assert await turns.cancel(running.db, running.account, interaction_id) == "running"
    ended = await running.until(interaction_id)
    assert (ended.state, ended.stop_reason) == ("cancelled", "cancelled")
    assert await running.replies() == []
    assert (await running.ask("and now?")).state == "succeeded"


async def test_cancel_works_in_every_state_and_the_thread_takes_new_input(lab: Lab) -> None:
    queued = await lab.say("queued, no node")
    assert await turns.cancel(lab.db, lab.account, queued) == "cancelled"
    assert await turns.cancel(lab.db, lab.account, queued) == "cancelled"
    async with node(lab):
        assert (await lab.ask("new")).state == "succeeded"
    assert await lab.replies() == ["done"]


async def test_a_fenced_writer_is_refused_everywhere(running: Lab) -> None:
    slow = Slow("late")
    running.models.script = [slow, "the other's"]
    interaction_id = await running.say()
    await slow.begun.wait()
    assert running.engine is not None
    held = running.engine.running[interaction_id].fence
    # another node takes it over through the same queue entry, as after a missed heartbeat
    [row] = await running.fetch("select job_id from interaction where account_id = $1 and id = $2", interaction_id)
    await loop.run(running.engine, running.account, interaction_id, row["job_id"])
    slow.go.set()
    assert (await running.until(interaction_id)).state == "succeeded"
    assert await running.replies() == ["the other's"]
    for write in (
        turns.begin_acts(running.db, held, [1]),
        turns.suspend(running.db, held),
        turns.finish(running.db, held, {}),
        turns.release(running.db, held, delay=timedelta(0), retry=False, error=None, detail=None),
        turns.begin_think(running.db, held, seq=3, known=0, results=None, after=None),
    ):
        with pytest.raises(errors.Fenced):
            await write


async def test_a_claim_by_another_queue_entry_finds_nothing_to_do(running: Lab) -> None:
    slow = Slow("a")
    running.models.script = [slow]
    interaction_id = await running.say()
    await slow.begun.wait()
    assert running.engine is not None
    claimed = await turns.claim(running.db, running.account, interaction_id, running.engine.node_id, 10**9)
    assert claimed.status == "gone"
    slow.go.set()
    assert (await running.until(interaction_id)).attempt == 1


@pytest.mark.requirement("DUR-13")
async def test_a_node_that_stops_hands_its_turns_over(lab: Lab) -> None:
    slow = Slow("never")
    lab.models.script = [slow, "from the next node"]
    async with node(lab):
        interaction_id = await lab.say()
        await slow.begun.wait()
    [row] = await lab.fetch("select state, retries from interaction where account_id = $1")
    assert (row["state"], row["retries"]) == ("queued", 0)
    async with node(lab):
        ended = await lab.until(interaction_id)
    assert (ended.state, ended.attempt) == ("succeeded", 2)
    assert await lab.replies() == ["from the next node"]


@pytest.mark.requirement("DUR-11")
async def test_a_turn_whose_queue_entry_was_lost_is_found_again(lab: Lab) -> None:
    interaction_id = await lab.say()
    async with lab.db.system_tx() as tx:
        await tx.execute("delete from queue.pgqueuer")
    await lab.configure("update interaction set created_at = clock() - interval '1 minute' where account_id = $1")
    async with lab.db.system_tx() as tx:
        assert await tx.fetchval("select sweep_v1()") == 1
        assert await tx.fetchval("select sweep_v1()") == 0
    async with node(lab):
        assert (await lab.until(interaction_id)).state == "succeeded"


async def test_an_empty_reply_of_tools_alone_never_loses_the_last_words(running: Lab) -> None:
    running.models.script = [calls(call("nothing"), text="Let me look."), "Found it."]
    await running.ask()
    assert await running.replies() == ["Found it."]


async def test_a_poisoned_turn_is_set_aside(lab: Lab) -> None:
    interaction_id = await lab.say()
    await lab.configure(
        "update interaction set attempt = $3 where account_id = $1 and id = $2", interaction_id, loop.TAKEOVERS + 1
    )
    async with node(lab):
        ended = await lab.until(interaction_id)
    assert (ended.state, ended.error, ended.dead_letter) == ("failed", "poisoned", True)


async def test_structured_answers_reach_the_reply(running: Lab) -> None:
    running.models.script = [
        ModelReply(
            model="m",
            provider="p",
            text='{"a": 1}',
            structured={"a": 1},
            parts=(TextPart(text='{"a": 1}'),),
            cost_micro=0,
        )
    ]
    assert (await running.ask()).state == "succeeded"


def test_a_fence_names_account_interaction_and_attempt() -> None:
    from retinue.domain import ids

    account, interaction = ids.new(), ids.new()
    assert Fence(account_id=account, interaction_id=interaction, attempt=3).args() == (account, interaction, 3)


async def test_a_turn_that_cannot_be_taken_up_is_set_aside_and_the_others_go_on(lab: Lab) -> None:
    broken = await lab.say("broken")
    await lab.configure("update interaction set options = '[]' where account_id = $1 and id = $2", broken)
    async with node(lab):
        ended = await lab.until(broken)
        assert (ended.state, ended.error, ended.dead_letter) == ("failed", "internal_error", True)
        assert (await lab.ask("whole")).state == "succeeded"

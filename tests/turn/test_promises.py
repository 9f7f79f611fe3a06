"""Promises of the engine that no other file proves: modes, replays, upgrades, one path for every source."""

import asyncio
from datetime import timedelta

import pytest

from retinue import errors
from retinue.domain.agents import CapabilityLevel
from retinue.domain.models import ModelReply, ModelRequest
from retinue.domain.tools import Effect
from retinue.domain.turns import StepState
from retinue.store import turns
from retinue.tools.registry import Context, tool
from retinue.turn import live
from tests.turn.conftest import Lab, call, calls, node
from tests.turn.test_new_input import Slow

sent: list[str] = []


@tool(effect=Effect.EXTERNAL_ONCE)
async def call_home(ctx: Context) -> str:
    """Call home, and never know."""
    sent.append(ctx.call.idempotency_key)
    raise errors.ToolOutcomeUnknown("The line went dead.")


@pytest.mark.requirement("TRG-01", "PRN-05")
@pytest.mark.parametrize("source", ["message", "webhook", "schedule", "callback", "internal", "api"])
async def test_every_source_takes_the_same_path(running: Lab, source: str) -> None:
    ended = await running.ask("hello", source_type=source, idempotency_key=f"{source}-1")
    assert ended.state == "succeeded"
    assert [step.kind for step in await running.steps(ended.id)] == ["think", "respond"]


@pytest.mark.requirement("AGT-14", "AGT-13")
async def test_steps_are_immediate_and_end_as_success_or_failed(running: Lab) -> None:
    running.models.script = [calls(call("nothing"))]
    ended = await running.ask()
    steps = await running.steps(ended.id)
    assert {step.mode for step in steps} == {"immediate"}
    assert {step.state for step in steps} == {StepState.SUCCESS, StepState.FAILED}
    assert [state.value for state in StepState][:2] == ["created", "running"]


@pytest.mark.requirement("COST-13", "AGT-12")
async def test_a_step_that_is_run_again_is_paid_for_once(running: Lab) -> None:
    slow = Slow("late")
    running.models.script = [slow, "the successor's"]
    interaction_id = await running.say()
    await slow.begun.wait()
    assert running.engine is not None
    held = running.engine.running[interaction_id].fence
    await turns.release(running.db, held, delay=timedelta(0), retry=False, error=None, detail=None)
    await running.until(interaction_id)
    slow.go.set()
    events = await running.fetch("select step_seq from token_event where account_id = $1")
    assert [row["step_seq"] for row in events] == [1]
    [total] = await running.fetch("select sum(model_calls) as calls, sum(interactions) as turns from usage_counter "
                                  "where account_id = $1")  # fmt: skip
    assert (total["calls"], total["turns"]) == (1, 1)


@pytest.mark.requirement("DUR-15", "DUR-16", "DUR-12", "AGT-19")
async def test_a_turn_that_waits_across_a_restart_and_an_edit_goes_on_as_it_began(lab: Lab) -> None:
    sent.clear()
    await lab.give("call_home")
    lab.models.script = [calls(call("call_home"))]
    async with node(lab, [call_home]):
        interaction_id = await lab.say()
        before = await lab.until(interaction_id, "waiting")
    await lab.configure("update agent set system_prompt = 'Other.' where account_id = $1")
    wait = (await lab.rows(interaction_id))[2][0]
    async with node(lab, [call_home]):
        await turns.resolve_wait(lab.db, lab.account, wait.id, lab.world.owner.id, {"happened": True})
        after = await lab.until(interaction_id)
    assert (after.state, after.config_hash) == ("succeeded", before.config_hash)
    assert "Other." not in lab.models.requests[-1].system
    assert len(sent) == 1


@pytest.mark.requirement("DUR-15")
async def test_the_functions_that_nodes_call_name_their_version(lab: Lab) -> None:
    rows = await lab.fetch(
        "select proname from pg_proc where pronamespace = 'retinue'::regnamespace and $1::uuid is not null "
        "and prorettype <> 'trigger'::regtype"
    )
    unversioned = {row["proname"] for row in rows if not row["proname"].rpartition("_")[2].startswith("v")}
    assert unversioned <= {"clock", "current_account", "mode_rank", "new_id"}


@pytest.mark.requirement("PRN-15")
async def test_readers_see_a_change_as_soon_as_it_is_committed_and_not_before(running: Lab) -> None:
    assert running.hub is not None
    with running.hub.account(running.account) as news:
        await running.ask()
        heard = set[str]()
        async with asyncio.timeout(5):
            while not {"thinking", "channel", "interaction"} <= heard:
                heard.add((await news.get()).topic)
    assert await running.replies() == ["done"]


@pytest.mark.requirement("AGT-20")
def test_the_capability_levels_are_those_of_the_specification() -> None:
    assert [level.value for level in CapabilityLevel] == ["tools_only", "workflow", "experimental", "learning"]


@pytest.mark.requirement("AGT-25")
async def test_words_beside_a_call_for_a_tool_are_in_the_stream_however_quick_the_model_is(running: Lab) -> None:
    async def speak(_request: ModelRequest) -> ModelReply:
        return calls(call("nothing"), text="Let me look.")

    running.models.script = [speak]
    assert running.hub is not None
    interaction_id = await running.say()
    told = [one async for one in live.follow(running.db, running.hub, running.account, interaction_id) if one]
    assert "Let me look." in "".join(one.data["text"] for one in told if one.event == "delta")

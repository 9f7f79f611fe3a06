"""Tools in a turn: effects, mixes, order, refusals, and what a person says when nobody knows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from retinue import errors
from retinue.domain.agents import TrustLevel
from retinue.domain.tools import Effect
from retinue.domain.turns import StepState
from retinue.store import turns
from retinue.tools.registry import Context, tool
from tests.turn.conftest import Lab, call, calls, node

done: list[tuple[str, str]] = []
"""What the outside has seen: (tool, idempotency key)."""
gates: dict[str, asyncio.Event] = {}


@tool(effect=Effect.READ)
async def look(ctx: Context, word: str = "") -> str:
    """Look at something.

    Args:
        word: what to look at
    """
    return f"saw {word}"


@tool(effect=Effect.WRITE)
async def note(ctx: Context, text: str) -> str:
    """Write a note.

    Args:
        text: the note
    """
    await ctx.data.execute(
        "update account set settings = settings || "
        "jsonb_build_object('notes', coalesce((settings->>'notes')::int, 0) + 1) where id = $1",
        ctx.call.account_id,
    )
    if text == "break":
        raise errors.ToolError("The pen broke.", code="pen_broke")
    return "noted"


@tool(effect=Effect.EXTERNAL_KEYED)
async def send_keyed(ctx: Context, to: str) -> str:
    """Send with a key.

    Args:
        to: the receiver
    """
    done.append(("send_keyed", ctx.call.idempotency_key))
    return "sent"


@tool(effect=Effect.EXTERNAL_ONCE)
async def send_once(ctx: Context, to: str) -> str:
    """Send once.

    Args:
        to: the receiver
    """
    done.append(("send_once", ctx.call.idempotency_key))
    if to == "nowhere":
        raise errors.ToolOutcomeUnknown("The line went dead.")
    return "sent"


@tool(effect=Effect.READ)
async def flaky(ctx: Context) -> str:
    """Fail twice, then work."""
    done.append(("flaky", ctx.call.idempotency_key))
    if len(done) < 3:
        raise errors.ToolTransient("Not now.")
    return "at last"


@tool(effect=Effect.READ)
async def broken(ctx: Context) -> str:
    """Always fail."""
    raise errors.ToolError("It is broken.", code="broken")


@tool(effect=Effect.READ, trust=TrustLevel.ADMIN)
async def secret_door(ctx: Context) -> str:
    """Only for admins."""
    done.append(("secret_door", ""))
    return "open"


@tool(effect=Effect.READ)
async def meet(ctx: Context, name: str) -> str:
    """Wait until somebody else is here too.

    Args:
        name: who waits
    """
    gates.setdefault(name, asyncio.Event()).set()
    other = gates.setdefault("b" if name == "a" else "a", asyncio.Event())
    async with asyncio.timeout(5):
        await other.wait()
    return f"{name} met"


TOOLS = (look, note, send_keyed, send_once, flaky, broken, secret_door, meet)


@pytest.fixture
async def crew(lab: Lab) -> AsyncIterator[Lab]:
    done.clear()
    gates.clear()
    await lab.give(*(one.spec.slug for one in TOOLS))
    async with node(lab, TOOLS):
        yield lab


def results(lab: Lab, request: int = -1) -> list[dict[str, Any]]:
    """The tool results the model was given, in order."""
    return [
        {"tool": part.tool_name, "result": part.result, "ok": part.ok}
        for message in lab.models.requests[request].messages
        for part in message.parts
        if part.kind == "tool-result"
    ]


@pytest.mark.requirement("TOOL-18", "AGT-16", "THR-08", "THR-23", "DUR-09")
async def test_calls_of_every_effect_run_and_their_results_come_in_the_models_order(crew: Lab) -> None:
    crew.models.script = [
        calls(call("note", text="x"), call("look", word="tree"), call("broken"), call("send_keyed", to="a"))
    ]
    ended = await crew.ask()
    assert ended.state == "succeeded"
    assert [one["tool"] for one in results(crew)] == ["note", "look", "broken", "send_keyed"]
    assert [one["ok"] for one in results(crew)] == [True, True, False, True]
    assert results(crew)[2]["result"] == {"error": "broken", "detail": "It is broken."}
    steps = await crew.steps(ended.id)
    assert [s.kind for s in steps] == ["think", "act", "act", "act", "act", "think", "respond"]
    audited = await crew.fetch(
        "select detail->>'tool' as tool from audit_event where account_id = $1 and event = 'tool.call' order by id"
    )
    assert sorted(row["tool"] for row in audited) == ["broken", "look", "note", "send_keyed"]


async def test_the_calls_of_one_response_run_at_the_same_time(crew: Lab) -> None:
    crew.models.script = [calls(call("meet", name="a"), call("meet", name="b"))]
    await crew.ask()
    assert [one["result"] for one in results(crew)] == ["a met", "b met"]


@pytest.mark.requirement("AUD-14", "TOOL-19")
async def test_a_write_that_fails_leaves_nothing_behind(crew: Lab) -> None:
    crew.models.script = [calls(call("note", text="ok"), call("note", text="break"))]
    await crew.ask()
    [row] = await crew.fetch("select settings->>'notes' as notes from account where id = $1")
    assert row["notes"] == "1"
    assert [one["ok"] for one in results(crew)] == [True, False]


@pytest.mark.requirement("PRN-08", "DUR-05")
async def test_a_tool_that_fails_for_the_moment_is_tried_again_unseen(crew: Lab) -> None:
    crew.models.script = [calls(call("flaky"))]
    await crew.ask()
    assert results(crew) == [{"tool": "flaky", "result": "at last", "ok": True}]
    assert len({key for _, key in done}) == 1


@pytest.mark.requirement("TOOL-03", "TOOL-09", "AUD-07", "CON-09")
async def test_what_is_refused_never_runs_and_says_why(crew: Lab) -> None:
    crew.models.script = [
        calls(
            call("secret_door"),
            call("no_such_tool"),
            call("look", nonsense=1),
            call("look").model_copy(update={"malformed": "{oops"}),
            call("look", word="fine"),
        )
    ]
    ended = await crew.ask()
    assert [one["ok"] for one in results(crew)] == [False, False, False, False, True]
    reasons = [one["result"]["error"] for one in results(crew)[:4]]
    assert reasons == ["admin_not_granted", "unknown_tool", "invalid_arguments", "invalid_arguments"]
    assert done == []
    denied = await crew.fetch(
        "select detail->>'error' as reason from audit_event where account_id = $1 and event = 'policy.denied' "
        "order by id"
    )
    assert {row["reason"] for row in denied} == {"admin_not_granted", "unknown_tool", "invalid_arguments"}
    assert [s.error for s in await crew.steps(ended.id) if s.kind == "act"][:2] == ["admin_not_granted", "unknown_tool"]


async def test_a_tool_may_be_called_so_often_and_no_more(crew: Lab) -> None:
    await crew.configure("update agent set limits = '{\"max_calls_per_tool\": 2}' where account_id = $1")
    crew.models.script = [calls(call("look"), call("look"), call("look")), calls(call("look"))]
    await crew.ask()
    assert [one["ok"] for one in results(crew)] == [True, True, False, False]
    assert results(crew)[2]["result"]["error"] == "call_limit"


@pytest.mark.requirement("TOOL-11")
async def test_a_disabled_tool_is_not_offered_and_does_not_run(crew: Lab) -> None:
    await crew.configure("update agent_tool set enabled = false where account_id = $1 and tool = 'look'")
    crew.models.script = [calls(call("look"))]
    await crew.ask()
    assert "look" not in [spec.slug for spec in crew.models.requests[0].tools]
    assert results(crew)[0]["result"]["error"] == "unknown_tool"


@pytest.mark.requirement("AGT-21", "AGT-22", "TOOL-20")
async def test_a_turn_at_its_step_limit_still_replies_and_says_so(crew: Lab) -> None:
    await crew.configure("update agent set limits = '{\"max_steps\": 3}' where account_id = $1")
    crew.models.script = [calls(call("look"), text=f"try {n}") for n in range(9)]
    ended = await crew.ask()
    assert (ended.state, ended.stop_reason) == ("succeeded", "step_limit")
    assert (await crew.replies())[0].startswith("try 2\n\nI stopped here because this turn reached its limit of steps.")
    assert len(crew.models.requests) == 3


@pytest.mark.requirement("DUR-08")
async def test_an_unknown_outcome_becomes_a_question_and_a_yes_goes_on(crew: Lab) -> None:
    crew.models.script = [calls(call("send_once", to="nowhere"), call("look", word="x"))]
    interaction_id = await crew.say()
    waiting = await crew.until(interaction_id, "waiting")
    _, steps, [wait] = await crew.rows(interaction_id)
    assert (wait.kind, wait.state, wait.tool, wait.step_seq) == ("outcome", "open", "send_once", 2)
    assert wait.arguments_hash
    assert steps[1].state is StepState.UNKNOWN
    assert steps[2].state is StepState.SUCCESS
    assert waiting.attempt == 1
    await turns.resolve_wait(
        crew.db, crew.account, wait.id, crew.world.owner.id, {"happened": True, "result": {"id": 7}}
    )
    assert (await crew.until(interaction_id)).state == "succeeded"
    assert results(crew)[0] == {"tool": "send_once", "result": {"id": 7}, "ok": True}
    assert len(done) == 1


@pytest.mark.parametrize(("retry", "sent", "ok"), [(True, 2, False), (False, 1, False)])
async def test_a_no_runs_it_again_only_when_the_person_says_so(crew: Lab, retry: bool, sent: int, ok: bool) -> None:
    crew.models.script = [calls(call("send_once", to="nowhere"))]
    interaction_id = await crew.say()
    await crew.until(interaction_id, "waiting")
    wait = (await crew.rows(interaction_id))[2][0]
    await turns.resolve_wait(crew.db, crew.account, wait.id, crew.world.owner.id, {"happened": False, "retry": retry})
    if retry:  # it goes dark again: asked again, answered for good
        async with asyncio.timeout(5):
            while len((await crew.rows(interaction_id))[2]) < 2:
                await asyncio.sleep(0.01)
        await crew.until(interaction_id, "waiting")
        second = (await crew.rows(interaction_id))[2][1]
        await turns.resolve_wait(
            crew.db, crew.account, second.id, crew.world.owner.id, {"happened": False, "retry": False}
        )
    assert (await crew.until(interaction_id)).state == "succeeded"
    assert len(done) == sent
    assert results(crew)[0]["ok"] is ok
    assert results(crew)[0]["result"]["error"] == "did_not_happen"


async def test_a_question_is_answered_once(crew: Lab) -> None:
    crew.models.script = [calls(call("send_once", to="nowhere"))]
    interaction_id = await crew.say()
    await crew.until(interaction_id, "waiting")
    wait = (await crew.rows(interaction_id))[2][0]

    async def answer() -> str:
        try:
            await turns.resolve_wait(crew.db, crew.account, wait.id, crew.world.owner.id, {"happened": True})
        except errors.WrongState:
            return "refused"
        return "taken"

    said = await asyncio.gather(*(answer() for _ in range(8)))
    assert sorted(said) == ["refused"] * 7 + ["taken"]
    assert (await crew.until(interaction_id)).state == "succeeded"


async def test_new_input_while_a_turn_waits_gets_a_turn_of_its_own(crew: Lab) -> None:
    crew.models.script = [calls(call("send_once", to="nowhere")), "second answer"]
    first = await crew.say("one")
    await crew.until(first, "waiting")
    second = await crew.ask("two")
    assert (second.id != first, second.state) == (True, "succeeded")
    assert (await crew.rows(first))[0].state == "waiting"
    [unanswered] = results(crew)
    assert (unanswered["ok"], unanswered["result"]["error"]) == (False, "no_result")

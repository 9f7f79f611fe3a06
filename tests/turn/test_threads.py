"""Threads as a Python API: create, continue, save, generate, stream, give objects, remember."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from retinue import errors
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Principal, Role
from retinue.domain.messages import NewThread, ThreadMessage
from retinue.domain.models import CallPart, ModelReply, TextPart
from retinue.turn import context, threads
from retinue.turn.live import Hub
from retinue.turn.threads import Handle
from tests.turn.conftest import Lab, call, calls


@dataclass
class Parts:
    db: Database
    hub: Hub


def parts(lab: Lab) -> Parts:
    assert lab.hub is not None
    return Parts(lab.db, lab.hub)


def owner(lab: Lab) -> Principal:
    return Principal(account_id=lab.account, user_id=lab.world.owner.id, role=Role.OWNER)


async def open_thread(lab: Lab, **fields: Any) -> Handle:
    return await threads.create(parts(lab), owner(lab), NewThread(agent_id=lab.world.agent.id, **fields))


def words(lab: Lab, request: int = -1) -> list[str]:
    return [
        part.text for message in lab.models.requests[request].messages for part in message.parts if part.kind == "text"
    ]


@pytest.mark.requirement("THR-01", "THR-02", "THR-04", "THR-05")
async def test_a_thread_is_made_generates_and_goes_on_with_its_whole_history(running: Lab) -> None:
    running.models.script = ["One.", "Two."]
    handle = await open_thread(running, title="Plan", summary="About plans")
    assert (handle.thread.title, handle.thread.summary) == ("Plan", "About plans")
    assert (await handle.generate_text("first")).text == "One."
    again = await threads.resume(parts(running), owner(running), handle.id)
    said = await again.generate_text("second")
    assert (said.text, said.state) == ("Two.", "succeeded")
    assert words(running) == ["Owner: first", "One.", "Owner: second"]
    assert await running.fetch("select 1 from message where account_id = $1") == []


@pytest.mark.requirement("THR-06", "THR-07", "THR-21", "THR-22")
async def test_an_action_called_again_with_the_same_message_answers_the_same(running: Lab) -> None:
    running.models.script = ["Only once."]
    handle = await open_thread(running)
    saved = await handle.save("Please answer.")
    assert running.models.requests == []
    action = threads.as_text_action(parts(running), owner(running))
    first, second = await asyncio.gather(*(action(thread_id=handle.id, prompt_message_id=saved) for _ in range(2)))
    third = await action(thread_id=handle.id, prompt_message_id=saved)
    assert first == second == third
    assert first.text == "Only once."
    assert len(running.models.requests) == 1
    rows = await running.fetch(
        "select role, text from thread_message where account_id = $1 and thread_id = $2 order by seq", handle.id
    )
    assert [(row["role"], row["text"]) for row in rows] == [("user", "Please answer."), ("assistant", "Only once.")]


@pytest.mark.requirement("THR-22", "THR-05")
async def test_the_stop_condition_tightens_the_agents_limit(running: Lab) -> None:
    running.models.script = [calls(call("nothing"), text=str(n)) for n in range(20)]
    handle = await open_thread(running)
    done = await handle.generate_text("go", max_steps=2)
    assert done.text.startswith("1\n\nI stopped here")
    assert len(running.models.requests) == 2
    assert threads.ACTION_STEPS == 10


@pytest.mark.requirement("THR-05", "LLM-10")
async def test_an_object_fits_its_schema_or_an_error_says_so(running: Lab) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    running.models.script = [
        ModelReply(model="m", provider="p", text="", structured={"n": 3}, parts=(TextPart(text="{}"),), cost_micro=0)
    ]
    handle = await open_thread(running)
    assert await handle.generate_object(schema, "how many?") == {"n": 3}
    assert running.models.requests[0].output_schema == schema
    running.models.script = [errors.ModelPermanent("No object.")]
    with pytest.raises(errors.ModelMalformed, match="No object"):
        await handle.generate_object(schema, "again")


@pytest.mark.requirement("THR-05", "AGT-25")
async def test_streamed_text_is_the_whole_text(running: Lab) -> None:
    running.models.script = ["A longer answer."]
    handle = await open_thread(running)
    assert "".join([piece async for piece in handle.stream_text("go")]) == "A longer answer."


@pytest.mark.requirement("THR-03", "CON-74")
async def test_the_system_can_own_a_thread(running: Lab) -> None:
    handle = await open_thread(running, context="nightly")
    assert handle.thread.owner == "system:assistant:nightly"
    posted = await running.post()
    await running.until(posted.interactions[0].id)
    rows = await running.fetch(
        "select owner from thread where account_id = $1 and owner like 'system:assistant:%' "
        "and owner not like '%nightly'"
    )
    assert rows[0]["owner"] == f"system:assistant:{running.world.private_channel.id}"


async def test_a_channels_thread_is_spoken_to_in_the_channel(running: Lab) -> None:
    ended = await running.ask()
    handle = await threads.resume(parts(running), owner(running), ended.thread_id)
    with pytest.raises(errors.WrongState, match="channel"):
        await handle.generate_text("hello")


async def test_turns_of_one_thread_come_in_order_and_read_only_their_own_input(running: Lab) -> None:
    running.models.script = ["a1", "a2", "a3"]
    handle = await open_thread(running)
    done = await asyncio.gather(*(handle.generate_text(f"m{n}") for n in range(3)))
    assert sorted(one.text for one in done) == ["a1", "a2", "a3"]
    for number, request in enumerate(running.models.requests):
        texts = [part.text for message in request.messages for part in message.parts if part.kind == "text"]
        assert len(texts) == 2 * number + 1
        asked = [text.startswith("Owner: m") for text in texts]
        assert (asked.count(True), asked[-1]) == (number + 1, True)


@pytest.mark.requirement("THR-10")
async def test_recent_messages_bound_what_the_model_sees(running: Lab) -> None:
    handle = await open_thread(running)
    for n in range(5):
        await handle.save(f"old {n}")
    await handle.generate_text("now", recent_messages=3)
    assert words(running) == ["Owner: old 3", "Owner: old 4", "Owner: now"]


@pytest.mark.requirement("THR-11", "THR-12", "THR-13", "THR-14", "THR-28", "CON-70")
async def test_an_agent_that_may_search_is_given_what_it_said_elsewhere(running: Lab) -> None:
    other = await open_thread(running)
    for text in ("before", "the blue harbour is closed", "after"):
        await other.save(text)
    handle = await open_thread(running)
    await handle.generate_text("harbour", search_other_threads=True)
    first = running.models.requests[-1].messages[0]
    assert first.role == "system"
    note = words(running)[0]
    assert [line.split(": ")[1] for line in note.splitlines()[1:]] == ["before", "the blue harbour is closed", "after"]
    await handle.generate_text("harbour", search_other_threads=False)
    assert running.models.requests[-1].messages[0].role == "user"


@pytest.mark.requirement("THR-15", "THR-13")
async def test_a_context_handler_that_fails_is_left_out(running: Lab) -> None:
    async def broken(_engine: Any, _turn: Any, _messages: Any) -> Any:
        raise RuntimeError("no memory")

    async def add(_engine: Any, turn: Any, messages: Any) -> Any:
        return [
            ThreadMessage(thread_id=turn.interaction.thread_id, seq=-1, role="system", parts=(TextPart(text="Note."),)),
            *messages,
        ]

    assert running.engine is not None
    running.engine.handlers = (broken, add)
    assert (await running.ask("hello")).state == "succeeded"
    assert words(running) == ["Note.", "Owner: hello"]


@pytest.mark.requirement("THR-25")
async def test_drafts_are_not_in_the_context(running: Lab) -> None:
    handle = await open_thread(running)
    await handle.save("a draft", role="assistant", metadata={"status": "pending_approval"})
    await handle.generate_text("now")
    assert words(running) == ["Owner: now"]


def test_results_follow_their_calls_and_open_calls_say_that_they_are_open() -> None:
    turn, thread = ids.new(), ids.new()
    asked = call("look")

    def message(seq: int, role: Any, text: str = "", **fields: Any) -> ThreadMessage:
        values: dict[str, Any] = {"parts": (TextPart(text=text),)} | fields
        return ThreadMessage(thread_id=thread, seq=seq, role=role, **values)

    history = [
        message(1, "user", "one"),
        message(2, "assistant", interaction_id=turn, step_seq=1, parts=(CallPart(call=asked),)),
        message(3, "user", "in between"),
        message(4, "tool", "result", interaction_id=turn, step_seq=1),
    ]
    assert [m.seq for m in context.ordered(history, turn, 1)] == [1, 2, 4, 3]
    [_, _, unanswered, _] = context.ordered(history[:3], turn, 1)
    assert unanswered.role == "tool"
    assert unanswered.parts[0].result["error"] == "no_result"  # type: ignore[union-attr]

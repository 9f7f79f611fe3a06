"""One message, one reply, and everything that is recorded with it."""

import pytest

from tests.turn.conftest import Lab


@pytest.mark.requirement("AGT-07", "AGT-10", "AGT-18", "ROL-03", "DUR-01", "DUR-04")
async def test_a_message_gets_one_reply_in_its_channel(running: Lab) -> None:
    running.models.script = ["Good morning."]
    ended = await running.ask("hello")
    assert ended.state == "succeeded"
    assert await running.replies() == ["Good morning."]
    assert [(s.kind, s.state) for s in await running.steps(ended.id)] == [("think", "success"), ("respond", "success")]


@pytest.mark.requirement("AUD-01", "AUD-06", "AUD-08", "AUD-17", "CON-04")
async def test_every_step_and_the_turn_are_audited_with_the_configuration(running: Lab) -> None:
    ended = await running.ask()
    lines = await running.fetch(
        "select event, detail from audit_event where account_id = $1 and interaction_id = $2 order by id", ended.id
    )
    assert [line["event"] for line in lines] == ["step.think", "step.respond", "agent_turn"]
    assert lines[0]["detail"]["model"] == "script/1"
    assert lines[0]["detail"]["input_tokens"] == 10
    assert "duration_ms" in lines[0]["detail"]
    assert lines[2]["detail"]["config_hash"] == ended.config_hash
    assert "hello" not in str(lines)


@pytest.mark.requirement("COST-01", "COST-02", "COST-10", "LLM-11", "ROL-07")
async def test_usage_is_recorded_and_counted(running: Lab) -> None:
    ended = await running.ask()
    [event] = await running.fetch("select * from token_event where account_id = $1")
    assert (event["interaction_id"], event["step_seq"], event["model"]) == (ended.id, 1, "script/1")
    assert (event["input_tokens"], event["output_tokens"], event["cost_micro"]) == (10, 5, 100)
    assert event["user_id"] == running.world.owner.id
    [total] = await running.fetch(
        "select sum(interactions) as turns, sum(model_calls) as calls, sum(cost_micro) as cost from usage_counter "
        "where account_id = $1"
    )
    assert (total["turns"], total["calls"], total["cost"]) == (1, 1, 100)


@pytest.mark.requirement("THR-19", "THR-20", "AGT-23")
async def test_the_channel_and_the_thread_both_keep_the_conversation(running: Lab) -> None:
    ended = await running.ask("hello")
    rows = await running.fetch(
        "select role, text, message_id is not null as bridged from thread_message "
        "where account_id = $1 and thread_id = $2 order by seq",
        ended.thread_id,
    )
    assert [(row["role"], row["text"], row["bridged"]) for row in rows] == [
        ("user", "hello", True),
        ("assistant", "done", True),
    ]


@pytest.mark.requirement("THR-16", "THR-04", "THR-10")
async def test_later_messages_continue_the_same_thread(running: Lab) -> None:
    first = await running.ask("one")
    second = await running.ask("two")
    assert second.thread_id == first.thread_id
    texts = [
        part.text for message in running.models.requests[1].messages for part in message.parts if part.kind == "text"
    ]
    assert texts == ["Owner: one", "done", "Owner: two"]


@pytest.mark.requirement("CHN-18", "TRG-08")
async def test_the_same_event_twice_makes_one_message_and_one_turn(running: Lab) -> None:
    first = await running.post("hello", idempotency_key="update-7", source_type="webhook")
    again = await running.post("hello", idempotency_key="update-7", source_type="webhook")
    assert again.duplicate
    assert again.message.id == first.message.id
    assert [one.id for one in again.interactions] == [one.id for one in first.interactions]
    await running.until(first.interactions[0].id)
    assert await running.replies() == ["done"]


@pytest.mark.requirement("AGT-19", "LIFE-10", "LIFE-11")
async def test_an_edit_in_the_middle_of_a_turn_counts_from_the_next(running: Lab) -> None:
    async def edit(_request: object) -> str:
        await running.configure(
            "update agent set system_prompt = 'Be brief.' where account_id = $1 and id = $2", running.world.agent.id
        )
        return "first"

    running.models.script = [edit]
    first = await running.ask()
    second = await running.ask()
    assert first.config_hash != second.config_hash
    assert "Be brief." not in running.models.requests[0].system
    assert "Be brief." in running.models.requests[1].system
    kept = await running.fetch("select hash from config_snapshot where account_id = $1")
    assert {first.config_hash, second.config_hash} <= {row["hash"] for row in kept}


@pytest.mark.requirement("PRN-01", "CON-01")
async def test_a_plain_turn_makes_no_wait_and_no_queue_rows_that_stay(running: Lab) -> None:
    await running.ask()
    assert await running.fetch("select 1 from wait where account_id = $1") == []


async def test_a_price_that_is_unknown_is_said_and_not_zero(running: Lab) -> None:
    from retinue.domain.models import ModelReply, TextPart, Usage

    running.models.script = [
        ModelReply(
            model="x",
            provider="p",
            text="hi",
            parts=(TextPart(text="hi"),),
            cost_micro=None,
            usage=Usage(input_tokens=1, output_tokens=1),
        )
    ]
    ended = await running.ask()
    assert ended.unpriced
    [event] = await running.fetch("select cost_micro from token_event where account_id = $1")
    assert event["cost_micro"] is None
    [total] = await running.fetch("select sum(unpriced) as n from usage_counter where account_id = $1")
    assert total["n"] == 1


@pytest.mark.requirement("CHN-11", "CHN-12", "CHN-13", "CHN-10", "CHN-09", "CHN-06")
@pytest.mark.parametrize("mode", ["inline", "threaded", "direct", "silent"])
async def test_a_reply_is_delivered_as_the_channel_says(running: Lab, mode: str) -> None:
    await running.configure(
        "update channel set default_delivery = $3 where account_id = $1 and id = $2",
        running.world.private_channel.id,
        mode,
    )
    posted = await running.post()
    await running.until(posted.interactions[0].id)
    rows = await running.fetch(
        "select delivery, reply_to, recipient_id from message where account_id = $1 and author_kind = 'agent'"
    )
    expected = {
        "inline": [("inline", None, None)],
        "threaded": [("threaded", posted.message.id, None)],
        "direct": [("direct", None, running.world.owner.id)],
        "silent": [],
    }
    assert [(row["delivery"], row["reply_to"], row["recipient_id"]) for row in rows] == expected[mode]

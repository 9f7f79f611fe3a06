"""New input while an agent works: coalesce, queue, steer, reject, debounce; triggers; serial per thread."""

import asyncio
from collections import Counter

import pytest

from retinue import errors
from retinue.domain import ids
from retinue.domain.events import Event
from retinue.domain.models import ModelRequest
from retinue.turn import intake
from tests.turn.conftest import Lab, call, calls


class Slow:
    """A model call that a test lets go on."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, _request: ModelRequest) -> str:
        self.begun.set()
        await self.go.wait()
        return self.text


def last_words(lab: Lab, request: int = -1) -> list[str]:
    """The texts of a model request."""
    return [
        part.text for message in lab.models.requests[request].messages for part in message.parts if part.kind == "text"
    ]


async def policy(lab: Lab, name: str, debounce_ms: int = 0) -> None:
    await lab.configure(
        "update channel set input_policy = $3, debounce_ms = $4 where account_id = $1 and id = $2",
        lab.world.private_channel.id,
        name,
        debounce_ms,
    )


@pytest.mark.requirement("DUR-17")
async def test_coalesce_late_input_becomes_one_follow_up_turn(running: Lab) -> None:
    slow = Slow("first")
    running.models.script = [slow, "second"]
    first = await running.say("one")
    await slow.begun.wait()
    later = [await running.post(f"more {n}") for n in range(3)]
    assert {one.interactions[0].id for one in later} == {first}
    assert all(one.interactions[0].coalesced for one in later)
    slow.go.set()
    ended = await running.until(first)
    assert ended.successor_id is not None
    assert (await running.until(ended.successor_id)).state == "succeeded"
    assert await running.replies() == ["first", "second"]
    assert (
        last_words(running) == ["Owner: one", "Owner: more 0", "Owner: more 1", "Owner: more 2", "first"]
        or last_words(running)[-4:].count("first") == 1
    )


async def test_coalesce_input_between_two_thinks_is_read_at_the_next(running: Lab) -> None:
    async def speak(_request: ModelRequest) -> object:
        await running.post("by the way")
        return calls(call("nothing"))

    running.models.script = [speak]  # type: ignore[list-item]
    ended = await running.ask("one")
    assert ended.successor_id is None
    assert "Owner: by the way" in last_words(running)
    assert await running.replies() == ["done"]


async def test_queue_gives_every_message_its_own_turn_in_order(running: Lab) -> None:
    await policy(running, "queue")
    slow = Slow("a1")
    running.models.script = [slow, "a2", "a3"]
    started = [await running.say(f"m{n}") for n in range(3)]
    assert len(set(started)) == 3
    await slow.begun.wait()
    slow.go.set()
    for interaction_id in started:
        await running.until(interaction_id)
    assert await running.replies() == ["a1", "a2", "a3"]


async def test_steer_cancels_and_starts_again_with_the_new_input(running: Lab) -> None:
    await policy(running, "steer")
    slow = Slow("never said")
    running.models.script = [slow, "steered"]
    first = await running.say("one")
    await slow.begun.wait()
    second = await running.say("no, two")
    assert second != first
    ended = await running.until(first)
    assert (ended.state, ended.stop_reason) == ("cancelled", "superseded")
    assert (await running.until(second)).state == "succeeded"
    assert await running.replies() == ["steered"]


async def test_reject_refuses_and_writes_nothing(running: Lab) -> None:
    await policy(running, "reject")
    slow = Slow("a")
    running.models.script = [slow]
    first = await running.say("one")
    await slow.begun.wait()
    with pytest.raises(errors.ThreadBusy):
        await running.post("two")
    slow.go.set()
    await running.until(first)
    rows = await running.fetch("select content from message where account_id = $1 and author_kind = 'user'")
    assert [row["content"] for row in rows] == ["one"]


async def test_a_burst_within_the_debounce_window_gives_one_turn(running: Lab) -> None:
    await policy(running, "coalesce", debounce_ms=300)
    posted = [await running.post(f"m{n}") for n in range(6)]
    assert len({one.interactions[0].id for one in posted}) == 1
    await running.until(posted[0].interactions[0].id)
    assert await running.replies() == ["done"]
    assert len(running.models.requests) == 1
    assert last_words(running) == [f"Owner: m{n}" for n in range(6)]


@pytest.mark.requirement("DUR-17", "THR-18")
async def test_many_writers_and_one_runner_lose_nothing(running: Lab) -> None:
    async def write(writer: int) -> None:
        for n in range(25):
            await running.post(f"{writer}.{n}")

    await asyncio.gather(*(write(writer) for writer in range(8)))
    rows = await running.fetch(
        "select seq, content from message where account_id = $1 and author_kind = 'user' order by seq"
    )
    assert len(rows) == 200
    for writer in range(8):
        own = [row["content"] for row in rows if row["content"].startswith(f"{writer}.")]
        assert own == [f"{writer}.{n}" for n in range(25)]
    seqs = await running.fetch("select seq from message where account_id = $1 order by seq")
    assert [row["seq"] for row in seqs] == list(range(1, len(seqs) + 1))
    async with asyncio.timeout(10):
        while await running.fetch("select 1 from interaction where account_id = $1 and state in ('queued', 'running')"):
            await asyncio.sleep(0.02)
    ended = await running.fetch("select state from interaction where account_id = $1")
    assert Counter(row["state"] for row in ended) == {"succeeded": len(ended)}
    fed = await running.fetch("select seq, message_id from thread_message where account_id = $1 order by seq")
    assert [row["seq"] for row in fed] == list(range(1, len(fed) + 1))
    assert len({row["message_id"] for row in fed}) == len(fed)
    [threads] = await running.fetch("select count(*) as n from agent_thread where account_id = $1")
    assert threads["n"] == 1


# ── who is triggered ─────────────────────────────────────────────────────────────────────────────────────────────


async def mode(lab: Lab, trigger: str) -> None:
    await lab.configure(
        "update channel_member set trigger_mode = $3 where account_id = $1 and channel_id = $2 "
        "and agent_id is not null",
        lab.world.channel.id,
        trigger,
    )


@pytest.mark.requirement("TRG-02", "TRG-04", "TRG-05", "TRG-06", "CHN-04", "TRG-07")
@pytest.mark.parametrize(
    ("trigger", "text", "turns"),
    [
        ("mention", "hello", 0),
        ("mention", "hello @assistant", 1),
        ("proactive", "hello", 1),
        ("silent", "hello", 0),
        ("silent", "@assistant hello", 1),
        ("mention", "mail me@assistant.example", 0),
        ("mention", "`@assistant`", 0),
    ],
)
async def test_the_trigger_mode_decides(lab: Lab, trigger: str, text: str, turns: int) -> None:
    await mode(lab, trigger)
    posted = await lab.post(text, channel=lab.world.channel.id)
    assert len(posted.interactions) == turns


@pytest.mark.requirement("CON-42")
async def test_a_silent_agent_that_is_mentioned_answers_directly(running: Lab) -> None:
    await mode(running, "silent")
    posted = await running.post("@assistant psst", channel=running.world.channel.id)
    await running.until(posted.interactions[0].id)
    rows = await running.fetch(
        "select delivery, recipient_id from message where account_id = $1 and author_kind = 'agent'"
    )
    assert [(row["delivery"], row["recipient_id"]) for row in rows] == [("direct", running.world.owner.id)]


@pytest.mark.requirement("TRG-20", "TRG-03")
@pytest.mark.parametrize("layer", ["account", "app_user"])
async def test_the_strictest_setting_of_all_layers_counts(lab: Lab, layer: str) -> None:
    await mode(lab, "proactive")
    key = "id" if layer == "account" else "account_id"
    await lab.configure(f"update {layer} set loosest_trigger_mode = 'mention' where {key} = $1")
    assert not (await lab.post("hello", channel=lab.world.channel.id)).interactions
    assert (await lab.post("@assistant hello", channel=lab.world.channel.id)).interactions


@pytest.mark.requirement("TRG-09")
async def test_what_an_agent_says_triggers_nobody(lab: Lab) -> None:
    await mode(lab, "proactive")
    received = await intake.receive(
        lab.db,
        Event(
            account_id=lab.account,
            actor_kind="agent",
            agent_id=lab.world.agent.id,
            channel_id=lab.world.channel.id,
            content="@assistant and all: hello",
        ),
    )
    assert not received.interactions


@pytest.mark.requirement("TRG-19", "LIFE-12")
@pytest.mark.parametrize("status", ["paused", "deactivated"])
async def test_an_agent_that_is_not_enabled_is_not_triggered(lab: Lab, status: str) -> None:
    await lab.configure("update agent set status = $2 where account_id = $1", status)
    assert not (await lab.post("hello @assistant")).interactions


@pytest.mark.requirement("TRG-17", "PRN-05")
async def test_every_arrival_is_one_event_of_one_shape(lab: Lab) -> None:
    await lab.post("hello", correlation_id="c-1", source_type="api", source_id="s-1")
    [row] = await lab.fetch("select * from event where account_id = $1")
    assert (row["source_type"], row["source_id"], row["actor_kind"], row["correlation_id"]) == (
        "api",
        "s-1",
        "user",
        "c-1",
    )
    assert row["actor_id"] == lab.world.owner.id
    assert row["channel_id"] == lab.world.private_channel.id


async def test_an_unknown_channel_and_an_archived_one_are_refused(lab: Lab) -> None:
    with pytest.raises(errors.NotFound):
        await lab.post(channel=ids.new())
    await lab.configure(
        "update channel set archived_at = clock() where account_id = $1 and id = $2", lab.world.channel.id
    )
    with pytest.raises(errors.WrongState, match="archived"):
        await lab.post(channel=lab.world.channel.id)


@pytest.mark.requirement("TRG-18")
async def test_thinking_is_announced_as_soon_as_a_turn_is_scheduled(running: Lab) -> None:
    assert running.hub is not None
    with running.hub.account(running.account) as news:
        interaction_id = await running.say()
        async with asyncio.timeout(5):
            first = await news.get()
    assert (first.topic, first.id) == ("thinking", interaction_id)


@pytest.mark.requirement("CHN-11")
async def test_what_one_person_was_told_directly_is_not_in_anybody_elses_context(running: Lab) -> None:
    await running.configure("update channel set default_delivery = 'direct' where account_id = $1 and id = $2",
                            running.world.channel.id)  # fmt: skip
    running.models.script = ["For the owner alone."]
    first = await running.post("@assistant a question", channel=running.world.channel.id)
    await running.until(first.interactions[0].id)
    other = ids.new()
    await running.configure("insert into app_user (account_id, id, email, name) values ($1, $2, 'o@x', 'Other')", other)
    await running.configure("insert into member (account_id, id, user_id, role) values ($1, $2, $3, 'member')",
                            ids.new(), other)  # fmt: skip
    asked = Event(
        account_id=running.account, user_id=other, content="@assistant and I?", channel_id=running.world.channel.id
    )
    second = await intake.receive(running.db, asked)
    await running.until(second.interactions[0].id)
    assert "For the owner alone." not in last_words(running)
    third = await running.post("@assistant again", channel=running.world.channel.id)
    await running.until(third.interactions[0].id)
    assert "For the owner alone." in last_words(running)

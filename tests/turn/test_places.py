"""Each answer goes to the place it was asked in, whatever the agent does when the question comes (CHN-06, CHN-13)."""

from typing import Any
from uuid import UUID

import pytest

from retinue.domain import ids
from retinue.domain.events import Event
from retinue.domain.messages import Delivery, Received, ReceivedInteraction
from retinue.turn import intake
from tests.turn.conftest import Lab, call, calls
from tests.turn.test_new_input import Slow, last_words

PLACES: dict[str, dict[str, Any]] = {
    "channel": {},
    "thread": {"reply_to": "root"},
    "reply in thread": {"reply_to": "reply"},
    "other thread": {"reply_to": "other"},
    "new thread": {"delivery": Delivery.THREADED},
    "directly": {"delivery": Delivery.DIRECT},
    "directly in thread": {"reply_to": "root", "delivery": Delivery.DIRECT},
    "silently": {"delivery": Delivery.SILENT},
    "for another turn": {"parent_interaction_id": ids.new()},
}
SAME = [
    {"channel"},
    {"thread", "reply in thread"},
    {"other thread"},
    {"directly", "directly in thread"},
    {"silently"},
    {"for another turn"},
]
"""Places that are one. What starts a thread of its own is the same place as nothing else."""


async def conversation(lab: Lab, input_policy: str) -> dict[str, UUID]:
    """A channel with the agent and three messages that no agent has seen: two roots, and a reply to one."""
    async with lab.db.tenant_tx(lab.account) as tx:
        channel, people = ids.new(), (lab.world.owner.id, lab.world.agent.id)
        await tx.execute(
            "insert into channel (account_id, id, kind, name, input_policy) values ($1, $2, 'private', 'c', $3)",
            lab.account, channel, input_policy,
        )  # fmt: skip
        await tx.execute(
            "insert into channel_member (account_id, channel_id, party_id, user_id) values ($1, $2, $3, $3)",
            lab.account, channel, people[0],
        )  # fmt: skip
    root = (await lab.post("root", channel=channel)).message
    other = (await lab.post("other", channel=channel)).message
    reply = (await lab.post("reply", channel=channel, reply_to=root.id)).message
    await lab.configure(
        "insert into channel_member (account_id, channel_id, party_id, agent_id, trigger_mode) "
        "values ($1, $2, $3, $3, 'proactive')",
        channel, people[1],
    )  # fmt: skip
    return {"channel": channel, "root": root.id, "other": other.id, "reply": reply.id}


async def post(lab: Lab, known: dict[str, UUID], content: str, place: str) -> Received:
    fields = PLACES[place]
    if "reply_to" in fields:
        fields = fields | {"reply_to": known[fields["reply_to"]]}
    return await lab.post(content, channel=known["channel"], **fields)


async def answers(lab: Lab, channel: UUID) -> list[tuple[str, UUID | None]]:
    """What agents have said there, and under what."""
    rows = await lab.fetch(
        "select content, reply_to from message where account_id = $1 and channel_id = $2 and author_kind = 'agent' "
        "order by seq",
        channel,
    )
    return [(row["content"], row["reply_to"]) for row in rows]


async def states(lab: Lab, channel: UUID) -> list[str]:
    rows = await lab.fetch(
        "select state from interaction where account_id = $1 and channel_id = $2 order by id", channel
    )
    return [row["state"] for row in rows]


@pytest.mark.requirement("CHN-06", "CHN-13")
@pytest.mark.parametrize("first", PLACES)
async def test_a_turn_takes_in_only_what_is_to_be_answered_where_it_answers(lab: Lab, first: str) -> None:
    for second in PLACES:
        same = any({first, second} <= places for places in SAME)
        known = await conversation(lab, "coalesce")
        one = (await post(lab, known, "one", first)).interactions[0]
        two = (await post(lab, known, "two", second)).interactions[0]
        assert (two.coalesced, two.id == one.id) == (same, same), (first, second)
        assert await states(lab, known["channel"]) == ["queued"] * (1 if same else 2)


@pytest.mark.parametrize("first", PLACES)
async def test_steering_stops_only_what_would_answer_in_the_same_place(lab: Lab, first: str) -> None:
    for second in PLACES:
        same = any({first, second} <= places for places in SAME)
        known = await conversation(lab, "steer")
        await post(lab, known, "one", first)
        await post(lab, known, "two", second)
        assert await states(lab, known["channel"]) == ["cancelled" if same else "queued", "queued"], (first, second)


@pytest.mark.requirement("CHN-10", "THR-19")
async def test_what_is_asked_in_a_thread_while_the_agent_answers_elsewhere_is_answered_in_the_thread(
    running: Lab,
) -> None:
    known = await conversation(running, "coalesce")
    slow = Slow("to the channel")
    running.models.script = [slow, "to the thread", "to the channel again"]
    first = (await post(running, known, "one", "channel")).interactions[0].id
    await slow.begun.wait()
    started = [(await post(running, known, text, place)).interactions[0] for text, place in (
        ("two", "thread"), ("three", "reply in thread"), ("four", "channel"), ("five", "channel"),
    )]  # fmt: skip
    assert len({first, *(one.id for one in started)}) == 3
    slow.go.set()
    await running.until(started[-1].id)
    assert await answers(running, known["channel"]) == [
        ("to the channel", None), ("to the thread", known["root"]), ("to the channel again", None),
    ]  # fmt: skip
    assert last_words(running, 0) == ["Owner: root", "Owner: other", "Owner: reply", "Owner: one"], "what was before"
    assert last_words(running, 1)[-3:] == ["to the channel", "Owner: two", "Owner: three"]
    assert last_words(running, 2)[-3:] == ["to the thread", "Owner: four", "Owner: five"]


async def test_a_turn_that_goes_on_does_not_read_what_another_is_to_answer(running: Lab) -> None:
    known = await conversation(running, "coalesce")

    async def speak(_request: object) -> object:
        await post(running, known, "for the thread", "thread")
        return calls(call("nothing"))

    running.models.script = [speak, "to the channel", "to the thread"]  # type: ignore[list-item]
    await running.until((await post(running, known, "one", "channel")).interactions[0].id)
    assert "Owner: for the thread" not in last_words(running, 1)
    [_, parked] = await running.fetch("select id from interaction where account_id = $1 order by id")
    await running.until(parked["id"])
    assert await answers(running, known["channel"]) == [("to the channel", None), ("to the thread", known["root"])]


async def test_input_that_came_too_late_is_followed_up_in_its_own_place(running: Lab) -> None:
    known = await conversation(running, "coalesce")
    slow = Slow("a1")
    running.models.script = [slow, "a2", "a3"]
    first = (await post(running, known, "one", "channel")).interactions[0].id
    await slow.begun.wait()
    assert (await post(running, known, "late", "channel")).interactions[0].coalesced
    parked = (await post(running, known, "elsewhere", "thread")).interactions[0].id
    slow.go.set()
    ended = await running.until(first)
    assert ended.successor_id not in (None, parked)
    await running.until(parked)
    assert await answers(running, known["channel"]) == [("a1", None), ("a2", None), ("a3", known["root"])]
    assert last_words(running, 1)[-1] == "Owner: late"


async def test_late_input_that_a_queued_turn_of_its_place_will_read_gets_no_turn_of_its_own(running: Lab) -> None:
    known = await conversation(running, "coalesce")
    slow = Slow("a1")
    running.models.script = [slow, "a2", "a3"]
    first = (await post(running, known, "one", "channel")).interactions[0].id
    await slow.begun.wait()
    for text, place in (("late", "channel"), ("elsewhere", "thread"), ("last", "channel")):
        last = (await post(running, known, text, place)).interactions[0].id
    slow.go.set()
    await running.until(last)
    assert (await running.until(first)).successor_id == last
    assert await answers(running, known["channel"]) == [("a1", None), ("a2", known["root"]), ("a3", None)]


async def test_steering_past_a_turn_of_another_place_reaches_the_one_that_runs(running: Lab) -> None:
    known = await conversation(running, "steer")
    slow = Slow("never said")
    running.models.script = [slow, "to the thread", "steered"]
    first = (await post(running, known, "one", "channel")).interactions[0].id
    await slow.begun.wait()
    await post(running, known, "two", "thread")
    last = (await post(running, known, "no, three", "channel")).interactions[0].id
    assert (await running.until(first)).stop_reason == "superseded"
    await running.until(last)
    assert await answers(running, known["channel"]) == [("to the thread", known["root"]), ("steered", None)]


@pytest.mark.requirement("CHN-11")
async def test_what_two_people_are_answered_directly_are_two_turns(lab: Lab) -> None:
    other = ids.new()
    await lab.configure("insert into app_user (account_id, id, email, name) values ($1, $2, 'o@x', 'Other')", other)
    await lab.configure(
        "insert into member (account_id, id, user_id, role) values ($1, $2, $3, 'member')", ids.new(), other
    )

    async def ask(text: str, user: UUID) -> ReceivedInteraction:
        event = Event(account_id=lab.account, user_id=user, channel_id=lab.world.channel.id, content=text)
        received = await intake.receive(lab.db, event.model_copy(update={"delivery": Delivery.DIRECT}))
        return received.interactions[0]

    one, two, three = [await ask(f"@assistant {n}", user) for n, user in enumerate((lab.world.owner.id, other, other))]
    assert not two.coalesced and two.id != one.id
    assert three.coalesced and three.id == two.id

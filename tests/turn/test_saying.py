"""What agents say goes by the content rules: taken out, or held back, before anybody reads any of it."""

from typing import Any
from uuid import UUID

import pytest

from retinue.domain.models import ModelReply, TextPart
from retinue.domain.turns import InteractionView, StepKind
from retinue.domain.verdicts import OWN
from retinue.store import interactions
from tests.turn.conftest import Lab, call, calls
from tests.turn.test_explaining import owner, someone
from tests.turn.test_gate import crew, done, rule
from tests.turn.test_threads import open_thread

__all__ = ["crew"]

SECRET = "jane@example.org"
MAIL = {"type": "content_restriction", "detect": ["email"]}
EVERYWHERE = (
    "select count(*)::int as n from (select m::text as row from message m where account_id = $1 union all "
    "select t::text from thread_message t where account_id = $1 union all "
    "select s::text from step s where account_id = $1 union all "
    "select c::text from stream_chunk c where account_id = $1 union all "
    "select i::text from interaction i where account_id = $1 union all "
    "select a::text from audit_event a where account_id = $1) every where row like '%' || $2 || '%'"
)


async def stored(lab: Lab) -> int:
    """How many rows hold the secret."""
    return (await lab.fetch(EVERYWHERE, SECRET))[0]["n"]


async def events(lab: Lab, interaction_id: UUID) -> list[tuple[str, Any]]:
    rows = await lab.fetch(
        "select event, detail from audit_event where account_id = $1 and interaction_id = $2 "
        "and event like 'reply.%' order by id",
        interaction_id,
    )
    return [(row["event"], row["detail"]["layers"]) for row in rows]


@pytest.mark.requirement("GOV-11")
async def test_what_a_rule_takes_out_of_an_answer_is_kept_nowhere(crew: Lab) -> None:
    await rule(crew, "No addresses", MAIL | {"then": "redact"})
    crew.models.script = [f"Write to {SECRET}, please."]
    turn = await crew.ask("whom do I write to?")
    assert await crew.replies() == ["Write to [redacted email], please."]
    assert turn.stop_reason is None
    assert await stored(crew) == 0
    assert await events(crew, turn.id) == [("reply.redacted", ["account: No addresses"])]
    step = next(one for one in await crew.steps(turn.id) if one.kind is StepKind.THINK)
    assert step.policy is not None
    assert step.policy.redact == ("email",)
    crew.models.script = ["Yes."]
    await crew.ask("sure?")
    told = crew.models.requests[-1].model_dump_json()
    assert SECRET not in told
    assert "[redacted email], please." in told, "the agent goes on from what it was let say"


@pytest.mark.requirement("GOV-11", "GOV-20")
@pytest.mark.parametrize("then", ["block", "ask"])
async def test_an_answer_that_a_rule_is_against_is_held_back_and_people_read_why(crew: Lab, then: str) -> None:
    await rule(crew, "No addresses", MAIL | {"then": then})
    crew.models.script = [f"Write to {SECRET}."]
    turn = await crew.ask("whom do I write to?")
    assert (turn.state, turn.stop_reason) == ("succeeded", "content_blocked")
    (said,) = await crew.replies()
    assert "“No addresses”" in said
    assert "an e-mail address" in said
    assert await stored(crew) == 0
    assert await events(crew, turn.id) == [("reply.blocked", ["account: No addresses"])]


@pytest.mark.parametrize("then", ["redact", "block"])
async def test_words_beside_calls_are_cleaned_and_the_calls_are_still_made(crew: Lab, then: str) -> None:
    await rule(crew, "No addresses", MAIL | {"then": then})
    crew.models.script = [calls(call("look", word="x"), text=f"I ask {SECRET} first."), "All is well."]
    turn = await crew.ask("go")
    assert done == [("look", "x")]
    assert await crew.replies() == ["All is well."]
    assert turn.stop_reason is None
    rows = await crew.fetch("select data from stream_chunk where account_id = $1 and kind = 'text'")
    shown = ["I ask [redacted email] first."] if then == "redact" else []
    assert [row["data"]["text"] for row in rows] == shown
    assert await stored(crew) == 0


async def test_an_object_is_cleaned_too(crew: Lab) -> None:
    await rule(crew, "No addresses", MAIL | {"then": "redact"})
    answer = ModelReply(
        model="m",
        provider="p",
        text="",
        structured={"to": [SECRET], "n": 3},
        parts=(TextPart(text="{}"),),
        cost_micro=0,
    )
    crew.models.script = [answer]
    schema = {"type": "object", "required": ["to"]}
    assert await (await open_thread(crew)).generate_object(schema, "to whom?") == {"to": ["[redacted email]"], "n": 3}
    assert await stored(crew) == 0


async def test_a_rule_about_tools_says_nothing_about_words(crew: Lab) -> None:
    await rule(crew, "No addresses", MAIL | {"then": "block", "scope": {"tools": ["look"]}})
    crew.models.script = [f"Write to {SECRET}."]
    await crew.ask("whom do I write to?")
    assert await crew.replies() == [f"Write to {SECRET}."]


async def test_what_was_found_across_pieces_of_an_answer_is_taken_out(crew: Lab) -> None:
    await rule(crew, "No addresses", MAIL | {"then": "redact"})
    parts = (TextPart(text="Write to jane@"), TextPart(text="example.org."))
    crew.models.script = [
        ModelReply(model="m", provider="p", text="Write to jane@example.org.", parts=parts, cost_micro=0)
    ]
    await crew.ask("whom do I write to?")
    assert await crew.replies() == ["Write to [redacted email]."]
    rows = await crew.fetch("select parts from thread_message where account_id = $1 and role = 'assistant'")
    assert [part["text"] for row in rows for part in row["parts"]] == ["Write to [redacted email]."]


@pytest.mark.requirement("CON-69")
async def test_others_who_may_read_a_turn_read_no_name_of_a_persons_own_policy(crew: Lab) -> None:
    await rule(crew, "Very private", MAIL | {"then": "block"}, layer="user")
    no_looking = {"type": "tool_restriction", "never": ["look"]}
    await rule(crew, "Quite private", no_looking, layer="user")
    crew.models.script = [calls(call("look")), f"Write to {SECRET}."]
    ann = await someone(crew)
    place = crew.world.channel.id
    turn = await crew.ask("@assistant whom do I write to?", channel=place)
    assert "by a rule of the person it is for" in (await crew.replies(place))[0]
    async with crew.db.tenant_tx(crew.account) as tx:
        mine = await interactions.access(tx, owner(crew), turn.id)
        hers = await interactions.access(tx, ann, turn.id)
    assert {"Very private", "Quite private"} <= set(ruling(mine))
    assert OWN in ruling(hers)
    assert "private" not in hers.model_dump_json()
    told = await crew.fetch("select detail::text as text from audit_event where account_id = $1")
    assert not any(" private" in row["text"] for row in told)


def ruling(turn: InteractionView) -> list[str]:
    return [one.rule for step in turn.steps or () if step.policy for one in step.policy.opinions]

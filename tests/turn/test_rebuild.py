"""The prompt of a step, made again, is what the model was sent, whatever has happened since."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from retinue import errors
from retinue.domain import ids
from retinue.domain.accounts import Principal, Role
from retinue.domain.looking import RebuiltPrompt
from retinue.domain.messages import NewThread
from retinue.domain.models import ModelReply, TextPart
from retinue.domain.tools import Effect
from retinue.files.database import DatabaseStorage
from retinue.files.shelf import Shelf
from retinue.store import corrections, messages, threads, turns
from retinue.store.turns import ThreadPrompt
from retinue.tools.registry import Context, tool
from retinue.turn import rebuild
from tests.turn.conftest import Lab, call, calls, node
from tests.turn.test_files import LIMITS, ask, keep
from tests.turn.test_files import picture as png


@tool(effect=Effect.READ)
async def look(ctx: Context, word: str = "") -> str:
    """Look at something.

    Args:
        word: what to look at
    """
    return f"saw {word}"


@pytest.fixture
async def crew(lab: Lab) -> AsyncIterator[Lab]:
    await lab.give("look")
    async with node(lab, (look,)):
        yield lab


def owner(lab: Lab) -> Principal:
    return Principal(account_id=lab.account, user_id=lab.world.owner.id, role=Role.OWNER)


async def again(lab: Lab, interaction: UUID, seq: int = 1, who: Principal | None = None) -> RebuiltPrompt:
    assert lab.engine is not None
    parts = rebuild.Parts(lab.db, lab.engine.models, lab.engine.sources, lab.engine.files)
    return await rebuild.prompt(parts, who or owner(lab), interaction, seq)


async def change(lab: Lab, fields: str, *args: Any) -> None:
    await lab.configure(f"update agent set {fields} where account_id = $1 and id = $2", lab.world.agent.id, *args)


async def stranger(lab: Lab) -> Principal:
    """Somebody else who is in the channel, without owning it."""
    user = ids.new()
    await lab.configure(
        "insert into app_user (account_id, id, email, name) values ($1, $2, 'b@home.test', 'Bea')", user
    )
    await lab.configure(
        "insert into channel_member (account_id, channel_id, party_id, user_id) values ($1, $2, $3, $3)",
        lab.world.private_channel.id, user,
    )  # fmt: skip
    return Principal(account_id=lab.account, user_id=user, role=Role.MEMBER)


async def test_every_step_of_a_turn_with_tools_is_rebuilt_word_for_word(crew: Lab) -> None:
    crew.models.script = [calls(call("look", word="a"), call("look", word="b"), text="One moment."), "Found both."]
    turn = await crew.ask("Look around")
    thinks = [step.seq for step in await crew.steps(turn.id) if step.kind == "think"]
    assert len(thinks) == len(crew.models.requests) == 2
    for seq, sent in zip(thinks, crew.models.requests, strict=True):
        made = await again(crew, turn.id, seq)
        assert (made.request, made.exact, made.notes) == (sent, True, ())
    with pytest.raises(errors.WrongState):
        await again(crew, turn.id, 2)
    with pytest.raises(errors.NotFound):
        await again(crew, turn.id, 99)


async def test_later_messages_and_edits_of_the_agent_do_not_change_it(crew: Lab) -> None:
    first = await crew.ask("What is one?")
    await crew.ask("And two?")
    await change(crew, "system_prompt = 'Be rude.', name = 'Rude', model = 'other/9'")
    await crew.configure("delete from agent_tool where account_id = $1")
    said = ModelReply(model="other/9", provider="other", text="3", parts=(TextPart(text="3"),))
    crew.models.script = [said]
    third = await crew.ask("And three?")
    assert (await again(crew, first.id)).request == crew.models.requests[0]
    made = await again(crew, third.id)
    assert made.request == crew.models.requests[2] and "Be rude." in made.request.system and made.exact
    assert made.request.model == "other/9" and made.request.tools == ()


async def test_input_that_arrived_while_it_ran_is_in_the_steps_that_read_it(crew: Lab) -> None:
    async def interrupted(_: object) -> Any:
        await crew.say("and hurry")
        return calls(call("look", word="x"))

    crew.models.script = [interrupted, "Done quickly."]
    turn = await crew.ask("Look")
    for seq, sent in zip((1, 3), crew.models.requests, strict=True):
        assert (await again(crew, turn.id, seq)).request == sent
    assert "hurry" in str(crew.models.requests[1]) and "hurry" not in str(crew.models.requests[0])


async def test_input_of_a_later_turn_stays_out_of_it(crew: Lab) -> None:
    await crew.configure("update channel set input_policy = 'queue' where account_id = $1")
    later: list[UUID] = []

    async def asked_meanwhile(_: object) -> Any:
        later.append(await crew.say("something else"))
        return calls(call("look", word="x"))

    crew.models.script = [asked_meanwhile, "One.", "Two."]
    turn = await crew.ask("Look")
    await crew.until(later[0])
    places = [(turn.id, 1), (turn.id, 3), (later[0], 1)]
    for (interaction, seq), sent in zip(places, crew.models.requests, strict=True):
        assert (await again(crew, interaction, seq)).request == sent


async def test_a_context_that_was_too_long_is_rebuilt_as_it_was_shortened(crew: Lab) -> None:
    for number in range(6):
        await crew.ask(f"question {number}")
    del crew.models.requests[:]
    crew.models.script = [errors.ContextTooLong("Too long."), "Short."]
    turn = await crew.ask("last one")
    assert len(crew.models.requests) == 2
    assert (await again(crew, turn.id)).request == crew.models.requests[1] != crew.models.requests[0]


async def test_what_was_recalled_is_rebuilt_for_the_person_it_answered_alone(crew: Lab) -> None:
    await change(crew, """context = '{"recent_messages": 1, "text_search": true}'""")
    await crew.ask("The password of the harbour is swordfish")
    await crew.ask("Something else")
    turn = await crew.ask("What about the harbour?")
    sent = crew.models.requests[-1]
    assert "swordfish" in str(sent.messages[0])
    made = await again(crew, turn.id)
    assert (made.request, made.exact) == (sent, True)
    other = await again(crew, turn.id, who=await stranger(crew))
    assert "swordfish" not in str(other.request) and not other.exact and other.notes


async def test_deleted_words_stay_deleted_and_it_says_so(crew: Lab) -> None:
    turn = await crew.ask("My secret is 42")
    async with crew.db.tenant_tx(crew.account) as tx:
        rows = await messages.list_messages(tx, owner(crew), crew.world.private_channel.id)
        await corrections.delete(tx, owner(crew), rows[-1].id)
    made = await again(crew, turn.id)
    assert "42" not in str(made.request) and not made.exact
    assert made.notes == ("1 message was deleted since; the words are gone.",)


async def test_words_edited_away_are_for_their_author_and_the_channels_owners(crew: Lab) -> None:
    turn = await crew.ask("My secret is 42")
    other = await stranger(crew)
    assert (await again(crew, turn.id, who=other)).exact
    await crew.configure(
        "update message set content = 'hm', edited_at = clock() where account_id = $1 and author_kind = 'user'"
    )
    mine, theirs = await again(crew, turn.id), await again(crew, turn.id, who=other)
    assert mine.request == crew.models.requests[0] and mine.exact
    assert "42" not in str(theirs.request) and theirs.notes == ("1 message is left out: edited since.",)


async def test_what_was_said_directly_is_for_its_recipient(crew: Lab) -> None:
    crew.models.script = ["Between us: 42.", "In public."]
    direct = await crew.ask("Tell me", delivery="direct")
    turn = await crew.ask("Tell all")
    other = await stranger(crew)
    assert (await again(crew, turn.id)).request == crew.models.requests[1]
    theirs = await again(crew, turn.id, who=other)
    assert "42" not in str(theirs.request) and not theirs.exact
    with pytest.raises(errors.NotFound):
        await again(crew, direct.id, who=other)


async def test_a_step_that_failed_shows_what_it_was_to_be_and_says_that_it_is_worked_out(crew: Lab) -> None:
    crew.models.script = [errors.ModelPermanent("No such model.")]
    turn = await crew.ask("Hello?")
    assert turn.state == "failed"
    made = await again(crew, turn.id)
    assert made.request == crew.models.requests[0] and not made.exact and "worked out" in made.notes[0]


async def test_who_may_not_see_the_turn_sees_no_prompt(crew: Lab) -> None:
    turn = await crew.ask("Private")
    for role in (Role.MEMBER, Role.OWNER):
        outsider = Principal(account_id=crew.account, user_id=ids.new(), role=role)
        with pytest.raises(errors.NotFound):
            await again(crew, turn.id, who=outsider)


async def test_a_turn_in_a_thread_of_ones_own_is_rebuilt_with_its_options(crew: Lab) -> None:
    async with crew.db.tenant_tx(crew.account) as tx:
        thread = await threads.create(tx, owner(crew), NewThread(agent_id=crew.world.agent.id))
    asked = ThreadPrompt(
        id=ids.new(), user_id=crew.world.owner.id, prompt="Hi", options={"temperature": 0.5, "max_output_tokens": 9}
    )
    started = await turns.receive_prompt(crew.db, crew.account, thread.id, asked)
    await crew.until(started.id)
    made = await again(crew, started.id)
    assert made.request == crew.models.requests[0] and made.request.temperature == 0.5


async def test_what_is_compacted_is_said_to_be_gone(crew: Lab) -> None:
    turn = await crew.ask("Long ago")
    await crew.configure(
        """update step set input = '{}', output = '{"compacted": true}' where account_id = $1 and kind = 'think'"""
    )
    made = await again(crew, turn.id)
    assert made.request == crew.models.requests[0] and not made.exact


async def test_files_are_in_it_as_the_model_was_shown_them(crew: Lab) -> None:
    assert crew.engine is not None
    crew.engine.files = Shelf(crew.db, DatabaseStorage(crew.db), LIMITS)
    picture, table = await keep(crew, "a.png", png()), await keep(crew, "b.csv", b"x,y")
    sent = await ask(crew, "what is this?", picture, table)
    crew.models.script = [errors.ModelPermanent("It does not support image input."), "I am blind."]
    blind = await ask(crew, "and now?")
    rows = await crew.fetch("select id from interaction where account_id = $1 order by id")
    for row, request in zip(rows, (sent, blind), strict=True):
        made = await again(crew, row["id"])
        assert (made.request, made.exact) == (request, True)


@pytest.mark.requirement("GOV-19")
async def test_the_policies_a_model_was_told_are_found_again_though_they_are_gone(crew: Lab) -> None:
    await crew.configure(
        "insert into policy (account_id, id, layer, name, type, rule) values ($1, $2, 'account', 'No mail', $3, $4)",
        ids.new(),
        "tool_restriction",
        {"type": "tool_restriction", "never": ["send_email"]},
    )
    turn = await crew.ask("Hello")
    await crew.configure("delete from policy where account_id = $1")
    made = await again(crew, turn.id)
    assert made.exact
    assert made.request == crew.models.requests[0]
    assert "No mail" in made.request.system

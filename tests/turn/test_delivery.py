"""Where a reply goes: into the thread that was asked in, to the one who asked, or nowhere (CHN-09..13)."""

import pytest

from retinue.domain.accounts import Principal, Role
from retinue.domain.ids import encode
from retinue.domain.messages import Delivery, MessageFilter
from retinue.store import interactions, messages
from tests.turn.conftest import Lab


def owner(lab: Lab) -> Principal:
    return Principal(account_id=lab.account, user_id=lab.world.owner.id, role=Role.OWNER)


@pytest.mark.requirement("CHN-10")
async def test_what_is_asked_in_a_thread_is_answered_there(running: Lab) -> None:
    channel = running.world.private_channel.id
    asked = await running.post("root", delivery=Delivery.SILENT)
    root = asked.message
    await running.until(asked.interactions[0].id)
    for text in ("first", "second"):
        await running.ask(text, reply_to=root.id, delivery=Delivery.THREADED)
    async with running.db.tenant_tx(running.account) as tx:
        wanted = MessageFilter(newest_first=False, reply_to=root.id)
        thread = await messages.list_messages(tx, owner(running), channel, wanted)
        top = await messages.list_messages(tx, owner(running), channel, MessageFilter(top_level=True))
    assert {one.reply_to for one in thread} == {root.id}
    assert [one.content for one in thread] == ["first", "done", "second", "done"]
    assert [(one.content, one.reply_count, one.last_reply_at) for one in top] == [("root", 4, thread[-1].created_at)]


async def test_a_replys_step_shows_its_message_as_a_typeid(running: Lab) -> None:
    ended = await running.ask()
    async with running.db.tenant_tx(running.account) as tx:
        seen = await interactions.access(tx, owner(running), ended.id)
    assert seen.reply_message_id is not None and seen.steps is not None and seen.steps[-1].output is not None
    assert seen.steps[-1].output["message_id"] == encode("msg", seen.reply_message_id)

"""Pages of an export: whole, in order, once, and only what was there when it began."""

from uuid import UUID

import pytest

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain.agents import NewAgent
from retinue.domain.channels import ChannelKind, NewChannel, NewMember
from retinue.domain.messages import MessageFilter
from retinue.store import agents, channel_members, channels, exports
from tests.store.conftest import Office
from tests.store.talk import bridge, note, post


async def group(tx: Tx, office: Office) -> UUID:
    """A group of the member (who owns it), the lead and the admin."""
    made = await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="G"))
    for one in (office.lead, office.admin):
        await channel_members.add(tx, office.member, made.id, NewMember(user_id=one.user_id))
    return made.id


async def test_an_export_has_what_was_there_when_it_began_once_and_in_order(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        for number in range(7):
            await post(tx, office.account_id, channel, str(number), by=office.lead.user_id)
        _, upto = await exports.begin_channel(tx, office.lead, channel, "json", None)
        seen: list[str] = []
        after: int | None = None
        while True:
            await post(tx, office.account_id, channel, "later", by=office.lead.user_id)
            wanted = MessageFilter(newest_first=False, below=upto + 1, after_seq=after)
            entries, after = await exports.channel_page(tx, office.lead, channel, wanted, limit=3)
            seen += [one.text for one in entries]
            if after is None:
                break
    assert seen == list("0123456")


async def test_an_export_holds_what_its_reader_may_read_and_nothing_else(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        await post(tx, office.account_id, channel, "for the lead", agent=agent.id, to=office.lead.user_id)
        await post(tx, office.account_id, channel, "draft", agent=agent.id, status="pending_approval")
        wanted = MessageFilter(newest_first=False)
        for who, expected in ((office.lead, [("for the lead", ("only for Lead",))]), (office.member, [])):
            entries, _ = await exports.channel_page(tx, who, channel, wanted)
            assert [(one.text, one.notes) for one in entries] == expected
        thread = await bridge(tx, office.account_id, agent.id, channel)
        for number in range(5):
            await note(tx, office.account_id, thread, str(number))
        entries, after = await exports.thread_page(tx, office.admin, thread, None, limit=3)
        more, end = await exports.thread_page(tx, office.admin, thread, after, limit=3)
        assert ([one.text for one in (*entries, *more)], end) == (list("01234"), None)
        for attempt in (
            exports.begin_channel(tx, office.owner, channel, "json", None),
            exports.channel_page(tx, office.colleague, channel, wanted),
            exports.begin_thread(tx, office.lead, thread, "json"),
            exports.thread_page(tx, office.lead, thread, None),
        ):
            with pytest.raises(errors.NotFound):
                await attempt

"""Editing one's own message, taking a message back, and bringing it back again."""

from uuid import UUID

import pytest

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain.agents import NewAgent
from retinue.domain.audit import AuditFilter, reference
from retinue.domain.channels import ChannelChange, ChannelKind, NewChannel, NewMember
from retinue.domain.messages import UNDO_MINUTES, ThreadQuery
from retinue.store import agents, audit, channel_members, channels, corrections, messages, nodes, search
from tests.store.conftest import Office
from tests.store.talk import bridge, note, post


async def group(tx: Tx, office: Office) -> UUID:
    """A group of the member (who owns it) and the lead."""
    made = await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="G"))
    await channel_members.add(tx, office.member, made.id, NewMember(user_id=office.lead.user_id))
    return made.id


async def found(tx: Tx, office: Office, word: str) -> int:
    return len(await search.search_messages(tx, office.lead, ThreadQuery(text=word)))


@pytest.mark.requirement("VIEW-27")
async def test_an_edit_changes_what_people_see_and_find_and_keeps_what_was_said(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        said = await post(tx, office.account_id, channel, "teh plan", by=office.lead.user_id)
        for text in ("the plan", "the plan", "the whole plan"):
            changed = await corrections.edit(tx, office.lead, said, text)
        assert (changed.content, changed.edited_at is not None, changed.status) == ("the whole plan", True, "sent")
        assert [await found(tx, office, word) for word in ("teh", "whole")] == [0, 1]
        for reader in (office.lead, office.member):  # the author, and an owner of the channel
            assert [(one.number, one.content) for one in await corrections.history(tx, reader, said)] == [
                (1, "teh plan"),
                (2, "the plan"),
            ]
        lines = await audit.list_events(tx, office.account_id, AuditFilter(event="message.update"))
    assert [(line.actor_type, line.detail["content"]) for line in lines] == [
        ("user", reference("the whole plan")),
        ("user", reference("the plan")),
    ]
    assert lines[0].detail["before"] == {"content": reference("the plan")}


@pytest.mark.requirement("AGT-23")
async def test_what_an_agent_has_read_stays_what_it_read(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        thread = await bridge(tx, office.account_id, agent.id, channel)
        said = await post(tx, office.account_id, channel, "buy ten", by=office.lead.user_id)
        await note(tx, office.account_id, thread, "buy ten", message=said)
        await corrections.edit(tx, office.lead, said, "buy two")
        texts = await tx.fetch(
            "select text from thread_message where account_id = $1 and thread_id = $2", office.account_id, thread
        )
    assert [row["text"] for row in texts] == ["buy ten"]


async def test_one_edits_only_ones_own_sent_messages_in_open_channels(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        mine = await post(tx, office.account_id, channel, "a", by=office.lead.user_id)
        with pytest.raises(errors.Forbidden):  # whatever the role
            await corrections.edit(tx, office.member, mine, "b")
        with pytest.raises(errors.NotFound):
            await corrections.edit(tx, office.admin, mine, "b")
        with pytest.raises(errors.BadInput):
            await corrections.edit(tx, office.lead, mine, "")
        with pytest.raises(errors.Forbidden):
            await corrections.history(
                tx, office.lead, await post(tx, office.account_id, channel, "x", by=office.member.user_id)
            )
        await corrections.delete(tx, office.lead, mine)
        with pytest.raises(errors.WrongState):
            await corrections.edit(tx, office.lead, mine, "b")
        await corrections.restore(tx, office.lead, mine)
        await channels.update(tx, office.member, channel, ChannelChange(archived=True))
        with pytest.raises(errors.WrongState):
            await corrections.edit(tx, office.lead, mine, "b")


async def test_a_deletion_is_undone_as_if_it_had_not_been(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        thread = await bridge(tx, office.account_id, agent.id, channel)
        said = await post(tx, office.account_id, channel, "first", by=office.lead.user_id)
        await note(tx, office.account_id, thread, "first", message=said)
        before = await corrections.edit(tx, office.lead, said, "second")
        history = await corrections.history(tx, office.lead, said)
        told = await tx.fetch("select * from thread_message where account_id = $1", office.account_id)

        await corrections.delete(tx, office.lead, said)
        assert await corrections.history(tx, office.lead, said) == []
        assert await found(tx, office, "second") == 0
        after = await corrections.restore(tx, office.lead, said)

        assert after == before == await corrections.restore(tx, office.lead, said)
        assert await corrections.history(tx, office.lead, said) == history
        assert await tx.fetch("select * from thread_message where account_id = $1", office.account_id) == told
        assert await found(tx, office, "second") == 1
        lines = await audit.list_events(tx, office.account_id, AuditFilter(event="message."))
    assert [(line.event, line.actor_type) for line in lines] == [
        ("message.restore", "user"),
        ("message.delete", "user"),
        ("message.update", "user"),
    ]


async def test_only_whoever_deleted_it_brings_it_back_and_not_for_long(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        said = await post(tx, office.account_id, channel, "regretted", by=office.lead.user_id)
        await corrections.delete(tx, office.member, said)  # the channel's owner takes it out
        with pytest.raises(errors.WrongState):
            await corrections.restore(tx, office.lead, said)
        await tx.execute(
            "update message_trash set at = at - make_interval(mins => $2) where account_id = $1",
            office.account_id, UNDO_MINUTES,
        )  # fmt: skip
        with pytest.raises(errors.WrongState):
            await corrections.restore(tx, office.member, said)
    async with db.system_tx() as tx:
        gone = await nodes.prune(tx, stream_minutes=60, queue_log_days=3, idempotency_hours=24)
    async with db.tenant_tx(office.account_id) as tx:
        assert await tx.fetchval("select count(*) from message_trash where account_id = $1", office.account_id) == 0
        assert (await messages.access_message(tx, office.lead, said)).status == "deleted"
    assert gone["message_trash"] == 1


async def test_what_was_deleted_just_now_is_not_pruned(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        said = await post(tx, office.account_id, channel, "regretted", by=office.lead.user_id)
        await corrections.delete(tx, office.lead, said)
    async with db.system_tx() as tx:
        await nodes.prune(tx, stream_minutes=60, queue_log_days=3, idempotency_hours=24)
    async with db.tenant_tx(office.account_id) as tx:
        assert (await corrections.restore(tx, office.lead, said)).content == "regretted"

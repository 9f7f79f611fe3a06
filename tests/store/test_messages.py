"""Messages of channels as people read them."""

from uuid import UUID, uuid4

import pytest

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain.accounts import Principal
from retinue.domain.agents import NewAgent
from retinue.domain.audit import AuditFilter, reference
from retinue.domain.channels import ChannelKind, NewChannel, NewMember
from retinue.domain.messages import MessageFilter, NewThread
from retinue.store import agents, audit, channel_members, channels, corrections, exports, messages, threads
from tests.store.conftest import Office
from tests.store.talk import bridge, note, post


async def group(tx: Tx, office: Office) -> UUID:
    """A group of the member (who owns it) and the lead."""
    made = await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="G"))
    await channel_members.add(tx, office.member, made.id, NewMember(user_id=office.lead.user_id))
    return made.id


async def read(tx: Tx, who: Principal, channel_id: UUID, **wanted: object) -> list[str]:
    page = await messages.list_messages(tx, who, channel_id, MessageFilter.model_validate(wanted))
    return [one.content for one in page]


async def test_messages_are_paged_backwards_and_forwards_without_gap_or_repetition(
    db: Database, office: Office
) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        for number in range(7):
            await post(tx, office.account_id, channel, str(number), by=office.member.user_id)
        for newest_first, expected in ((True, "6543210"), (False, "0123456")):
            seen = ""
            after = None
            while True:
                wanted = MessageFilter(newest_first=newest_first, after_seq=after)
                page = await messages.list_messages(tx, office.lead, channel, wanted, limit=3)
                if not page:
                    break
                seen += "".join(one.content for one in page)
                after = page[-1].seq
            assert seen == expected


@pytest.mark.requirement("CHN-09", "CHN-10", "CHN-11", "CHN-13")
async def test_a_direct_message_is_seen_by_its_recipient_and_author_alone(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        question = await post(tx, office.account_id, channel, "inline", by=office.member.user_id)
        await post(tx, office.account_id, channel, "threaded", by=office.member.user_id, reply_to=question)
        hidden = [
            await post(tx, office.account_id, channel, "for lead", agent=agent.id, to=office.lead.user_id),
            await post(tx, office.account_id, channel, "to lead", by=office.lead.user_id, to=office.owner.user_id),
        ]
        assert await read(tx, office.lead, channel, newest_first=False) == ["inline", "threaded", "for lead", "to lead"]
        assert await read(tx, office.member, channel, newest_first=False) == ["inline", "threaded"]
        assert await read(tx, office.member, channel, reply_to=question) == ["threaded"]
        for one in hidden:
            assert (await messages.access_message(tx, office.lead, one)).id == one
            with pytest.raises(errors.NotFound):
                await messages.access_message(tx, office.member, one)


@pytest.mark.requirement("THR-25")
async def test_drafts_are_shown_to_owners_who_ask_and_to_nobody_else(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        await post(tx, office.account_id, channel, "sent", by=office.member.user_id)
        drafts = [
            await post(tx, office.account_id, channel, status, agent=agent.id, status=status)
            for status in ("pending_approval", "rejected")
        ]
        assert await read(tx, office.member, channel) == ["sent"]
        assert await read(tx, office.member, channel, drafts=True) == ["rejected", "pending_approval", "sent"]
        with pytest.raises(errors.Forbidden):
            await read(tx, office.lead, channel, drafts=True)
        for one in drafts:
            assert (await messages.access_message(tx, office.member, one)).id == one
            with pytest.raises(errors.NotFound):
                await messages.access_message(tx, office.lead, one)
        with pytest.raises(errors.WrongState):
            await corrections.delete(tx, office.member, drafts[0])


async def test_messages_of_a_closed_channel_do_not_exist_for_others(
    db: Database, office: Office, other_office: Office
) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        said = await post(tx, office.account_id, channel, "x", by=office.member.user_id)
        for who in (office.owner, office.admin, office.colleague):
            for attempt in (
                messages.list_messages(tx, who, channel),
                messages.access_message(tx, who, said),
                corrections.delete(tx, who, said),
            ):
                with pytest.raises(errors.NotFound):
                    await attempt
    async with db.tenant_tx(other_office.account_id) as tx:
        for attempt in (
            messages.list_messages(tx, other_office.owner, channel),
            messages.access_message(tx, other_office.owner, said),
        ):
            with pytest.raises(errors.NotFound):
                await attempt


@pytest.mark.requirement("AUD-13", "AUD-16", "CON-69")
async def test_a_deleted_message_leaves_its_place_and_its_hash(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        thread = await bridge(tx, office.account_id, agent.id, channel)
        said = await post(tx, office.account_id, channel, "regretted", by=office.lead.user_id)
        seq = await note(tx, office.account_id, thread, "regretted", message=said)
        await note(tx, office.account_id, thread, "kept")
        await corrections.delete(tx, office.lead, said)
        await corrections.delete(tx, office.lead, said)
        gone = await messages.access_message(tx, office.member, said)
        assert (gone.status, gone.content, gone.user_id, gone.seq) == ("deleted", "", office.lead.user_id, 1)
        texts = await tx.fetch(
            "select seq, text, parts from thread_message where account_id = $1 and thread_id = $2 order by seq",
            office.account_id, thread,
        )  # fmt: skip
        lines = await audit.list_events(tx, office.account_id, AuditFilter(event="message.delete"))
    assert [(row["seq"], row["text"]) for row in texts] == [(seq, ""), (seq + 1, "kept")]
    assert "regretted" not in str(texts)
    assert [line.detail["content"] for line in lines] == [reference("regretted")]
    assert "regretted" not in str(lines)


async def test_content_of_a_kind_that_is_not_known_is_passed_over(db: Database, office: Office) -> None:
    image = {"kind": "image", "media_type": "image/png", "url": "https://x.test/y.png"}
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        thread = (await threads.create(tx, office.lead, NewThread(agent_id=agent.id))).id
        await post(tx, office.account_id, channel, "text", by=office.lead.user_id)
        await note(tx, office.account_id, thread, "text")
        parts = [{"kind": "hologram", "data": 1}, image]
        await tx.execute("update message set parts = $2 where account_id = $1", office.account_id, parts)
        await tx.execute("update thread_message set parts = $2 where account_id = $1", office.account_id, parts)
        [shown] = await messages.list_messages(tx, office.lead, channel)
        [worked] = await threads.list_messages(tx, office.lead, thread)
        entries, _ = await exports.channel_page(tx, office.lead, channel, MessageFilter())
    assert [one.kind for one in shown.parts] == [one.kind for one in worked.parts] == ["image"]
    assert entries[0].attached == ("image",)


async def test_one_deletes_ones_own_messages_and_owners_delete_any(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        mine = await post(tx, office.account_id, channel, "a", by=office.member.user_id)
        theirs = await post(tx, office.account_id, channel, "b", by=office.lead.user_id)
        with pytest.raises(errors.Forbidden):
            await corrections.delete(tx, office.lead, mine)
        await corrections.delete(tx, office.member, theirs)
        with pytest.raises(errors.NotFound):
            await corrections.delete(tx, office.member, uuid4())

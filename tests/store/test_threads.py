"""Threads: made, continued, read, saved to."""

import asyncio
from uuid import UUID, uuid4

import pytest

from retinue import errors
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.agents import NewAgent
from retinue.domain.channels import ChannelKind
from retinue.domain.messages import NewThread, NewThreadMessage, ThreadFilter, ThreadMessageFilter
from retinue.store import agents, threads
from tests.store.conftest import Office
from tests.store.talk import bridge, interaction, note
from tests.store.test_channels import one_of_each


async def make_agent(db: Database, office: Office) -> UUID:
    async with db.tenant_tx(office.account_id) as tx:
        return (await agents.create(tx, office.admin, NewAgent(name="Ann"))).id


@pytest.mark.requirement("THR-01", "THR-02", "THR-04", "THR-08", "THR-09")
async def test_a_thread_is_made_and_continued_with_all_its_history(db: Database, office: Office) -> None:
    agent = await make_agent(db, office)
    async with db.tenant_tx(office.account_id) as tx:
        made = await threads.create(tx, office.member, NewThread(agent_id=agent, title="T", summary="S"))
    assert (made.owner, made.title, made.summary) == (ids.encode("usr", office.member.user_id), "T", "S")
    metadata = {"provider": "human", "agentName": "Sam", "status": "sent", "review": None, "providerMetadata": {}}
    for role, text in (("user", "hi"), ("assistant", "hello")):
        new = NewThreadMessage.model_validate({"role": role, "content": text, "metadata": metadata})
        async with db.tenant_tx(office.account_id) as tx:
            await threads.save_message(tx, office.member, made.id, new)
    async with db.tenant_tx(office.account_id) as tx:
        assert (await threads.access_thread(tx, office.member, made.id)).id == made.id
        page = await threads.list_messages(tx, office.member, made.id)
    assert [(one.role, one.author, one.seq, one.metadata) for one in page] == [
        ("user", "Member", 1, metadata), ("assistant", None, 2, metadata),
    ]  # fmt: skip


@pytest.mark.requirement("THR-03")
async def test_a_thread_of_the_system_is_made_and_read_by_admins(db: Database, office: Office) -> None:
    agent = await make_agent(db, office)
    async with db.tenant_tx(office.account_id) as tx:
        made = await threads.create(tx, office.admin, NewThread(agent_id=agent, context="context-id"))
        assert made.owner == "system:ann:context-id"
        assert (await threads.access_thread(tx, office.owner, made.id)).id == made.id
        with pytest.raises(errors.NotFound):
            await threads.access_thread(tx, office.member, made.id)
        with pytest.raises(errors.Forbidden):
            await threads.create(tx, office.member, NewThread(agent_id=agent, context="mine"))
        system = NewThreadMessage(role="system", content="Be brief.")
        assert (await threads.save_message(tx, office.admin, made.id, system)).role == "system"


async def test_a_users_thread_is_that_users_alone(db: Database, office: Office, other_office: Office) -> None:
    agent = await make_agent(db, office)
    async with db.tenant_tx(office.account_id) as tx:
        made = await threads.create(tx, office.member, NewThread(agent_id=agent))
        for who in (office.owner, office.admin, office.lead, office.colleague):
            assert await threads.list_threads(tx, who) == []
            for attempt in (
                threads.access_thread(tx, who, made.id),
                threads.list_messages(tx, who, made.id),
                threads.save_message(tx, who, made.id, NewThreadMessage(content="x")),
            ):
                with pytest.raises(errors.NotFound):
                    await attempt
        with pytest.raises(errors.Forbidden):
            await threads.save_message(tx, office.member, made.id, NewThreadMessage(role="system", content="x"))
        with pytest.raises(errors.NotFound):
            await threads.create(tx, office.member, NewThread(agent_id=uuid4()))
    async with db.tenant_tx(other_office.account_id) as tx:
        with pytest.raises(errors.NotFound):
            await threads.access_thread(tx, other_office.owner, made.id)


@pytest.mark.requirement("THR-17", "CON-74", "SCH-06")
async def test_a_channels_thread_is_for_admins_who_may_read_the_channel(db: Database, office: Office) -> None:
    agent = await make_agent(db, office)
    async with db.tenant_tx(office.account_id) as tx:
        made = await one_of_each(tx, office)
        bridged = {kind: await bridge(tx, office.account_id, agent, channel) for kind, channel in made.items()}
        assert {one.id for one in await threads.list_threads(tx, office.admin)} == set(bridged.values())
        assert {one.id for one in await threads.list_threads(tx, office.owner)} == {bridged[ChannelKind.ORGANISATION]}
        assert await threads.list_threads(tx, office.member) == []
        wanted = ThreadFilter(channel_id=made[ChannelKind.TEAM], agent_id=agent)
        (one,) = await threads.list_threads(tx, office.admin, wanted)
        assert one.channel_id == made[ChannelKind.TEAM]
        turn = await interaction(tx, office.account_id, agent, one.id, user=office.member.user_id, delivery="direct")
        await note(tx, office.account_id, one.id, "for the member", interaction=turn, role="assistant")
        await note(tx, office.account_id, one.id, "for all", role="assistant")
        page = await threads.list_messages(tx, office.admin, one.id)
    assert [message.seq for message in page] == [2]


@pytest.mark.requirement("THR-25")
async def test_drafts_of_a_thread_are_shown_only_when_asked_for(db: Database, office: Office) -> None:
    agent = await make_agent(db, office)
    async with db.tenant_tx(office.account_id) as tx:
        made = await threads.create(tx, office.member, NewThread(agent_id=agent))
        for status in ("pending_approval", "sent", "rejected"):
            await note(tx, office.account_id, made.id, status, metadata={"status": status})
        page = await threads.list_messages(tx, office.member, made.id)
        assert [one.metadata["status"] for one in page] == ["sent"]
        wanted = ThreadMessageFilter(drafts=True, newest_first=True)
        page = await threads.list_messages(tx, office.member, made.id, wanted, limit=2)
        assert [one.seq for one in page] == [3, 2]
        wanted = ThreadMessageFilter(drafts=True, newest_first=True, after_seq=2)
        assert [one.seq for one in await threads.list_messages(tx, office.member, made.id, wanted)] == [1]


@pytest.mark.requirement("THR-07")
async def test_saving_a_message_starts_no_turn_and_a_retry_finds_itself(db: Database, office: Office) -> None:
    agent = await make_agent(db, office)
    async with db.tenant_tx(office.account_id) as tx:
        made = await threads.create(tx, office.member, NewThread(agent_id=agent))
        own = ids.new()
        new = NewThreadMessage(content="hi")
        saved = [await threads.save_message(tx, office.member, made.id, new, message_id=own) for _ in range(2)]
        turns = await tx.fetchval("select count(*) from interaction where account_id = $1", office.account_id)
        page = await threads.list_messages(tx, office.member, made.id)
    assert turns == 0
    assert saved[0] == saved[1] == page[0]
    assert (saved[0].id, len(page)) == (own, 1)


async def test_writers_at_once_get_places_of_their_own(db: Database, office: Office) -> None:
    agent = await make_agent(db, office)
    async with db.tenant_tx(office.account_id) as tx:
        made = await threads.create(tx, office.member, NewThread(agent_id=agent))

    async def write(number: int) -> None:
        async with db.tenant_tx(office.account_id) as tx:
            await threads.save_message(tx, office.member, made.id, NewThreadMessage(content=str(number)))

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(write(number))
    async with db.tenant_tx(office.account_id) as tx:
        page = await threads.list_messages(tx, office.member, made.id)
    assert [one.seq for one in page] == list(range(1, 21))


async def test_threads_are_listed_newest_first_page_by_page(db: Database, office: Office) -> None:
    agent = await make_agent(db, office)
    async with db.tenant_tx(office.account_id) as tx:
        made = [(await threads.create(tx, office.member, NewThread(agent_id=agent))).id for _ in range(5)]
        seen: list[UUID] = []
        while page := await threads.list_threads(tx, office.member, before=seen[-1] if seen else None, limit=2):
            seen += [one.id for one in page]
    assert seen == list(reversed(made))

"""What channels and agents as configured here come to when a message arrives."""

import asyncio
from uuid import UUID

import pytest

from retinue.db.pool import Database
from retinue.domain.accounts import Principal
from retinue.domain.agents import AgentChange, AgentStatus, DeploymentState, NewAgent, TriggerMode
from retinue.domain.channels import ChannelKind, NewChannel, NewMember
from retinue.domain.events import Event
from retinue.domain.messages import Received
from retinue.store import agents, channel_members, channels, turns
from tests.store.conftest import Office


async def place(db: Database, office: Office, mode: TriggerMode = TriggerMode.PROACTIVE) -> tuple[UUID, UUID]:
    """An organisation channel and an agent in it."""
    async with db.tenant_tx(office.account_id) as tx:
        new = NewChannel(kind=ChannelKind.ORGANISATION, name="All")
        channel = (await channels.create(tx, office.admin, new)).id
        agent = (await agents.create(tx, office.admin, NewAgent(name="Ann"))).id
        await channel_members.add(tx, office.admin, channel, NewMember(agent_id=agent, trigger_mode=mode))
    return channel, agent


async def say(db: Database, who: Principal, channel: UUID, *, mentions: tuple[str, ...] = ()) -> Received:
    event = Event(account_id=who.account_id, user_id=who.user_id, channel_id=channel, content="hi", mentions=mentions)
    return await turns.receive(db, event)


@pytest.mark.requirement("TRG-19", "LIFE-12", "CON-40")
async def test_an_agent_that_is_not_enabled_and_active_is_not_triggered(db: Database, office: Office) -> None:
    channel, agent = await place(db, office)
    for change, triggered in (
        (AgentChange(status=AgentStatus.PAUSED), 0),
        (AgentChange(status=AgentStatus.DEACTIVATED), 0),
        (AgentChange(status=AgentStatus.ENABLED, deployment_state=DeploymentState.TESTING), 0),
        (AgentChange(deployment_state=DeploymentState.AVAILABLE), 0),
        (AgentChange(deployment_state=DeploymentState.ACTIVE), 1),
    ):
        async with db.tenant_tx(office.account_id) as tx:
            await agents.update(tx, office.admin, agent, change)
        received = await say(db, office.member, channel, mentions=("ann",))
        assert len(received.interactions) == triggered, change
    async with db.tenant_tx(office.account_id) as tx:
        await agents.delete(tx, office.admin, agent)
    assert (await say(db, office.member, channel, mentions=("ann",))).interactions == ()


@pytest.mark.requirement("TRG-02", "TRG-03", "TRG-20")
async def test_a_tightened_account_holds_for_members_of_before(db: Database, office: Office) -> None:
    channel, _ = await place(db, office)
    async with db.tenant_tx(office.account_id) as tx:
        await tx.execute("update account set loosest_trigger_mode = 'mention' where id = $1", office.account_id)
    assert (await say(db, office.member, channel)).interactions == ()
    assert len((await say(db, office.member, channel, mentions=("ann",))).interactions) == 1


@pytest.mark.requirement("THR-16", "THR-17", "THR-18", "CON-74")
async def test_two_first_messages_at_once_make_one_thread(db: Database, office: Office) -> None:
    channel, agent = await place(db, office)
    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(say(db, office.member, channel))
    async with db.tenant_tx(office.account_id) as tx:
        rows = await tx.fetch(
            "select t.owner, t.last_seq from thread t where t.account_id = $1 and t.agent_id = $2",
            office.account_id,
            agent,
        )
        live = await tx.fetchval("select count(*) from agent_thread where account_id = $1", office.account_id)
    assert (len(rows), live) == (1, 1)
    assert (rows[0]["owner"], rows[0]["last_seq"]) == (f"system:ann:{channel}", 6)

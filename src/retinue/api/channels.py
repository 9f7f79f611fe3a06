"""``/v1/channels``: channels and who is in them. What is said there is in ``history`` and ``messages``."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from retinue.api import deps, pages
from retinue.domain.channels import (
    Channel,
    ChannelChange,
    ChannelFilter,
    ChannelKind,
    ChannelMember,
    MemberChange,
    NewChannel,
    NewMember,
)
from retinue.domain.ids import AgentId, ChannelId, PartyId
from retinue.store import channel_members, channels, reads

router = APIRouter(prefix="/v1/channels", tags=["channels"])


async def wanted(
    kind: ChannelKind | None = None,
    agent_id: Annotated[AgentId | None, Query(description="Only those this agent is in.")] = None,
    archived: bool = False,
) -> ChannelFilter:
    """The filters of the list."""
    return ChannelFilter(kind=kind, agent_id=agent_id, archived=archived)


@router.get("")
async def list_channels(
    caller: deps.Caller, db: deps.Db, page: pages.Paging, filters: Annotated[ChannelFilter, Depends(wanted)]
) -> pages.Page[Channel]:
    """The channels you can read, with what is new in them for you."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await channels.list_channels(tx, caller, filters, after=page.after_id(), limit=page.fetch)
        rows = await reads.dress(tx, caller, rows)
    return pages.make(rows, page, lambda channel: [channel.id])


@router.post("", status_code=201)
async def create_channel(new: NewChannel, caller: deps.Caller, db: deps.Db) -> Channel:
    """A new channel, yours, with these members. Anyone makes groups and private ones."""
    async with db.tenant_tx(caller.account_id) as tx:
        made = await channels.create(tx, caller, new)
        for member in new.members:
            await channel_members.add(tx, caller, made.id, member)
        [found] = await reads.dress(tx, caller, [made])
    return found


@router.get("/{channel_id}")
async def get_channel(channel_id: ChannelId, caller: deps.Caller, db: deps.Db) -> Channel:
    """One channel, with what is new in it for you."""
    async with db.tenant_tx(caller.account_id) as tx:
        [found] = await reads.dress(tx, caller, [await channels.access_channel(tx, caller, channel_id)])
    return found


@router.patch("/{channel_id}")
async def update_channel(channel_id: ChannelId, change: ChannelChange, caller: deps.Caller, db: deps.Db) -> Channel:
    """Change what the body names. Takes an owner of the channel or an admin."""
    async with db.tenant_tx(caller.account_id) as tx:
        [found] = await reads.dress(tx, caller, [await channels.update(tx, caller, channel_id, change)])
    return found


@router.delete("/{channel_id}", status_code=204)
async def archive_channel(channel_id: ChannelId, caller: deps.Caller, db: deps.Db) -> None:
    """Archive a channel: it is read, not written, until ``archived`` is set to false again."""
    async with db.tenant_tx(caller.account_id) as tx:
        await channels.update(tx, caller, channel_id, ChannelChange(archived=True))


@router.get("/{channel_id}/members")
async def list_channel_members(
    channel_id: ChannelId, caller: deps.Caller, db: deps.Db, page: pages.Paging
) -> pages.Page[ChannelMember]:
    """People and agents of the channel; those of an organisation or team are in its channels by themselves."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await channel_members.list_members(tx, caller, channel_id, after=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda member: [member.user_id or member.agent_id])


@router.post("/{channel_id}/members", status_code=201)
async def add_channel_member(channel_id: ChannelId, new: NewMember, caller: deps.Caller, db: deps.Db) -> ChannelMember:
    """Put a person or an agent in. An agent's trigger mode is the strictest that account, team and user allow."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await channel_members.add(tx, caller, channel_id, new)


@router.patch("/{channel_id}/members/{party_id}")
async def update_channel_member(
    channel_id: ChannelId, party_id: PartyId, change: MemberChange, caller: deps.Caller, db: deps.Db
) -> ChannelMember:
    """Change a person's role or an agent's trigger mode."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await channel_members.update(tx, caller, channel_id, party_id, change)


@router.delete("/{channel_id}/members/{party_id}", status_code=204)
async def remove_channel_member(channel_id: ChannelId, party_id: PartyId, caller: deps.Caller, db: deps.Db) -> None:
    """Take a member out, or leave."""
    async with db.tenant_tx(caller.account_id) as tx:
        await channel_members.remove(tx, caller, channel_id, party_id)

"""Who is in a channel: people and agents. Membership makes an agent reachable there (CHN-04).

The people of an organisation or team channel are in it without a row of their own. An agent that somebody may not ask
is named to them all the same: whoever writes in a channel may know who reads it.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import mentions
from retinue.domain.accounts import Principal
from retinue.domain.channels import ChannelMember, MemberChange, NewMember
from retinue.store import agents, channels

EVERYONE = """
with everyone as (
    select m.party_id, m.user_id, m.agent_id, m.role, m.trigger_mode, m.joined_at
    from channel_member m where m.account_id = $1 and m.channel_id = $2
    union all
    select u.user_id, u.user_id, null, 'member', null, min(u.created_at)
    from channel c join member u on u.account_id = c.account_id
        and ((c.kind = 'organisation' and u.team_id is null) or (c.kind = 'team' and u.team_id = c.team_id))
    where c.account_id = $1 and c.id = $2 and not exists (
        select from channel_member m where m.account_id = $1 and m.channel_id = $2 and m.party_id = u.user_id)
    group by u.user_id)
select $2::uuid as channel_id, case when e.agent_id is null then 'user' else 'agent' end as kind, e.user_id, e.agent_id,
    coalesce(u.name, g.name) as name, g.slug, u.email, e.role, e.trigger_mode, e.joined_at,
    e.agent_id is null or (g.deployment_state = 'active' and assigned_v1($1, e.agent_id, $6, (
        select team_id from channel where account_id = $1 and id = $2))) as reachable
from everyone e
left join app_user u on u.account_id = $1 and u.id = e.user_id
left join agent g on g.account_id = $1 and g.id = e.agent_id
where ($3::uuid is null or e.party_id > $3) and ($4::uuid is null or e.party_id = $4)
order by e.party_id
limit $5
"""


async def list_members(
    tx: Tx, principal: Principal, channel_id: UUID, *, after: UUID | None = None, limit: int = 51
) -> list[ChannelMember]:
    """People and agents in order of their ids, after the party ``after``. Raises NotFound (the channel)."""
    await channels.access_channel(tx, principal, channel_id)
    rows = await tx.fetch(EVERYONE, principal.account_id, channel_id, after, None, limit, principal.user_id)
    return [_member(row) for row in rows]


async def access_member(tx: Tx, principal: Principal, channel_id: UUID, party_id: UUID) -> ChannelMember:
    """One member of a channel this user can read. Raises NotFound."""
    await channels.access_channel(tx, principal, channel_id)
    row = await tx.fetchrow(EVERYONE, principal.account_id, channel_id, None, party_id, 1, principal.user_id)
    if row is None:
        raise errors.NotFound("There is no such member in this channel.")
    return _member(row)


def _member(row: Mapping[str, Any]) -> ChannelMember:
    fields = dict(row)
    email = fields.pop("email")
    return ChannelMember.model_validate(fields | ({"slug": mentions.handle(row["name"], email)} if email else {}))


USER = "select id from app_user where account_id = $1 and id = $2 and status = 'active'"


async def add(tx: Tx, principal: Principal, channel_id: UUID, new: NewMember) -> ChannelMember:
    """Put a person or an agent into a channel; one who is there gets the new role or mode.

    Takes an owner of the channel or an admin. Raises NotFound (channel, user, agent), Forbidden, WrongState (archived),
    BadInput.
    """
    await _changeable(tx, principal, channel_id)
    wrong = new.objections()
    if wrong:
        raise errors.BadInput("This cannot be a member.", errors=wrong)
    account = principal.account_id
    if new.agent_id is not None:
        agent = await agents.access_agent(tx, principal, new.agent_id)
        mode = await channels.clamp(tx, account, channel_id, new.trigger_mode or agent.default_trigger_mode)
        await channels.join(tx, account, channel_id, NewMember(agent_id=agent.id, trigger_mode=mode))
        detail: dict[str, Any] = {"agent_id": agent.id, "trigger_mode": mode, "asked": new.trigger_mode}
    else:
        if await tx.fetchval(USER, account, new.user_id) is None:
            raise errors.NotFound("There is no such user, or the user is suspended.")
        if new.role == "member":
            await _keep_an_owner(tx, account, channel_id, new.user_id)
        await channels.join(tx, account, channel_id, new)
        detail = {"user_id": new.user_id, "role": new.role}
    await _announce(tx, principal, "channel.member_add", channel_id, detail)
    return await access_member(tx, principal, channel_id, _party(new.user_id, new.agent_id))


ROW = """
select user_id, agent_id, role, trigger_mode from channel_member
where account_id = $1 and channel_id = $2 and party_id = $3 for update
"""


async def update(tx: Tx, principal: Principal, channel_id: UUID, party_id: UUID, change: MemberChange) -> ChannelMember:
    """Change a person's role or an agent's trigger mode. Raises NotFound, Forbidden, BadInput, WrongState."""
    await _changeable(tx, principal, channel_id)
    seen = await access_member(tx, principal, channel_id, party_id)
    body = change.model_dump(mode="json", exclude_unset=True)
    wrong = "trigger_mode" if seen.kind == "user" else "role"
    if wrong in body:
        reason = "only agents have one" if wrong == "trigger_mode" else "only people have one"
        raise errors.BadInput("Leave the field out.", errors=[{"path": f"body.{wrong}", "reason": reason}])
    if not body:
        return seen
    new = NewMember.model_validate({"user_id": seen.user_id, "agent_id": seen.agent_id, **body})
    return await add(tx, principal, channel_id, new)


REMOVE = "delete from channel_member where account_id = $1 and channel_id = $2 and party_id = $3"


async def remove(tx: Tx, principal: Principal, channel_id: UUID, party_id: UUID) -> None:
    """Take a member out, or leave. Raises NotFound (also for the people of an organisation or team, who are in its
    channels without a row), Forbidden, WrongState (the last owner while others remain)."""
    await channels.access_channel(tx, principal, channel_id)
    if party_id != principal.user_id:
        await channels.require_owner(tx, principal, channel_id)
    row = await tx.fetchrow(ROW, principal.account_id, channel_id, party_id)
    if row is None:
        raise errors.NotFound("There is no such member in this channel who could be taken out.")
    await _keep_an_owner(tx, principal.account_id, channel_id, row["user_id"])
    await tx.execute(REMOVE, principal.account_id, channel_id, party_id)
    detail = {"user_id": row["user_id"], "agent_id": row["agent_id"]}
    await _announce(tx, principal, "channel.member_remove", channel_id, detail)


MEMBERSHIP = "select notify_v1($1, 'membership', $2, $3)"


async def _announce(tx: Tx, principal: Principal, event: str, channel_id: UUID, detail: dict[str, Any]) -> None:
    """Tell whoever is in the channel, and whoever came or went, who may have no other news of it."""
    user_id = detail.get("user_id")
    await channels.announce(tx, principal, event, channel_id, detail, to=user_id)
    for scope in {channel_id, user_id or channel_id}:
        await tx.execute(MEMBERSHIP, principal.account_id, channel_id, scope)


async def _changeable(tx: Tx, principal: Principal, channel_id: UUID) -> None:
    seen = await channels.access_channel(tx, principal, channel_id)
    await channels.require_owner(tx, principal, channel_id)
    if seen.archived_at is not None:
        raise errors.WrongState("This channel is archived. Set archived to false first.")


LAST_OWNER = """
select m.role = 'owner'
    and not exists (select from channel_member o where o.account_id = $1 and o.channel_id = $2 and o.party_id <> $3
                    and o.role = 'owner')
    and exists (select from channel_member o where o.account_id = $1 and o.channel_id = $2 and o.party_id <> $3
                and o.user_id is not null)
from channel c join channel_member m on m.account_id = c.account_id and m.channel_id = c.id
where c.account_id = $1 and c.id = $2 and m.party_id = $3 and c.kind in ('group', 'private')
"""
HOLD = "select from channel where account_id = $1 and id = $2 for no key update"


async def _keep_an_owner(tx: Tx, account_id: UUID, channel_id: UUID, user_id: UUID | None) -> None:
    """Raises WrongState when this is the only owner of a channel with other people; two who leave at once queue."""
    if user_id is None:
        return
    await tx.execute(HOLD, account_id, channel_id)
    if await tx.fetchval(LAST_OWNER, account_id, channel_id, user_id):
        raise errors.WrongState("Make someone else an owner of this channel first.")


def _party(user_id: UUID | None, agent_id: UUID | None) -> UUID:
    found = user_id or agent_id
    assert found is not None
    return found

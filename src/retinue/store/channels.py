"""Channels: made, changed, archived, and who may see which. Their members are in ``channel_members``.

Everyone in the account reads an organisation channel, everyone in a team the team's, and those invited the groups and
private ones (``may_enter_v1``); nobody else, whatever the role. Owners of a channel, leads of its team and admins
change what they can read.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import ids
from retinue.domain.accounts import Principal, Role, at_least
from retinue.domain.agents import TriggerMode, strictest
from retinue.domain.audit import actor
from retinue.domain.channels import (
    Channel,
    ChannelChange,
    ChannelFilter,
    ChannelKind,
    NewChannel,
    NewMember,
)
from retinue.store import agents, audit

LOOKED_UP = frozenset(
    {
        "last_message_at",
        "read_seq",
        "unread",
        "mentions_unread",
        "people_count",
        "agent_count",
        "agent_id",
        "may_change",
    }
)
"""Fields that are no columns: ``reads.dress`` fills them in for the channels that are shown."""
FIELDS = tuple(name for name in Channel.model_fields if name not in LOOKED_UP)
COLUMNS = ", ".join(f"c.{name}" for name in FIELDS)


def channel(row: Mapping[str, Any]) -> Channel:
    """A channel from its row, without what ``reads.dress`` adds."""
    return Channel.model_validate({name: row[name] for name in FIELDS})


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

ACCESS = f"select {COLUMNS} from channel c where c.account_id = $1 and c.id = $2 and may_enter_v1($1, c.id, $3)"


async def access_channel(tx: Tx, principal: Principal, channel_id: UUID) -> Channel:
    """One channel. Raises NotFound for what is not there or not open to this user."""
    row = await tx.fetchrow(ACCESS, principal.account_id, channel_id, principal.user_id)
    if row is None:
        raise errors.NotFound("There is no such channel, or you are not in it.")
    return channel(row)


LIST = f"""
select {COLUMNS} from channel c
where c.account_id = $1 and c.id in (select readable_channels_v1($1, $2))
  and ($3::text is null or c.kind = $3)
  and ($4::uuid is null or exists (
        select from channel_member m where m.account_id = $1 and m.channel_id = c.id and m.agent_id = $4))
  and (c.archived_at is not null) = $5
  and ($6::uuid is null or c.id > $6)
order by c.id
limit $7
"""


async def list_channels(
    tx: Tx, principal: Principal, wanted: ChannelFilter | None = None, *, after: UUID | None = None, limit: int = 51
) -> list[Channel]:
    """The channels this user can read, oldest first, after the channel ``after``."""
    wanted = wanted or ChannelFilter()
    rows = await tx.fetch(
        LIST, principal.account_id, principal.user_id, wanted.kind, wanted.agent_id, wanted.archived, after, limit
    )
    return [channel(row) for row in rows]


async def require_owner(tx: Tx, principal: Principal, channel_id: UUID) -> None:
    """Raises Forbidden unless this user may change the channel. Whether it can be read is ``access_channel``'s."""
    owns = await tx.fetchval("select owns_channel_v1($1, $2, $3)", principal.account_id, channel_id, principal.user_id)
    if not owns:
        raise errors.Forbidden("This takes an owner of the channel or an admin.")


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

INSERT = f"""
insert into channel as c (account_id, id, kind, name, slug, team_id, input_policy, debounce_ms, default_delivery,
                          created_by)
select $1, $2, r.kind, r.name, r.slug, $4, r.input_policy, r.debounce_ms,
       coalesce(r.default_delivery, a.default_delivery), $5
from jsonb_populate_record(null::channel, $3) r join account a on a.id = $1
returning {COLUMNS}
"""


async def create(tx: Tx, principal: Principal, new: NewChannel, *, channel_id: UUID | None = None) -> Channel:
    """Make a channel that this user owns; ``new.members`` are added by ``channel_members.add``.

    Organisation channels take an admin, team channels an admin or a lead of the team. Raises Forbidden, NotFound (the
    team), AlreadyExists (the slug).
    """
    await _check_may_create(tx, principal, new)
    body = new.model_dump(mode="json", exclude={"members", "team_id"})
    made = channel_id or ids.new()
    try:
        async with tx.transaction():
            row = await tx.fetchrow(INSERT, principal.account_id, made, body, new.team_id, principal.user_id)
    except asyncpg.UniqueViolationError as error:
        raise _slug_taken() from error
    assert row is not None
    await join(tx, principal.account_id, made, NewMember(user_id=principal.user_id, role="owner"))
    await announce(tx, principal, "channel.create", made, {"kind": new.kind, "team_id": new.team_id})
    return channel(row)


TEAM = """
select exists (select from member m where m.account_id = t.account_id and m.team_id = t.id and m.user_id = $3
               and m.role = 'lead')
from team t where t.account_id = $1 and t.id = $2
"""


async def _check_may_create(tx: Tx, principal: Principal, new: NewChannel) -> None:
    is_admin = at_least(principal.role, Role.ADMIN)
    if new.kind is ChannelKind.ORGANISATION and not is_admin:
        raise errors.Forbidden("Only admins and owners make channels of the whole organisation.")
    if new.kind is ChannelKind.TEAM:
        leads = await tx.fetchval(TEAM, principal.account_id, new.team_id, principal.user_id)
        if leads is None:
            raise errors.NotFound("There is no such team.")
        if not leads and not is_admin:
            raise errors.Forbidden("Only admins and the team's leads make channels of a team.")


UPDATE = f"""
update channel c set name = r.name, slug = r.slug, input_policy = r.input_policy, debounce_ms = r.debounce_ms,
    default_delivery = r.default_delivery,
    archived_at = case $4::boolean when true then coalesce(c.archived_at, clock()) when false then null
                  else c.archived_at end
from (select (jsonb_populate_record(x, $3)).* from channel x where x.account_id = $1 and x.id = $2 for update) r
where c.account_id = $1 and c.id = $2
returning {COLUMNS}
"""


async def update(tx: Tx, principal: Principal, channel_id: UUID, change: ChannelChange) -> Channel:
    """Change what ``change`` names. Raises NotFound, Forbidden, AlreadyExists (the slug)."""
    seen = await access_channel(tx, principal, channel_id)
    await require_owner(tx, principal, channel_id)
    body = change.model_dump(mode="json", exclude_unset=True)
    if not body:
        return seen
    try:
        async with tx.transaction():
            row = await tx.fetchrow(UPDATE, principal.account_id, channel_id, body, body.get("archived"))
    except asyncpg.UniqueViolationError as error:
        raise _slug_taken() from error
    assert row is not None
    said = {"archived": body["archived"]} if "archived" in body else {}
    await announce(tx, principal, "channel.update", channel_id, {"fields": sorted(body), **said})
    return channel(row)


def _slug_taken() -> errors.AlreadyExists:
    return errors.AlreadyExists("There is a channel with this slug already. Choose another.")


# ── a user alone with an agent ───────────────────────────────────────────────────────────────────────────────────

ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended('direct ' || $1::uuid || ' ' || $2::uuid, 0))"
FIND_DIRECT = f"""
select {COLUMNS} from channel c
where c.account_id = $1 and c.kind = 'private' and c.archived_at is null
  and exists (select from channel_member m where m.account_id = $1 and m.channel_id = c.id and m.user_id = $2)
  and exists (select from channel_member m where m.account_id = $1 and m.channel_id = c.id and m.agent_id = $3)
  and (select count(*) from channel_member m where m.account_id = $1 and m.channel_id = c.id) = 2
order by c.id
limit 1
"""


async def direct(tx: Tx, principal: Principal, agent_id: UUID) -> Channel:
    """The private channel of this user and this agent alone, made at the first call. The agent is proactive there, as
    far as account and user allow. Raises NotFound for an agent out of reach."""
    agent = await agents.access_agent(tx, principal, agent_id)
    await tx.execute(ONE_AT_A_TIME, principal.user_id, agent_id)
    row = await tx.fetchrow(FIND_DIRECT, principal.account_id, principal.user_id, agent_id)
    if row is not None:
        return channel(row)
    made = await create(tx, principal, NewChannel(kind=ChannelKind.PRIVATE, name=agent.name, default_delivery="inline"))
    mode = await clamp(tx, principal.account_id, made.id, TriggerMode.PROACTIVE)
    await join(tx, principal.account_id, made.id, NewMember(agent_id=agent_id, trigger_mode=mode))
    return made


# ── membership rows, for this module and channel_members ─────────────────────────────────────────────────────────

JOIN = """
insert into channel_member as m (account_id, channel_id, party_id, user_id, agent_id, role, trigger_mode)
values ($1, $2, coalesce($3::uuid, $4::uuid), $3, $4, $5, $6)
on conflict (account_id, channel_id, party_id) do update set role = excluded.role, trigger_mode = excluded.trigger_mode
"""


async def join(tx: Tx, account_id: UUID, channel_id: UUID, new: NewMember) -> None:
    """Write one membership as it is. Whoever calls has checked that it may be, and has clamped the mode."""
    await tx.execute(JOIN, account_id, channel_id, new.user_id, new.agent_id, new.role, new.trigger_mode)


LOOSEST = """
select a.loosest_trigger_mode as account, t.loosest_trigger_mode as team, u.loosest_trigger_mode as alone
from channel c
join account a on a.id = c.account_id
left join team t on t.account_id = c.account_id and t.id = c.team_id
left join app_user u on u.account_id = c.account_id and c.kind = 'private' and u.id = c.created_by
where c.account_id = $1 and c.id = $2
"""


async def clamp(tx: Tx, account_id: UUID, channel_id: UUID, mode: TriggerMode) -> TriggerMode:
    """The strictest of ``mode`` and what the account, the channel's team and, in a private channel, its user allow
    (TRG-20). What the author of a message allows is added when the message comes."""
    row = await tx.fetchrow(LOOSEST, account_id, channel_id)
    assert row is not None
    return strictest(mode, *(TriggerMode(value) for value in row.values() if value is not None))


NOTIFY = "select notify_v1($1, 'channel', $2, $3)"


async def announce(
    tx: Tx, principal: Principal, event: str, channel_id: UUID, detail: dict[str, Any], *, to: UUID | None = None
) -> None:
    """Audit a change and tell the live pages of those who can read the channel, and of the user ``to``."""
    body = {"channel_id": channel_id, **{key: value for key, value in detail.items() if value is not None}}
    await audit.append(tx, account_id=principal.account_id, event=event, actor=actor(principal), detail=body)
    for scope in {channel_id, to or channel_id}:
        await tx.execute(NOTIFY, principal.account_id, channel_id, scope)

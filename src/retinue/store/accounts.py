"""Accounts: the tenants. Making one is an act of the installation (CLI); everything else happens inside it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain import audit as lines
from retinue.domain import ids
from retinue.domain.accounts import Account, AccountChanges, Bootstrapped, NewUser, Role, User
from retinue.domain.agents import Agent
from retinue.domain.channels import Channel
from retinue.store import audit, catalog, members, users

COLUMNS = "id, name, slug, default_model, loosest_trigger_mode, default_delivery, created_at"
GET = f"select {COLUMNS} from account where id = $1"
FIND = "select id from account where slug = $1 or id = $2"
MAKE = "insert into account (id, name, slug) values ($1, $2, $3) on conflict (slug) do nothing"
UPDATE = f"""
update account set name = coalesce($2, name), loosest_trigger_mode = coalesce($3, loosest_trigger_mode),
                   default_model = case when $4 then $5 else default_model end,
                   default_delivery = coalesce($6, default_delivery)
where id = $1 returning {COLUMNS}
"""
LOCK = "select from account where id = $1 for no key update"


async def get(tx: Tx, account_id: UUID) -> Account:
    """The account. Raises ``NotFound``."""
    row = await tx.fetchrow(GET, account_id)
    if row is None:
        raise errors.NotFound("There is no such account.")
    return Account(**row)


async def find(tx: Tx, text: str) -> UUID | None:
    """The account of this slug or id. ``tx`` is a system transaction: nobody is signed in yet."""
    try:
        account_id = ids.decode("acc", text)
    except ValueError:
        account_id = None
    found: UUID | None = await tx.fetchval(FIND, text, account_id)
    return found


async def update(tx: Tx, account_id: UUID, changes: AccountChanges) -> Account:
    """Change the account's own settings."""
    row = await tx.fetchrow(
        UPDATE, account_id, changes.name, changes.loosest_trigger_mode, "default_model" in changes.model_fields_set,
        changes.default_model, changes.default_delivery,
    )  # fmt: skip
    if row is None:
        raise errors.NotFound("There is no such account.")
    return Account(**row)


# ── the first run ────────────────────────────────────────────────────────────────────────────────────────────────

CHANNEL = """id, kind, name, slug, team_id, transport, input_policy, debounce_ms, default_delivery, archived_at,
             created_at, last_seq"""
ORGANISATION = f"""
select {CHANNEL} from channel where account_id = $1 and kind = 'organisation' order by id limit 1
"""
PRIVATE = f"""
select {CHANNEL} from channel c
where account_id = $1 and kind = 'private' and created_by = $2
  and exists (select from channel_member m where m.account_id = $1 and m.channel_id = c.id and m.agent_id = $3)
order by id limit 1
"""
NEW_CHANNEL = f"""
insert into channel (account_id, id, kind, name, slug, created_by) values ($1, $2, $3, $4, $5, $6) returning {CHANNEL}
"""
JOIN = """
insert into channel_member (account_id, channel_id, party_id, user_id, agent_id, role, trigger_mode)
values ($1, $2, coalesce($3::uuid, $4::uuid), $3, $4, $5, $6) on conflict do nothing
"""
ASSISTANT = "select * from agent where account_id = $1 and slug = $2 and deleted_at is null"
NEW_AGENT = """
insert into agent (account_id, id, slug, name, description, accent_colour, system_prompt, model, trust_level,
                   default_trigger_mode, catalog_slug, origin)
select $1, $2, slug, name, coalesce(manifest ->> 'description', ''), coalesce(manifest ->> 'accent_colour', '#5b6b7b'),
       default_system_prompt, default_model, default_trust_level, default_trigger_mode, slug, 'built_in'
from agent_catalog where slug = $3
"""
AGENT_TOOLS = """
insert into agent_tool (account_id, agent_id, tool)
select $1, $2, unnest(default_tool_ids) from agent_catalog where slug = $3 on conflict do nothing
"""
BUILT_IN = "assistant"


async def bootstrap(
    db: Database, *, name: str = "Home", slug: str = "home", email: str = "owner@localhost", owner_name: str = "Owner"
) -> Bootstrapped:
    """What a first run needs: account, owner, organisation channel, Assistant, the owner's channel with it.

    A second call, or one at the same time, finds what is there. An account that has an owner keeps that owner.
    """
    async with db.system_tx() as tx:
        await catalog.load(tx)
        await tx.execute(MAKE, ids.new(), name, slug)
        account_id = await find(tx, slug)
        assert account_id is not None
    async with db.tenant_tx(account_id) as tx:
        await tx.execute(LOCK, account_id)
        owner = await _owner(tx, account_id, NewUser(email=email, name=owner_name, role=Role.OWNER))
        agent = await _assistant(tx, account_id)
        channel = await _organisation(tx, account_id, agent, owner, name)
        private = await _private(tx, account_id, agent, owner)
        return Bootstrapped(
            account=await get(tx, account_id), owner=owner, channel=channel, agent=agent, private_channel=private
        )


async def _owner(tx: Tx, account_id: UUID, new: NewUser) -> User:
    owner_id = await members.first_owner(tx, account_id)
    if owner_id is None:
        owner_id = (await users.create(tx, account_id, new)).id
        detail = {"user_id": owner_id, "role": new.role.value}
        await audit.append(tx, account_id=account_id, event="account.create", actor=lines.SYSTEM, detail=detail)
    found = await users.get(tx, account_id, owner_id)
    return User(**found.model_dump(exclude={"role"}))


async def _assistant(tx: Tx, account_id: UUID) -> Agent:
    row = await tx.fetchrow(ASSISTANT, account_id, BUILT_IN)
    if row is None:
        agent_id = ids.new()
        await tx.execute(NEW_AGENT, account_id, agent_id, BUILT_IN)
        await tx.execute(AGENT_TOOLS, account_id, agent_id, BUILT_IN)
        detail = {"agent_id": agent_id, "origin": "built_in"}
        await audit.append(tx, account_id=account_id, event="agent.create", actor=lines.SYSTEM, detail=detail)
        row = await tx.fetchrow(ASSISTANT, account_id, BUILT_IN)
    assert row is not None
    return _agent(row)


async def _organisation(tx: Tx, account_id: UUID, agent: Agent, owner: User, name: str) -> Channel:
    row = await tx.fetchrow(ORGANISATION, account_id)
    if row is None:
        row = await tx.fetchrow(NEW_CHANNEL, account_id, ids.new(), "organisation", name, "organisation", owner.id)
        assert row is not None
        await tx.execute(JOIN, account_id, row["id"], owner.id, None, "owner", None)
        await tx.execute(JOIN, account_id, row["id"], None, agent.id, "member", "mention")
    return Channel(**row)


async def _private(tx: Tx, account_id: UUID, agent: Agent, owner: User) -> Channel:
    row = await tx.fetchrow(PRIVATE, account_id, owner.id, agent.id)
    if row is None:
        row = await tx.fetchrow(NEW_CHANNEL, account_id, ids.new(), "private", agent.name, None, owner.id)
        assert row is not None
        await tx.execute(JOIN, account_id, row["id"], owner.id, None, "owner", None)
        await tx.execute(JOIN, account_id, row["id"], None, agent.id, "member", "proactive")
    return Channel(**row)


def _agent(row: Mapping[str, Any]) -> Agent:
    return Agent.model_validate({field: row[field] for field in Agent.model_fields})

"""The people, agents, channels and histories a benchmark works on, written in bulk by SQL as the database's owner.

The rows are those Retinue writes itself; where a turn is measured, it is Retinue that writes them.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from retinue.domain.accounts import NewKey, Scope
from retinue.store import keys

ACCOUNT = "insert into account (id, name, slug) values (new_id(), 'Bench', 'bench') returning id"
USER = "insert into app_user (account_id, id, email, name) values ($1, new_id(), 'ada@example.org', 'Ada') returning id"
MEMBER = "insert into member (account_id, id, user_id, role) values ($1, new_id(), $2, 'owner')"
AGENT = (
    "insert into agent (account_id, id, slug, name, system_prompt, model) "
    "values ($1, new_id(), 'assistant', 'Assistant', 'You are a helpful assistant.', $2) returning id"
)
CHANNELS = """
with made as (
    insert into channel (account_id, id, kind, name, created_by)
    select $1, new_id(), 'private', 'Chat ' || n, $2 from generate_series(1, $4) n returning id),
people as (
    insert into channel_member (account_id, channel_id, party_id, user_id, role)
    select $1, id, $2, $2, 'owner' from made),
agents as (
    insert into channel_member (account_id, channel_id, party_id, agent_id, trigger_mode)
    select $1, id, $3, $3, 'proactive' from made)
select id from made
"""
MESSAGES = """
insert into message (account_id, id, channel_id, seq, author_kind, user_id, agent_id, content)
select $1, new_id(), $4, n, case when n % 2 = 1 then 'user' else 'agent' end, case when n % 2 = 1 then $2::uuid end,
       case when n % 2 = 0 then $3::uuid end, 'Message ' || n || ' of a long conversation about the weather.'
from generate_series(1, $5::bigint) n
"""
THREAD = """
insert into thread (account_id, id, agent_id, owner, last_seq)
values ($1, new_id(), $2, 'system:assistant:' || $3::text, $4) returning id
"""
AGENT_THREAD = """
insert into agent_thread (account_id, channel_id, agent_id, thread_id, trigger_mode, fed_seq)
values ($1, $2, $3, $4, 'proactive', $5)
"""
THREAD_MESSAGES = """
insert into thread_message (account_id, thread_id, seq, id, role, author, parts, message_id, text)
select m.account_id, $3, m.seq, new_id(), case when m.user_id is null then 'assistant' else 'user' end,
       case when m.user_id is null then 'Assistant' else 'Ada' end,
       jsonb_build_array(jsonb_build_object('kind', 'text', 'text', m.content)), m.id, m.content
from message m where m.account_id = $1 and m.channel_id = $2
"""


@dataclass(frozen=True)
class World:
    """One account with one user and one agent."""

    account_id: UUID
    user_id: UUID
    agent_id: UUID


async def make(connection: Any, model: str | None = None) -> World:
    """An account, its owner and its agent."""
    account = await connection.fetchval(ACCOUNT)
    user = await connection.fetchval(USER, account)
    await connection.execute(MEMBER, account, user)
    agent = await connection.fetchval(AGENT, account, model)
    return World(account, user, agent)


async def add_channels(connection: Any, world: World, count: int) -> list[UUID]:
    """Private channels of the user and the agent, no message in them yet."""
    rows = await connection.fetch(CHANNELS, world.account_id, world.user_id, world.agent_id, count)
    return [row["id"] for row in rows]


async def add_history(connection: Any, world: World, channel_id: UUID, messages: int) -> UUID:
    """``messages`` messages in a channel and in the agent's thread there; returns the thread."""
    await connection.execute(MESSAGES, world.account_id, world.user_id, world.agent_id, channel_id, messages)
    await connection.execute(
        "update channel set last_seq = $3 where account_id = $1 and id = $2", world.account_id, channel_id, messages
    )
    thread = await connection.fetchval(THREAD, world.account_id, world.agent_id, str(channel_id), messages)
    await connection.execute(AGENT_THREAD, world.account_id, channel_id, world.agent_id, thread, messages)
    await connection.execute(THREAD_MESSAGES, world.account_id, channel_id, thread)
    return thread


async def add_key(connection: Any, world: World) -> str:
    """An API key of the user that may read and write."""
    new = NewKey(name="bench", scopes=(Scope.READ, Scope.WRITE))
    return (await keys.create(connection, world.account_id, world.user_id, new)).secret


async def settle(connection: Any) -> None:
    """Vacuum, analyse and write out what was seeded, so that none of it is done during a measurement.

    Not the empty tables: PostgreSQL plans for a table it has never vacuumed as if it had some pages, for one it has
    seen empty as if it stayed so.
    """
    rows = await connection.fetch("select relname from pg_stat_user_tables where schemaname = 'retinue'")
    for row in rows:
        if await connection.fetchval(f"select exists (select from {row['relname']})"):
            await connection.execute(f"vacuum analyze {row['relname']}")
    await connection.execute("checkpoint")

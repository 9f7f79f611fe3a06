"""The hot path finds each row by its one right index, also in a database that was never analysed."""

from typing import Any
from uuid import UUID

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.events import Event
from retinue.store import accounts, turns
from retinue.store.turns import Fence

TURNS = 300
MOST = 3.0
"""Index entries read per look-up of a row, at most. One look-up that walks an account's rows reads hundreds."""
CHANNELS = """
with made as (insert into channel (account_id, id, kind, name) select $1, unnest($2::uuid[]), 'private', 'c'
              returning id),
people as (insert into channel_member (account_id, channel_id, party_id, user_id)
           select $1, id, $3, $3 from made)
insert into channel_member (account_id, channel_id, party_id, agent_id, trigger_mode)
select $1, id, $4, $4, 'proactive' from made
"""
WAITS = """
insert into wait (account_id, id, kind, interaction_id)
select account_id, new_id(), 'question', id from interaction where account_id = $1
"""
READS = """
select relname || '.' || indexrelname as name, idx_tup_read::float8 / idx_scan as each
from pg_stat_user_indexes where schemaname = 'retinue' and idx_scan > 100 order by 2 desc
"""


def outcome(text: str) -> dict[str, Any]:
    think = {"seq": 1, "output": {"text": text}, "model": "m", "provider": "p", "cost_micro": 0}
    return {"seq": 2, "text": text, "parts": [{"kind": "text", "text": text}], "think": think}


async def begin(db: Database) -> tuple[UUID, list[UUID]]:
    """The account, and its many turns, each in a channel of its own."""
    world = await accounts.bootstrap(db)
    account, channels = world.account.id, [ids.new() for _ in range(TURNS)]
    async with db.tenant_tx(account) as tx:
        await tx.execute(CHANNELS, account, channels, world.owner.id, world.agent.id)
    started = [
        await turns.receive(db, Event(account_id=account, user_id=world.owner.id, channel_id=channel, content="hi"))
        for channel in channels
    ]
    return account, [received.interactions[0].id for received in started]


async def walked(db: Database, account: UUID) -> dict[str, float]:
    """The indexes of which each look-up read many entries, with how many."""
    await db.forget()  # connections report what they did when they end
    async with db.system_tx() as tx:
        await tx.execute("select pg_stat_force_next_flush()")
    async with db.tenant_tx(account) as tx:
        await tx.execute("select pg_stat_force_next_flush()")
        rows = await tx.fetch(READS)
    assert len(rows) > 5
    return {row["name"]: row["each"] for row in rows if row["each"] > MOST}


async def test_no_look_up_of_a_turn_walks_the_rows_of_its_account(db: Database) -> None:
    account, started = await begin(db)
    node = ids.new()
    for one in started:
        claimed = await turns.claim(db, account, one, node, 0)
        assert claimed.interaction is not None
        await turns.finish(db, Fence(account_id=account, interaction_id=one, attempt=1), outcome("hello"))
    assert await walked(db, account) == {}


async def test_a_turn_that_waits_is_found_without_walking_the_waits_of_its_account(db: Database) -> None:
    account, started = await begin(db)
    async with db.tenant_tx(account) as tx:
        await tx.execute(WAITS, account)
    for one in started:
        _, _, waits = await turns.journal(db, account, one)
        assert len(waits) == 1
    assert await walked(db, account) == {}

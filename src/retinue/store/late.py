"""Usage that its own tables refuse: the turn goes on, and the usage is brought over later (COST-03, CON-05).

The functions of a turn write usage in the transaction of its step, so that nothing is counted twice or lost. Should
that fail, the same function runs once more with the schema ``retinue_late`` before ours, where the same two tables
stand empty; the worker moves the rows over as soon as they are taken. A turn that goes well pays nothing.
"""

from typing import Any

import asyncpg

from retinue import telemetry
from retinue.db.pool import Database, Tx

log = telemetry.logger(__name__)

TRANSIENT = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)
ASIDE = "select set_config('search_path', 'retinue_late, ' || current_setting('search_path'), true)"


async def call_durably(db: Database, sql: str, *args: Any) -> Any:
    """As ``Database.call_durably``, for functions whose first argument is the account and that write usage."""
    try:
        return await db.call_durably(sql, *args)
    except TRANSIENT:
        raise
    except asyncpg.PostgresError as error:
        log.warning("a turn's outcome was refused; trying with its usage for later", error=type(error).__name__)
        try:
            value = await _aside(db, sql, *args)
        except asyncpg.PostgresError:
            raise error from None
    await db.flush()
    return value


async def _aside(db: Database, sql: str, *args: Any) -> Any:
    async with db.tenant_tx(args[0]) as tx:
        await tx.execute(ASIDE)
        return await tx.fetchval(sql, *args)


# cross-tenant: which accounts have usage to bring over; what it says stays out of sight
ACCOUNTS = """
select account_id from retinue_late.token_event union select account_id from retinue_late.usage_counter limit 1000
"""


async def _accounts(tx: Tx) -> list[Any]:
    return [row["account_id"] for row in await tx.fetch(ACCOUNTS)]


async def catch_up(db: Database) -> int:
    """Bring over all usage that is taken by now, of every account; returns how many rows."""
    async with db.system_tx() as tx:
        accounts = await _accounts(tx)
    return sum([await db.call("select late_usage_v1($1)", account_id) for account_id in accounts])

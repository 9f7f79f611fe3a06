"""Data keys: one per account that seals what is stored now, and older ones for as long as something needs them."""

from typing import Any
from uuid import UUID

from retinue.db.pool import Tx
from retinue.domain.sealing import Binding, DataKey, Wrapped

COLUMNS = "id, wrapped, wrapped_by"
# A change of keys waits for those who seal with the old one; who comes after it does not see that one any more.
CURRENT = f"select {COLUMNS} from data_key where account_id = $1 and retired_at is null for share"
ALL = f"select {COLUMNS} from data_key where account_id = $1 order by id"
ADD = """
insert into data_key (account_id, id, wrapped, wrapped_by) values ($1, $2, $3, $4)
on conflict (account_id) where retired_at is null do nothing returning id
"""
REWRAP = """
update data_key set wrapped = $4, wrapped_by = $5, wrapped_at = clock()
where account_id = $1 and id = $2 and wrapped = $3 returning id
"""
RETIRE = """
update data_key set retired_at = clock() where account_id = $1 and id = $2 and retired_at is null returning id
"""
OLDER = "select id from data_key where account_id = $1 and retired_at is null and created_at < $2"
SWEEP = """
delete from data_key k where k.account_id = $1 and k.retired_at is not null
  and not exists (select from secret s where s.account_id = k.account_id and s.data_key_id = k.id)
  and not exists (select from user_agent_config c, jsonb_each_text(c.credentials) v
                  where c.account_id = k.account_id and v.value ~ '^([A-Za-z0-9+/]{4})+$|=$'
                    and sealed_with_v1(decode(v.value, 'base64')) = k.id)
returning id
"""


async def current(tx: Tx, account_id: UUID) -> DataKey | None:
    """What seals new values. It stays so until this transaction ends."""
    row = await tx.fetchrow(CURRENT, account_id)
    return None if row is None else of_row(account_id, row)


async def of_account(tx: Tx, account_id: UUID) -> list[DataKey]:
    """All of them, the oldest first."""
    return [of_row(account_id, row) for row in await tx.fetch(ALL, account_id)]


async def add(tx: Tx, key: DataKey) -> bool:
    """Make this the current one. False when there is another."""
    binding, wrapped = key.binding, key.wrapped
    return (await tx.fetchval(ADD, binding.account_id, binding.data_key_id, wrapped.content, wrapped.by)) is not None


async def rewrap(tx: Tx, key: DataKey, wrapped: Wrapped) -> bool:
    """Replace the wrapping that ``key`` has. False when somebody else did, or the key is gone."""
    binding = key.binding
    done = await tx.fetchval(
        REWRAP, binding.account_id, binding.data_key_id, key.wrapped.content, wrapped.content, wrapped.by
    )
    return done is not None


async def older(tx: Tx, account_id: UUID, than: Any) -> UUID | None:
    """The current one, if it was made before ``than``."""
    found: UUID | None = await tx.fetchval(OLDER, account_id, than)
    return found


async def retire(tx: Tx, account_id: UUID, data_key_id: UUID) -> bool:
    """Seal nothing more with it; waits for those who are at it. False when it was retired before."""
    return (await tx.fetchval(RETIRE, account_id, data_key_id)) is not None


async def sweep(tx: Tx, account_id: UUID) -> int:
    """Remove retired ones that nothing is sealed with; returns how many."""
    return len(await tx.fetch(SWEEP, account_id))


def of_row(account_id: UUID, row: Any) -> DataKey:
    """A row with ``id``, ``wrapped`` and ``wrapped_by``."""
    return DataKey(Binding(account_id, row["id"]), Wrapped(row["wrapped_by"], row["wrapped"]))

"""What is sealed under which key, and what no known key opens: for ``retinue doctor``. It changes and shows nothing."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from retinue.db.pool import Database
from retinue.domain.sealing import KMS, DataKey
from retinue.store import data_keys, rotation
from retinue.store.secrets import Sealer
from retinue.store.wrapping import Keyring, KeyUnknown

MOST_ASKED = 20
"""Data keys that a key management service is asked to open; the others are taken to open as well."""

# cross-tenant: how many data keys which key has wrapped, of the whole installation
WRAPPED = "select wrapped_by, count(*)::int as keys from data_key group by wrapped_by order by wrapped_by"
# cross-tenant: as above
DIRECT = "select count(*)::int from secret where data_key_id is null"


@dataclass
class Survey:
    """``current``: the id of the key that wraps now. ``wrapped``: data keys by the id of the key that has wrapped them.
    ``direct``: secrets that no data key seals. ``lost``: ``(account, name)`` of what does not open."""

    current: str
    wrapped: dict[str, int] = field(default_factory=dict[str, int])
    direct: int = 0
    unfinished: datetime | None = None
    lost: list[tuple[UUID, str]] = field(default_factory=list[tuple[UUID, str]])


async def survey(db: Database, ring: Keyring) -> Survey:
    """Look at everything that is sealed. Raises ``KmsDown``."""
    found = Survey(await ring.key_id())
    async with db.system_tx() as tx:
        found.wrapped = {row["wrapped_by"]: row["keys"] for row in await tx.fetch(WRAPPED)}
        found.direct = await tx.fetchval(DIRECT)
        found.unfinished = await rotation.unfinished(tx)
        accounts = [row["account_id"] for row in await tx.fetch(rotation.ACCOUNTS)]
    sealer = Sealer(ring)
    asked = 0
    for account_id in accounts:
        async with db.tenant_tx(account_id) as tx:
            keys = {key.binding.data_key_id: key for key in await data_keys.of_account(tx, account_id)}
            values = [one async for one in rotation.values(tx, account_id)]
        remote = sum(key.wrapped.by.startswith(KMS) for key in keys.values())
        if remote and asked >= MOST_ASKED:
            continue
        asked += remote
        found.lost += [(account_id, one[0]) for one in values if not await _opens(sealer, account_id, one, keys)]
    return found


async def _opens(sealer: Sealer, account_id: UUID, named: tuple[str, bytes], keys: dict[UUID, DataKey]) -> bool:
    try:
        await sealer.open(account_id, *named, keys)
    except KeyUnknown:
        return False
    return True

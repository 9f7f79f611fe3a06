"""Going over to another key: data keys are wrapped anew, and with ``data_keys`` replaced and all values sealed anew.

What is done is seen by the rows themselves, so a rotation that breaks off is taken up where it was, and two at once do
no harm. Rows are changed in short transactions that compare before they set: nodes read and write meanwhile.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain import ids
from retinue.domain.audit import SYSTEM
from retinue.domain.sealing import KMS, Binding, DataKey, data_key_of
from retinue.store import audit, data_keys, nodes, user_agent_config
from retinue.store.secrets import Sealer
from retinue.store.wrapping import Keyring, KeyUnknown

PAGE = 100
TRIES = 5


@dataclass
class Tally:
    """What a rotation has done so far. ``lost``: what no known key opens, as ``(account, name)``."""

    resumed: bool = False
    accounts: int = 0
    done: int = 0
    rewrapped: int = 0
    made: int = 0
    resealed: int = 0
    removed: int = 0
    lost: list[tuple[UUID, str]] = field(default_factory=list[tuple[UUID, str]])


@dataclass(frozen=True, slots=True)
class Rotation:
    """What is to be done. ``since``: accounts get a new data key if theirs is older; None: none does. ``give_up``: data
    keys that no known key opens are retired, so that values can be stored again."""

    db: Database
    sealer: Sealer
    key_id: str
    since: datetime | None = None
    give_up: bool = False

    @property
    def ring(self) -> Keyring:
        return self.sealer.ring


# ── beginning and end ────────────────────────────────────────────────────────────────────────────────────────────

BEGIN = """
insert into key_rotation as r (one, data_keys) values (true, $1)
on conflict (one) do update set
    started_at = case when r.finished_at is null and (r.data_keys or not $1) then r.started_at else clock() end,
    data_keys = $1 or (r.finished_at is null and r.data_keys), finished_at = null
returning started_at, data_keys, started_at < clock() as resumed
"""
FINISH = "update key_rotation set finished_at = clock() where started_at = $1"
UNFINISHED = "select started_at from key_rotation where finished_at is null"
# cross-tenant: which accounts have something sealed; what it is stays out of sight
ACCOUNTS = """
select account_id from data_key union select account_id from secret union select account_id from user_agent_config
order by 1
"""


async def run(
    db: Database, ring: Keyring, *, replace: bool = False, give_up: bool = False,
    tell: Callable[[Tally], None] = lambda _: None,
) -> Tally:  # fmt: skip
    """Wrap every data key under the ring's current key, seal what no data key seals; ``replace``: with new data keys.

    A rotation that broke off is taken up. Raises ``KmsDown``.
    """
    key_id = await ring.key_id()
    async with db.system_tx() as tx:
        begun = await tx.fetchrow(BEGIN, replace)
        accounts = [row["account_id"] for row in await tx.fetch(ACCOUNTS)]
    assert begun is not None
    tally = Tally(resumed=begun["resumed"], accounts=len(accounts))
    rotation = Rotation(db, Sealer(ring), key_id, begun["started_at"] if begun["data_keys"] else None, give_up)
    tell(tally)
    for account_id in accounts:
        await _account(rotation, account_id, tally)
        tally.done += 1
        tell(tally)
    async with db.system_tx() as tx:
        await tx.execute(FINISH, begun["started_at"])
    return tally


async def unfinished(tx: Tx) -> datetime | None:
    """When the rotation began that broke off; None when there is none. As ``retinue_system``."""
    found: datetime | None = await tx.fetchval(UNFINISHED)
    return found


async def nodes_without(db: Database, key_id: str, *, wrapping: bool = True) -> list[dict[str, Any]]:
    """The living nodes that could not open what this key wraps, or, with ``wrapping``, that would go on to wrap with
    another: those that were started before it became the current one."""
    async with db.system_tx() as tx:
        known = await nodes.list_nodes(tx)
    sort = KMS.removesuffix(":") if key_id.startswith(KMS) else key_id
    return [node for node in known if node["alive"] and sort not in node["wrapping_keys"][: 1 if wrapping else None]]


# ── one account ──────────────────────────────────────────────────────────────────────────────────────────────────


async def _account(rotation: Rotation, account_id: UUID, tally: Tally) -> None:
    locked = await _rewrap(rotation, account_id, tally)
    await _replace(rotation, account_id, tally)
    lost = await _reseal_secrets(rotation, account_id, tally) | await _reseal_credentials(rotation, account_id, tally)
    async with rotation.db.tenant_tx(account_id) as tx:
        tally.removed += await data_keys.sweep(tx, account_id)
        if locked:
            lost |= {name async for name, sealed in values(tx, account_id) if data_key_of(sealed) in locked}
    tally.lost += [(account_id, name) for name in sorted(lost)]


async def _rewrap(rotation: Rotation, account_id: UUID, tally: Tally) -> set[UUID]:
    """The account's data keys under the current key; returns those that no known key opens."""
    locked: set[UUID] = set()
    async with rotation.db.tenant_tx(account_id) as tx:
        keys = await data_keys.of_account(tx, account_id)
    for key in keys:
        if key.wrapped.by == rotation.key_id:
            continue
        try:
            wrapped = await rotation.ring.wrap(key.binding, await rotation.ring.unwrap(key))
        except KeyUnknown:
            locked.add(key.binding.data_key_id)
            if rotation.give_up:
                await _give_up(rotation, key)
            continue
        async with rotation.db.tenant_tx(account_id) as tx:
            if await data_keys.rewrap(tx, key, wrapped):
                detail = {"data_key": str(key.binding.data_key_id), "from": key.wrapped.by, "to": wrapped.by}
                await _audited(tx, account_id, "data_key.rewrap", detail)
                tally.rewrapped += 1
    return locked


async def _give_up(rotation: Rotation, key: DataKey) -> None:
    account_id, id = key.binding.account_id, key.binding.data_key_id
    async with rotation.db.tenant_tx(account_id) as tx:
        if await data_keys.retire(tx, account_id, id):
            await _audited(tx, account_id, "data_key.give_up", {"data_key": str(id), "from": key.wrapped.by})


async def _replace(rotation: Rotation, account_id: UUID, tally: Tally) -> None:
    """A new data key in the place of one from before this rotation."""
    if rotation.since is None:
        return
    async with rotation.db.tenant_tx(account_id) as tx:
        if await data_keys.older(tx, account_id, rotation.since) is None:
            return
    made = await rotation.ring.make(Binding(account_id, ids.new()))
    async with rotation.db.tenant_tx(account_id) as tx:
        old = await data_keys.older(tx, account_id, rotation.since)
        if old is None or not await data_keys.retire(tx, account_id, old):
            return
        await data_keys.add(tx, made)
        detail = {"from": str(old), "to": str(made.binding.data_key_id), "wrapped_by": made.wrapped.by}
        await _audited(tx, account_id, "data_key.replace", detail)
    tally.made += 1


async def _audited(tx: Tx, account_id: UUID, event: str, detail: Mapping[str, Any]) -> None:
    await audit.append(tx, account_id=account_id, event=event, actor=SYSTEM, detail=detail)


# ── its values ───────────────────────────────────────────────────────────────────────────────────────────────────

CURRENT = "select id from data_key where account_id = $1 and retired_at is null"
OUTDATED = """
select name, ciphertext from secret
where account_id = $1 and name > $2 and (data_key_id is null or data_key_id is distinct from $3) order by name limit $4
"""
RESEAL = "update secret set ciphertext = $4 where account_id = $1 and name = $2 and ciphertext = $3 returning name"
PERSONAL = """
select user_id, agent_id, credentials from user_agent_config
where account_id = $1 and (user_id, agent_id) > ($2, $3) and credentials <> '{}' order by user_id, agent_id limit $4
"""
ONE = "select credentials from user_agent_config where account_id = $1 and user_id = $2 and agent_id = $3"
RESEAL_ONE = """
update user_agent_config set credentials = $5
where account_id = $1 and user_id = $2 and agent_id = $3 and credentials = $4 returning agent_id
"""
NIL = UUID(int=0)
Keys = dict[UUID, DataKey]
Mine = tuple[UUID, UUID, UUID]
"""Account, person, agent."""


async def _state(tx: Tx, account_id: UUID) -> tuple[UUID | None, Keys]:
    """The id of the data key that seals now, and all of them."""
    keys = await data_keys.of_account(tx, account_id)
    return await tx.fetchval(CURRENT, account_id), {key.binding.data_key_id: key for key in keys}


async def _reseal_secrets(rotation: Rotation, account_id: UUID, tally: Tally) -> set[str]:
    """The account's secrets under its current data key; returns the names of those that do not open."""
    lost: set[str] = set()
    after = ""
    while True:
        async with rotation.db.tenant_tx(account_id) as tx:
            now, keys = await _state(tx, account_id)
            rows = await tx.fetch(OUTDATED, account_id, after, now, PAGE)
        if not rows:
            return lost
        opened = [(row, await _open(rotation, account_id, (row["name"], row["ciphertext"]), keys)) for row in rows]
        lost |= {row["name"] for row, value in opened if value is None}
        done = 0
        async with rotation.db.tenant_tx(account_id) as tx:
            for row, value in opened:
                if value is not None:
                    sealed = await rotation.sealer.seal(tx, account_id, row["name"], value)
                    done += await tx.fetchval(RESEAL, account_id, row["name"], row["ciphertext"], sealed) is not None
            if done:
                await _audited(tx, account_id, "secret.reseal", {"secrets": done})
        tally.resealed += done
        after = rows[-1]["name"]


async def _open(rotation: Rotation, account_id: UUID, named: tuple[str, bytes], keys: Keys) -> str | None:
    try:
        return await rotation.sealer.open(account_id, *named, keys)
    except KeyUnknown:
        return None


async def _reseal_credentials(rotation: Rotation, account_id: UUID, tally: Tally) -> set[str]:
    """The same of what people keep with agents."""
    lost: set[str] = set()
    after = (NIL, NIL)
    while True:
        async with rotation.db.tenant_tx(account_id) as tx:
            rows = await tx.fetch(PERSONAL, account_id, *after, PAGE)
        for row in rows:
            lost |= await _reseal_row(rotation, (account_id, row["user_id"], row["agent_id"]), tally)
        if len(rows) < PAGE:
            return lost
        after = (rows[-1]["user_id"], rows[-1]["agent_id"])


async def _reseal_row(rotation: Rotation, mine: Mine, tally: Tally) -> set[str]:
    """The credentials of one person with one agent. One who changes them meanwhile goes first."""
    for _ in range(TRIES):
        async with rotation.db.tenant_tx(mine[0]) as tx:
            now, keys = await _state(tx, mine[0])
            stored: dict[str, str] = await tx.fetchval(ONE, *mine) or {}
        opened: dict[str, str | None] = {}
        for name, text in stored.items():
            sealed = user_agent_config.unpacked(text)
            if now is None or data_key_of(sealed) != now:
                opened[name] = await _open(
                    rotation, mine[0], (user_agent_config.bound_name(*mine[1:], name), sealed), keys
                )
        lost = {user_agent_config.bound_name(*mine[1:], name) for name, value in opened.items() if value is None}
        if await _reseal_values(rotation, mine, stored, {name: value for name, value in opened.items() if value}):
            tally.resealed += len(opened) - len(lost)
            return lost
    raise errors.Unavailable("Credentials are changed faster than they can be sealed anew. Run it again.")


async def _reseal_values(rotation: Rotation, mine: Mine, stored: dict[str, str], opened: dict[str, str]) -> bool:
    """False when somebody has changed what was ``stored`` meanwhile."""
    if not opened:
        return True
    async with rotation.db.tenant_tx(mine[0]) as tx:
        anew = {
            name: await user_agent_config.seal(tx, rotation.sealer, mine, name, value) for name, value in opened.items()
        }
        if await tx.fetchval(RESEAL_ONE, *mine, stored, stored | anew) is None:
            return False
        await _audited(tx, mine[0], "user_agent_config.reseal", {"count": len(anew)})
    return True


SECRETS = "select name, ciphertext from secret where account_id = $1 order by name"
CREDENTIALS = """
select c.user_id, c.agent_id, v.key as name, v.value as sealed
from user_agent_config c, jsonb_each_text(c.credentials) v where c.account_id = $1 order by 1, 2, 3
"""


async def values(tx: Tx, account_id: UUID) -> AsyncIterator[tuple[str, bytes]]:
    """Each sealed value of the account, with the name it is bound to."""
    for row in await tx.fetch(SECRETS, account_id):
        yield row["name"], row["ciphertext"]
    for row in await tx.fetch(CREDENTIALS, account_id):
        name = user_agent_config.bound_name(row["user_id"], row["agent_id"], row["name"])
        yield name, user_agent_config.unpacked(row["sealed"])

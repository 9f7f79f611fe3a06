"""Secrets of an account: sealed at rest, named everywhere, opened only where a call is made. Never listed or logged.

AES-256-GCM under the account's data key (``store.data_keys``), which is stored wrapped (``store.wrapping``). Account,
data key and name are bound in, so that a row moved to another place does not open.
"""

import os
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Field

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain import accounts, ids, sealing
from retinue.domain import audit as lines
from retinue.domain.accounts import Principal, Role
from retinue.domain.base import Value
from retinue.domain.sealing import NONCE_BYTES, Binding, DataKey
from retinue.store import audit, data_keys
from retinue.store.wrapping import ADVICE, Keyring, KeyUnknown

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
MAX_BYTES = 16 * 1024


class SecretName(Value):
    """A secret without its value."""

    name: str
    created_at: datetime


class SecretValue(Value):
    """What is to be kept. It is never shown again."""

    value: str = Field(min_length=1, max_length=MAX_BYTES, repr=False)


class Sealer:
    """Seals and opens values, whatever they belong to: a secret of the account, a credential of a person."""

    def __init__(self, ring: Keyring) -> None:
        self.ring = ring

    async def warm(self, db: Database, account_id: UUID) -> Self:
        """Make sure that the account has a data key, and that it is at hand: a key management service may take its
        time, and no transaction should wait for it. Raises ``KeyUnknown``, ``KmsDown``."""
        async with db.tenant_tx(account_id) as tx:
            key = await data_keys.current(tx, account_id)
        if key is None:
            key = await self.ring.make(Binding(account_id, ids.new()))
            async with db.tenant_tx(account_id) as tx:
                await _add(tx, key)
        await self.ring.unwrap(key)
        return self

    async def seal(self, tx: Tx, account_id: UUID, name: str, value: str) -> bytes:
        """The value, sealed with the account's current data key. Raises ``KeyUnknown``, ``KmsDown``."""
        key = await data_keys.current(tx, account_id)
        if key is None:
            await _add(tx, await self.ring.make(Binding(account_id, ids.new())))
            key = await data_keys.current(tx, account_id)  # another transaction's, where that was quicker
        assert key is not None
        nonce, id = os.urandom(NONCE_BYTES), key.binding.data_key_id
        cipher = AESGCM(await self.ring.unwrap(key))
        return sealing.pack(id, nonce + cipher.encrypt(nonce, value.encode(), sealing.bound(account_id, id, name)))

    async def open(self, account_id: UUID, name: str, sealed: bytes, keys: Mapping[UUID, DataKey]) -> str:
        """The value. ``keys``: the account's data keys, at least the one that sealed it.

        Raises ``KeyUnknown`` when no known key opens it, or not here; ``KmsDown``.
        """
        id = sealing.data_key_of(sealed)
        nonce, content = sealing.unpack(sealed)
        if id is None:
            return self._open_directly(account_id, name, nonce, content)
        if id not in keys:
            raise KeyUnknown(f"{_words(name)} It was moved here from another account. Store it again.")
        try:
            cipher = AESGCM(await self.ring.unwrap(keys[id]))
        except KeyUnknown as error:
            raise KeyUnknown(f"{_words(name)} {error.detail}") from error
        try:
            return cipher.decrypt(nonce, content, sealing.bound(account_id, id, name)).decode()
        except (InvalidTag, ValueError) as error:
            raise KeyUnknown(
                f"{_words(name)} It was changed, or moved here from another name. Store it again."
            ) from error

    def _open_directly(self, account_id: UUID, name: str, nonce: bytes, content: bytes) -> str:
        """What was sealed before there were data keys."""
        for cipher in self.ring.direct:
            try:
                return cipher.decrypt(nonce, content, account_id.bytes + name.encode()).decode()
            except (InvalidTag, ValueError):
                continue
        raise KeyUnknown(f"{_words(name)} Neither RETINUE_SECRET_KEY nor a previous one is its key. {ADVICE}")


async def _add(tx: Tx, key: DataKey) -> None:
    if await data_keys.add(tx, key):
        account_id, id = key.binding.account_id, key.binding.data_key_id
        detail = {"data_key": str(id), "wrapped_by": key.wrapped.by}
        await audit.append(tx, account_id=account_id, event="data_key.create", actor=lines.SYSTEM, detail=detail)


def _words(name: str) -> str:
    return f"The secret {name!r} does not open."


class Vault:
    """Reads secrets at the moment of use, each in a short transaction of its own."""

    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._db = db
        self._sealer = sealer

    async def read(self, account_id: UUID, names: list[str]) -> dict[str, str]:
        """The values by name; names that are not stored are missing. Raises ``KeyUnknown``, ``KmsDown``."""
        async with self._db.tenant_tx(account_id) as tx:
            rows: list[Any] = await tx.fetch(READ, account_id, names)
        # opened here, not there: a key management service may take its time
        return {row["name"]: await self._open(account_id, row) for row in rows}

    async def _open(self, account_id: UUID, row: Any) -> str:
        keys = {row["id"]: data_keys.of_row(account_id, row)} if row["id"] else {}
        return await self._sealer.open(account_id, row["name"], row["ciphertext"], keys)


# one statement: the data key as it was when the secret was sealed with it
READ = """
select s.name, s.ciphertext, k.id, k.wrapped, k.wrapped_by
from secret s left join data_key k on k.account_id = s.account_id and k.id = s.data_key_id
where s.account_id = $1 and s.name = any ($2::text[])
"""

PUT = """
insert into secret (account_id, id, name, ciphertext, created_by) values ($1, $2, $3, $4, $5)
on conflict (account_id, name) do update
set ciphertext = excluded.ciphertext, created_by = excluded.created_by, created_at = clock()
returning name, created_at
"""


async def put(tx: Tx, sealer: Sealer, principal: Principal, name: str, value: str) -> SecretName:
    """Store or replace a secret. Raises ``Forbidden`` (not an admin), ``BadInput``, ``KeyUnknown``, ``KmsDown``."""
    check_admin(principal)
    if not NAME.fullmatch(name):
        reason = "must be letters, digits, dots, dashes and underscores, at most 128"
        raise errors.BadInput("The secret's name is not valid.", errors=[{"path": "name", "reason": reason}])
    if not value or len(value.encode("utf-8", "replace")) > MAX_BYTES or not _encodable(value):
        reason = "must be text of 1 byte to 16 KB"
        raise errors.BadInput("The secret's value is not valid.", errors=[{"path": "value", "reason": reason}])
    account = principal.account_id
    sealed = await sealer.seal(tx, account, name, value)
    row = await tx.fetchrow(PUT, account, ids.new(), name, sealed, principal.user_id)
    await audit.append(
        tx, account_id=account, event="secret.put", actor=lines.actor(principal), detail={"secret_name": name}
    )
    return SecretName.model_validate(dict(row or {}))


def _encodable(value: str) -> bool:
    return not any(0xD800 <= ord(char) <= 0xDFFF for char in value)


NAMES = """
select name, created_at from secret where account_id = $1 and ($2::text is null or name > $2) order by name limit $3
"""


async def list_names(tx: Tx, account_id: UUID, *, after: str | None = None, limit: int = 51) -> list[SecretName]:
    """The names, never the values, from the name ``after`` on."""
    rows: list[Any] = await tx.fetch(NAMES, account_id, after, limit)
    return [SecretName.model_validate(dict(row)) for row in rows]


async def delete(tx: Tx, principal: Principal, name: str) -> None:
    """Forget a secret. Raises ``Forbidden`` (not an admin), ``NotFound``."""
    check_admin(principal)
    account = principal.account_id
    gone = await tx.fetchval("delete from secret where account_id = $1 and name = $2 returning name", account, name)
    if gone is None:
        raise errors.NotFound("There is no secret by that name.")
    await audit.append(
        tx, account_id=account, event="secret.delete", actor=lines.actor(principal), detail={"secret_name": name}
    )


def check_admin(principal: Principal) -> None:
    """Raises ``Forbidden`` for those who are not an admin of the account."""
    if not accounts.at_least(principal.role, Role.ADMIN):
        raise errors.Forbidden("Only admins and owners change tools and secrets.")

"""Secrets of an account: sealed at rest, named everywhere, opened only where a call is made. Never listed or logged.

AES-256-GCM under a key derived from the installation's ``secret_key``; the account and the name are bound in, so that
a row moved to another account or name does not open.
"""

import os
import re
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import Field

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain import accounts, ids
from retinue.domain import audit as lines
from retinue.domain.accounts import Principal, Role
from retinue.domain.base import Value
from retinue.store import audit

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
MAX_BYTES = 16 * 1024
NONCE_BYTES = 12


class SecretName(Value):
    """A secret without its value."""

    name: str
    created_at: datetime


class SecretValue(Value):
    """What is to be kept. It is never shown again."""

    value: str = Field(min_length=1, max_length=MAX_BYTES, repr=False)


def derived(secret_key: str, purpose: bytes) -> bytes:
    """A key of 32 bytes for one purpose alone, from the installation's secret key (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret_key.encode())


class Sealer:
    """Seals and opens with one key."""

    def __init__(self, secret_key: str) -> None:
        self._cipher = AESGCM(derived(secret_key, b"retinue secret v1"))

    def seal(self, account_id: UUID, name: str, value: str) -> bytes:
        """Nonce and ciphertext."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value.encode(), _bound(account_id, name))

    def open(self, account_id: UUID, name: str, sealed: bytes) -> str:
        """The value. Raises ``Misconfigured`` when it was sealed under another key, account or name."""
        try:
            plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(account_id, name))
        except (InvalidTag, ValueError) as error:
            raise errors.Misconfigured(
                f"The secret {name!r} does not open: RETINUE_SECRET_KEY is not the one it was stored under. "
                "Restore that key or store the secret again."
            ) from error
        return plain.decode()


def _bound(account_id: UUID, name: str) -> bytes:
    return account_id.bytes + name.encode()


class Vault:
    """Reads secrets at the moment of use, each in a short transaction of its own."""

    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._db = db
        self._sealer = sealer

    async def read(self, account_id: UUID, names: list[str]) -> dict[str, str]:
        """The values by name; names that are not stored are missing."""
        async with self._db.tenant_tx(account_id) as tx:
            rows: list[Any] = await tx.fetch(READ, account_id, names)
        return {row["name"]: self._sealer.open(account_id, row["name"], row["ciphertext"]) for row in rows}


READ = "select name, ciphertext from secret where account_id = $1 and name = any ($2::text[])"

PUT = """
insert into secret (account_id, id, name, ciphertext, created_by) values ($1, $2, $3, $4, $5)
on conflict (account_id, name) do update
set ciphertext = excluded.ciphertext, created_by = excluded.created_by, created_at = clock()
returning name, created_at
"""


async def put(tx: Tx, sealer: Sealer, principal: Principal, name: str, value: str) -> SecretName:
    """Store or replace a secret. Raises ``Forbidden`` (not an admin), ``BadInput``."""
    check_admin(principal)
    if not NAME.fullmatch(name):
        reason = "must be letters, digits, dots, dashes and underscores, at most 128"
        raise errors.BadInput("The secret's name is not valid.", errors=[{"path": "name", "reason": reason}])
    if not value or len(value.encode("utf-8", "replace")) > MAX_BYTES or not _encodable(value):
        reason = "must be text of 1 byte to 16 KB"
        raise errors.BadInput("The secret's value is not valid.", errors=[{"path": "value", "reason": reason}])
    account = principal.account_id
    row = await tx.fetchrow(PUT, account, ids.new(), name, sealer.seal(account, name, value), principal.user_id)
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

"""API keys: made with 256 random bits, shown once, kept as a hash. Whose they are decides what they may do."""

from uuid import UUID

import asyncpg

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import accounts, ids
from retinue.domain.accounts import ApiKey, MadeKey, NewKey, Principal, Role, Scope

COLUMNS = "id, user_id, name, prefix, scopes, expires_at, last_used_at, revoked_at, created_at"
GET = f"select {COLUMNS} from api_key where account_id = $1 and id = $2"
LIST = f"""
select {COLUMNS} from api_key
where account_id = $1 and ($2::uuid is null or user_id = $2) and ($3::uuid is null or id > $3) order by id limit $4
"""
CREATE = f"""
insert into api_key (account_id, id, user_id, name, prefix, token_hash, scopes, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) returning {COLUMNS}
"""
REVOKE = f"""
update api_key set revoked_at = coalesce(revoked_at, clock()) where account_id = $1 and id = $2 returning {COLUMNS}
"""


async def list_keys(
    tx: Tx, account_id: UUID, *, user_id: UUID | None = None, after: UUID | None = None, limit: int = 51
) -> list[ApiKey]:
    """Keys by id: a user's or all of the account, revoked ones too."""
    return [ApiKey(**row) for row in await tx.fetch(LIST, account_id, user_id, after, limit)]


async def access(tx: Tx, caller: Principal, key_id: UUID) -> ApiKey:
    """A key the caller may see: one's own, or any with role and scope admin. Raises ``NotFound``."""
    row = await tx.fetchrow(GET, caller.account_id, key_id)
    if row is None or not (row["user_id"] == caller.user_id or sees_all(caller)):
        raise errors.NotFound("There is no such key.")
    return ApiKey(**row)


def sees_all(caller: Principal) -> bool:
    """Whether the caller may see keys of others."""
    return accounts.at_least(caller.role, Role.ADMIN) and Scope.ADMIN in caller.scopes


async def create(tx: Tx, account_id: UUID, user_id: UUID, new: NewKey) -> MadeKey:
    """A new key with its secret, shown this once. Raises ``NotFound`` for an unknown user."""
    secret = accounts.make_token(accounts.KEY_PREFIX, account_id)
    scopes = [scope.value for scope in Scope if scope in new.scopes]
    try:
        row = await tx.fetchrow(
            CREATE, account_id, ids.new(), user_id, new.name, accounts.token_prefix(secret),
            accounts.hash_token(secret), scopes, new.expires_at,
        )  # fmt: skip
    except asyncpg.ForeignKeyViolationError as error:
        raise errors.NotFound("There is no such user.") from error
    assert row is not None
    return MadeKey(**row, secret=secret)


async def revoke(tx: Tx, account_id: UUID, key_id: UUID) -> ApiKey:
    """End a key; it stays listed. Raises ``NotFound``."""
    row = await tx.fetchrow(REVOKE, account_id, key_id)
    if row is None:
        raise errors.NotFound("There is no such key.")
    return ApiKey(**row)

"""Sessions, one-time sign-in links, and whom a credential belongs to. Only hashes of tokens are kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain import accounts, ids
from retinue.domain.accounts import OpenSession, Principal, Role, Scope, Session, SignInLink, Token

LINK_MINUTES = 15
CALLERS = {
    accounts.KEY_PREFIX: "select caller_of_key_v1($1, $2)",
    accounts.SESSION_PREFIX: "select caller_of_session_v1($1, $2)",
}
CREATE = """
insert into session (account_id, id, user_id, token_hash, expires_at, user_agent)
values ($1, $2, $3, $4, clock() + make_interval(days => $5), $6) returning id, user_id, created_at, expires_at
"""
REVOKE = "update session set revoked_at = clock() where account_id = $1 and id = $2 and revoked_at is null"
LIST = """
select id, user_id, created_at, expires_at, user_agent, id is not distinct from $3::uuid as current from session
where account_id = $1 and user_id = $2 and revoked_at is null and expires_at > clock()
  and ($4::uuid is null or id < $4)
order by id desc limit $5
"""
REVOKE_OWN = """
update session set revoked_at = clock()
where account_id = $1 and id = $2 and user_id = $3 and revoked_at is null and expires_at > clock()
"""
REVOKE_OTHERS = """
update session set revoked_at = clock()
where account_id = $1 and user_id = $2 and revoked_at is null and ($3::uuid is null or id <> $3)
"""
NEW_LINK = """
insert into sign_in_link (account_id, id, user_id, token_hash, expires_at)
values ($1, $2, $3, $4, clock() + make_interval(mins => $5)) returning id, user_id, expires_at
"""
USE_LINK = """
update sign_in_link l set used_at = clock()
from app_user u, member m
where l.account_id = $1 and l.token_hash = $2 and l.used_at is null and l.expires_at > clock()
  and u.account_id = $1 and u.id = l.user_id and u.status = 'active'
  and m.account_id = $1 and m.user_id = l.user_id and m.team_id is null
returning l.user_id
"""


@dataclass(frozen=True, slots=True)
class Found:
    """Whose credential it is, the hash that is stored of it, and until when it counts."""

    principal: Principal
    hash: bytes
    expires_at: datetime | None


async def find_caller(db: Database, token: Token) -> Found | None:
    """The caller of a live API key or session, in one round trip; notes the key's use at most once a minute."""
    found: dict[str, Any] | None = await db.call(CALLERS[token.kind], token.account_id, token.hash)
    if found is None:
        return None
    base = Principal(account_id=token.account_id, user_id=UUID(found["user_id"]), role=Role(found["role"]))
    if token.kind == accounts.KEY_PREFIX:
        scopes = tuple(Scope(scope) for scope in found["scopes"])
        own: dict[str, Any] = {"key_id": UUID(found["key_id"]), "scopes": scopes}
    else:
        own = {"session_id": UUID(found["session_id"])}
    expires = found.get("expires_at")
    ends = datetime.fromisoformat(expires) if expires else None
    return Found(base.model_copy(update=own), bytes.fromhex(found["hash"]), ends)


async def create(
    tx: Tx, account_id: UUID, user_id: UUID, days: int, user_agent: str | None = None
) -> tuple[Session, str]:
    """A new session and its token, which is not kept."""
    token = accounts.make_token(accounts.SESSION_PREFIX, account_id)
    row = await tx.fetchrow(CREATE, account_id, ids.new(), user_id, accounts.hash_token(token), days, user_agent)
    assert row is not None
    return Session(**row), token


async def list_open(tx: Tx, caller: Principal, *, before: UUID | None = None, limit: int = 51) -> list[OpenSession]:
    """The caller's sessions that have not ended, newest first."""
    rows = await tx.fetch(LIST, caller.account_id, caller.user_id, caller.session_id, before, limit)
    return [OpenSession(**row) for row in rows]


async def revoke_own(tx: Tx, caller: Principal, session_id: UUID) -> None:
    """End one of the caller's sessions. Raises ``NotFound`` for another's and for one that has ended."""
    if await tx.execute(REVOKE_OWN, caller.account_id, session_id, caller.user_id) == "UPDATE 0":
        raise errors.NotFound("You have no such session, or it has ended.")


async def revoke(tx: Tx, account_id: UUID, session_id: UUID) -> None:
    """End a session. One that has ended stays so."""
    await tx.execute(REVOKE, account_id, session_id)


async def revoke_of_user(tx: Tx, account_id: UUID, user_id: UUID, *, but: UUID | None = None) -> None:
    """End a user's sessions, all or all but one."""
    await tx.execute(REVOKE_OTHERS, account_id, user_id, but)


async def create_link(tx: Tx, account_id: UUID, user_id: UUID) -> SignInLink:
    """A link that signs this user in once, within 15 minutes. Raises ``NotFound``."""
    token = accounts.make_token(accounts.LINK_PREFIX, account_id)
    try:
        row = await tx.fetchrow(NEW_LINK, account_id, ids.new(), user_id, accounts.hash_token(token), LINK_MINUTES)
    except asyncpg.ForeignKeyViolationError as error:
        raise errors.NotFound("There is no such user.") from error
    assert row is not None
    return SignInLink(**row, token=token)


async def use_link(tx: Tx, token: Token) -> UUID:
    """Whom this link signs in; it works once. Raises ``SignInRefused``."""
    found: UUID | None = await tx.fetchval(USE_LINK, token.account_id, token.hash)
    if found is None:
        raise errors.SignInRefused("This link was used, has expired or is not ours. Ask for a new one.")
    return found

"""Users: the people of an account, and how they are recognised before anyone knows which account they are in."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import ids
from retinue.domain.accounts import Identity, NewUser, Principal, Role, UserChanges, UserDetail
from retinue.store import members

COLUMNS = "u.id, u.email, u.name, u.time_zone, u.locale, u.status, u.loosest_trigger_mode, u.created_at, m.role"
FROM = """
from app_user u left join member m on m.account_id = $1 and m.user_id = u.id and m.team_id is null
where u.account_id = $1
"""
GET = f"select {COLUMNS} {FROM} and u.id = $2"
LIST = f"""
select {COLUMNS} {FROM} and ($2::uuid is null or u.id > $2) and ($3::text is null or lower(u.email) = lower($3))
order by u.id limit $4
"""
CREATE = """
insert into app_user (account_id, id, email, name, time_zone, locale) values ($1, $2, $3, $4, $5, $6)
"""
UPDATE = """
update app_user set email = coalesce($3, email), name = coalesce($4, name), time_zone = coalesce($5, time_zone),
    locale = coalesce($6, locale), status = coalesce($7, status),
    loosest_trigger_mode = coalesce($8, loosest_trigger_mode)
where account_id = $1 and id = $2
"""
DELETE = "delete from app_user where account_id = $1 and id = $2"


async def list_users(
    tx: Tx, account_id: UUID, *, email: str | None = None, after: UUID | None = None, limit: int = 51
) -> list[UserDetail]:
    """The account's users by id, with their roles; with ``email``, the one of that address."""
    return [UserDetail(**row) for row in await tx.fetch(LIST, account_id, after, email, limit)]


async def get(tx: Tx, account_id: UUID, user_id: UUID) -> UserDetail:
    """One user. Raises ``NotFound``."""
    row = await tx.fetchrow(GET, account_id, user_id)
    if row is None:
        raise errors.NotFound("There is no such user.")
    return UserDetail(**row)


async def access_managed(tx: Tx, caller: Principal, user_id: UUID) -> UserDetail:
    """A user whom the caller may change: oneself, or anyone whose role is not above the caller's admin role.

    Raises ``NotFound``, ``Forbidden``.
    """
    user = await get(tx, caller.account_id, user_id)
    if user_id != caller.user_id:
        members.check_may_manage(caller, user.role or Role.MEMBER)
    return user


async def create(tx: Tx, account_id: UUID, new: NewUser) -> UserDetail:
    """A new user, member of the account in that role. Raises ``AlreadyExists`` for a known e-mail."""
    user_id = ids.new()
    try:
        await tx.execute(CREATE, account_id, user_id, new.email, new.name, new.time_zone, new.locale)
    except asyncpg.UniqueViolationError as error:
        raise errors.AlreadyExists("A user with this e-mail is in the account already.") from error
    await members.add(tx, account_id, user_id, new.role)
    return await get(tx, account_id, user_id)


async def update(tx: Tx, account_id: UUID, user_id: UUID, changes: UserChanges) -> UserDetail:
    """Change a user. Raises ``NotFound``, ``AlreadyExists``, and ``WrongState`` for suspending the last owner."""
    if changes.status == "suspended":
        await members.check_other_owner(tx, account_id, user_id)
    try:
        await tx.execute(
            UPDATE, account_id, user_id, changes.email, changes.name, changes.time_zone, changes.locale, changes.status,
            changes.loosest_trigger_mode,
        )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        raise errors.AlreadyExists("A user with this e-mail is in the account already.") from error
    return await get(tx, account_id, user_id)


async def delete(tx: Tx, account_id: UUID, user_id: UUID) -> None:
    """Remove a user with keys, sessions and memberships; what they wrote stays. Raises ``NotFound``, ``WrongState``."""
    await members.check_other_owner(tx, account_id, user_id)
    if await tx.execute(DELETE, account_id, user_id) == "DELETE 0":
        raise errors.NotFound("There is no such user.")


# ── passwords ────────────────────────────────────────────────────────────────────────────────────────────────────

PASSWORD = "select password_hash from app_user where account_id = $1 and id = $2"
SET_PASSWORD = "update app_user set password_hash = $3 where account_id = $1 and id = $2"


async def password_hash(tx: Tx, account_id: UUID, user_id: UUID) -> str | None:
    """The stored argon2id hash, if a password was set."""
    found: str | None = await tx.fetchval(PASSWORD, account_id, user_id)
    return found


async def set_password_hash(tx: Tx, account_id: UUID, user_id: UUID, hashed: str) -> None:
    """Store the argon2id hash of a new password."""
    await tx.execute(SET_PASSWORD, account_id, user_id, hashed)


# ── before anyone is signed in: in a system transaction ──────────────────────────────────────────────────────────

CANDIDATES = """
select u.account_id, u.id as user_id, u.password_hash, u.oidc_subject is not null as linked from app_user u
where lower(u.email) = lower($1) and u.status = 'active' and ($2::uuid is null or u.account_id = $2)
order by u.created_at, u.account_id limit 20
"""
BY_SUBJECT = """
select u.account_id, u.id as user_id, u.password_hash, true as linked from app_user u
where u.oidc_issuer = $1 and u.oidc_subject = $2 and u.status = 'active' and ($3::uuid is null or u.account_id = $3)
order by u.created_at, u.account_id limit 20
"""
LINK = """
update app_user set oidc_issuer = $3, oidc_subject = $4
where account_id = $1 and id = $2 and oidc_subject is null and status = 'active' returning id
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Someone who may be signing in."""

    account_id: UUID
    user_id: UUID
    password_hash: str | None
    linked: bool
    """Whether an identity provider's subject is known already."""


async def find_by_email(tx: Tx, email: str, account_id: UUID | None = None) -> list[Candidate]:
    """Active users of this address in all accounts or in one."""
    return [Candidate(**row) for row in await tx.fetch(CANDIDATES, email, account_id)]


async def find_by_subject(tx: Tx, identity: Identity, account_id: UUID | None = None) -> list[Candidate]:
    """Active users linked to this identity in all accounts or in one."""
    return [Candidate(**row) for row in await tx.fetch(BY_SUBJECT, identity.issuer, identity.subject, account_id)]


async def link(tx: Tx, account_id: UUID, user_id: UUID, identity: Identity) -> bool:
    """Remember who this user is at the identity provider. False when someone was linked before; never replaced."""
    try:
        return await tx.fetchval(LINK, account_id, user_id, identity.issuer, identity.subject) is not None
    except asyncpg.UniqueViolationError:
        return False

"""Members: a user's role in the account (no team) or in one team. Owner > admin > lead > member; an owner remains."""

from uuid import UUID

import asyncpg

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import accounts, ids
from retinue.domain.accounts import Member, Principal, Role

COLUMNS = "id, user_id, team_id, role, created_at"
GET = f"select {COLUMNS} from member where account_id = $1 and id = $2"
LIST = f"""
select {COLUMNS} from member
where account_id = $1 and ($2::uuid is null or team_id = $2) and ($3::uuid is null or user_id = $3)
  and ($4::uuid is null or id > $4)
order by id limit $5
"""
ADD = f"""
insert into member (account_id, id, user_id, team_id, role) values ($1, $2, $3, $4, $5) returning {COLUMNS}
"""
SET_ROLE = f"update member set role = $3 where account_id = $1 and id = $2 returning {COLUMNS}"
REMOVE = "delete from member where account_id = $1 and id = $2"
LEAVE_TEAMS = "delete from member where account_id = $1 and user_id = $2 and team_id is not null"
ROLE = "select role from member where account_id = $1 and user_id = $2 and team_id is not distinct from $3"
LOCK = "select from account where id = $1 for no key update"
OTHER_OWNER = """
select true from member m join app_user u on u.account_id = $1 and u.id = m.user_id
where m.account_id = $1 and m.team_id is null and m.role = 'owner' and u.status = 'active' and m.user_id <> $2 limit 1
"""
FIRST_OWNER = """
select user_id from member where account_id = $1 and team_id is null and role = 'owner' order by created_at, id limit 1
"""


async def list_members(
    tx: Tx, account_id: UUID, *, team_id: UUID | None = None, user_id: UUID | None = None, after: UUID | None = None,
    limit: int = 51,
) -> list[Member]:  # fmt: skip
    """Members by id: all, those of a team, those of a user."""
    return [Member(**row) for row in await tx.fetch(LIST, account_id, team_id, user_id, after, limit)]


async def get(tx: Tx, account_id: UUID, member_id: UUID) -> Member:
    """One membership. Raises ``NotFound``."""
    row = await tx.fetchrow(GET, account_id, member_id)
    if row is None:
        raise errors.NotFound("There is no such member.")
    return Member(**row)


async def role_of(tx: Tx, account_id: UUID, user_id: UUID, team_id: UUID | None = None) -> Role | None:
    """The user's role in the account or the team, if any."""
    found = await tx.fetchval(ROLE, account_id, user_id, team_id)
    return Role(found) if found else None


async def access_team(tx: Tx, caller: Principal, team_id: UUID | None) -> None:
    """Passes for those who may change a team's members: admins of the account and leads of the team.

    Raises ``Forbidden``. A team that is not there fails later, when the member is added.
    """
    if accounts.at_least(caller.role, Role.ADMIN) and accounts.Scope.ADMIN in caller.scopes:
        return
    role = await role_of(tx, caller.account_id, caller.user_id, team_id) if team_id else None
    if role is None or not accounts.at_least(role, Role.LEAD):
        raise errors.Forbidden("This needs the role admin in the account or lead in the team.")


def check_may_manage(caller: Principal, role: Role) -> None:
    """Raises ``Forbidden`` unless the caller may make or change someone of this role in the account."""
    if accounts.Scope.ADMIN not in caller.scopes:
        raise errors.Forbidden("This API key lacks the scope admin. Make one that has it.")
    if not accounts.may_manage(caller.role, role):
        needed = max(role, Role.ADMIN, key=accounts.RANK.__getitem__)
        raise errors.Forbidden(f"This needs the role {needed.value}; yours is {caller.role.value}.")


async def add(tx: Tx, account_id: UUID, user_id: UUID, role: Role, team_id: UUID | None = None) -> Member:
    """Give a user a role in the account or a team. Raises ``NotFound``, ``AlreadyExists``."""
    try:
        row = await tx.fetchrow(ADD, account_id, ids.new(), user_id, team_id, role)
    except asyncpg.UniqueViolationError as error:
        raise errors.AlreadyExists("This user is a member already; change the role instead.") from error
    except asyncpg.ForeignKeyViolationError as error:
        raise errors.NotFound("There is no such user or team.") from error
    assert row is not None
    return Member(**row)


async def set_role(tx: Tx, account_id: UUID, member_id: UUID, role: Role) -> Member:
    """Change a role. Raises ``NotFound``, ``WrongState`` when it would leave the account without an owner."""
    member = await get(tx, account_id, member_id)
    if member.team_id is None and role is not Role.OWNER:
        await check_other_owner(tx, account_id, member.user_id)
    row = await tx.fetchrow(SET_ROLE, account_id, member_id, role)
    if row is None:
        raise errors.NotFound("There is no such member.")
    return Member(**row)


async def remove(tx: Tx, account_id: UUID, member_id: UUID) -> None:
    """End a membership; leaving the account leaves its teams. Raises ``NotFound``, ``WrongState`` (last owner)."""
    member = await get(tx, account_id, member_id)
    if member.team_id is None:
        await check_other_owner(tx, account_id, member.user_id)
        await tx.execute(LEAVE_TEAMS, account_id, member.user_id)
    await tx.execute(REMOVE, account_id, member_id)


async def check_other_owner(tx: Tx, account_id: UUID, user_id: UUID) -> None:
    """Raises ``WrongState`` if this user is the only active owner. Holds the account, so that two owners cannot
    remove each other at the same time."""
    await tx.execute(LOCK, account_id)
    if await role_of(tx, account_id, user_id) is Role.OWNER and not await tx.fetchval(OTHER_OWNER, account_id, user_id):
        raise errors.WrongState("The account's last owner stays. Make someone else an owner first.")


async def first_owner(tx: Tx, account_id: UUID) -> UUID | None:
    """The account's first owner, if it has one."""
    found: UUID | None = await tx.fetchval(FIRST_OWNER, account_id)
    return found

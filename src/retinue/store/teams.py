"""Teams: groups of users of an account. Who is in one is in ``members``."""

from uuid import UUID

import asyncpg

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import ids
from retinue.domain.accounts import NewTeam, Team, TeamChanges

COLUMNS = "id, name, slug, loosest_trigger_mode, created_at"
GET = f"select {COLUMNS} from team where account_id = $1 and id = $2"
LIST = f"select {COLUMNS} from team where account_id = $1 and ($2::uuid is null or id > $2) order by id limit $3"
CREATE = f"""
insert into team (account_id, id, name, slug, loosest_trigger_mode) values ($1, $2, $3, $4, $5) returning {COLUMNS}
"""
UPDATE = f"""
update team set name = coalesce($3, name), slug = coalesce($4, slug),
                loosest_trigger_mode = coalesce($5, loosest_trigger_mode)
where account_id = $1 and id = $2 returning {COLUMNS}
"""
DELETE = "delete from team where account_id = $1 and id = $2"


async def list_teams(tx: Tx, account_id: UUID, *, after: UUID | None = None, limit: int = 51) -> list[Team]:
    """The account's teams by id."""
    return [Team(**row) for row in await tx.fetch(LIST, account_id, after, limit)]


async def get(tx: Tx, account_id: UUID, team_id: UUID) -> Team:
    """One team. Raises ``NotFound``."""
    row = await tx.fetchrow(GET, account_id, team_id)
    if row is None:
        raise errors.NotFound("There is no such team.")
    return Team(**row)


async def create(tx: Tx, account_id: UUID, new: NewTeam) -> Team:
    """A new team without members. Raises ``AlreadyExists`` for a known slug."""
    try:
        row = await tx.fetchrow(CREATE, account_id, ids.new(), new.name, new.slug, new.loosest_trigger_mode)
    except asyncpg.UniqueViolationError as error:
        raise errors.AlreadyExists("A team with this slug is there already.") from error
    assert row is not None
    return Team(**row)


async def update(tx: Tx, account_id: UUID, team_id: UUID, changes: TeamChanges) -> Team:
    """Change a team. Raises ``NotFound``, ``AlreadyExists``."""
    try:
        row = await tx.fetchrow(UPDATE, account_id, team_id, changes.name, changes.slug, changes.loosest_trigger_mode)
    except asyncpg.UniqueViolationError as error:
        raise errors.AlreadyExists("A team with this slug is there already.") from error
    if row is None:
        raise errors.NotFound("There is no such team.")
    return Team(**row)


async def delete(tx: Tx, account_id: UUID, team_id: UUID) -> None:
    """Remove a team with its memberships and its channels. Raises ``NotFound``."""
    if await tx.execute(DELETE, account_id, team_id) == "DELETE 0":
        raise errors.NotFound("There is no such team.")

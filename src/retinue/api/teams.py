"""``/v1/teams`` and who is in them. Everyone sees teams; admins make them, admins and their leads fill them."""

from fastapi import APIRouter

from retinue import errors
from retinue.api import deps, pages
from retinue.domain import audit as lines
from retinue.domain.accounts import Member, NewTeam, NewTeamMember, Team, TeamChanges
from retinue.domain.ids import MemberId, TeamId
from retinue.store import audit, members, teams

router = APIRouter(prefix="/v1/teams", tags=["teams"])


@router.get("")
async def list_teams(caller: deps.Caller, db: deps.Db, page: pages.Paging) -> pages.Page[Team]:
    """Teams by id."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await teams.list_teams(tx, caller.account_id, after=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda team: [team.id])


@router.post("", status_code=201)
async def create_team(new: NewTeam, caller: deps.Admin, db: deps.Db) -> Team:
    """A new team without members."""
    async with db.tenant_tx(caller.account_id) as tx:
        team = await teams.create(tx, caller.account_id, new)
        await audit.append(
            tx, account_id=caller.account_id, event="team.create", actor=lines.actor(caller),
            detail={"team_id": team.id, "slug": team.slug},
        )  # fmt: skip
        return team


@router.get("/{team_id}")
async def get_team(team_id: TeamId, caller: deps.Caller, db: deps.Db) -> Team:
    """One team."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await teams.get(tx, caller.account_id, team_id)


@router.patch("/{team_id}")
async def update_team(team_id: TeamId, changes: TeamChanges, caller: deps.Admin, db: deps.Db) -> Team:
    """Change a team's name, slug or loosest trigger mode."""
    async with db.tenant_tx(caller.account_id) as tx:
        team = await teams.update(tx, caller.account_id, team_id, changes)
        detail = {"team_id": team_id, "fields": sorted(changes.model_fields_set)}
        await audit.append(
            tx, account_id=caller.account_id, event="team.update", actor=lines.actor(caller), detail=detail
        )
        return team


@router.delete("/{team_id}", status_code=204)
async def delete_team(team_id: TeamId, caller: deps.Admin, db: deps.Db) -> None:
    """Remove a team, its memberships and its channels."""
    async with db.tenant_tx(caller.account_id) as tx:
        await teams.delete(tx, caller.account_id, team_id)
        await audit.append(
            tx, account_id=caller.account_id, event="team.delete", actor=lines.actor(caller),
            detail={"team_id": team_id},
        )  # fmt: skip


@router.get("/{team_id}/members")
async def list_team_members(
    team_id: TeamId, caller: deps.Caller, db: deps.Db, page: pages.Paging
) -> pages.Page[Member]:
    """Who is in the team."""
    async with db.tenant_tx(caller.account_id) as tx:
        await teams.get(tx, caller.account_id, team_id)
        rows = await members.list_members(
            tx, caller.account_id, team_id=team_id, after=page.after_id(), limit=page.fetch
        )
    return pages.make(rows, page, lambda member: [member.id])


@router.post("/{team_id}/members", status_code=201)
async def add_team_member(team_id: TeamId, new: NewTeamMember, caller: deps.Caller, db: deps.Db) -> Member:
    """Put a user in the team. Takes an admin or a lead of the team."""
    async with db.tenant_tx(caller.account_id) as tx:
        await teams.get(tx, caller.account_id, team_id)
        await members.access_team(tx, caller, team_id)
        member = await members.add(tx, caller.account_id, new.user_id, new.role, team_id)
        detail = {"team_id": team_id, "user_id": new.user_id, "role": new.role.value}
        await audit.append(
            tx, account_id=caller.account_id, event="member.create", actor=lines.actor(caller), detail=detail
        )
        return member


@router.delete("/{team_id}/members/{member_id}", status_code=204)
async def remove_team_member(team_id: TeamId, member_id: MemberId, caller: deps.Caller, db: deps.Db) -> None:
    """Take a user out of the team. Takes an admin or a lead of the team."""
    async with db.tenant_tx(caller.account_id) as tx:
        member = await members.get(tx, caller.account_id, member_id)
        if member.team_id != team_id:
            raise errors.NotFound("There is no such member in this team.")
        await members.access_team(tx, caller, team_id)
        await members.remove(tx, caller.account_id, member_id)
        detail = {"team_id": team_id, "user_id": member.user_id}
        await audit.append(
            tx, account_id=caller.account_id, event="member.delete", actor=lines.actor(caller), detail=detail
        )

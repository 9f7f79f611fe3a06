"""``/v1/members``: roles in the account and in teams. Owner > admin > lead > member; the last owner stays."""

from typing import Annotated

from fastapi import APIRouter, Query

from retinue.api import auth, deps, pages
from retinue.db.pool import Tx
from retinue.domain import audit as lines
from retinue.domain.accounts import Member, NewMember, Principal, Role, RoleChange
from retinue.domain.ids import MemberId, TeamId, UserId
from retinue.store import audit, members

router = APIRouter(prefix="/v1/members", tags=["members"])


@router.get("")
async def list_members(
    caller: deps.Caller,
    db: deps.Db,
    page: pages.Paging,
    team_id: Annotated[TeamId | None, Query(description="Only those of this team.")] = None,
    user_id: Annotated[UserId | None, Query(description="Only those of this user.")] = None,
) -> pages.Page[Member]:
    """Memberships of the account (``team_id`` null) and of teams, by id."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await members.list_members(
            tx, caller.account_id, team_id=team_id, user_id=user_id, after=page.after_id(), limit=page.fetch
        )
    return pages.make(rows, page, lambda member: [member.id])


@router.post("", status_code=201)
async def create_member(new: NewMember, caller: deps.Caller, app: deps.App) -> Member:
    """Give a user a role in the account (again) or in a team."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        await _check(tx, caller, new.team_id, new.role)
        member = await members.add(tx, caller.account_id, new.user_id, new.role, new.team_id)
        await _note(tx, caller, "member.create", member)
    auth.forget(app, caller.account_id)
    return member


@router.get("/{member_id}")
async def get_member(member_id: MemberId, caller: deps.Caller, db: deps.Db) -> Member:
    """One membership."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await members.get(tx, caller.account_id, member_id)


@router.patch("/{member_id}")
async def update_member(member_id: MemberId, change: RoleChange, caller: deps.Caller, app: deps.App) -> Member:
    """Change a role."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        before = await members.get(tx, caller.account_id, member_id)
        await _check(tx, caller, before.team_id, before.role, change.role)
        member = await members.set_role(tx, caller.account_id, member_id, change.role)
        await _note(tx, caller, "member.update", member)
    auth.forget(app, caller.account_id)
    return member


@router.delete("/{member_id}", status_code=204)
async def delete_member(member_id: MemberId, caller: deps.Caller, app: deps.App) -> None:
    """End a membership. Leaving the account leaves its teams and ends all access."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        member = await members.get(tx, caller.account_id, member_id)
        await _check(tx, caller, member.team_id, member.role)
        await members.remove(tx, caller.account_id, member_id)
        await _note(tx, caller, "member.delete", member)
    auth.forget(app, caller.account_id)


async def _check(tx: Tx, caller: Principal, team_id: TeamId | None, *roles: Role) -> None:
    """In the account: nobody above one's own role, before or after. In a team: its leads may."""
    if team_id is not None:
        await members.access_team(tx, caller, team_id)
        return
    for role in roles:
        members.check_may_manage(caller, role)


async def _note(tx: Tx, caller: Principal, event: str, member: Member) -> None:
    detail = {"member_id": member.id, "user_id": member.user_id, "team_id": member.team_id, "role": member.role.value}
    await audit.append(tx, account_id=caller.account_id, event=event, actor=lines.actor(caller), detail=detail)

"""``/v1/users``: the people of the account. Everyone sees them; admins make, suspend and remove them."""

from typing import Annotated

from fastapi import APIRouter, Query

from retinue import errors
from retinue.api import auth, deps, pages
from retinue.domain import accounts
from retinue.domain import audit as lines
from retinue.domain.accounts import NewUser, Principal, Role, Scope, UserChanges, UserDetail
from retinue.domain.ids import UserId
from retinue.store import audit, members, sessions, users

router = APIRouter(prefix="/v1/users", tags=["users"])
OWN_FIELDS = frozenset({"name", "time_zone", "locale", "loosest_trigger_mode"})
"""What people change about themselves; an e-mail address is an identity and takes an admin."""


@router.get("")
async def list_users(
    caller: deps.Caller,
    db: deps.Db,
    page: pages.Paging,
    email: Annotated[accounts.Email | None, Query(description="Only the user of this address.")] = None,
) -> pages.Page[UserDetail]:
    """Users with their roles, by id."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await users.list_users(tx, caller.account_id, email=email, after=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda user: [user.id])


@router.post("", status_code=201)
async def create_user(new: NewUser, caller: deps.Admin, db: deps.Db) -> UserDetail:
    """Add someone. They sign in by a link (POST /v1/sign-in-links) or the identity provider."""
    members.check_may_manage(caller, new.role)
    async with db.tenant_tx(caller.account_id) as tx:
        user = await users.create(tx, caller.account_id, new)
        detail = {"user_id": user.id, "role": new.role.value}
        await audit.append(
            tx, account_id=caller.account_id, event="user.create", actor=lines.actor(caller), detail=detail
        )
        return user


@router.get("/{user_id}")
async def get_user(user_id: UserId, caller: deps.Caller, db: deps.Db) -> UserDetail:
    """One user."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await users.get(tx, caller.account_id, user_id)


@router.patch("/{user_id}")
async def update_user(user_id: UserId, changes: UserChanges, caller: deps.Caller, app: deps.App) -> UserDetail:
    """Change a user: oneself (not e-mail and status), or as an admin. Suspending ends their sessions."""
    if changes.model_fields_set - OWN_FIELDS and not _is_admin(caller):
        raise errors.Forbidden("Changing e-mail or status takes an admin (and a key with the scope admin).")
    async with app.db.tenant_tx(caller.account_id) as tx:
        await users.access_managed(tx, caller, user_id)
        user = await users.update(tx, caller.account_id, user_id, changes)
        if changes.status == "suspended":
            await sessions.revoke_of_user(tx, caller.account_id, user_id)
        detail = {"user_id": user_id, "fields": sorted(changes.model_fields_set), "status": user.status}
        await audit.append(
            tx, account_id=caller.account_id, event="user.update", actor=lines.actor(caller), detail=detail
        )
    auth.forget(app, caller.account_id)
    return user


@router.delete("/{user_id}", status_code=204)
async def delete_user(user_id: UserId, caller: deps.Admin, app: deps.App) -> None:
    """Remove a user with their keys, sessions and memberships. What they wrote stays."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        await users.access_managed(tx, caller, user_id)
        await users.delete(tx, caller.account_id, user_id)
        await audit.append(
            tx, account_id=caller.account_id, event="user.delete", actor=lines.actor(caller),
            detail={"user_id": user_id},
        )  # fmt: skip
    auth.forget(app, caller.account_id)


def _is_admin(caller: Principal) -> bool:
    return accounts.at_least(caller.role, Role.ADMIN) and Scope.ADMIN in caller.scopes

"""``/v1/keys``: API keys. One's own; with role and scope admin those of everybody. A key never makes a stronger one."""

from typing import Annotated

from fastapi import APIRouter, Query

from retinue import errors
from retinue.api import auth, deps, pages
from retinue.db.pool import Tx
from retinue.domain import accounts
from retinue.domain import audit as lines
from retinue.domain.accounts import ApiKey, MadeKey, NewKey, Principal, Role, Scope
from retinue.domain.ids import KeyId, UserId
from retinue.store import audit, keys, members, users
from retinue.telemetry import clock

router = APIRouter(prefix="/v1/keys", tags=["keys"])


@router.get("")
async def list_keys(
    caller: deps.Caller,
    db: deps.Db,
    page: pages.Paging,
    user_id: Annotated[UserId | None, Query(description="Only those of this user; admins only.")] = None,
) -> pages.Page[ApiKey]:
    """Keys by id, revoked ones too, without their secrets. Admins see those of everybody."""
    if not keys.sees_all(caller):
        if user_id not in (None, caller.user_id):
            raise errors.Forbidden("Keys of others take the role admin and a key with the scope admin.")
        user_id = caller.user_id
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await keys.list_keys(tx, caller.account_id, user_id=user_id, after=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda key: [key.id])


@router.post("", status_code=201)
async def create_key(new: NewKey, caller: deps.Caller, db: deps.Db) -> MadeKey:
    """A new key; ``secret`` is shown this once. Its scopes are among the caller's, its end not after that of the
    caller's own key. Nobody makes a key with the scope ``approve`` for somebody else."""
    if not accounts.may_grant(caller.scopes, new.scopes):
        raise errors.Forbidden("A key can be given only scopes that you have here.")
    if new.expires_at is not None and new.expires_at <= clock.now():
        raise errors.BadInput(errors=[{"path": "body.expires_at", "reason": "must be in the future"}])
    user_id = new.user_id or caller.user_id
    if user_id != caller.user_id and Scope.APPROVE in new.scopes:
        raise errors.Forbidden("A key with the scope approve is made by the person whose key it is.")
    async with db.tenant_tx(caller.account_id) as tx:
        await _check_user(tx, caller, user_id)
        made = await keys.create(tx, caller.account_id, user_id, await _bounded(tx, caller, new))
        detail = {"key_id": made.id, "user_id": user_id, "scopes": [scope.value for scope in made.scopes]}
        await audit.append(
            tx, account_id=caller.account_id, event="key.create", actor=lines.actor(caller), detail=detail
        )
        return made


@router.get("/{key_id}")
async def get_key(key_id: KeyId, caller: deps.Caller, db: deps.Db) -> ApiKey:
    """One key, without its secret."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await keys.access(tx, caller, key_id)


@router.delete("/{key_id}", status_code=204)
async def revoke_key(key_id: KeyId, caller: deps.Caller, app: deps.App) -> None:
    """Revoke a key: at once on this node, within two seconds on the others."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        key = await keys.access(tx, caller, key_id)
        await _check_user(tx, caller, key.user_id)
        await keys.revoke(tx, caller.account_id, key_id)
        await audit.append(
            tx, account_id=caller.account_id, event="key.revoke", actor=lines.actor(caller),
            detail={"key_id": key_id, "user_id": key.user_id},
        )  # fmt: skip
    auth.forget(app, caller.account_id)


async def _check_user(tx: Tx, caller: Principal, user_id: UserId) -> None:
    if user_id != caller.user_id:
        user = await users.get(tx, caller.account_id, user_id)
        members.check_may_manage(caller, user.role or Role.MEMBER)


async def _bounded(tx: Tx, caller: Principal, new: NewKey) -> NewKey:
    """A key made with a key that ends, ends no later."""
    if caller.key_id is None:
        return new
    own = (await keys.access(tx, caller, caller.key_id)).expires_at
    if own is None or (new.expires_at is not None and new.expires_at <= own):
        return new
    return new.model_copy(update={"expires_at": own})

"""``/v1/accounts/current`` and ``/v1/me``. Accounts are made by the operator's command line, never over HTTP."""

from fastapi import APIRouter

from retinue import errors
from retinue.api import deps
from retinue.domain import audit as lines
from retinue.domain.accounts import Account, AccountChanges, Me, User
from retinue.llm.models import Models
from retinue.store import accounts, audit, users

router = APIRouter(prefix="/v1", tags=["accounts"])


@router.get("/accounts/current")
async def get_account(caller: deps.Caller, db: deps.Db) -> Account:
    """The caller's account."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await accounts.get(tx, caller.account_id)


@router.patch("/accounts/current")
async def update_account(changes: AccountChanges, caller: deps.Admin, app: deps.App) -> Account:
    """Change the account's name, default model or loosest trigger mode. Takes an admin."""
    if changes.default_model is not None and app.models is not None:
        _check_model(app.models, changes.default_model)
    async with app.db.tenant_tx(caller.account_id) as tx:
        account = await accounts.update(tx, caller.account_id, changes)
        detail = changes.model_dump(mode="json", exclude_unset=True)
        await audit.append(
            tx, account_id=caller.account_id, event="account.update", actor=lines.actor(caller), detail=detail
        )
        return account


def _check_model(models: Models, model: str) -> None:
    try:
        models.resolve(model, None)
    except errors.UnknownModel as error:
        raise errors.BadInput(
            error.detail, errors=[{"path": "body.default_model", "reason": "is not a model"}]
        ) from error


@router.get("/me", tags=["sessions"])
async def get_me(caller: deps.Caller, db: deps.Db) -> Me:
    """Who is signed in, where, with which rights."""
    async with db.tenant_tx(caller.account_id) as tx:
        user = await users.get(tx, caller.account_id, caller.user_id)
        hashed = await users.password_hash(tx, caller.account_id, caller.user_id)
        return Me(
            account=await accounts.get(tx, caller.account_id), user=User(**user.model_dump(exclude={"role"})),
            role=caller.role, scopes=caller.scopes, key_id=caller.key_id, session_id=caller.session_id,
            has_password=hashed is not None,
        )  # fmt: skip

"""``/v1/secrets``: what tools sign and sign in with. Values go in and are never shown again; admins only."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from retinue import errors
from retinue.api import deps, pages
from retinue.domain.texts import Word
from retinue.store import secrets, wrapping
from retinue.store.secrets import Sealer, SecretName, SecretValue

router = APIRouter(prefix="/v1/secrets", tags=["secrets"])

Name = Annotated[Word, Path(description="Letters, digits, dots, dashes and underscores, at most 128.")]


async def sealer(app: deps.AppState, account_id: UUID) -> Sealer:
    """What seals values of this account. Raises ``Misconfigured`` without a secret key, ``KeyUnknown``, ``KmsDown``."""
    if not app.settings.secret_key:
        raise errors.Misconfigured("There is no RETINUE_SECRET_KEY: secrets cannot be stored.")
    app.keyring = app.keyring or wrapping.of(app.settings)
    return await Sealer(app.keyring).warm(app.db, account_id)


@router.get("")
async def list_secrets(caller: deps.Admin, db: deps.Db, page: pages.Paging) -> pages.Page[SecretName]:
    """The names of the secrets."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await secrets.list_names(tx, caller.account_id, after=page.after_text(), limit=page.fetch)
    return pages.make(rows, page, lambda secret: [secret.name])


@router.put("/{name}")
async def put_secret(name: Name, body: SecretValue, caller: deps.Admin, app: deps.App) -> SecretName:
    """Store or replace a secret; the next call uses it. The value must be text of 1 byte to 16 KB."""
    sealing = await sealer(app, caller.account_id)
    async with app.db.tenant_tx(caller.account_id) as tx:
        return await secrets.put(tx, sealing, caller, name, body.value)


@router.delete("/{name}", status_code=204)
async def delete_secret(name: Name, caller: deps.Admin, db: deps.Db) -> None:
    """Forget a secret. Tools that need it fail with ``secret_missing`` until it is stored again."""
    async with db.tenant_tx(caller.account_id) as tx:
        await secrets.delete(tx, caller, name)

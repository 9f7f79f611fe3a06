"""Which models answer here: the providers that are connected, how to connect others, and whether we are offline."""

from fastapi import APIRouter
from pydantic import BaseModel

from retinue import errors
from retinue.api import deps
from retinue.domain.models import ProviderStatus
from retinue.store import accounts

router = APIRouter(prefix="/v1/models", tags=["models"])


class ModelsView(BaseModel):
    """The state of language models in this installation."""

    offline: bool
    """True when no provider is connected: the offline model answers everything, and says so."""
    default_model: str | None
    """What an agent without a model of its own uses in this account; empty when that model cannot be reached."""
    how: str
    """In words: what answers, or how to connect a model."""
    providers: list[ProviderStatus]


@router.get("")
async def get_models(caller: deps.Caller, app: deps.App) -> ModelsView:
    """The providers and the default model. Holds no key."""
    if app.models is None:
        raise errors.Unavailable("This process has no models.")
    async with app.db.tenant_tx(caller.account_id) as tx:
        account = await accounts.get(tx, caller.account_id)
    providers = app.models.status()
    offline = next((one.how for one in providers if one.provider == "offline"), "")
    try:
        default = app.models.resolve(None, account.default_model)
        how = offline if app.models.offline else f"{default} answers where an agent has no model of its own."
    except errors.ModelError as error:
        default, how = None, error.detail
    return ModelsView(offline=app.models.offline, default_model=default, how=how, providers=providers)

"""Which models answer here: the providers that are connected, how to connect others, and whether we are offline."""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel

from retinue import errors
from retinue.api import deps, limits
from retinue.domain.looking import ModelTest, ModelTestError, ModelTestResult
from retinue.domain.models import ProviderStatus
from retinue.store import accounts

router = APIRouter(prefix="/v1/models", tags=["models"])
TEST_SECONDS = 15.0
TESTS_PER_SECOND, TESTS_AT_ONCE = 0.2, 5


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


@router.get("/providers")
async def list_model_providers(caller: deps.Caller, app: deps.App) -> list[ProviderStatus]:
    """Every provider: whether it is connected, and how, or what to set so that it is. Holds no key."""
    if app.models is None:
        raise errors.Unavailable("This process has no models.")
    return app.models.status()


@router.post("/test")
async def test_model(body: ModelTest, caller: deps.Admin, app: deps.App) -> ModelTestResult:
    """One small real request, with the provider's real error in words. At most one in 5 seconds for an account."""
    if app.models is None:
        raise errors.Unavailable("This process has no models.")
    buckets: limits.Buckets = app.extras.setdefault("model_tests", limits.Buckets(TESTS_PER_SECOND, TESTS_AT_ONCE))
    buckets.check(str(caller.account_id))
    async with app.db.tenant_tx(caller.account_id) as tx:
        account = await accounts.get(tx, caller.account_id)
    model = body.model or account.default_model
    try:
        async with asyncio.timeout(TEST_SECONDS + 1):
            found = await app.models.check(model, TEST_SECONDS)
    except TimeoutError:
        late = ModelTestError(
            code=errors.ModelTransient.code, detail=f"No answer came within {TEST_SECONDS:.0f} seconds."
        )
        return ModelTestResult(
            ok=False, model=model or "default", provider="", latency_ms=int(TEST_SECONDS * 1000), error=late
        )
    error = None if found.ok else ModelTestError(code=found.code or "model_error", detail=found.detail)
    return ModelTestResult(
        ok=found.ok,
        model=found.model,
        provider=found.provider,
        latency_ms=found.duration_ms,
        reply=found.reply,
        error=error,
    )

"""``POST /v1/agents/try``: what a draft of an agent would answer, before it is saved. For admins."""

from fastapi import APIRouter

from retinue.api import agents, deps
from retinue.domain.looking import StartedTrial, Trial
from retinue.store import trials

router = APIRouter(prefix="/v1/agents", tags=["agents"])


@router.post("/try", status_code=202)
async def try_agent(trial: Trial, caller: deps.Admin, app: deps.App) -> StartedTrial:
    """Run a draft on a message, in a thread of your own that no list shows. Its tools are real: it does what it may.

    Follow the answer at ``/v1/interactions/{id}/stream``. Send ``thread_id`` to go on in the same conversation.
    """
    agents.check_model(app, trial.agent.model, "body.agent.model")
    async with app.db.tenant_tx(caller.account_id) as tx:
        started = await trials.start(tx, caller, trial)
    await app.db.flush()
    return started

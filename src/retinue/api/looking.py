"""Looking into a turn: a step with its inputs and outputs, its prompt made again, the configuration it ran on; and
what an agent has been doing. Whoever may see the turn may look into it; changes nothing."""

from typing import Annotated

from fastapi import APIRouter, Path

from retinue import errors
from retinue.api import deps
from retinue.domain import agents as configs
from retinue.domain.agents import AgentConfig
from retinue.domain.ids import AgentId, InteractionId
from retinue.domain.looking import AgentActivity, RebuiltPrompt, StepDetail, TurnConfig
from retinue.store import agent_activity, prompts
from retinue.tools import resolve
from retinue.turn import rebuild, steps

router = APIRouter(prefix="/v1", tags=["interactions"])
Seq = Annotated[int, Path(ge=1, le=2**31 - 1, description="The step's number in its turn.")]


def parts(app: deps.AppState) -> rebuild.Parts:
    """What rebuilding a prompt needs of this process. Raises Unavailable."""
    if app.models is None or app.registry is None:
        raise errors.Unavailable("This process has no models.")
    own = (resolve.Internal(app.registry),)
    return rebuild.Parts(app.db, app.models, app.engine.sources if app.engine is not None else own, app.files)


@router.get("/interactions/{interaction_id}/steps/{seq}")
async def get_step(interaction_id: InteractionId, seq: Seq, caller: deps.Caller, app: deps.App) -> StepDetail:
    """One step with what it worked on and what it gave: messages, tools, arguments, results, the reply."""
    return await steps.detail(parts(app), caller, interaction_id, seq)


@router.get("/interactions/{interaction_id}/steps/{seq}/prompt")
async def get_step_prompt(interaction_id: InteractionId, seq: Seq, caller: deps.Caller, app: deps.App) -> RebuiltPrompt:
    """What the model was sent in a think step, made again from the journal. ``exact`` says whether word for word."""
    return await rebuild.prompt(parts(app), caller, interaction_id, seq)


@router.get("/interactions/{interaction_id}/config")
async def get_interaction_config(interaction_id: InteractionId, caller: deps.Caller, app: deps.App) -> TurnConfig:
    """The configuration the turn ran on, its agent's of today, and what differs."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        await prompts.access_turn(tx, caller, interaction_id)
        row = await prompts.configs(tx, caller.account_id, interaction_id)
    then, now = (AgentConfig.model_validate(row[name]) if row[name] else None for name in ("snapshot", "current"))
    changes = configs.differences(then, now) if then and now else ()
    return TurnConfig(hash=row["hash"], snapshot=then, current_hash=row["current_hash"], current=now, changes=changes)


@router.get("/agents/{agent_id}/activity")
async def get_agent_activity(agent_id: AgentId, caller: deps.Caller, app: deps.App) -> AgentActivity:
    """Where an agent is active, its last turns, and 30 days of turns and cost in your time zone. Days count the whole
    account for admins, your own turns for everyone else."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        return await agent_activity.get(tx, caller, agent_id)

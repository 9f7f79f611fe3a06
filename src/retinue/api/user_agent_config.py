"""``/v1/agents/{agent_id}/my-config``: what you set about an agent for yourself. Nobody else's can be reached."""

from fastapi import APIRouter

from retinue.api import deps, secrets
from retinue.domain.ids import AgentId
from retinue.domain.user_agent_config import UserAgentConfig, UserAgentConfigChange
from retinue.store import user_agent_config

router = APIRouter(prefix="/v1/agents/{agent_id}/my-config", tags=["agents"])


@router.get("")
async def get_user_agent_config(agent_id: AgentId, caller: deps.Caller, db: deps.Db) -> UserAgentConfig:
    """What you have set about this agent, empty at first. Of credentials only the names."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await user_agent_config.get(tx, caller, agent_id)


@router.put("")
async def upsert_user_agent_config(
    agent_id: AgentId, body: UserAgentConfigChange, caller: deps.Caller, app: deps.App
) -> UserAgentConfig:
    """Set what the body names; the agent has it from your next turn on, and in your turns only.

    A part that is left out stays. ``preferences`` and ``overrides`` are replaced as a whole; of ``credentials`` only
    those named change, and null forgets one.
    """
    sealer = await secrets.sealer(app, caller.account_id) if "credentials" in body.model_fields_set else None
    async with app.db.tenant_tx(caller.account_id) as tx:
        return await user_agent_config.upsert(tx, sealer, caller, agent_id, body)


@router.delete("", status_code=204)
async def delete_user_agent_config(agent_id: AgentId, caller: deps.Caller, db: deps.Db) -> None:
    """Forget all you have set about this agent, credentials too."""
    async with db.tenant_tx(caller.account_id) as tx:
        await user_agent_config.delete(tx, caller, agent_id)

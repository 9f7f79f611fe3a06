"""Trying a draft of an agent: an ordinary turn in a thread of one's own, on a snapshot that nobody saved as an agent.

It passes the same engine and the same gate; what it may do outside is what the draft's own rights allow. Its turns run
under one hidden agent of the account (0052_trials.sql), and lists leave them out unless asked for.
"""

from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import ids, texts
from retinue.domain.accounts import Principal
from retinue.domain.agents import AgentConfig, AgentTool
from retinue.domain.audit import actor
from retinue.domain.looking import StartedTrial, Trial
from retinue.domain.messages import ReceivedInteraction
from retinue.store import agents, audit, threads
from retinue.store.turns import ThreadPrompt

THREAD = """
insert into thread (account_id, id, agent_id, owner, user_id, title) values ($1, $2, $3, $4, $5, $6)
"""
OWN_THREAD = "select from thread where account_id = $1 and id = $2 and user_id = $3 and agent_id = $4"
FIX = "update interaction set config_hash = $3 where account_id = $1 and id = $2"


async def start(tx: Tx, principal: Principal, trial: Trial) -> StartedTrial:
    """Queue the turn that tries the draft. Raises Forbidden (no admin), NotFound (the thread, the agent), BadInput."""
    rows = agents.checked(principal, trial.agent)
    if trial.agent_id is not None:
        await agents.access_agent(tx, principal, trial.agent_id)
    account = principal.account_id
    agent_id: UUID = await tx.fetchval("select trial_agent_v1($1)", account)
    config = _config(trial, agent_id, rows)
    hash: str = await tx.fetchval("select trial_snapshot_v1($1, $2, $3)", account, agent_id, config)
    thread_id = await _thread(tx, principal, trial, agent_id)
    prompt = ThreadPrompt(
        id=ids.new(),
        user_id=principal.user_id,
        prompt=trial.content,
        author=await threads.author_name(tx, principal),
        options={
            "trial": {"name": trial.agent.name, "agent_id": str(trial.agent_id) if trial.agent_id else None},
            "recent_messages": trial.agent.context.recent_messages,
        },
    )
    started = ReceivedInteraction.model_validate(
        await tx.fetchval("select thread_turn_v1($1, $2, $3)", account, thread_id, prompt.model_dump())
    )
    await tx.execute(FIX, account, started.id, hash)
    await audit.append(
        tx, account_id=account, event="agent.try", actor=actor(principal), interaction_id=started.id,
        detail={"agent_id": trial.agent_id, "config_hash": hash},
    )  # fmt: skip
    return StartedTrial(interaction_id=started.id, thread_id=thread_id)


async def _thread(tx: Tx, principal: Principal, trial: Trial, agent_id: UUID) -> UUID:
    """The thread to go on in, or a new one."""
    account, user = principal.account_id, principal.user_id
    if trial.thread_id is not None:
        if await tx.fetchrow(OWN_THREAD, account, trial.thread_id, user, agent_id) is None:
            raise errors.NotFound("There is no such trial of yours. Leave out thread_id to start a new one.")
        return trial.thread_id
    made = ids.new()
    await tx.execute(THREAD, account, made, agent_id, ids.encode("usr", user), user, trial.agent.name)
    return made


def _config(trial: Trial, agent_id: UUID, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The draft as ``agent_snapshot_v1`` would keep it."""
    draft = trial.agent
    config = AgentConfig(
        id=trial.agent_id or agent_id,
        slug=draft.slug or texts.slug_of(draft.name),
        name=draft.name,
        execution=draft.execution,
        system_prompt=draft.system_prompt,
        endpoint=draft.endpoint,
        model=draft.model,
        trust_level=draft.trust_level,
        capability_level=draft.capability_level,
        limits=draft.limits,
        context=draft.context,
        delegation_set=draft.delegation_set,
        max_delegation_depth=draft.max_delegation_depth,
        tools=tuple(AgentTool.model_validate(row) for row in rows),
    )
    return config.model_dump(mode="json") | {"id": str(config.id)}

"""The gate: the only way to an effect. It decides, runs the body, and records the outcome with usage and audit.

Layers so far: the agent has the tool, the arguments fit, the trust level is enough, the calls are not used up.
Policy, approval and budget slot into ``decide`` and around ``_run``; no caller moves.
"""

import asyncio
import hashlib
import json
import random
from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg

from retinue import errors, telemetry
from retinue.domain import policy
from retinue.domain.tools import Decision, Effect, ToolCall, ToolContext, ToolResult
from retinue.domain.turns import Step, StepKind
from retinue.store import turns
from retinue.telemetry import clock
from retinue.tools.registry import Context, Tool
from retinue.turn.engine import Engine, Turn

log = telemetry.logger(__name__)

TRIES = 3
PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
"""A tool that asks for more time than this is not waited for: the model is told, and may do something else."""
MARGIN_SECONDS = 1.0
"""How much longer than a tool's own time its transaction may be silent before the database ends it."""
TRANSIENT_SQL = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)


def decide(turn: Turn, step: Step) -> Decision:
    """Whether this call may run, and why not."""
    call = ToolCall.model_validate(step.input)
    tool = turn.tools.get(call.tool)
    before = sum(1 for one in turn.steps if one.kind is StepKind.ACT and one.tool == step.tool and one.seq < step.seq)
    return policy.decide(
        tool.spec if tool else None,
        call,
        trust=turn.config.trust_level,
        calls_before=before,
        limit=turn.config.limits.max_calls_per_tool,
    )


async def perform(engine: Engine, turn: Turn, step: Step) -> bool:
    """Run one act step through the gate and record what came of it. False when its outcome is not known.

    Raises Fenced, DatabaseDown.
    """
    decision = decide(turn, step)
    tool = turn.tools.get(step.tool or "")
    if decision.verdict != "allow" or tool is None:
        await refuse(engine, turn, step, decision)
        return True
    started = clock.monotonic()
    with telemetry.span("act", tool=tool.spec.slug, step=step.seq):
        try:
            await _tries(engine, turn, step, tool)
        except errors.ToolOutcomeUnknown:
            return False
    telemetry.metrics.act_seconds.labels(tool.spec.slug).observe(clock.monotonic() - started)
    return True


async def refuse(engine: Engine, turn: Turn, step: Step, decision: Decision) -> None:
    """Record a refusal: an ordinary result with a stable reason that the model reads (AUD-07)."""
    result = ToolResult(ok=False, reason=decision.reason, content={"error": decision.reason, "detail": decision.detail})
    async with engine.db.tenant_tx(turn.fence.account_id) as tx:
        await turns.act_done(tx, turn.fence, outcome(step, result, event="policy.denied", layers=decision.layers))


async def settle(engine: Engine, turn: Turn, step: Step, result: ToolResult) -> None:
    """Record what a call came to, or what a person says it did."""
    async with engine.db.tenant_tx(turn.fence.account_id) as tx:
        await turns.act_done(tx, turn.fence, outcome(step, result, event="tool.call"))


async def _tries(engine: Engine, turn: Turn, step: Step, tool: Tool) -> None:
    """Transient failures are tried again and not shown to the agent (PRN-08, DUR-05), except where trying again could
    do a thing twice."""
    tries = 1 if tool.spec.effect is Effect.EXTERNAL_ONCE else TRIES
    for attempt in range(1, tries + 1):
        try:
            await _run(engine, turn, step, tool)
            return
        except (errors.ToolTransient, *TRANSIENT_SQL) as error:
            log.info("a tool failed for the moment", tool=tool.spec.slug, attempt=attempt, error=type(error).__name__)
            seconds = pause(attempt, error)
            if attempt == tries or seconds > LONGEST_PAUSE_SECONDS:
                await settle(engine, turn, step, failure(error))
                return
            await asyncio.sleep(seconds)


def pause(attempt: int, error: Exception) -> float:
    """Seconds before the next try: doubling, with jitter, never sooner than the tool asked for."""
    asked = error.data.get("retry_after") if isinstance(error, errors.ToolTransient) else None
    return max(PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5), asked or 0.0)


async def _run(engine: Engine, turn: Turn, step: Step, tool: Tool) -> None:
    if tool.spec.inside:
        await _run_inside(engine, turn, step, tool)
        return
    try:
        content = await tool.run(engine.gate_key, _context(engine, turn, step, None), _arguments(step))
        result = ToolResult(ok=True, content=content)
    except (errors.ToolTransient, errors.ToolOutcomeUnknown):
        raise
    except errors.ToolError as error:
        result = failure(error)
    await settle(engine, turn, step, result)


async def _run_inside(engine: Engine, turn: Turn, step: Step, tool: Tool) -> None:
    """The body, the outcome, the usage and the audit line commit together or not at all (AUD-14)."""
    # a node that is frozen in here must let go of the rows before its successor has waited out its own time
    async with engine.db.tenant_tx(turn.fence.account_id, tool.spec.timeout_seconds + MARGIN_SECONDS) as tx:
        try:
            savepoint: AbstractAsyncContextManager[Any] = tx.transaction()
            async with savepoint:
                content = await tool.run(engine.gate_key, _context(engine, turn, step, tx), _arguments(step))
            result = ToolResult(ok=True, content=content)
        except errors.ToolTransient:
            raise
        except errors.ToolError as error:
            result = failure(error)
        except TRANSIENT_SQL:
            raise
        except asyncpg.PostgresError as error:
            result = ToolResult(
                ok=False,
                reason="tool_failed",
                content={"error": "tool_failed", "detail": f"The database refused: {type(error).__name__}."},
            )
        await turns.act_done(tx, turn.fence, outcome(step, result, event="tool.call"))


def failure(error: Exception) -> ToolResult:
    """A failure as a result the model can reason about (TOOL-19, DUR-08)."""
    code = error.reason_code if isinstance(error, errors.RetinueError) else "tool_unavailable"
    detail = error.detail if isinstance(error, errors.RetinueError) else "The tool is not reachable just now."
    content: dict[str, Any] = {"error": code, "detail": detail}
    if isinstance(error, errors.ToolTransient) and (asked := error.data.get("retry_after")):
        content["retry_after_seconds"] = asked
    return ToolResult(ok=False, reason=code, content=content)


def outcome(step: Step, result: ToolResult, *, event: str, layers: tuple[str, ...] = ()) -> dict[str, Any]:
    """An act step's outcome as ``act_done_v1`` writes it."""
    return {
        "seq": step.seq,
        "ok": result.ok,
        "output": {"content": result.content},
        "error": result.reason,
        "cost_micro": result.cost_micro,
        "tool": step.tool,
        "effect": step.effect,
        "arguments_hash": arguments_hash(step),
        "event": event,
        "layers": list(layers),
    }


def arguments_hash(step: Step) -> str:
    """SHA-256 of the arguments as canonical JSON: what a wait is bound to."""
    canonical = json.dumps(_arguments(step), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _arguments(step: Step) -> dict[str, Any]:
    return step.input.get("arguments") or {}


def _context(engine: Engine, turn: Turn, step: Step, tx: Any) -> Context:
    seen = turn.interaction
    call = ToolCall.model_validate(step.input)
    return Context(
        call=ToolContext(
            account_id=turn.fence.account_id,
            user_id=seen.user_id,
            agent_id=seen.agent_id,
            interaction_id=seen.id,
            thread_id=seen.thread_id,
            channel_id=seen.channel_id,
            call_id=call.id,
            idempotency_key=turn.idempotency_key(step.seq),
            agent_name=turn.config.name,
            instruction=_instruction(turn),
            channel_type=turn.transport,
        ),
        egress=engine.egress,
        tx=tx,
        tools=turn.tools.specs,
    )


def _instruction(turn: Turn) -> str:
    """The message that started the turn, in words (EXT-04)."""
    for message in reversed(turn.messages):
        if message.seq <= turn.interaction.trigger_seq and message.role == "user":
            return "\n".join(part.text for part in message.parts if part.kind == "text")
    return ""

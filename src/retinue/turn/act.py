"""The act steps of one model response: run concurrently, each its own step; one failure does not lose the others."""

import asyncio
from typing import Any

from retinue.domain.tools import ToolResult
from retinue.domain.turns import Act, Step, StepState
from retinue.domain.waits import Wait, WaitKind, WaitState
from retinue.store import turns
from retinue.turn import gate
from retinue.turn.engine import Engine, Turn


async def run(engine: Engine, turn: Turn, move: Act) -> None:
    """Run what can run and turn what may have happened into questions; afterwards the view is what the rows say."""
    for seq in move.unknown:
        await _ask(engine, turn, turn.step(seq))
    ready: list[Step] = []
    for step in map(turn.step, move.seqs):
        wait = _answer(turn, step)
        if wait is None or _run_again(wait):
            ready.append(step)
        else:
            await gate.settle(engine, turn, step, told(wait))
    if ready:
        await turns.begin_acts(engine.db, turn.fence, [step.seq for step in ready])
        async with asyncio.TaskGroup() as group:
            for step in ready:
                group.create_task(_one(engine, turn, step))
    await refresh(engine, turn)


async def _one(engine: Engine, turn: Turn, step: Step) -> None:
    if not await gate.perform(engine, turn, step):
        await _ask(engine, turn, step)


async def refresh(engine: Engine, turn: Turn) -> None:
    """Read the rows again. The fence still holds: every write is checked."""
    turn.interaction, steps, waits = await turns.journal(engine.db, turn.fence.account_id, turn.interaction.id)
    turn.steps, turn.waits = list(steps), list(waits)


# ── not knowing ──────────────────────────────────────────────────────────────────────────────────────────────────


async def _ask(engine: Engine, turn: Turn, step: Step) -> None:
    """Unknown outcome becomes a question to a person, never a guess."""
    turn.waits.append(
        await turns.ask(
            engine.db,
            turn.fence,
            WaitKind.OUTCOME,
            {
                "seq": step.seq,
                "tool": step.tool,
                "arguments_hash": gate.arguments_hash(step),
                "prompt": f"{step.tool} was called, and it is not known whether it did its work. Did it happen?",
                "payload": {
                    "arguments": step.input.get("arguments", {}),
                    "idempotency_key": turn.idempotency_key(step.seq),
                },
            },
        )
    )


def _answer(turn: Turn, step: Step) -> Wait | None:
    """The resolved wait that this suspended step goes on from."""
    if step.state not in (StepState.UNKNOWN, StepState.WAITING):
        return None
    return next((w for w in reversed(turn.waits) if w.step_seq == step.seq and w.state is not WaitState.OPEN), None)


def _run_again(wait: Wait) -> bool:
    """A person said that it did not happen and is to be tried again."""
    said = wait.resolution or {}
    return wait.state is WaitState.RESOLVED and said.get("happened") is False and said.get("retry") is True


def told(wait: Wait) -> ToolResult:
    """What a person's word about an unknown outcome makes of the call."""
    said: dict[str, Any] = wait.resolution or {}
    if wait.state is WaitState.RESOLVED and said.get("happened") is True:
        return ToolResult(ok=True, content=said.get("result") or {"happened": True, "confirmed_by": "a person"})
    reason = "did_not_happen" if wait.state is WaitState.RESOLVED else f"wait_{wait.state.value}"
    return ToolResult(
        ok=False,
        reason=reason,
        content={
            "error": reason,
            "detail": "A person says it did not happen."
            if wait.state is WaitState.RESOLVED
            else "Nobody answered whether it happened.",
        },
    )

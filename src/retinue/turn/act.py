"""The act steps of one model response: run concurrently, each its own step; one failure does not lose the others."""

import asyncio
from typing import Any

from retinue.domain.policy import Book
from retinue.domain.tools import ToolResult, arguments_hash
from retinue.domain.turns import Act, Step, StepState
from retinue.domain.waits import Wait, WaitKind, WaitState
from retinue.store import turns
from retinue.turn import asking, gate
from retinue.turn.engine import Engine, Turn


async def run(engine: Engine, turn: Turn, move: Act) -> None:
    """Run what may run, ask about what a person has to approve, refuse the rest, and turn what may have happened into
    questions; afterwards the view is what the rows say."""
    for seq in move.unknown:
        await _ask(engine, turn, turn.step(seq))
    if move.seqs:
        turn.revision = await turns.revision(engine.db, turn.fence)
    ready: list[gate.Call] = []
    for step in map(turn.step, move.seqs):
        call = await _cleared(engine, turn, step)
        if call is not None:
            ready.append(call)
    if ready:
        await turns.begin_acts(engine.db, turn.fence, [call.step.seq for call in ready])
        abreast = asyncio.Semaphore(_abreast(ready[0].book) or len(ready))
        async with asyncio.TaskGroup() as group:
            for call in ready:
                group.create_task(_one(engine, turn, call, abreast))
    await refresh(engine, turn)


def _abreast(book: Book) -> int | None:
    """How many calls the agent's role lets it make at the same time (REG-06)."""
    return book.role.authority_bounds.max_concurrent_steps if book.role else None


async def _cleared(engine: Engine, turn: Turn, step: Step) -> gate.Call | None:
    """The call, if it may run now; else its outcome is recorded, or somebody has been asked."""
    outcome = _answer(turn, step)
    if outcome is not None and not _run_again(outcome):
        await gate.settle(engine, turn, step, told(outcome))
        return None
    approval = asking.answered(turn, step)
    if approval is not None and (refusal := asking.refusal(approval)):
        await gate.settle(engine, turn, step, refusal, event="tool.rejected")
        return None
    call = await gate.judge(engine, turn, step, asking.edited(approval) if approval else None)
    if call.judged.verdict == "ask" and approval is not None and asking.covers(approval, call):
        call = call.approved()
    match call.judged.verdict:
        case "allow":
            return call
        case "ask":
            await asking.ask(engine, turn, call)
        case "deny":
            await gate.refuse(engine, turn, call)
    return None


async def _one(engine: Engine, turn: Turn, call: gate.Call, abreast: asyncio.Semaphore) -> None:
    async with abreast:
        if not await gate.perform(engine, turn, call):
            await _ask(engine, turn, call.step)


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
                "arguments_hash": arguments_hash(step.input.get("arguments") or {}),
                "prompt": f"{step.tool} was called, and it is not known whether it did its work. Did it happen?",
                "payload": {
                    "arguments": step.input.get("arguments", {}),
                    "idempotency_key": turn.idempotency_key(step.seq),
                },
            },
        )
    )


def _answer(turn: Turn, step: Step) -> Wait | None:
    """What was said about whether this step, whose outcome was not known, did its work."""
    if step.state is not StepState.UNKNOWN:
        return None
    ended = (w for w in reversed(turn.waits) if w.step_seq == step.seq and w.kind is WaitKind.OUTCOME)
    return next((wait for wait in ended if wait.state is not WaitState.OPEN), None)


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

"""The ends of a turn: a reply, a failure with a reason people see, or a cancellation."""

from typing import Any

from retinue import telemetry
from retinue.domain.models import TextPart
from retinue.domain.turns import Respond, State, Stop, closing_text
from retinue.store import turns
from retinue.store.turns import End
from retinue.telemetry import clock
from retinue.turn import think
from retinue.turn.engine import Engine, Turn

log = telemetry.logger(__name__)


async def close(engine: Engine, turn: Turn, move: Respond) -> None:
    """Write the reply and end, with the model's last response in the same transaction. Raises Fenced."""
    text = closing_text(move.text, move.reason, move.detail)
    outcome: dict[str, Any] = {
        "seq": move.seq,
        "text": text,
        "reason": move.reason,
        "author": turn.config.name,
        "parts": [TextPart(text=text).model_dump()],
        "metadata": {"agentName": turn.config.name},
    }
    if turn.unsaved is not None:
        reply = turn.unsaved.reply
        outcome["think"] = think.record(turn, turn.unsaved.seq, reply)
        outcome["metadata"] = think.metadata(turn, reply)
        outcome["structured"] = reply.structured
        outcome["reason"] = move.reason or turn.unsaved.held
        if move.reason is None:
            outcome["parts"] = think.parts(reply)
    await turns.finish(engine.db, turn.fence, outcome)
    if turn.unsaved is not None:
        await think.settle(engine, turn, turn.unsaved.seq, turn.unsaved.reply)
    ended(turn, State.SUCCEEDED)


async def give_up(engine: Engine, turn: Turn, move: Stop) -> None:
    """End without a reply. Raises Fenced."""
    if move.reason == "ended":
        return
    state = "cancelled" if move.state is State.CANCELLED else "failed"
    await turns.stop(
        engine.db, turn.fence, End(state=state, reason=move.reason, error=None if state == "cancelled" else move.reason)
    )
    ended(turn, move.state)


async def fail(engine: Engine, turn: Turn, *, error: str, detail: str, dead_letter: bool = False) -> None:
    """End failed, with a code and words that say what happened. Raises Fenced."""
    end = End(state="failed", reason=error, error=error, detail=detail[:2000], dead_letter=dead_letter)
    await turns.stop(engine.db, turn.fence, end)
    log.warning("turn failed", error=error, dead_letter=dead_letter)
    ended(turn, State.FAILED)


def ended(turn: Turn, state: State) -> None:
    """Count it."""
    telemetry.metrics.turns_total.labels(state.value).inc()
    telemetry.metrics.turn_seconds.observe((clock.now() - turn.interaction.created_at).total_seconds())

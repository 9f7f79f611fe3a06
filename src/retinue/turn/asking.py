"""Asking a person before a call is made, and going on from what they said (GOV-14, GOV-15).

What was agreed to is one call: these arguments, these people. The call is judged again before it runs; where the rules
now want more than was agreed to, those who are to decide are asked anew, and where they deny, nothing helps.
"""

from datetime import timedelta

from retinue.domain.tools import ToolResult, arguments_hash
from retinue.domain.turns import Step
from retinue.domain.verdicts import Ask
from retinue.domain.waits import Wait, WaitKind, WaitState
from retinue.store import turns
from retinue.telemetry import clock
from retinue.turn.engine import Engine, Turn
from retinue.turn.gate import Call

REFUSALS = {
    "reject": ("rejected", "A person did not approve this call."),
    "ask_back": ("asked_back", "A person wants to know something before they approve this call."),
    "withdrawn": ("approval_withdrawn", "The request for approval was withdrawn."),
    "expired": ("approval_expired", "Nobody approved this call in time."),
}


async def ask(engine: Engine, turn: Turn, call: Call) -> None:
    """Open the wait for a call that somebody has to approve. Raises Fenced."""
    ask = call.judged.ask
    if ask is None:
        raise ValueError("nobody is to be asked about this call")
    name = call.tool.spec.name if call.tool else call.step.tool
    question = {
        "seq": call.step.seq,
        "tool": call.step.tool,
        "arguments_hash": arguments_hash(call.arguments),
        "prompt": f"{turn.config.name} wants to use {name}. May it?",
        "payload": {"arguments": call.arguments},
        "due_at": clock.now() + timedelta(seconds=ask.expires_seconds),
        "ask": ask.model_dump(),
        "policy_revision": call.book.revision,
        "policy": call.judged.model_dump(),
    }
    turn.waits.append(await turns.ask(engine.db, turn.fence, WaitKind.APPROVAL, question))


def answered(turn: Turn, step: Step) -> Wait | None:
    """The newest request for approval of this step that is no longer open."""
    return next(
        (
            wait
            for wait in reversed(turn.waits)
            if wait.step_seq == step.seq and wait.kind is WaitKind.APPROVAL and wait.state is not WaitState.OPEN
        ),
        None,
    )


def refusal(wait: Wait) -> ToolResult | None:
    """What the model reads instead of a result; None where the call was approved."""
    decision = _decision(wait)
    if decision == "approve":
        return None
    reason, detail = REFUSALS.get(decision, REFUSALS["withdrawn"])
    said = wait.resolution or {}
    content = {"error": reason, "detail": detail}
    content |= {key: said[key] for key in ("reason", "question") if said.get(key)}
    return ToolResult(ok=False, reason=reason, content=content)


def _decision(wait: Wait) -> str:
    match wait.state:
        case WaitState.RESOLVED:
            return str((wait.resolution or {}).get("decision", "reject"))
        case WaitState.EXPIRED:
            return "approve" if wait.ask is not None and wait.ask.on_expiry == "approve" else "expired"
        case _:
            return "withdrawn"


def edited(wait: Wait) -> dict[str, object] | None:
    """The arguments as whoever approved them changed them; None where they did not."""
    return (wait.resolution or {}).get("arguments")


def covers(wait: Wait, call: Call) -> bool:
    """Whether what was approved is this very call, by everyone whom the rules want asked now."""
    agreed = (wait.resolution or {}).get("arguments_hash", wait.arguments_hash)
    wanted: Ask | None = call.judged.ask
    if wait.ask is None or agreed != arguments_hash(call.arguments):
        return False
    return wanted is None or set(wanted.panels) <= set(wait.ask.panels)

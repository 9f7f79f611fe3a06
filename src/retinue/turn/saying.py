"""What a model says goes by the content rules of its turn before anybody reads any of it.

While there is such a rule, nothing is streamed: what is found at the end of an answer may begin at its start.
"""

from dataclasses import dataclass

from retinue import telemetry
from retinue.domain import policy, saying
from retinue.domain.models import Delta, ModelReply
from retinue.domain.policy import Book
from retinue.domain.rule_base import Question
from retinue.domain.rule_content import ContentRule
from retinue.domain.verdicts import Judgement
from retinue.store import turns
from retinue.turn import gate
from retinue.turn.engine import Engine, Turn
from retinue.turn.stream import Writer

log = telemetry.logger(__name__)


@dataclass(frozen=True)
class Said:
    """An answer as it may be said, and why the rules held it back, if they did."""

    reply: ModelReply
    held: str | None = None


async def rules(engine: Engine, turn: Turn) -> tuple[ContentRule, ...]:
    """The rules that what is said in this turn goes by."""
    book, asked = await _where(engine, turn)
    return policy.listening(book, asked)


async def heard(engine: Engine, turn: Turn, seq: int, reply: ModelReply) -> Said:
    """The answer as it may be said. What the rules made of it is on the step first. Raises Fenced."""
    book, asked = await _where(engine, turn)
    listening = policy.listening(book, asked)
    if not listening:
        return Said(reply)

    def look() -> tuple[Judgement, ModelReply]:
        judged = saying.judge(book, asked, saying.words(reply))
        return judged, saying.cleaned(reply, judged, listening)

    judged, clean = await gate.unhurried(len(reply.text), look)
    await _note(engine, turn, seq, judged, reply.model)
    if clean.calls and clean.text:  # no reply will repeat this text
        async with Writer(engine, turn, seq) as writer:
            await writer.add(Delta(kind="text", text=clean.text))
            writer.keep = True
    return Said(clean, (judged.reason or "content_blocked") if judged.verdict == "deny" else None)


async def _where(engine: Engine, turn: Turn) -> tuple[Book, Question]:
    return await engine.book(turn), gate.question_of_model(turn, turn.model)


async def _note(engine: Engine, turn: Turn, seq: int, judged: Judgement, model: str) -> None:
    event = "reply.blocked" if judged.verdict == "deny" else "reply.redacted" if judged.redact else None
    if event is not None or turn.fence.attempt > 1:  # an earlier attempt may have left what it found
        said = {"policy": judged.model_dump(), "layers": saying.changers(judged), "event": event}
        await turns.note_said(engine.db, turn.fence, seq, said | {"reason": judged.reason, "model": model})
    if event is not None:
        log.info("a rule changed what is said", change=event, step=seq)

"""The think step: assemble the context, call the model, take in its answer.

A final answer is kept in hand (``turn.unsaved``) and written together with the reply; calls for tools are written
at once, with their act steps, before any of them runs.
"""

import asyncio
from typing import Any

from retinue import errors, telemetry
from retinue.domain import stated
from retinue.domain.models import Delta, ModelReply, ModelRequest, TextPart
from retinue.domain.tools import Effect
from retinue.domain.turns import Step, StepKind, StepState, Think
from retinue.domain.verdicts import Judgement
from retinue.store import turns
from retinue.turn import attachments, context, gate, recall, saying, spending
from retinue.turn.engine import Engine, Interrupted, Turn, Unsaved
from retinue.turn.stream import Writer

log = telemetry.logger(__name__)


async def run(engine: Engine, turn: Turn, move: Think) -> None:
    """Call the model once. Raises ModelError (all kinds but ContextTooLong), Fenced, Interrupted."""
    if turn.begun:
        turn.begun = False
    else:
        await _begin(engine, turn, move)
    turn.put(
        Step(seq=move.seq, kind=StepKind.THINK, state=StepState.RUNNING, effect=Effect.READ, attempt=turn.fence.attempt)
    )
    model = engine.models.resolve(turn.model or None, None)
    turn.stated = stated.stated((await engine.book(turn)).policies)
    judged = await gate.judge_model(engine, turn, model)
    if judged.verdict != "allow":
        await _refused(engine, turn, move.seq, model, judged)
        return
    with telemetry.span("think", model=model, step=move.seq):
        try:
            reply = await _ask(engine, turn, move.seq, model)
        except spending.OverLimit as limit:
            await _refused(engine, turn, move.seq, model, limit.judged)
            return
        except BaseException:
            await asyncio.shield(spending.release(engine, turn, move.seq))
            raise
    telemetry.metrics.think_seconds.labels(reply.model).observe(reply.duration_ms / 1000)
    _count(reply)
    await _take_in(engine, turn, move.seq, reply)


async def _begin(engine: Engine, turn: Turn, move: Think) -> None:
    """Write the intent, with the results of the calls before it; take in what has arrived in the thread since."""
    before = turn.last_think()
    results = context.results(turn.steps, before.seq) if before else None
    begun = await turns.begin_think(
        engine.db, turn.fence, seq=move.seq, known=turn.last_seq, results=results, after=before.seq if before else None
    )
    turn.last_seq, turn.late_seq, turn.revision = begun.last_seq, begun.late_seq, begun.revision
    known = {message.seq for message in turn.messages}
    turn.messages.extend(message for message in begun.messages if message.seq not in known)


async def _refused(engine: Engine, turn: Turn, seq: int, model: str, judged: Judgement) -> None:
    """End the step that a rule is against; the turn then ends with what was done so far and plain words."""
    reason = judged.reason or "policy_denied"
    refusal = {"reason": reason, "policy": judged.model_dump(), "layers": gate.deciders(judged), "model": model}
    await turns.refuse_think(engine.db, turn.fence, seq, refusal)
    step = turn.step(seq).model_copy(update={"state": StepState.FAILED, "error": reason, "policy": judged})
    turn.put(step)
    log.info("a rule is against calling the model", reason=reason, step=seq)


async def _ask(engine: Engine, turn: Turn, seq: int, model: str) -> ModelReply:
    """The model's answer; with a shorter and shorter past while the context is too long. Raises ModelError."""
    messages = await recall.handled(engine, turn, (recall.remembered, *engine.handlers), turn.messages)
    longest: int | None = None
    while True:
        request = context.assemble(turn, model, messages)
        request = await attachments.shown(engine.files, turn.fence.account_id, request)
        if longest is None:
            asked = gate.question_of_model(turn, model)
            request = await spending.reserve_model(engine, turn, seq, request, asked)
            longest = request.max_output_tokens or 0
        elif longest:
            request = request.model_copy(update={"max_output_tokens": longest})
        turn.read = context.references(turn, messages)
        try:
            return await _call(engine, turn, seq, request)
        except errors.ContextTooLong:
            shorter = context.shortened(messages, turn.interaction.trigger_seq)
            if shorter is None:
                raise
            log.info("the context was too long; trying with less", messages=len(shorter))
            messages = shorter
        except errors.ModelPermanent as error:
            if not attachments.is_blind(request, error):
                raise
            log.info("the model takes no pictures; trying without", model=model)
            turn.read["blind"] = True
            return await _call(engine, turn, seq, attachments.without_pictures(request))


async def _call(engine: Engine, turn: Turn, seq: int, request: ModelRequest) -> ModelReply:
    quiet = await saying.rules(engine, turn)
    heard = 0

    async def hear(delta: Delta) -> None:
        nonlocal heard
        heard += len(delta.text)
        if not quiet:
            await writer.add(delta)

    try:
        with turn.interruptible():
            async with Writer(engine, turn, seq) as writer:
                reply = await engine.models.stream(request, hear)
                writer.keep = bool(reply.calls and reply.text)
                return reply
    except BaseException as error:
        if heard or isinstance(error, Interrupted):
            await asyncio.shield(spending.cut_off(engine, turn, seq, request, heard))
        raise


def _count(reply: ModelReply) -> None:
    metrics = telemetry.metrics
    metrics.tokens_total.labels(reply.model, "input").inc(reply.usage.input_tokens)
    metrics.tokens_total.labels(reply.model, "output").inc(reply.usage.output_tokens)
    if reply.cost_micro:
        metrics.cost_micro_total.labels(reply.model, reply.currency).inc(reply.cost_micro)


async def _take_in(engine: Engine, turn: Turn, seq: int, reply: ModelReply) -> None:
    try:
        said = await saying.heard(engine, turn, seq, reply)
    except BaseException:
        await asyncio.shield(settle(engine, turn, seq, reply))
        raise
    reply = said.reply
    turn.put(
        Step(
            seq=seq,
            kind=StepKind.THINK,
            state=StepState.SUCCESS,
            effect=Effect.READ,
            attempt=turn.fence.attempt,
            output={"text": reply.text},
            cost_micro=reply.cost_micro,
            input_tokens=reply.usage.input_tokens,
            output_tokens=reply.usage.output_tokens,
        )
    )
    if not reply.calls:
        turn.unsaved = Unsaved(seq, reply, said.held)
        return
    acts = _acts(turn, seq, reply)
    outcome = {
        "think": record(turn, seq, reply),
        "parts": parts(reply),
        "text": reply.text,
        "author": turn.config.name,
        "calls": [{"seq": act.seq, "tool": act.tool, "effect": act.effect, "input": act.input} for act in acts],
        "metadata": metadata(turn, reply),
    }
    try:
        await turns.record_calls(engine.db, turn.fence, outcome)
    finally:
        await settle(engine, turn, seq, reply)
    for act in acts:
        turn.put(act)


async def settle(engine: Engine, turn: Turn, seq: int, reply: ModelReply) -> None:
    """Count what a response came to under the limits that hold: once it is recorded, or cannot be any more."""
    used = reply.usage.input_tokens + reply.usage.output_tokens
    await spending.settle(engine, turn, seq, reply.cost_micro, used)


def _acts(turn: Turn, seq: int, reply: ModelReply) -> list[Step]:
    """One act step for each call, in the model's order. A tool the agent lacks has no effect: the gate refuses it."""
    acts: list[Step] = []
    for index, call in enumerate(reply.calls):
        tool = turn.tools.get(call.tool)
        acts.append(
            Step(
                seq=seq + 1 + index,
                kind=StepKind.ACT,
                state=StepState.CREATED,
                parent_seq=seq,
                call_index=index,
                tool=tool.spec.slug if tool else call.tool[:63],
                effect=tool.spec.effect if tool else Effect.READ,
                input=call.model_dump(mode="python") | {"id": str(call.id)},
            )
        )
    return acts


def record(turn: Turn, seq: int, reply: ModelReply) -> dict[str, Any]:
    """One model response as ``think_done_v1`` writes it (LLM-11, AUD-06): references and numbers, no prompt."""
    return {
        "seq": seq,
        "output": {"text": reply.text, "finish": reply.finish, "calls": len(reply.calls), "read": turn.read},
        "model": reply.model,
        "provider": reply.provider,
        "input_tokens": reply.usage.input_tokens,
        "output_tokens": reply.usage.output_tokens,
        "cost_micro": reply.cost_micro,
        "currency": reply.currency,
        "duration_ms": reply.duration_ms,
    }


def parts(reply: ModelReply) -> list[dict[str, Any]]:
    """The assistant message to keep in the thread."""
    return [part.model_dump() for part in reply.parts or (TextPart(text=reply.text),)]


def metadata(turn: Turn, reply: ModelReply) -> dict[str, Any]:
    """THR-09: who wrote it, with which provider."""
    return {"provider": reply.provider, "model": reply.model, "agentName": turn.config.name}

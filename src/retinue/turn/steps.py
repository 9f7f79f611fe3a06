"""One step as people look at it: what it worked on and what it gave, resolved from the journal. Changes nothing."""

from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain.accounts import Principal
from retinue.domain.looking import StepCall, StepDetail, StepInput, StepOutput
from retinue.domain.models import Part, ThinkingPart
from retinue.domain.turns import STEP_DONE, InteractionView, StepKind, StepState, StepView
from retinue.domain.waits import Wait
from retinue.store import interactions, messages, prompts
from retinue.store.prompts import Facts
from retinue.turn import rebuild
from retinue.turn.rebuild import Parts

PARTS: TypeAdapter[tuple[Part, ...]] = TypeAdapter(tuple[Part, ...])


async def detail(parts: Parts, principal: Principal, interaction_id: UUID, seq: int) -> StepDetail:
    """One step. Raises NotFound for what is not there or what this person may not see."""
    async with parts.db.tenant_tx(principal.account_id) as tx:
        turn = await interactions.access(tx, principal, interaction_id)
        step = next((one for one in turn.steps or () if one.seq == seq), None)
        if step is None:
            raise errors.NotFound("This turn has no step of that number.")
        facts = await prompts.access_turn(tx, principal, interaction_id)
        output = await _output(tx, principal, turn, facts, step)
    return StepDetail(
        step=step,
        input_resolved=await _input(parts, principal, turn, step),
        output_resolved=output if step.state in STEP_DONE or output.waits else None,
    )


# ── what it worked on ────────────────────────────────────────────────────────────────────────────────────────────


async def _input(parts: Parts, principal: Principal, turn: InteractionView, step: StepView) -> StepInput:
    match step.kind:
        case StepKind.THINK if step.state is not StepState.CREATED and turn.config_hash is not None:
            return await _thought_about(parts, principal, turn, step)
        case StepKind.ACT:
            return await _called_with(parts, principal, turn, step)
        case _:
            return StepInput(config_hash=turn.config_hash)


async def _thought_about(parts: Parts, principal: Principal, turn: InteractionView, step: StepView) -> StepInput:
    made = await rebuild.prompt(parts, principal, turn.id, step.seq, contents=False)
    return StepInput(
        config_hash=made.config_hash,
        model=made.request.model,
        messages=made.request.messages,
        tools=tuple(spec.slug for spec in made.request.tools),
        exact=made.exact,
        notes=made.notes,
    )


async def _called_with(parts: Parts, principal: Principal, turn: InteractionView, step: StepView) -> StepInput:
    tools = await rebuild.tools_of(parts, principal.account_id, turn.config_hash)
    tool = tools.get(step.tool or "")
    return StepInput(
        config_hash=turn.config_hash,
        asked_by=step.parent_seq,
        tool_name=tool.spec.name if tool else None,
        tool_description=tool.spec.description if tool else None,
        arguments=step.input.get("arguments"),
        malformed=step.input.get("malformed"),
    )


# ── what it gave ─────────────────────────────────────────────────────────────────────────────────────────────────


async def _output(tx: Tx, principal: Principal, turn: InteractionView, facts: Facts, step: StepView) -> StepOutput:
    output = step.output or {}
    match step.kind:
        case StepKind.THINK:
            return await _thought(tx, principal, turn, facts, step)
        case StepKind.ACT:
            return StepOutput(result=output.get("content"), waits=_waits(turn, step))
        case _:
            return await _responded(tx, principal, turn, output)


async def _thought(tx: Tx, principal: Principal, turn: InteractionView, facts: Facts, step: StepView) -> StepOutput:
    said = await prompts.said(tx, principal.account_id, facts.interaction, _row(facts, step.seq))
    kept = PARTS.validate_python(said["parts"]) if said else ()
    output = step.output or {}
    return StepOutput(
        text=output.get("text"),
        thinking="".join(part.text for part in kept if isinstance(part, ThinkingPart)) or None,
        calls=tuple(_call(one) for one in turn.steps or () if one.parent_seq == step.seq and one.tool),
        finish=output.get("finish"),
        provider=said["metadata"].get("provider") if said else None,
    )


def _row(facts: Facts, seq: int) -> Any:
    return next(one for one in facts.steps if one.seq == seq)


def _call(step: StepView) -> StepCall:
    return StepCall(seq=step.seq, tool=step.tool or "", arguments=step.input.get("arguments") or {}, state=step.state)


def _waits(turn: InteractionView, step: StepView) -> tuple[Wait, ...]:
    return tuple(wait for wait in turn.waits or () if wait.step_seq == step.seq)


async def _responded(tx: Tx, principal: Principal, turn: InteractionView, output: dict[str, Any]) -> StepOutput:
    message = None
    if turn.reply_message_id is not None:
        try:
            message = await messages.access_message(tx, principal, turn.reply_message_id)
        except errors.NotFound:
            message = None
    reply = turn.reply or {}
    return StepOutput(
        text=message.content if message else reply.get("text"),
        message=message,
        structured=reply.get("structured"),
        delivery=output.get("delivery"),
        reason=output.get("reason"),
    )

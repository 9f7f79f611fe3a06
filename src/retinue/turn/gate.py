"""The gate: the only way to an effect. It judges, asks, runs the body, and records the outcome with usage and audit.

``judge`` says what every layer of rules makes of a call (``domain.policy``); ``perform`` runs one that may run. Asking
a person is ``turn.asking``'s; what a call may cost is reserved around the body by ``turn.spending``.
"""

import asyncio
import itertools
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import asyncpg

from retinue import errors, telemetry
from retinue.domain import policy, rule_content, verdicts
from retinue.domain.agents import AgentConfig
from retinue.domain.meters import Need
from retinue.domain.policy import Book
from retinue.domain.rule_base import Question, SoFar
from retinue.domain.tools import Effect, ToolCall, ToolContext, ToolResult, arguments_hash
from retinue.domain.turns import Step, StepKind
from retinue.domain.verdicts import Judgement, Layer, Opinion
from retinue.store import turns
from retinue.telemetry import clock
from retinue.tools.registry import Context, Tool
from retinue.turn import spending
from retinue.turn.engine import Engine, Turn

log = telemetry.logger(__name__)
T = TypeVar("T")

TRIES = 3
PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
"""A tool that asks for more time than this is not waited for: the model is told, and may do something else."""
MARGIN_SECONDS = 1.0
"""How much longer than a tool's own time its transaction may be silent before the database ends it."""
MUCH_TEXT = 2_000
"""Characters."""
TRANSIENT_SQL = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it would run: its step with the arguments in force, and what the rules say about it."""

    step: Step
    tool: Tool | None
    book: Book
    asked: Question
    judged: Judgement
    changed: bool = False
    """Whether the arguments are not the model's own: a person edited them, or a rule took something out."""

    @property
    def arguments(self) -> dict[str, Any]:
        return _arguments(self.step)

    def approved(self) -> "Call":
        """The same, once those who had to be asked have agreed."""
        return replace(self, judged=self.judged.model_copy(update={"verdict": "allow", "ask": None}))


async def judge(engine: Engine, turn: Turn, step: Step, edited: dict[str, Any] | None = None) -> Call:
    """What all layers say about this call now, standing grants included; with the arguments a person edited, if any.
    What would be asked about is checked first: nobody is asked about arguments that do not fit (lesson 23)."""
    step = step if edited is None else _with(step, edited)
    book = await engine.book(turn)
    tool = turn.tools.get(step.tool or "")
    asked = question(turn, step, tool)
    size = len(str(_arguments(step))) if policy.listening(book, asked) else 0
    judged = await unhurried(size, lambda: verdict(book, turn.config, tool, asked))
    changed = edited is not None
    if judged.redact:
        clean = await unhurried(size, lambda: redacted(book, asked, _arguments(step)))
        step, changed = _with(step, clean), True
    return Call(step, tool, book, asked, judged, changed)


async def judge_model(engine: Engine, turn: Turn, model: str) -> Judgement:
    """What all layers say about calling this model now. Nobody can be asked about it: what would be, is denied."""
    return verdict(await engine.book(turn), turn.config, None, question_of_model(turn, model))


def verdict(book: Book, config: AgentConfig, tool: Tool | None, asked: Question) -> Judgement:
    """What all layers, and standing grants, make of one question: also of one that is only asked (``explaining``)."""
    judged = policy.judge(book, config, asked)
    if asked.call is None:
        return verdicts.unaskable(judged)
    arguments = asked.call.arguments
    judged = policy.granted(book, judged, asked, arguments_hash(arguments))
    if judged.verdict == "ask" and tool is not None and (wrong := misfit(tool, arguments)):
        return judged.model_copy(update={"verdict": "deny", "ask": None, "opinions": (wrong, *judged.opinions)})
    return judged


def question_of_model(turn: Turn, model: str) -> Question:
    """What the rules are asked about a call of a model."""
    seen = turn.interaction
    return Question(
        agent_id=seen.agent_id,
        user_id=seen.user_id,
        channel_id=seen.channel_id,
        depth=seen.depth,
        so_far=so_far(turn, 0),
        at=clock.now(),
        model=model,
    )


def so_far(turn: Turn, worst_micro: int | None) -> SoFar:
    """What the turn has used, and what the next call costs at most."""
    journal = turn.journal()
    return SoFar(spent_micro=journal.cost_micro, worst_micro=worst_micro, seconds=journal.running_seconds)


def question(turn: Turn, step: Step, tool: Tool | None) -> Question:
    """What the rules are asked about a call of a tool."""
    seen = turn.interaction
    before = sum(1 for one in turn.steps if one.kind is StepKind.ACT and one.tool == step.tool and one.seq < step.seq)
    return Question(
        agent_id=seen.agent_id,
        user_id=seen.user_id,
        channel_id=seen.channel_id,
        depth=seen.depth,
        so_far=so_far(turn, tool.spec.price_micro if tool else 0),
        at=clock.now(),
        spec=tool.spec if tool else None,
        call=ToolCall.model_validate(step.input),
        calls_before=before,
        host=tool.spec.host if tool else None,
        categories=tool.spec.categories if tool else (),
    )


def redacted(book: Book, asked: Question, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments without what the rules that hold here want taken out."""
    return rule_content.redacted(arguments, [rule for rule in policy.listening(book, asked) if rule.then == "redact"])


async def unhurried(size: int, work: Callable[[], T]) -> T:
    """What the work gives; done beside the event loop where there is much text to look through."""
    return await asyncio.to_thread(work) if size > MUCH_TEXT else work()


def misfit(tool: Tool, arguments: dict[str, Any]) -> Opinion | None:
    """What is wrong with the arguments, as the rules say it; None when they fit the tool's schema."""
    try:
        tool.check(arguments)
    except errors.ToolRefused as error:
        return Opinion(layer=Layer.AGENT, rule="schema", verdict="deny", reason=error.reason_code, detail=error.detail)
    return None


def _with(step: Step, arguments: dict[str, Any]) -> Step:
    return step.model_copy(update={"input": {**step.input, "arguments": arguments}})


async def perform(engine: Engine, turn: Turn, call: Call) -> bool:
    """Run one call that may run, within its limits, and record what came of it. False when its outcome is not known.

    Raises Fenced, DatabaseDown; ValueError for a call that may not run.
    """
    if call.judged.verdict != "allow" or call.tool is None:
        raise ValueError("only a call that the rules allow is performed")
    need = Need(cost_micro=call.tool.spec.price_micro)
    if against := await spending.reserve(engine, turn, call.step.seq, call.asked, need):
        await refuse(engine, turn, replace(call, judged=verdicts.join((*call.judged.opinions, *against))))
        return True
    started = clock.monotonic()
    with telemetry.span("act", tool=call.tool.spec.slug, step=call.step.seq):
        try:
            result = await _tries(engine, turn, call, call.tool)
        except errors.ToolOutcomeUnknown:
            return False
    await spending.settle(engine, turn, call.step.seq, result.cost_micro)
    telemetry.metrics.act_seconds.labels(call.tool.spec.slug).observe(clock.monotonic() - started)
    return True


async def refuse(engine: Engine, turn: Turn, call: Call) -> None:
    """Record a refusal: an ordinary result with a stable reason that the model reads (GOV-10, AUD-07)."""
    judged = call.judged
    result = ToolResult(ok=False, reason=judged.reason, content={"error": judged.reason, "detail": judged.detail})
    await _record(engine, turn, judged_outcome(call, result, event="policy.denied"))


async def settle(engine: Engine, turn: Turn, step: Step, result: ToolResult, *, event: str = "tool.call") -> None:
    """Record what a person says that a call came to, or that it is not to be made."""
    await _record(engine, turn, outcome(step, result, event=event))


async def _record(engine: Engine, turn: Turn, came: dict[str, Any]) -> None:
    async with engine.db.tenant_tx(turn.fence.account_id) as tx:
        await turns.act_done(tx, turn.fence, came)


async def _tries(engine: Engine, turn: Turn, call: Call, tool: Tool) -> ToolResult:
    """Transient failures are tried again and not shown to the agent (PRN-08, DUR-05), except where trying again could
    do a thing twice."""
    tries = 1 if tool.spec.effect is Effect.EXTERNAL_ONCE else TRIES
    for attempt in itertools.count(1):
        try:
            return await _run(engine, turn, call, tool)
        except (errors.ToolTransient, *TRANSIENT_SQL) as error:
            log.info("a tool failed for the moment", tool=tool.spec.slug, attempt=attempt, error=type(error).__name__)
            seconds = pause(attempt, error)
            if attempt == tries or seconds > LONGEST_PAUSE_SECONDS:
                result = failure(error)
                await _record(engine, turn, judged_outcome(call, result))
                return result
            await asyncio.sleep(seconds)
    raise AssertionError("the loop above has no end")


def pause(attempt: int, error: Exception) -> float:
    """Seconds before the next try: doubling, with jitter, never sooner than the tool asked for."""
    asked = error.data.get("retry_after") if isinstance(error, errors.ToolTransient) else None
    return max(PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5), asked or 0.0)


async def _run(engine: Engine, turn: Turn, call: Call, tool: Tool) -> ToolResult:
    if tool.spec.inside:
        return await _run_inside(engine, turn, call, tool)
    try:
        content = await tool.run(engine.gate_key, _context(engine, turn, call.step, None), call.arguments)
        result = ToolResult(ok=True, content=content, cost_micro=tool.spec.price_micro)
    except (errors.ToolTransient, errors.ToolOutcomeUnknown):
        raise
    except errors.ToolError as error:
        result = failure(error)
    await _record(engine, turn, judged_outcome(call, result))
    return result


async def _run_inside(engine: Engine, turn: Turn, call: Call, tool: Tool) -> ToolResult:
    """The body, the outcome, the usage and the audit line commit together or not at all (AUD-14)."""
    # a node that is frozen in here must let go of the rows before its successor has waited out its own time
    async with engine.db.tenant_tx(turn.fence.account_id, tool.spec.timeout_seconds + MARGIN_SECONDS) as tx:
        try:
            savepoint: AbstractAsyncContextManager[Any] = tx.transaction()
            async with savepoint:
                content = await tool.run(engine.gate_key, _context(engine, turn, call.step, tx), call.arguments)
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
        await turns.act_done(tx, turn.fence, judged_outcome(call, result))
    return result


def failure(error: Exception) -> ToolResult:
    """A failure as a result the model can reason about (TOOL-19, DUR-08)."""
    code = error.reason_code if isinstance(error, errors.RetinueError) else "tool_unavailable"
    detail = error.detail if isinstance(error, errors.RetinueError) else "The tool is not reachable just now."
    content: dict[str, Any] = {"error": code, "detail": detail}
    if isinstance(error, errors.ToolTransient) and (asked := error.data.get("retry_after")):
        content["retry_after_seconds"] = asked
    return ToolResult(ok=False, reason=code, content=content)


def outcome(step: Step, result: ToolResult, *, event: str = "tool.call") -> dict[str, Any]:
    """An act step's outcome as ``act_done_v2`` writes it."""
    return {
        "seq": step.seq,
        "ok": result.ok,
        "output": {"content": result.content},
        "error": result.reason,
        "cost_micro": result.cost_micro,
        "tool": step.tool,
        "effect": step.effect,
        "arguments_hash": arguments_hash(_arguments(step)),
        "event": event,
    }


def judged_outcome(call: Call, result: ToolResult, *, event: str = "tool.call") -> dict[str, Any]:
    """The same, with what the rules said, and with the arguments where they were not the model's own."""
    came = outcome(call.step, result, event=event)
    if call.changed:
        came["output"]["changed"] = call.arguments
    return came | {"layers": deciders(call.judged), "policy": call.judged.model_dump()}


def deciders(judged: Judgement) -> list[str]:
    """The layers and rules that decided, for the audit line: ``account: No mail at night``."""
    return [one.named for one in judged.opinions if one.verdict == judged.verdict]


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

"""One agent turn: the interaction, its steps, and what to do next.

The thread is the journal: what an interaction has done is exactly its rows. ``next_move`` is a pure function of
those rows; resuming after a crash, a deploy or a month of waiting is: load the rows, ask ``next_move``, go on.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from retinue.domain.agents import Limits
from retinue.domain.base import Value
from retinue.domain.ids import AgentId, ChannelId, InteractionId, MessageId, ThreadId, UserId
from retinue.domain.money import Money
from retinue.domain.tools import Effect
from retinue.domain.verdicts import Judgement
from retinue.domain.waits import Wait, WaitState


class State(StrEnum):
    """The state of an interaction. The database refuses any other arrow (trigger ``interaction_arrows``)."""

    QUEUED = "queued"  # -> running, cancelled, failed
    RUNNING = "running"  # -> waiting, queued (handed over), succeeded, failed, cancelled
    WAITING = "waiting"  # -> queued (a wait was resolved), cancelled, failed
    SUCCEEDED = "succeeded"  # terminal
    FAILED = "failed"  # -> queued, only by a person's retry
    CANCELLED = "cancelled"  # terminal


TERMINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})


class StepKind(StrEnum):
    """AGT-10; ``triage`` is the step of a Tier 2 answer."""

    TRIAGE = "triage"
    THINK = "think"
    ACT = "act"
    RESPOND = "respond"


class StepState(StrEnum):
    """AGT-13: created, running, then success or failed. ``waiting`` and ``unknown``: not known yet."""

    CREATED = "created"  # -> running, waiting, failed
    RUNNING = "running"  # -> success, failed, waiting, unknown
    WAITING = "waiting"  # -> running, success, failed (approval, answer, callback)
    UNKNOWN = "unknown"  # -> running, success, failed (a person said what happened)
    SUCCESS = "success"  # terminal
    FAILED = "failed"  # terminal


STEP_DONE = frozenset({StepState.SUCCESS, StepState.FAILED})


class Step(Value):
    """One step. A row in state ``running`` is committed before its effect (the intent)."""

    seq: int
    kind: StepKind
    state: StepState
    mode: Literal["immediate", "deferred", "interactive"] = "immediate"
    parent_seq: int | None = None
    """For an act step: the think step that asked for it."""
    call_index: int | None = None
    """For an act step: its place among the calls of that response."""
    tool: str | None = None
    effect: Effect | None = None
    attempt: int = 0
    input: dict[str, Any] = Field(default_factory=dict)
    """Think: references (config, message range). Act: the call. Never a copy of a prompt (architecture, idea 9)."""
    output: dict[str, Any] | None = None
    error: str | None = None
    """A stable code."""
    cost_micro: int | None = 0
    input_tokens: int = 0
    output_tokens: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    policy: Judgement | None = None
    """What the rules said about it, and which; None where they were not asked."""

    @property
    def refused(self) -> bool:
        """Whether it was not done because a rule is against it."""
        return self.state is StepState.FAILED and self.policy is not None and self.policy.verdict == "deny"


class Interaction(Value):
    """One turn of one agent."""

    id: InteractionId
    agent_id: AgentId
    thread_id: ThreadId
    channel_id: ChannelId | None
    message_id: MessageId | None
    user_id: UserId | None
    parent_id: InteractionId | None = None
    depth: int = 0
    state: State
    attempt: int
    config_hash: str | None
    first_seq: int = 0
    """The thread position of the message that started it."""
    trigger_seq: int
    """The thread position of the last message that it was to answer when it was taken up."""
    read_seq: int
    """How far into the thread its last think has read."""
    retries: int = 0
    not_before: datetime | None = None
    reply_message_id: MessageId | None = None
    successor_id: InteractionId | None = None
    """The turn that takes in what arrived too late for this one."""
    stop_reason: str | None = None
    error: str | None = None
    error_detail: str | None = None
    cancel_requested: bool = False
    dead_letter: bool = False
    cost_micro: int = 0
    unpriced: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    running_seconds: float = 0.0


class StepView(Value):
    """A step as people see it."""

    seq: int
    kind: StepKind
    state: StepState
    mode: Literal["immediate", "deferred", "interactive"]
    parent_seq: int | None
    tool: str | None
    effect: Effect | None
    attempt: int
    input: dict[str, Any]
    output: dict[str, Any] | None
    error: str | None
    cost: Money | None
    """None when the price is unknown."""
    input_tokens: int
    output_tokens: int
    started_at: datetime | None
    ended_at: datetime | None
    policy: Judgement | None = None
    """What the rules said about it, and which; None where they were not asked."""

    def private(self) -> "StepView":
        """As anybody else than the person whose turn it is reads it."""
        return self.model_copy(update={"policy": self.policy and self.policy.private()})


class InteractionView(Value):
    """A turn as people see it; ``steps`` and ``waits`` come with a single one, not in lists."""

    id: InteractionId
    agent_id: AgentId
    thread_id: ThreadId
    channel_id: ChannelId | None
    message_id: MessageId | None
    user_id: UserId | None
    parent_id: InteractionId | None
    depth: int
    state: State
    attempt: int
    retries: int
    config_hash: str | None
    reply_message_id: MessageId | None
    reply: dict[str, Any] | None
    """The reply of a turn without a channel: ``text`` and, where asked for, ``structured``."""
    successor_id: InteractionId | None
    stop_reason: str | None
    error: str | None
    error_detail: str | None
    dead_letter: bool
    cost: Money
    unpriced: bool
    """True when a model in it has no known price: the cost is then a lower bound."""
    input_tokens: int
    output_tokens: int
    running_seconds: float
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    agent_name: str | None = None
    """As the agent, the channel and the person are called now; of a trial, the draft's name."""
    channel_name: str | None = None
    asked: str | None = None
    """The first 200 characters of the message it answers."""
    user_name: str | None = None
    model: str | None = None
    """The model that answered last."""
    trial: bool = False
    """Whether it runs a draft that somebody tries before saving it."""
    steps: tuple[StepView, ...] | None = None
    waits: tuple[Wait, ...] | None = None


# ── what to do next ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Think:
    """Call the model. ``seq`` is the step to run: a new one, or one that a crash left running."""

    seq: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """Run these act steps, concurrently. Those in ``unknown`` may have happened and must become questions first."""

    seqs: tuple[int, ...]
    unknown: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspend:
    """Nothing can go on until a wait is resolved."""

    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Respond:
    """Write the reply and end. ``reason`` is None for a plain answer, else the limit or the rule that ended the turn;
    ``detail`` is what the rule says, in words."""

    seq: int
    text: str
    reason: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """End without a model's reply: cancelled, failed, or already over."""

    state: State
    reason: str


Move = Think | Act | Suspend | Respond | Stop


class Journal(Value):
    """All that ``next_move`` looks at."""

    state: State
    cancel_requested: bool = False
    steps: tuple[Step, ...] = ()
    waits: tuple[Wait, ...] = ()
    limits: Limits = Limits()
    running_seconds: float = 0.0
    tokens: int = 0
    cost_micro: int = 0


def next_move(journal: Journal) -> Move:
    """The next thing to do, decided from the rows alone."""
    if journal.state in TERMINAL:
        return Stop(journal.state, "ended")
    if journal.cancel_requested:
        return Stop(State.CANCELLED, "cancelled")
    steps = journal.steps
    think = next((step for step in reversed(steps) if step.kind is StepKind.THINK), None)
    if think is None:
        return Think(seq=1)
    if think.refused:
        return _refused(steps, think)
    if think.state is StepState.FAILED:
        return Stop(State.FAILED, think.error or "model_error")
    if think.state is not StepState.SUCCESS:
        return Think(seq=think.seq, again=True)
    acts = tuple(step for step in steps if step.kind is StepKind.ACT and step.parent_seq == think.seq)
    return _after_calls(journal, acts) if acts else _answer(journal, think)


def _answer(journal: Journal, think: Step) -> Move:
    text = str((think.output or {}).get("text", ""))
    return Respond(seq=_next_seq(journal.steps), text=text)


def _refused(steps: tuple[Step, ...], think: Step) -> Move:
    """A rule is against calling the model: what was done so far is the answer, with plain words (COST-08, COST-19).

    An agent says nothing to people it is not assigned to: it may have heard them without being addressed.
    """
    if think.error == "not_assigned":
        return Stop(State.CANCELLED, "not_assigned")
    detail = think.policy.detail if think.policy else ""
    return Respond(seq=_next_seq(steps), text=_last_words(steps), reason=think.error, detail=detail)


def _after_calls(journal: Journal, acts: tuple[Step, ...]) -> Move:
    open_steps = tuple(step for step in acts if step.state not in STEP_DONE)
    if open_steps:
        return _go_on(journal, open_steps)
    reason = limit_reached(journal)
    if reason:
        return Respond(seq=_next_seq(journal.steps), text=_last_words(journal.steps), reason=reason)
    return Think(seq=_next_seq(journal.steps))


def _go_on(journal: Journal, open_steps: tuple[Step, ...]) -> Move:
    """Some calls are not done: run what can run, ask about what may have happened, else wait."""
    ready: list[int] = []
    unknown: list[int] = []
    for step in open_steps:
        match step.state:
            case StepState.CREATED:
                ready.append(step.seq)
            case StepState.RUNNING if step.effect is Effect.EXTERNAL_ONCE:
                unknown.append(step.seq)
            case StepState.RUNNING:
                ready.append(step.seq)
            case _ if not _has_open_wait(journal, step.seq):
                ready.append(step.seq)
            case _:
                pass
    if ready or unknown:
        return Act(seqs=tuple(ready), unknown=tuple(unknown))
    return Suspend(seqs=tuple(step.seq for step in open_steps))


def _has_open_wait(journal: Journal, seq: int) -> bool:
    return any(wait.step_seq == seq and wait.state is WaitState.OPEN for wait in journal.waits)


def _next_seq(steps: tuple[Step, ...]) -> int:
    return max((step.seq for step in steps), default=0) + 1


def _last_words(steps: tuple[Step, ...]) -> str:
    """The last text the model wrote beside its calls."""
    for step in reversed(steps):
        if step.kind is StepKind.THINK and step.output and step.output.get("text"):
            return str(step.output["text"])
    return ""


def limit_reached(journal: Journal) -> str | None:
    """The stable code of the first limit this interaction has reached, or None (AGT-21, AGT-22)."""
    limits = journal.limits
    thinks = sum(1 for step in journal.steps if step.kind is StepKind.THINK)
    if thinks >= limits.max_steps:
        return "step_limit"
    if limits.max_tokens is not None and journal.tokens >= limits.max_tokens:
        return "token_limit"
    if limits.max_cost_micro is not None and journal.cost_micro >= limits.max_cost_micro:
        return "cost_limit"
    if journal.running_seconds >= limits.max_seconds:
        return "time_limit"
    return None


LIMIT_WORDS = {
    "step_limit": "I stopped here because this turn reached its limit of steps.",
    "token_limit": "I stopped here because this turn reached its limit of tokens.",
    "cost_limit": "I stopped here because this turn reached its limit of cost.",
    "time_limit": "I stopped here because this turn reached its limit of time.",
}


def closing_text(text: str, reason: str | None, detail: str = "") -> str:
    """The reply people see: the model's text and, when a limit or a rule ended the turn, plain words that say so."""
    if reason is None:
        return text
    words = LIMIT_WORDS.get(reason) or f"I stopped here: {detail or 'a rule does not allow me to go on.'}"
    return f"{text}\n\n{words}" if text else words

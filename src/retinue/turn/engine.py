"""What a node needs to run turns, and one turn in hand. Decides nothing; holds no state that rows do not hold."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from retinue import errors
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.agents import AgentConfig, ContextOptions, Limits
from retinue.domain.messages import ThreadMessage
from retinue.domain.models import ModelReply
from retinue.domain.policy import Book, Written
from retinue.domain.turns import Interaction, Journal, Step, StepState
from retinue.domain.user_agent_config import Personal
from retinue.domain.waits import Wait
from retinue.files.shelf import Shelf
from retinue.llm.models import Models
from retinue.settings import Settings
from retinue.store import books, turns
from retinue.store.turns import Claimed, Fence
from retinue.telemetry import clock
from retinue.tools import egress
from retinue.tools.registry import GateKey
from retinue.tools.resolve import Resolved, Source, resolve_agent_tools
from retinue.turn.live import Piece
from retinue.turn.precedence import Precedence

CACHED_CONFIGS = 1000
CACHED_BOOKS = 2000
BookKey = tuple[UUID, int, UUID, UUID | None, UUID | None]
"""Account, revision, agent, the person it works for, the team whose channel it is."""
Reason = Literal["cancel", "drain"]


class Interrupted(Exception):
    """The turn in hand is to stop: a person cancelled it, or this node is leaving."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A model's final answer that is not in the database yet: it is written together with the reply."""

    seq: int
    reply: ModelReply
    held: str | None = None
    """Why a rule held the answer back."""


@dataclass
class Turn:
    """One turn in hand: a view of its rows, kept in step with them, and who may interrupt it."""

    fence: Fence
    interaction: Interaction
    config: AgentConfig
    model: str
    tools: Resolved
    steps: list[Step]
    waits: list[Wait]
    messages: list[ThreadMessage]
    last_seq: int
    late_seq: int
    """The newest input that this turn is to take in beside what started it."""
    options: dict[str, Any]
    transport: str
    """The channel's; ``api`` where there is no channel."""
    begun: bool
    """The claim itself wrote the intent of the first think step."""
    personal: Personal | None = None
    """What whoever started this set about the agent for themselves."""
    stated: tuple[Written, ...] = ()
    """The account's policies that the model is told (GOV-19)."""
    revision: int = 0
    """Of the rules, as last read."""
    team_id: UUID | None = None
    """Whose channel the turn runs in."""
    started: float = field(default_factory=clock.monotonic)
    reserved: set[int] = field(default_factory=set[int])
    """The steps for which limits have something reserved."""
    unsaved: Unsaved | None = None
    read: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the think step in hand shows the model, as references (``context.references``)."""
    chunks: int = 0
    """How many stream chunks this attempt has written."""
    interrupt: Reason | None = None
    task: asyncio.Task[Any] | None = None
    """Set while the turn may be cancelled on the spot: in a model call, never in an effect."""

    def journal(self) -> Journal:
        """What ``next_move`` decides from."""
        seen = self.interaction
        return Journal(
            state=seen.state,
            cancel_requested=seen.cancel_requested or self.interrupt == "cancel",
            steps=tuple(self.steps),
            waits=tuple(self.waits),
            limits=self.limits(),
            running_seconds=seen.running_seconds + clock.monotonic() - self.started,
            tokens=sum(step.input_tokens + step.output_tokens for step in self.steps),
            cost_micro=sum(step.cost_micro or 0 for step in self.steps),
        )

    def limits(self) -> Limits:
        """The agent's limits, which an operation's stop condition can only tighten."""
        asked = self.options.get("max_steps")
        if asked is None:
            return self.config.limits
        return self.config.limits.model_copy(update={"max_steps": min(int(asked), self.config.limits.max_steps)})

    def context_options(self) -> ContextOptions:
        """The agent's, or what the operation asked for."""
        asked = {name: value for name, value in self.options.items() if name in ContextOptions.model_fields}
        return self.config.context.model_copy(update=asked) if asked else self.config.context

    def put(self, step: Step) -> None:
        """Set this step in the view."""
        self.steps = [other for other in self.steps if other.seq != step.seq] + [step]
        self.steps.sort(key=lambda one: one.seq)

    def step(self, seq: int) -> Step:
        """The step of this number. Raises KeyError."""
        for one in self.steps:
            if one.seq == seq:
                return one
        raise KeyError(seq)

    def idempotency_key(self, seq: int) -> str:
        """The same for every attempt of one step: interaction and step (DUR-07)."""
        return f"{ids.encode('int', self.interaction.id)}.{seq}"

    def last_think(self) -> Step | None:
        """The newest think step that has ended."""
        done = [one for one in self.steps if one.kind == "think" and one.state is StepState.SUCCESS]
        return done[-1] if done else None

    def stop(self, reason: Reason) -> None:
        """Interrupt: at once in a model call, else at the next step."""
        if self.interrupt is None:
            self.interrupt = reason
            if self.task is not None:
                self.task.cancel()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """A stretch in which ``stop`` cancels on the spot. Raises Interrupted."""
        if self.interrupt is not None:
            raise Interrupted(self.interrupt)
        self.task = asyncio.current_task()
        try:
            yield
        except asyncio.CancelledError:
            if self.interrupt is None or self.task is None:
                raise
            self.task.uncancel()
            raise Interrupted(self.interrupt) from None
        finally:
            self.task = None


@dataclass
class Engine:
    """The parts of one node, wired by ``app``."""

    db: Database
    models: Models
    sources: Sequence[Source]
    """Where tools come from, in the order of TOOL-12."""
    egress: egress.Client
    settings: Settings
    gate_key: GateKey
    files: Shelf | None = None
    """Where the files in messages are; None: they are only named to models."""
    tell: Callable[[UUID, Piece], None] | None = None
    """Hands a piece of a turn's stream to those in this process who follow it (``Hub.hand``)."""
    handlers: Sequence[Any] = ()
    """Context handlers (``recall.Handler``) after the built-in one."""
    precedence: Precedence = field(default_factory=Precedence)
    """The requests of this process, to which steps give way."""
    node_id: UUID = field(default_factory=ids.new)
    running: dict[UUID, Turn] = field(default_factory=dict[UUID, Turn])
    draining: bool = False
    configs: dict[tuple[UUID, str], AgentConfig] = field(default_factory=dict[tuple[UUID, str], AgentConfig])
    books: dict[BookKey, Book] = field(default_factory=dict["BookKey", Book])

    async def take(self, account_id: UUID, interaction_id: UUID, job_id: int) -> tuple[Claimed, Turn | None]:
        """Claim an interaction for this node; the turn is None when there is nothing to do."""
        claimed = await turns.claim(self.db, account_id, interaction_id, self.node_id, job_id)
        seen = claimed.interaction
        if seen is None:
            return claimed, None
        fence = Fence(account_id=account_id, interaction_id=interaction_id, attempt=seen.attempt)
        config = await self.config(account_id, seen.config_hash or "")
        tools = await resolve_agent_tools(account_id, config, self.sources, report=False)
        turn = Turn(
            fence=fence,
            interaction=seen,
            config=config,
            model=config.model or claimed.default_model or "",
            tools=tools,
            steps=list(claimed.steps),
            waits=list(claimed.waits),
            messages=list(claimed.messages),
            last_seq=claimed.last_seq,
            late_seq=claimed.late_seq,
            options=claimed.options,
            transport=claimed.transport or "api",
            begun=claimed.first,
            personal=claimed.personal,
            revision=claimed.revision,
            team_id=claimed.team_id,
        )
        return claimed, turn

    async def config(self, account_id: UUID, hash: str) -> AgentConfig:
        """The snapshot of this hash; immutable, so kept. Raises Misconfigured when it is gone."""
        known = self.configs.get((account_id, hash))
        if known is not None:
            return known
        async with self.db.tenant_tx(account_id) as tx:
            content = await turns.config(tx, account_id, hash)
        if content is None:
            raise errors.Misconfigured("The configuration this turn began with is not in the database.")
        if len(self.configs) >= CACHED_CONFIGS:
            self.configs.clear()
        config = AgentConfig.model_validate(content)
        self.configs[account_id, hash] = config
        return config

    async def book(self, turn: Turn) -> Book:
        """What rules over the agent in this turn, as of the turn's revision."""
        seen = turn.interaction
        key = (turn.fence.account_id, turn.revision, seen.agent_id, seen.user_id, turn.team_id)
        known = self.books.get(key)
        if known is not None:
            return known
        async with self.db.tenant_tx(turn.fence.account_id) as tx:
            book = await books.book(tx, turn.fence.account_id, seen.agent_id, seen.user_id, turn.team_id)
        if book.revision == turn.revision:  # else something has just changed: the next step reads it again
            if len(self.books) >= CACHED_BOOKS:
                self.books.clear()
            self.books[key] = book
        return book

    def interrupt(self, interaction_id: UUID, reason: Reason) -> None:
        """Stop one turn, if it runs here."""
        turn = self.running.get(interaction_id)
        if turn is not None:
            turn.stop(reason)

    def drain(self) -> None:
        """Ask every turn in hand, or still on its way here, to stop at its next step boundary and be handed over."""
        self.draining = True
        for turn in list(self.running.values()):
            turn.stop("drain")

"""Turns in the database: intake, claim, outcomes, ends. Each function is one call of one SQL function (0003_turn.sql).

They open their own transaction (``db.call``), because one call is one state change, except ``act_done``, which
joins the transaction of a ``write`` tool's body.
"""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from retinue.db.pool import Database, Tx
from retinue.domain import ids
from retinue.domain.base import Value
from retinue.domain.events import Event
from retinue.domain.ids import AccountId, EventId, InteractionId, TeamId, UserId
from retinue.domain.messages import Received, ReceivedInteraction, ThreadMessage
from retinue.domain.models import Part
from retinue.domain.turns import Interaction, Step
from retinue.domain.user_agent_config import Personal
from retinue.domain.waits import Wait
from retinue.store import late

Status = Literal["claimed", "busy", "gone", "ended"]


class Claimed(Value):
    """What ``claim`` gives: everything a turn needs to go on."""

    status: Status
    takeover: bool = False
    first: bool = False
    interaction: Interaction | None = None
    steps: tuple[Step, ...] = ()
    waits: tuple[Wait, ...] = ()
    messages: tuple[ThreadMessage, ...] = ()
    last_seq: int = 0
    late_seq: int = 0
    default_model: str | None = None
    transport: str | None = None
    """How the channel reaches people; None for a thread without a channel."""
    delivery: str = "inline"
    options: dict[str, Any] = Field(default_factory=dict)
    personal: Personal | None = None
    revision: int = 0
    """The account's revision of policy as the turn was taken."""
    team_id: TeamId | None = None
    """Whose channel it is."""


class ThreadPrompt(Value):
    """A thread operation's input: a fresh prompt, or a message saved before (THR-06)."""

    id: EventId
    user_id: UserId | None
    prompt: str | None = None
    parts: tuple[Part, ...] = ()
    prompt_message_id: UUID | None = None
    author: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    policy: Literal["queue", "coalesce", "steer", "reject"] = "queue"


INTERACTION = tuple(Interaction.model_fields)
STEP = tuple(Step.model_fields)
WAIT = tuple(Wait.model_fields)


def interaction(row: dict[str, Any]) -> Interaction:
    """An interaction from its row, as JSON or as a record."""
    return Interaction.model_validate({name: row[name] for name in INTERACTION if name in row})


def step(row: dict[str, Any]) -> Step:
    """A step from its row."""
    return Step.model_validate({name: row[name] for name in STEP if name in row})


def wait(row: dict[str, Any]) -> Wait:
    """A wait from its row."""
    return Wait.model_validate({name: row[name] for name in WAIT if name in row})


async def receive(db: Database, event: Event) -> Received:
    """One way in: dedupe, message, triggers, threads, interactions, queue, in one transaction.

    Raises NotFound (no such channel, or not yours), WrongState (archived), ThreadBusy (policy reject).
    """
    row = await db.call_durably("select intake_v1($1, $2)", event.account_id, event.model_dump() | _ids(3))
    return received(row)


async def receive_in(tx: Tx, event: Event) -> Received:
    """As ``receive``, within the caller's transaction, after whose commit the caller waits for the disk (``flush``)."""
    return received(await tx.fetchval("select intake_v1($1, $2)", event.account_id, event.model_dump() | _ids(3)))


def received(row: dict[str, Any]) -> Received:
    """Intake's answer as a domain type."""
    body = {name: value for name, value in row["message"].items() if name not in ("account_id", "search")}
    return Received(
        event_id=row["event_id"],
        message=body,  # type: ignore[arg-type]
        interactions=tuple(ReceivedInteraction.model_validate(entry) for entry in row["interactions"]),
        duplicate=row.get("duplicate", False),
    )


async def receive_prompt(db: Database, account_id: UUID, thread_id: UUID, prompt: ThreadPrompt) -> ReceivedInteraction:
    """Start a turn in a thread without a channel; replay safe by ``prompt_message_id`` (THR-21).

    Raises NotFound (thread or message), WrongState (the agent is not enabled), ThreadBusy.
    """
    row = await db.call_durably("select thread_turn_v1($1, $2, $3)", account_id, thread_id, prompt.model_dump())
    return ReceivedInteraction.model_validate(row)


async def claim(db: Database, account_id: UUID, interaction_id: UUID, node_id: UUID, job_id: int) -> Claimed:
    """Take a turn for this node; raises its attempt, so that whoever had it can write no more.

    Does not wait for the disk: should a crash of the database take the claim back, then every later write of whoever
    claimed is refused, for its think step is not there; and those writes, once on disk, have brought the claim along.
    """
    row = await db.call("select claim_v2($1, $2, $3, $4)", account_id, interaction_id, node_id, job_id)
    return _claimed(row)


def _claimed(row: dict[str, Any]) -> Claimed:
    if row["status"] != "claimed":
        return Claimed(status=row["status"])
    return Claimed(
        status="claimed",
        takeover=row["takeover"],
        first=row["first"],
        interaction=interaction(row["interaction"]),
        steps=tuple(step(entry) for entry in row["steps"]),
        waits=tuple(wait(entry) for entry in row["waits"]),
        messages=tuple(ThreadMessage.model_validate(entry) for entry in row["messages"]),
        last_seq=row["last_seq"],
        late_seq=row["late_seq"],
        default_model=row["default_model"],
        transport=row["transport"],
        delivery=row["interaction"]["delivery"],
        options=row["interaction"]["options"],
        personal=row["personal"],
        revision=row["revision"],
        team_id=row["team_id"],
    )


async def journal(
    db: Database, account_id: UUID, interaction_id: UUID
) -> tuple[Interaction, tuple[Step, ...], tuple[Wait, ...]]:
    """The rows ``next_move`` decides from, as they are now."""
    async with db.tenant_tx(account_id) as tx:
        row = await tx.fetchval("select journal_v1($1, $2)", account_id, interaction_id)
    return interaction(row["interaction"]), tuple(map(step, row["steps"])), tuple(map(wait, row["waits"]))


class Fence(Value):
    """Whose writes count: this attempt of this interaction."""

    account_id: AccountId
    interaction_id: InteractionId
    attempt: int

    def args(self) -> tuple[UUID, UUID, int]:
        return self.account_id, self.interaction_id, self.attempt


class Begun(Value):
    """What a think step begins with: how far the thread reaches, how far late input does, and what is new in it."""

    last_seq: int
    late_seq: int
    messages: tuple[ThreadMessage, ...]
    revision: int


async def begin_think(
    db: Database, fence: Fence, *, seq: int, known: int, results: list[Any] | None, after: int | None
) -> Begun:
    """Write the intent of a think step, and the results of the calls before it. Raises Fenced."""
    row = await db.call_durably(
        "select think_begin_v2($1, $2, $3, $4, $5, $6, $7)", *fence.args(), seq, known, results, after
    )
    return Begun.model_validate(row)


async def finish(db: Database, fence: Fence, outcome: dict[str, Any]) -> dict[str, Any]:
    """End with a reply. Raises Fenced."""
    return await late.call_durably(db, "select finish_v1($1, $2, $3, $4)", *fence.args(), outcome | _ids(6))


def _ids(count: int) -> dict[str, Any]:
    """Fresh ids for the rows to come."""
    return {"ids": [ids.new() for _ in range(count)]}


async def record_calls(db: Database, fence: Fence, outcome: dict[str, Any]) -> None:
    """Record a response that asks for tools, and its act steps. Raises Fenced."""
    await late.call_durably(db, "select calls_v1($1, $2, $3, $4)", *fence.args(), outcome)


async def revision(db: Database, fence: Fence) -> int:
    """The account's revision of policy now, by which the next calls are judged. Raises Fenced."""
    return await db.call("select judge_v1($1, $2, $3)", *fence.args())


async def refuse_think(db: Database, fence: Fence, seq: int, refusal: dict[str, Any]) -> None:
    """End a think step that a rule is against, before the model is called. Raises Fenced."""
    await db.call_durably("select think_refused_v1($1, $2, $3, $4, $5)", *fence.args(), seq, refusal)


async def note_said(db: Database, fence: Fence, seq: int, said: dict[str, Any]) -> None:
    """Write what the rules made of a model's answer on its step, and in the record. Raises Fenced."""
    await db.call("select said_v1($1, $2, $3, $4, $5)", *fence.args(), seq, said)


async def begin_acts(db: Database, fence: Fence, seqs: list[int]) -> None:
    """Write the intent of these act steps. Raises Fenced."""
    await db.call("select begin_acts_v1($1, $2, $3, $4)", *fence.args(), seqs)


async def act_done(tx: Tx, fence: Fence, outcome: dict[str, Any]) -> None:
    """Record one act step's outcome, usage and audit in the caller's transaction. Raises Fenced."""
    await tx.execute("select act_done_v3($1, $2, $3, $4)", *fence.args(), outcome)


async def ask(db: Database, fence: Fence, kind: str, question: dict[str, Any]) -> Wait:
    """Open a wait for one act step. Raises Fenced."""
    return wait(await db.call("select ask_v2($1, $2, $3, $4, $5)", *fence.args(), kind, question))


async def suspend(db: Database, fence: Fence) -> bool:
    """Let go until a wait is resolved; False when one already was. Raises Fenced."""
    return await db.call("select suspend_v1($1, $2, $3)", *fence.args())


async def release(
    db: Database, fence: Fence, *, delay: Any, retry: bool, error: str | None, detail: str | None
) -> None:
    """Give the turn back to the queue. ``delay`` is a timedelta. Raises Fenced."""
    await db.call("select release_v1($1, $2, $3, $4, $5, $6, $7)", *fence.args(), delay, retry, error, detail)


class End(Value):
    """How a turn ends without a reply."""

    state: Literal["failed", "cancelled"]
    reason: str
    error: str | None = None
    detail: str | None = None
    dead_letter: bool = False


async def stop(db: Database, fence: Fence, end: End) -> None:
    """End without a reply; closes open waits and steps. Raises Fenced."""
    await db.call(
        "select stop_v1($1, $2, $3, $4, $5, $6, $7, $8)",
        *fence.args(),
        end.state,
        end.reason,
        end.error,
        end.detail,
        end.dead_letter,
    )


async def cancel(db: Database, account_id: UUID, interaction_id: UUID, reason: str = "cancelled") -> str:
    """Ask the turn to stop, wherever it runs; returns its state now. Raises NotFound."""
    return await db.call("select cancel_v1($1, $2, $3)", account_id, interaction_id, reason)


async def set_aside(db: Database, account_id: UUID, interaction_id: UUID) -> None:
    """End a turn that cannot be taken up as a dead letter. Raises NotFound."""
    await db.call(
        "select set_aside_v1($1, $2, $3, $4)",
        account_id,
        interaction_id,
        "internal_error",
        "This turn could not be taken up; the log says why.",
    )


async def retry(db: Database, account_id: UUID, interaction_id: UUID) -> None:
    """Try a failed turn again. Raises NotFound, WrongState."""
    await db.call("select retry_v1($1, $2)", account_id, interaction_id)


async def resolve_wait(
    db: Database, account_id: UUID, wait_id: UUID, user_id: UUID, resolution: dict[str, Any]
) -> Wait:
    """Answer a wait, once. Raises NotFound, WrongState."""
    return wait(await db.call("select resolve_wait_v1($1, $2, $3, $4)", account_id, wait_id, user_id, resolution))


async def config(tx: Tx, account_id: UUID, hash: str) -> dict[str, Any] | None:
    """The content of a configuration snapshot."""
    return await tx.fetchval(
        "select content from config_snapshot where account_id = $1 and hash = $2", account_id, hash
    )

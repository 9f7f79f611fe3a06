"""The prompt of a think step, made again from the journal: the same code assembles it from the same rows.

Prompts are not kept (architecture, idea 9); what a step was shown is, as places in threads. Where rows have changed
since, the prompt says so instead of pretending. Nothing here writes, and nothing asks a model.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain.accounts import Principal
from retinue.domain.agents import AgentConfig
from retinue.domain.looking import RebuiltPrompt
from retinue.domain.messages import ThreadMessage
from retinue.domain.models import ModelRequest, TextPart
from retinue.domain.turns import Step, StepKind, StepState
from retinue.domain.user_agent_config import Personal
from retinue.files.shelf import Shelf
from retinue.llm.models import Models
from retinue.store import prompts, turns, user_agent_config
from retinue.store.prompts import Facts, Shown
from retinue.store.turns import Fence
from retinue.tools.resolve import Resolved, Source, resolve_agent_tools
from retinue.turn import attachments, context, recall
from retinue.turn.engine import Turn

FAR = 2**62
HIDDEN = {
    "direct": "(Said to one person directly.)",
    "edited": "(Edited since. Its author and the channel's owners can read what it said.)",
}
RECALLED_FOR_ONE = "(What the agent recalled is shown to the person it answered.)"
SET_BY_ONE = "What the person it answered had set about the agent for themselves is shown to that person."
SET_SINCE = "What you had set about the agent for yourself was changed since; it is left out."


@dataclass(frozen=True, slots=True)
class Parts:
    """What rebuilding needs of a process."""

    db: Database
    models: Models
    sources: Sequence[Source]
    files: Shelf | None = None


@dataclass
class Found:
    """What a step was shown, and why that may not be word for word."""

    messages: list[ThreadMessage] = field(default_factory=list[ThreadMessage])
    notes: list[str] = field(default_factory=list[str])
    tools: int | None = None
    """How many tools the model was offered, if that is known."""
    blind: bool = False
    """Whether the model took no pictures and was told so."""


async def prompt(
    parts: Parts, principal: Principal, interaction_id: UUID, seq: int, *, contents: bool = True
) -> RebuiltPrompt:
    """The request of this step; without ``contents`` files are only named. Raises NotFound, WrongState (not a think
    step, or not begun)."""
    account = principal.account_id
    async with parts.db.tenant_tx(account) as tx:
        facts = await prompts.access_turn(tx, principal, interaction_id)
        step = think_step(facts, seq)
        found = await _found(tx, principal, facts, step)
        personal = await _personal(tx, principal, facts, step, found)
        rules = await prompts.policies(tx, account, _read(step).get("policies", ()))
        hash = str(step.input.get("config_hash") or facts.interaction.config_hash)
        content = await turns.config(tx, account, hash)
        if content is None:
            raise errors.NotFound("The configuration this turn ran on is not kept any more.")
        config = AgentConfig.model_validate(content)
        model = await prompts.model_of(tx, account, interaction_id, seq)
        changed = await prompts.changed_tools(tx, account, [one.tool for one in config.tools], step.started_at)
    tools = await resolve_agent_tools(account, config, parts.sources, report=False)
    found.notes += [f"The tool {slug} was changed since; it is shown as it is now." for slug in changed]
    if found.tools not in (None, len(tools.tools)):
        found.notes.append(f"It had {found.tools} tools; {len(tools.tools)} of its list are here now.")
    model = model or parts.models.resolve(config.model, facts.default_model)
    turn = _turn(account, facts, config, tools)
    turn.personal, turn.stated = personal, rules
    request = context.assemble(turn, model, found.messages)
    if contents:
        request = await _with_files(parts, account, request, found)
    return RebuiltPrompt(
        interaction_id=interaction_id,
        step_seq=seq,
        config_hash=hash,
        exact=not found.notes,
        notes=tuple(found.notes),
        request=request,
    )


async def _with_files(parts: Parts, account: UUID, request: ModelRequest, found: Found) -> ModelRequest:
    """With the pictures and texts that stood in the messages, as ``think`` puts them there."""
    request = await attachments.shown(parts.files, account, request)
    if any(
        isinstance(part, TextPart) and attachments.AWAY in part.text for one in request.messages for part in one.parts
    ):
        found.notes.append("A file could not be read just now.")
    return attachments.without_pictures(request) if found.blind else request


async def tools_of(parts: Parts, account: UUID, hash: str | None) -> Resolved:
    """The tools of this configuration as they are here now; none where it is not kept."""
    if hash is None:
        return Resolved()
    async with parts.db.tenant_tx(account) as tx:
        content = await turns.config(tx, account, hash)
    if content is None:
        return Resolved()
    return await resolve_agent_tools(account, AgentConfig.model_validate(content), parts.sources, report=False)


def _read(step: Step) -> dict[str, Any]:
    """What the step says it has shown the model; empty where it has no answer."""
    return cast("dict[str, Any]", (step.output or {}).get("read") or {})


def think_step(facts: Facts, seq: int) -> Step:
    """The think step of this number. Raises NotFound, WrongState."""
    step = next((one for one in facts.steps if one.seq == seq), None)
    if step is None:
        raise errors.NotFound("This turn has no step of that number.")
    if step.kind is not StepKind.THINK:
        raise errors.WrongState(f"Only a think step has a prompt, this one is of kind {step.kind.value}.")
    if step.state is StepState.CREATED or facts.interaction.config_hash is None:
        raise errors.WrongState("This step has not begun.")
    return step


def _turn(account: UUID, facts: Facts, config: AgentConfig, tools: Resolved) -> Turn:
    """The turn as ``context`` wants it. All messages are for it: they were chosen when it ran."""
    seen = facts.interaction
    return Turn(
        fence=Fence(account_id=account, interaction_id=seen.id, attempt=seen.attempt),
        interaction=seen,
        config=config,
        model=config.model or "",
        tools=tools,
        steps=list(facts.steps),
        waits=[],
        messages=[],
        last_seq=0,
        late_seq=FAR,
        options=facts.options,
        transport="",
        begun=False,
    )


async def _found(tx: Tx, principal: Principal, facts: Facts, step: Step) -> Found:
    seen = facts.interaction
    read: dict[str, Any] | None = (step.output or {}).get("read")
    if read is None:
        rows, found = await _worked_out(tx, principal, facts, step), Found()
        found.notes.append("This step has no answer, so which messages it showed is worked out, not recorded.")
    else:
        spans = cast("list[list[int]]", read["messages"])
        seqs = [seq for first, last in spans for seq in range(first, last + 1)]
        rows, found = await prompts.shown(tx, principal, seen.thread_id, step.started_at, seqs), Found()
        found.tools, found.blind = read.get("tools"), read.get("blind", False)
        await _recall(tx, principal, facts, read, found)
        if len(rows) < len(seqs):
            found.notes.append(f"{len(seqs) - len(rows)} messages are not kept any more.")
    found.messages += [_readable(row) for row in rows]
    found.notes += list(_objections(rows))
    return found


async def _worked_out(tx: Tx, principal: Principal, facts: Facts, step: Step) -> list[Shown]:
    """What a step without an answer was shown, as far as the rows tell: as ``tail_v1`` chooses."""
    seen = facts.interaction
    upto = int(step.input.get("upto", seen.read_seq))
    recent = int(facts.options.get("recent_messages", 30))
    first = min(upto - recent + 1, seen.first_seq)
    rows = await prompts.shown_between(tx, principal, seen.thread_id, step.started_at, (first, upto))
    return [row for row in rows if row.message.role != "user" or row.message.seq <= seen.trigger_seq]


async def _recall(tx: Tx, principal: Principal, facts: Facts, read: dict[str, Any], found: Found) -> None:
    """The note of what the agent recalled from other conversations, for whom it was recalled."""
    if read.get("added"):
        found.notes.append("A context handler added something that is not kept.")
    places = [(UUID(thread), int(seq)) for thread, seq in read.get("recalled", ())]
    if not places:
        return
    text = RECALLED_FOR_ONE
    if facts.interaction.user_id == principal.user_id:
        kept = {(one.thread_id, one.seq): one for one in await prompts.recalled(tx, principal.account_id, places)}
        text = recall.digest([kept[place] for place in places if place in kept])
    else:
        found.notes.append("What the agent recalled from other conversations is shown to the person it answered.")
    thread = facts.interaction.thread_id
    found.messages.append(ThreadMessage(thread_id=thread, seq=-1, role="system", parts=(TextPart(text=text),)))


async def _personal(tx: Tx, principal: Principal, facts: Facts, step: Step, found: Found) -> Personal | None:
    """What whoever started the turn had set for themselves: shown to them alone, and only while it is what it was."""
    seen, read = facts.interaction, cast("dict[str, Any] | None", (step.output or {}).get("read"))
    revision = read.get("personal") if read is not None else None
    if seen.user_id is None or (read is not None and revision is None):
        return None
    if seen.user_id != principal.user_id:
        found.notes += [SET_BY_ONE] if revision else []
        return None
    now = await user_agent_config.personal(tx, principal.account_id, seen.user_id, seen.agent_id)
    if revision is None or (now is not None and str(now.revision) == revision):
        return now
    found.notes.append(SET_SINCE)
    return None


def _readable(row: Shown) -> ThreadMessage:
    if row.hidden is None:
        return row.message
    return row.message.model_copy(update={"parts": (TextPart(text=HIDDEN[row.hidden]),)})


def _objections(rows: Sequence[Shown]) -> Sequence[str]:
    """Why these messages are not shown word for word."""
    found: list[str] = []
    for reason, words in (
        ("direct", "said to somebody else directly"),
        ("edited", "edited since"),
    ):
        count = sum(1 for row in rows if row.hidden == reason)
        if count:
            found.append(f"{count} {'message is' if count == 1 else 'messages are'} left out: {words}.")
    gone = sum(1 for row in rows if row.deleted)
    if gone:
        found.append(f"{gone} {'message was' if gone == 1 else 'messages were'} deleted since; the words are gone.")
    return found

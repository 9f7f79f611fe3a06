"""Context handlers: each receives the candidate messages and returns those the model is to see (THR-13).

``remembered`` is the built-in one: it searches the thread's past and, where the agent is configured so, its other
threads, and puts what it finds before the messages as one system message (THR-11, THR-12, THR-14).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from retinue import telemetry
from retinue.domain.agents import ContextOptions
from retinue.domain.messages import ThreadHit, ThreadMessage, ThreadQuery
from retinue.domain.models import TextPart
from retinue.store import search
from retinue.turn.engine import Engine, Turn

log = telemetry.logger(__name__)

Handler = Callable[[Engine, Turn, Sequence[ThreadMessage]], Awaitable[Sequence[ThreadMessage]]]

SECONDS = 2.0
MOST_CHARACTERS = 8000
HEAD = "From earlier conversations, for your information:"


async def handled(
    engine: Engine, turn: Turn, handlers: Sequence[Handler], messages: Sequence[ThreadMessage]
) -> Sequence[ThreadMessage]:
    """The messages after every handler. One that fails or takes too long is left out and logged (THR-15)."""
    for handler in handlers:
        try:
            async with asyncio.timeout(SECONDS):
                messages = await handler(engine, turn, messages)
        except Exception as error:  # remembering is a help, never a condition
            log.warning("a context handler failed; going on without it", error=type(error).__name__)
    return messages


async def remembered(engine: Engine, turn: Turn, messages: Sequence[ThreadMessage]) -> Sequence[ThreadMessage]:
    """Prepends what the agent finds about the newest question, if it is configured to look."""
    options = turn.context_options()
    question = _question(turn, messages)
    if not (options.text_search or options.search_other_threads) or not question:
        return messages
    hits = await _find(engine, turn, options, question)
    shown = {message.seq for message in messages}
    fresh = [hit for hit in hits if hit.message.thread_id != turn.interaction.thread_id or hit.message.seq not in shown]
    if not fresh:
        return messages
    note = ThreadMessage(
        thread_id=turn.interaction.thread_id,
        seq=-1,
        role="system",
        parts=(TextPart(text=digest(_told(fresh))),),
        metadata={"recalled": [[message.thread_id, message.seq] for message in _told(fresh)]},
    )
    return [note, *messages]


def _told(hits: Sequence[ThreadHit]) -> list[ThreadMessage]:
    return [message for hit in hits for message in (*hit.before, hit.message, *hit.after)]


async def _find(engine: Engine, turn: Turn, options: ContextOptions, question: str) -> list[ThreadHit]:
    asking = search.Asking(
        account_id=turn.fence.account_id,
        thread_id=turn.interaction.thread_id,
        user_id=turn.interaction.user_id,
        before_seq=min((message.seq for message in turn.messages), default=None),
    )
    wanted = ThreadQuery(text=question, limit=options.search_limit, before=options.before, after=options.after)
    hits: list[ThreadHit] = []
    async with engine.db.tenant_tx(turn.fence.account_id) as tx:
        if options.text_search:
            hits += await search.search_own(tx, asking, wanted)
        if options.search_other_threads:
            hits += await search.recall(tx, asking, wanted)
    return hits


def _question(turn: Turn, messages: Sequence[ThreadMessage]) -> str:
    for message in reversed(messages):
        if message.role == "user" and message.seq <= max(turn.interaction.trigger_seq, turn.late_seq):
            return _text(message)[:1000]
    return ""


def digest(messages: Sequence[ThreadMessage]) -> str:
    """Messages from other places as one text, each once, in the order of the conversations."""
    lines: dict[tuple[str, int], str] = {}
    for message in messages:
        who = message.author or message.role
        lines.setdefault((str(message.thread_id), message.seq), f"{who}: {_text(message)}")
    text = "\n".join(line for _, line in sorted(lines.items()))
    return f"{HEAD}\n{text[:MOST_CHARACTERS]}"


def _text(message: ThreadMessage) -> str:
    return "\n".join(part.text for part in message.parts if isinstance(part, TextPart))

"""The offline model (LLM-12): deterministic, no network, no clock. It reads the tools and the message, really asks for
tools, answers from their results, and says plainly what it is. It never pretends to think.
"""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from retinue.domain import ids, models
from retinue.domain.tools import ToolCall
from retinue.llm import offline_intent, offline_objects, offline_words, schemas
from retinue.llm.providers import HOW_TO_CONNECT, OFFLINE_MODEL

OnDelta = Callable[[models.Delta], Awaitable[None]]
WORDS = re.compile(r"(?:\S+\s*){1,6}|\s+")
"""What one piece of a stream is: a few words."""
NOTICE = "I am Retinue's offline model"
GREETING = re.compile(r"^\s*(hi|hello|hey|good (morning|afternoon|evening))\b", re.IGNORECASE)
MENTION = re.compile(r"(?<!\w)@[\w.-]+,?\s*")
QUOTED = 80
"""Characters of the message that a plain answer repeats."""


async def stream(request: models.ModelRequest, on_delta: OnDelta | None = None) -> models.ModelReply:
    """The same answer to the same request, apart from the ids of calls. Raises ModelError like any model."""
    reply = answer(request)
    if on_delta is not None:
        for words in WORDS.findall(reply.text):
            await on_delta(models.Delta(kind="text", text=words))
        for call in reply.calls:
            await on_delta(models.Delta(kind="call", text=call.tool))
    return reply


def answer(request: models.ModelRequest) -> models.ModelReply:
    """Calls if the message asks for tools that have not answered yet, else an object if one is wanted, else words."""
    said, results = _latest(request.messages)
    question = None
    if request.tools and not results:
        wanted, question = offline_intent.choose(said, request.tools)
        if wanted:
            return _reply(request, calls=wanted)
    if request.output_schema is not None:
        schemas.check(request.output_schema)
        value = offline_objects.fill(request.output_schema, said)
        return _reply(request, text=json.dumps(value, ensure_ascii=False), structured=value)
    if results:
        return _reply(request, text=offline_words.from_results(results, request.tools))
    return _reply(request, text=question or _plain(request, said))


def _latest(messages: Sequence[models.PromptMessage]) -> tuple[str, list[models.ResultPart]]:
    """What people said last, and the tool results since then."""
    results: list[models.ResultPart] = []
    for message in reversed(messages):
        if message.role == "user":
            text = " ".join([part.text for part in message.parts if isinstance(part, models.TextPart)])
            if message.name:
                text = text.removeprefix(f"{message.name}: ")
            return MENTION.sub("", text).strip(), results
        if message.role == "tool":
            results[:0] = [part for part in message.parts if isinstance(part, models.ResultPart)]
    return "", results


def _plain(request: models.ModelRequest, said: str) -> str:
    """A short, honest answer; how to connect a real model is said once per conversation."""
    quoted = said if len(said) <= QUOTED else said[:QUOTED].rstrip() + "…"
    first = "Hello!" if GREETING.match(said) else f'I read "{quoted}", but I cannot answer it myself.'
    if _noticed(request.messages):
        return f"{first} {NOTICE}, so all I can do is use tools."
    able = offline_words.abilities(request.tools)
    return f"{first} {NOTICE}: {able} {HOW_TO_CONNECT}"


def _noticed(messages: Sequence[models.PromptMessage]) -> bool:
    return any(
        isinstance(part, models.TextPart) and NOTICE in part.text
        for message in messages
        if message.role == "assistant"
        for part in message.parts
    )


def _reply(
    request: models.ModelRequest,
    text: str = "",
    structured: Any = None,
    calls: Sequence[tuple[str, dict[str, Any]]] = (),
) -> models.ModelReply:
    made = tuple(_call(tool, arguments) for tool, arguments in calls)
    parts: tuple[models.Part, ...] = tuple(models.CallPart(call=call) for call in made)
    if text:
        parts = (models.TextPart(text=text), *parts)
    return models.ModelReply(
        model=OFFLINE_MODEL,
        provider="offline",
        text=text,
        calls=made,
        structured=structured,
        usage=models.Usage(input_tokens=_size(request), output_tokens=max(1, len(text) // 4)),
        cost_micro=0,
        finish="tool_calls" if made else "stop",
        parts=parts,
    )


def _call(tool: str, arguments: dict[str, Any]) -> ToolCall:
    made = ids.new()
    return ToolCall(id=made, provider_id=f"call_{made.hex}", tool=tool, arguments=arguments)


def _size(request: models.ModelRequest) -> int:
    """About how many tokens the request has: four characters each."""
    size = len(request.system)
    for message in request.messages:
        for part in message.parts:
            size += len(part.text) if isinstance(part, models.TextPart) else 40
    return size // 4 + 1

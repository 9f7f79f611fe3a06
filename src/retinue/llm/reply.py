"""A provider's finished response as a ``ModelReply``: parts in order, calls with our own ids, price, finish reason."""

import json
from typing import Any, cast

from pydantic_ai import messages

from retinue import errors
from retinue.domain import ids, models
from retinue.domain.tools import ToolCall
from retinue.llm import prices, schemas
from retinue.llm.convert import RESULT_TOOL
from retinue.llm.providers import Route
from retinue.llm.wire import Names

LONGEST_MALFORMED = 2_000
FINISH: dict[str, models.Finish] = {
    "stop": "stop",
    "tool_call": "stop",
    "length": "length",
    "content_filter": "content_filter",
}
"""Without calls: a structured answer is handed in by a call, which is not one for us."""


def read(
    response: messages.ModelResponse, request: models.ModelRequest, route: Route, wire: Names, duration_ms: int
) -> models.ModelReply:
    """Raises ModelTransient for a stream that broke off, ModelMalformed for an answer nothing can be made of."""
    _refuse_broken(response, route)
    parts = tuple(_parts(response, wire, structured=request.output_schema is not None))
    calls = tuple(part.call for part in parts if isinstance(part, models.CallPart))
    text = "".join(part.text for part in parts if isinstance(part, models.TextPart))
    if not text.strip() and not calls:
        raise _empty(response, route)
    usage = response.usage
    return models.ModelReply(
        model=route.id,
        provider=route.provider.name,
        text=text,
        thinking="".join(part.text for part in parts if isinstance(part, models.ThinkingPart)),
        calls=calls,
        structured=_structured(request, text) if not calls else None,
        usage=models.Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        ),
        cost_micro=None if _unmeasured(response) else prices.cost_micro(usage, route, response.model_name),
        finish="tool_calls" if calls else FINISH.get(response.finish_reason or "", "other"),
        duration_ms=duration_ms,
        parts=parts,
    )


def _unmeasured(response: messages.ModelResponse) -> bool:
    """True when the provider reported no tokens, so that no price can be known."""
    usage = response.usage
    return bool(usage.unmeasured_requests) or not (usage.input_tokens or usage.output_tokens)


def _refuse_broken(response: messages.ModelResponse, route: Route) -> None:
    raw = (response.provider_details or {}).get("finish_reason")
    if response.finish_reason is None and raw is None:
        raise errors.ModelTransient(f"The answer of {route.provider.title} broke off before its end.")


def _empty(response: messages.ModelResponse, route: Route) -> errors.ModelError:
    title = route.provider.title
    if response.finish_reason == "content_filter":
        return errors.ModelPermanent(f"The content filter of {title} stopped this answer.")
    if response.finish_reason == "length":
        return errors.ModelMalformed(f"{title} used up its output tokens before it said anything.")
    return errors.ModelMalformed(f"{title} sent an empty answer.")


def _parts(response: messages.ModelResponse, wire: Names, *, structured: bool) -> list[models.Part]:
    """A structured answer handed in through the result tool is kept as text: the thread has no such tool."""
    found: list[models.Part] = []
    handed_in: list[models.Part] = []
    for part in response.parts:
        match part:
            case messages.TextPart() if part.content:
                found.append(models.TextPart(text=part.content))
            case messages.ThinkingPart() if part.content or part.signature:
                found.append(
                    models.ThinkingPart(text=part.content, signature=part.signature, provider=part.provider_name)
                )
            case messages.ToolCallPart() if structured and part.tool_name == RESULT_TOOL:
                handed_in.append(models.TextPart(text=_raw(part)))
            case messages.ToolCallPart():
                found.append(models.CallPart(call=_call(part, wire)))
            case _:
                pass
    if handed_in and not any(isinstance(part, models.CallPart) for part in found):
        return [part for part in found if isinstance(part, models.ThinkingPart)] + handed_in[:1]
    return found


def _raw(part: messages.ToolCallPart) -> str:
    return part.args if isinstance(part.args, str) else json.dumps(part.args or {}, ensure_ascii=False)


def _call(part: messages.ToolCallPart, wire: Names) -> ToolCall:
    """A call whose arguments are not a JSON object is kept as malformed, so that the model can be told."""
    arguments: Any = part.args or {}
    malformed = None
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments) if arguments.strip() else {}
        except (ValueError, RecursionError):
            arguments = None
    if not isinstance(arguments, dict):
        arguments, malformed = {}, _raw(part)[:LONGEST_MALFORMED]
    return ToolCall(
        id=ids.new(),
        provider_id=part.tool_call_id,
        tool=wire.slug(part.tool_name),
        arguments=cast(dict[str, Any], arguments),
        malformed=malformed,
    )


def _structured(request: models.ModelRequest, text: str) -> Any:
    """The object in ``text``, checked against the schema. Raises ModelMalformed."""
    if request.output_schema is None:
        return None
    try:
        value = json.loads(_without_fence(text))
    except (ValueError, RecursionError):
        raise errors.ModelMalformed("The model was asked for a JSON object and sent something else.") from None
    wrong = schemas.problem(request.output_schema, value)
    if wrong:
        raise errors.ModelMalformed(f"The model's object does not fit the schema: {wrong}.")
    return value


def _without_fence(text: str) -> str:
    """The inside of a Markdown code block, which some models put around JSON."""
    text = text.strip()
    return text.strip("`").removeprefix("json").strip() if text.startswith("```") else text

"""Our messages and tools in pydantic-ai's words. The model's own format appears only here and in ``reply``.

Histories are made valid for every provider on the way: each tool call is followed directly by its result, a result
without its call is left out, and a conversation never begins with the assistant.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

from pydantic_ai import messages
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.tools import ToolDefinition

from retinue import errors
from retinue.domain import models
from retinue.domain.tools import ToolSpec
from retinue.llm.wire import Names

RESULT_TOOL = "final_result"
"""The tool through which a model without native structured output hands in its object."""
UNFINISHED = '{"error": "This call was not finished."}'
EARLIER = "(The earlier part of this conversation is left out.)"


def history(prompt: Sequence[models.PromptMessage], wire: Names) -> list[messages.ModelMessage]:
    """The conversation. Raises ModelPermanent for an image that no provider could be sent."""
    out: list[messages.ModelMessage] = []
    pending: dict[str, str] = {}  # calls of the last response: provider id -> wire name
    request: list[messages.ModelRequestPart] = []

    def close() -> None:
        nonlocal request
        request = _with_results(request, pending)
        if request:
            out.append(messages.ModelRequest(parts=request))
        pending.clear()
        request = []

    for message in prompt:
        if message.role == "assistant":
            close()
            parts = list(_response_parts(message.parts, wire))
            if not parts:
                continue
            if not out:
                out.append(messages.ModelRequest(parts=[messages.UserPromptPart(EARLIER)]))
            calls = [part for part in parts if isinstance(part, messages.ToolCallPart)]
            pending.update({call.tool_call_id: call.tool_name for call in calls})
            out.append(messages.ModelResponse(parts=parts))
        else:
            request += _request_parts(message, wire)
    close()
    return out


def _with_results(request: list[messages.ModelRequestPart], pending: dict[str, str]) -> list[messages.ModelRequestPart]:
    """The results of the pending calls first, each exactly once, then everything else."""
    results = {part.tool_call_id: part for part in request if isinstance(part, messages.ToolReturnPart)}
    first: list[messages.ModelRequestPart] = [
        results.get(call_id) or messages.ToolReturnPart(tool_name=name, content=UNFINISHED, tool_call_id=call_id)
        for call_id, name in pending.items()
    ]
    return first + [part for part in request if not isinstance(part, messages.ToolReturnPart)]


def _request_parts(message: models.PromptMessage, wire: Names) -> list[messages.ModelRequestPart]:
    content: list[messages.UserContent] = []
    out: list[messages.ModelRequestPart] = []
    for part in message.parts:
        match part:
            case models.TextPart() if message.role == "system":
                out.append(messages.SystemPromptPart(part.text))
            case models.TextPart() if part.text:
                content.append(part.text)
            case models.ImagePart():
                content.append(_image(part))
            case models.ResultPart():
                out.append(
                    messages.ToolReturnPart(
                        tool_name=wire.name(part.tool_name), content=result_text(part), tool_call_id=part.call_id
                    )
                )
            case _:
                pass
    if content:
        out.append(messages.UserPromptPart(_named(content, message.name)))
    return out


def _named(content: list[messages.UserContent], name: str | None) -> str | list[messages.UserContent]:
    """Says who speaks where several do; a lone text goes as a plain string."""
    if name:
        head = content[0]
        content = [f"{name}: {head}", *content[1:]] if isinstance(head, str) else [f"{name}:", *content]
    return content[0] if len(content) == 1 and isinstance(content[0], str) else content


def result_text(part: models.ResultPart) -> str:
    """TOOL-05: a tool's result as a JSON string."""
    result: Any = part.result
    if not part.ok and not _says_why(result):
        result = {"error": part.result}
    return json.dumps(result, ensure_ascii=False, default=str)


def _says_why(result: Any) -> bool:
    return isinstance(result, dict) and bool({"ok", "error", "reason"} & set(cast(dict[str, Any], result)))


def _image(part: models.ImagePart) -> messages.UserContent:
    if part.data:
        try:
            data = base64.b64decode(part.data, validate=True)
        except (binascii.Error, ValueError):
            raise errors.ModelPermanent("An image in this conversation is not valid base64.") from None
        return messages.BinaryContent(data=data, media_type=part.media_type)
    if part.url and part.url.startswith("https://"):
        return messages.ImageUrl(url=part.url, media_type=part.media_type)
    raise errors.ModelPermanent("An image in this conversation is neither base64 data nor an https address.")


def _response_parts(parts: Iterable[models.Part], wire: Names) -> Iterable[messages.ModelResponsePart]:
    for part in parts:
        match part:
            case models.TextPart() if part.text:
                yield messages.TextPart(part.text)
            case models.ThinkingPart() if part.text or part.signature:
                yield messages.ThinkingPart(part.text, signature=part.signature, provider_name=part.provider)
            case models.CallPart():
                call = part.call
                arguments = call.arguments if call.malformed is None else {"not_json": call.malformed}
                yield messages.ToolCallPart(wire.name(call.tool), arguments, call.provider_id)
            case _:
                pass


def parameters(request: models.ModelRequest, wire: Names) -> ModelRequestParameters:
    """Tools, instructions and the wanted output. A schema is asked for in the way the model's profile prefers."""
    tools = [_definition(spec, wire) for spec in request.tools]
    instructions = [messages.InstructionPart(content=request.system)] if request.system else []
    if request.output_schema is None:
        return ModelRequestParameters(function_tools=tools, instruction_parts=instructions)
    schema = request.output_schema
    describe = "Hand in the final answer."
    return ModelRequestParameters(
        function_tools=tools,
        instruction_parts=instructions,
        output_mode="auto",
        output_object=OutputObjectDefinition(json_schema=schema, name=RESULT_TOOL, description=describe),
        output_tools=[
            ToolDefinition(
                name=RESULT_TOOL, parameters_json_schema=_as_object(schema), description=describe, kind="output"
            )
        ],
        allow_text_output=False,
    )


def _as_object(schema: dict[str, Any]) -> dict[str, Any]:
    return schema if "type" in schema else {"type": "object", **schema}


def _definition(spec: ToolSpec, wire: Names) -> ToolDefinition:
    return ToolDefinition(
        name=wire.name(spec.slug), parameters_json_schema=spec.parameters, description=spec.description
    )

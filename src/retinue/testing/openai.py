"""How OpenAI's chat API looks on the wire: requests read, replies and errors written. Knows no HTTP."""

import json
from typing import Any, cast

from retinue.testing.scripts import Call, Fault, FaultKind, Request, Step, cut

CREATED = 1_735_689_600
RESULT_TOOL = "final_result"
GARBAGE = b"data: {this is not JSON\n\n"
ERRORS: dict[FaultKind, tuple[int, str, str | None, str]] = {
    "rate_limit": (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    "server_error": (500, "server_error", None, "The server had an error while processing your request."),
    "overloaded": (503, "service_unavailable_error", "overloaded", "The server is currently overloaded."),
    "context_too_long": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
    ),
    "bad_key": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: {key}."),
    "unknown_model": (404, "invalid_request_error", "model_not_found", "The model `{model}` does not exist."),
    "quota": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "bad_request": (400, "invalid_request_error", None, "Invalid value."),
}


def read(body: dict[str, Any], headers: dict[str, str], number: int) -> Request:
    messages = cast(list[dict[str, Any]], body.get("messages") or [])
    last = messages[-1] if messages else {}
    tools = cast(list[dict[str, Any]], body.get("tools") or [])
    return Request(
        number=number,
        dialect="openai",
        model=str(body.get("model", "")),
        stream=bool(body.get("stream")),
        system="\n".join(words(message) for message in messages if message.get("role") in ("system", "developer")),
        last=words(last),
        after_result=last.get("role") == "tool",
        tools=tuple(str(tool["function"]["name"]) for tool in tools),
        key=headers.get("authorization", "").removeprefix("Bearer "),
        body=body,
    )


def words(message: dict[str, Any]) -> str:
    """The text of a message whose content is a string or a list of parts."""
    content: Any = message.get("content")
    if isinstance(content, list):
        parts = cast(list[dict[str, Any]], content)
        return "\n".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")
    return str(content or "")


def calls(step: Step, request: Request) -> tuple[Call, ...]:
    """The step's calls; a structured answer is a call of the result tool where there is one."""
    if step.structured is None or RESULT_TOOL not in request.tools:
        return step.calls
    return (*step.calls, Call(tool=RESULT_TOOL, raw=json.dumps(step.structured)))


def texts(step: Step, request: Request) -> list[str]:
    """The pieces of text; a structured answer is text where there is no result tool."""
    if step.structured is not None and RESULT_TOOL not in request.tools:
        return cut(json.dumps(step.structured), step.piece)
    return step.cuts()


def whole(step: Step, request: Request) -> dict[str, Any]:
    """The reply to a request that does not stream."""
    asked = calls(step, request)
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts(step, request)) or None, "refusal": None}
    if step.thinking:
        message["reasoning_content"] = step.thinking
    if asked:
        message["tool_calls"] = [_call(call, place, request) for place, call in enumerate(asked)]
    choice = {"index": 0, "message": message, "finish_reason": _finish(step, asked), "logprobs": None}
    reply = {"id": f"chatcmpl-{request.number}", "object": "chat.completion", "created": CREATED}
    return {**reply, "model": request.model, "choices": [choice], "usage": _usage(step)}


def stream(step: Step, request: Request) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """What begins a stream, its pieces, and what ends it."""

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return _event(request, [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}])

    asked = calls(step, request)
    pieces = [chunk({"reasoning_content": piece}) for piece in cut(step.thinking, step.piece)]
    pieces += [chunk({"content": piece}) for piece in texts(step, request)]
    for place, call in enumerate(asked):
        head = _call(call, place, request)
        pieces.append(
            chunk({"tool_calls": [{"index": place, **head, "function": {"name": call.tool, "arguments": ""}}]})
        )
        for piece in cut(call.text(), max(step.piece, 16)):
            pieces.append(chunk({"tool_calls": [{"index": place, "function": {"arguments": piece}}]}))
    end = [chunk({}, _finish(step, asked))]
    options = cast(dict[str, Any], request.body.get("stream_options") or {})
    if options.get("include_usage") and step.tokens:
        end.append(_event(request, [], _usage(step)))
    return [chunk({"role": "assistant", "content": ""})], pieces, [*end, b"data: [DONE]\n\n"]


def error(fault: Fault, request: Request) -> tuple[int, dict[str, Any]]:
    """The status and body of a failure."""
    status, kind, code, message = ERRORS[fault.kind]
    text = (fault.message or message).format(model=request.model, key=request.key)
    return status, {"error": {"message": text, "type": kind, "param": None, "code": code}}


def error_event(fault: Fault, request: Request) -> bytes:
    return b"data: " + json.dumps(error(fault, request)[1]).encode() + b"\n\n"


def _call(call: Call, place: int, request: Request) -> dict[str, Any]:
    function = {"name": call.tool, "arguments": call.text()}
    return {"id": call.id or f"call_{request.number}_{place}", "type": "function", "function": function}


def _finish(step: Step, asked: tuple[Call, ...]) -> str | None:
    return step.finish or None if step.finish is not None else "tool_calls" if asked else "stop"


def _usage(step: Step) -> dict[str, Any] | None:
    tokens = step.tokens
    if tokens is None:
        return None
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cache_read, "audio_tokens": 0},
    }


def _event(request: Request, choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
    chunk = {"id": f"chatcmpl-{request.number}", "object": "chat.completion.chunk", "created": CREATED}
    return f"data: {json.dumps({**chunk, 'model': request.model, 'choices': choices, 'usage': usage})}\n\n".encode()

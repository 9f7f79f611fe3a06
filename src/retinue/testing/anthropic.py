"""How Anthropic's messages API looks on the wire: requests read, replies and errors written. Knows no HTTP."""

import json
from typing import Any, cast

from retinue.testing.openai import calls, texts, words
from retinue.testing.scripts import Call, Fault, FaultKind, Request, Step, cut

SIGNATURE = "c2NyaXB0ZWQ="
GARBAGE = b"event: content_block_delta\ndata: {this is not JSON\n\n"
ERRORS: dict[FaultKind, tuple[int, str, str]] = {
    "rate_limit": (429, "rate_limit_error", "This request would exceed your account's rate limit."),
    "server_error": (500, "api_error", "Internal server error"),
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "context_too_long": (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
    "bad_key": (401, "authentication_error", "invalid x-api-key"),
    "unknown_model": (404, "not_found_error", "model: {model}"),
    "quota": (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    "bad_request": (400, "invalid_request_error", "messages: at least one message is required"),
}


def read(body: dict[str, Any], headers: dict[str, str], number: int) -> Request:
    messages = cast(list[dict[str, Any]], body.get("messages") or [])
    last = messages[-1] if messages else {}
    results = _results(last)
    tools = cast(list[dict[str, Any]], body.get("tools") or [])
    return Request(
        number=number,
        dialect="anthropic",
        model=str(body.get("model", "")),
        stream=bool(body.get("stream")),
        system=words({"content": body.get("system")}),
        last="\n".join([*(words(result) for result in results), words(last)]).strip(),
        after_result=bool(results),
        tools=tuple(str(tool["name"]) for tool in tools),
        key=headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer "),
        body=body,
    )


def _results(message: dict[str, Any]) -> list[dict[str, Any]]:
    content: Any = message.get("content")
    if not isinstance(content, list):
        return []
    return [part for part in cast(list[dict[str, Any]], content) if part.get("type") == "tool_result"]


def whole(step: Step, request: Request) -> dict[str, Any]:
    """The reply to a request that does not stream."""
    asked = calls(step, request)
    blocks: list[dict[str, Any]] = []
    if step.thinking:
        blocks.append({"type": "thinking", "thinking": step.thinking, "signature": SIGNATURE})
    text = "".join(texts(step, request))
    if text:
        blocks.append({"type": "text", "text": text})
    for place, call in enumerate(asked):
        blocks.append({**_tool_use(call, place, request), "input": call.arguments or _object(call)})
    return {**_message(request, blocks), "stop_reason": _stop(step, asked), "usage": _usage(step)}


def stream(step: Step, request: Request) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """What begins a stream, its pieces, and what ends it."""
    usage = _usage(step)
    begin = [_event("message_start", {"message": {**_message(request, []), "usage": {**usage, "output_tokens": 1}}})]
    pieces: list[bytes] = []
    asked = calls(step, request)
    number = 0
    if step.thinking:
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in cut(step.thinking, step.piece)]
        block = {"type": "thinking", "thinking": "", "signature": ""}
        pieces += _block(number, block, [*deltas, {"type": "signature_delta", "signature": SIGNATURE}])
        number += 1
    spoken = texts(step, request)
    if spoken:
        deltas = [{"type": "text_delta", "text": piece} for piece in spoken]
        pieces += _block(number, {"type": "text", "text": ""}, deltas)
        number += 1
    for place, call in enumerate(asked):
        deltas = [
            {"type": "input_json_delta", "partial_json": piece} for piece in cut(call.text(), max(step.piece, 16))
        ]
        pieces += _block(number, {**_tool_use(call, place, request), "input": {}}, deltas)
        number += 1
    stop = {"delta": {"stop_reason": _stop(step, asked), "stop_sequence": None}}
    end = _event("message_delta", {**stop, "usage": {"output_tokens": usage["output_tokens"]}})
    return begin, pieces, [end, _event("message_stop", {})]


def error(fault: Fault, request: Request) -> tuple[int, dict[str, Any]]:
    """The status and body of a failure."""
    status, kind, message = ERRORS[fault.kind]
    text = (fault.message or message).format(model=request.model, key=request.key)
    return status, {"type": "error", "error": {"type": kind, "message": text}, "request_id": f"req_{request.number}"}


def error_event(fault: Fault, request: Request) -> bytes:
    return f"event: error\ndata: {json.dumps(error(fault, request)[1])}\n\n".encode()


def _message(request: Request, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    head = {"id": f"msg_{request.number}", "type": "message", "role": "assistant", "model": request.model}
    return {**head, "content": blocks, "stop_reason": None, "stop_sequence": None}


def _tool_use(call: Call, place: int, request: Request) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id or f"toolu_{request.number}_{place}", "name": call.tool}


def _object(call: Call) -> Any:
    """The arguments written raw, as an object: only a stream can carry malformed ones."""
    try:
        return json.loads(call.text())
    except ValueError:
        return {}


def _stop(step: Step, asked: tuple[Call, ...]) -> str | None:
    return step.finish or None if step.finish is not None else "tool_use" if asked else "end_turn"


def _usage(step: Step) -> dict[str, int]:
    tokens = step.tokens
    if tokens is None:
        return {"input_tokens": 0, "output_tokens": 0}
    return {
        "input_tokens": tokens.input - tokens.cache_read - tokens.cache_write,
        "output_tokens": tokens.output,
        "cache_read_input_tokens": tokens.cache_read,
        "cache_creation_input_tokens": tokens.cache_write,
    }


def _block(number: int, block: dict[str, Any], deltas: list[dict[str, Any]]) -> list[bytes]:
    """One content block: its start goes with the first delta, its stop with the last."""
    events = [_event("content_block_delta", {"index": number, "delta": delta}) for delta in deltas]
    start = _event("content_block_start", {"index": number, "content_block": block})
    stop = _event("content_block_stop", {"index": number})
    return (
        [start + events[0], *events[1:-1], events[-1] + stop] if len(events) > 1 else [start + b"".join(events) + stop]
    )


def _event(kind: str, data: dict[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()

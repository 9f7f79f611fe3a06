"""One request to one provider, always as a stream: a reply without deltas is a stream collected.

Does not choose the model (``models``), and never retries: the turn engine's retries are durable.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import httpx2
from pydantic_ai import direct, messages
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.models import Model, create_async_httpx2_client
from pydantic_ai.settings import ModelSettings

from retinue import errors
from retinue.domain import models
from retinue.llm import convert, faults, reply, schemas
from retinue.llm.providers import Route
from retinue.llm.wire import Names

OnDelta = Callable[[models.Delta], Awaitable[None]]
Event = messages.ModelResponseStreamEvent | messages.ModelResponse

READ_SECONDS, CONNECT_SECONDS = 120.0, 10.0


def connect() -> httpx2.AsyncClient:
    """The HTTP client that all models share. The caller closes it."""
    return create_async_httpx2_client(timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS))


async def stream(
    model: Model, request: models.ModelRequest, route: Route, on_delta: OnDelta | None
) -> models.ModelReply:
    """Raises errors of ModelError's tree; what ``on_delta`` raises goes through untouched."""
    started = time.monotonic()
    if request.output_schema is not None:
        schemas.check(request.output_schema)
    wire = Names(request.tools)
    response: messages.ModelResponse | None = None
    async with aclosing(_events(model, request, route, wire)) as events:
        async for event in events:
            if isinstance(event, messages.ModelResponse):
                response = event
            elif on_delta is not None and (delta := _delta(event, wire)):
                await on_delta(delta)
    if response is None:
        raise faults.explain(ValueError("no response"), route)
    return reply.read(response, request, route, wire, int((time.monotonic() - started) * 1000))


async def _events(model: Model, request: models.ModelRequest, route: Route, wire: Names) -> AsyncGenerator[Event, None]:
    """The provider's events and last its whole response; its failures leave in our words."""
    try:
        parameters = convert.parameters(request, wire)
        history = convert.history(request.messages, wire)
        if any(_has_system(message) for message in history):
            history = model.prepare_messages(history, parameters)
        async with direct.model_request_stream(
            model, history, model_settings=_settings(request, route), model_request_parameters=parameters
        ) as events:
            async for event in events:
                yield event
            yield events.get()
    except errors.ModelError:
        raise
    except AgentRunError as error:
        raise faults.explain(error, route) from None  # the cause holds the request's headers, so the key
    except Exception as error:
        raise faults.explain(error, route) from error


def _has_system(message: messages.ModelMessage) -> bool:
    return any(isinstance(part, messages.SystemPromptPart) for part in message.parts)


def _settings(request: models.ModelRequest, route: Route) -> ModelSettings:
    settings = ModelSettings(
        timeout=request.timeout_seconds, request_timeout=request.timeout_seconds, framing_announcement="when_needed"
    )
    if request.max_output_tokens is not None:
        settings["max_tokens"] = request.max_output_tokens
    if request.temperature is not None:
        settings["temperature"] = request.temperature
    if route.provider.family == "anthropic":
        settings["cache"] = True
    return settings


def _delta(event: messages.ModelResponseStreamEvent, wire: Names) -> models.Delta | None:
    match event:
        case messages.PartStartEvent(part=messages.ToolCallPart() as part):
            return _called(part, wire)
        case messages.PartStartEvent(part=messages.TextPart(content=text)) if text:
            return models.Delta(kind="text", text=text)
        case messages.PartStartEvent(part=messages.ThinkingPart(content=text)) if text:
            return models.Delta(kind="thinking", text=text)
        case messages.PartDeltaEvent(delta=messages.TextPartDelta() as delta) if delta.content_delta:
            return models.Delta(kind="text", text=delta.content_delta)
        case messages.PartDeltaEvent(delta=messages.ThinkingPartDelta() as delta) if delta.content_delta:
            return models.Delta(kind="thinking", text=delta.content_delta)
        case _:
            return None


def _called(part: messages.ToolCallPart, wire: Names) -> models.Delta | None:
    """A call is announced once, by its tool; its arguments come with the reply."""
    if part.tool_name == convert.RESULT_TOOL:
        return None
    return models.Delta(kind="call", text=wire.slug(part.tool_name))

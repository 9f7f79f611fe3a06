"""Real provider clients against the scripted server: nothing else is faked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from retinue.domain.agents import TrustLevel
from retinue.domain.models import Delta, ModelReply, ModelRequest, PromptMessage, TextPart
from retinue.domain.tools import Effect, ToolKind, ToolSpec
from retinue.llm.models import Models
from retinue.settings import OpenAICompatible
from retinue.testing import scripts
from retinue.testing.models import ScriptedModels

NOWHERE = {"OLLAMA_HOST": "127.0.0.1:1"}
"""No Ollama, also on a machine that runs one."""
IDS = {"openai": "openai/gpt-4o", "anthropic": "anthropic/claude-sonnet-4-6"}


@dataclass(frozen=True)
class Config:
    """What the factory reads of the settings."""

    default_model: str | None = None
    openai_compatible: dict[str, OpenAICompatible] | None = None

    def models(self, env: dict[str, str]) -> Models:
        return Models(_Settings(self.default_model, self.openai_compatible or {}), env={**NOWHERE, **env})


@dataclass(frozen=True)
class _Settings:
    default_model: str | None
    openai_compatible: dict[str, OpenAICompatible]


@dataclass
class Stage:
    """A scripted server and a factory that is pointed at it."""

    server: ScriptedModels
    models: Models
    deltas: list[Delta]

    async def ask(self, request: ModelRequest) -> ModelReply:
        async def keep(delta: Delta) -> None:
            self.deltas.append(delta)

        return await self.models.stream(request, keep)

    @property
    def body(self) -> dict[str, Any]:
        """The body of the last request."""
        return self.server.requests[-1].body


Play = Callable[..., Awaitable[Stage]]


@pytest.fixture
async def play() -> AsyncIterator[Play]:
    """``await play(step, ...)``: a stage whose server plays these steps."""
    async with AsyncExitStack() as stack:

        async def start(*steps: scripts.Step | str, env: dict[str, str] | None = None) -> Stage:
            server = await stack.enter_async_context(ScriptedModels(scripts.of(*steps)))
            made = Config().models({**server.env(), **(env or {})})
            stack.push_async_callback(made.close)
            return Stage(server, made, [])

        yield start


def ask(model: str, text: str = "Hello", **fields: Any) -> ModelRequest:
    """A request with one message of a user."""
    message = PromptMessage(role="user", parts=(TextPart(text=text),))
    return ModelRequest(model=model, system="Be brief.", messages=fields.pop("messages", (message,)), **fields)


def tool(slug: str, description: str = "", *, effect: Effect = Effect.READ, **properties: dict[str, Any]) -> ToolSpec:
    """A tool; a property with ``required=True`` is required."""
    required = [name for name, schema in properties.items() if schema.pop("required", False)]
    return ToolSpec(
        slug=slug, kind=ToolKind.INTERNAL, name=slug.replace("_", " ").capitalize(), description=description,
        parameters={"type": "object", "properties": properties, "required": required}, effect=effect,
        trust=TrustLevel.READ,
    )  # fmt: skip

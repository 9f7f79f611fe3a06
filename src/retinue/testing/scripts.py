"""Scripts for ``models.ScriptedModels``: what the scripted provider answers, to which request, and how it fails.

A script is data, so it can be written in YAML::

    steps:
      - match: {contains: "weather"}
        calls: [{tool: get_weather, arguments: {city: Berlin}}]
      - match: {after_result: true}
        text: It is sunny.
      - fault: {kind: rate_limit, retry_after: 2}
    default: I have no more lines.
"""

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from retinue.domain.base import Value

Dialect = Literal["openai", "anthropic"]
FaultKind = Literal[
    "rate_limit",
    "server_error",
    "overloaded",
    "context_too_long",
    "bad_key",
    "unknown_model",
    "quota",
    "bad_request",
    "cut",
    "garbage",
]


class Request(Value):
    """A request the server received, with what matters of it in one form for all dialects."""

    number: int
    """1 for the first request."""
    dialect: Dialect
    model: str
    stream: bool
    system: str
    last: str
    """The text of the last message; of a tool result, its content."""
    after_result: bool
    """True when the last message is a tool's result."""
    tools: tuple[str, ...]
    key: str
    """The API key that was sent."""
    body: dict[str, Any]
    """The whole body as it was sent."""


class Match(Value):
    """Which requests a step answers: all that is given must hold."""

    contains: str | None = None
    """Words in the last message, in any case."""
    model: str | None = None
    """The model's name; ``*`` stands for anything."""
    dialect: Dialect | None = None
    after_result: bool | None = None
    tool: str | None = None
    """A tool that the request offers."""
    system: str | None = None
    """Words in the system prompt, in any case."""

    def fits(self, request: Request) -> bool:
        return all(
            (
                self.contains is None or self.contains.lower() in request.last.lower(),
                self.model is None or fnmatchcase(request.model, self.model),
                self.dialect is None or self.dialect == request.dialect,
                self.after_result is None or self.after_result == request.after_result,
                self.tool is None or self.tool in request.tools,
                self.system is None or self.system.lower() in request.system.lower(),
            )
        )


class Call(Value):
    """A tool call of the reply. ``raw`` is sent instead of the arguments, as it is: for malformed JSON."""

    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    raw: str | None = None
    id: str | None = None

    def text(self) -> str:
        return json.dumps(self.arguments) if self.raw is None else self.raw


class Tokens(Value):
    """The usage a reply reports. ``input`` includes what was read from and written to the cache."""

    input: int = 100
    output: int = 20
    cache_read: int = 0
    cache_write: int = 0


class Fault(Value):
    """A failure, in the shape the provider really uses.

    ``after`` None: instead of a reply (for ``cut``: the connection closes without one). Otherwise after so many
    pieces of a stream: ``cut`` closes the connection, ``garbage`` sends something that is no JSON, every other kind
    sends the provider's error event.
    """

    kind: FaultKind
    after: int | None = None
    retry_after: float | None = None
    """Seconds, sent as ``Retry-After``."""
    message: str | None = None


class Step(Value):
    """One answer. A step without text, thinking, calls and object is an empty reply."""

    match: Match = Match()
    when: Callable[[Request], bool] | None = Field(default=None, exclude=True)
    """A condition in Python, besides ``match``."""
    times: int | None = 1
    """How many requests it answers; None for any number."""
    text: str = ""
    thinking: str = ""
    calls: tuple[Call, ...] = ()
    structured: Any = None
    """An object: handed in through the result tool where the request has one, else written as text."""
    pieces: tuple[str, ...] | None = None
    """The text cut as given; without it, after every ``piece`` characters."""
    piece: int = Field(default=8, ge=1)
    delay: float = Field(default=0.0, ge=0)
    """Seconds before each piece."""
    hold: str | None = None
    """A name: the reply stops until ``release(name)``, so that a test can act in the middle of it."""
    hold_after: int = 0
    """The pieces sent before it holds; 0 holds before the response begins."""
    tokens: Tokens | None = Tokens()
    """None: the reply reports no usage."""
    finish: str | None = None
    """The provider's own finish reason, where it should be another than the usual; empty: the reply names none."""
    fault: Fault | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"text": value} if isinstance(value, str) else value

    def cuts(self) -> list[str]:
        """The text in the pieces it is streamed in."""
        if self.pieces is not None:
            return list(self.pieces)
        return cut(self.text, self.piece)


class Script(Value):
    """Steps in order: a request is answered by the first that fits it and is not used up, else by ``default``."""

    steps: tuple[Step, ...] = ()
    default: Step | None = None
    """Without it, a request that no step fits is refused and listed in ``unmatched``."""


def cut(text: str, size: int) -> list[str]:
    """``text`` in pieces of ``size`` characters."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def of(*steps: Step | str, default: Step | str | None = None) -> Script:
    """A script of these steps; a string is a step that says it. Raises pydantic.ValidationError."""
    return Script.model_validate({"steps": steps, "default": default})


def load(path: Path) -> Script:
    """A script from a YAML or JSON file. Raises OSError, yaml.YAMLError and pydantic.ValidationError."""
    return Script.model_validate(yaml.safe_load(path.read_text("utf-8")) or {})

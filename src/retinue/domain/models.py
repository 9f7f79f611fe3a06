"""What goes into a language model and what comes out, in our own words; only ``llm`` knows any provider's."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from retinue.domain.base import Value
from retinue.domain.files import StoredFile
from retinue.domain.tools import ToolCall, ToolSpec


class TextPart(Value):
    kind: Literal["text"] = "text"
    text: str


class ImagePart(Value):
    """An image by its bytes (base64) or an https URL."""

    kind: Literal["image"] = "image"
    media_type: str = "image/png"
    data: str | None = None
    url: str | None = None


class FilePart(Value):
    """A file that stands in a message. A turn puts its picture or its text in its place before a model sees it."""

    kind: Literal["file"] = "file"
    file: StoredFile


class ThinkingPart(Value):
    """A model's reasoning trace; ``signature`` and ``provider`` let it be sent back where a provider wants it."""

    kind: Literal["thinking"] = "thinking"
    text: str
    signature: str | None = None
    provider: str | None = None


class CallPart(Value):
    kind: Literal["tool-call"] = "tool-call"
    call: ToolCall


class ResultPart(Value):
    """THR-08: a tool-result part. ``call_id`` is the model's own id of the call it answers."""

    kind: Literal["tool-result"] = "tool-result"
    tool_name: str
    call_id: str
    result: Any
    ok: bool = True


Part = Annotated[TextPart | ImagePart | FilePart | ThinkingPart | CallPart | ResultPart, Field(discriminator="kind")]

KINDS = frozenset({"text", "image", "file", "thinking", "tool-call", "tool-result"})


def known(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those parts that this version can show: content of a kind that it does not know is passed over, never an error
    (CHN-15)."""
    return [part for part in parts if part.get("kind") in KINDS]


MessageRole = Literal["user", "assistant", "system", "tool"]


class PromptMessage(Value):
    """One message of a model request."""

    role: MessageRole
    parts: tuple[Part, ...]
    name: str | None = None
    """The author's name where several people or agents speak."""


class ModelRequest(Value):
    """A whole request. ``model`` is an id the factory resolves; ``output_schema`` asks for a JSON object."""

    model: str
    system: str
    messages: tuple[PromptMessage, ...]
    tools: tuple[ToolSpec, ...] = ()
    output_schema: dict[str, Any] | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    timeout_seconds: float = 120.0


Finish = Literal["stop", "tool_calls", "length", "content_filter", "other"]


class Usage(Value):
    """Tokens of one response. Cache tokens are included in ``input_tokens``."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


class ModelReply(Value):
    """A whole response. ``cost_micro`` is None when the price is unknown: said, never taken for zero (LLM-11)."""

    model: str
    provider: str
    text: str
    thinking: str = ""
    calls: tuple[ToolCall, ...] = ()
    structured: Any = None
    """The parsed object when ``output_schema`` was given."""
    usage: Usage = Usage()
    cost_micro: int | None = None
    currency: str = "USD"
    finish: Finish = "stop"
    duration_ms: int = 0
    parts: tuple[Part, ...] = ()
    """The assistant message to store in the thread: text, thinking and calls in the model's order."""


class Delta(Value):
    """One piece of a streaming response."""

    kind: Literal["text", "thinking", "call"]
    text: str


class ProviderStatus(Value):
    """One model provider as the settings page and ``retinue doctor`` show it. Never holds a key."""

    provider: str
    title: str
    configured: bool
    how: str
    """How it was found, or what to set so that it is."""
    default_model: str | None = None
    """The model that is used where nobody chose one and this provider is the first that is configured."""
    models: tuple[str, ...] = ()
    """The ids it listed, where it lists any (Ollama)."""


class ModelCheck(Value):
    """What one real request to a model gave."""

    model: str
    provider: str
    ok: bool
    detail: str
    duration_ms: int = 0
    reply: str | None = None
    code: str | None = None
    """The error's, when it failed."""

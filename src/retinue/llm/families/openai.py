"""Models by OpenAI's chat API: OpenAI itself, the proxy, and every service that speaks the same."""

from collections.abc import Awaitable, Callable

import httpx2
from openai import AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from retinue.llm.providers import Connection, Route

NO_KEY = "no-key-needed"
"""The client insists on a key, which a local server does not."""
PROFILE = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)
"""A stream that ends without a finish reason was cut: without this it would pass for a whole answer."""


def build(route: Route, http: httpx2.AsyncClient) -> Model:
    made = client(route.connection, http)
    if route.provider.name == "openai":
        return OpenAIChatModel(route.model, provider=OpenAIProvider(openai_client=made), profile=PROFILE)
    provider = OpenAICompatibleProvider(route.provider.name, openai_client=made)
    return OpenAIChatModel(route.model, provider=provider, profile=PROFILE)


def client(
    connection: Connection, http: httpx2.AsyncClient, token: Callable[[], Awaitable[str]] | None = None
) -> AsyncOpenAI:
    """A client of OpenAI's chat API at the connection's address; ``token`` gives short-lived keys."""
    return AsyncOpenAI(
        api_key=token or connection.key or NO_KEY, base_url=connection.base_url, http_client=http, max_retries=0
    )

"""Models by Anthropic's own client."""

import httpx2
from anthropic import AsyncAnthropic
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider

from retinue.llm.providers import Route


def build(route: Route, http: httpx2.AsyncClient) -> Model:
    connection = route.connection
    client = AsyncAnthropic(api_key=connection.key, base_url=connection.base_url, http_client=http, max_retries=0)
    return AnthropicModel(route.model, provider=AnthropicProvider(anthropic_client=client))

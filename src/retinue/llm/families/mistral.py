"""Models by Mistral's own client."""

import httpx2
from pydantic_ai.models import Model
from pydantic_ai.models.mistral import MistralModel
from pydantic_ai.providers.mistral import MistralProvider

from retinue.llm.providers import Route


def build(route: Route, http: httpx2.AsyncClient) -> Model:
    connection = route.connection
    provider = MistralProvider(api_key=connection.key, base_url=connection.base_url, http_client=http)
    return MistralModel(route.model, provider=provider)

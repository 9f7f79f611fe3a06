"""Models by Google's own client (the Gemini API)."""

import httpx2
from pydantic_ai.models import Model
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.providers.google import GoogleProvider

from retinue.llm.providers import Route


def build(route: Route, http: httpx2.AsyncClient) -> Model:
    connection = route.connection
    provider = GoogleProvider(api_key=connection.key, base_url=connection.base_url, http_client=http)
    return GoogleModel(route.model, provider=provider)

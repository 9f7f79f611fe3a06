"""Models by OpenRouter, which speaks OpenAI's chat API with some fields of its own (LLM-08)."""

import httpx2
from pydantic_ai.models import Model
from pydantic_ai.models.openrouter import OpenRouterModel
from pydantic_ai.providers.openrouter import OpenRouterProvider

from retinue.llm.families import openai
from retinue.llm.providers import Route


def build(route: Route, http: httpx2.AsyncClient) -> Model:
    provider = OpenRouterProvider(openai_client=openai.client(route.connection, http))
    return OpenRouterModel(route.model, provider=provider, profile=openai.PROFILE)

"""Models on an Ollama server, by its OpenAI-compatible API."""

import httpx2
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.ollama import OllamaProvider

from retinue.llm.families import openai
from retinue.llm.providers import Route


def build(route: Route, http: httpx2.AsyncClient) -> Model:
    provider = OllamaProvider(openai_client=openai.client(route.connection, http))
    return OpenAIChatModel(route.model, provider=provider, profile=openai.PROFILE)

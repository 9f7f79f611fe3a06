"""Models by Gloo AI (LLM-04): OpenAI's chat API, with a ready token or tokens fetched with an OAuth client."""

import asyncio
import time

import httpx2
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from retinue import errors
from retinue.llm.families import openai
from retinue.llm.providers import Route

EARLY = 60.0
"""Seconds before its end at which a token is renewed."""


class Tokens:
    """Short-lived access tokens by the OAuth client credentials grant, renewed before they run out."""

    def __init__(self, client: tuple[str, str, str], http: httpx2.AsyncClient) -> None:
        self._id, self._secret, self._url = client
        self._http = http
        self._lock = asyncio.Lock()
        self._token, self._until = "", 0.0

    async def __call__(self) -> str:
        """A valid token. Raises ModelPermanent when the client is refused, ModelTransient when nobody answers."""
        async with self._lock:
            if time.monotonic() >= self._until:
                await self._renew()
            return self._token

    async def _renew(self) -> None:
        form = {"grant_type": "client_credentials", "scope": "api/access"}
        try:
            response = await self._http.post(self._url, data=form, auth=(self._id, self._secret))
            if response.status_code in (400, 401, 403):
                raise errors.ModelPermanent("Gloo AI refused the client. Check GLOO_CLIENT_ID and GLOO_CLIENT_SECRET.")
            body = response.raise_for_status().json()
            self._token = str(body["access_token"])
            self._until = time.monotonic() + float(body.get("expires_in", 3600)) - EARLY
        except (httpx2.HTTPError, KeyError, ValueError):
            raise errors.ModelTransient("Gloo AI gave no access token.") from None


def build(route: Route, http: httpx2.AsyncClient) -> Model:
    connection = route.connection
    token = Tokens(connection.client, http) if connection.client else None
    provider = OpenAICompatibleProvider("gloo", openai_client=openai.client(connection, http, token))
    return OpenAIChatModel(route.model, provider=provider, profile=openai.PROFILE)

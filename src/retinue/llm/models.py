"""The one way to a language model (LLM-01): resolves ids, builds clients once, streams replies.

Importing this module imports no provider's client and not pydantic-ai either; the first request to a provider loads
what it needs in a thread, so that the node goes on meanwhile. Does not retry: the turn engine's retries are durable.
"""

import asyncio
import http.client
import importlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from retinue import errors, settings
from retinue.domain import models
from retinue.llm import offline, providers

OnDelta = Callable[[models.Delta], Awaitable[None]]
KEPT = 64
"""Built models kept at once; the one built longest ago goes first."""
PROBE_SECONDS = 0.3
CHECK_TOKENS = 256


class SettingsLike(Protocol):
    """What the factory reads of the settings."""

    @property
    def default_model(self) -> str | None: ...
    @property
    def openai_compatible(self) -> Mapping[str, settings.OpenAICompatible]: ...


class Models:
    """All models of this process. One per process and event loop; its HTTP connections are shared by all calls."""

    def __init__(self, configured: SettingsLike, env: Mapping[str, str] | None = None) -> None:
        """``env`` holds provider keys and addresses; by default the process's own environment.

        Asks once, for at most 0.3 seconds, whether an Ollama listens.
        """
        self._default_model = configured.default_model
        if env is None:
            env = settings.provider_env(providers.names(configured.openai_compatible))
        ollama = ollama_models(providers.ollama_url(env.get(providers.OLLAMA_HOST)))
        self._directory = providers.Directory(env, configured.openai_compatible, ollama)
        self._built: dict[str, Any] = {}
        self._building = asyncio.Lock()
        self._calls: Any = None
        self._http: Any = None

    @property
    def offline(self) -> bool:
        """True when no provider is configured: every id is then answered by the offline model."""
        return self._directory.offline

    def resolve(self, model: str | None = None, account_default: str | None = None) -> str:
        """The canonical id: the agent's own model, else the account's, the installation's, the shipped default.

        The shipped default is replaced by the first configured provider's where it cannot be reached itself. Raises
        UnknownModel saying what to set.
        """
        chosen = model or account_default or self._default_model or self._directory.shipped_default()
        return self._directory.route(chosen).id

    async def stream(self, request: models.ModelRequest, on_delta: OnDelta | None = None) -> models.ModelReply:
        """One request; ``on_delta`` is awaited with each piece as it arrives.

        Raises only errors of ModelError's tree, besides what ``on_delta`` raises.
        """
        route = self._directory.route(request.model)
        if route.provider.family == "offline":
            return await offline.stream(request, on_delta)
        built = self._built.get(route.id) or await self._build(route)
        reply: models.ModelReply = await self._calls.stream(built, request, route, on_delta)
        return reply

    def worst_micro(self, model: str, input_tokens: int, output_tokens: int) -> int | None:
        """The most that a call of a model costs, in millionths of a US dollar; None when its price is unknown.

        Raises UnknownModel.
        """
        route = self._directory.route(model)
        if route.provider.family == "offline":
            return 0
        prices: Any = importlib.import_module("retinue.llm.prices")
        found: int | None = prices.worst_micro(route, input_tokens, output_tokens)
        return found

    async def warm(self, model: str) -> None:
        """Loads the client for ``model`` before its first request. Raises UnknownModel."""
        route = self._directory.route(model)
        if route.provider.family != "offline" and route.id not in self._built:
            await self._build(route)

    async def _build(self, route: providers.Route) -> Any:
        async with self._building:
            if route.id not in self._built:
                self._built[route.id] = await asyncio.to_thread(self._load, route)
                if len(self._built) > KEPT:
                    del self._built[next(iter(self._built))]
            return self._built[route.id]

    def _load(self, route: providers.Route) -> Any:
        if self._calls is None:
            calls: Any = importlib.import_module("retinue.llm.calls")
            self._http = calls.connect()
            self._calls = calls
        family: Any = importlib.import_module(f"retinue.llm.families.{route.provider.family}")
        return family.build(route, self._http)

    def status(self) -> list[models.ProviderStatus]:
        """Every provider: whether it is configured, and how, or what to set. Holds no key."""
        directory = self._directory
        found = [self._status(provider) for provider in directory.providers.values()]
        if directory.proxy:
            how = f"{providers.PROXY_URL} is set: every model goes through it."
            found.insert(0, models.ProviderStatus(provider="proxy", title="LLM proxy", configured=True, how=how))
        how = providers.HOW_TO_CONNECT if directory.offline else "Answers model ids that begin with offline/."
        found.append(
            models.ProviderStatus(
                provider="offline",
                title="Offline model",
                configured=directory.offline,
                how=f"No provider is configured, so it answers everything. {how}" if directory.offline else how,
                default_model=providers.OFFLINE_MODEL,
            )
        )
        return found

    def _status(self, provider: providers.Provider) -> models.ProviderStatus:
        connection = self._directory.connections.get(provider.name)
        if connection is None:
            how = providers.missing(provider)
        elif provider.name == "ollama":
            how = f"Found at {(connection.base_url or '').removesuffix('/v1')}."
        else:
            named = next((name for name in provider.key_env if name in self._directory.env), provider.url_env)
            how = f"{'GLOO_CLIENT_ID' if connection.client else named or 'RETINUE_OPENAI_COMPATIBLE'} is set."
        return models.ProviderStatus(
            provider=provider.name,
            title=provider.title,
            configured=connection is not None,
            how=how,
            default_model=provider.default_model,
            models=self._directory.listed if provider.name == "ollama" else (),
        )

    async def check(self, model: str | None = None, timeout_seconds: float = 20.0) -> models.ModelCheck:
        """One small real request to ``model`` (default: the installation's), with the provider's real error."""
        started = time.monotonic()
        name, provider = model or "default", "none"
        try:
            route = self._directory.route(self.resolve(model))
            name, provider = route.id, route.provider.name
            question = models.PromptMessage(role="user", parts=(models.TextPart(text="Answer with one word: ready"),))
            reply = await self.stream(
                models.ModelRequest(
                    model=route.id,
                    system="You are being checked.",
                    messages=(question,),
                    max_output_tokens=CHECK_TOKENS,
                    timeout_seconds=timeout_seconds,
                )
            )
        except errors.ModelError as error:
            ok, detail, code, said = False, error.detail, error.reason_code, None
        else:
            ok, code, said = True, None, reply.text
            detail = providers.HOW_TO_CONNECT if provider == "offline" else f"{reply.model} answered."
        duration_ms = int((time.monotonic() - started) * 1000)
        return models.ModelCheck(
            model=name, provider=provider, ok=ok, detail=detail, duration_ms=duration_ms, reply=said, code=code
        )

    async def close(self) -> None:
        """Closes the HTTP connections."""
        if self._http is not None:
            await self._http.aclose()
        self._built.clear()
        self._calls = self._http = None


def ollama_models(url: str) -> tuple[str, ...] | None:
    """The names of the models an Ollama at ``url`` has, None when none answers. Blocks for at most 0.3 seconds."""
    address = urlsplit(url)
    secure = address.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(address.hostname or "127.0.0.1", address.port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", "/api/tags")
        response = connection.getresponse()
        if response.status != 200:
            return None
        listed: dict[str, Any] = json.loads(response.read())
        return tuple(str(model["name"]) for model in listed.get("models", []))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, http.client.HTTPException):
        return None
    finally:
        connection.close()

"""Which provider a model id belongs to, and how that provider is reached. Pure tables and decisions: builds no client.

Precedence (LLM-05): the offline model's own ids, then the proxy for everything, then the prefix. With no provider
configured at all every id is answered by the offline model.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from retinue import errors
from retinue.domain import agents
from retinue.settings import OpenAICompatible

OFFLINE_MODEL = "offline/retinue"
PROXY_URL, PROXY_KEY = "LLM_PROXY_BASE_URL", "LLM_PROXY_API_KEY"
OLLAMA_HOST = "OLLAMA_HOST"
OLLAMA_ADDRESS = "127.0.0.1:11434"


@dataclass(frozen=True, slots=True)
class Provider:
    """One way to reach models. ``family`` names the module in ``families`` that builds its client."""

    name: str
    title: str
    family: str
    key_env: tuple[str, ...] = ()
    url_env: str | None = None
    base_url: str | None = None
    bare: str | None = None
    """Model ids without a prefix that are this provider's."""
    default_model: str | None = None
    price_as: str | None = None
    """The provider's id in genai-prices."""
    needs_key: bool = True


BUILT_IN: tuple[Provider, ...] = (
    Provider(
        name="anthropic",
        title="Anthropic",
        family="anthropic",
        key_env=("ANTHROPIC_API_KEY",),
        url_env="ANTHROPIC_BASE_URL",
        base_url="https://api.anthropic.com",
        bare=r"claude",
        default_model=agents.DEFAULT_MODEL,
        price_as="anthropic",
    ),
    Provider(
        name="openai",
        title="OpenAI",
        family="openai",
        key_env=("OPENAI_API_KEY",),
        url_env="OPENAI_BASE_URL",
        base_url="https://api.openai.com/v1",
        bare=r"gpt|chatgpt|o\d",
        default_model="openai/gpt-4o",
        price_as="openai",
    ),
    Provider(
        name="google",
        title="Google",
        family="google",
        key_env=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        url_env="GOOGLE_GEMINI_BASE_URL",
        bare=r"gemini",
        default_model="google/gemini-2.5-flash",
        price_as="google",
    ),
    Provider(
        name="mistral",
        title="Mistral",
        family="mistral",
        key_env=("MISTRAL_API_KEY",),
        url_env="MISTRAL_BASE_URL",
        default_model="mistral/mistral-large-latest",
        price_as="mistral",
    ),
    Provider(
        name="openrouter",
        title="OpenRouter",
        family="openrouter",
        key_env=("OPENROUTER_API_KEY",),
        url_env="OPENROUTER_BASE_URL",
        base_url="https://openrouter.ai/api/v1",
        default_model="openrouter/anthropic/claude-sonnet-4.5",
        price_as="openrouter",
    ),
    Provider(
        name="gloo",
        title="Gloo AI",
        family="gloo",
        key_env=("GLOO_API_KEY",),
        url_env="GLOO_BASE_URL",
        base_url="https://platform.ai.gloo.com/ai/v2",
        default_model="gloo/gloo-anthropic-claude-sonnet-4.5",
    ),
)
OLLAMA = Provider(name="ollama", title="Ollama", family="ollama", key_env=("OLLAMA_API_KEY",), needs_key=False)
OFFLINE = Provider(name="offline", title="Offline model", family="offline", needs_key=False)
GLOO_CLIENT = ("GLOO_CLIENT_ID", "GLOO_CLIENT_SECRET", "GLOO_TOKEN_URL")
HOW_TO_CONNECT = (
    "Set ANTHROPIC_API_KEY, OPENAI_API_KEY, GOOGLE_API_KEY or MISTRAL_API_KEY, or LLM_PROXY_BASE_URL, "
    "or start Ollama, then restart Retinue."
)


@dataclass(frozen=True, slots=True)
class Connection:
    """A provider with what it takes to reach it. ``secrets`` never leave ``llm``."""

    provider: Provider
    base_url: str | None = None
    key: str | None = None
    secrets: tuple[str, ...] = ()
    """Every secret value, so that an error text can be cleaned of them."""
    client: tuple[str, str, str] | None = None
    """Id, secret and token address of an OAuth client, where the provider gives short-lived tokens."""

    def __repr__(self) -> str:
        return f"Connection({self.provider.name}, {self.base_url})"


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes: ``id`` is our canonical id, ``model`` the name the provider is sent."""

    id: str
    model: str
    connection: Connection

    @property
    def provider(self) -> Provider:
        return self.connection.provider


def names(custom: Mapping[str, OpenAICompatible]) -> tuple[str, ...]:
    """Every environment variable that configures a provider."""
    found = [PROXY_URL, PROXY_KEY, OLLAMA_HOST, *OLLAMA.key_env, *GLOO_CLIENT]
    for provider in BUILT_IN:
        found += [*provider.key_env, *([provider.url_env] if provider.url_env else [])]
    found += [service.api_key_env for service in custom.values() if service.api_key_env]
    return tuple(found)


def ollama_url(host: str | None) -> str:
    """``OLLAMA_HOST`` in any of the forms Ollama takes, as a URL without a path."""
    text = (host or OLLAMA_ADDRESS).rstrip("/")
    scheme, separator, rest = text.rpartition("://")
    address, _, port = rest.partition(":")
    address = "127.0.0.1" if address in ("", "0.0.0.0") else address
    return f"{scheme if separator else 'http'}://{address}:{port or '11434'}"


class Directory:
    """All providers of this process with their connections, made once from settings and environment.

    ``ollama_models`` are the models an Ollama on its port listed, None when none answered.
    """

    def __init__(
        self, env: Mapping[str, str], custom: Mapping[str, OpenAICompatible], ollama_models: tuple[str, ...] | None
    ) -> None:
        self.env = env
        self.providers = {provider.name: provider for provider in BUILT_IN}
        self.listed = tuple(f"ollama/{name}" for name in ollama_models or ())
        """The ids of the models Ollama listed."""
        self.providers["ollama"] = Provider(
            name="ollama",
            title="Ollama",
            family="ollama",
            key_env=OLLAMA.key_env,
            base_url=f"{ollama_url(env.get(OLLAMA_HOST))}/v1",
            default_model=next(iter(self.listed), None),
            needs_key=False,
        )
        for name, service in custom.items():
            keys = (service.api_key_env,) if service.api_key_env else ()
            self.providers[name] = Provider(
                name=name, title=name, family="openai", key_env=keys, base_url=service.base_url, needs_key=bool(keys)
            )
        self.connections = {
            name: connection
            for name, provider in self.providers.items()
            if (connection := self._connect(provider, ollama_models is not None))
        }
        self.proxy = self._proxy()
        self.offline = self.proxy is None and not self.connections

    def _connect(self, provider: Provider, ollama_answers: bool) -> Connection | None:
        env = self.env
        key = next((env[name] for name in provider.key_env if name in env), None)
        custom_url = env.get(provider.url_env) if provider.url_env else None
        base_url = custom_url or provider.base_url
        if provider.name == "gloo" and key is None:
            return self._gloo(provider, base_url)
        if provider.name == "ollama" and not ollama_answers:
            return None
        if provider.needs_key and key is None and not (provider.name == "openai" and custom_url):
            return None
        return Connection(provider=provider, base_url=base_url, key=key, secrets=(key,) if key else ())

    def _gloo(self, provider: Provider, base_url: str | None) -> Connection | None:
        client, secret = self.env.get("GLOO_CLIENT_ID"), self.env.get("GLOO_CLIENT_SECRET")
        if not (client and secret):
            return None
        token_url = self.env.get("GLOO_TOKEN_URL", "https://platform.ai.gloo.com/oauth2/token")
        return Connection(provider, base_url, secrets=(secret,), client=(client, secret, token_url))

    def _proxy(self) -> Connection | None:
        url = self.env.get(PROXY_URL)
        if not url:
            return None
        key = self.env.get(PROXY_KEY)
        provider = Provider(name="proxy", title="LLM proxy", family="openai", key_env=(PROXY_KEY,), base_url=url)
        return Connection(provider=provider, base_url=url, key=key, secrets=(key,) if key else ())

    def route(self, model: str) -> Route:
        """Where ``model`` goes. Raises UnknownModel saying what to set."""
        if self.offline or model.startswith("offline/"):
            return Route(id=OFFLINE_MODEL, model="retinue", connection=Connection(OFFLINE))
        if self.proxy:
            return Route(id=model, model=model, connection=self.proxy)
        provider, name = self._owner(model)
        connection = self.connections.get(provider.name)
        if connection is None:
            raise errors.UnknownModel(f"{model} needs {provider.title}, which is not configured. {missing(provider)}")
        if not name:
            raise errors.UnknownModel(f"{model!r} names a provider but no model, as in {provider.name}/name.")
        return Route(id=f"{provider.name}/{name}", model=name, connection=connection)

    def _owner(self, model: str) -> tuple[Provider, str]:
        prefix, separator, name = model.partition("/")
        if separator and prefix in self.providers:
            return self.providers[prefix], name
        for provider in self.providers.values():
            if provider.bare and not separator and re.match(provider.bare, model):
                return provider, model
        known = ", ".join(f"{name}/" for name in self.providers)
        raise errors.UnknownModel(
            f"No provider is known for the model {model!r}. Model ids begin with one of {known} (or claude, gpt, "
            "o1 to o9, gemini). Name another OpenAI-compatible service in RETINUE_OPENAI_COMPATIBLE, "
            "or set LLM_PROXY_BASE_URL to send every model through a proxy."
        )

    def shipped_default(self) -> str:
        """The model when nobody chose one: the shipped default where it can be reached, else the first that can be."""
        if self.offline:
            return OFFLINE_MODEL
        if self.proxy or "anthropic" in self.connections:
            return agents.DEFAULT_MODEL
        usable = (connection.provider.default_model for connection in self.connections.values())
        return next((model for model in usable if model), agents.DEFAULT_MODEL)


def missing(provider: Provider) -> str:
    """What to set so that a provider is configured."""
    if provider.name == "ollama":
        return "Start Ollama, or set OLLAMA_HOST to where it listens, then restart Retinue."
    if provider.name == "gloo":
        return "Set GLOO_API_KEY, or GLOO_CLIENT_ID and GLOO_CLIENT_SECRET."
    return f"Set {' or '.join(provider.key_env)}."

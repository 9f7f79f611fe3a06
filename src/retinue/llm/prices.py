"""What a response costs, from the public price list of genai-prices. An unknown price is None, never zero."""

from decimal import Decimal

import genai_prices
from genai_prices.types import AbstractUsage

from retinue.domain import money
from retinue.llm.providers import Route

KNOWN_PREFIXES = {"anthropic": "anthropic", "openai": "openai", "google": "google", "mistral": "mistral"}


def cost_micro(usage: AbstractUsage, route: Route, reported: str | None) -> int | None:
    """The price in millionths of a US dollar, rounded up; None when the list does not know the model.

    ``reported`` is the model name in the response, often a dated version of the one asked for. A model that Ollama
    runs on its own machine costs nothing per token; its cloud models are not on the list.
    """
    if route.provider.name == "ollama":
        return None if route.model.endswith("cloud") else 0
    for provider, model in _candidates(route, reported):
        price = _price(usage, provider, model)
        if price is not None:
            return money.micro(price)
    return None


def worst_micro(route: Route, input_tokens: int, output_tokens: int) -> int | None:
    """What a request of so many tokens with the longest answer costs; None when the price is unknown."""
    return cost_micro(genai_prices.Usage(input_tokens=input_tokens, output_tokens=output_tokens), route, None)


def _candidates(route: Route, reported: str | None) -> list[tuple[str | None, str]]:
    """(price list's provider, model) pairs to try. A proxy's and an aggregator's ids name the maker in their prefix."""
    found: list[tuple[str | None, str]] = []
    for model in dict.fromkeys(name for name in (reported, route.model) if name):
        if route.provider.price_as:
            found.append((route.provider.price_as, model))
        prefix, separator, bare = model.partition("/")
        if route.provider.name == "proxy" and (not separator or prefix in KNOWN_PREFIXES):
            found.append((KNOWN_PREFIXES.get(prefix) if separator else None, bare if separator else model))
    return found


def _price(usage: AbstractUsage, provider: str | None, model: str) -> Decimal | None:
    try:
        return genai_prices.calc_price(usage, model, provider_id=provider).total_price
    except (LookupError, ValueError):
        return None

"""What the agent itself can do (TOOL-23)."""

from typing import Annotated

from pydantic import Field

from retinue.domain.agents import TrustLevel
from retinue.domain.base import Value
from retinue.domain.tools import Effect, ToolSpec
from retinue.tools.registry import Context, tool


class Ability(Value):
    """One tool, in words."""

    tool: str
    name: str
    description: str
    needs_approval: bool = False


@tool(effect=Effect.READ, trust=TrustLevel.READ)
async def search_tools(ctx: Context, query: Annotated[str, Field(max_length=200)] = "") -> list[Ability]:
    """List what you can do. Use it when someone asks what you can do or help with.

    Args:
        query: Only abilities that have to do with these words; empty lists all.
    """
    words = query.lower().split()
    ranked = [(_score(spec, words), spec) for spec in ctx.tools]
    chosen = [(score, spec) for score, spec in ranked if score or not words]
    return [
        Ability(tool=spec.slug, name=spec.name, description=spec.description, needs_approval=spec.requires_approval)
        for _, spec in sorted(chosen, key=lambda pair: -pair[0])
    ]


def _score(spec: ToolSpec, words: list[str]) -> int:
    """How many of the words occur in the tool's name or description."""
    text = f"{spec.slug} {spec.name} {spec.description}".lower()
    return sum(word in text for word in words)

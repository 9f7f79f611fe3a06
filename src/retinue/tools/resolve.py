"""The tool set of one turn: one flat list from all kinds of sources, in one order (TOOL-12..15).

Not a permission check: the gate decides at each call whether the agent may make it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from retinue.domain import aliases, tools
from retinue.domain.agents import AgentConfig
from retinue.domain.tools import Collision, ToolKind, ToolSpec
from retinue.tools.registry import Registry, Tool

ORDER = tuple(ToolKind)
"""internal, external, mcp, agent."""


class Source(Protocol):
    """Where tools of one kind come from."""

    @property
    def kind(self) -> ToolKind: ...

    async def tools(self, account_id: UUID, config: AgentConfig, wanted: Sequence[str]) -> Sequence[Tool]:
        """The tools it has for this agent. ``wanted`` are the canonical slugs of the agent's own list."""
        ...


@dataclass(frozen=True, slots=True)
class Internal:
    """Tools of code."""

    registry: Registry
    kind: ToolKind = ToolKind.INTERNAL

    async def tools(self, account_id: UUID, config: AgentConfig, wanted: Sequence[str]) -> Sequence[Tool]:
        return [found for slug in wanted if (found := self.registry.get(slug))]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What an agent has in this turn."""

    tools: dict[str, Tool] = field(default_factory=dict[str, Tool])
    """By canonical slug, in the order of resolution."""
    collisions: tuple[Collision, ...] = ()
    unknown: tuple[str, ...] = ()
    """Names in the agent's list that no source knows."""

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What the model sees: a flat list."""
        return tuple(one.spec for one in self.tools.values())

    def get(self, name: str) -> Tool | None:
        """The agent's tool of any spelling of a name."""
        return self.tools.get(aliases.canonical(name))


async def resolve_agent_tools(
    account_id: UUID, config: AgentConfig, sources: Iterable[Source], *, report: bool = True
) -> Resolved:
    """The turn's tools. Disabled rows are out, first wins, what lost is reported.

    With ``report`` false a source is asked only for names not yet found, so that an agent with internal tools alone
    costs no query; collisions are then not looked for.
    """
    configs, disabled = _rows(config)
    taken: dict[str, Tool] = {}
    collisions: list[Collision] = []
    for source in sorted(sources, key=lambda one: ORDER.index(one.kind)):
        wanted = [slug for slug in configs if report or slug not in taken]
        for one in await source.tools(account_id, config, wanted):
            slug = one.spec.slug
            if slug in disabled:
                continue
            if slug in taken:
                collisions.append(Collision(slug=slug, winner=taken[slug].spec.kind, loser=one.spec.kind))
                continue
            taken[slug] = one.narrowed(tools.narrow(one.spec, configs.get(slug, {})))
    unknown = tuple(slug for slug in configs if slug not in taken)
    return Resolved(taken, tuple(collisions), unknown)


def _rows(config: AgentConfig) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """The agent's list by slug with each tool's configuration, and the slugs switched off, which no source revives."""
    disabled = {slug for row in config.tools if not row.enabled for slug in aliases.expand(row.tool)}
    configs: dict[str, dict[str, Any]] = {}
    for row in config.tools:
        for slug in aliases.expand(row.tool):
            if slug not in disabled:
                configs.setdefault(slug, row.config)
    return configs, disabled

"""A turn's tool set: one order, first wins, what lost is reported, disabled rows are out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import ids, tools
from retinue.domain.agents import AgentConfig, AgentTool
from retinue.domain.tools import Effect, ToolKind, ToolSpec
from retinue.tools.registry import Context, Registry, Tool, wrap
from retinue.tools.resolve import Internal, Resolved, resolve_agent_tools

ACCOUNT = ids.new()


def make(slug: str, kind: ToolKind, **changes: Any) -> Tool:
    async def run(spec: ToolSpec, ctx: Context, arguments: dict[str, Any]) -> Any:
        return kind.value

    return wrap(
        ToolSpec(
            **(
                {
                    "slug": slug,
                    "kind": kind,
                    "name": slug,
                    "description": slug,
                    "effect": Effect.READ,
                    "parameters": {"type": "object"},
                }
                | changes
            )
        ),
        run,
    )


@dataclass
class Fixed:
    """A source with these tools. ``own``: it gives all of them, asked for or not, as delegation does."""

    kind: ToolKind
    slugs: Sequence[str]
    own: bool = False
    asked: list[list[str]] = field(default_factory=list[list[str]])

    async def tools(self, account_id: UUID, config: AgentConfig, wanted: Sequence[str]) -> Sequence[Tool]:
        self.asked.append(list(wanted))
        return [make(slug, self.kind) for slug in self.slugs if self.own or slug in wanted]


def config(*rows: AgentTool | str) -> AgentConfig:
    listed = tuple(AgentTool(tool=row) if isinstance(row, str) else row for row in rows)
    return AgentConfig.model_construct(tools=listed, delegation_set=())


async def resolve(wanted: AgentConfig, *sources: Any, **options: Any) -> Resolved:
    return await resolve_agent_tools(ACCOUNT, wanted, sources, **options)


@pytest.mark.requirement("TOOL-12", "TOOL-13", "TOOL-14", "TOOL-15", "CON-47")
async def test_tools_come_in_one_order_whatever_the_order_of_the_sources() -> None:
    sources = [
        Fixed(ToolKind.AGENT, ["a", "b", "c", "d"], own=True),
        Fixed(ToolKind.MCP, ["a", "b", "c"]),
        Fixed(ToolKind.EXTERNAL, ["a", "b"]),
        Fixed(ToolKind.INTERNAL, ["a"]),
    ]
    found = await resolve(config("c", "b", "a"), *sources)
    assert [(spec.slug, spec.kind.value) for spec in found.specs] == [
        ("a", "internal"),
        ("b", "external"),
        ("c", "mcp"),
        ("d", "agent"),
    ]
    assert sorted((c.slug, c.winner, c.loser) for c in found.collisions) == [
        ("a", "internal", "agent"),
        ("a", "internal", "external"),
        ("a", "internal", "mcp"),
        ("b", "external", "agent"),
        ("b", "external", "mcp"),
        ("c", "mcp", "agent"),
    ]


@given(st.lists(st.tuples(st.sampled_from(ToolKind), st.sampled_from("abcd")), unique=True, max_size=12), st.randoms())
async def test_resolution_is_deterministic_and_first_wins(pairs: list[tuple[ToolKind, str]], random: Any) -> None:
    sources = [Fixed(kind, [slug for k, slug in pairs if k is kind]) for kind in ToolKind]
    shuffled = sorted(sources, key=lambda _: random.random())
    first, second = [await resolve(config(*"abcd"), *each) for each in (sources, shuffled)]
    assert first.specs == second.specs and first.collisions == second.collisions
    for spec in first.specs:
        assert spec.kind == min((k for k, slug in pairs if slug == spec.slug), key=list(ToolKind).index)
    assert len(first.specs) + len(first.collisions) == len(pairs)


@pytest.mark.requirement("TOOL-11")
async def test_a_disabled_row_removes_the_tool_from_every_source_and_spelling() -> None:
    rows = config("web_search", AgentTool(tool="searchWeb", enabled=False), AgentTool(tool="scout", enabled=False), "a")
    found = await resolve(
        rows, Fixed(ToolKind.INTERNAL, ["a", "web_search"]), Fixed(ToolKind.AGENT, ["scout"], own=True)
    )
    assert [spec.slug for spec in found.specs] == ["a"]
    assert found.unknown == ()


async def test_names_that_no_source_knows_are_reported_and_not_fatal() -> None:
    found = await resolve(config("a", "getNothing", "calendar_api"), Fixed(ToolKind.INTERNAL, ["a", "create_event"]))
    assert [spec.slug for spec in found.specs] == ["a", "create_event"]
    assert found.unknown == ("get_nothing", "get_events", "find_free_time")


async def test_an_agent_has_a_tool_under_every_spelling_and_only_its_own() -> None:
    registry = Registry([make("current_time", ToolKind.INTERNAL), make("web_search", ToolKind.INTERNAL)])
    found = await resolve(config("getCurrentTime"), Internal(registry))
    assert found.get("current_time") is found.get("getCurrentTime") is not None
    assert found.get("web_search") is None


async def test_later_sources_are_spared_when_no_report_is_wanted() -> None:
    external = Fixed(ToolKind.EXTERNAL, ["a", "b"])
    found = await resolve(config("a", "b"), Fixed(ToolKind.INTERNAL, ["a"]), external, report=False)
    assert [(spec.slug, spec.kind.value) for spec in found.specs] == [("a", "internal"), ("b", "external")]
    assert external.asked == [["b"]]


CONFIGS = st.fixed_dictionaries({}, optional={
    "requires_approval": st.booleans() | st.text(max_size=2),
    "max_calls_per_interaction": st.integers(-2, 9) | st.none() | st.text(max_size=2),
    "timeout_seconds": st.floats(allow_nan=False) | st.integers(-1, 99) | st.booleans() | st.none(),
})  # fmt: skip


@given(st.booleans(), st.none() | st.integers(1, 9), st.floats(0.1, 600), CONFIGS)
@pytest.mark.requirement("TOOL-17")
def test_an_agents_own_configuration_can_only_tighten(
    approval: bool, calls: int | None, seconds: float, written: dict[str, Any]
) -> None:
    before = make(
        "a", ToolKind.INTERNAL, requires_approval=approval, max_calls_per_interaction=calls, timeout_seconds=seconds
    ).spec
    after = tools.narrow(before, written)
    assert after.requires_approval or not before.requires_approval
    assert after.timeout_seconds <= before.timeout_seconds
    if calls is not None:
        assert after.max_calls_per_interaction is not None and after.max_calls_per_interaction <= calls
    kept = {"requires_approval", "max_calls_per_interaction", "timeout_seconds"}
    assert after.model_dump(exclude=kept) == before.model_dump(exclude=kept)


async def test_the_narrowed_spec_is_the_one_the_turn_sees() -> None:
    row = AgentTool(tool="a", config={"requires_approval": True, "max_calls_per_interaction": 1, "timeout_seconds": 2})
    (spec,) = (await resolve(config(row), Fixed(ToolKind.INTERNAL, ["a"]))).specs
    assert (spec.requires_approval, spec.max_calls_per_interaction, spec.timeout_seconds) == (True, 1, 2)

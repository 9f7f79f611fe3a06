"""Nothing but the gate runs a tool: the key is one, it is asked for in one place, and used in one place."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from retinue import errors
from retinue.domain.tools import Effect
from retinue.tools import registry
from retinue.tools.registry import Context, GateKey, Registry, Tool

SRC = Path(__file__).resolve().parents[2] / "src" / "retinue"
TOOLS = [cast(Tool, Registry.load().get(spec.slug)) for spec in Registry.load().specs()]
NOWHERE = cast(Context, None)
"""A refused call never looks at its context."""


def uses(name: str) -> Iterator[str]:
    """The files that say ``name`` as a bare name or as an attribute."""
    for path in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (isinstance(node, ast.Attribute) and node.attr == name) or (
                isinstance(node, ast.Name) and node.id == name
            ):
                yield path.relative_to(SRC).as_posix()


@pytest.mark.requirement("TOOL-17", "TOOL-18")
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.spec.slug)
@pytest.mark.parametrize("key", [None, object(), GateKey()], ids=["no key", "another object", "a forged key"])
async def test_no_registered_tool_runs_without_the_gates_key(tool: Tool, key: Any) -> None:
    with pytest.raises(errors.Forbidden):
        await tool.run(key, NOWHERE, {})


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.spec.slug)
def test_every_registered_tool_declares_its_effect(tool: Tool) -> None:
    assert isinstance(tool.spec.effect, Effect)


def test_there_are_tools_to_guard() -> None:
    assert len(TOOLS) >= 4


def test_a_tool_that_declares_no_effect_does_not_import() -> None:
    async def shout(ctx: Context, words: str) -> str:
        """Shout."""
        return words.upper()

    with pytest.raises(TypeError, match="effect"):
        registry.tool()(shout)


def test_the_body_of_a_tool_is_no_attribute_of_it() -> None:
    for tool in TOOLS:
        reachable = [getattr(tool, name) for name in tool.__slots__ if name != "spec"]
        assert not [one for one in reachable if getattr(one, "__name__", "") in ("body", "run", "runner")]


def test_only_the_gate_uses_the_key_and_only_the_composition_root_asks_for_it() -> None:
    assert set(uses("gate_key")) <= {"turn/gate.py", "turn/engine.py", "app.py"}
    assert set(uses("_KEY")) == {"tools/registry.py"}


def test_only_the_gate_runs_a_tool() -> None:
    running = [
        path.relative_to(SRC).as_posix()
        for path in SRC.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and node.args and "gate_key" in ast.unparse(node.args[0])
    ]
    assert set(running) == {"turn/gate.py"}

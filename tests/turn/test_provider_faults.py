"""Provider faults through the whole engine: real provider clients, over HTTP, against the scripted server.

Each ends in a good reply or in a failure that says what happened.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from retinue import settings
from retinue.domain.tools import Effect
from retinue.domain.turns import Interaction
from retinue.llm.models import Models
from retinue.testing import scripts
from retinue.testing.models import ScriptedModels
from retinue.tools.registry import Context, tool
from tests.turn.conftest import Lab, node


@tool(effect=Effect.READ)
async def look(ctx: Context, word: str) -> str:
    """Look at something.

    Args:
        word: what to look at
    """
    return f"saw {word}"


@asynccontextmanager
async def provided(lab: Lab, dialect: str, *steps: dict[str, Any]) -> AsyncIterator[ScriptedModels]:
    """A node whose models are real clients of this script."""
    model = {"openai": "openai/gpt-4o", "anthropic": "anthropic/claude-sonnet-4-5"}[dialect]
    await lab.configure("update agent set model = $2 where account_id = $1", model)
    await lab.give("look")
    async with ScriptedModels(scripts.Script.model_validate({"steps": list(steps), "default": "Fine."})) as server:
        models = Models(settings.load(), env=server.env())
        lab.models = models  # type: ignore[assignment]
        async with node(lab, [look]):
            yield server
        await models.close()


async def turn(lab: Lab, dialect: str, *steps: dict[str, Any]) -> tuple[Interaction, list[str]]:
    async with provided(lab, dialect, *steps):
        ended = await lab.ask("hello", seconds=30)
    return ended, await lab.replies()


BOTH = pytest.mark.parametrize("dialect", ["openai", "anthropic"])


@BOTH
@pytest.mark.requirement("DUR-05", "PRN-08")
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_limit", "retry_after": 0.2},
        {"kind": "server_error"},
        {"kind": "overloaded"},
        {"kind": "cut"},
        {"kind": "garbage"},
    ],
    ids=lambda fault: fault["kind"],
)
async def test_what_passes_is_tried_again_unseen(lab: Lab, dialect: str, fault: dict[str, Any]) -> None:
    steps = {"fault": fault, "text": "Half of an ans"} if fault["kind"] == "cut" else {"fault": fault}
    ended, replies = await turn(lab, dialect, steps)
    assert (ended.state, ended.retries, replies) == ("succeeded", 1, ["Fine."])


@BOTH
@pytest.mark.parametrize("kind", ["bad_key", "unknown_model", "bad_request"])
async def test_what_stays_is_said_and_not_tried_again(lab: Lab, dialect: str, kind: str) -> None:
    ended, replies = await turn(lab, dialect, {"fault": {"kind": kind}})
    assert (ended.state, ended.retries, replies) == ("failed", 0, [])
    assert ended.error
    assert ended.error_detail
    assert "sk-" not in ended.error_detail


@BOTH
async def test_a_context_that_is_too_long_is_shortened_or_said(lab: Lab, dialect: str) -> None:
    fault = {"fault": {"kind": "context_too_long"}}
    ended, _ = await turn(lab, dialect, fault)
    assert (ended.state, ended.error) == ("failed", "context_too_long")


@BOTH
@pytest.mark.requirement("TOOL-03", "TOOL-19")
async def test_malformed_arguments_and_unknown_tools_become_results_that_the_model_mends(
    lab: Lab, dialect: str
) -> None:
    ended, replies = await turn(
        lab, dialect,
        {"calls": [{"tool": "look", "raw": '{"word": '}, {"tool": "no_such_tool", "arguments": {}}]},
        {"match": {"after_result": True}, "calls": [{"tool": "look", "arguments": {"word": "tree"}}]},
        {"match": {"after_result": True}, "text": "I saw it."},
    )  # fmt: skip
    assert (ended.state, replies) == ("succeeded", ["I saw it."])
    acts = [(step.tool, step.error) for step in await lab.steps(ended.id) if step.kind == "act"]
    assert acts == [("look", "invalid_arguments"), ("no_such_tool", "unknown_tool"), ("look", None)]


@BOTH
async def test_an_empty_reply_is_tried_again(lab: Lab, dialect: str) -> None:
    ended, replies = await turn(lab, dialect, {"text": ""})
    assert (ended.state, ended.retries, replies) == ("succeeded", 1, ["Fine."])

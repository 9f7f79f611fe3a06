"""An agent with a budget of two dollars for a turn stops before it passes them: through HTTP, with a node that runs
(002 §5.1, §21.3)."""

from typing import Any

import httpx
import pytest

from retinue.api.deps import AppState
from retinue.domain.models import ModelReply
from retinue.domain.tools import Effect
from retinue.tools.registry import Context, Registry, tool
from tests.api.conftest import World
from tests.turn.conftest import Lab, call, calls, node

DEAR = 700_000
"""What a call of the model costs, in millionths of a dollar; at most 900,000 have to be reserved for it."""


@tool(effect=Effect.READ)
async def read_chapter(ctx: Context, number: int) -> str:
    """Read a chapter.

    Args:
        number: which
    """
    return f"chapter {number}"


def dear(reply: ModelReply) -> ModelReply:
    return reply.model_copy(update={"cost_micro": DEAR})


@pytest.mark.requirement("SCN-15", "COST-07", "COST-08", "COST-19")
async def test_a_turn_with_two_dollars_stops_before_it_passes_them_and_says_what_was_done(
    state: AppState, world: World, client: httpx.AsyncClient
) -> None:
    state.registry = Registry((read_chapter,))
    lab = Lab(db=state.db, world=world.made)
    lab.models.worst = 900_000
    lab.models.script = [
        dear(calls(call("read_chapter", number=number), text=f"I have read up to chapter {number}."))
        for number in (1, 2, 3)
    ]
    body = {
        "name": "Emily",
        "limits": {"max_cost_micro": 2_000_000},
        "tools": [{"tool": "read_chapter"}],
        "default_trigger_mode": "proactive",
    }
    agent = (await client.post("/v1/agents", json=body)).json()["id"]
    new: dict[str, Any] = {"kind": "private", "name": "Emily", "members": [{"agent_id": agent}]}
    channel = (await client.post("/v1/channels", json=new)).json()["id"]
    async with node(lab, (read_chapter,)):
        state.hub = lab.hub
        posted = await client.post(
            f"/v1/channels/{channel}/messages", json={"content": "@emily Read the book."}, headers={"prefer": "wait=20"}
        )
        [reply] = posted.json()["replies"]
    assert "I have read up to chapter 2.\n\nI stopped here: This could cost 0.9 USD" in reply["content"]
    assert len(lab.models.requests) == 2
    turn = (await client.get(f"/v1/interactions/{reply['interaction_id']}")).json()
    assert (turn["state"], turn["stop_reason"]) == ("succeeded", "budget_exceeded")
    assert turn["cost"]["amount_micro"] == 2 * DEAR < 2_000_000
    [denied] = [step for step in turn["steps"] if step["error"] == "budget_exceeded"]
    assert denied["policy"]["verdict"] == "deny"
    lines = (await client.get("/v1/audit", params={"event": "policy.denied"})).json()["data"]
    assert [line["detail"]["reason"] for line in lines] == ["budget_exceeded"]

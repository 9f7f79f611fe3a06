"""How much one node does at once: as much as its setting says, and no less while there is more to do."""

import asyncio

import pytest

from retinue.domain.models import ModelRequest
from tests.turn.conftest import Lab, node


@pytest.mark.parametrize("limit", [2, 3])
async def test_a_node_works_on_no_more_turns_at_once_than_it_may_and_then_on_the_rest(lab: Lab, limit: int) -> None:
    at_once = asyncio.Semaphore(0)
    working = most = 0

    async def answer(_: ModelRequest) -> str:
        nonlocal working, most
        working += 1
        most = max(most, working)
        await at_once.acquire()
        working -= 1
        return "done"

    lab.models.script = [answer] * 7
    rooms = [
        f"insert into channel (account_id, id, kind, name) values ($1, '{place}', 'group', 'Room')" for place in PLACES
    ]
    for place, room in zip(PLACES, rooms, strict=True):
        await lab.configure(room)
        for party, column, mode in (
            (lab.world.owner.id, "user_id", None),
            (lab.world.agent.id, "agent_id", "proactive"),
        ):
            await lab.configure(
                f"insert into channel_member (account_id, channel_id, party_id, {column}, trigger_mode) "
                "values ($1, $2, $3, $3, $4)",
                place, party, mode,
            )  # fmt: skip
    turns = [(await lab.post(channel=place)).interactions[0].id for place in PLACES]  # type: ignore[arg-type]
    async with node(lab, concurrency=limit):
        async with asyncio.timeout(10):
            while working < limit:
                await asyncio.sleep(0)
        for _ in turns:
            at_once.release()
        for turn in turns:
            assert (await lab.until(turn)).state == "succeeded"
    assert most == limit


PLACES = [f"00000000-0000-7000-8000-00000000000{number}" for number in range(7)]

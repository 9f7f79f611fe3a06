"""What a node does with turns that reach it while it leaves, and with turns that come back very often. In process."""

from retinue import settings as all_settings
from retinue.domain.models import ModelReply, ModelRequest
from retinue.store import turns
from retinue.tools import egress
from retinue.tools.registry import Registry
from retinue.tools.resolve import Internal
from retinue.turn import loop
from retinue.turn.engine import Engine
from tests.turn.conftest import KEY, Lab, call, calls, lab, node  # noqa: F401
from tests.turn.test_tools_in_turns import send_once


def bare(lab: Lab) -> Engine:  # noqa: F811
    """An engine without a worker."""
    return Engine(
        db=lab.db,
        models=lab.models,  # type: ignore[arg-type]
        sources=[Internal(Registry(()))],
        egress=egress.Client(),
        settings=all_settings.load(),
        gate_key=KEY,
    )


async def test_a_turn_that_reaches_a_leaving_node_is_handed_over_untouched(lab: Lab) -> None:  # noqa: F811
    turn = await lab.say("hello")
    engine = bare(lab)
    engine.drain()
    job = (await lab.fetch("select job_id from interaction where account_id = $1"))[0]["job_id"]
    await loop.run(engine, lab.account, turn, job)
    seen = (await lab.rows(turn))[0]
    assert (seen.state, seen.attempt, lab.models.requests) == ("queued", 1, [])
    async with node(lab):
        assert (await lab.until(turn)).state == "succeeded"
    assert await lab.replies() == ["done"]


async def test_a_turn_that_waits_for_people_thirty_times_is_not_taken_for_a_poisonous_one(lab: Lab) -> None:  # noqa: F811
    await lab.give("send_once")
    await lab.configure("update agent set limits = limits || '{\"max_steps\": 100}' where account_id = $1")

    async def once_more(request: ModelRequest) -> ModelReply:
        return calls(call("send_once", to="nowhere"))

    lab.models.script = [once_more] * 30
    async with node(lab, (send_once,)):
        turn = await lab.say("hello")
        for _ in range(30):
            await lab.until(turn, "waiting", "failed")
            wait = next(one for one in (await lab.rows(turn))[2] if one.state == "open")
            await turns.resolve_wait(lab.db, lab.account, wait.id, lab.world.owner.id, {"happened": True})
        ended = await lab.until(turn)
    assert (ended.state, ended.error) == ("succeeded", None)
    assert ended.attempt == 31
    assert await lab.replies() == ["done"]

"""An approved call runs once, whatever dies before, in and after the approval."""

import asyncio
from uuid import UUID

import pytest

from retinue.domain import ids
from retinue.domain.waits import Wait, WaitKind, WaitState
from retinue.store import turns
from retinue.testing.models import ScriptedModels
from tests.crash import site as places
from tests.crash.site import Site, check, until

RULE = {"type": "approval", "scope": {"tools": ["send_keyed", "note"]}, "ask": {"panels": [{"role": "admin"}]}}
WRITE = "insert into policy (account_id, id, layer, name, type, rule) values ($1, $2, 'account', 'Ask', 'approval', $3)"


async def asked(site: Site, turn: UUID) -> list[Wait]:
    """The open requests for approval of a turn that has come to rest."""

    async def waiting() -> bool:
        return (await site.journal(turn))[0].state == "waiting"

    await until(waiting, "the turn to wait")
    waits = (await site.journal(turn))[2]
    return [wait for wait in waits if wait.kind is WaitKind.APPROVAL and wait.state is WaitState.OPEN]


async def approve(site: Site, wait: Wait) -> None:
    said = {"decision": "approve", "arguments_hash": wait.arguments_hash}
    await turns.resolve_wait(site.db, site.account, wait.id, site.world.owner.id, said)


@pytest.mark.requirement("GOV-15", "DUR-12", "DUR-16")
async def test_an_approved_call_runs_once_whatever_dies_around_it(site: Site) -> None:
    site.models = ScriptedModels(places.canonical("asked"))
    site.models.start()
    async with site.db.tenant_tx(site.account) as tx:
        await tx.execute(WRITE, site.account, ids.new(), RULE)
    before, after = site.outside.hold("asked", "keyed.before"), site.outside.hold("asked", "note.after")
    channel = site.world.private_channel.id
    turn = await site.say(channel, "Please go to asked")

    first = await site.node()
    waits = await asked(site, turn)
    first.kill()
    second = await site.node()
    assert await asked(site, turn) == waits and len(waits) == 2
    assert site.outside.keys("asked", "keyed") == []

    for wait in waits:
        await approve(site, wait)
    async with asyncio.timeout(20):
        await before.reached.wait()
        await after.reached.wait()
    second.kill()
    before.release.set()
    after.release.set()
    await site.node()
    assert await site.ended([turn]) == {"succeeded": 1}
    assert await check(site, "asked", channel, turn) == []
    assert len((await site.journal(turn))[2]) == 2
    with pytest.raises(Exception, match="answered or withdrawn"):
        await approve(site, waits[0])

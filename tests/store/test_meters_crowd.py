"""Sixty-four callers on eight processes against one budget, while processes are killed."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.meters import Demand
from retinue.store import meters
from tests.servers import SOURCE
from tests.store.conftest import Office
from tests.store.spender import WORST
from tests.store.spending import Books, budget

ROOT = Path(__file__).resolve().parents[2]
PROCESSES, CALLERS = 8, 8
CAP, NARROW = 300 * WORST, 120 * WORST
KILLS = 4
STANDS = "select policy_id, subject, cap, spent, reserved from meter where account_id = $1"
COST = "select coalesce(sum(cost_micro), 0)::bigint from step where account_id = $1 and state = 'success'"


@pytest.mark.timeout(300)
@pytest.mark.requirement("COST-11", "COST-08")
async def test_sixty_four_callers_on_eight_processes_never_pass_a_budget_whoever_is_killed(
    db: Database, database_url: str, office: Office, tmp_path: Path
) -> None:
    """Costs the start of twelve processes and some seconds of their calls."""
    books = Books(db, office.account_id)
    wide = budget(CAP, 1)
    limits = [wide, *(budget(NARROW, 1, policy=ids.new()) for _ in range(3))]
    seeds = iter(range(1000))

    def start() -> "subprocess.Popen[bytes]":
        spelt = [f"{one.policy_id}:{one.subject}:{one.cap}" for one in limits]
        arguments = [database_url, str(office.account_id), str(next(seeds)), str(CALLERS), *spelt]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (SOURCE, ROOT)))}
        with (tmp_path / "words").open("ab") as words:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.store.spender", *arguments], env=env, cwd=ROOT, stderr=words
            )

    processes = [start() for _ in range(PROCESSES)]
    seen: list[int] = []
    try:
        watching = asyncio.create_task(watch(db, office.account_id, seen))
        chance = random.Random(4)
        for share in range(1, KILLS + 1):
            await spent_at_least(books, wide, CAP * share // (KILLS + 4))
            victim = chance.randrange(PROCESSES)
            processes[victim].send_signal(signal.SIGKILL)
            processes[victim].wait()
            processes[victim] = start()
        await spent_at_least(books, wide, CAP - PROCESSES * CALLERS * WORST)
        await until_used_up(books, wide, limits[1:])
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert not (tmp_path / "words").read_text()
    assert len(seen) > 50, "the watch has seen too little"

    async with db.tenant_tx(office.account_id) as tx:
        await tx.execute("update interaction set attempt = attempt + 1 where account_id = $1", office.account_id)
        held = await tx.fetchval("select count(*) from reservation where account_id = $1", office.account_id)
    swept = await meters.sweep(db, 0)
    assert swept.settled + swept.released == held
    assert (await books.meter(wide))["reserved"] == 0
    async with db.tenant_tx(office.account_id) as tx:
        assert not await tx.fetchval(
            "select count(*) from meter where account_id = $1 and reserved <> 0", office.account_id
        )
        cost = await tx.fetchval(COST, office.account_id)
    assert (await books.meter(wide))["spent"] == cost <= CAP, "each step that was recorded is spent, once"
    others = [(await books.meter(one))["spent"] for one in limits[1:]]
    assert sum(others) == cost
    assert max(others) <= NARROW


async def watch(db: Database, account_id: UUID, seen: list[int]) -> None:
    """Look at every meter, as often as it goes: no look may find one past its limit."""
    while True:
        async with db.tenant_tx(account_id) as tx:
            for row in await tx.fetch(STANDS, account_id):
                assert row["reserved"] >= 0
                assert row["spent"] + row["reserved"] <= row["cap"], dict(row)
                seen.append(row["spent"])
        await asyncio.sleep(0.002)


async def spent_at_least(books: Books, wide: Demand, amount: int) -> None:
    await until(lambda spent, _: spent >= amount, books, wide, f"{amount} to be spent")


async def until_used_up(books: Books, wide: Demand, narrow: list[Demand]) -> None:
    """Nothing is left for another call's worst case: of the wide budget, or of all narrow ones."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        left = [one.cap - sum(await books.stand(one)) for one in (wide, *narrow)]
        if left[0] < WORST or max(left[1:]) < WORST:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError("the budget was never used up")


async def until(condition: Callable[[int, int], bool], books: Books, one: Demand, what: str) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if condition(*await books.stand(one)):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError(f"waited in vain for {what}")

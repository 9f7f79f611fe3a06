"""``python -m tests.store.spender URL ACCOUNT SEED CALLERS LIMIT...``: a process that spends until it is killed.

A LIMIT is ``policy:subject:cap``. Each caller does what a turn does: it reserves under two limits (in an order of its
own), calls something that takes a moment, writes the step with what it cost, and settles.
"""

import asyncio
import random
import sys
from uuid import UUID

from retinue.db import migrate, pool
from retinue.db.pool import Database
from retinue.store import meters
from tests.conftest import SECRET
from tests.store.spending import Books, budget

WORST = 1000


async def call(db: Database, books: Books, limits: list[tuple[UUID, UUID, int]], chance: random.Random) -> None:
    """One call, if the limits have enough left for its worst case."""
    turn = await books.turn()
    mine = [limits[0], chance.choice(limits[1:])]
    chance.shuffle(mine)
    demands = [budget(cap, WORST, policy=policy, subject=subject) for policy, subject, cap in mine]
    if not await books.reserve(turn, 1, demands):
        await asyncio.sleep(0.05)
        return
    cost = chance.randrange(WORST + 1)
    await asyncio.sleep(chance.random() * 0.02)
    await books.step(turn, 1, cost)
    await asyncio.sleep(chance.random() * 0.005)
    await meters.settle(db, turn, 1, cost_micro=cost, tokens=0)


async def main(url: str, account: str, seed: str, callers: str, *limits: str) -> None:
    db = await pool.connect(*(migrate.role_url(url, role, SECRET) for role in migrate.ROLES), size=4)
    books = Books(db, UUID(account))
    wanted = [(UUID(policy), UUID(subject), int(cap)) for policy, subject, cap in (one.split(":") for one in limits)]

    async def caller(number: int) -> None:
        chance = random.Random(f"{seed} {number}")
        while True:
            await call(db, books, wanted, chance)

    async with asyncio.TaskGroup() as group:
        for number in range(int(callers)):
            group.create_task(caller(number))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

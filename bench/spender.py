"""``python -m bench.spender URL``: one process of callers for the benchmark ``budget``; see there."""

import asyncio
import json
import os
import random
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import uvloop

from bench import harness
from retinue.db import migrate, pool
from retinue.db.pool import Database
from retinue.domain import meters as limits
from retinue.domain import policy
from retinue.domain.agents import AgentConfig
from retinue.domain.meters import Need, Subjects
from retinue.domain.policy import Book
from retinue.domain.rules import Question
from retinue.store import books, meters, turns
from retinue.store.turns import Fence
from retinue.telemetry import clock
from retinue.turn import spending

TURN = """
insert into interaction (account_id, id, agent_id, thread_id, user_id, state, attempt)
values ($1, new_id(), $2, new_id(), $3, 'running', 1) returning id
"""
STEP = """
insert into step (account_id, interaction_id, seq, kind, state, attempt, cost_micro)
values ($1, $2, $3, 'think', 'success', 1, $4)
"""
MODEL = "anthropic/claude-sonnet-4-5-20250929"


@dataclass
class Callers:
    """What the callers of this process share, and what they measured."""

    db: Database
    order: dict[str, Any]
    book: Book
    config: AgentConfig
    gate_ms: list[float] = field(default_factory=list[float])
    refused_ms: list[float] = field(default_factory=list[float])

    async def caller(self, chance: random.Random) -> None:
        """One turn that calls its model again and again, at the pace of one."""
        account, user, agent = (UUID(self.order[name]) for name in ("account", "user", "agent"))
        async with self.db.tenant_tx(account) as tx:
            turn = await tx.fetchval(TURN, account, agent, user)
        fence = Fence(account_id=account, interaction_id=turn, attempt=1)
        end = time.monotonic() + self.order["seconds"]
        await asyncio.sleep(chance.random() * self.order["pace"])
        seq = 0
        while time.monotonic() < end:
            seq += 1
            await self.call(fence, user, agent, seq, chance)

    async def call(self, fence: Fence, user: UUID, agent: UUID, seq: int, chance: random.Random) -> None:
        """One call of a model, as the engine has it: judge, reserve, call, write the step, settle."""
        worst, pace = self.order["worst"], self.order["pace"] * (0.5 + chance.random())
        begin = time.perf_counter()
        asked = Question(agent_id=agent, user_id=user, at=clock.now(), model=MODEL)
        judged = policy.judge(self.book, self.config, asked)
        assert judged.verdict == "allow", judged
        subjects = Subjects(account_id=fence.account_id, user_id=user, agent_id=agent, chain=(fence.interaction_id,))
        demands = limits.demands(spending.metered(self.book), subjects, Need(cost_micro=worst, tokens=20_000), asked)
        found = await meters.reserve(self.db, fence, seq, demands)
        gate = time.perf_counter() - begin
        if isinstance(found, meters.Refused):
            self.refused_ms.append(gate * 1000)
            await asyncio.sleep(pace)
            return
        await asyncio.sleep(pace)
        cost = chance.randrange(worst + 1)
        async with self.db.tenant_tx(fence.account_id) as tx:
            await tx.execute(STEP, fence.account_id, fence.interaction_id, seq, cost)
        begin = time.perf_counter()
        await meters.settle(self.db, fence, seq, cost_micro=cost, tokens=chance.randrange(20_000))
        self.gate_ms.append((gate + time.perf_counter() - begin) * 1000)


async def work(db: Database, order: dict[str, Any]) -> dict[str, Any]:
    """Run the callers for as long as ordered; what they measured."""
    account = UUID(order["account"])
    async with db.tenant_tx(account) as tx:
        book = await books.book(tx, account, UUID(order["agent"]), UUID(order["user"]), None)
        content = await turns.config(tx, account, order["config_hash"])
    callers = Callers(db, order, book, AgentConfig.model_validate(content))
    async with asyncio.TaskGroup() as group:
        for number in range(order["callers"]):
            group.create_task(callers.caller(random.Random(f"{order['seed']} {number}")))
    return {name: [round(one, 3) for one in getattr(callers, name)] for name in ("gate_ms", "refused_ms")}


async def main(url: str) -> None:
    """Serve orders until standard input ends (``bench.child.Child`` is the other side)."""
    reader = asyncio.StreamReader(limit=2**20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    answers = os.fdopen(os.dup(1), "w")
    db = await pool.connect(*(migrate.role_url(url, role, harness.SECRET) for role in migrate.ROLES), size=4)
    answers.write('{"ready": true}\n')
    answers.flush()
    while line := await reader.readline():
        answers.write(json.dumps(await work(db, json.loads(line))) + "\n")
        answers.flush()
    await db.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))

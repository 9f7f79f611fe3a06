"""A hundred thousand suspended turns: what they cost an idle node, and how fast one goes on once it is answered.

Each is an ``external_once`` call whose outcome is unknown, waiting for a person's word. The rows are written in bulk;
the answers go through Retinue and the turns are ended by it.
"""

import asyncio
import time
from typing import Any
from uuid import UUID

from bench import harness, node, world
from bench.harness import Metric, Report, Server
from retinue.db import migrate, pool
from retinue.db.pool import Database
from retinue.store import turns

NAME = "waiting"
COUNT, QUICK_COUNT = 100_000, 20_000
ANSWERS, QUICK_ANSWERS = 200, 50
WINDOW, QUICK_WINDOW = 30.0, 6.0
CALL = {"id": "00000000-0000-7000-8000-000000000001", "provider_id": "call_1", "tool": "send_invoice",
        "arguments": {"customer": "Ada", "amount": 12}, "malformed": None}  # fmt: skip
SEED = """
with fresh as materialized (select new_id() as thread, new_id() as turn from generate_series(1, $4) n),
threads as (
    insert into thread (account_id, id, agent_id, owner, user_id, last_seq)
    select $1, thread, $3, 'system:assistant:' || thread, $2, 2 from fresh returning id),
turns as (
    insert into interaction (account_id, id, agent_id, thread_id, user_id, state, attempt, config_hash, trigger_seq,
                             read_seq)
    select $1, f.turn, $3, f.thread, $2, 'waiting', 1, a.config_hash, 1, 1
    from fresh f join threads t on t.id = f.thread, agent a where a.account_id = $1 and a.id = $3
    returning id, thread_id),
messages as (
    insert into thread_message (account_id, thread_id, seq, id, role, author, parts, interaction_id, step_seq, text)
    select $1, t.thread_id, m.seq, new_id(), m.role, m.author, m.parts, case m.seq when 2 then t.id end,
           case m.seq when 2 then 1 end, m.text
    from turns t, (values
        (1, 'user', 'Ada', '[{"kind": "text", "text": "Send the invoice."}]'::jsonb, 'Send the invoice.'),
        (2, 'assistant', 'Assistant',
         jsonb_build_array(jsonb_build_object('kind', 'tool-call', 'call', $5::jsonb)), ''))
        as m (seq, role, author, parts, text)),
steps as (
    insert into step (account_id, interaction_id, seq, kind, state, parent_seq, call_index, tool, effect, attempt,
                      input, output)
    select $1, t.id, s.seq, s.kind, s.state, s.parent, s.place, s.tool, s.effect, 1, s.input, s.output
    from turns t, (values
        (1, 'think', 'success', null::int, null::int, null, 'read', '{}'::jsonb, '{"text": "", "calls": 1}'::jsonb),
        (2, 'act', 'unknown', 1, 0, 'send_invoice', 'external_once', $5::jsonb, null))
        as s (seq, kind, state, parent, place, tool, effect, input, output))
insert into wait (account_id, id, kind, interaction_id, step_seq, tool, prompt)
select $1, new_id(), 'outcome', t.id, 2, 'send_invoice', 'Was the invoice sent?' from turns t
"""
OPEN = "select id, interaction_id from wait where state = 'open' order by random() limit $1"
MOVED = "select exists (select from step where interaction_id = $1 and seq = 2 and state <> 'unknown')"


async def run(quick: bool) -> Report:
    """See the module."""
    count, answers, window = (QUICK_COUNT, QUICK_ANSWERS, QUICK_WINDOW) if quick else (COUNT, ANSWERS, WINDOW)
    with Server() as server:
        url = await server.retinue()
        async with harness.owner(url) as connection:
            made = await world.make(connection, node.OFFLINE)
            async with node.started(url, harness.environment(server.home), server.home) as worker:
                await seed(connection, made, 20)
                warm = await resume(url, made, 20)
                before = await idle(connection, server, worker, window)
                begin = time.monotonic()
                await seed(connection, made, count)
                seeded = time.monotonic() - begin
                after = await idle(connection, server, worker, window)
                times = await resume(url, made, answers)
        details = {
            "suspended": count,
            "seeded_s": round(seeded, 1),
            "before": before,
            "after": after,
            "resume_ms": harness.summary(times),
            "resume_ms_without_the_others": harness.summary(warm),
            "server": await server.settings(),
        }
    added = max(after["cpu_percent"] - before["cpu_percent"], 0.0)
    return Report(
        NAME,
        [
            Metric("resume_p99_ms", round(harness.percentile(times, 0.99), 2), "ms", "lower", 100.0),
            Metric("idle_cpu_percent", round(added, 2), "%", "lower", 1.0),
        ],
        details,
    )


async def seed(connection: Any, made: world.World, count: int) -> None:
    """``count`` suspended turns, each in a thread of its own; nothing of the seeding is left to be cleaned up."""
    for done in range(0, count, 10_000):
        share = min(10_000, count - done)
        await connection.execute(SEED, made.account_id, made.user_id, made.agent_id, share, CALL)
    await world.settle(connection)


async def idle(connection: Any, server: Server, worker: int, window: float) -> dict[str, float]:
    """CPU of the node and of PostgreSQL in percent of one core, and the node's memory, while nothing happens."""
    await asyncio.sleep(2)
    begin, cpu, server_cpu = time.monotonic(), harness.cpu_seconds([worker]), harness.cpu_seconds([server.pid])
    await asyncio.sleep(window)
    passed = time.monotonic() - begin
    cpu, server_cpu = harness.cpu_seconds([worker]) - cpu, harness.cpu_seconds([server.pid]) - server_cpu
    return {
        "cpu_percent": round((cpu + server_cpu) / passed * 100, 2),
        "node_percent": round(cpu / passed * 100, 2),
        "postgres_percent": round(server_cpu / passed * 100, 2),
        "node_mb": round(harness.memory_mb(worker), 1),
        "waiting": await connection.fetchval("select count(*) from interaction where state = 'waiting'"),
    }


async def resume(url: str, made: world.World, count: int) -> list[float]:
    """Answer ``count`` of the waits one by one; milliseconds from each answer until the waiting step has moved."""
    times: list[float] = []
    async with harness.owner(url) as connection:
        rows = await connection.fetch(OPEN, count)
        db = await pool.connect(
            migrate.role_url(url, "retinue_app", harness.SECRET),
            migrate.role_url(url, "retinue_system", harness.SECRET),
            size=2,
        )
        try:
            for row in rows:
                times.append(await resumed(db, connection, made, (row["id"], row["interaction_id"])))
            await harness.until(
                lambda: all_ended(connection, [row["interaction_id"] for row in rows]), 20, "the turns' ends"
            )
        finally:
            await db.close()
    return times


async def resumed(db: Database, connection: Any, made: world.World, wait: tuple[UUID, UUID]) -> float:
    """One answer."""
    begin = time.perf_counter()
    await turns.resolve_wait(db, made.account_id, wait[0], made.user_id, {"happened": True, "result": {"sent": True}})

    async def moved() -> bool:
        return bool(await connection.fetchval(MOVED, wait[1]))

    await harness.until(moved, 30, "the turn to go on", pause=0.001)
    return (time.perf_counter() - begin) * 1000


async def all_ended(connection: Any, interactions: list[UUID]) -> bool:
    """Whether all of these ended well."""
    ended = await connection.fetchval(
        "select count(*) from interaction where id = any($1) and state = 'succeeded'", interactions
    )
    return ended == len(interactions)

"""Plain turns on fresh threads with a language model that answers at once, beside LangGraph and Agno, in one run.

Every system has a process and a database of its own on one server; rounds alternate, so that whatever else the
machine does hits all alike. Retinue's turn goes through intake, queue, a worker process and back; the peers' turn is
a call in their own process. The floor is what the server itself commits: pgbench, simple update.
"""

import importlib.util
import re
import statistics
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench import child, harness, node, world
from bench.harness import Metric, Report, Server

NAME = "turns"
PEERS = ("langgraph", "agno")
"""As their documentation sets them up: what the ratios are held against."""
TUNED = "langgraph_8_savers"
"""Measured beside them and told in the details: a set-up that no documentation has, and faster."""
LEVELS = (1, 8, 32)


@dataclass(frozen=True)
class Plan:
    """How long to measure: seconds per round of one system, rounds, seconds of each pgbench run."""

    seconds: float
    rounds: int
    floor_seconds: int
    stock: int
    cost_turns: int


QUICK = Plan(seconds=1.0, rounds=2, floor_seconds=1, stock=10_000, cost_turns=100)
FULL = Plan(seconds=6.0, rounds=5, floor_seconds=10, stock=120_000, cost_turns=1000)


@dataclass(frozen=True)
class System:
    """One measured system: its driver, and the processes whose CPU time it costs."""

    name: str
    child: child.Child
    pids: tuple[int, ...]


async def run(quick: bool) -> Report:
    """See the module. The ratios are of the medians over the rounds."""
    plan = QUICK if quick else FULL
    with Server() as server:
        floor = pgbench(server, await server.create("floor"), plan.floor_seconds)
        async with systems(server, plan.stock, (*PEERS, TUNED)) as found:
            rounds = await measure(found, plan)
            costs = {system.name: await cost_of_a_turn(server, system, plan.cost_turns) for system in found}
            facts = {system.name: await system.child.ask("facts") for system in found}
            await check(server)
        details = {
            "turns_per_second": rates(rounds),
            "ratio_vs_tuned_langgraph": round(ratio(rounds, (TUNED,)), 3),
            "milliseconds_one_at_a_time": alone(rounds),
            "p99_ms": tails(rounds),
            "floor_commits_per_second": floor,
            "cost_of_a_turn": costs,
            "systems": facts,
            "server": await server.settings(),
            "plan": vars(plan),
            "rounds": rounds,
        }
    return Report(NAME, metrics(rounds), details)


@asynccontextmanager
async def systems(server: Server, stock: int, peers: tuple[str, ...] = PEERS) -> AsyncIterator[list[System]]:
    """Retinue (a node and a driver) and the peers, started and ready."""
    missing = [name for name in peers if importlib.util.find_spec(name.partition("_")[0]) is None]
    if missing:
        raise SystemExit(f"Not installed: {', '.join(missing)}. Run: pip install -e '.[bench]' (make bench does it)")
    async with AsyncExitStack() as stack:
        url = await server.retinue()
        async with harness.owner(url) as connection:
            made = await world.make(connection, node.OFFLINE)
            await world.add_channels(connection, made, stock)
            await world.settle(connection)
        env = harness.environment(server.home)
        worker = await stack.enter_async_context(node.started(url, env, server.home))
        driver = await stack.enter_async_context(child.started("bench.peers.retinue", url, env))
        found = [System("retinue", driver, (driver.pid, worker))]
        for name in peers:
            peer = await stack.enter_async_context(child.started(f"bench.peers.{name}", await server.create(name), env))
            found.append(System(name, peer, (peer.pid,)))
        for system in found:
            await system.child.ask("turns", at_once=8, count=60)
        yield found


async def measure(found: list[System], plan: Plan) -> list[dict[str, Any]]:
    """Every level, round by round, the systems one after another; the order turns from round to round."""
    rounds: list[dict[str, Any]] = []
    for number in range(plan.rounds):
        for at_once in LEVELS:
            turned = found[number % len(found) :] + found[: number % len(found)]
            for system in turned:
                result = await system.child.ask("turns", at_once=at_once, seconds=plan.seconds)
                rounds.append({"system": system.name, "at_once": at_once, **result})
        harness.progress(f"round {number + 1} of {plan.rounds}")
    return rounds


def of(rounds: list[dict[str, Any]], system: str, at_once: int, what: str) -> float:
    """The median over the rounds."""
    return statistics.median(item[what] for item in rounds if item["system"] == system and item["at_once"] == at_once)


def names(rounds: list[dict[str, Any]]) -> list[str]:
    return sorted({item["system"] for item in rounds})


def rates(rounds: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        name: {str(level): round(of(rounds, name, level, "per_second"), 1) for level in LEVELS}
        for name in names(rounds)
    }


def tails(rounds: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        name: {str(level): round(of(rounds, name, level, "p99_ms"), 1) for level in LEVELS} for name in names(rounds)
    }


def alone(rounds: list[dict[str, Any]]) -> dict[str, float]:
    return {name: round(of(rounds, name, 1, "median_ms"), 2) for name in names(rounds)}


def ratio(rounds: list[dict[str, Any]], peers: Sequence[str]) -> float:
    """Turns per second, ours by the fastest of these peers', the lower of 8 and 32 at once."""
    return min(
        of(rounds, "retinue", level, "per_second") / max(of(rounds, peer, level, "per_second") for peer in peers)
        for level in (8, 32)
    )


def metrics(rounds: list[dict[str, Any]]) -> list[Metric]:
    peers = [name for name in names(rounds) if name in PEERS]
    single = of(rounds, "retinue", 1, "median_ms") / min(of(rounds, peer, 1, "median_ms") for peer in peers)
    return [
        Metric("ratio_vs_best_peer", round(ratio(rounds, peers), 3), "x", "higher", 2.0),
        Metric("one_at_a_time_ratio", round(single, 3), "x", "lower", 1.0),
    ]


async def cost_of_a_turn(server: Server, system: System, turns: int) -> dict[str, float]:
    """What one turn costs at 8 at once, the other systems idle: CPU, commits, rows, bytes of log, connections."""
    database = "retinue_bench" if system.name == "retinue" else system.name
    async with harness.owner(server.url("postgres")) as connection:
        await connection.execute("checkpoint")
        await system.child.ask("turns", at_once=8, count=max(turns // 5, 20))  # first touches log whole pages
        start, before = await harness.position(connection)
        ours, server_cpu = harness.cpu_seconds(system.pids), postgres_cpu(server.pid)
        await system.child.ask("turns", at_once=8, count=turns)
        ours, server_cpu = harness.cpu_seconds(system.pids) - ours, postgres_cpu(server.pid) - server_cpu
        end, after = await harness.position(connection)
        connections = await connection.fetchval("select count(*) from pg_stat_activity where datname = $1", database)
        await connection.execute("select pg_switch_wal()")  # so that pg_waldump can read up to the end
    records = server.wal_records(start, end)
    return {
        "process_cpu_ms": round(ours * 1000 / turns, 3),
        "postgres_cpu_ms": round(server_cpu * 1000 / turns, 3),
        "wal_bytes": round((after - before) / turns),
        "connections": connections,
        **{name: round(count / turns, 2) for name, count in records.items()},
    }


def postgres_cpu(postmaster: int) -> float:
    """CPU seconds of the server and all its processes."""
    return harness.cpu_seconds([postmaster])


async def check(server: Server) -> None:
    """Every turn of ours has ended with its reply; raises RuntimeError otherwise."""
    async with harness.owner(server.url("retinue_bench")) as connection:
        row = await connection.fetchrow(
            "select count(*) as turns, count(*) filter (where state = 'succeeded') as ended, "
            "(select count(*) from message where author_kind = 'agent') as replies, "
            "(select count(*) from token_event) as usage from interaction"
        )
    if not row["turns"] == row["ended"] == row["replies"] == row["usage"]:
        raise RuntimeError(f"turns, ends, replies and usage differ: {dict(row)}")


def pgbench(server: Server, url: str, seconds: int) -> dict[str, float]:
    """Commits per second of pgbench's simple update at 1, 8 and 32 clients."""
    database = url.partition("?")[0].rpartition("/")[2]
    where = ["-h", server.socket_folder, "-U", "postgres"]
    subprocess.run(
        [server.binary("pgbench"), *where, "-i", "-q", "-s", "10", database], check=True, capture_output=True
    )
    found: dict[str, float] = {}
    for clients in LEVELS:
        output = subprocess.run(
            [
                server.binary("pgbench"),
                *where,
                "-N",
                "-n",
                "-M",
                "prepared",
                "-c",
                str(clients),
                "-j",
                "1",
                "-T",
                str(seconds),
                database,
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        rate = re.search(r"tps = ([\d.]+)", output)
        if not rate:
            raise RuntimeError(f"pgbench said: {output}")
        found[str(clients)] = round(float(rate[1]), 1)
    return found

"""docs/benchmarks.md from reports: a table of claims, the numbers behind them, the machine in general terms."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench import harness
from bench.harness import Metric, Report

PAGE = harness.REPOSITORY / "docs" / "benchmarks.md"
WHAT = {
    "ratio_vs_best_peer": "turns per second, ours / the faster peer's, the lower of 8 and 32 at once",
    "one_at_a_time_ratio": "time of one turn alone, ours / the faster peer's",
    "time_ratio": "time of a turn, at message 10,000 / at message 100 of a thread",
    "wal_ratio": "write-ahead log of a turn, at message 10,000 / at message 100",
    "median_s": "from SIGKILL to the next journalled step on another node, median",
    "max_s": "the same, maximum",
    "resume_p99_ms": "from the answer to a wait to the turn's next step, p99",
    "idle_cpu_percent": "CPU that suspended turns add to an idle node",
    "added_p99_ms": "from the model's first token to the subscriber's first byte, p99 of 50 streams",
    "lost_or_doubled": "deltas lost or doubled over all forced reconnects",
    "post_p99_ms": "POST message answered at 100 connections while turns run, p99",
    "scale_2": "throughput of two processes / of one; each on 0.4 of a core where there are fewer than four",
    "warm_s": "warm `make run` until it serves",
    "help_s": "`retinue --help`",
    "sealing_cost_percent": "plain turns per second that sealing the audit record costs",
    "overshoot_microunits": "most that was spent and reserved past a budget, 64 callers on 8 processes",
    "gate_p50_ms": "judging, reserving and settling one call there, median",
    "gate_p99_ms": "the same, p99",
    "interactive_s": "cold load of a channel of 10,000 messages until its end and the composer are painted, slowest",
    "initial_js_kb": "JavaScript fetched by that load, gzipped",
    "switch_ms": "from the click on another channel to its end painted, slowest",
    "keypress_ms": "from a key to its paint while a reply streams at 200 tokens/s, p99",
    "heap_growth_percent": "what a page that streams keeps (compiled code apart), after an hour / three minutes",
    "idle_mb": "memory of an idle node besides PostgreSQL",
}
HEAD = """# Benchmarks

Written by `make bench`; do not edit. Each claim is measured by `python -m bench NAME` on an embedded PostgreSQL of
its own with fsync on and everything enabled: row-level security, gate, audit, usage, notifications.

{machine}

| benchmark | metric | what | value | target | met |
|---|---|---|---:|---:|---|
"""


def machine() -> str:
    """The machine without its name: cores, memory, system, versions, date."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"Measured on {datetime.now(UTC):%d %B %Y} on one machine with {os.cpu_count()} cores and {memory:.0f} GB "
        f"of memory, {platform.system()} on {platform.machine()}, Python {platform.python_version()}. "
        "Clients, Retinue, the peers and PostgreSQL share these cores."
    )


def row(name: str, item: Metric) -> str:
    sign = "≥" if item.better == "higher" else "≤"
    return (
        f"| `{name}` | `{item.metric}` | {WHAT.get(item.metric, '')} | {item.value:g} {item.unit} | "
        f"{sign} {item.target:g} {item.unit} | {'yes' if item.met else '**no**'} |\n"
    )


def turns_table(details: dict[str, Any]) -> str:
    """The systems side by side."""
    lines = ["\n## Side by side\n\n", "One plain turn on a fresh thread, a model that answers at once.\n\n"]
    lines.append(
        "| system | turns/s, 8 at once | 32 at once | one at a time, ms | CPU ms (process + PostgreSQL) | commits "
        "| rows | log, bytes |\n"
    )
    lines.append("|---|---:|---:|---:|---:|---:|---:|---:|\n")
    for name, rates in details["turns_per_second"].items():
        cost = details["cost_of_a_turn"][name]
        version = details["systems"][name]["versions"]
        title = f"{next(iter(version))} {next(iter(version.values()))}"
        rows = cost["inserts"] + cost["updates"] + cost["deletes"]
        lines.append(
            f"| {title} | {rates['8']:.0f} | {rates['32']:.0f} | {details['milliseconds_one_at_a_time'][name]:.1f} | "
            f"{cost['process_cpu_ms']:.2f} + {cost['postgres_cpu_ms']:.2f} | {cost['commits']:.1f} | {rows:.1f} | "
            f"{cost['wal_bytes']:.0f} |\n"
        )
    floor = details["floor_commits_per_second"]
    lines.append(
        f"\nThe floor, pgbench simple update on the same server: {floor['1']:.0f} commits/s with 1 client, "
        f"{floor['8']:.0f} with 8, {floor['32']:.0f} with 32.\n\n"
    )
    for name, facts in details["systems"].items():
        versions = ", ".join(f"{package} {number}" for package, number in facts["versions"].items())
        lines.append(f"- {name}: {versions}; {facts['config']}\n")
    return "".join(lines)


def growth_table(details: dict[str, Any]) -> str:
    """Ours at both lengths, the peers' curves."""
    lines = ["\n## As a thread grows\n\n| system | messages | ms | rows | log, bytes |\n|---|---:|---:|---:|---:|\n"]
    for name, curve in {"retinue": details["retinue"], **details["peers"]}.items():
        lines += [
            f"| {name} | {length} | {cost['ms']:.1f} | {cost['rows']:.1f} | {cost['wal_bytes']:.0f} |\n"
            for length, cost in curve.items()
        ]
    return "".join(lines)


TABLES = {"turns": turns_table, "growth": growth_table}
LARGE = ("rounds", "groups", "plan", "server")


def details(report: Report) -> str:
    """The rest of a report's details, for whoever wants to look closer."""
    rest = {name: value for name, value in report.details.items() if name not in LARGE}
    if report.name in TABLES:
        rest = {name: rest[name] for name in ("p99_ms", "tables_mb", "took_seconds", "quick") if name in rest}
    body = json.dumps(rest, indent=1, default=str)
    return f"\n<details><summary>{report.name}</summary>\n\n```json\n{body}\n```\n\n</details>\n"


def write(reports: list[Report]) -> Path:
    """Write the page; returns its path."""
    text = HEAD.format(machine=machine())
    for report in reports:
        text += "".join(row(report.name, item) for item in report.metrics)
    server = next((report.details["server"] for report in reports if "server" in report.details), {})
    if server:
        text += "\nPostgreSQL " + ", ".join(f"{name} {value}" for name, value in server.items()).removeprefix(
            "server_version "
        )
        text += ".\n"
    if any(report.details.get("quick") for report in reports):
        text += "\nThis was a rough run (`--quick`): short rounds, few trials.\n"
    for report in reports:
        if report.name in TABLES:
            text += TABLES[report.name](report.details)
    text += "\n## Details\n" + "".join(details(report) for report in reports)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
    return PAGE

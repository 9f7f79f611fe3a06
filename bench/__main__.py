"""``python -m bench NAME [--json] [--quick]``; ``python -m bench all [--quick]`` also writes docs/benchmarks.md."""

import argparse
import asyncio
import importlib
import sys
import time

from bench import harness, page

NAMES = ("turns", "growth", "takeover", "waiting", "stream", "api", "start", "audit", "budget", "web")


def measured(name: str, quick: bool) -> harness.Report:
    """Run one benchmark."""
    begin = time.monotonic()
    harness.progress(f"{name}: started")
    report: harness.Report = asyncio.run(importlib.import_module(f"bench.{name}").run(quick))
    report.details["took_seconds"] = round(time.monotonic() - begin, 1)
    report.details["quick"] = quick
    return report


def words(report: harness.Report) -> str:
    """A report for people."""
    lines = [f"{report.name}:"]
    for item in report.metrics:
        sign = "at least" if item.better == "higher" else "at most"
        lines.append(
            f"  {item.metric:24} {item.value:>10g} {item.unit:4} {sign} {item.target:g}: "
            f"{'met' if item.met else 'not met'}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure what Retinue claims.")
    parser.add_argument("name", choices=(*NAMES, "all"))
    parser.add_argument("--json", action="store_true", help="print the result as one last line of JSON")
    parser.add_argument("--quick", action="store_true", help="a rough run of at most 50 seconds for each")
    arguments = parser.parse_args()
    chosen = NAMES if arguments.name == "all" else (arguments.name,)
    reports = []
    for name in chosen:
        report = measured(name, arguments.quick)
        reports.append(report)
        sys.stdout.write((report.line() if arguments.json else words(report)) + "\n")
        sys.stdout.flush()
    if arguments.name == "all":
        path = page.write(reports)
        harness.progress(f"wrote {path.relative_to(harness.REPOSITORY)}")


if __name__ == "__main__":
    main()

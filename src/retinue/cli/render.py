"""What the CLI prints: tables, JSON, and a turn as a timeline. Knows the API's JSON, asks for nothing."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Json = dict[str, Any]

out = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False)

STATES = {
    "success": "green", "succeeded": "green", "running": "cyan", "queued": "cyan", "created": "cyan",
    "waiting": "yellow", "unknown": "yellow", "open": "yellow", "failed": "red", "cancelled": "dim",
}  # fmt: skip
PROSE = frozenset({"error_detail", "description", "name", "scopes"})
"""Columns that may break their lines."""
SHOWN = 600
"""Characters of an input or output that a timeline shows."""


def as_json(value: Any) -> None:
    """JSON on standard output, whole, for programs."""
    out.out(json.dumps(value, indent=2, ensure_ascii=False), highlight=False)


def table(rows: Iterable[Json], columns: Sequence[str], empty: str) -> None:
    """Rows with these columns; ``empty`` in words when there are none."""
    listed = list(rows)
    if not listed:
        err.print(f"[dim]{escape(empty)}[/]")
        return
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column.replace("_", " "), overflow="fold", no_wrap=column not in PROSE)
    for row in listed:
        shown.add_row(*(cell(column, row.get(column)) for column in columns))
    out.print(shown)


def cell(column: str, value: Any) -> str:
    """One value as a table shows it."""
    match value:
        case None | "" | []:
            return "[dim]-[/]"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.2f}"
        case list():
            return escape(", ".join(map(str, cast("list[object]", value))))
        case {"amount_micro": _, "currency": _}:
            return money(cast("Json", value))
        case str() if column == "at" or column.endswith("_at"):
            return moment(value)
        case str() if column in ("state", "status"):
            return state(value)
        case _:
            return escape(str(value))


def state(value: str) -> str:
    """A state in its colour."""
    colour = STATES.get(value)
    return f"[{colour}]{escape(value)}[/]" if colour else escape(value)


def moment(value: str) -> str:
    """A timestamp in this machine's time zone, to the second."""
    return datetime.fromisoformat(value).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def money(value: Json | None, *, unpriced: bool = False) -> str:
    """``0.0123 USD``; what has no known price is said, not taken for zero."""
    if value is None:
        return "price unknown"
    words = f"{value['amount_micro'] / 1_000_000:.4f} {value['currency']}"
    return f"{words} and parts of unknown price" if unpriced else words


def duration(started: str | None, ended: str | None) -> str:
    """How long something took: ``1.24 s``."""
    if not started or not ended:
        return ""
    seconds = (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()
    return f"{seconds:.2f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def short(value: Any, most: int = SHOWN) -> str:
    """A value on few lines; strings as they are, anything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def entries(turn: Json, name: str) -> list[Json]:
    """The steps or waits of a turn."""
    found: list[Json] | None = turn.get(name)
    return found or []


# ── one turn ─────────────────────────────────────────────────────────────────────────────────────────────────────


def timeline(turn: Json) -> None:
    """A whole turn, readable from top to bottom."""
    out.print(f"[bold]{turn['id']}[/]  {state(turn['state'])}  [dim]attempt {turn['attempt']}[/]")
    out.print(f"[dim]agent {turn['agent_id']}  created {moment(turn['created_at'])}  "
              f"took {turn['running_seconds']:.2f} s[/]")  # fmt: skip
    cost = money(turn["cost"], unpriced=turn["unpriced"])
    out.print(f"[dim]{turn['input_tokens']:,} tokens in, {turn['output_tokens']:,} out, {cost}[/]")
    if turn.get("error"):
        out.print(f"[red]{escape(turn['error'])}[/]  {escape(turn.get('error_detail') or '')}")
    if turn.get("stop_reason"):
        out.print(f"[dim]ended by: {escape(turn['stop_reason'])}[/]")
    out.print()
    for step in entries(turn, "steps"):
        _step(step)
    for wait in entries(turn, "waits"):
        question(wait)
    if turn.get("successor_id"):
        out.print(f"[dim]goes on in {turn['successor_id']}[/]")


def _step(step: Json) -> None:
    name = step["kind"] if not step.get("tool") else f"{step['kind']} [bold]{escape(step['tool'])}[/]"
    effect = f"[dim]{step['effect']}[/]" if step.get("effect") and step["kind"] == "act" else ""
    out.print(f"{step['seq']:>3}  {name}  {state(step['state'])}  "
              f"[dim]{duration(step.get('started_at'), step.get('ended_at'))}[/]  {effect}")  # fmt: skip
    given: Json = step.get("input") or {}
    got: Json = step.get("output") or {}
    match step["kind"]:
        case "act":
            _line("with", given.get("arguments", given))
            _line("gave", got.get("content", got) if got else None)
        case "think":
            _line("said", got.get("text"))
            _line("asked", f"for {got['calls']} calls" if got.get("calls") else None)
            _line("used", tokens(step))
        case _:
            _line("gave", {key: value for key, value in got.items() if value is not None} or None)
    if step.get("error"):
        _line("error", step["error"])


def tokens(step: Json) -> str | None:
    """Tokens and cost of a think step, if the API gives them."""
    if step.get("input_tokens") is None:
        return None
    return f"{step['input_tokens']:,} tokens in, {step['output_tokens']:,} out, {money(step.get('cost'))}"


def _line(name: str, value: Any) -> None:
    if value in (None, "", {}, []):
        return
    text = escape(short(value)).replace("\n", "\n            ")
    out.print(f"     [dim]{name:<6}[/] {text}")


def question(wait: Json) -> None:
    """An open wait, or what became of it."""
    out.print(f"  ?  {wait['kind']}  {state(wait.get('state', 'open'))}  {escape(wait.get('prompt') or '')}")
    if wait.get("resolution"):
        _line("answer", wait["resolution"])
    elif wait.get("state", "open") == "open":
        how = (
            "decide with: retinue approval approve"
            if wait["kind"] == "approval"
            else "answer with: retinue interaction answer"
        )
        out.print(f"     [dim]{how} {wait['id']}[/]")

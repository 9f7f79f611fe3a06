"""Which specification rows the tests prove. ``python -m tests.requirements`` prints what is proved and what is not.

The rows are data (requirements.yaml); what proves them is read from the ``requirement`` marks of the test files,
without running any.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TESTS = Path(__file__).resolve().parent
MANIFEST = TESTS / "requirements.yaml"
Citations = dict[str, list[str]]
"""Row id -> where a test cites it, as ``path:line``."""


@dataclass(frozen=True)
class Manifest:
    """The rows by group, the groups that are finished, the gaps with their reasons, the size of every group."""

    groups: dict[str, dict[str, str]]
    finished: frozenset[str]
    gaps: dict[str, str]
    sizes: dict[str, int]

    @property
    def rows(self) -> dict[str, str]:
        return {row: text for rows in self.groups.values() for row, text in rows.items()}

    def exists(self, row: str) -> bool:
        """Whether the specification has such a row, whatever issue it belongs to."""
        group, _, number = row.partition("-")
        return number.isdecimal() and len(number) == 2 and 1 <= int(number) <= self.sizes.get(group, 0)


def load(path: Path = MANIFEST) -> Manifest:
    """Read the manifest. Raises ValueError when one row stands in the wrong group."""
    data: dict[str, Any] = yaml.safe_load(path.read_text())
    for group, rows in data["groups"].items():
        strays = [row for row in rows if not row.startswith(f"{group}-")]
        if strays:
            raise ValueError(f"{strays} do not belong to {group}")
    return Manifest(data["groups"], frozenset(data["finished"] or ()), data["gaps"] or {}, data["sizes"])


def cited(folder: Path = TESTS) -> Citations:
    """Every row that a ``requirement`` mark in a test file names."""
    found: Citations = {}
    for path in sorted(folder.rglob("test_*.py")):
        for row, line in marks(ast.parse(path.read_text())):
            found.setdefault(row, []).append(f"{path.relative_to(folder)}:{line}")
    return found


def marks(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """(row, line) of each ``pytest.mark.requirement("ROW", ...)`` in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement":
            for value in node.args:
                yield str(value.value) if isinstance(value, ast.Constant) else ast.unparse(value), value.lineno


def problems(manifest: Manifest, citations: Citations) -> list[str]:
    """Everything that is not as the manifest says, in words; empty when all is well."""
    rows = manifest.rows
    found = [
        f"{row} is cited but no such row exists ({', '.join(places)})"
        for row, places in citations.items()
        if not manifest.exists(row)
    ]
    found += [f"{group} is finished but has no rows" for group in manifest.finished - set(manifest.groups)]
    found += [f"{row} is a gap but not a row" for row in manifest.gaps if row not in rows]
    found += [
        f"{row} is a gap ({reason}) but {citations[row][0]} proves it: take it off the list"
        for row, reason in manifest.gaps.items()
        if row in citations
    ]
    found += [
        f"{row} is not proved: {text}"
        for group in sorted(manifest.finished & set(manifest.groups))
        for row, text in manifest.groups[group].items()
        if row not in citations and row not in manifest.gaps
    ]
    return found


def report(manifest: Manifest, citations: Citations) -> str:
    """Coverage by group, then the rows that are neither proved nor listed as gaps."""
    lines: list[str] = []
    for group, rows in manifest.groups.items():
        proved, gaps = sum(row in citations for row in rows), sum(row in manifest.gaps for row in rows)
        state = "finished" if group in manifest.finished else "open"
        lines.append(f"{group:5} {proved:3} of {len(rows):3} proved, {gaps:2} gaps, {state}")
    lines.append("")
    lines += [
        f"{row:8} {text}" for row, text in manifest.rows.items() if row not in citations and row not in manifest.gaps
    ]
    return "\n".join([*lines, *problems(manifest, citations)])


if __name__ == "__main__":
    print(report(load(), cited()))

"""Every error code of the code, gathered into docs/errors.md: ``python -m tests.contracts.error_codes`` writes it."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import retinue
from retinue import errors
from retinue.domain import turns
from retinue.domain.reasons import REASONS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "errors.md"
ACTORS = {"caller": "you", "operator": "the operator", "nobody": "nobody: internal"}
HEAD = """# Errors

Every failure over HTTP is an `application/problem+json` document with `type`, `title`, `status`, `detail` (what to do)
and `code`. Branch on `code`: it is stable; titles and details may be reworded. Invalid input adds `errors`, a list of
`path` and `reason`. `rate_limited` and some unavailabilities add `Retry-After`. A failure whose detail is not yours to
see carries an id; the operator finds the detail in the log under it.

The same codes stand in `error` of interactions and steps, and in the tool results that a model reads.

This page is generated from `src/retinue` (`python -m tests.contracts.error_codes`); a test compares them.

| code | status | title | who must act |
|---|---|---|---|
"""
MORE = """
## More exact codes

Some errors carry a code that says more. They have the status of the kind they belong to.

| code | a kind of | says |
|---|---|---|
"""

REFUSALS = """
## Why the gate refuses a call, and why a turn ends early

| code | says |
|---|---|
"""


@dataclass(frozen=True, order=True)
class Reason:
    """A more exact code given where an error is raised: ``errors.ToolRefused("...", code="invalid_url")``."""

    code: str
    kind: str
    words: str


def classes() -> list[type[errors.RetinueError]]:
    """All error classes, wherever in the package they are, parents first."""
    for module in pkgutil.walk_packages(retinue.__path__, "retinue."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: list[type[errors.RetinueError]] = [errors.RetinueError]
    for kind in found:
        found += kind.__subclasses__()
    return [kind for kind in found if kind.__module__.startswith("retinue")]


def reasons() -> list[Reason]:
    """Every literal ``code=`` of an error made anywhere in src, once."""
    found: set[Reason] = set()
    for path in (ROOT / "src").rglob("*.py"):
        found |= set(_reasons(ast.parse(path.read_text())))
    first = {(reason.code, reason.kind): reason for reason in sorted(found, reverse=True)}
    return sorted(first.values())


def _reasons(tree: ast.AST) -> Iterator[Reason]:
    kinds = {kind.__name__: kind for kind in classes()}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        kind = kinds.get(ast.unparse(node.func).rpartition(".")[2])
        code = next((word.value for word in node.keywords if word.arg == "code"), None)
        if kind and isinstance(code, ast.Constant) and code.value:
            yield Reason(str(code.value), kind.code, _words(node.args[0]) if node.args else kind.title())


def _words(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in parts)  # type: ignore[misc]
        case _:
            return "(the words depend on the case)"


def refusals() -> dict[str, str]:
    """The gate's reasons and the limits of a turn."""
    return REASONS | turns.LIMIT_WORDS


def given() -> set[str]:
    """Every literal reason of an opinion made anywhere in src. Those of rules are tuples, which domain tests see."""
    found: set[str] = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("Opinion", "_against"):
                words = [word.value for word in node.keywords if word.arg == "reason"] + node.args[2:3]
                found |= {
                    word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)
                }
    return found


def document() -> str:
    """The whole page."""
    last = [f"| `{code}` | {words} |" for code, words in sorted(refusals().items())]
    kinds = {kind.code: kind for kind in reversed(classes())}
    rows = [f"| `{code}` | {kind.status} | {kind.title()} | {ACTORS[kind.audience]} |" for code, kind in kinds.items()]
    more = [f"| `{reason.code}` | `{reason.kind}` | {reason.words} |" for reason in reasons()]
    return HEAD + "\n".join(sorted(rows)) + "\n" + MORE + "\n".join(more) + "\n" + REFUSALS + "\n".join(last) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document())

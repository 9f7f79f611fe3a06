"""The table of settings in docs/operations.md, made from settings.py: ``python -m tests.contracts.settings_page``."""

import ast
import itertools
from pathlib import Path
from typing import Any

from retinue.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "operations.md"
BEGIN, END = "<!-- settings: made by python -m tests.contracts.settings_page -->\n", "<!-- end of settings -->\n"


def docstrings() -> dict[str, str]:
    """Field -> the string under it."""
    tree = ast.parse((ROOT / "src/retinue/settings.py").read_text())
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings").body
    found: dict[str, str] = {}
    for field, below in itertools.pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split()).replace("``", "`")
            case _:
                pass
    return found


def default(name: str) -> str:
    """A field's default as people write it."""
    value: Any = Settings.model_fields[name].default
    if name == "home":
        return "`~/.retinue`"
    if value is None or value == "" or Settings.model_fields[name].default_factory:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def table() -> str:
    """The whole table."""
    words = docstrings()
    rows = [f"| `RETINUE_{name.upper()}` | {default(name)} | {words[name]} |" for name in Settings.model_fields]
    return "| variable | default | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def page(text: str) -> str:
    """The document with its table made anew."""
    head, _, rest = text.partition(BEGIN)
    return head + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    DOCUMENT.write_text(page(DOCUMENT.read_text()))

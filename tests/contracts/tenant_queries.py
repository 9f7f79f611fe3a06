"""Finds the SQL of the code and of the database's functions, and the tenant tables each statement touches.

Not a parser: statements are told apart by their first word, tables by the word before them. It counts ``account_id``
against the tables named, so that a join which forgets one side is found; the proof of isolation is the database's
row-level security, this is the proof that a query can be sent to one shard.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

STATEMENT = re.compile(r"^\s*(select|insert|update|delete|with)\b", re.IGNORECASE)
TABLE = re.compile(r"\b(?:from|join|into|update|using)\s+(?:only\s+)?(?:retinue\.)?([a-z_]+)\b(?!\s*\()", re.IGNORECASE)
COMMA = re.compile(r"\bfrom\s+[a-z_]+(?:\s+[a-z]\w*)?((?:\s*,\s*[a-z_]+(?:\s+[a-z]\w*)?)+)", re.IGNORECASE)
KEY = re.compile(r"\baccount_id\s*(?:=|in\b)|\(\s*account_id\s*[,)]", re.IGNORECASE)
"""A filter, a join, or the columns of an insert; a bare select of the column is none."""
ESCAPE = re.compile(r"# cross-tenant: \S+")
COMMENT = re.compile(r"--[^\n]*")
WORDS = re.compile(r"'[^']*'")


@dataclass(frozen=True)
class Statement:
    """One SQL statement in a Python file, and the function it stands in (empty: the module)."""

    path: Path
    line: int
    text: str
    function: str
    escaped: bool = field(default=False)


def tables(sql: str, tenant_tables: set[str]) -> list[str]:
    """The tenant tables that a statement names, with repetitions."""
    plain = WORDS.sub("''", COMMENT.sub("", sql))
    named = TABLE.findall(plain)
    for rest in COMMA.findall(plain):
        named += [part.split()[0] for part in rest.split(",") if part.strip()]
    return [name for name in named if name in tenant_tables]


def lacks_tenant(sql: str, tenant_tables: set[str]) -> list[str]:
    """The tenant tables of a statement that binds account_id less often than it names tables; else empty."""
    touched = tables(sql, tenant_tables)
    keys = len(KEY.findall(WORDS.sub("''", COMMENT.sub("", sql))))
    return touched if touched and keys < len(touched) else []


def statements(path: Path) -> Iterator[Statement]:
    """Every SQL string of a Python file, f-strings with the module's constants filled in."""
    text = path.read_text()
    lines = text.splitlines()
    tree = ast.parse(text)
    constants = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for function, node in _strings(tree, ""):
        sql = _text(node, constants)
        if STATEMENT.match(sql):
            first = getattr(node, "lineno", 1)
            near = lines[max(0, first - 3) : getattr(node, "end_lineno", first)]
            yield Statement(path, first, sql, function, any(ESCAPE.search(line) for line in near))


def _strings(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Expr(value=ast.Constant()):
                continue
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _strings(child, child.name)
            case ast.JoinedStr() | ast.Constant(value=str()):
                yield function, child
            case _:
                yield from _strings(child, function)


def _text(node: ast.AST, constants: dict[str, ast.expr]) -> str:
    """The string, with the module's own constants filled into an f-string and other holes left blank."""
    match node:
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, constants) for part in parts)
        case ast.Constant(value=value):
            return str(value)
        case ast.FormattedValue(value=ast.Name(id=name)) if name in constants:
            return _text(constants[name], constants)
        case _:
            return " "


def body_statements(source: str) -> Iterator[str]:
    """The statements of a SQL or PL/pgSQL function's body that touch data."""
    for part in COMMENT.sub("", source).split(";"):
        found = re.search(
            r"\b(select|insert\s+into|update\s+[a-z_]+|delete\s+from|with\s+[a-z_]+\s+as|perform)\b", part
        )
        if found:
            yield part[found.start() :]


def callers(root: Path, module: str, function: str) -> Iterator[tuple[Path, int, bool]]:
    """Where ``module.function(...)`` is called: (file, line, whether within ``async with ….system_tx()``)."""
    for path in root.rglob("*.py"):
        yield from (
            (path, line, inside) for line, inside in _calls(ast.parse(path.read_text()), module, function, False)
        )


def _calls(node: ast.AST, module: str, function: str, inside: bool) -> Iterator[tuple[int, bool]]:
    for child in ast.iter_child_nodes(node):
        within = inside or (isinstance(child, ast.AsyncWith) and _opens_system(child))
        if isinstance(child, ast.Call) and ast.unparse(child.func) == f"{module}.{function}":
            yield child.lineno, within
        yield from _calls(child, module, function, within)


def _opens_system(node: ast.AsyncWith) -> bool:
    return any(ast.unparse(item.context_expr).endswith(("system_tx()", "listening()")) for item in node.items)

"""The house rules that ruff does not know, as tiny checks over the syntax tree.

Each rule says what is wrong, why, and shows code that it must catch. One escape for all of them, on the line or the
line above: ``# allow <rule>: <reason>``. A rule that needs many escapes is a wrong rule: change it.
"""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
Finding = tuple[int, str]
"""(line, what is wrong there)"""


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the repository's root, with forward slashes, and its text."""

    path: str
    text: str

    @property
    def in_src(self) -> bool:
        return self.path.startswith("src/")

    @property
    def in_tests(self) -> bool:
        return self.path.startswith("tests/")

    @property
    def inside(self) -> str:
        """The path within the package: ``store/agents.py``."""
        return self.path.removeprefix("src/retinue/")

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.text)))

    @cached_property
    def docstrings(self) -> set[int]:
        """The ids of the constants that only document: bare strings in a body."""
        return {id(node.value) for node in self.nodes if isinstance(node, ast.Expr)}


@dataclass(frozen=True)
class Rule:
    """One check. ``bad`` is (path, code) that it must catch: the rule's own test."""

    name: str
    reason: str
    find: Callable[[Source], Iterator[Finding]]
    bad: tuple[str, str]


def violations(rule: Rule, source: Source) -> list[str]:
    """What the rule finds in this file and nobody has allowed, as ``path:line: what``."""
    escape = re.compile(rf"# allow {re.escape(rule.name)}: \S+")
    found: list[str] = []
    for line, what in rule.find(source):
        if not any(escape.search(text) for text in source.lines[max(0, line - 2) : line]):
            found.append(f"{source.path}:{line}: {what}")
    return found


def sources() -> list[Source]:
    """All Python files of the repository but these rules, which must name what they forbid."""
    paths = (path for top in ("src", "tests", "bench", "examples") for path in (ROOT / top).rglob("*.py"))
    kept = sorted(path for path in paths if path != Path(__file__).resolve() and "__pycache__" not in path.parts)
    return [Source(path.relative_to(ROOT).as_posix(), path.read_text()) for path in kept]


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(source: Source) -> Iterator[Function]:
    return (node for node in source.nodes if isinstance(node, Function))


def file_length(source: Source) -> Iterator[Finding]:
    limit = 400 if source.in_src else 600
    if len(source.lines) > limit:
        yield 1, f"{len(source.lines)} lines, the limit is {limit}: split it by noun"


def function_length(source: Source) -> Iterator[Finding]:
    for node in _functions(source):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > 60:
            yield node.lineno, f"{node.name} has {length} lines, the limit is 60"


DUMPS = re.compile(r"(^|_)(utils?|helpers?|common|misc|base|shared|stuff)$")
BASES = ("src/retinue/domain/base.py", "src/retinue/domain/rule_base.py", "src/retinue/channels/base.py")


def file_name(source: Source) -> Iterator[Finding]:
    if source.path not in BASES and any(DUMPS.search(part.removesuffix(".py")) for part in source.path.split("/")):
        yield 1, "name it after what it holds, not after nothing in particular"


def class_name(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        if isinstance(node, ast.ClassDef) and re.search(r"(Manager|Service|Helper|Utils?|Base)$", node.name):
            yield node.lineno, f"{node.name}: name what it is; functions belong in a module"


def module_docstring(source: Source) -> Iterator[Finding]:
    if source.text.strip() and ast.get_docstring(ast.parse(source.text)) is None:
        yield 1, "say on top what this file is, and what it is not"


FACADES = ("tools/builtin/__init__.py",)


def empty_init(source: Source) -> Iterator[Finding]:
    if not source.in_src or not source.path.endswith("__init__.py") or source.inside in FACADES:
        return
    for node in ast.parse(source.text).body:
        documents = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not documents and not ast.unparse(node).startswith("__version__ = "):
            yield node.lineno, "__init__.py holds a docstring only: a facade makes import cycles"


SQL = re.compile(
    r"\s*(?:(?:select|SELECT)\s+(?:.*?\b(?:from|FROM)\s+\w|\w+\()|(?:insert|INSERT)\s+(?:into|INTO)\s"
    r"|(?:update|UPDATE)\s+[\w.]+(?:\s+\w+)?\s+(?:set|SET)\s|(?:delete|DELETE)\s+(?:from|FROM)\s"
    r"|(?:with|WITH)\s+\w+\s+(?:as|AS)\s+\(|(?:create|alter|drop)\s+(?:table|index|role|function|policy|schema)\s"
    r"|(?:listen|notify|vacuum|truncate)\s+\w+\s*;?\s*$)",
    re.DOTALL,
)


def no_sql(source: Source) -> Iterator[Finding]:
    if not source.in_src or source.inside.startswith(("store/", "db/")):
        return
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in source.docstrings:
            if SQL.match(node.value):
                yield node.lineno, "SQL lives in store and db only"


UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\bNotImplementedError\b")


def finished(source: Source) -> Iterator[Finding]:
    for number, line in enumerate(source.lines, 1):
        if UNFINISHED.search(line):
            yield number, "finish it, or write an issue"


def no_skip(source: Source) -> Iterator[Finding]:
    if not source.in_tests:
        return
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in ("skip", "skipif", "xfail", "importorskip"):
            if ast.unparse(node.value) in ("pytest", "pytest.mark"):
                yield node.lineno, "a test that does not run proves nothing"


def no_long_sleep(source: Source) -> Iterator[Finding]:
    if not source.in_tests:
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("asyncio.sleep", "time.sleep"):
            if node.args and isinstance(node.args[0], ast.Constant) and not _short(node.args[0].value):
                yield node.lineno, "wait for the thing itself, with a bound; poll every 0.1 s or less"


def _short(value: object) -> bool:
    return isinstance(value, int | float) and value <= 0.1


def no_test_class(source: Source) -> Iterator[Finding]:
    if not source.in_tests:
        return
    for node in source.nodes:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield node.lineno, "tests are functions whose name is a sentence about behaviour"


ALLOWED = {
    "settings.py": {"os.environ", "os.getenv"},
    "telemetry": {"datetime.datetime.now", "time.time"},
    "llm/": {"httpx.AsyncClient"},
    "tools/egress.py": {"httpx.AsyncClient"},
    "cli/http.py": {"httpx.Client", "time.sleep"},  # a client of our own API; blocking is what a terminal wants
}
"""The one right place of each banned name. ruff stops looking at these files; this rule looks closer."""


@cache
def _banned() -> set[str]:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return set(config["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"])


def banned_names(source: Source) -> Iterator[Finding]:
    allowed = next((names for start, names in ALLOWED.items() if source.inside.startswith(start)), None)
    if not source.in_src or allowed is None:
        return
    origin = _imports(source)
    for node in source.nodes:
        if isinstance(node, ast.Attribute | ast.Name):
            head, _, tail = ast.unparse(node).partition(".")
            full = f"{origin.get(head, head)}.{tail}" if tail else origin.get(head, head)
            if full in _banned() - allowed:
                yield node.lineno, f"{full} is banned here; pyproject.toml says what to use"


def _imports(source: Source) -> dict[str, str]:
    """Local name -> the full name it was imported as."""
    names: dict[str, str] = {}
    for node in source.nodes:
        match node:
            case ast.Import():
                names |= {alias.asname or alias.name: alias.name for alias in node.names}
            case ast.ImportFrom():
                names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            case _:
                pass
    return names


RULES = (
    Rule("file-length", "A file fits into one head.", file_length, ("src/retinue/a.py", "x = 1\n" * 401)),
    Rule(
        "function-length",
        "A function fits on one screen.",
        function_length,
        ("src/retinue/a.py", "def f():\n" + "    x = 1\n" * 60),
    ),
    Rule("file-name", "Nobody finds anything in utils.", file_name, ("src/retinue/api/http_utils.py", "x = 1")),
    Rule("class-name", "Such names say nothing.", class_name, ("src/retinue/a.py", "class AgentService: ...")),
    Rule("module-docstring", "A reader asks first what this is.", module_docstring, ("src/retinue/a.py", "x = 1")),
    Rule(
        "empty-init", "Importing the own facade makes cycles.", empty_init, ("src/retinue/a/__init__.py", "import os")
    ),
    Rule(
        "no-sql",
        "The whole traffic with the database can be read in two folders.",
        no_sql,
        ("src/retinue/turn/a.py", "q = '''\n  select id\n  from agent where account_id = $1'''"),
    ),
    Rule("finished", "Unfinished code is an issue, not a comment.", finished, ("src/retinue/a.py", "x = 1  # TODO: y")),
    Rule(
        "no-skip",
        "A skipped test looks like a passing one.",
        no_skip,
        ("tests/a.py", "@pytest.mark.skip\ndef f(): ..."),
    ),
    Rule("no-sleep", "Sleeping tests are slow and flaky.", no_long_sleep, ("tests/a.py", "asyncio.sleep(2)")),
    Rule("no-test-class", "Functions read as sentences.", no_test_class, ("tests/a.py", "class TestX: ...")),
    Rule(
        "banned-names",
        "An allowance holds for one name, not for a file.",
        banned_names,
        ("src/retinue/llm/a.py", "from datetime import datetime as d\nd.now()"),
    ),
)

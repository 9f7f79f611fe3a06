"""Every file keeps the house rules, and every rule can tell a good file from a bad one."""

import subprocess
from pathlib import Path

import pytest

from tests.contracts import house_rules
from tests.contracts.house_rules import ROOT, RULES, Rule, Source

REGISTRIES = tuple(
    ".".join(parts)
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("yarnpkg", "com"))
)
MACHINE = tuple(f"/{name}/" for name in ("work", "root", "home/user"))


@pytest.fixture(scope="module")
def tree() -> list[Source]:
    return house_rules.sources()


def by_name(rule: Rule) -> str:
    return rule.name


@pytest.mark.parametrize("rule", RULES, ids=by_name)
def test_every_file_keeps_the_rule(rule: Rule, tree: list[Source]) -> None:
    found = [line for source in tree for line in house_rules.violations(rule, source)]
    escape = f"If it must be: # allow {rule.name}: <reason>"
    assert not found, f"{rule.reason} ({rule.name})\n" + "\n".join(found) + f"\n{escape}"


@pytest.mark.parametrize("rule", RULES, ids=by_name)
def test_the_rule_catches_what_it_is_for(rule: Rule) -> None:
    assert house_rules.violations(rule, Source(*rule.bad))


@pytest.mark.parametrize("rule", RULES, ids=by_name)
def test_an_escape_with_a_reason_is_accepted_and_one_without_is_not(rule: Rule) -> None:
    path, code = rule.bad
    line = next(rule.find(Source(path, code)))[0]
    lines = code.splitlines()

    def escaped(comment: str) -> list[str]:
        changed = [*lines[: line - 1], comment, *lines[line - 1 :]]
        return house_rules.violations(rule, Source(path, "\n".join(changed)))

    if line > 1:
        assert not escaped(f"# allow {rule.name}: a reason")
    assert escaped(f"# allow {rule.name}:")


def test_the_rules_look_at_files(tree: list[Source]) -> None:
    assert len([source for source in tree if source.in_src]) > 20


def test_prose_is_not_taken_for_sql() -> None:
    for prose in ("Select a channel from the list.", "with care", "update the agent", "create an agent", "notify"):
        assert not house_rules.SQL.match(prose), prose
    for sql in (
        "update agent set x = 1",
        "select intake_v1($1)",
        "with a as (select 1) select 2",
        "listen retinue_live",
    ):
        assert house_rules.SQL.match(sql), sql


def tracked() -> list[Path]:
    """The files that a commit would hold; all files where this is not a git checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]


def test_no_file_names_a_package_registry_or_a_folder_of_one_machine() -> None:
    found: list[str] = []
    for path in tracked():
        text = path.read_bytes().decode(errors="ignore") if path.is_file() else ""
        found += [f"{path.relative_to(ROOT)}: {word}" for word in (*REGISTRIES, *MACHINE) if word in text]
    assert not found, "\n".join(found)


def test_there_is_no_lock_file_with_download_addresses() -> None:
    names = ("uv.lock", "poetry.lock", "Pipfile.lock", "yarn.lock", "pnpm-lock.yaml")
    assert not [path for path in tracked() if path.name in names]

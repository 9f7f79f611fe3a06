"""Policies on the command line: kept in a file, compared, applied, asked about, tested, restored, on a real server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from retinue.cli import policy_files
from tests.cli import processes
from tests.cli.processes import Served

POLICIES = """\
policies:
  - name: Office hours
    type: time_window
    rule:
      scope: {tools: [current_time]}
      days: [mon, tue, wed, thu, fri]
      start: 08:00
      end: 18:00
      time_zone: Europe/Berlin
  - name: No mail
    type: tool_restriction
    rule: {never: [sendEmail]}
"""
TESTS = """\
tests:
  - name: at noon
    agent: assistant
    tool: current_time
    at: 2026-11-23T11:00:00Z
    expect: allow
  - agent: assistant
    tool: current_time
    at: 2026-11-23T17:30:00Z
    expect: deny
    reason: outside_hours
"""


@pytest.fixture
def served() -> Iterator[Served]:
    with processes.own_home() as home, Served(home) as server:
        yield server


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "all.yaml").write_text(POLICIES)
    (tmp_path / "tests.yaml").write_text(TESTS)
    return tmp_path


def policy(served: Served, *arguments: str, code: int = 0) -> str:
    done = processes.run(served.home, "policy", *arguments)
    assert done.returncode == code, done.stderr or done.stdout
    return done.stdout


def test_policies_in_a_file_are_tested_compared_applied_asked_about_and_restored(served: Served, files: Path) -> None:
    chosen, tests = str(files / "policies"), str(files / "tests.yaml")
    said = policy(served, "test", tests, code=1)
    assert "NO" in said and "deny (outside_hours)" in said and "1 of 2 passed." in said
    assert "2 of 2 passed." in policy(served, "test", tests, "--policies", chosen)
    assert "+ account: Office hours" in policy(served, "diff", chosen, code=1)
    assert "2 would be made" in policy(served, "apply", chosen, "--dry-run")
    assert "2 are made" in policy(served, "apply", chosen)
    assert "2 stay as they are" in policy(served, "diff", chosen)
    assert "2 of 2 passed." in policy(served, "test", tests)
    exported = files / "export.yaml"
    exported.write_text(policy(served, "export"))
    assert "2 stay as they are" in policy(served, "diff", "--prune", str(exported))
    (files / "policies" / "all.yaml").write_text(POLICIES.replace("18:00", "20:00").replace("[sendEmail]", "[pay]"))
    said = policy(served, "apply", chosen)
    assert 'rule.end: "18:00:00" -> "20:00:00"' in said and "2 changed" in said
    (files / "one.yaml").write_text(POLICIES.partition("  - name: No mail")[0])
    assert "1 removed" in policy(served, "apply", "--prune", str(files / "one.yaml"))
    _explain(served)
    _look_back(served)


def _explain(served: Served) -> None:
    """A call is explained, with names for ids."""
    said = policy(
        served, "explain", "assistant", "current_time", "--at", "2026-11-22T12:00:00Z", "--person", "owner@localhost",
        "--channel", "organisation", "--arg", "time_zone=UTC",
    )  # fmt: skip
    assert said.startswith("deny  outside_hours") and "Office hours" in said
    whole = json.loads(policy(served, "explain", "assistant", "--model", "offline/retinue", "--json"))
    assert whole["verdict"] == "allow"
    done = processes.run(served.home, "policy", "explain", "nobody", "current_time")
    assert done.returncode == 1 and "There is no agent 'nobody'" in done.stderr


def _look_back(served: Served) -> None:
    """The past of a policy is listed and restored by its name."""
    versions = json.loads(policy(served, "history", "office hours", "--json"))
    assert [one["version"] for one in versions] == [3, 2, 1]
    assert "that is now version 4" in policy(served, "restore", "Office hours", "2")
    shown = json.loads(policy(served, "show", "Office hours"))
    assert (shown["rule"]["end"], shown["version"]) == ("20:00:00", 4)
    listed = json.loads(policy(served, "list", "--type", "time_window", "--json"))
    assert [one["name"] for one in listed] == ["Office hours"]
    done = processes.run(served.home, "policy", "show", "Nothing")
    assert done.returncode == 1 and "There is no policy 'Nothing'" in done.stderr


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18:00", "18:00"), ("08:00", "08:00"), ("no", "no"), ("on", "on"), ("2026-11-23", "2026-11-23"),
        ("1_000", "1_000"), ("010", "010"), ("true", True), ("False", False), ("12", 12), ("-3", -3), ("1.5", 1.5),
        ("1e3", 1000.0), ("~", None), ("null", None), ("'12'", "12"), ("[a, 1]", ["a", 1]),
        ("2026-11-23T11:00:00Z", "2026-11-23T11:00:00Z"), ("=", "="), ("<<", "<<"),
    ],
)  # fmt: skip
def test_values_mean_what_yaml_1_2_says(tmp_path: Path, text: str, value: Any) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"key: {text}\n")
    assert policy_files.read(file) == {"key": value}


def test_what_is_written_reads_the_same(tmp_path: Path) -> None:
    documents = [{"name": "18:00", "rule": {"start": "18:00", "on": "no", "max": 1, "none": None, "yes": True}}]
    file = tmp_path / "a.yaml"
    file.write_text(policy_files.text(documents))
    assert policy_files.policies([file]) == documents


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: 1\na: 2\n", "stands here twice"), ("a: [", "is no YAML"), ("policies: 1\n", "must hold a list of policies"),
     ("- 1\n", "must hold a list"), ("!!python/object:os.system {}", "is no YAML")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(typer.BadParameter, match=words):
        policy_files.policies([file])

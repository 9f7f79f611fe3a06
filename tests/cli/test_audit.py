"""The record of audit on the command line: taken home from a real server, checked without one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import processes
from tests.cli.processes import Served


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with processes.own_home() as home, Served(home, RETINUE_SEAL_SECONDS="0.2") as server:
        yield server


@pytest.fixture(scope="module")
def export(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server has sealed, with a whole turn in it."""
    said = processes.run(served.home, "chat", "--once", "What time is it?")
    assert said.returncode == 0, said.stderr
    file = tmp_path_factory.mktemp("audit") / "audit.jsonl"

    def exported() -> bool:
        done = processes.run(served.home, "audit", "export", str(file))
        assert done.returncode == 0, done.stderr
        return "agent_turn" in file.read_text()

    processes.eventually(exported)
    return file


@pytest.mark.requirement("AUD-03", "AUD-04")
def test_an_export_is_verified_without_a_server(export: Path, home: Path) -> None:
    done = processes.run(home, "audit", "verify", str(export))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Whole: ")


def test_the_key_that_one_asks_for_is_the_servers(served: Served, export: Path, home: Path) -> None:
    [key] = json.loads(processes.run(served.home, "audit", "key", "--json").stdout)
    assert processes.run(home, "audit", "verify", str(export), "--key", key["id"]).returncode == 0
    other = processes.run(home, "audit", "verify", str(export), "--key", "0" * 16)
    assert other.returncode == 1
    assert key["id"] in other.stdout


def test_a_changed_line_is_named_and_the_command_fails(export: Path, home: Path, tmp_path: Path) -> None:
    lines = export.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if "agent_turn" in line)
    lines[at] = lines[at].replace("succeeded", "cancelled")
    changed = tmp_path / "changed.jsonl"
    changed.write_text("\n".join(lines) + "\n")
    done = processes.run(home, "audit", "verify", str(changed))
    assert done.returncode == 1
    assert f"Line {at + 1} (aud_" in done.stdout
    report = json.loads(processes.run(home, "audit", "verify", str(changed), "--json").stdout)
    assert [finding["fault"] for finding in report["findings"]] == ["line_changed"]


def test_what_the_server_has_stored_is_verified_there(served: Served, export: Path) -> None:
    done = processes.run(served.home, "audit", "verify")
    assert done.returncode == 0, done.stderr
    listed = json.loads(processes.run(served.home, "audit", "list", "--event", "audit.", "--json").stdout)
    assert listed[0]["event"] == "audit.verify"


def test_a_file_that_is_no_export_is_said_to_be_none(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "some.txt"
    file.write_text("hello\n")
    done = processes.run(home, "audit", "verify", str(file))
    assert done.returncode == 1
    assert "no export" in done.stdout

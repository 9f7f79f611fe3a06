"""Approving from the command line, against a real server with the offline model."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli import processes
from tests.cli.processes import Served

CAREFUL = {
    "name": "Careful",
    "tools": [{"tool": "current_time", "config": {"requires_approval": True}}],
}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with processes.own_home() as home, Served(home) as server:
        yield server


def run(served: Served, *arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    return processes.run(served.home, *arguments, **changes)


def listed(served: Served, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(served, *arguments, "--json").stdout)
    return found


@pytest.fixture(scope="module")
def careful(served: Served, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The slug of an agent that asks before it looks at the clock."""
    file: Path = tmp_path_factory.mktemp("agent") / "careful.json"
    file.write_text(json.dumps(CAREFUL))
    made = run(served, "agent", "create", "Careful", "--file", str(file))
    assert made.returncode == 0, made.stderr
    slug: str = json.loads(made.stdout)["slug"]
    return slug


def asks(served: Served, slug: str) -> dict[str, Any]:
    """A request for approval; the command that asked for it has said how to decide it."""
    said = run(served, "chat", slug, "--once", "What time is it?")
    assert said.returncode == 1
    [waiting] = listed(served, "approval", "list")
    assert f"retinue approval show {waiting['id']}" in said.stderr
    return waiting


@pytest.mark.requirement("GOV-15", "TOOL-16")
def test_a_call_is_seen_and_approved_from_the_command_line(served: Served, careful: str) -> None:
    waiting = asks(served, careful)
    assert waiting["id"] in run(served, "approval", "list").stdout
    shown = run(served, "approval", "show", waiting["id"]).stdout
    for words in ("Careful", "current_time", "open", "those with role admin or above", "then reject"):
        assert words in shown
    assert waiting["id"] in run(served, "interaction", "show", waiting["interaction_id"]).stdout
    refused = run(served, "approval", "approve", waiting["id"])
    assert refused.returncode == 1, "nobody has said yes"
    assert listed(served, "approval", "list") == [waiting]
    done = run(served, "approval", "approve", waiting["id"], "--yes")
    assert "approve; the turn goes on" in done.stdout
    assert "UTC" in run(served, "interaction", "watch", waiting["interaction_id"]).stdout
    assert "Nothing waits for you" in run(served, "approval", "list").stderr


def test_a_call_is_rejected_asked_about_changed_and_taken_back(served: Served, careful: str) -> None:
    waiting = asks(served, careful)
    assert "reject; the turn goes on" in run(served, "approval", "reject", waiting["id"], "--reason", "No.").stdout
    waiting = asks(served, careful)
    assert "ask back" in run(served, "approval", "ask", waiting["id"], "What for?").stdout
    waiting = asks(served, careful)
    wrong = run(served, "approval", "approve", waiting["id"], "--yes", "--arguments", '{"zone": 1}')
    assert wrong.returncode == 1 and "body.arguments" in wrong.stderr
    assert "must be one JSON object" in run(served, "approval", "approve", waiting["id"], "--arguments", "[]").stderr
    assert "is withdrawn" in run(served, "approval", "withdraw", waiting["id"]).stdout
    again = run(served, "approval", "approve", waiting["id"], "--yes")
    assert again.returncode == 1 and "already" in again.stderr
    decided = {one["decision"] for one in listed(served, "approval", "list", "--mine", "all")}
    assert {"reject", "ask_back", "withdrawn"} <= decided


def test_an_approval_stands_until_its_grant_is_revoked(served: Served, careful: str) -> None:
    waiting = asks(served, careful)
    done = run(served, "approval", "approve", waiting["id"], "--yes", "--days", "2", "--everywhere")
    assert done.returncode == 0, done.stderr
    run(served, "interaction", "watch", waiting["interaction_id"])
    said = run(served, "chat", careful, "--once", "What time is it?")
    assert said.returncode == 0 and "UTC" in said.stdout
    [grant] = listed(served, "grant", "list")
    assert (grant["tool"], grant["channel_id"]) == ("current_time", None)
    assert grant["id"] in run(served, "grant", "list").stdout
    assert "stands no longer" in run(served, "grant", "revoke", grant["id"]).stdout
    assert listed(served, "grant", "list") == []
    assert asks(served, careful)


def test_a_key_without_the_scope_is_told_what_it_lacks(served: Served, careful: str) -> None:
    made = run(served, "key", "create", "reader", "--scope", "read", "--scope", "write")
    key = json.loads(made.stdout)["secret"]
    waiting = listed(served, "approval", "list")[0]
    refused = run(served, "approval", "approve", waiting["id"], "--yes", RETINUE_API_KEY=key)
    assert refused.returncode == 1 and "lacks the scope approve" in refused.stderr

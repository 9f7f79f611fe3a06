"""Nodes behind a pooler in transaction mode: all but listening and migrating goes through it."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli import processes
from tests.cli.processes import Served
from tests.cli.test_commands import socket_of
from tests.conftest import SECRET
from tests.pooler import pooler

CHANNELS = 8


@pytest.fixture
def pooled(database_url: str) -> Iterator[str]:
    """This test's database through a pooler."""
    folder = str(Path(socket_of(database_url)).parent)
    with pooler(folder) as behind:
        yield database_url.replace(folder, behind)


def settings(pooled: str, direct: str) -> dict[str, str]:
    return {
        "RETINUE_DATABASE_URL": pooled,
        "RETINUE_DATABASE_POOLER": "true",
        "RETINUE_LISTEN_URL": direct,
        "RETINUE_SECRET_KEY": SECRET,
    }


def test_many_turns_at_once_go_through_a_pooler(home: Path, database_url: str, pooled: str) -> None:
    given = settings(pooled, database_url)
    first = json.loads(processes.run(home, "init", "--json", **given).stdout)
    with Served(home, **given) as server:
        key = {"authorization": f"Bearer {server.saved['api_key']}"}
        with httpx.Client(base_url=server.url, headers=key, trust_env=False, timeout=60) as http:

            def talk(number: int) -> list[str]:
                members: list[dict[str, Any]] = [{"agent_id": first["agent"]["id"], "trigger_mode": "proactive"}]
                channel = {"kind": "private", "name": f"Channel {number}", "members": members}
                made = http.post("/v1/channels", json=channel).raise_for_status().json()
                where = f"/v1/channels/{made['id']}/messages"
                asked = [
                    http.post(where, json={"content": "What time is it?"}, headers={"prefer": "wait=30"})
                    for _ in range(3)
                ]
                return [reply["content"] for answer in asked for reply in answer.raise_for_status().json()["replies"]]

            with ThreadPoolExecutor(CHANNELS) as many:
                replies = list(many.map(talk, range(CHANNELS)))
            assert [len(each) for each in replies] == [3] * CHANNELS
            assert all("UTC" in reply for each in replies for reply in each)
        checked = processes.run(home, "doctor", "--json", **given)
    assert checked.returncode == 0, checked.stdout
    assert "error" not in [json.loads(line)["level"] for line in server.log.read_text().splitlines() if line[:1] == "{"]


def test_a_pooler_that_nobody_spoke_of_is_found_and_both_settings_named(home: Path, pooled: str) -> None:
    for code, command in ((3, ("serve", "--port", "0")), (3, ("migrate",)), (1, ("doctor", "--json"))):
        refused = processes.run(home, *command, RETINUE_DATABASE_URL=pooled, RETINUE_SECRET_KEY=SECRET)
        assert refused.returncode == code, refused.stderr
        for name in ("RETINUE_DATABASE_POOLER", "RETINUE_LISTEN_URL"):
            assert name in refused.stderr + refused.stdout


def test_a_pooler_without_a_direct_address_is_refused(home: Path, pooled: str) -> None:
    given = {"RETINUE_DATABASE_URL": pooled, "RETINUE_DATABASE_POOLER": "true"}
    refused = processes.run(home, "migrate", **given)
    assert refused.returncode == 3
    assert "RETINUE_LISTEN_URL" in refused.stderr

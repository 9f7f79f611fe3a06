"""Secrets and their keys on the command line: real servers, a real rotation between them, and one that is killed."""

import asyncio
import json
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from retinue.db.pool import Database
from retinue.domain.accounts import Principal, Role
from retinue.store import accounts, rotation, secrets
from retinue.store.secrets import Sealer, Vault
from retinue.store.wrapping import Keyring
from tests.cli import processes
from tests.cli.processes import Served
from tests.conftest import SECRET
from tests.store.test_kms import PROGRAM

VALUE = "open-sesame-4711"
pytestmark = pytest.mark.timeout(300)  # servers start and stop, again and again
TWO = {"RETINUE_SECRET_KEY": "two", "RETINUE_SECRET_KEY_PREVIOUS": "one"}


@pytest.fixture
def embedded_home() -> Iterator[Path]:
    with processes.own_home() as home:
        yield home


def keys_check(home: Path, **settings: str) -> dict[str, Any]:
    """What ``retinue doctor`` says about keys, or about the database where it gets no further."""
    checks = json.loads(processes.run(home, "doctor", "--json", **settings).stdout)["checks"]
    by_name = {check["name"]: check for check in checks}
    return by_name.get("keys") or by_name["database"]


def keep(home: Path, name: str, value: str = VALUE) -> None:
    done = processes.run(home, "secrets", "set", name, stdin=value + "\n")
    assert done.returncode == 0, done.stderr
    assert value not in done.stdout + done.stderr


async def execute(home: Path, sql: str) -> None:
    """As the owner of the embedded server."""
    connection = await asyncpg.connect(f"postgresql://postgres@/postgres?host={home / 'postgres'}")
    await connection.execute(sql)
    await connection.close()


# ── by name ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_secrets_are_set_from_input_or_a_file_listed_by_name_and_forgotten(embedded_home: Path, tmp_path: Path) -> None:
    home = embedded_home
    file = tmp_path / "value"
    file.write_text(VALUE)
    with Served(home) as server:
        keep(home, "crm.token")
        assert processes.run(home, "secrets", "set", "other", "--file", str(file)).returncode == 0
        listed = processes.run(home, "secrets", "list", "--json")
        assert [one["name"] for one in json.loads(listed.stdout)] == ["crm.token", "other"]
        assert "crm.token" in processes.run(home, "secrets", "list").stdout
        assert processes.run(home, "secrets", "delete", "other").returncode == 0
        gone = processes.run(home, "secrets", "delete", "other")
        assert gone.returncode == 1 and "no secret by that name" in gone.stderr
        refused = processes.run(home, "secrets", "set", "a b", stdin=VALUE)
        assert refused.returncode == 1 and "letters, digits" in refused.stderr
        assert processes.run(home, "secrets", "set", "empty", stdin="\n").returncode == 1
        assert keys_check(home)["level"] == "ok"
        wrong = keys_check(home, RETINUE_SECRET_KEY="another key")
    assert wrong["level"] == "fail" and "crm.token of acc_" in wrong["found"]
    assert "RETINUE_SECRET_KEY_PREVIOUS" in wrong["advice"]
    assert VALUE not in server.log.read_text()


# ── another key ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("AUD-03")
def test_a_key_file_is_changed_and_all_goes_on_seals_of_audit_too(embedded_home: Path, tmp_path: Path) -> None:
    home = embedded_home
    with Served(home, RETINUE_SEAL_SECONDS="0.2") as server:
        keep(home, "crm.token")
        old = (home / "secret.key").read_text()
        processes.eventually(lambda: server.get("/v1/audit/seal").json()["seals"])
        refused = processes.run(home, "secrets", "rotate", "--new-key")
        assert refused.returncode == 3
        assert f"pid {server.process.pid}" in refused.stderr and "retinue secrets rotate" in refused.stderr
        keep(home, "crm.later")
    assert (home / "secret.key").read_text() != old
    assert (home / "secret.key.previous").read_text() == old.strip() + "\n"
    assert (home / "secret.key.previous").stat().st_mode & 0o777 == 0o600
    assert keys_check(home)["level"] == "warn"
    done = processes.run(home, "secrets", "rotate")
    assert done.returncode == 0, done.stderr
    assert "1 data key wrapped anew" in done.stdout and "retinue audit key" in done.stdout
    (home / "secret.key.previous").unlink()
    assert keys_check(home)["level"] == "ok"
    with Served(home, RETINUE_SEAL_SECONDS="0.2"):
        keep(home, "crm.again")
        names = {one["name"] for one in json.loads(processes.run(home, "secrets", "list", "--json").stdout)}
        assert names == {"crm.token", "crm.later", "crm.again"}
        assert processes.run(home, "audit", "verify").returncode == 0
        file = tmp_path / "audit.jsonl"
        processes.eventually(lambda: _signed_by_two(home, file))
        keys = [one["id"] for one in json.loads(processes.run(home, "audit", "key", "--json").stdout)]
    assert processes.run(home, "audit", "verify", str(file)).returncode == 0
    both = [word for key in keys for word in ("--key", key)]
    assert processes.run(home, "audit", "verify", str(file), *both).returncode == 0
    assert processes.run(home, "audit", "verify", str(file), "--key", keys[0]).returncode == 1


def _signed_by_two(home: Path, file: Path) -> bool:
    assert processes.run(home, "audit", "export", str(file)).returncode == 0
    return len(json.loads(processes.run(home, "audit", "verify", str(file), "--json").stdout)["keys"]) == 2


def test_nodes_with_the_old_and_the_new_key_run_together_and_are_let_in_by_the_database(embedded_home: Path) -> None:
    """On a server that asks for passwords: nobody is locked out before, during or after the rotation."""
    home = embedded_home
    with Served(home, RETINUE_SECRET_KEY="one") as first:
        keep(home, "crm.token")
        hba = home / "postgres" / "pg_hba.conf"
        hba.write_text("local all retinue_app,retinue_system scram-sha-256\n" + hba.read_text())
        asyncio.run(execute(home, "select pg_reload_conf()"))
        locked_out = keys_check(home, RETINUE_SECRET_KEY="two")
        assert locked_out["level"] == "fail" and "RETINUE_SECRET_KEY_PREVIOUS" in locked_out["found"]
        with Served(home, **TWO) as second:
            cut(home)
            for node in (first, second):
                processes.eventually(node.ready)
            refused = processes.run(home, "secrets", "rotate", **TWO)
            assert refused.returncode == 3
            assert f"pid {first.process.pid}" in refused.stderr and f"pid {second.process.pid}" not in refused.stderr
            first.stop()
            done = processes.run(home, "secrets", "rotate", "--json", **TWO)
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["rewrapped"] == 1
            cut(home)
            processes.eventually(second.ready)
        assert keys_check(home, RETINUE_SECRET_KEY="two")["level"] == "ok"
        assert keys_check(home, RETINUE_SECRET_KEY="one")["level"] == "fail"


def cut(home: Path) -> None:
    """End all connections of the application, so that nodes have to be let in again."""
    sql = "select pg_terminate_backend(pid) from pg_stat_activity where usename in ('retinue_app', 'retinue_system')"
    asyncio.run(execute(home, sql))


def test_a_new_key_file_is_not_made_where_the_key_is_a_setting(home: Path) -> None:
    refused = processes.run(home, "secrets", "rotate", "--new-key", RETINUE_SECRET_KEY="one")
    assert refused.returncode == 3
    assert "RETINUE_SECRET_KEY_PREVIOUS" in refused.stderr
    assert not (home / "secret.key").exists()


def test_previous_keys_that_cannot_be_read_are_named(home: Path) -> None:
    refused = processes.run(home, "secrets", "rotate", **(TWO | {"RETINUE_SECRET_KEY_PREVIOUS": "file:/no/such/file"}))
    assert refused.returncode == 3
    assert "/no/such/file" in refused.stderr and "Traceback" not in refused.stderr


def test_a_key_management_service_that_is_away_is_said(home: Path, database_url: str, tmp_path: Path) -> None:
    (tmp_path / "fault").write_text("down")
    refused = processes.run(
        home, "secrets", "rotate", RETINUE_DATABASE_URL=database_url, RETINUE_SECRET_KEY=SECRET,
        RETINUE_KMS_COMMAND=shlex.join([sys.executable, str(PROGRAM), str(tmp_path)]),
    )  # fmt: skip
    assert refused.returncode == 4
    assert "AccessDenied" in refused.stderr and "Traceback" not in refused.stderr


# ── a kill in the middle ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_rotation_that_is_killed_loses_nothing_and_goes_on(db: Database, home: Path, database_url: str) -> None:
    sealer = Sealer(Keyring.local(SECRET))
    made = [await accounts.bootstrap(db, name=f"A{one}", slug=f"a{one}", email=f"o@a{one}.test") for one in range(3)]
    ordered = sorted(one.account.id for one in made)
    for one in made:
        owner = Principal(account_id=one.account.id, user_id=one.owner.id, role=Role.OWNER)
        async with db.tenant_tx(one.account.id) as tx:
            await secrets.put(tx, sealer, owner, "crm", f"value of {one.account.id}")
    settings = {"RETINUE_DATABASE_URL": database_url, "RETINUE_SECRET_KEY": SECRET}
    async with asyncio.timeout(60), db.tenant_tx(ordered[1]) as tx:
        await tx.execute("select from secret where account_id = $1 for update", ordered[1])
        process = await asyncio.create_subprocess_exec(
            *processes.COMMAND, "secrets", "rotate", "--data-keys", env=processes.environment(home, **settings)
        )
        while not await tx.fetchval("select count(*) from pg_locks where not granted and pid <> pg_backend_pid()"):
            assert process.returncode is None
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL
    for account_id in ordered:
        assert await Vault(db, sealer).read(account_id, ["crm"]) == {"crm": f"value of {account_id}"}
    async with db.system_tx() as tx:
        assert await rotation.unfinished(tx) is not None
    found = await asyncio.to_thread(keys_check, home, **settings)
    assert found["level"] == "warn" and "broke off" in found["found"]
    done = await asyncio.to_thread(processes.run, home, "secrets", "rotate", **settings)
    assert done.returncode == 0, done.stderr
    assert "Took up the rotation that had broken off" in done.stdout
    for account_id in ordered:
        assert await Vault(db, sealer).read(account_id, ["crm"]) == {"crm": f"value of {account_id}"}
        async with db.tenant_tx(account_id) as tx:
            replaced = "select count(*) from audit_event where account_id = $1 and event = 'data_key.replace'"
            assert await tx.fetchval(replaced, account_id) == 1
            assert await tx.fetchval("select count(*) from data_key where account_id = $1", account_id) == 1

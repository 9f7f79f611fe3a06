"""The command line with real processes and a real database: first run, talking, every way of failing to start."""

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg
import httpx
import psutil
import pytest

from retinue.cli import local
from retinue.settings import Settings
from tests.cli import processes
from tests.cli.processes import Proxy, Served
from tests.conftest import SECRET


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A whole Retinue on its own embedded PostgreSQL, with the offline model."""
    with processes.own_home() as home, Served(home) as server:
        yield server


@pytest.fixture
def embedded_home() -> Iterator[Path]:
    with processes.own_home() as home:
        yield home


@pytest.fixture
def proxy(database_url: str) -> Iterator[Proxy]:
    door = Proxy(socket_of(database_url))
    yield door
    door.close()


def socket_of(url: str) -> str:
    return f"{parse_qs(urlsplit(url).query)['host'][0]}/.s.PGSQL.5432"


async def version(url: str) -> bytes:
    """The server's, as it says it: ``180004``."""
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("show server_version_num")).encode()
    finally:
        await connection.close()


def through(door: Proxy, url: str) -> str:
    return f"postgresql://postgres@127.0.0.1:{door.port}{urlsplit(url).path}"


def answer(done: "subprocess.CompletedProcess[str]") -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ── the first run ────────────────────────────────────────────────────────────────────────────────────────────────


def test_init_makes_what_a_first_run_needs_once_and_shows_the_key_once(home: Path, database_url: str) -> None:
    settings = {"RETINUE_DATABASE_URL": database_url, "RETINUE_SECRET_KEY": SECRET}
    first = answer(processes.run(home, "init", "--json", **settings))
    again = answer(processes.run(home, "init", "--json", **settings))
    new = answer(processes.run(home, "init", "--json", "--new-key", **settings))
    for name, prefix in (("account", "acc"), ("owner", "usr"), ("channel", "ch"), ("agent", "agt")):
        assert first[name]["id"].startswith(f"{prefix}_")
        assert first[name]["id"] == again[name]["id"] == new[name]["id"]
    assert first["channel"]["kind"] == "organisation"
    assert first["api_key"].startswith("rtn_")
    assert again["api_key"] is None
    assert new["api_key"] not in (None, first["api_key"])
    assert (home / "cli.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.requirement("ROL-03")
def test_a_newcomer_starts_it_talks_to_it_and_gets_an_answer_from_a_tool(served: Served) -> None:
    said = processes.run(served.home, "chat", "--once", "What time is it?")
    assert said.returncode == 0, said.stderr
    assert "UTC" in said.stdout
    assert len(said.stdout.strip().splitlines()) == 1, "only the answer goes to standard output"
    assert "Offline model" in said.stderr
    assert "current_time" in said.stderr


def test_text_piped_into_chat_is_one_message(served: Served) -> None:
    said = processes.run(served.home, "chat", stdin="Hello.\nWhat time is it?\n")
    assert said.returncode == 0, said.stderr
    assert "UTC" in said.stdout


def test_the_banner_names_the_address_the_link_the_line_to_type_and_the_model(served: Served) -> None:
    banner = served.log.read_text()
    assert served.url in banner
    assert f"retinue --home {served.home} chat" in banner.replace("\n", "")
    assert "offline" in banner
    link = next(word for word in banner.split() if "/sign-in?token=" in word)
    with httpx.Client(trust_env=False) as browser:
        token = parse_qs(urlsplit(link).query)["token"][0]
        form = f"token={token}"
        headers = {"content-type": "application/x-www-form-urlencoded", "origin": served.url}
        assert browser.post(f"{served.url}/sign-in", content=form, headers=headers).status_code == 303
        assert browser.get(f"{served.url}/v1/me").json()["role"] == "owner"


def test_a_turn_is_shown_as_a_timeline_and_listed(served: Served) -> None:
    processes.run(served.home, "chat", "--once", "What time is it?")
    newest = answer(processes.run(served.home, "interaction", "list", "--json"))[0]["id"]
    shown = processes.run(served.home, "interaction", "show", newest)
    assert shown.returncode == 0, shown.stderr
    for words in (newest, "succeeded", "think", "act current_time", "respond", "tokens in"):
        assert words in shown.stdout
    watched = processes.run(served.home, "interaction", "watch", newest)
    assert "UTC" in watched.stdout
    assert newest in processes.run(served.home, "interaction", "list").stdout


@pytest.mark.requirement("COST-17", "COST-20")
def test_usage_and_budgets_are_shown_as_a_table_as_json_and_as_csv(served: Served) -> None:
    processes.run(served.home, "chat", "--once", "What time is it?")
    assert "There are no budgets" in processes.run(served.home, "budget", "list").stderr
    rows = answer(processes.run(served.home, "usage", "--by", "agent, day", "--json"))
    assert rows[0]["interactions"] >= 1
    table = processes.run(served.home, "usage", "--by", "agent").stdout
    assert ("Assistant" in table, "agt_" in table) == (True, False)
    head, *lines = processes.run(
        served.home, "usage", "--by", "agent", "--csv", "--since", "2020-01-01"
    ).stdout.splitlines()
    assert head.startswith("agent_id,agent,interactions")
    assert lines[0].startswith("agt_")
    assert processes.run(served.home, "usage", "--by", "colour").returncode == 1

    key = json.loads((served.home / "cli.json").read_text())["api_key"]
    rule = {"type": "cost_limit", "per": "account", "limit_micro": 5_000_000}
    with httpx.Client(base_url=served.url, headers={"authorization": f"Bearer {key}"}) as api:
        made = api.post("/v1/policies", json={"name": "All of us", "rule": rule})
        assert made.status_code == 201, made.text
        [budget] = answer(processes.run(served.home, "budget", "list", "--json"))
        assert (budget["name"], budget["left"]["amount_micro"]) == ("All of us", 5_000_000)
        shown = processes.run(served.home, "budget", "list").stdout
        assert ("5.0000 USD" in shown, "month" in shown) == (True, True)
        assert api.delete(f"/v1/policies/{made.json()['id']}").is_success


@pytest.mark.parametrize("what", ["agent", "tool", "channel", "key", "user"])
def test_every_list_is_a_table_and_json(served: Served, what: str) -> None:
    listed = answer(processes.run(served.home, what, "list", "--json"))
    table = processes.run(served.home, what, "list")
    assert listed, "a first run has one of everything"
    assert table.returncode == 0, table.stderr
    assert str(listed[0].get("slug") or listed[0]["name"]) in table.stdout


def test_an_agent_is_made_and_talked_to_by_its_slug(served: Served) -> None:
    made = answer(processes.run(served.home, "agent", "create", "Clock", "--tool", "current_time"))
    said = processes.run(served.home, "chat", made["slug"], "--once", "What time is it?")
    assert said.returncode == 0, said.stderr
    assert "UTC" in said.stdout


def test_a_tool_that_is_not_there_is_said_when_an_agent_is_given_it(served: Served) -> None:
    made = processes.run(served.home, "agent", "create", "Early", "--tool", "curent_time", "--tool", "getCurrentTime")
    assert answer(made)["name"] == "Early"
    assert made.stderr.strip() == "There is no tool curent_time yet. The agent has it once it is registered."


def test_a_supervisors_child_says_where_the_embedded_database_keeps_its_data(tmp_path: Path) -> None:
    embedded = f"postgresql://postgres@/postgres?host={quote(str(tmp_path / 'postgres'), safe='')}"
    for url, said in ((None, str(tmp_path)), (embedded, str(tmp_path)), ("postgresql://db/x", "RETINUE_DATABASE_URL")):
        assert local.data_place(Settings(home=tmp_path, database_url=url)) == said


def test_a_tool_is_registered_listed_and_given_to_an_agent(served: Served, tmp_path: Path) -> None:
    definition = tmp_path / "tool.json"
    definition.write_text(json.dumps({"timeout_seconds": 5, "trust": "read", "effect": "external_once"}))
    given = ("crmLookup", "--endpoint", "https://crm.example/", "--description", "Look up.", "--effect", "read")
    made = answer(processes.run(served.home, "tool", "create", *given, "--file", str(definition)))
    seen = [made[name] for name in ("slug", "name", "effect", "timeout_seconds")]
    assert seen == ["crm_lookup", "Crm lookup", "read", 5]
    assert made["signing_secret"].startswith("whsec_")
    listed = {one["slug"]: one for one in answer(processes.run(served.home, "tool", "list", "--json"))}
    assert (listed["crm_lookup"]["kind"], listed["current_time"]["kind"]) == ("external", "internal")
    table = processes.run(served.home, "tool", "list").stdout
    assert "crm_lookup" in table and "external" in table
    agent = answer(processes.run(served.home, "agent", "create", "Seller", "--tool", "crm_lookup"))
    assert agent["name"] == "Seller"
    again = processes.run(served.home, "tool", "create", *given)
    assert (again.returncode, "There is a tool named crm_lookup already" in again.stderr) == (1, True)
    wrong = processes.run(served.home, "tool", "create", "x", "--endpoint", "ftp://x", *given[3:])
    assert (wrong.returncode, "body.endpoint" in wrong.stderr) == (1, True)


@pytest.mark.requirement("REG-02", "REG-04")
def test_a_role_is_made_changed_given_to_an_agent_and_removed(served: Served, tmp_path: Path) -> None:
    rules = tmp_path / "role.json"
    rules.write_text(json.dumps({"authority_bounds": {"max_seconds": 60}, "scope": {"write_access": []}}))
    given = ("Reader", "--tier", "retrieval", "--deny", "send_email", "--file", str(rules))
    made = answer(processes.run(served.home, "role", "create", *given))
    assert (made["scope"]["tools_deny"], made["scope"]["write_access"]) == (["send_email"], [])
    changed = answer(processes.run(served.home, "role", "update", "Reader", "--allow", "current_time"))
    assert (changed["scope"]["tools_allow"], changed["scope"]["tools_deny"]) == (["current_time"], ["send_email"])
    assert changed["authority_bounds"]["max_seconds"] == 60
    register = ("agent", "register", "assistant")
    before = answer(processes.run(served.home, *register))
    after = answer(processes.run(served.home, *register, "--score", "4", "--role", "Reader"))
    assert (after["autonomy_score"], after["role_name"]) == (4, "Reader")
    assert after["registry_tier"] == before["registry_tier"], "what is not named stays"
    assert "Reader" in processes.run(served.home, "role", "list").stdout
    refused = processes.run(served.home, "role", "delete", "Reader")
    assert (refused.returncode, "assistant" in refused.stderr) == (1, True)
    assert answer(processes.run(served.home, *register, "--role", ""))["role_id"] is None
    assert processes.run(served.home, "role", "delete", made["id"]).returncode == 0
    gone = processes.run(served.home, "role", "update", "Reader", "--tier", "advisory")
    assert (gone.returncode, "There is no role 'Reader'" in gone.stderr) == (1, True)


@pytest.mark.requirement("LIFE-06", "LIFE-07")
def test_an_agent_is_promoted_and_assigned_from_the_command_line(served: Served, tmp_path: Path) -> None:
    draft = tmp_path / "draft.json"
    draft.write_text(json.dumps({"deployment_state": "in_development", "tools": [{"tool": "current_time"}]}))
    made = answer(processes.run(served.home, "agent", "create", "Draft", "--file", str(draft)))
    said = [processes.run(served.home, "agent", "promote", made["slug"]) for _ in range(4)]
    assert [one.stdout.strip() for one in said[:3]] == [
        f"draft is {state} now." for state in ("testing", "available", "active")
    ]
    assert (said[3].returncode, "active already" in said[3].stderr) == (1, True)
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"searchMessages": {"max_calls_per_interaction": 2}}))
    who = ("user:owner@localhost", "--block", "getCurrentTime", "--restrictions", str(rules))
    assigned = answer(processes.run(served.home, "assignment", "create", "draft", *who))
    assert sorted(assigned["tool_restrictions"]) == ["current_time", "search_messages"]
    table = processes.run(served.home, "assignment", "list", "draft").stdout
    assert "current_time: blocked" in table and "at most 2" in table
    assert processes.run(served.home, "assignment", "delete", "draft", assigned["id"]).returncode == 0
    [everyone] = answer(processes.run(served.home, "assignment", "list", "draft", "--json"))
    assert everyone["scope"] == "account"
    for wrong in ((), ("somebody",), ("team:nobodys",)):
        assert processes.run(served.home, "assignment", "create", "draft", *wrong).returncode != 0


def test_turns_run_on_a_worker_of_their_own_when_the_server_has_none(home: Path, database_url: str) -> None:
    settings = {"RETINUE_DATABASE_URL": database_url, "RETINUE_SECRET_KEY": SECRET}
    with Served(home, "--no-worker", **settings):
        command = [*processes.COMMAND, "worker"]
        with subprocess.Popen(
            command, env=processes.environment(home, **settings), stdout=subprocess.DEVNULL
        ) as worker:
            said = processes.run(home, "chat", "--once", "What time is it?")
            worker.terminate()
            assert worker.wait(processes.WAIT_SECONDS) == 0
    assert said.returncode == 0, said.stderr
    assert "UTC" in said.stdout


def test_what_waits_for_nobody_and_what_did_not_fail_is_said_plainly(served: Served) -> None:
    processes.run(served.home, "chat", "--once", "Hello")
    newest = answer(processes.run(served.home, "interaction", "list", "--json"))[0]["id"]
    assert "no dead letters" in processes.run(served.home, "dead-letter", "list").stderr
    for command in ("answer", "retry"):
        refused = processes.run(served.home, "interaction", command, newest)
        assert refused.returncode == 1, refused.stdout
        assert "Traceback" not in refused.stderr
    assert "succeeded" in processes.run(served.home, "interaction", "cancel", newest).stdout
    unknown = processes.run(served.home, "interaction", "show", "int_nonsense")
    assert unknown.returncode == 1
    assert "int_01h455vb4pex5vsknk084sn02q" in unknown.stderr


@pytest.mark.requirement("ROL-01")
def test_doctor_looks_at_everything_and_finds_all_well_but_a_misspelled_tool(served: Served) -> None:
    processes.run(served.home, "agent", "create", "Hasty", "--tool", "curent_time")
    found = answer(processes.run(served.home, "doctor", "--json"))
    checks = {check["name"]: check for check in found["checks"]}
    levels = {name: check["level"] for name, check in checks.items()}
    assert found["ok"]
    assert set(levels) == {
        "disk", "migrations", "database", "extension", "tenancy", "clock", "queue", "dead letters", "nodes", "model",
        "server", "storage", "audit", "rules", "keys",
    }  # fmt: skip
    assert levels.pop("model") == "warn", "nobody should take the offline model for a real one"
    levels.pop("disk")
    assert levels.pop("rules") == "warn"
    assert "has the tool curent_time, which nobody provides" in checks["rules"]["found"]
    assert "take it from the agent" in checks["rules"]["advice"]
    assert [checks[name] for name, level in levels.items() if level != "ok"] == []


def test_a_taken_port_is_named_with_what_to_do(served: Served, home: Path) -> None:
    port = urlsplit(served.url).port
    for more in ((), ("--workers", "2")):
        refused = processes.run(home, "serve", "--port", str(port), *more)
        assert refused.returncode == 5
        assert f"Port {port}" in refused.stderr
        assert f"--port {(port or 0) + 1}" in refused.stderr
    assert not (home / "postgres").exists(), "nothing was started for nothing"


# ── the end, and the next day ────────────────────────────────────────────────────────────────────────────────────


def test_ctrl_c_stops_postgres_too_and_the_next_start_takes_the_data_up(embedded_home: Path) -> None:
    home = embedded_home
    with Served(home) as first:
        processes.run(home, "chat", "--once", "Remember me.")
        postmaster = int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        assert first.stop(signal.SIGINT) == 0
    assert not processes.lives(postmaster)
    with Served(home) as second:
        assert second.saved["api_key"] == first.saved["api_key"]
        assert len(answer(processes.run(home, "interaction", "list", "--json"))) == 1


def test_after_a_sigkill_the_next_process_is_the_last_one_and_stops_postgres(embedded_home: Path) -> None:
    home = embedded_home
    with Served(home) as first:
        postmaster = int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        first.stop(signal.SIGKILL)
    assert processes.lives(postmaster), "the database goes on alone"
    with Served(home) as second:
        assert int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0]) == postmaster
        assert second.stop() == 0
    assert not processes.lives(postmaster)


def test_two_serving_processes_share_the_port_and_a_killed_one_is_replaced(home: Path, database_url: str) -> None:
    settings = {"RETINUE_DATABASE_URL": database_url, "RETINUE_SECRET_KEY": SECRET}
    with Served(home, "--workers", "2", **settings) as server:
        parent = psutil.Process(server.process.pid)
        before = processes.eventually(lambda: len(parent.children()) == 2 and parent.children())
        before[1].kill()
        known = {child.pid for child in before}
        after = processes.eventually(lambda: {child.pid for child in parent.children()} - known)
        processes.eventually(lambda: all(processes.listens(pid) for pid in after))
        assert before[0].is_running()
        assert processes.run(home, "chat", "--once", "What time is it?").returncode == 0
        assert "retinue_http_requests_total" in server.get("/metrics").text
        children = parent.children(recursive=True)
        assert server.stop() == 0
    assert not any(processes.lives(child.pid) for child in children)


def test_children_end_when_their_parent_is_killed(home: Path, database_url: str) -> None:
    settings = {"RETINUE_DATABASE_URL": database_url, "RETINUE_SECRET_KEY": SECRET}
    with Served(home, "--workers", "2", **settings) as server:
        parent = psutil.Process(server.process.pid)
        children = processes.eventually(lambda: len(parent.children()) == 2 and parent.children())
        server.stop(signal.SIGKILL)
        processes.eventually(lambda: not any(processes.lives(child.pid) for child in children))


# ── what can be wrong at the start ───────────────────────────────────────────────────────────────────────────────


def test_a_database_that_is_down_at_the_start_is_said_with_what_to_check(home: Path) -> None:
    for command in ("serve", "worker", "migrate", "init"):
        refused = processes.run(home, command, RETINUE_DATABASE_URL="postgresql://postgres@127.0.0.1:1/postgres")
        assert refused.returncode == 4, refused.stderr
        assert "RETINUE_DATABASE_URL" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_postgres_that_is_too_old_is_refused(home: Path, database_url: str) -> None:
    number = asyncio.run(version(database_url))
    door = Proxy(socket_of(database_url), down=(number, b"14" + number[2:]))
    refused = processes.run(home, "serve", "--port", "0", RETINUE_DATABASE_URL=through(door, database_url))
    door.close()
    assert refused.returncode == 3, refused.stderr
    assert "PostgreSQL 14 is too old: Retinue needs PostgreSQL 15 or newer" in refused.stderr


def test_a_postgres_without_pgvector_is_refused(home: Path, database_url: str) -> None:
    door = Proxy(socket_of(database_url), up=(b"'vector'", b"'rotcev'"))
    for code, command in ((3, ("serve", "--port", "0")), (3, ("migrate",)), (1, ("doctor", "--json"))):
        refused = processes.run(home, *command, RETINUE_DATABASE_URL=through(door, database_url))
        assert refused.returncode == code, refused.stderr
        assert "Install it" in refused.stderr + refused.stdout
    door.close()


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = processes.run(tmp_path / "file" / "home", "serve", "--port", "0")
    assert refused.returncode == 3
    assert "RETINUE_HOME" in refused.stderr
    checked = processes.run(tmp_path / "file" / "home", "doctor", "--json")
    assert checked.returncode == 1
    assert json.loads(checked.stdout)["checks"][0]["name"] == "home"


def test_a_wrong_setting_is_named(home: Path) -> None:
    refused = processes.run(home, "serve", RETINUE_POOL_SIZE="many")
    assert refused.returncode == 3
    assert "RETINUE_POOL_SIZE" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_without_a_server_every_client_command_says_how_to_start_it(home: Path) -> None:
    for command in (("chat", "--once", "Hello"), ("agent", "list"), ("dead-letter", "list")):
        refused = processes.run(home, *command, RETINUE_URL="http://127.0.0.1:1", RETINUE_API_KEY="rtn_x")
        assert refused.returncode == 4
        assert "make run" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_wrong_key_is_said_with_how_to_make_one(served: Served) -> None:
    refused = processes.run(served.home, "agent", "list", RETINUE_API_KEY="rtn_wrong")
    assert refused.returncode == 1
    assert "retinue init --new-key" in refused.stderr


# ── a database that goes away later ──────────────────────────────────────────────────────────────────────────────


def test_when_the_database_goes_away_the_process_stays_says_so_and_comes_back(
    home: Path, database_url: str, proxy: Proxy
) -> None:
    settings = {"RETINUE_DATABASE_URL": through(proxy, database_url), "RETINUE_SECRET_KEY": SECRET}
    with Served(home, **settings) as server:
        processes.eventually(server.ready)
        proxy.shut()
        gone = processes.eventually(lambda: (r := server.get("/readyz")).status_code == 503 and r)
        assert gone.json()["code"] == "not_ready"
        assert "database does not answer" in gone.json()["detail"]
        assert server.get("/healthz").status_code == 200
        proxy.open()
        processes.eventually(server.ready)
        assert processes.run(home, "chat", "--once", "What time is it?").returncode == 0
        assert server.stop() == 0

"""``/v1/tools``, ``/v1/secrets`` and the tools of one agent over HTTP."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Role, Scope
from retinue.domain.tools import Collision
from retinue.store import wrapping
from retinue.store.secrets import Sealer, Vault
from tests.api.conftest import World, as_client, make_key, make_user, problem

CRM: dict[str, Any] = {
    "slug": "crmLookup", "name": "CRM lookup", "description": "Look a company up.", "effect": "read",
    "endpoint": "https://crm.example/lookup",
    "parameters": {"type": "object", "properties": {"company": {"type": "string", "description": "Its name."}}},
}  # fmt: skip
OWN = ["current_time", "list_channel_members", "search_messages", "search_tools"]


async def register(client: httpx.AsyncClient, **changes: object) -> dict[str, Any]:
    answer = await client.post("/v1/tools", json=CRM | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def listed(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    return (await client.get("/v1/tools")).json()["data"]


@pytest.mark.requirement("TOOL-08", "CON-47", "CON-48")
async def test_a_tool_is_registered_read_changed_and_removed(client: httpx.AsyncClient) -> None:
    made = await register(client)
    assert (made["slug"], made["kind"], made["trust"], made["enabled"]) == ("crm_lookup", "external", "standard", True)
    assert made["signing_secret"].startswith("whsec_")
    seen = {name: value for name, value in made.items() if name not in ("signing_secret", "collisions")}
    for name in (made["id"], "crm_lookup", "crmLookup", "CRM-lookup"):
        assert (await client.get(f"/v1/tools/{name}")).json() == seen
    change = {"description": "Better.", "timeout_seconds": 2.5, "max_calls_per_interaction": 3}
    changed = (await client.patch("/v1/tools/crm_lookup", json=change)).json()
    assert changed == seen | change | {"updated_at": changed["updated_at"]}
    assert (await client.patch(f"/v1/tools/{made['id']}", json={"max_calls_per_interaction": None})).json()[
        "max_calls_per_interaction"
    ] is None
    assert (await client.delete("/v1/tools/crmLookup")).status_code == 204
    problem(await client.get(f"/v1/tools/{made['id']}"), 404, "not_found")
    assert (await client.get("/v1/secrets")).json()["data"] == [], "its own signing secret goes with it"


@pytest.mark.requirement("EXT-25")
async def test_a_signing_secret_is_shown_once_and_opens_where_calls_are_made(
    client: httpx.AsyncClient, db: Database, world: World, state: AppState
) -> None:
    made = await register(client)
    name = made["auth"]["signing_secret_name"]
    vault = Vault(db, Sealer(wrapping.of(state.settings)))
    assert await vault.read(world.owner.account_id, [name]) == {name: made["signing_secret"]}
    for path in ("/v1/tools", "/v1/tools/crm_lookup", "/v1/secrets", "/v1/audit"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert made["signing_secret"] not in answer.text
    named = await register(client, slug="other", auth={"type": "hmac", "secret_name": "mine"})
    assert named["signing_secret"] is None


async def test_all_tools_are_listed_page_by_page_those_of_code_first(client: httpx.AsyncClient) -> None:
    for slug in ("beta", "alpha", "zeta"):
        await register(client, slug=slug)
    whole = await listed(client)
    own = [tool["slug"] for tool in whole if tool["kind"] == "internal"]
    assert set(OWN) <= set(own)
    assert [tool["slug"] for tool in whole] == [*sorted(own), "alpha", "beta", "zeta"]
    assert {tool["id"] for tool in whole if tool["kind"] == "internal"} == {None}
    for limit in (1, 2, len(own), len(own) + 1):
        pages: list[dict[str, Any]] = []
        page: dict[str, Any] = {"next": ""}
        while page["next"] is not None:
            page = (await client.get("/v1/tools", params={"limit": limit, "after": page["next"]})).json()
            pages += page["data"]
        assert pages == whole, f"with {limit} to a page"


@pytest.mark.requirement("TOOL-15", "TOOL-12")
async def test_a_name_that_is_taken_by_code_is_reported_everywhere(client: httpx.AsyncClient) -> None:
    lost = {"slug": "current_time", "winner": "internal", "loser": "external"}
    made = await register(client, slug="getCurrentTime")
    assert (made["shadowed"], made["collisions"]) == (True, [lost])
    page = (await client.get("/v1/tools")).json()
    assert page["collisions"] == [lost]
    assert [tool["shadowed"] for tool in page["data"] if tool["slug"] == "current_time"] == [False, True]
    assert (await client.get("/v1/tools/current_time")).json()["kind"] == "internal"
    assert (await client.get(f"/v1/tools/{made['id']}")).json()["shadowed"] is True
    assert (await client.patch("/v1/tools/current_time", json={"name": "Mine"})).json()["id"] == made["id"]
    assert (await client.delete("/v1/tools/current_time")).status_code == 204
    assert (await client.get("/v1/tools")).json()["collisions"] == []


async def test_a_collision_of_packages_is_reported(app: FastAPI, state: AppState, client: httpx.AsyncClient) -> None:
    assert state.registry is not None
    clash = Collision(slug="dice", winner="retinue", loser="other-package")
    state.registry.collisions = (clash,)
    assert (await client.get("/v1/tools")).json()["collisions"] == [clash.model_dump()]


async def test_tools_of_code_can_be_read_and_not_changed(client: httpx.AsyncClient) -> None:
    seen = (await client.get("/v1/tools/getCurrentTime")).json()
    assert (seen["slug"], seen["kind"], seen["effect"], seen["endpoint"]) == ("current_time", "internal", "read", None)
    problem(await client.patch("/v1/tools/current_time", json={"name": "x"}), 409, "wrong_state")
    problem(await client.delete("/v1/tools/current_time"), 409, "wrong_state")


async def test_two_tools_cannot_have_one_name(client: httpx.AsyncClient) -> None:
    first = await register(client)
    problem(await client.post("/v1/tools", json=CRM | {"slug": "crm-lookup"}), 409, "already_exists")
    assert (await client.get("/v1/tools/crm_lookup")).json()["id"] == first["id"]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"slug": "___"}, "body.slug"), ({"slug": "x" * 64}, "body.slug"), ({"slug": "calendar_api"}, "body.slug"),
        ({"name": ""}, "body.name"), ({"name": "a\x00b"}, "body.name"), ({"description": ""}, "body.description"),
        ({"effect": "write"}, "body.effect"), ({"effect": "sometimes"}, "body.effect"),
        ({"endpoint": "ftp://x"}, "body.endpoint"), ({"endpoint": "http://u:p@x/"}, "body.endpoint"),
        ({"parameters": {"type": "array"}}, "body.parameters.type"),
        ({"parameters": {"type": "object", "$ref": "https://evil.example/x"}}, "body.parameters"),
        ({"parameters": {"type": "object", "title": "\x00"}}, "body.parameters"),
        ({"returns": {"type": 7}}, "body.returns"), ({"auth": {"type": "bearer"}}, "body.auth.secret_name"),
        ({"auth": {"type": "api_key", "secret_name": "s", "header": "Host"}}, "body.auth.header"),
        ({"auth": {"type": "magic"}}, "body.auth.type"), ({"trust": "root"}, "body.trust"),
        ({"timeout_seconds": 0}, "body.timeout_seconds"), ({"timeout_seconds": 601}, "body.timeout_seconds"),
        ({"max_calls_per_interaction": 0}, "body.max_calls_per_interaction"), ({"surprise": 1}, "body.surprise"),
        ({"max_calls_per_interaction": 2**40}, "body.max_calls_per_interaction"),
        ({"config": {"share": ["history"]}}, "body.config.share"),
    ],
)  # fmt: skip
async def test_a_wrong_tool_is_refused_with_the_place(
    client: httpx.AsyncClient, wrong: dict[str, object], path: str
) -> None:
    body = problem(await client.post("/v1/tools", json=CRM | wrong), 422, "invalid_input")
    assert any(str(entry["path"]).startswith(path) for entry in body["errors"]), body  # type: ignore[attr-defined]
    if path == "body.slug":
        return
    await register(client)
    body = problem(await client.patch("/v1/tools/crm_lookup", json=wrong), 422, "invalid_input")
    assert any(str(entry["path"]).startswith(path) for entry in body["errors"]), body  # type: ignore[attr-defined]


async def test_a_change_to_null_is_refused_where_null_means_nothing(client: httpx.AsyncClient) -> None:
    made = await register(client)
    for field in ("name", "endpoint", "effect", "auth", "enabled", "parameters"):
        problem(await client.patch("/v1/tools/crm_lookup", json={field: None}), 422, "invalid_input")
    problem(await client.patch("/v1/tools/crm_lookup", json={"slug": "other"}), 422, "invalid_input")
    assert (await client.patch("/v1/tools/crm_lookup", json={})).json()["updated_at"] == made["updated_at"]


async def test_members_read_tools_without_their_inside_and_change_nothing(
    app: FastAPI, db: Database, client: httpx.AsyncClient, world: World
) -> None:
    made = await register(client, auth={"type": "bearer", "secret_name": "crm"}, config={"share": ["tools"]})
    _, member = await make_user(db, world, Role.MEMBER)
    agent = f"/v1/agents/{ids.encode('agt', world.made.agent.id)}"
    for key in (await make_key(db, member), await make_key(db, world.owner, Scope.READ, Scope.WRITE)):
        async with as_client(app, key.secret) as other:
            for attempt in (
                other.post("/v1/tools", json=CRM | {"slug": "x"}),
                other.patch("/v1/tools/crm_lookup", json={"name": "X"}),
                other.delete("/v1/tools/crm_lookup"),
                other.put(f"{agent}/tools/crm_lookup", json={}),
                other.delete(f"{agent}/tools/current_time"),
                other.get("/v1/secrets"),
                other.put("/v1/secrets/crm", json={"value": "v"}),
                other.delete("/v1/secrets/crm"),
            ):
                problem(await attempt, 403, "forbidden")
    async with as_client(app, (await make_key(db, member)).secret) as other:
        for seen in ((await other.get("/v1/tools/crm_lookup")).json(), (await listed(other))[-1]):
            assert (seen["id"], seen["parameters"]) == (made["id"], CRM["parameters"])
            assert (seen["endpoint"], seen["auth"], seen["config"]) == (None, None, None)


async def test_one_account_does_not_see_or_disturb_the_tools_of_another(
    client: httpx.AsyncClient, app: FastAPI, stranger: Any
) -> None:
    made = await register(client)
    for name in (made["id"], "crm_lookup"):
        problem(await stranger.client.get(f"/v1/tools/{name}"), 404, "not_found")
        problem(await stranger.client.patch(f"/v1/tools/{name}", json={"name": "x"}), 404, "not_found")
        problem(await stranger.client.delete(f"/v1/tools/{name}"), 404, "not_found")
    theirs = await register(stranger.client, endpoint="https://elsewhere.example/")
    assert theirs["id"] != made["id"]
    assert (await client.get("/v1/tools/crm_lookup")).json()["endpoint"] == CRM["endpoint"]


async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    nowhere = f"/v1/agents/{ids.encode('agt', ids.new())}/tools"
    for attempt in (
        client.get("/v1/tools/nothing"),
        client.get(f"/v1/tools/{ids.encode('tool', ids.new())}"),
        client.get("/v1/tools/tool_nonsense"),
        client.patch("/v1/tools/nothing", json={"name": "x"}),
        client.delete("/v1/tools/nothing"),
        client.delete("/v1/secrets/nothing"),
        client.put(f"{nowhere}/current_time", json={}),
        client.delete(f"{nowhere}/current_time"),
    ):
        problem(await attempt, 404, "not_found")
    problem(await client.get("/v1/tools", params={"after": "nonsense"}), 422, "invalid_input")


async def test_a_tool_may_be_named_like_an_id(client: httpx.AsyncClient) -> None:
    made = await register(client, slug="tool_box")
    assert (await client.get("/v1/tools/tool_box")).json()["id"] == made["id"]


@pytest.mark.requirement("TOOL-11", "TOOL-17")
async def test_one_tool_is_given_to_an_agent_switched_off_and_taken_again(
    client: httpx.AsyncClient, world: World
) -> None:
    await register(client)
    agent = f"/v1/agents/{ids.encode('agt', world.made.agent.id)}"
    before = (await client.get(agent)).json()["config_hash"]
    use = {"enabled": True, "config": {"max_calls_per_interaction": 2}}
    given = (await client.put(f"{agent}/tools/crmLookup", json=use)).json()
    assert given == [{"tool": "crm_lookup", **use}]
    after = (await client.get(agent)).json()["config_hash"]
    assert after != before, "the next turn runs on another snapshot"
    off = (await client.put(f"{agent}/tools/crm_lookup", json={"enabled": False})).json()
    assert off == [{"tool": "crm_lookup", "enabled": False, "config": {}}]
    assert off[0] in (await client.get(f"{agent}/tools")).json()
    family = (await client.put(f"{agent}/tools/calendar_api", json={})).json()
    assert [one["tool"] for one in family] == ["get_events", "create_event", "find_free_time"]
    assert (await client.delete(f"{agent}/tools/crm_lookup")).status_code == 204
    problem(await client.delete(f"{agent}/tools/crm_lookup"), 404, "not_found")
    body = problem(await client.put(f"{agent}/tools/!", json={}), 422, "invalid_input")
    assert body["errors"]


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"requires_approval": "no"}, "requires_approval"), ({"timeout_seconds": "fast"}, "timeout_seconds"),
        ({"max_calls_per_interaction": 0}, "max_calls_per_interaction"), ({"timeout_seconds": True}, "timeout_seconds"),
    ],
)  # fmt: skip
async def test_a_configuration_that_the_gate_cannot_read_is_refused(
    client: httpx.AsyncClient, world: World, config: dict[str, object], path: str
) -> None:
    agent = f"/v1/agents/{ids.encode('agt', world.made.agent.id)}"
    for attempt in (
        client.put(f"{agent}/tools/current_time", json={"config": config}),
        client.put(f"{agent}/tools", json={"tools": [{"tool": "current_time", "config": config}]}),
        client.post("/v1/agents", json={"name": "A", "tools": [{"tool": "current_time", "config": config}]}),
    ):
        body = problem(await attempt, 422, "invalid_input")
        assert [str(entry["path"]).rpartition(".")[2] for entry in body["errors"]] == [path]  # type: ignore[attr-defined]


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_secrets_go_in_are_named_replaced_and_forgotten_and_never_come_out(
    client: httpx.AsyncClient, db: Database, world: World, state: AppState
) -> None:
    vault = Vault(db, Sealer(wrapping.of(state.settings)))
    for value in ("first-value-1", "second-value-2"):
        answer = await client.put("/v1/secrets/crm.key", json={"value": value})
        assert (answer.status_code, answer.json()["name"]) == (200, "crm.key")
        assert value not in answer.text
        assert await vault.read(world.owner.account_id, ["crm.key"]) == {"crm.key": value}
    await client.put("/v1/secrets/another", json={"value": "x"})
    first = (await client.get("/v1/secrets?limit=1")).json()
    second = (await client.get("/v1/secrets", params={"limit": 1, "after": first["next"]})).json()
    assert [one["name"] for one in (*first["data"], *second["data"])] == ["another", "crm.key"]
    assert second["next"] is None
    assert set(first["data"][0]) == {"name", "created_at"}
    audit = (await client.get("/v1/audit")).text
    assert "secret.put" in audit and "second-value" not in audit
    assert (await client.delete("/v1/secrets/crm.key")).status_code == 204
    problem(await client.delete("/v1/secrets/crm.key"), 404, "not_found")


@pytest.mark.parametrize("value", ["", "x" * 17_000, "é" * 9_000, "\ud800", 7, None])
async def test_a_value_that_cannot_be_kept_is_refused_without_being_repeated(
    client: httpx.AsyncClient, value: object
) -> None:
    sent = json.dumps({"value": value})  # httpx would not encode half of a surrogate pair
    answer = await client.put("/v1/secrets/s", content=sent, headers={"content-type": "application/json"})
    body = problem(answer, 422, "invalid_input")
    assert [str(entry["path"]).rpartition(".")[2] for entry in body["errors"]] == ["value"]  # type: ignore[attr-defined]
    assert not value or json.dumps(value) not in answer.text


@pytest.mark.parametrize("name", ["a b", "-x", "x" * 129, "%00"])
async def test_a_name_that_cannot_be_a_secrets_is_refused(client: httpx.AsyncClient, name: str) -> None:
    problem(await client.put(f"/v1/secrets/{name}", json={"value": "v"}), 422, "invalid_input")


async def test_without_an_installation_key_nothing_is_stored_in_the_clear(
    app: FastAPI, state: AppState, client: httpx.AsyncClient
) -> None:
    app.state.retinue = replace(state, settings=state.settings.model_copy(update={"secret_key": None}))
    problem(await client.put("/v1/secrets/s", json={"value": "v"}), 500, "misconfigured")
    problem(await client.post("/v1/tools", json=CRM), 500, "misconfigured")

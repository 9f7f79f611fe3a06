"""Worker roles, registrations, assignments and promotion over HTTP."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Role, Scope
from tests.api.conftest import World, as_client, make_key, make_user, problem

BUYER: dict[str, Any] = {
    "name": "Buyer",
    "description": "Buys small things.",
    "autonomy_tier": "bounded_autonomous",
    "scope": {
        "tools_allow": ["*"],
        "tools_deny": ["sendEmail"],
        "data_access": ["shop"],
        "write_access": ["shop"],
        "environment_access": ["network"],
    },
    "authority_bounds": {
        "max_spend_micro": 5_000_000,
        "max_seconds": 60,
        "max_concurrent_steps": 2,
        "escalation_threshold_micro": 1_000_000,
    },
    "escalation_rules": [{"condition": {"categories": ["financial_transaction"]}, "action": "ask"}],
}
NO_ROLE = ids.encode("role", ids.new())


async def make_agent(client: httpx.AsyncClient, **fields: Any) -> str:
    """An agent; gives its path."""
    made = await client.post("/v1/agents", json={"name": "Ann", **fields})
    assert made.status_code == 201, made.text
    return f"/v1/agents/{made.json()['id']}"


async def make_role(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    made = await client.post("/v1/roles", json=BUYER | fields)
    assert made.status_code == 201, made.text
    return made.json()


# ── roles ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("GOV-08")
async def test_a_role_cannot_promise_tools_that_a_policy_does_not_give(client: httpx.AsyncClient) -> None:
    rule = {"type": "tool_restriction", "never": ["send_email"]}
    await client.post("/v1/policies", json={"layer": "account", "name": "No mail", "rule": rule})
    wide = {"name": "Clerk", "scope": {"tools_allow": ["sendEmail"]}}
    said: Any = problem(await client.post("/v1/roles", json=BUYER | wide), 409, "loosens")
    assert "“No mail”" in said["detail"]
    assert said["errors"][0]["path"] == "body.scope.tools_allow"
    made = await make_role(client, name="Clerk")
    path = f"/v1/roles/{made['id']}"
    problem(await client.patch(path, json={"scope": wide["scope"]}), 409, "loosens")
    assert (await client.patch(path, json={"description": "Other words."})).status_code == 200
    assert (await client.get(path)).json()["scope"] == made["scope"], "nothing of what was refused is kept"


@pytest.mark.requirement("REG-04", "REG-05")
async def test_a_role_is_made_read_changed_and_removed(client: httpx.AsyncClient) -> None:
    made = await make_role(client)
    path = f"/v1/roles/{made['id']}"
    for part in ("scope", "authority_bounds"):
        assert BUYER[part].items() <= made[part].items()
    assert made["escalation_rules"][0]["condition"]["categories"] == ["financial_transaction"]
    assert (await client.get(path)).json() == made
    assert (await client.get("/v1/roles")).json() == {"data": [made], "next": None}
    problem(await client.post("/v1/roles", json=BUYER | {"name": "buyer"}), 409, "already_exists")
    other = await make_role(client, name="Other")
    problem(await client.patch(f"/v1/roles/{other['id']}", json={"name": "BUYER"}), 409, "already_exists")
    changed = (await client.patch(path, json={"autonomy_tier": "advisory", "scope": {"tools_deny": ["x"]}})).json()
    assert (changed["autonomy_tier"], changed["scope"]["tools_allow"]) == ("advisory", None)
    assert (changed["name"], changed["authority_bounds"]) == ("Buyer", made["authority_bounds"])
    assert (await client.patch(path, json={})).json() == changed
    page = (await client.get("/v1/roles?limit=1")).json()
    assert [one["id"] for one in page["data"]] == [made["id"]]
    rest = (await client.get("/v1/roles", params={"after": page["next"]})).json()
    assert [one["id"] for one in rest["data"]] == [other["id"]]
    assert (await client.delete(path)).status_code == 204
    for attempt in (client.get(path), client.patch(path, json={"name": "X"}), client.delete(path)):
        problem(await attempt, 404, "not_found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"autonomy_tier": "department"}, {"autonomy_tier": "sovereign"}, {"name": ""},
        {"scope": {"tools_allow": ["not a tool!"]}}, {"scope": {"environment_access": ["moon"]}},
        {"authority_bounds": {"max_spend_micro": -1}}, {"authority_bounds": {"max_concurrent_steps": 0}},
        {"escalation_rules": [{"condition": {}, "action": "ask"}]}, {"registry_tier": "personal"},
    ],
)  # fmt: skip
async def test_a_role_that_makes_no_sense_is_refused(client: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    assert problem(await client.post("/v1/roles", json=BUYER | wrong), 422, "invalid_input")["errors"]


@pytest.mark.requirement("REG-02", "REG-04")
async def test_a_role_that_agents_have_stays_and_names_them(client: httpx.AsyncClient) -> None:
    role = await make_role(client)
    ann, bea = await make_agent(client), await make_agent(client, name="Bea")
    for agent in (ann, bea):
        body = {"registry_tier": "personal", "autonomy_score": 3, "role_id": role["id"]}
        assert (await client.put(f"{agent}/registry", json=body)).json()["role_name"] == "Buyer"
    assert (await client.get(f"/v1/roles/{role['id']}")).json()["agents"] == [ann[11:], bea[11:]]
    refused = problem(await client.delete(f"/v1/roles/{role['id']}"), 409, "wrong_state")
    assert "ann, bea" in str(refused["detail"])
    await client.put(f"{bea}/registry", json={"registry_tier": "personal", "autonomy_score": 3})
    await client.delete(ann)
    assert (await client.delete(f"/v1/roles/{role['id']}")).status_code == 204, "a deleted agent holds nothing"


# ── registrations ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("REG-02", "REG-10", "CON-07", "CON-08", "REG-23")
async def test_an_agent_is_registered_with_a_tier_and_a_score_that_is_not_its_trust(client: httpx.AsyncClient) -> None:
    agent = await make_agent(client, trust_level="elevated")
    made = (await client.get(f"{agent}/registry")).json()
    assert (made["registry_tier"], made["autonomy_score"], made["role_id"]) == ("department", 8, None)
    body = {
        "registry_tier": "operator", "autonomy_score": 3, "skills": ["negotiate", "negotiate"],
        "capabilities": ["streaming", "file_io", "cost_tracking"], "role_id": None,
    }  # fmt: skip
    changed = (await client.put(f"{agent}/registry", json=body)).json()
    assert changed.items() >= (body | {"skills": ["negotiate"]}).items()
    assert (changed["trust_level"], changed["score_trust_level"]) == ("elevated", "standard")
    assert (await client.get(agent)).json()["trust_level"] == "elevated", "the score decides nothing about tools"
    assert (await client.get(f"{agent}/registry")).json() == changed
    for score, level in ((1, "read"), (2, "read"), (5, "standard"), (6, "elevated"), (9, "admin"), (10, "admin")):
        again = await client.put(f"{agent}/registry", json=body | {"autonomy_score": score})
        assert again.json()["score_trust_level"] == level


@pytest.mark.requirement("REG-03")
@pytest.mark.parametrize(
    "wrong",
    [
        {"autonomy_score": 0}, {"autonomy_score": 11}, {"autonomy_score": 2.5}, {"registry_tier": "advisory"},
        {"registry_tier": "department", "autonomy_score": None}, {"capabilities": ["flying"]}, {"skills": ["a b"]},
        {"tier": "department"}, {"role_id": NO_ROLE},
    ],
)  # fmt: skip
async def test_a_score_or_a_tier_out_of_range_is_refused(client: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    agent = await make_agent(client)
    before = (await client.get(f"{agent}/registry")).json()
    body = {"registry_tier": "department", "autonomy_score": 5} | wrong
    assert problem(await client.put(f"{agent}/registry", json=body), 422, "invalid_input")["errors"]
    assert (await client.get(f"{agent}/registry")).json() == before


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_members_read_how_an_agent_is_registered_and_change_nothing(
    app: FastAPI, db: Database, client: httpx.AsyncClient, world: World
) -> None:
    agent, role = await make_agent(client), await make_role(client)
    [everyone] = (await client.get(f"{agent}/assignments")).json()
    assert (everyone["scope"], everyone["scope_id"]) == ("account", ids.encode("acc", world.owner.account_id))
    _, member = await make_user(db, world, Role.MEMBER)
    for key in (await make_key(db, member), await make_key(db, world.owner, Scope.READ, Scope.WRITE)):
        async with as_client(app, key.secret) as other:
            assert (await other.get(f"{agent}/registry")).status_code == 200
            for attempt in (
                other.put(f"{agent}/registry", json={"registry_tier": "personal", "autonomy_score": 1}),
                other.get("/v1/roles"),
                other.post("/v1/roles", json=BUYER),
                other.get(f"/v1/roles/{role['id']}"),
                other.patch(f"/v1/roles/{role['id']}", json={"name": "X"}),
                other.delete(f"/v1/roles/{role['id']}"),
                other.post(f"{agent}/assignments", json={"scope": "account"}),
            ):
                problem(await attempt, 403, "forbidden")
            for attempt in (
                other.patch(f"{agent}/assignments/{everyone['id']}", json={"tool_restrictions": {}}),
                other.delete(f"{agent}/assignments/{everyone['id']}"),
            ):
                assert (await attempt).status_code in (403, 404)


# ── assignments and promotion ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("LIFE-07", "LIFE-08", "LIFE-09", "CON-48")
async def test_an_agent_is_assigned_restricted_and_withdrawn(
    app: FastAPI, db: Database, client: httpx.AsyncClient, world: World
) -> None:
    agent = await make_agent(client, tools=[{"tool": "web_search"}, {"tool": "current_time"}])
    user, member = await make_user(db, world, Role.MEMBER)
    [everyone] = (await client.get(f"{agent}/assignments")).json()
    body = {
        "scope": "user", "scope_id": ids.encode("usr", user.id),
        "tool_restrictions": {"getCurrentTime": {"max_calls_per_interaction": 1}, "searchWeb": {"blocked": True}},
    }  # fmt: skip
    made = await client.post(f"{agent}/assignments", json=body)
    assert made.status_code == 201, made.text
    assert sorted(made.json()["tool_restrictions"]) == ["current_time", "web_search"]
    problem(await client.post(f"{agent}/assignments", json=body), 409, "already_exists")
    path = f"{agent}/assignments/{made.json()['id']}"
    changed = await client.patch(path, json={"tool_restrictions": {"web_search": {"blocked": True}}})
    assert sorted(changed.json()["tool_restrictions"]) == ["web_search"]
    problem(await client.patch(path, json={"tool_restrictions": {"no_such": {"blocked": True}}}), 422, "invalid_input")
    listed = (await client.get(f"{agent}/assignments")).json()
    assert [one["name"] for one in listed] == [world.made.account.name, "Member"]
    assert (await client.delete(f"{agent}/assignments/{everyone['id']}")).status_code == 204
    async with as_client(app, (await make_key(db, member)).secret) as other:
        assert (await other.get(agent)).status_code == 200
        thread = (await other.post("/v1/threads", json={"agent_id": agent[11:], "title": "T"})).json()
        assert (await client.delete(path)).status_code == 204
        problem(await other.get(agent), 404, "not_found")
        problem(await other.post("/v1/threads", json={"agent_id": agent[11:], "title": "T"}), 404, "not_found")
        assert (await other.get(f"/v1/threads/{thread['id']}")).status_code == 200, "what was said stays readable"
        refused = await other.post(f"/v1/threads/{thread['id']}/generate", json={"prompt": "Still there?"})
        problem(refused, 403, "forbidden")
    problem(await client.delete(path), 404, "not_found")


@pytest.mark.requirement("LIFE-04", "LIFE-05", "LIFE-06")
async def test_an_agent_is_promoted_step_by_step(client: httpx.AsyncClient) -> None:
    agent = await make_agent(client, deployment_state="in_development")
    refused = problem(await client.patch(agent, json={"deployment_state": "active"}), 409, "wrong_state")
    assert "next step is testing" in str(refused["detail"])
    for state in ("testing", "available", "active", "active", "in_development"):
        answer = await client.patch(agent, json={"deployment_state": state})
        assert (answer.status_code, answer.json()["deployment_state"]) == (200, state)


@pytest.mark.requirement("LIFE-05", "LIFE-18")
async def test_where_an_agent_comes_from_decides_where_it_begins(client: httpx.AsyncClient) -> None:
    async def state(path: str) -> str:
        return (await client.get(path)).json()["deployment_state"]

    assert await state(await make_agent(client)) == "active", "whoever makes an agent by the API is an admin"
    installed = (await client.post("/v1/agents/install", json={"slug": "assistant", "agent_slug": "two"})).json()
    assert installed["deployment_state"] == "active"
    there = {"execution": "external", "endpoint": "https://agent.example/turn"}
    external = await make_agent(client, **there)
    assert await state(external) == "in_development"
    early = {"name": "E", **there, "deployment_state": "active"}
    problem(await client.post("/v1/agents", json=early), 422, "invalid_input")
    problem(await client.patch(external, json={"deployment_state": "active"}), 409, "wrong_state")
    for step in ("available", "active"):
        assert (await client.patch(external, json={"deployment_state": step})).status_code == 200


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("REG-23", "CON-08")
def test_no_two_meanings_of_tier_or_trust_share_a_name(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    fields = {(name, field) for name, each in schemas.items() for field in each.get("properties", {})}
    assert {name for name, field in fields if field == "tier"} == {"CatalogEntry"}
    tiers = {name: frozenset(schemas[name]["enum"]) for name in ("RegistryTier", "AutonomyTier", "TrustLevel")}
    assert len(set().union(*tiers.values())) == sum(len(words) for words in tiers.values())
    assert {field for _, field in fields if field.endswith("_tier")} == {"registry_tier", "autonomy_tier"}

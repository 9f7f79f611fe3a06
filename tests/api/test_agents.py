"""``/v1/agents`` over HTTP."""

import httpx
import pytest
from fastapi import FastAPI

from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Role, Scope
from retinue.llm.models import Models
from tests.api.conftest import World, as_client, make_key, make_user, problem

NOBODY = ids.encode("agt", ids.new())


async def make(client: httpx.AsyncClient, **fields: object) -> dict[str, object]:
    answer = await client.post("/v1/agents", json={"name": "Ann", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.requirement("AGT-02", "AGT-03", "ROL-02")
async def test_an_agent_is_made_read_changed_and_removed(client: httpx.AsyncClient) -> None:
    made = await make(client, system_prompt="Hi.", tools=[{"tool": "getCurrentTime"}])
    path = f"/v1/agents/{made['id']}"
    assert (await client.get(path)).json() == made
    changed = (await client.patch(path, json={"name": "Bea", "limits": {"max_steps": 2}})).json()
    assert (changed["name"], changed["limits"]["max_steps"], changed["slug"]) == ("Bea", 2, "ann")
    assert (await client.get(path)).json()["config_hash"] == changed["config_hash"] != made["config_hash"]
    assert [one["id"] for one in (await client.get("/v1/agents?slug=ann")).json()["data"]] == [made["id"]]
    assert (await client.delete(path)).status_code == 204
    problem(await client.get(path), 404, "not_found")
    snapshots = (await client.get(f"{path}/snapshots")).json()["data"]
    assert [one["hash"] for one in snapshots] == [changed["config_hash"], made["config_hash"]]


async def test_a_change_of_a_stale_copy_is_refused(client: httpx.AsyncClient) -> None:
    path = f"/v1/agents/{(await make(client))['id']}"
    tag = (await client.get(path)).headers["etag"]
    assert (await client.patch(path, json={"name": "B"}, headers={"if-match": "*"})).status_code == 200
    problem(await client.patch(path, json={"name": "C"}, headers={"if-match": tag}), 409, "wrong_state")
    tag = (await client.get(path)).headers["etag"]
    assert (await client.patch(path, json={"name": "C"}, headers={"if-match": tag})).status_code == 200
    for wrong in ("nonsense", '"2026-01-01T00:00:00"'):
        answer = await client.patch(path, json={"name": "D"}, headers={"if-match": wrong})
        assert answer.status_code in (409, 422), answer.text


async def test_tools_are_set_as_a_whole_and_snapshots_compared(client: httpx.AsyncClient) -> None:
    made = await make(client, tools=[{"tool": "a"}])
    path = f"/v1/agents/{made['id']}"
    answer = await client.put(f"{path}/tools", json={"tools": [{"tool": "sendEmail", "config": {"x": 1}}]})
    assert answer.json() == [{"tool": "send_email", "enabled": True, "config": {"x": 1}}]
    assert (await client.get(f"{path}/tools")).json() == answer.json()
    new = (await client.get(path)).json()["config_hash"]
    assert (await client.get(f"{path}/snapshots/{new}")).json()["config"]["tools"] == answer.json()
    changes = await client.get(f"{path}/snapshots/{new}/changes", params={"since": str(made["config_hash"])})
    assert [one["path"] for one in changes.json()] == ["tools.a", "tools.send_email"]
    page = (await client.get(f"{path}/snapshots?limit=1")).json()
    rest = (await client.get(f"{path}/snapshots", params={"after": page["next"]})).json()
    assert [one["hash"] for one in (*page["data"], *rest["data"])] == [new, made["config_hash"]]


@pytest.mark.requirement("ROL-02", "CON-38")
async def test_an_agent_is_installed_from_the_catalogue(client: httpx.AsyncClient) -> None:
    entries = (await client.get("/v1/catalogue")).json()["data"]
    assert "assistant" in [one["slug"] for one in entries]
    problem(await client.post("/v1/agents/install", json={"slug": "assistant"}), 409, "already_exists")
    answer = await client.post("/v1/agents/install", json={"slug": "assistant", "agent_slug": "second"})
    assert (answer.status_code, answer.json()["catalog_slug"], answer.json()["slug"]) == (201, "assistant", "second")
    problem(await client.delete(f"/v1/agents/{answer.json()['id']}"), 409, "wrong_state")


async def test_members_read_agents_and_only_admins_change_them(
    app: FastAPI, db: Database, client: httpx.AsyncClient, world: World
) -> None:
    made = await make(client)
    await make(client, name="Hidden", deployment_state="testing")
    path = f"/v1/agents/{made['id']}"
    _, member = await make_user(db, world, Role.MEMBER)
    for key in (await make_key(db, member), await make_key(db, world.owner, Scope.READ, Scope.WRITE)):
        async with as_client(app, key.secret) as other:
            assert (await other.get(path)).json() == made
            for attempt in (
                other.post("/v1/agents", json={"name": "X"}),
                other.post("/v1/agents/install", json={"slug": "assistant"}),
                other.patch(path, json={"name": "X"}),
                other.put(f"{path}/tools", json={"tools": []}),
                other.delete(path),
                other.get(f"{path}/snapshots"),
            ):
                problem(await attempt, 403, "forbidden")
    async with as_client(app, (await make_key(db, member)).secret) as other:
        assert {one["slug"] for one in (await other.get("/v1/agents")).json()["data"]} == {"assistant", "ann"}
        opened = (await other.post(f"{path}/direct")).json()
        assert (opened["kind"], opened["name"]) == ("private", "Ann")
        assert (await other.post(f"{path}/direct")).json()["id"] == opened["id"]
        listed = {one["id"]: one["agent_id"] for one in (await other.get("/v1/channels")).json()["data"]}
        assert listed.pop(opened["id"]) == made["id"]
        assert set(listed.values()) == {None}
        more = await other.post(
            f"/v1/channels/{opened['id']}/members", json={"user_id": ids.encode("usr", world.owner.user_id)}
        )
        assert (more.status_code, (await other.get(f"/v1/channels/{opened['id']}")).json()["agent_id"]) == (201, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"name": ""}, {"name": "A", "slug": "No Good"}, {"name": "A", "accent_colour": "red"},
        {"name": "A", "execution": "external"}, {"name": "A", "endpoint": "ftp://x"}, {"name": "A\x00"},
        {"name": "A", "limits": {"max_steps": 0}}, {"name": "A", "surprise": 1}, {"name": "A", "model": "a b"},
        {"name": "A", "tools": [{"tool": "t", "config": {"x": "\x00"}}]}, {"name": "A", "tools": [{"tool": "!"}]},
        {"name": "A", "system_prompt": "\x00"}, {"name": "A", "trust_level": "root"},
    ],
)  # fmt: skip
async def test_a_wrong_agent_is_refused_in_words(client: httpx.AsyncClient, wrong: dict[str, object]) -> None:
    body = problem(await client.post("/v1/agents", json=wrong), 422, "invalid_input")
    assert body["errors"]


async def test_a_change_to_null_is_refused_where_null_means_nothing(client: httpx.AsyncClient) -> None:
    path = f"/v1/agents/{(await make(client, model='a/b'))['id']}"
    for field in ("name", "slug", "status", "limits", "trust_level", "system_prompt"):
        problem(await client.patch(path, json={field: None}), 422, "invalid_input")
    assert (await client.patch(path, json={"model": None})).json()["model"] is None


async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    for attempt in (
        client.get(f"/v1/agents/{NOBODY}"),
        client.patch(f"/v1/agents/{NOBODY}", json={}),
        client.delete(f"/v1/agents/{NOBODY}"),
        client.get(f"/v1/agents/{NOBODY}/tools"),
        client.get(f"/v1/agents/{NOBODY}/snapshots"),
        client.post(f"/v1/agents/{NOBODY}/direct"),
    ):
        problem(await attempt, 404, "not_found")


async def test_a_model_that_nobody_answers_to_is_refused_at_its_field(
    state: AppState, client: httpx.AsyncClient
) -> None:
    made = await make(client, model="mistral/any")
    state.models = Models(state.settings, env={"OPENAI_API_KEY": "sk-test"})
    path = f"/v1/agents/{made['id']}"
    for answer in (
        await client.post("/v1/agents", json={"name": "B", "model": "nobody/none"}),
        await client.patch(path, json={"model": "nobody/none"}),
    ):
        body = problem(answer, 422, "invalid_input")
        assert [one["path"] for one in body["errors"]] == ["body.model"]  # type: ignore[attr-defined]
    assert (await client.patch(path, json={"name": "C"})).status_code == 200, "the model it has is not its question"
    assert (await client.patch(path, json={"model": "openai/gpt-4o"})).json()["model"] == "openai/gpt-4o"
    assert (await client.patch(path, json={"model": None})).json()["model"] is None


async def test_the_overview_says_where_each_agent_is_and_when_it_last_worked(
    app: FastAPI, db: Database, client: httpx.AsyncClient, world: World
) -> None:
    hidden = await make(client, name="Hidden", deployment_state="testing")
    assistant = ids.encode("agt", world.made.agent.id)
    channel = ids.encode("ch", world.made.private_channel.id)
    before = {one["agent_id"]: one for one in (await client.get("/v1/agents/overview")).json()}
    assert before[assistant] == {"agent_id": assistant, "channels": 2, "last_turn_at": None, "working": False}
    assert before[str(hidden["id"])]["channels"] == 0
    assert (await client.post(f"/v1/channels/{channel}/messages", json={"content": "Hi"})).status_code == 202
    after = {one["agent_id"]: one for one in (await client.get("/v1/agents/overview")).json()}
    assert after[assistant]["last_turn_at"] is not None
    _, member = await make_user(db, world, Role.MEMBER)
    async with as_client(app, (await make_key(db, member)).secret) as other:
        seen = (await other.get("/v1/agents/overview")).json()
    assert [(one["agent_id"], one["channels"]) for one in seen] == [(assistant, 1)]

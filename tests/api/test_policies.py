"""``/v1/policies`` over HTTP: who sees and writes which, only ever tighter, every state kept, every write on record."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Principal, Role, Scope
from tests.api.conftest import World, as_client, make_key, make_user, problem

NOBODY = ids.encode("pol", ids.new())
NO_MAIL = {"type": "tool_restriction", "never": ["send_email"]}


async def make(client: httpx.AsyncClient, name: str = "No mail", rule: Any = None, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/v1/policies", json={"name": name, "rule": rule or NO_MAIL, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def team_of(client: httpx.AsyncClient, slug: str = "sales") -> str:
    return (await client.post("/v1/teams", json={"name": slug.title(), "slug": slug})).json()["id"]


async def lead_of(db: Database, world: World, client: httpx.AsyncClient, team: str, role: str = "lead") -> Principal:
    """Someone with this role in the team and none in the account."""
    user, principal = await make_user(db, world, Role.MEMBER, f"{role}-{team[-6:]}@home.test")
    body = {"user_id": ids.encode("usr", user.id), "role": role}
    answer = await client.post(f"/v1/teams/{team}/members", json=body)
    assert answer.status_code == 201, answer.text
    return principal


async def lines(client: httpx.AsyncClient, event: str = "policy.") -> list[dict[str, Any]]:
    return (await client.get("/v1/audit", params={"event": event})).json()["data"]


@pytest.mark.requirement("GOV-12", "GOV-13", "GOV-24")
async def test_a_policy_is_made_read_changed_and_removed(client: httpx.AsyncClient) -> None:
    made = await make(client, enabled=False, priority=7)
    path = f"/v1/policies/{made['id']}"
    got = await client.get(path)
    assert got.headers["etag"] == '"1"'
    assert got.json() == {key: value for key, value in made.items() if key in got.json()}
    assert (made["layer"], made["type"], made["enabled"], made["priority"]) == ("account", NO_MAIL["type"], False, 7)
    changed = (await client.patch(path, json={"name": "No mails", "enabled": True})).json()
    assert (changed["name"], changed["version"], changed["rule"]) == ("No mails", 2, made["rule"])
    assert (await client.delete(path)).status_code == 204
    problem(await client.get(path), 404, "not_found")
    removed, updated, created = await lines(client)
    assert (removed["event"], updated["event"], created["event"]) == (
        "policy.delete", "policy.update", "policy.create",
    )  # fmt: skip
    assert updated["detail"]["fields"] == ["enabled", "name"]
    assert created["detail"]["hash_after"] == updated["detail"]["hash_before"] != updated["detail"]["hash_after"]
    assert removed["detail"]["hash_before"] == updated["detail"]["hash_after"]
    assert removed["detail"]["hash_after"] is None
    assert {one["detail"]["policy_id"] for one in (removed, updated, created)} == {made["id"]}


async def test_a_change_that_changes_nothing_is_no_new_version(client: httpx.AsyncClient) -> None:
    made = await make(client)
    same = await client.patch(f"/v1/policies/{made['id']}", json={"rule": NO_MAIL, "priority": 100})
    assert same.json()["version"] == 1
    assert len(await lines(client)) == 1


@pytest.mark.requirement("GOV-13")
async def test_the_list_is_filtered_and_goes_on_by_cursor(client: httpx.AsyncClient) -> None:
    team = await team_of(client)
    first = await make(client, "a")
    second = await make(client, "b", layer="team", team_id=team, enabled=False)
    third = await make(client, "c", {"type": "model_allow_list", "models": ["openai/*"]}, layer="user")

    async def listed(**params: Any) -> list[str]:
        return [one["id"] for one in (await client.get("/v1/policies", params=params)).json()["data"]]

    assert await listed() == [first["id"], second["id"], third["id"]]
    assert await listed(layer="team") == await listed(team_id=team) == await listed(enabled=False) == [second["id"]]
    assert await listed(type="model_allow_list") == [third["id"]]
    page = (await client.get("/v1/policies", params={"limit": 2})).json()
    assert await listed(after=page["next"]) == [third["id"]]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "x", "rule": {"type": "nonsense"}}, "body.rule"),
        ({"name": "x", "rule": {"never": ["send_email"]}}, "body.rule"),
        ({"name": "x", "rule": {"type": "tool_restriction", "never": ["send email"]}}, "body.rule.tool_restriction"),
        ({"name": "x", "rule": {"type": "tool_restriction", "other": 1}}, "body.rule.tool_restriction.other"),
        ({"name": "", "rule": NO_MAIL}, "body.name"),
        ({"name": "x", "rule": NO_MAIL, "layer": "team"}, "body"),
        ({"name": "x", "rule": NO_MAIL, "priority": 1001}, "body.priority"),
        ({"name": "x", "rule": {"type": "model_allow_list", "models": ["a\u0000b"]}}, "body.rule"),
    ],
)
async def test_a_policy_that_cannot_be_read_is_refused_where_it_is_wrong(
    client: httpx.AsyncClient, body: dict[str, Any], path: str
) -> None:
    found: Any = problem(await client.post("/v1/policies", json=body), 422, "invalid_input")["errors"]
    assert found[0]["path"].startswith(path), found


async def test_a_policy_of_a_team_or_an_id_that_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    body = {"name": "x", "rule": NO_MAIL, "layer": "team", "team_id": ids.encode("team", ids.new())}
    problem(await client.post("/v1/policies", json=body), 404, "not_found")
    for call in (client.get, client.delete):
        problem(await call(f"/v1/policies/{NOBODY}"), 404, "not_found")
    problem(await client.get(f"/v1/policies/{NOBODY}/versions"), 404, "not_found")


async def test_two_policies_of_one_place_differ_in_their_names(client: httpx.AsyncClient) -> None:
    made = await make(client, "No mail")
    other = await make(client, "Other")
    again = {"name": "NO MAIL", "rule": NO_MAIL}
    problem(await client.post("/v1/policies", json=again), 409, "already_exists")
    problem(await client.patch(f"/v1/policies/{other['id']}", json={"name": "no mail"}), 409, "already_exists")
    await make(client, "No mail", layer="user")
    assert made["version"] == 1


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_each_layer_is_written_by_those_whose_it_is(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient
) -> None:
    team, other = await team_of(client), await team_of(client, "works")
    lead, member = await lead_of(db, world, client, team), await lead_of(db, world, client, team, "member")
    _, admin = await make_user(db, world, Role.ADMIN)
    bodies = {
        "account": {}, "team": {"layer": "team", "team_id": team}, "other": {"layer": "team", "team_id": other},
        "user": {"layer": "user"},
    }  # fmt: skip
    may = ((admin, {"account", "team", "other", "user"}), (lead, {"team", "user"}), (member, {"user"}))
    for person, allowed in may:
        key = await make_key(db, person)
        async with as_client(app, key.secret) as own:
            for place, body in bodies.items():
                answer = await own.post("/v1/policies", json={"name": f"{person.user_id}", "rule": NO_MAIL, **body})
                assert answer.status_code == (201 if place in allowed else 403), (person.role, place, answer.text)


async def test_an_admins_key_needs_the_scope_admin_for_the_accounts_policies(
    app: FastAPI, db: Database, world: World
) -> None:
    key = await make_key(db, world.owner, Scope.READ, Scope.WRITE)
    async with as_client(app, key.secret) as weak:
        answer = await weak.post("/v1/policies", json={"name": "x", "rule": NO_MAIL})
        problem(answer, 403, "forbidden")
        assert (await weak.post("/v1/policies", json={"name": "x", "rule": NO_MAIL, "layer": "user"})).is_success


async def test_nobody_sees_another_persons_own_policies_not_even_an_admin(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient
) -> None:
    _, person = await make_user(db, world, Role.MEMBER)
    key = await make_key(db, person)
    async with as_client(app, key.secret) as own:
        mine = await make(own, "Very private", layer="user")
        await own.patch(f"/v1/policies/{mine['id']}", json={"name": "Still private"})
        assert (await own.get("/v1/policies", params={"layer": "user"})).json()["data"] != []
    path = f"/v1/policies/{mine['id']}"
    assert (await client.get("/v1/policies", params={"layer": "user"})).json()["data"] == []
    for answer in (
        await client.get(path), await client.get(f"{path}/versions"), await client.delete(path),
        await client.patch(path, json={"enabled": False}), await client.post(f"{path}/versions/1/restore"),
    ):  # fmt: skip
        problem(answer, 404, "not_found")
    assert "rivate" not in (await client.get("/v1/audit")).text, "the record says that there is one, not what it says"


async def test_a_teams_policies_are_seen_by_its_members_and_admins(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient
) -> None:
    team, other = await team_of(client), await team_of(client, "works")
    made = await make(client, layer="team", team_id=team)
    for of, sees in ((team, True), (other, False)):
        key = await make_key(db, await lead_of(db, world, client, of, "member"))
        async with as_client(app, key.secret) as own:
            status = 200 if sees else 404
            assert (await own.get(f"/v1/policies/{made['id']}")).status_code == status
            assert (await own.get(f"/v1/policies/{made['id']}/versions")).status_code == status
            assert len((await own.get("/v1/policies")).json()["data"]) == sees


# ── one after another ────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_change_of_a_stale_copy_is_refused_and_says_who_was_first(client: httpx.AsyncClient) -> None:
    made = await make(client)
    path = f"/v1/policies/{made['id']}"
    assert (await client.patch(path, json={"priority": 1}, headers={"if-match": '"1"'})).status_code == 200
    for answer in (
        await client.patch(path, json={"priority": 2}, headers={"if-match": '"1"'}),
        await client.patch(path, json={"priority": 2, "version": 1}),
        await client.delete(path, headers={"if-match": 'W/"1"'}),
        await client.post(f"{path}/versions/1/restore", headers={"if-match": '"1"'}),
    ):
        said = problem(answer, 409, "wrong_state")["detail"]
        assert str(said).startswith("Owner has changed this policy to version 2"), said
    assert (await client.patch(path, json={"priority": 2, "version": 2})).json()["version"] == 3
    for wrong in ("nonsense", '"1.5"', '"' + "9" * 40 + '"'):
        answer = await client.patch(path, json={"priority": 2}, headers={"if-match": wrong})
        problem(answer, 422, "invalid_input")


async def test_of_changes_at_the_same_time_one_wins(client: httpx.AsyncClient) -> None:
    made = await make(client)
    path = f"/v1/policies/{made['id']}"
    answers = await asyncio.gather(
        *(client.patch(path, json={"priority": n}, headers={"if-match": '"1"'}) for n in range(8))
    )
    assert sorted(one.status_code for one in answers) == [200] + [409] * 7
    winner = next(one for one in answers if one.status_code == 200).json()
    assert (await client.get(path)).json()["priority"] == winner["priority"]
    assert len((await client.get(f"{path}/versions")).json()["data"]) == 2


async def test_a_ceiling_and_what_would_exceed_it_cannot_slip_past_each_other(client: httpx.AsyncClient) -> None:
    """Both at once: whoever comes second knows of the first."""
    team = await team_of(client)
    narrow = {"type": "model_allow_list", "models": ["openai/gpt-5"]}
    wide = {"type": "model_allow_list", "models": ["openai/*"]}
    for round in range(5):
        above, below = await asyncio.gather(
            client.post("/v1/policies", json={"name": f"above {round}", "rule": narrow}),
            client.post("/v1/policies", json={"name": "below", "rule": wide, "layer": "team", "team_id": team}),
        )
        if below.status_code == 201:
            assert [one["policy_id"] for one in above.json()["ceilings"]] == [below.json()["id"]]
            await client.delete(f"/v1/policies/{below.json()['id']}")
        else:
            problem(below, 409, "loosens")
        await client.delete(f"/v1/policies/{above.json()['id']}")


# ── only ever tighter ────────────────────────────────────────────────────────────────────────────────────────────

LOOSER = [
    ({"type": "tool_restriction", "never": ["send_email"]}, {"type": "tool_restriction", "only": ["sendEmail"]}),
    (
        {"type": "tool_restriction", "max_calls_per_interaction": 2},
        {"type": "tool_restriction", "max_calls_per_interaction": 3},
    ),
    ({"type": "model_allow_list", "models": ["openai/gpt-5"]}, {"type": "model_allow_list", "models": ["openai/*"]}),
    ({"type": "network_egress", "hosts": ["*.example.com"]}, {"type": "network_egress", "hosts": ["example.org"]}),
    (
        {"type": "time_window", "start": "08:00", "end": "18:00"},
        {"type": "time_window", "start": "08:00", "end": "20:00"},
    ),
    ({"type": "delegation_depth", "max": 1}, {"type": "delegation_depth", "max": 2}),
    (
        {"type": "trigger_mode_restriction", "loosest": "mention"},
        {"type": "trigger_mode_restriction", "loosest": "proactive"},
    ),
]


@pytest.mark.requirement("GOV-07", "GOV-08", "GOV-09", "GOV-11")
@pytest.mark.parametrize(("above", "below"), LOOSER, ids=lambda rule: str(rule["type"]))
@pytest.mark.parametrize("layer", ["team", "user"])
async def test_a_policy_that_promises_more_than_the_account_gives_is_refused(
    client: httpx.AsyncClient, above: dict[str, Any], below: dict[str, Any], layer: str
) -> None:
    await make(client, "The ceiling", above)
    place = {"layer": layer} | ({"team_id": await team_of(client)} if layer == "team" else {})
    body = {"name": "Wider", "rule": below, **place}
    said: Any = problem(await client.post("/v1/policies", json=body), 409, "loosens")
    assert "the account's policy “The ceiling”" in said["detail"]
    assert said["errors"][0]["path"] == "body.rule"
    switched_off = await make(client, "Wider", below, enabled=False, **place)
    answer = await client.patch(f"/v1/policies/{switched_off['id']}", json={"enabled": True})
    problem(answer, 409, "loosens")
    same = await make(client, "As wide", above, **place)
    answer = await client.patch(f"/v1/policies/{same['id']}", json={"rule": below})
    problem(answer, 409, "loosens")
    assert len((await client.get(f"/v1/policies/{same['id']}/versions")).json()["data"]) == 1


@pytest.mark.requirement("GOV-07", "GOV-08")
async def test_a_persons_own_policy_is_under_those_of_their_teams(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient
) -> None:
    team, other = await team_of(client), await team_of(client, "works")
    person = await lead_of(db, world, client, team, "member")
    await make(client, "Of sales", {"type": "delegation_depth", "max": 1}, layer="team", team_id=team)
    await make(client, "Of works", {"type": "delegation_depth", "max": 0}, layer="team", team_id=other)
    key = await make_key(db, person)
    async with as_client(app, key.secret) as own:
        body = {"name": "Mine", "layer": "user", "rule": {"type": "delegation_depth", "max": 2}}
        said = problem(await own.post("/v1/policies", json=body), 409, "loosens")["detail"]
        assert "the team's policy “Of sales”" in str(said)
        await make(own, "Mine", {"type": "delegation_depth", "max": 1}, layer="user")


@pytest.mark.requirement("GOV-08")
async def test_a_ceiling_that_comes_down_is_taken_and_names_what_is_above_it_now(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient
) -> None:
    team = await team_of(client)
    person = await lead_of(db, world, client, team, "member")
    above = await make(client, "The ceiling", {"type": "delegation_depth", "max": 3})
    below = await make(client, "Sales", {"type": "delegation_depth", "max": 2}, layer="team", team_id=team)
    key = await make_key(db, person)
    async with as_client(app, key.secret) as own:
        await make(own, "Secretly mine", {"type": "delegation_depth", "max": 2}, layer="user")
    down = await client.patch(f"/v1/policies/{above['id']}", json={"rule": {"type": "delegation_depth", "max": 1}})
    assert down.status_code == 200
    assert [(one["policy_id"], one["name"]) for one in down.json()["ceilings"]] == [(below["id"], "Sales")]
    assert down.json()["personal_ceilings"] == 1
    assert "Secretly" not in down.text
    kept = await client.patch(f"/v1/policies/{below['id']}", json={"name": "Sales, still"})
    assert kept.status_code == 200, "what is not made wider may be changed"


@pytest.mark.requirement("CON-32")
async def test_a_limit_of_cost_above_a_higher_one_is_taken_with_a_warning(client: httpx.AsyncClient) -> None:
    team = await team_of(client)
    limit = {"type": "cost_limit", "per": "user", "period": "day", "limit_micro": 1_000_000}
    await make(client, "A dollar", limit)
    made = await make(client, "Two", limit | {"limit_micro": 2_000_000}, layer="team", team_id=team)
    assert len(made["warnings"]) == 1 and "“A dollar”" in made["warnings"][0]
    assert (await make(client, "Half", limit | {"limit_micro": 500_000}, layer="team", team_id=team))["warnings"] == []


async def test_an_approval_that_nobody_could_give_is_refused(client: httpx.AsyncClient, world: World) -> None:
    def asking(**panel: Any) -> dict[str, Any]:
        return {"name": "Ask", "rule": {"type": "approval", "ask": {"panels": [panel]}}}

    nobody = ids.encode("usr", ids.new())
    for panel in ({"role": "admin", "quorum": 2}, {"role": None, "users": [nobody]}):
        said: Any = problem(await client.post("/v1/policies", json=asking(**panel)), 422, "unroutable")
        assert said["errors"][0]["path"] == "body.rule.ask.panels.0"
    owner = ids.encode("usr", world.owner.user_id)
    made = await client.post("/v1/policies", json=asking(role=None, users=[owner], four_eyes=True))
    assert made.status_code == 201
    assert "waits in vain" in made.json()["warnings"][0]
    answer = await client.patch(f"/v1/policies/{made.json()['id']}", json={"rule": asking(role="lead")["rule"]})
    assert answer.status_code == 200 and answer.json()["warnings"] == []


# ── history ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_every_state_is_kept_and_can_be_restored(client: httpx.AsyncClient, world: World) -> None:
    made = await make(client)
    path = f"/v1/policies/{made['id']}"
    await client.patch(path, json={"rule": {"type": "delegation_depth", "max": 1}, "name": "Depth"})
    back = await client.post(f"{path}/versions/1/restore")
    assert (back.json()["name"], back.json()["rule"], back.json()["version"]) == (made["name"], made["rule"], 3)
    assert back.json()["type"] == "tool_restriction"
    versions = (await client.get(f"{path}/versions")).json()["data"]
    assert [(one["version"], one["name"], one["deleted"]) for one in versions] == [
        (3, "No mail", False), (2, "Depth", False), (1, "No mail", False),
    ]  # fmt: skip
    assert {one["changed_by"] for one in versions} == {ids.encode("usr", world.owner.user_id)}
    first = (await client.get(f"{path}/versions", params={"limit": 1})).json()
    rest = (await client.get(f"{path}/versions", params={"after": first["next"]})).json()["data"]
    assert [one["version"] for one in rest] == [2, 1]
    problem(await client.post(f"{path}/versions/9/restore"), 404, "not_found")
    assert [one["event"] for one in await lines(client, "policy.restore")] == ["policy.restore"]


async def test_a_removed_policy_says_who_removed_it_and_comes_back(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient
) -> None:
    made = await make(client)
    path = f"/v1/policies/{made['id']}"
    _, admin = await make_user(db, world, Role.ADMIN)
    key = await make_key(db, admin)
    async with as_client(app, key.secret) as other:
        assert (await other.delete(path)).status_code == 204
    gone = (await client.get(f"{path}/versions")).json()["data"][0]
    assert (gone["version"], gone["deleted"]) == (2, True)
    assert gone["changed_by"] == ids.encode("usr", admin.user_id)
    back = (await client.post(f"{path}/versions/1/restore")).json()
    assert (back["id"], back["version"], back["rule"]) == (made["id"], 3, made["rule"])
    assert (await client.get(path)).json()["name"] == "No mail"


@pytest.mark.requirement("GOV-08")
async def test_restoring_is_held_to_the_ceilings_of_today(client: httpx.AsyncClient) -> None:
    team = await team_of(client)
    wide, narrow = ({"type": "delegation_depth", "max": most} for most in (3, 1))
    made = await make(client, "Sales", wide, layer="team", team_id=team)
    path = f"/v1/policies/{made['id']}"
    await client.patch(path, json={"rule": narrow})
    await make(client, "The ceiling", narrow)
    problem(await client.post(f"{path}/versions/1/restore"), 409, "loosens")
    await client.delete(path)
    problem(await client.post(f"{path}/versions/1/restore"), 409, "loosens")
    assert (await client.post(f"{path}/versions/2/restore")).status_code == 200


@pytest.mark.requirement("GOV-20")
async def test_a_rule_that_cannot_be_read_any_more_is_shown_as_such_and_can_be_mended(
    client: httpx.AsyncClient, db: Database, world: World
) -> None:
    made = await make(client)
    path = f"/v1/policies/{made['id']}"
    async with db.tenant_tx(world.owner.account_id) as tx:
        sql = "update policy set rule = $2, version = 2 where account_id = $1"
        await tx.execute(sql, world.owner.account_id, {"type": "tool_restriction", "from_the_future": 1})
    assert (await client.get(path)).json()["rule"] is None
    assert (await client.get("/v1/policies")).json()["data"][0]["rule"] is None
    assert (await client.get("/v1/policies/documents")).json()["policies"][0]["rule"] == {"from_the_future": 1}
    off = await client.patch(path, json={"enabled": False})
    assert (off.status_code, off.json()["rule"]) == (200, None)
    problem(await client.patch(path, json={"enabled": True}), 409, "wrong_state")
    problem(await client.post(f"{path}/versions/2/restore"), 409, "wrong_state")
    assert (await client.patch(path, json={"enabled": True, "rule": NO_MAIL})).json()["rule"] == made["rule"]


async def test_the_number_of_policies_in_one_place_is_bounded(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retinue.domain.policies.MOST", 2)
    for name in "ab":
        await make(client, name)
    problem(await client.post("/v1/policies", json={"name": "c", "rule": NO_MAIL}), 409, "wrong_state")
    await make(client, "c", layer="user")


@pytest.mark.requirement("SCH-09", "SCH-10", "GOV-12")
async def test_by_the_names_of_the_specification_policies_are_read_from_the_database(
    client: httpx.AsyncClient, db: Database, world: World
) -> None:
    team = await team_of(client)
    above = await make(client, priority=3)
    below = await make(client, layer="team", team_id=team, enabled=False)
    await make(client, layer="user")
    account_id = world.owner.account_id
    async with db.tenant_tx(account_id) as tx:
        account = [
            dict(row) for row in await tx.fetch("select * from account_policy where account_id = $1", account_id)
        ]
        of_team = [dict(row) for row in await tx.fetch("select * from team_policy where account_id = $1", account_id)]
    told = {"account_id": account_id, "type": NO_MAIL["type"]}
    assert account == [
        told | {"id": ids.decode("pol", above["id"]), "rule": above["rule"], "enabled": True, "priority": 3}
    ]
    assert of_team == [
        told
        | {"id": ids.decode("pol", below["id"]), "rule": below["rule"], "enabled": False, "priority": 100}
        | {"team_id": ids.decode("team", team)}
    ]


# ── what the account has decided ─────────────────────────────────────────────────────────────────────────────────


async def test_governance_is_read_and_set_by_admins_and_audited(
    app: FastAPI, client: httpx.AsyncClient, db: Database, world: World
) -> None:
    first = await client.get("/v1/governance")
    assert first.json()["approvals"] is True
    body = first.json() | {"approvals": False, "admin_agents": [ids.encode("agt", world.made.agent.id)]}
    done = await client.put("/v1/governance", json=body, headers={"if-match": first.headers["etag"]})
    assert done.json() == body == (await client.get("/v1/governance")).json()
    stale = await client.put("/v1/governance", json=body, headers={"if-match": first.headers["etag"]})
    problem(stale, 409, "wrong_state")
    [line] = await lines(client, "governance.update")
    assert line["detail"]["fields"] == ["admin_agents", "approvals"]
    unknown = body | {"admin_agents": [ids.encode("agt", ids.new())]}
    problem(await client.put("/v1/governance", json=unknown), 422, "invalid_input")
    nobody = body | {"approver": {"role": "admin", "quorum": 5}}
    problem(await client.put("/v1/governance", json=nobody), 422, "unroutable")
    _, member = await make_user(db, world, Role.MEMBER)
    key = await make_key(db, member)
    async with as_client(app, key.secret) as own:
        problem(await own.get("/v1/governance"), 403, "forbidden")
        problem(await own.put("/v1/governance", json=body), 403, "forbidden")


@pytest.mark.requirement("GOV-23")
async def test_every_write_raises_the_revision_that_steps_look_at(
    client: httpx.AsyncClient, db: Database, world: World
) -> None:
    async def revision() -> int:
        async with db.tenant_tx(world.owner.account_id) as tx:
            return await tx.fetchval("select policy_revision from account where id = $1", world.owner.account_id)

    seen = [await revision()]
    made = await make(client)
    seen.append(await revision())
    path = f"/v1/policies/{made['id']}"
    for call in (
        client.patch(path, json={"priority": 1}), client.delete(path), client.post(f"{path}/versions/1/restore"),
        client.put("/v1/governance", json={"approvals": False}),
    ):  # fmt: skip
        assert (await call).is_success
        seen.append(await revision())
    assert seen == sorted(set(seen)), seen

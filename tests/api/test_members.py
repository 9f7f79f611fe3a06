"""Who may change whom: owners, admins, leads and members; an account keeps an owner whatever happens."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from retinue import errors
from retinue.db.pool import Database
from retinue.domain import accounts, ids
from retinue.domain.accounts import Role, Scope, UserChanges
from retinue.store import members, users
from tests.api.conftest import World, as_client, make_key, make_user, problem

ROLES = st.sampled_from(list(Role))


@given(ROLES, ROLES)
def test_only_admins_manage_and_nobody_manages_above(caller: Role, target: Role) -> None:
    if accounts.may_manage(caller, target):
        assert caller in (Role.OWNER, Role.ADMIN)
        assert accounts.RANK[target] <= accounts.RANK[caller]
    else:
        assert caller in (Role.LEAD, Role.MEMBER) or accounts.RANK[target] > accounts.RANK[caller]


@given(st.sets(st.sampled_from(list(Scope))), st.sets(st.sampled_from(list(Scope))))
def test_a_credential_grants_no_more_than_it_has(own: set[Scope], asked: set[Scope]) -> None:
    assert accounts.may_grant(own, asked) is (asked - own == set())


async def test_users_are_made_found_changed_and_removed(client: httpx.AsyncClient) -> None:
    new = {"email": "Ann@Home.test", "name": " Ann ", "time_zone": "Europe/Paris", "locale": "fr", "role": "lead"}
    made = await client.post("/v1/users", json=new)
    assert made.status_code == 201
    ann = made.json()
    assert (ann["name"], ann["role"], ann["status"]) == ("Ann", "lead", "active")
    problem(await client.post("/v1/users", json=new | {"email": "ann@home.TEST"}), 409, "already_exists")
    found = (await client.get("/v1/users", params={"email": "ann@home.test"})).json()["data"]
    assert found == [ann]
    changed = await client.patch(f"/v1/users/{ann['id']}", json={"name": "Anne", "loosest_trigger_mode": "mention"})
    assert changed.json() == ann | {"name": "Anne", "loosest_trigger_mode": "mention"}
    taken = await client.patch(f"/v1/users/{ann['id']}", json={"email": "owner@home.test"})
    problem(taken, 409, "already_exists")
    assert (await client.delete(f"/v1/users/{ann['id']}")).status_code == 204
    problem(await client.get(f"/v1/users/{ann['id']}"), 404, "not_found")
    problem(await client.delete(f"/v1/users/{ann['id']}"), 404, "not_found")


async def test_people_change_themselves_but_not_their_e_mail(app: FastAPI, db: Database, world: World) -> None:
    user, principal = await make_user(db, world, Role.MEMBER)
    own, owners = (f"/v1/users/{ids.encode('usr', each)}" for each in (user.id, world.owner.user_id))
    async with as_client(app, (await make_key(db, principal)).secret) as theirs:
        assert (await theirs.patch(own, json={"name": "Me"})).json()["name"] == "Me"
        for change in ({"email": "boss@home.test"}, {"status": "active"}):
            problem(await theirs.patch(own, json=change), 403, "forbidden")
        problem(await theirs.patch(owners, json={"name": "Them"}), 403, "forbidden")
        problem(await theirs.delete(owners), 403, "forbidden")


async def test_admins_touch_no_owner_and_make_none(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient
) -> None:
    _, principal = await make_user(db, world, Role.ADMIN)
    owner_id = ids.encode("usr", world.owner.user_id)
    listed = (await client.get("/v1/members", params={"user_id": owner_id})).json()["data"]
    owners_membership = f"/v1/members/{listed[0]['id']}"
    async with as_client(app, (await make_key(db, principal)).secret) as theirs:
        refused = [
            await theirs.patch(f"/v1/users/{owner_id}", json={"email": "mine@home.test"}),
            await theirs.patch(f"/v1/users/{owner_id}", json={"status": "suspended"}),
            await theirs.delete(f"/v1/users/{owner_id}"),
            await theirs.patch(owners_membership, json={"role": "member"}),
            await theirs.delete(owners_membership),
            await theirs.post("/v1/users", json={"email": "x@home.test", "name": "X", "role": "owner"}),
        ]
        own = (await theirs.get("/v1/members", params={"user_id": ids.encode("usr", principal.user_id)})).json()["data"]
        refused.append(await theirs.patch(f"/v1/members/{own[0]['id']}", json={"role": "owner"}))
        for answer in refused:
            problem(answer, 403, "forbidden")


async def test_the_last_owner_stays(client: httpx.AsyncClient, world: World) -> None:
    owner_id = ids.encode("usr", world.owner.user_id)
    membership = (await client.get("/v1/members", params={"user_id": owner_id})).json()["data"][0]["id"]
    for answer in (
        await client.patch(f"/v1/members/{membership}", json={"role": "admin"}),
        await client.delete(f"/v1/members/{membership}"),
        await client.patch(f"/v1/users/{owner_id}", json={"status": "suspended"}),
        await client.delete(f"/v1/users/{owner_id}"),
    ):
        problem(answer, 409, "wrong_state")
    second = (await client.post("/v1/users", json={"email": "b@home.test", "name": "B", "role": "owner"})).json()
    suspended = await client.patch(f"/v1/users/{second['id']}", json={"status": "suspended"})
    assert suspended.status_code == 200
    problem(await client.delete(f"/v1/members/{membership}"), 409, "wrong_state")
    await client.patch(f"/v1/users/{second['id']}", json={"status": "active"})
    assert (await client.patch(f"/v1/members/{membership}", json={"role": "admin"})).json()["role"] == "admin"


async def test_two_owners_who_remove_each_other_at_once_leave_one(db: Database, world: World) -> None:
    account_id = world.owner.account_id
    for _ in range(8):
        second, _ = await make_user(db, world, Role.OWNER, f"{ids.new()}@home.test")
        async with db.tenant_tx(account_id) as tx:
            owners = [each for each in await members.list_members(tx, account_id) if each.role is Role.OWNER]

        async def demote(member_id: object) -> None:
            async with db.tenant_tx(account_id) as tx:
                await members.set_role(tx, account_id, member_id, Role.MEMBER)  # type: ignore[arg-type]

        async def suspend(user_id: object) -> None:
            async with db.tenant_tx(account_id) as tx:
                await users.update(tx, account_id, user_id, UserChanges(status="suspended"))  # type: ignore[arg-type]

        outcomes = await asyncio.gather(demote(owners[0].id), suspend(second.id), return_exceptions=True)
        assert sum(isinstance(each, errors.WrongState) for each in outcomes) == 1, outcomes
        async with db.tenant_tx(account_id) as tx:
            await tx.execute("update app_user set status = 'active' where account_id = $1", account_id)
            await tx.execute("update member set role = 'member' where account_id = $1", account_id)
            await tx.execute("update member set role = 'owner' where account_id = $1 and id = $2",
                             account_id, owners[0].id)  # fmt: skip


async def test_a_changed_role_counts_at_once(
    client: httpx.AsyncClient, app: FastAPI, db: Database, world: World
) -> None:
    user, principal = await make_user(db, world, Role.MEMBER)
    user_id = ids.encode("usr", user.id)
    async with as_client(app, (await make_key(db, principal)).secret) as theirs:
        problem(await theirs.post("/v1/teams", json={"name": "T", "slug": "t"}), 403, "forbidden")
        membership = (await client.get("/v1/members", params={"user_id": user_id})).json()["data"][0]["id"]
        await client.patch(f"/v1/members/{membership}", json={"role": "admin"})
        assert (await theirs.post("/v1/teams", json={"name": "T", "slug": "t"})).status_code == 201
        assert (await client.delete(f"/v1/members/{membership}")).status_code == 204
        problem(await theirs.get("/v1/teams"), 401, "not_signed_in")
    again = await client.post("/v1/members", json={"user_id": user_id, "role": "member"})
    assert again.status_code == 201
    problem(await client.post("/v1/members", json={"user_id": user_id}), 409, "already_exists")


async def test_teams_are_filled_by_admins_and_their_leads(
    client: httpx.AsyncClient, app: FastAPI, db: Database, world: World
) -> None:
    lead, lead_principal = await make_user(db, world, Role.MEMBER, "lead@home.test")
    other, _ = await make_user(db, world, Role.MEMBER, "other@home.test")
    lead_id, other_id = ids.encode("usr", lead.id), ids.encode("usr", other.id)
    team = (await client.post("/v1/teams", json={"name": "Red", "slug": "red"})).json()
    second = (await client.post("/v1/teams", json={"name": "Blue", "slug": "blue"})).json()
    async with as_client(app, (await make_key(db, lead_principal)).secret) as theirs:
        where = f"/v1/teams/{team['id']}/members"
        problem(await theirs.post(where, json={"user_id": lead_id, "role": "lead"}), 403, "forbidden")
        assert (await client.post(where, json={"user_id": lead_id, "role": "lead"})).status_code == 201
        added = await theirs.post(where, json={"user_id": other_id})
        assert (added.status_code, added.json()["team_id"]) == (201, team["id"])
        problem(await theirs.post(f"/v1/teams/{second['id']}/members", json={"user_id": other_id}), 403, "forbidden")
        assert len((await theirs.get(where)).json()["data"]) == 2
        wrong_team = f"/v1/teams/{second['id']}/members/{added.json()['id']}"
        problem(await client.delete(wrong_team), 404, "not_found")
        assert (await theirs.delete(f"{where}/{added.json()['id']}")).status_code == 204
        problem(await theirs.patch(f"/v1/teams/{team['id']}", json={"name": "Mine"}), 403, "forbidden")
    problem(await client.post("/v1/teams", json={"name": "Again", "slug": "red"}), 409, "already_exists")
    problem(await client.patch(f"/v1/teams/{second['id']}", json={"slug": "red"}), 409, "already_exists")
    assert (await client.patch(f"/v1/teams/{second['id']}", json={"name": "Sky"})).json()["name"] == "Sky"
    unknown = {"user_id": ids.encode("usr", ids.new())}
    problem(await client.post(f"/v1/teams/{team['id']}/members", json=unknown), 404, "not_found")
    assert (await client.delete(f"/v1/teams/{team['id']}")).status_code == 204
    problem(await client.get(f"/v1/teams/{team['id']}/members"), 404, "not_found")


@pytest.mark.requirement("AUD-07", "AUD-13")
async def test_every_change_of_rights_leaves_an_audit_line(
    client: httpx.AsyncClient, db: Database, world: World
) -> None:
    made = (await client.post("/v1/users", json={"email": "a@home.test", "name": "A"})).json()
    membership = (await client.get("/v1/members", params={"user_id": made["id"]})).json()["data"][0]["id"]
    await client.patch(f"/v1/members/{membership}", json={"role": "lead"})
    await client.patch(f"/v1/users/{made['id']}", json={"email": "private@home.test"})
    await client.delete(f"/v1/members/{membership}")
    await client.delete(f"/v1/users/{made['id']}")
    async with db.tenant_tx(world.owner.account_id) as tx:
        lines = await tx.fetch("select event, detail from audit_event where account_id = $1 order by id",
                               world.owner.account_id)  # fmt: skip
    assert [line["event"] for line in lines if line["event"].startswith(("user.", "member."))] == [
        "user.create", "member.update", "user.update", "member.delete", "user.delete",
    ]  # fmt: skip
    assert "private@home.test" not in str([dict(line) for line in lines])

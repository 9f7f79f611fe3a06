"""A first run makes an account once; its own routes show and change it."""

import asyncio

import httpx
import pytest

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.store import accounts
from tests.api.conftest import World, problem


async def test_a_first_run_makes_account_owner_channels_and_assistant(db: Database) -> None:
    made = await accounts.bootstrap(db)
    assert (made.account.slug, made.owner.email) == ("home", "owner@localhost")
    assert (made.channel.kind, made.private_channel.kind) == ("organisation", "private")
    assert (made.agent.slug, made.agent.origin, made.agent.catalog_slug) == ("assistant", "built_in", "assistant")
    assert made.agent.system_prompt.startswith("You are Assistant")
    assert made.agent.config_hash
    async with db.tenant_tx(made.account.id) as tx:
        tools = await tx.fetch("select tool from agent_tool where account_id = $1 order by 1", made.account.id)
        modes = await tx.fetch(
            "select channel_id, trigger_mode from channel_member where account_id = $1 and agent_id = $2",
            made.account.id, made.agent.id,
        )  # fmt: skip
    assert [row["tool"] for row in tools] == [
        "current_time", "list_channel_members", "search_messages", "search_tools",
    ]  # fmt: skip
    assert {row["channel_id"]: row["trigger_mode"] for row in modes} == {
        made.channel.id: "mention", made.private_channel.id: "proactive",
    }  # fmt: skip


async def test_a_second_first_run_finds_what_is_there(db: Database) -> None:
    first = await accounts.bootstrap(db)
    assert await accounts.bootstrap(db, email="somebody@else.test") == first


async def test_first_runs_at_the_same_time_make_one_account(db: Database) -> None:
    made = await asyncio.gather(*(accounts.bootstrap(db) for _ in range(5)))
    assert all(each == made[0] for each in made)


async def test_the_account_shows_and_changes_itself(client: httpx.AsyncClient, world: World) -> None:
    shown = (await client.get("/v1/accounts/current")).json()
    assert shown["id"] == ids.encode("acc", world.owner.account_id)
    changed = await client.patch("/v1/accounts/current", json={"name": "Ours", "default_model": "openai/gpt-4o"})
    assert changed.json() | {"created_at": None} == shown | {
        "created_at": None, "name": "Ours", "default_model": "openai/gpt-4o",
    }  # fmt: skip
    back = await client.patch("/v1/accounts/current", json={"default_model": None})
    assert (back.json()["name"], back.json()["default_model"]) == ("Ours", None)


async def test_me_says_who_where_and_with_which_rights(client: httpx.AsyncClient, world: World) -> None:
    me = (await client.get("/v1/me")).json()
    assert me["user"]["email"] == "owner@home.test"
    assert (me["role"], me["scopes"]) == ("owner", ["read", "write", "admin", "approve"])
    assert me["account"]["slug"] == "home"
    assert me["key_id"].startswith("key_")


async def test_nobody_makes_an_account_over_http(client: httpx.AsyncClient) -> None:
    problem(await client.post("/v1/accounts", json={"name": "x"}), 404, "not_found")


@pytest.mark.requirement("AUD-15")
async def test_writes_are_audited_with_their_actor(client: httpx.AsyncClient, db: Database, world: World) -> None:
    await client.patch("/v1/accounts/current", json={"name": "Ours"})
    async with db.tenant_tx(world.owner.account_id) as tx:
        line = await tx.fetchrow(
            "select * from audit_event where account_id = $1 and event = 'account.update'", world.owner.account_id
        )
    assert line is not None
    assert (line["actor_type"], line["actor_id"]) == ("user", str(world.owner.user_id))

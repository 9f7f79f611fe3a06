"""The starter tools, and that they show no more than the asking user may see."""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from retinue import errors
from retinue.domain import ids
from retinue.domain.tools import Effect, ToolKind, ToolSpec
from retinue.store import accounts
from retinue.tools.registry import Context, Registry, Tool
from tests.tools.conftest import KEY, World

LOADED = Registry.load()


def builtin(slug: str) -> Tool:
    return cast(Tool, LOADED.get(slug))


async def run(world: World, slug: str, arguments: dict[str, Any] | None = None, **changes: Any) -> Any:
    return await world.run(builtin(slug), arguments or {}, **changes)


async def write(world: World, sql: str, *args: Any) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        await tx.execute(sql, world.account, *args)


async def user(world: World, name: str) -> UUID:
    made = ids.new()
    await write(
        world, "insert into app_user (account_id, id, email, name) values ($1, $2, $3, $4)", made, f"{name}@x", name
    )
    await write(
        world, "insert into member (account_id, id, user_id, role) values ($1, $2, $3, 'member')", ids.new(), made
    )
    return made


async def channel(world: World, kind: str, *people: UUID, agent: bool = True, team: UUID | None = None) -> UUID:
    made = ids.new()
    await write(
        world,
        "insert into channel (account_id, id, kind, name, team_id) values ($1, $2, $3::text, $3::text, $4)",
        made,
        kind,
        team,
    )
    for person in people:
        await write(
            world,
            "insert into channel_member (account_id, channel_id, party_id, user_id) values ($1, $2, $3, $3)",
            made,
            person,
        )
    if agent:
        await write(
            world,
            "insert into channel_member (account_id, channel_id, party_id, agent_id, trigger_mode) "
            "values ($1, $2, $3, $3, 'mention')",
            made,
            world.made.agent.id,
        )
    return made


async def say(world: World, where: UUID, content: str, author: UUID, **columns: Any) -> UUID:
    made = ids.new()
    values = {"status": "sent", "recipient_id": None} | columns
    await write(
        world,
        "insert into message (account_id, id, channel_id, seq, author_kind, user_id, content, status, "
        "recipient_id) select $1, $2, $3, 1 + count(*), 'user', $4, $5, $6, $7 from message "
        "where account_id = $1 and channel_id = $3",
        made,
        where,
        author,
        content,
        values["status"],
        values["recipient_id"],
    )
    return made


async def found(world: World, query: str, **changes: Any) -> set[str]:
    return {hit["content"] for hit in await run(world, "search_messages", {"query": query}, **changes)}


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("TOOL-21", "TOOL-23", "ROL-05")
async def test_the_time_is_told_in_the_zone_asked_for_by_the_databases_clock(world: World) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        await tx.execute("select set_config('retinue.clock_offset', '3 days', true)")
        told = await builtin("current_time").run(
            KEY, Context(call=world.call(), egress=world.egress, tx=tx), {"time_zone": "Asia/Kolkata"}
        )
        now = await tx.fetchval("select clock()")
        real = await tx.fetchval("select now()")
    assert now - real == timedelta(days=3)
    moment = datetime.fromisoformat(told["time"])
    assert abs(moment - now) < timedelta(seconds=2)
    assert moment.utcoffset() == timedelta(hours=5, minutes=30)
    assert told["weekday"] == now.astimezone(ZoneInfo("Asia/Kolkata")).strftime("%A")


async def test_the_time_is_told_in_utc_unless_asked_otherwise(world: World) -> None:
    assert (await run(world, "getCurrentTime"))["time"].endswith("+00:00")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "/etc/localtime", "Europe", "\0"])
async def test_a_zone_that_does_not_exist_is_said_not_to(world: World, zone: str) -> None:
    with pytest.raises(errors.ToolError) as caught:
        await run(world, "current_time", {"time_zone": zone})
    assert caught.value.reason_code == "unknown_time_zone"


# ── search ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("TOOL-21", "TOOL-04")
async def test_messages_are_found_with_author_channel_and_time(world: World) -> None:
    wanted = await say(world, world.made.channel.id, "The harvest report is due", world.made.owner.id)
    await say(world, world.made.channel.id, "Nothing of the sort", world.made.owner.id)
    (hit,) = await run(world, "search_messages", {"query": "harvest report"})
    assert hit["message_id"] == ids.encode("msg", wanted)
    assert (hit["author"], hit["channel"]) == (world.made.owner.name, world.made.channel.name)
    assert datetime.fromisoformat(hit["at"])


async def test_search_understands_quotes_exclusion_and_limits(world: World) -> None:
    for text in ("red apple", "apple red", "green apple"):
        await say(world, world.made.channel.id, text, world.made.owner.id)
    assert await found(world, '"red apple"') == {"red apple"}
    assert await found(world, "apple -red") == {"green apple"}
    assert len(await run(world, "search_messages", {"query": "apple", "limit": 2})) == 2
    assert await found(world, "';:!&|()<->*\\ \" '") == set()


@pytest.mark.requirement("TOOL-04")
async def test_another_users_private_channel_is_never_found(world: World) -> None:
    other = await user(world, "other")
    theirs = await channel(world, "private", other)
    await say(world, theirs, "secret of other", other)
    for where in (world.made.channel.id, world.made.private_channel.id, theirs, None, ids.new()):
        assert await found(world, "secret", channel_id=where) == set()
    assert await found(world, "secret", user_id=other, channel_id=theirs) == {"secret of other"}


async def test_a_channel_the_agent_is_not_in_is_not_found(world: World) -> None:
    mine = await channel(world, "private", world.made.owner.id, agent=False)
    await say(world, mine, "secret diary", world.made.owner.id)
    assert await found(world, "secret", channel_id=world.made.private_channel.id) == set()


async def test_a_team_channel_is_found_by_the_team_alone(world: World) -> None:
    other, team = await user(world, "other"), ids.new()
    await write(world, "insert into team (account_id, id, name, slug) values ($1, $2, 'T', 't')", team)
    await write(
        world,
        "insert into member (account_id, id, user_id, team_id, role) values ($1, $2, $3, $4, 'member')",
        ids.new(),
        other,
        team,
    )
    place = await channel(world, "team", team=team)
    await say(world, place, "secret of the team", other)
    assert await found(world, "secret", channel_id=place) == set()
    assert await found(world, "secret", channel_id=place, user_id=other) == {"secret of the team"}


async def test_what_is_said_in_a_closed_channel_is_not_carried_into_an_open_one(world: World) -> None:
    group = await channel(world, "group", world.made.owner.id)
    await say(world, group, "secret of the group", world.made.owner.id)
    await say(world, world.made.private_channel.id, "secret of mine", world.made.owner.id)
    await say(world, world.made.channel.id, "secret of all", world.made.owner.id)
    assert await found(world, "secret", channel_id=world.made.channel.id) == {"secret of all"}
    assert await found(world, "secret", channel_id=group) == {"secret of the group", "secret of all"}
    assert await found(world, "secret", channel_id=world.made.private_channel.id) == {
        "secret of the group",
        "secret of mine",
        "secret of all",
    }


async def test_without_a_user_only_the_turns_own_channel_is_searched(world: World) -> None:
    group = await channel(world, "group", world.made.owner.id)
    await say(world, group, "secret of the group", world.made.owner.id)
    await say(world, world.made.channel.id, "secret of all", world.made.owner.id)
    assert await found(world, "secret", user_id=None, channel_id=group) == {"secret of the group"}
    assert await found(world, "secret", user_id=None, channel_id=None) == set()


async def test_direct_deleted_and_pending_messages_are_for_those_they_are_for(world: World) -> None:
    other = await user(world, "other")
    place = world.made.channel.id
    await say(world, place, "secret to other", world.made.owner.id, recipient_id=other)
    await say(world, place, "secret deleted", other, status="deleted")
    await say(world, place, "secret pending", other, status="pending_approval")
    assert await found(world, "secret") == set()
    assert await found(world, "secret", user_id=other) == {"secret to other"}


async def test_a_call_that_names_another_account_finds_nothing(world: World) -> None:
    await say(world, world.made.channel.id, "secret of all", world.made.owner.id)
    stranger = await accounts.bootstrap(world.db, slug="stranger", email="s@x")
    foreign = world.call(account_id=world.account)
    async with world.db.tenant_tx(stranger.account.id) as tx:
        for slug, arguments in (("search_messages", {"query": "secret"}), ("list_channel_members", {})):
            assert await builtin(slug).run(KEY, Context(call=foreign, egress=world.egress, tx=tx), arguments) == []


# ── members ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("TOOL-21")
async def test_everyone_in_the_account_is_in_the_organisation_channel(world: World) -> None:
    await user(world, "Zoe")
    listed = await run(world, "listChannelMembers")
    assert [(one["kind"], one["name"]) for one in listed] == [
        ("user", world.made.owner.name),
        ("user", "Zoe"),
        ("agent", world.made.agent.name),
    ]
    assert listed[2]["slug"] == "assistant"
    assert "email" not in str(listed) and "@" not in str(listed)
    assert len(await run(world, "list_channel_members", {"limit": 1})) == 1


async def test_a_channel_one_may_not_enter_lists_nobody(world: World) -> None:
    other = await user(world, "other")
    theirs = await channel(world, "private", other)
    assert await run(world, "list_channel_members", channel_id=theirs) == []
    assert len(await run(world, "list_channel_members", channel_id=theirs, user_id=other)) == 2
    assert await run(world, "list_channel_members", channel_id=None) == []


async def test_suspended_people_and_deleted_agents_are_not_listed(world: World) -> None:
    zoe = await user(world, "Zoe")
    await write(world, "update app_user set status = 'suspended' where account_id = $1 and id = $2", zoe)
    await write(world, "update agent set deleted_at = clock() where account_id = $1 and id = $2", world.made.agent.id)
    assert [one["name"] for one in await run(world, "list_channel_members")] == [world.made.owner.name]


# ── what can you do ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("TOOL-23")
async def test_an_agent_tells_what_it_can_do_and_nothing_it_cannot(world: World) -> None:
    specs = (
        builtin("current_time").spec,
        ToolSpec(
            slug="send_email",
            kind=ToolKind.EXTERNAL,
            name="Send email",
            description="Write to someone.",
            parameters={"type": "object"},
            effect=Effect.EXTERNAL_ONCE,
            requires_approval=True,
        ),
    )
    context = Context(call=world.call(), egress=world.egress, tools=specs)
    told = await builtin("search_tools").run(KEY, context, {})
    assert [one["tool"] for one in told] == ["current_time", "send_email"]
    assert told[1] == {
        "tool": "send_email",
        "name": "Send email",
        "description": "Write to someone.",
        "needs_approval": True,
    }
    assert [one["tool"] for one in await builtin("search_tools").run(KEY, context, {"query": "Email"})] == [
        "send_email"
    ]
    assert await builtin("search_tools").run(KEY, context, {"query": "weather"}) == []

"""Registering tools and giving them to agents."""

from typing import Any

import pytest

from retinue import errors
from retinue.domain import ids
from retinue.domain.accounts import Role
from retinue.domain.agents import AgentTool
from retinue.domain.external_tools import NewTool, ToolAuth, ToolChange
from retinue.domain.tools import Effect
from retinue.store import secrets, tools
from retinue.store.secrets import Sealer, Vault
from retinue.store.wrapping import Keyring
from tests.tools.conftest import World

SEALER = Sealer(Keyring.local("an installation's key"))
INTERNAL = frozenset({"current_time"})


def new(**changes: Any) -> NewTool:
    values: dict[str, Any] = {
        "slug": "crmLookup",
        "name": "CRM",
        "description": "Look up.",
        "effect": Effect.READ,
        "endpoint": "https://crm.example/lookup",
    }
    return NewTool(**(values | changes))


async def audited(tx: Any, world: World) -> list[str]:
    rows = await tx.fetch("select event from audit_event where account_id = $1 order by id", world.account)
    return [row["event"] for row in rows if row["event"].split(".")[0] in ("tool", "secret") or "tool" in row["event"]]


@pytest.mark.requirement("TOOL-08", "CON-47", "CON-48", "AUD-01")
async def test_a_tool_is_registered_under_its_canonical_slug_and_read_back(world: World) -> None:
    wanted = new(
        parameters={"type": "object", "properties": {"q": {"type": "string"}}},
        returns={"type": "string"},
        requires_approval=True,
        timeout_seconds=1.5,
        max_calls_per_interaction=2,
        config={"share": ["tools"]},
    )
    async with world.db.tenant_tx(world.account) as tx:
        made = await tools.create(tx, world.owner, wanted, SEALER, INTERNAL)
        assert await tools.get(tx, world.account, made.tool.id) == made.tool
        assert await tools.list_tools(tx, world.account) == [made.tool]
        assert await audited(tx, world) == ["secret.put", "tool.create"]
    spec = made.tool.spec
    assert (spec.slug, spec.kind, spec.timeout_seconds, spec.inside) == ("crm_lookup", "external", 1.5, False)
    assert (spec.requires_approval, spec.max_calls_per_interaction) == (True, 2)
    assert made.collisions == () and not made.tool.shadowed


@pytest.mark.requirement("EXT-25")
async def test_a_tool_without_a_secret_gets_one_of_its_own_shown_once(world: World) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        made = await tools.create(tx, world.owner, new(), SEALER)
        named = await tools.create(
            tx, world.owner, new(slug="b", auth=ToolAuth(type="hmac", secret_name="mine")), SEALER
        )
    name = made.tool.auth.signing_secret_name or ""
    assert (await Vault(world.db, SEALER).read(world.account, [name]))[name] == made.signing_secret
    assert made.signing_secret and made.signing_secret not in made.tool.model_dump_json()
    assert named.signing_secret is None


@pytest.mark.requirement("TOOL-15")
async def test_a_name_that_a_built_in_tool_has_is_reported(world: World) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        made = await tools.create(tx, world.owner, new(slug="getCurrentTime"), SEALER, INTERNAL)
        assert (await tools.list_tools(tx, world.account, internal=INTERNAL))[0].shadowed
    assert [(c.slug, c.winner, c.loser) for c in made.collisions] == [("current_time", "internal", "external")]
    assert made.tool.shadowed


async def test_two_tools_of_one_account_cannot_have_one_name(world: World) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        await tools.create(tx, world.owner, new(), SEALER)
        with pytest.raises(errors.AlreadyExists):
            await tools.create(tx, world.owner, new(slug="crm_lookup"), SEALER)
        assert len(await tools.list_tools(tx, world.account)) == 1


@pytest.mark.parametrize(("changes", "path"), [
    ({"slug": "___"}, "slug"), ({"slug": "calendar_api"}, "slug"), ({"effect": Effect.WRITE}, "effect"),
    ({"endpoint": "ftp://x"}, "endpoint"), ({"endpoint": "http://u:p@x/"}, "endpoint"),
    ({"parameters": {"type": "array"}}, "parameters.type"), ({"parameters": {"type": "nonsense"}}, "parameters"),
    ({"parameters": {"type": "object", "$ref": "https://evil.example/schema"}}, "parameters"),
    ({"parameters": {"type": "object", "properties": {"x": {"$ref": "file:///etc/passwd"}}}}, "parameters"),
    ({"parameters": {"type": "object", "patternProperties": {"(a|a)*b": {}}}}, "parameters"),
    ({"parameters": {"type": "object", "properties": {"x": {"pattern": "("}}}}, "parameters"),
    ({"parameters": {"type": "object", "description": "x" * 70_000}}, "parameters"),
    ({"returns": {"type": 7}}, "returns"), ({"auth": ToolAuth(type="bearer")}, "auth.secret_name"),
    ({"auth": ToolAuth(type="api_key", secret_name="x", header="Host")}, "auth.header"),
    ({"auth": ToolAuth(type="api_key", secret_name="x", header="a b")}, "auth.header"),
    ({"config": {"share": ["history"]}}, "config.share"), ({"config": {"share": "tools"}}, "config.share"),
    ({"config": {"share": [{}]}}, "config.share"),
])  # fmt: skip
async def test_what_could_never_work_is_refused_with_the_place(
    world: World, changes: dict[str, Any], path: str
) -> None:
    with pytest.raises(errors.BadInput) as caught:
        async with world.db.tenant_tx(world.account) as tx:
            await tools.create(tx, world.owner, new(**changes), SEALER)
    assert path in [entry["path"] for entry in caught.value.errors]


async def test_all_mistakes_are_told_at_once(world: World) -> None:
    with pytest.raises(errors.BadInput) as caught:
        async with world.db.tenant_tx(world.account) as tx:
            await tools.create(tx, world.owner, new(slug="_", endpoint="x", returns={"type": 1}), SEALER)
    assert {entry["path"] for entry in caught.value.errors} >= {"slug", "endpoint", "returns"}


async def test_a_change_touches_what_it_names(world: World) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        made = (await tools.create(tx, world.owner, new(max_calls_per_interaction=3), SEALER)).tool
        after = await tools.update(tx, world.owner, made.id, ToolChange(name="New", max_calls_per_interaction=None))
        assert (after.name, after.max_calls_per_interaction) == ("New", None)
        kept = {"name", "max_calls_per_interaction", "updated_at"}
        assert after.model_dump(exclude=kept) == made.model_dump(exclude=kept)
        assert after.updated_at >= made.updated_at
        assert await tools.update(tx, world.owner, made.id, ToolChange()) == after
        assert (await audited(tx, world)).count("tool.update") == 1


async def test_a_change_is_checked_like_a_new_tool(world: World) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        made = (await tools.create(tx, world.owner, new(), SEALER)).tool
        wrong = (ToolChange(endpoint="ftp://x"), ToolChange(returns={"type": 7}), ToolChange(effect=Effect.WRITE))
        for change in wrong:
            with pytest.raises(errors.BadInput):
                await tools.update(tx, world.owner, made.id, change)
        with pytest.raises(errors.NotFound):
            await tools.update(tx, world.owner, ids.new(), ToolChange(name="x"))


async def test_a_deleted_tool_leaves_agents_and_secrets(world: World) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        made = (await tools.create(tx, world.owner, new(), SEALER)).tool
        await tools.attach(tx, world.owner, world.made.agent.id, AgentTool(tool="crmLookup"))
        await tools.delete(tx, world.owner, made.id)
        assert "crm_lookup" not in [
            one.tool for one in await tools.list_of_agent(tx, world.account, world.made.agent.id)
        ]
        assert await secrets.list_names(tx, world.account) == []
        for gone in (tools.get(tx, world.account, made.id), tools.delete(tx, world.owner, made.id)):
            with pytest.raises(errors.NotFound):
                await gone


async def test_deleting_a_shadowed_tool_leaves_the_built_in_one_to_its_agents(world: World) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        made = (await tools.create(tx, world.owner, new(slug="current_time"), SEALER, INTERNAL)).tool
        await tools.attach(tx, world.owner, world.made.agent.id, AgentTool(tool="current_time"))
        await tools.delete(tx, world.owner, made.id, INTERNAL)
        assert "current_time" in [one.tool for one in await tools.list_of_agent(tx, world.account, world.made.agent.id)]


async def test_lists_come_in_pages_by_slug(world: World) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        for slug in ("c", "a", "b"):
            await tools.create(tx, world.owner, new(slug=slug), SEALER)
        assert [one.slug for one in await tools.list_tools(tx, world.account, limit=2)] == ["a", "b"]
        assert [one.slug for one in await tools.list_tools(tx, world.account, after="b")] == ["c"]


async def test_another_account_sees_and_changes_nothing(world: World) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        made = (await tools.create(tx, world.owner, new(), SEALER)).tool
    stranger = world.owner.model_copy(update={"account_id": ids.new()})
    for theirs in (stranger.account_id, world.account):
        async with world.db.tenant_tx(stranger.account_id) as tx:
            assert await tools.list_tools(tx, theirs) == []
            with pytest.raises(errors.NotFound):
                await tools.get(tx, theirs, made.id)
            with pytest.raises(errors.NotFound):
                await tools.delete(tx, stranger, made.id)


# ── which tools an agent has ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("TOOL-11", "TOOL-28", "CON-48")
async def test_an_agent_is_given_tools_by_any_spelling_and_families_whole(world: World) -> None:
    agent = world.made.agent.id
    async with world.db.tenant_tx(world.account) as tx:
        before = await tx.fetchval(
            "select config_hash from agent where account_id = $1 and id = $2", world.account, agent
        )
        await tools.attach(tx, world.owner, agent, AgentTool(tool="webSearch", config={"timeout_seconds": 5}))
        await tools.attach(tx, world.owner, agent, AgentTool(tool="search_web", enabled=False))
        assert len(await tools.attach(tx, world.owner, agent, AgentTool(tool="calendar_api"))) == 3
        after = await tx.fetchval(
            "select config_hash from agent where account_id = $1 and id = $2", world.account, agent
        )
        had = {one.tool: one for one in await tools.list_of_agent(tx, world.account, agent)}
        assert had["web_search"] == AgentTool(tool="web_search", enabled=False)
        assert {"get_events", "create_event", "find_free_time"} <= set(had)
        assert before != after
        await tools.detach(tx, world.owner, agent, "calendarApi")
        with pytest.raises(errors.NotFound):
            await tools.detach(tx, world.owner, agent, "create_event")
        assert [e for e in await audited(tx, world) if e.startswith("agent.")] == ["agent.tool_attach"] * 3 + [
            "agent.tool_detach"
        ]


async def test_what_cannot_be_attached_is_refused(world: World) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        with pytest.raises(errors.NotFound):
            await tools.attach(tx, world.owner, ids.new(), AgentTool(tool="x"))
        for wrong in (
            AgentTool(tool="!!"),
            AgentTool(tool="x", config={"requires_approval": "yes"}),
            AgentTool(tool="x", config={"max_calls_per_interaction": 0}),
            AgentTool(tool="x", config={"timeout_seconds": True}),
        ):
            with pytest.raises(errors.BadInput):
                await tools.attach(tx, world.owner, world.made.agent.id, wrong)


async def test_only_admins_change_tools_and_secrets(world: World) -> None:
    member = world.owner.model_copy(update={"role": Role.LEAD})
    async with world.db.tenant_tx(world.account) as tx:
        made = (await tools.create(tx, world.owner, new(), SEALER)).tool
        agent = world.made.agent.id
        for refused in (
            tools.create(tx, member, new(slug="b"), SEALER), tools.update(tx, member, made.id, ToolChange(name="x")),
            tools.delete(tx, member, made.id), tools.attach(tx, member, agent, AgentTool(tool="x")),
            tools.detach(tx, member, agent, "current_time"), secrets.put(tx, SEALER, member, "x", "y"),
            secrets.delete(tx, member, "x"),
        ):  # fmt: skip
            with pytest.raises(errors.Forbidden):
                await refused

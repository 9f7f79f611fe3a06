"""Agents as configured rows."""

from uuid import uuid4

import asyncpg
import pytest

from retinue import errors
from retinue.db.pool import Database
from retinue.domain import agents as domain
from retinue.domain.agents import AgentChange, AgentFilter, AgentStatus, DeploymentState, NewAgent, ToolChoice
from retinue.domain.audit import AuditFilter
from retinue.store import agents, audit, snapshots
from tests.store.conftest import Office


async def count_snapshots(db: Database, office: Office) -> int:
    async with db.tenant_tx(office.account_id) as tx:
        return await tx.fetchval("select count(*) from config_snapshot where account_id = $1", office.account_id)


@pytest.mark.requirement("AGT-01", "AGT-02", "AGT-03", "AGT-04", "SCH-03", "SCH-05")
async def test_an_agent_is_made_whole_and_read_back_the_same(db: Database, office: Office) -> None:
    new = NewAgent(
        name="Dr. Ann", description="Reads.", accent_colour="#102030", avatar="🦉", system_prompt="Be kind.",
        model="openai/gpt-5", trust_level=domain.TrustLevel.READ, limits=domain.Limits(max_steps=3),
        delegation_set=("mail",),
        tools=(ToolChoice(tool="getCurrentTime"), ToolChoice(tool="web_search", enabled=False)),
    )  # fmt: skip
    async with db.tenant_tx(office.account_id) as tx:
        made = await agents.create(tx, office.admin, new)
    async with db.tenant_tx(office.account_id) as tx:
        assert await agents.access_agent(tx, office.admin, made.id) == made
        tools = await agents.access_tools(tx, office.admin, made.id)
    assert made.slug == "dr-ann"
    assert (made.limits.max_steps, made.delegation_set, made.avatar) == (3, ("mail",), "🦉")
    assert len(made.config_hash) == 64
    assert [(one.tool, one.enabled) for one in tools] == [("current_time", True), ("web_search", False)]
    assert await count_snapshots(db, office) == 1


async def test_a_slug_is_made_from_the_name_and_never_taken_twice(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = [await agents.create(tx, office.admin, NewAgent(name="Ann")) for _ in range(3)]
        nameless = await agents.create(tx, office.admin, NewAgent(name="日本"))
        with pytest.raises(errors.AlreadyExists, match="ann-2"):
            await agents.create(tx, office.admin, NewAgent(name="Other", slug="ann-2"))
        with pytest.raises(errors.AlreadyExists, match="ann-3"):
            await agents.update(tx, office.admin, made[0].id, AgentChange(slug="ann-3"))
    assert [one.slug for one in made] == ["ann", "ann-2", "ann-3"]
    assert nameless.slug == "agent"


@pytest.mark.requirement("LIFE-11", "AUD-08", "CON-39")
async def test_a_snapshot_is_made_by_configuration_edits_and_by_nothing_else(db: Database, office: Office) -> None:
    edits = (
        (AgentChange(status=AgentStatus.PAUSED), False),
        (AgentChange(description="new", accent_colour="#000000", avatar="A"), False),
        (AgentChange(default_trigger_mode=domain.TriggerMode.SILENT), False),
        (AgentChange(deployment_state=DeploymentState.TESTING), False),
        (AgentChange(), False),
        (AgentChange(system_prompt="Be brief."), True),
        (AgentChange(limits=domain.Limits(max_steps=4)), True),
        (AgentChange(context=domain.ContextOptions(recent_messages=5)), True),
        (AgentChange(model="ollama/x"), True),
        (AgentChange(model="ollama/x"), False),
    )
    async with db.tenant_tx(office.account_id) as tx:
        made = await agents.create(tx, office.admin, NewAgent(name="Ann"))
    hashes = [made.config_hash]
    for change, is_new in edits:
        before = await count_snapshots(db, office)
        async with db.tenant_tx(office.account_id) as tx:
            hashes.append((await agents.update(tx, office.admin, made.id, change)).config_hash)
        assert (hashes[-1] != hashes[-2], await count_snapshots(db, office) - before) == (is_new, int(is_new)), change


@pytest.mark.requirement("AGT-03", "CON-48")
async def test_setting_tools_replaces_all_and_makes_one_snapshot(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await agents.create(tx, office.admin, NewAgent(name="Ann", tools=(ToolChoice(tool="old"),)))
    for names, expected, snapshots_then in (
        (("sendEmail", "email_send", "a", "b"), ["a", "b", "send_email"], 2),
        (("b", "a", "send_email"), ["a", "b", "send_email"], 2),
        ((), [], 3),
    ):
        async with db.tenant_tx(office.account_id) as tx:
            got = await agents.set_tools(tx, office.admin, made.id, [ToolChoice(tool=name) for name in names])
        assert [one.tool for one in got] == expected
        assert await count_snapshots(db, office) == snapshots_then
    async with db.tenant_tx(office.account_id) as tx:
        with pytest.raises(errors.BadInput):
            choice = ToolChoice(tool="a", config={"requires_approval": "perhaps"})
            await agents.set_tools(tx, office.admin, made.id, [choice])


async def test_an_update_changes_what_it_names_and_keeps_the_rest(db: Database, office: Office) -> None:
    new = NewAgent(name="Ann", description="x", model="m/1", limits=domain.Limits(max_steps=3, max_tokens=9))
    async with db.tenant_tx(office.account_id) as tx:
        made = await agents.create(tx, office.admin, new)
        change = AgentChange.model_validate({"model": None, "limits": {"max_steps": 5}})
        changed = await agents.update(tx, office.admin, made.id, change)
    assert (changed.model, changed.description, changed.name) == (None, "x", "Ann")
    assert (changed.limits.max_steps, changed.limits.max_tokens) == (5, 9)


async def test_an_update_of_a_stale_copy_is_refused(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await agents.create(tx, office.admin, NewAgent(name="Ann"))
    async with db.tenant_tx(office.account_id) as tx:
        await agents.update(tx, office.admin, made.id, AgentChange(name="Bea"), unchanged_since=made.updated_at)
    async with db.tenant_tx(office.account_id) as tx:
        with pytest.raises(errors.WrongState, match="meanwhile"):
            await agents.update(tx, office.admin, made.id, AgentChange(name="Cy"), unchanged_since=made.updated_at)


@pytest.mark.requirement("LIFE-12")
async def test_a_deleted_agent_leaves_its_history_and_frees_its_slug(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        await agents.delete(tx, office.admin, made.id)
        for attempt in (
            agents.access_agent(tx, office.admin, made.id),
            agents.update(tx, office.admin, made.id, AgentChange(name="x")),
            agents.set_tools(tx, office.admin, made.id, ()),
            agents.delete(tx, office.admin, made.id),
        ):
            with pytest.raises(errors.NotFound):
                await attempt
        assert await agents.list_agents(tx, office.admin) == []
        kept = await snapshots.list_snapshots(tx, office.admin, made.id)
        lines = await audit.list_events(tx, office.account_id, AuditFilter(event="agent."))
        again = await agents.create(tx, office.admin, NewAgent(name="Ann"))
    assert [one.hash for one in kept] == [made.config_hash]
    assert [line.event for line in lines] == ["agent.delete", "agent.create"]
    assert again.slug == made.slug


async def test_a_built_in_agent_cannot_be_deleted(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await agents.create(tx, office.admin, NewAgent(name="Ann"), source=agents.Source(origin="built_in"))
        with pytest.raises(errors.WrongState, match="deactivated"):
            await agents.delete(tx, office.admin, made.id)


async def test_only_admins_make_and_change_agents(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await agents.create(tx, office.owner, NewAgent(name="Ann"))
        for attempt in (
            agents.create(tx, office.member, NewAgent(name="Bea")),
            agents.update(tx, office.lead, made.id, AgentChange(name="x")),
            agents.set_tools(tx, office.member, made.id, ()),
            agents.delete(tx, office.member, made.id),
            snapshots.list_snapshots(tx, office.member, made.id),
            snapshots.access_snapshot(tx, office.member, made.id, made.config_hash),
        ):
            with pytest.raises(errors.Forbidden):
                await attempt


@pytest.mark.requirement("AGT-27", "CON-40", "LIFE-04")
async def test_members_see_active_agents_and_no_others_though_they_share_a_channel(
    db: Database, office: Office
) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        active = await agents.create(tx, office.admin, NewAgent(name="Active"))
        paused = await agents.create(tx, office.admin, NewAgent(name="Paused"))
        await agents.update(tx, office.admin, paused.id, AgentChange(status=AgentStatus.PAUSED))
        draft = NewAgent(name="Draft", deployment_state=DeploymentState.IN_DEVELOPMENT)
        hidden = await agents.create(tx, office.admin, draft)
        shared = await agents.create(tx, office.admin, draft)
        channel = uuid4()
        await tx.execute(
            "insert into channel (account_id, id, kind, name, team_id) values ($1, $2, 'team', 'T', $3)",
            office.account_id, channel, office.team_id,
        )  # fmt: skip
        await tx.execute(
            "insert into channel_member (account_id, channel_id, party_id, agent_id, trigger_mode) "
            "values ($1, $2, $3, $3, 'mention')", office.account_id, channel, shared.id,
        )  # fmt: skip

        async def seen(who: str, wanted: AgentFilter | None = None) -> set[str]:
            return {one.slug for one in await agents.list_agents(tx, office.everyone()[who], wanted)}

        assert await seen("admin") == {"active", "paused", "draft", "draft-2"}
        assert await seen("member") == await seen("colleague") == {"active", "paused"}
        assert await seen("admin", AgentFilter(status=AgentStatus.PAUSED)) == {"paused"}
        assert await seen("admin", AgentFilter(deployment_state=DeploymentState.ACTIVE)) == {"active", "paused"}
        assert await seen("admin", AgentFilter(slug="active")) == {"active"}
        for one in (hidden, shared):
            with pytest.raises(errors.NotFound):
                await agents.access_agent(tx, office.member, one.id)
        page = await agents.list_agents(tx, office.admin, after=active.id, limit=2)
        assert [one.id for one in page] == [paused.id, hidden.id]


async def test_an_external_agent_needs_an_endpoint(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        with pytest.raises(errors.BadInput, match="where"):
            await agents.create(tx, office.admin, NewAgent(name="Ann", execution="external"))
        made = await agents.create(
            tx, office.admin, NewAgent(name="Ann", execution="external", endpoint="https://agent.example/turn")
        )
        with pytest.raises(errors.BadInput, match="where"):
            await agents.update(tx, office.admin, made.id, AgentChange(endpoint=None))


async def test_another_account_sees_and_changes_nothing(db: Database, office: Office, other_office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await agents.create(tx, office.admin, NewAgent(name="Ann"))
    async with db.tenant_tx(other_office.account_id) as tx:
        assert await agents.list_agents(tx, other_office.owner) == []
        with pytest.raises(errors.NotFound):
            await snapshots.list_snapshots(tx, other_office.owner, made.id)
        with pytest.raises(errors.NotFound):
            await agents.delete(tx, other_office.owner, made.id)


@pytest.mark.requirement("LIFE-11")
async def test_two_snapshots_are_compared_field_by_field(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await agents.create(tx, office.admin, NewAgent(name="Ann", tools=(ToolChoice(tool="a"),)))
        change = AgentChange(system_prompt="Be brief.", limits=domain.Limits(max_steps=2))
        await agents.update(tx, office.admin, made.id, change)
        await agents.set_tools(tx, office.admin, made.id, [ToolChoice(tool="b")])
        kept = await snapshots.list_snapshots(tx, office.admin, made.id)
        after = (await agents.access_agent(tx, office.admin, made.id)).config_hash
        found = await snapshots.compare(tx, office.admin, made.id, (made.config_hash, after))
        with pytest.raises(errors.NotFound):
            await snapshots.access_snapshot(tx, office.admin, uuid4(), made.config_hash)
    assert len(kept) == 3
    assert {one.path: (one.before, one.after) for one in found} == {
        "limits.max_steps": (10, 2),
        "system_prompt": ("", "Be brief."),
        "tools.a": ({"enabled": True, "config": {}}, None),
        "tools.b": (None, {"enabled": True, "config": {}}),
    }


async def test_a_snapshot_cannot_be_changed(db: Database, office: Office) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.tenant_tx(office.account_id) as tx:
            await tx.execute("update config_snapshot set content = '{}' where account_id = $1", office.account_id)

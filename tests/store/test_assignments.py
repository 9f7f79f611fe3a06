"""Who may ask an agent, who may say so, and what may be said."""

from collections.abc import Iterable
from uuid import UUID, uuid4

import pytest

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain import ids, policy
from retinue.domain.accounts import Principal, Role
from retinue.domain.agents import Agent, AgentChange, DeploymentState, NewAgent, ToolChoice
from retinue.domain.assignments import Assignment, AssignmentChange, AssignmentScope, NewAssignment
from retinue.domain.channels import ChannelKind, NewChannel, NewMember
from retinue.domain.messages import NewThread
from retinue.domain.restrictions import Restriction
from retinue.domain.tools import Effect, ToolKind, ToolSpec
from retinue.store import agent_overview, agents, assignments, books, channel_members, channels, teams, threads
from tests.store.conftest import Office

CODE = tuple(
    ToolSpec(
        slug=slug,
        kind=ToolKind.INTERNAL,
        name=slug,
        description=slug,
        parameters={"type": "object", "properties": {name: {"type": "string"} for name in parameters}},
        effect=Effect.READ,
    )
    for slug, parameters in {"calendar": ("action",), "send_email": ("to",), "web_search": ("query",)}.items()
)
BLOCKED = Restriction(blocked=True)


async def make(tx: Tx, office: Office, **fields: object) -> Agent:
    tools = tuple(ToolChoice(tool=spec.slug) for spec in CODE)
    return await agents.create(tx, office.admin, NewAgent.model_validate({"name": "Ann", "tools": tools, **fields}))


async def assign(tx: Tx, office: Office, agent: Agent, scope: str, target: UUID | None = None) -> Assignment:
    prefix = {"user": "usr", "team": "team"}.get(scope)
    scope_id = ids.encode(prefix, target) if prefix and target else None
    new = NewAssignment(scope=AssignmentScope(scope), scope_id=scope_id)
    return await assignments.create(tx, office.admin, agent.id, new, CODE)


async def withdraw(tx: Tx, office: Office, agent: Agent) -> None:
    """Take the agent from everyone."""
    for one in await assignments.list_assignments(tx, office.admin, agent.id):
        await assignments.delete(tx, office.admin, (agent.id, one.id))


async def seers(tx: Tx, office: Office, agent: Agent) -> set[str]:
    """Who sees the agent; every way of reaching it agrees about that."""
    seen: set[str] = set()
    for name, who in office.everyone().items():
        listed = agent.id in {one.id for one in await agents.list_agents(tx, who)}
        told = agent.id in {one.agent_id for one in await agent_overview.list_overview(tx, who)}
        assert listed is told is await reaches(agents.access_agent(tx, who, agent.id)), name
        assert listed is await reaches(agents.access_tools(tx, who, agent.id))
        assert listed is await reaches(threads.create(tx, who, NewThread(agent_id=agent.id, title="T")))
        assert listed is await reaches(channels.direct(tx, who, agent.id))
        if listed:
            seen.add(name)
    return seen


async def reaches(attempt: object) -> bool:
    try:
        await attempt  # type: ignore[misc]
    except errors.NotFound:
        return False
    return True


@pytest.mark.requirement("LIFE-07", "LIFE-08", "SCH-07")
async def test_whom_an_agent_is_assigned_to_sees_it_and_nobody_else_but_admins(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        agent = await make(tx, office)
        assert await seers(tx, office, agent) == set(office.everyone()), "a new agent is everyone's"
        await withdraw(tx, office, agent)
        assert await seers(tx, office, agent) == {"owner", "admin"}
        team = await assign(tx, office, agent, "team", office.team_id)
        assert await seers(tx, office, agent) == {"owner", "admin", "lead", "member"}
        await assign(tx, office, agent, "user", office.colleague.user_id)
        await assignments.delete(tx, office.admin, (agent.id, team.id))
        assert await seers(tx, office, agent) == {"owner", "admin", "colleague"}
        await assign(tx, office, agent, "account")
        assert await seers(tx, office, agent) == set(office.everyone())


@pytest.mark.requirement("LIFE-04", "LIFE-07")
async def test_only_an_active_agent_is_anybodys_but_admins(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        agent = await make(tx, office, deployment_state="in_development")
        for state in DeploymentState:
            if state is not agent.deployment_state:
                agent = await agents.update(tx, office.admin, agent.id, AgentChange(deployment_state=state))
            active = state is DeploymentState.ACTIVE
            assert await seers(tx, office, agent) == (set(office.everyone()) if active else {"owner", "admin"}), state


@pytest.mark.requirement("LIFE-08")
async def test_who_may_not_ask_an_agent_cannot_bring_it_into_a_channel_but_sees_that_it_is_in_one(
    db: Database, office: Office
) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        agent = await make(tx, office)
        await withdraw(tx, office, agent)
        await assign(tx, office, agent, "user", office.member.user_id)
        own = await channels.create(tx, office.colleague, NewChannel(kind=ChannelKind.GROUP, name="Own"))
        with pytest.raises(errors.NotFound):
            await channel_members.add(tx, office.colleague, own.id, NewMember(agent_id=agent.id))
        shared = await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="Shared"))
        for new in (NewMember(agent_id=agent.id), NewMember(user_id=office.colleague.user_id)):
            await channel_members.add(tx, office.member, shared.id, new)

        async def reachable(who: Principal) -> dict[str, bool]:
            return {one.name: one.reachable for one in await channel_members.list_members(tx, who, shared.id)}

        assert await reachable(office.member) == {"Ann": True, "Member": True, "Colleague": True}
        assert await reachable(office.colleague) == {"Ann": False, "Member": True, "Colleague": True}
        await agents.update(tx, office.admin, agent.id, AgentChange(deployment_state=DeploymentState.AVAILABLE))
        assert (await reachable(office.member))["Ann"] is False


@pytest.mark.requirement("LIFE-07")
async def test_in_a_teams_channel_the_assignments_of_other_teams_do_not_count(db: Database, office: Office) -> None:
    """Both sides of the rule: what people are shown, and what the gate judges by."""
    async with db.tenant_tx(office.account_id) as tx:
        agent = await make(tx, office)
        await withdraw(tx, office, agent)
        other = uuid4()
        await tx.execute(
            "insert into team (account_id, id, name, slug) values ($1, $2, 'Other', 'other')", office.account_id, other
        )
        people: Iterable[UUID | None] = [*(who.user_id for who in office.everyone().values()), None]
        for scope, target in (
            ("team", office.team_id), ("user", office.colleague.user_id), ("team", other), ("account", None),
        ):  # fmt: skip
            made = await assign(tx, office, agent, scope, target)
            for user in people:
                for team in (None, office.team_id, other):
                    book = await books.book(tx, office.account_id, agent.id, user, team)
                    shown = await tx.fetchval(
                        "select assigned_v1($1, $2, $3, $4)", office.account_id, agent.id, user, team
                    )
                    assert shown == bool(book.assignments), (scope, user, team)
            await assignments.delete(tx, office.admin, (agent.id, made.id))


# ── who writes what ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("DEL-23", "DEL-24", "DEL-27", "CON-48")
async def test_restrictions_are_kept_by_canonical_name_and_give_no_tool(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        agent = await make(tx, office, delegation_set=["scheduler-agent"])
        [everyone] = await assignments.list_assignments(tx, office.admin, agent.id)
        written = {
            "scheduler_agent": Restriction(
                allowed_actions=("find_free_time", "check_conflicts"), denied_actions=("create_event",)
            ),
            "search_web": Restriction(max_calls_per_interaction=3),
            "webSearch": Restriction(max_calls_per_interaction=5),
            "sendEmail": BLOCKED,
        }
        change = AssignmentChange(tool_restrictions=written)
        changed = await assignments.update(tx, office.admin, (agent.id, everyone.id), change, CODE)
        assert sorted(changed.tool_restrictions) == ["scheduler_agent", "send_email", "web_search"]
        assert changed.tool_restrictions["web_search"].max_calls_per_interaction == 3
        assert changed.absent == ()
        await agents.set_tools(tx, office.admin, agent.id, [ToolChoice(tool="web_search")])
        [seen] = await assignments.list_assignments(tx, office.admin, agent.id)
        assert seen.absent == ("send_email",), "it is told that the restriction speaks of a tool the agent has not"
        book = await books.book(tx, office.account_id, agent.id, office.member.user_id, None)
    assert policy.restrictions(book)["scheduler_agent"].denied_actions == ("create_event",)


@pytest.mark.requirement("CON-50", "DEL-23")
async def test_what_cannot_be_kept_is_refused_at_its_field(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        agent = await make(tx, office)
        [everyone] = await assignments.list_assignments(tx, office.admin, agent.id)
        for name, rule in (
            ("sendEmail", Restriction(denied_actions=("send",))),
            ("send_mial", BLOCKED),
        ):
            change = AssignmentChange(tool_restrictions={name: rule})
            with pytest.raises(errors.BadInput) as caught:
                await assignments.update(tx, office.admin, (agent.id, everyone.id), change, CODE)
            assert [one["path"] for one in caught.value.errors] == [f"body.tool_restrictions.{name}"]


@pytest.mark.requirement("LIFE-09")
async def test_an_agent_is_assigned_once_to_somebody_who_is_there(
    db: Database, office: Office, other_office: Office
) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        agent = await make(tx, office)
        with pytest.raises(errors.AlreadyExists):
            await assign(tx, office, agent, "account")
        for scope, target in (
            ("team", None), ("user", None), ("team", uuid4()), ("user", uuid4()), ("team", other_office.team_id),
            ("user", other_office.member.user_id), ("user", office.team_id),
        ):  # fmt: skip
            with pytest.raises(errors.BadInput) as caught:
                await assign(tx, office, agent, scope, target)
            assert caught.value.errors[0]["path"] == "body.scope_id"
        made = await assign(tx, office, agent, "team", office.team_id)
        assert (made.name, made.scope_id) == ("Team", ids.encode("team", office.team_id))
        await teams.delete(tx, office.account_id, office.team_id)
        left = await assignments.list_assignments(tx, office.admin, agent.id)
        assert [one.scope for one in left] == [AssignmentScope.ACCOUNT], "what goes with a team goes from here"


@pytest.mark.requirement("GOV-07", "LIFE-09")
async def test_leads_read_and_tighten_what_holds_for_their_team_and_loosen_nothing(
    db: Database, office: Office
) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        agent = await make(tx, office)
        team = await assign(tx, office, agent, "team", office.team_id)
        account, _ = await assignments.list_assignments(tx, office.admin, agent.id)
        assert [one.id for one in await assignments.list_assignments(tx, office.lead, agent.id)] == [team.id]
        assert await assignments.list_assignments(tx, office.member, agent.id) == []

        async def write(who: Principal, at: Assignment, **rules: Restriction) -> Assignment:
            change = AssignmentChange(tool_restrictions=rules)
            return await assignments.update(tx, who, (agent.id, at.id), change, CODE)

        await write(office.lead, team, calendar=Restriction(allowed_actions=("find",)))
        await write(office.lead, team, calendar=Restriction(allowed_actions=("find",)), send_email=BLOCKED)
        with pytest.raises(errors.Forbidden, match="send_email"):
            await write(office.lead, team, calendar=BLOCKED)
        with pytest.raises(errors.Forbidden, match="admin"):
            await assignments.delete(tx, office.lead, (agent.id, team.id))
        for who in (office.lead, office.member):
            with pytest.raises((errors.NotFound, errors.Forbidden)):
                await write(who, account, calendar=BLOCKED)
            with pytest.raises(errors.Forbidden):
                await assignments.create(tx, who, agent.id, NewAssignment(scope=AssignmentScope.ACCOUNT), CODE)
        with pytest.raises(errors.NotFound):
            await write(office.member, team, calendar=BLOCKED)
        await write(office.admin, team)
        await assignments.delete(tx, office.lead, (agent.id, team.id))


async def test_an_admin_whose_key_may_not_administer_is_no_more_than_a_lead(db: Database, office: Office) -> None:
    weak = office.admin.model_copy(update={"scopes": ("read", "write"), "role": Role.ADMIN})
    async with db.tenant_tx(office.account_id) as tx:
        agent = await make(tx, office)
        [account] = await assignments.list_assignments(tx, weak, agent.id)
        with pytest.raises(errors.Forbidden):
            await assignments.delete(tx, weak, (agent.id, account.id))
        with pytest.raises(errors.Forbidden):
            await assignments.create(tx, weak, agent.id, NewAssignment(scope=AssignmentScope.ACCOUNT), CODE)


@pytest.mark.requirement("GOV-23", "GOV-24", "AUD-14")
async def test_every_change_is_audited_and_raises_the_revision(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        agent = await make(tx, office)
        revisions = [await revision(tx, office)]
        made = await assign(tx, office, agent, "team", office.team_id)
        revisions.append(await revision(tx, office))
        change = AssignmentChange(tool_restrictions={"sendEmail": BLOCKED})
        await assignments.update(tx, office.admin, (agent.id, made.id), change, CODE)
        revisions.append(await revision(tx, office))
        await assignments.delete(tx, office.admin, (agent.id, made.id))
        revisions.append(await revision(tx, office))
        rows = await tx.fetch(
            "select event, detail from audit_event where account_id = $1 and event like 'assignment.%' order by id",
            office.account_id,
        )
    assert revisions == sorted(set(revisions))
    assert [row["event"] for row in rows] == ["assignment.create", "assignment.update", "assignment.delete"]
    assert rows[1]["detail"] == {
        "assignment_id": str(made.id), "agent_id": str(agent.id), "scope": "team", "team_id": str(office.team_id),
        "restricted": ["send_email"],
    }  # fmt: skip


async def revision(tx: Tx, office: Office) -> int:
    return await tx.fetchval("select policy_revision from account where id = $1", office.account_id)

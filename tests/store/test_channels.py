"""Channels, their members, and who may see which."""

import asyncio
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain.accounts import Principal
from retinue.domain.agents import TRIGGER_RANK, NewAgent, TriggerMode, strictest
from retinue.domain.audit import AuditFilter
from retinue.domain.channels import (
    ChannelChange,
    ChannelFilter,
    ChannelKind,
    InputPolicy,
    MemberChange,
    NewChannel,
    NewMember,
)
from retinue.store import agents, audit, channel_members, channels
from tests.store.conftest import Office

EVERYONE = {"owner", "admin", "lead", "member", "colleague"}
MAY_READ = {
    ChannelKind.ORGANISATION: EVERYONE,
    ChannelKind.TEAM: {"admin", "lead", "member"},
    ChannelKind.GROUP: {"admin", "colleague"},
    ChannelKind.PRIVATE: {"admin", "member"},
}


async def one_of_each(tx: Tx, office: Office) -> dict[ChannelKind, UUID]:
    """Four channels made by the admin; the group has the colleague, the private one the member."""
    made: dict[ChannelKind, UUID] = {}
    for kind in ChannelKind:
        team_id = office.team_id if kind is ChannelKind.TEAM else None
        made[kind] = (await channels.create(tx, office.admin, NewChannel(kind=kind, name=kind, team_id=team_id))).id
    for kind, who in ((ChannelKind.GROUP, office.colleague), (ChannelKind.PRIVATE, office.member)):
        await channel_members.add(tx, office.admin, made[kind], NewMember(user_id=who.user_id))
    return made


@pytest.mark.requirement("CHN-17", "PRN-14")
async def test_each_kind_of_channel_is_seen_by_its_people_and_by_nobody_else(
    db: Database, office: Office, other_office: Office
) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await one_of_each(tx, office)
        for name, who in office.everyone().items():
            expected = {made[kind] for kind in ChannelKind if name in MAY_READ[kind]}
            assert {one.id for one in await channels.list_channels(tx, who)} == expected, name
            for kind, channel_id in made.items():
                entered = await tx.fetchval("select may_enter_v1($1, $2, $3)", who.account_id, channel_id, who.user_id)
                assert entered == (name in MAY_READ[kind])
                if entered:
                    assert (await channels.access_channel(tx, who, channel_id)).kind is kind
                    continue
                for attempt in (
                    channels.access_channel(tx, who, channel_id),
                    channels.update(tx, who, channel_id, ChannelChange(name="x")),
                    channel_members.list_members(tx, who, channel_id),
                    channel_members.add(tx, who, channel_id, NewMember(user_id=who.user_id)),
                    channel_members.remove(tx, who, channel_id, office.admin.user_id),
                ):
                    with pytest.raises(errors.NotFound):
                        await attempt
    async with db.tenant_tx(other_office.account_id) as tx:
        assert await channels.list_channels(tx, other_office.owner) == []
        with pytest.raises(errors.NotFound):
            await channels.access_channel(tx, other_office.owner, made[ChannelKind.ORGANISATION])


async def test_a_channel_is_made_by_those_who_may(db: Database, office: Office) -> None:
    may = {
        ChannelKind.ORGANISATION: {"owner", "admin"},
        ChannelKind.TEAM: {"owner", "admin", "lead"},
        ChannelKind.GROUP: EVERYONE,
        ChannelKind.PRIVATE: EVERYONE,
    }
    async with db.tenant_tx(office.account_id) as tx:
        for kind, allowed in may.items():
            team_id = office.team_id if kind is ChannelKind.TEAM else None
            for name, who in office.everyone().items():
                new = NewChannel(kind=kind, name="C", team_id=team_id)
                if name in allowed:
                    made = await channels.create(tx, who, new)
                    assert await channels.access_channel(tx, who, made.id) == made
                else:
                    with pytest.raises(errors.Forbidden):
                        await channels.create(tx, who, new)
        with pytest.raises(errors.NotFound):
            await channels.create(tx, office.owner, NewChannel(kind=ChannelKind.TEAM, name="C", team_id=uuid4()))


async def test_a_channel_is_changed_by_its_owners_leads_and_admins(db: Database, office: Office) -> None:
    may = {
        ChannelKind.ORGANISATION: {"owner", "admin"},
        ChannelKind.TEAM: {"admin", "lead"},
        ChannelKind.GROUP: {"admin"},
        ChannelKind.PRIVATE: {"admin"},
    }
    async with db.tenant_tx(office.account_id) as tx:
        for kind, channel_id in (await one_of_each(tx, office)).items():
            for name in MAY_READ[kind]:
                who = office.everyone()[name]
                change = ChannelChange(name=name, input_policy=InputPolicy.QUEUE, debounce_ms=20)
                if name in may[kind]:
                    changed = await channels.update(tx, who, channel_id, change)
                    assert (changed.name, changed.input_policy, changed.debounce_ms) == (name, "queue", 20)
                else:
                    with pytest.raises(errors.Forbidden):
                        await channels.update(tx, who, channel_id, change)


async def test_an_archived_channel_leaves_the_list_and_comes_back(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="G", slug="g"))
        gone = await channels.update(tx, office.member, made.id, ChannelChange(archived=True))
        assert gone.archived_at is not None
        assert await channels.list_channels(tx, office.member) == []
        assert await channels.list_channels(tx, office.member, ChannelFilter(archived=True)) == [gone]
        with pytest.raises(errors.WrongState, match="archived"):
            await channel_members.add(tx, office.member, made.id, NewMember(user_id=office.lead.user_id))
        assert await channels.update(tx, office.member, made.id, ChannelChange()) == gone
        back = await channels.update(tx, office.member, made.id, ChannelChange(archived=False, slug=None))
        assert (back.archived_at, back.slug, back.name) == (None, None, "G")


async def test_a_slug_names_one_channel(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        new = NewChannel(kind=ChannelKind.GROUP, name="G", slug="g")
        await channels.create(tx, office.member, new)
        other = await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="H"))
        with pytest.raises(errors.AlreadyExists):
            await channels.create(tx, office.lead, new)
        with pytest.raises(errors.AlreadyExists):
            await channels.update(tx, office.member, other.id, ChannelChange(slug="g"))


# ── members ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("CHN-04")
async def test_everyone_of_a_channel_is_listed_once_page_by_page(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await one_of_each(tx, office)
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        for kind, channel_id in made.items():
            await channel_members.add(tx, office.admin, channel_id, NewMember(agent_id=agent.id))
            people = {office.everyone()[name].user_id for name in MAY_READ[kind]}
            seen: list[UUID | None] = []
            after = None
            while page := await channel_members.list_members(tx, office.admin, channel_id, after=after, limit=2):
                seen += [one.user_id or one.agent_id for one in page]
                after = seen[-1]
            assert set(seen) == people | {agent.id}
            assert len(seen) == len(set(seen))
        one = await channel_members.access_member(tx, office.admin, made[ChannelKind.TEAM], agent.id)
        assert (one.kind, one.slug, one.trigger_mode, one.name) == ("agent", "ann", "mention", "Ann")


async def set_loosest(tx: Tx, table: str, account_id: UUID, row_id: UUID, mode: TriggerMode) -> None:
    where = "id = $2 and $1::uuid is not null" if table == "account" else "account_id = $1 and id = $2"
    await tx.execute(f"update {table} set loosest_trigger_mode = $3 where {where}", account_id, row_id, mode)


@given(st.lists(st.sampled_from(TriggerMode), min_size=1))
@pytest.mark.requirement("TRG-20")
def test_the_strictest_mode_is_one_of_them_and_looser_than_none(modes: list[TriggerMode]) -> None:
    mode = strictest(*modes)
    assert mode in modes
    assert all(TRIGGER_RANK[mode] <= TRIGGER_RANK[other] for other in modes)


@pytest.mark.requirement("TRG-02", "TRG-03", "TRG-20", "CON-43")
async def test_a_membership_is_clamped_to_what_account_team_and_user_allow(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await one_of_each(tx, office)
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        for account in TriggerMode:
            for narrower in TriggerMode:
                await set_loosest(tx, "account", office.account_id, office.account_id, account)
                await set_loosest(tx, "team", office.account_id, office.team_id, narrower)
                await set_loosest(tx, "app_user", office.account_id, office.admin.user_id, narrower)
                for kind, channel_id in made.items():
                    for asked in TriggerMode:
                        new = NewMember(agent_id=agent.id, trigger_mode=asked)
                        got = await channel_members.add(tx, office.admin, channel_id, new)
                        own = [narrower] if kind in (ChannelKind.TEAM, ChannelKind.PRIVATE) else []
                        assert got.trigger_mode is strictest(asked, account, *own), (kind, asked, account, narrower)


@pytest.mark.requirement("TRG-02", "CON-43")
async def test_an_agent_joins_with_its_default_mode_unless_told_otherwise(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await one_of_each(tx, office)
        new = NewAgent(name="Ann", default_trigger_mode=TriggerMode.SILENT)
        agent = await agents.create(tx, office.admin, new)
        group = made[ChannelKind.GROUP]
        got = await channel_members.add(tx, office.admin, group, NewMember(agent_id=agent.id))
        assert got.trigger_mode is TriggerMode.SILENT
        change = MemberChange(trigger_mode=TriggerMode.PROACTIVE)
        got = await channel_members.update(tx, office.admin, group, agent.id, change)
        assert got.trigger_mode is TriggerMode.PROACTIVE
        assert await channel_members.update(tx, office.admin, group, agent.id, MemberChange()) == got
        for party, wrong in ((agent.id, MemberChange(role="owner")), (office.colleague.user_id, change)):
            with pytest.raises(errors.BadInput):
                await channel_members.update(tx, office.admin, group, party, wrong)


async def test_only_owners_put_people_in_and_out_but_anyone_may_leave(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        group = (await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="G"))).id
        for who in (office.lead, office.colleague):
            await channel_members.add(tx, office.member, group, NewMember(user_id=who.user_id))
        with pytest.raises(errors.Forbidden):
            await channel_members.add(tx, office.lead, group, NewMember(user_id=office.owner.user_id))
        with pytest.raises(errors.Forbidden):
            await channel_members.remove(tx, office.lead, group, office.colleague.user_id)
        await channel_members.remove(tx, office.lead, group, office.lead.user_id)
        with pytest.raises(errors.NotFound):
            await channels.access_channel(tx, office.lead, group)
        with pytest.raises(errors.WrongState, match="owner"):
            await channel_members.remove(tx, office.member, group, office.member.user_id)
        with pytest.raises(errors.WrongState, match="owner"):
            change = MemberChange(role="member")
            await channel_members.update(tx, office.member, group, office.member.user_id, change)
        await channel_members.update(tx, office.member, group, office.colleague.user_id, MemberChange(role="owner"))
        await channel_members.remove(tx, office.member, group, office.member.user_id)
        left = await channel_members.list_members(tx, office.colleague, group)
        assert [(one.user_id, one.role) for one in left] == [(office.colleague.user_id, "owner")]
        await channel_members.remove(tx, office.colleague, group, office.colleague.user_id)


async def test_strangers_and_suspended_people_cannot_be_put_into_a_channel(
    db: Database, office: Office, other_office: Office
) -> None:
    async with db.tenant_tx(other_office.account_id) as tx:
        foreign = await agents.create(tx, other_office.admin, NewAgent(name="Foreign"))
    async with db.tenant_tx(office.account_id) as tx:
        group = (await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="G"))).id
        await tx.execute("update app_user set status = 'suspended' where account_id = $1 and id = $2",
                         office.account_id, office.lead.user_id)  # fmt: skip
        for new in (
            NewMember(user_id=other_office.member.user_id),
            NewMember(user_id=office.lead.user_id),
            NewMember(agent_id=foreign.id),
        ):
            with pytest.raises(errors.NotFound):
                await channel_members.add(tx, office.member, group, new)
        with pytest.raises(errors.NotFound):
            await channel_members.remove(tx, office.member, group, uuid4())


async def test_a_user_and_an_agent_have_one_channel_alone(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        made = await channels.direct(tx, office.member, agent.id)
        assert (made.kind, made.name) == (ChannelKind.PRIVATE, "Ann")
        assert (await channels.direct(tx, office.member, agent.id)).id == made.id
        other = await channels.direct(tx, office.lead, agent.id)
        assert other.id != made.id
        one = await channel_members.access_member(tx, office.member, made.id, agent.id)
        assert one.trigger_mode is TriggerMode.PROACTIVE
        await channel_members.add(tx, office.member, made.id, NewMember(user_id=office.colleague.user_id))
        assert (await channels.direct(tx, office.member, agent.id)).id != made.id
        await set_loosest(tx, "account", office.account_id, office.account_id, TriggerMode.MENTION)
        strict = await channels.direct(tx, office.colleague, agent.id)
        one = await channel_members.access_member(tx, office.colleague, strict.id, agent.id)
        assert one.trigger_mode is TriggerMode.MENTION
        with pytest.raises(errors.NotFound):
            await channels.direct(tx, office.member, uuid4())


async def test_two_first_calls_at_once_make_one_direct_channel(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
    found: set[UUID] = set()

    async def call(who: Principal) -> None:
        async with db.tenant_tx(office.account_id) as tx:
            found.add((await channels.direct(tx, who, agent.id)).id)

    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(call(office.member))
    assert len(found) == 1


@pytest.mark.requirement("AUD-01", "AUD-14")
async def test_every_change_of_a_channel_is_audited(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        group = (await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="secret plan"))).id
        await channel_members.add(tx, office.member, group, NewMember(user_id=office.lead.user_id))
        await channel_members.remove(tx, office.member, group, office.lead.user_id)
        await channels.update(tx, office.member, group, ChannelChange(archived=True))
        lines = await audit.list_events(tx, office.account_id, AuditFilter(event="channel."))
    assert [line.event.removeprefix("channel.") for line in reversed(lines)] == [
        "create", "member_add", "member_remove", "update",
    ]  # fmt: skip
    assert "secret plan" not in str(lines)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"user_id": uuid4(), "agent_id": uuid4()},
        {"user_id": uuid4(), "trigger_mode": "mention"},
        {"agent_id": uuid4(), "role": "owner"},
    ],
)
async def test_a_membership_that_makes_no_sense_is_refused(
    db: Database, office: Office, wrong: dict[str, object]
) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="G"))
        with pytest.raises(errors.BadInput):
            await channel_members.add(tx, office.member, made.id, NewMember.model_validate(wrong))

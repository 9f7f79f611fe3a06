"""Read marks, and what is new in a channel for each person."""

from uuid import UUID

import pytest

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain.accounts import Principal
from retinue.domain.agents import NewAgent
from retinue.domain.channels import Channel, ChannelKind, NewChannel, NewMember
from retinue.store import agents, channel_members, channels, corrections, preferences, reads
from tests.store.conftest import Office
from tests.store.talk import post

MANY, MESSAGES = 100, 10_000
FILL = """
with made as (insert into channel (account_id, id, kind, name, created_by, last_seq)
              select $1, new_id(), 'group', 'c' || n, $2, $4 from generate_series(1, $3) n returning id),
people as (insert into channel_member (account_id, channel_id, party_id, user_id, joined_at)
           select $1, id, $2, $2, clock() - interval '1 day' from made)
insert into message (account_id, id, channel_id, seq, author_kind, user_id, content)
select $1, new_id(), made.id, n, 'user', new_id(), 'words ' || n from made, generate_series(1, $4) n
"""


async def group(tx: Tx, office: Office) -> UUID:
    """A group of the member (who owns it) and the lead."""
    made = await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="G"))
    await channel_members.add(tx, office.member, made.id, NewMember(user_id=office.lead.user_id))
    return made.id


async def seen(tx: Tx, who: Principal, channel_id: UUID) -> Channel:
    [one] = await reads.dress(tx, who, [await channels.access_channel(tx, who, channel_id)])
    return one


async def test_unread_is_what_others_said_beyond_the_mark(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        account = office.account_id
        await post(tx, account, channel, "mine", by=office.lead.user_id)
        await post(tx, account, channel, "theirs", by=office.member.user_id)
        await post(tx, account, channel, "for another", agent=agent.id, to=office.member.user_id)
        await post(tx, account, channel, "draft", agent=agent.id, status="pending_approval")
        gone = await post(tx, account, channel, "gone", by=office.member.user_id)
        await post(tx, account, channel, "hi @lead, and `@lead`", agent=agent.id)
        await post(tx, account, channel, "`@lead` in code, @leader elsewhere", by=office.member.user_id)
        await post(tx, account, channel, "for you alone", agent=agent.id, to=office.lead.user_id)
        await corrections.delete(tx, office.member, gone)
        now = await seen(tx, office.lead, channel)
        assert (now.last_seq, now.read_seq, now.unread, now.mentions_unread) == (8, 0, 4, 2)
        assert now.last_message_at is not None
        state = await reads.mark(tx, office.lead, channel, 6)
        assert (state.read_seq, state.unread, state.mentions_unread) == (6, 2, 1)
        assert (await reads.mark(tx, office.lead, channel, 3)).read_seq == 6, "the mark only moves forward"
        state = await reads.mark(tx, office.lead, channel, 99)
        assert (state.read_seq, state.unread, state.mentions_unread) == (8, 0, 0)
        assert (await seen(tx, office.member, channel)).read_seq == 0, "everyone has a mark of their own"


async def test_what_was_said_before_one_came_is_not_unread(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        await post(tx, office.account_id, channel, "long ago", by=office.member.user_id)
        await tx.execute(
            "update message set created_at = created_at - interval '1 day' where account_id = $1", office.account_id
        )
        await channel_members.add(tx, office.member, channel, NewMember(user_id=office.colleague.user_id))
        await post(tx, office.account_id, channel, "now", by=office.member.user_id)
        assert (await seen(tx, office.colleague, channel)).unread == 1


async def test_a_channel_says_who_is_in_it_and_who_may_change_it(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        made = {
            kind: await channels.create(tx, office.admin, NewChannel(kind=kind, name="C", team_id=team))
            for kind, team in (
                (ChannelKind.ORGANISATION, None), (ChannelKind.TEAM, office.team_id), (ChannelKind.GROUP, None),
            )
        }  # fmt: skip
        for one in made.values():
            for new in (NewMember(agent_id=agent.id), NewMember(user_id=office.member.user_id)):
                await channel_members.add(tx, office.admin, one.id, new)
        made[ChannelKind.PRIVATE] = await channels.direct(tx, office.admin, agent.id)
        for kind, people in (("organisation", 5), ("team", 3), ("group", 2), ("private", 1)):
            one = await seen(tx, office.admin, made[ChannelKind(kind)].id)
            listed = await channel_members.list_members(tx, office.admin, one.id)
            assert (one.people_count, one.agent_count) == (people, 1)
            assert [party.kind for party in listed].count("user") == people, "as the list of members has it"
            assert one.agent_id == (agent.id if kind == "private" else None)
        for one in made.values():
            for who in office.everyone().values():
                if await tx.fetchval("select may_enter_v1($1, $2, $3)", office.account_id, one.id, who.user_id):
                    owns = await tx.fetchval(
                        "select owns_channel_v1($1, $2, $3)", office.account_id, one.id, who.user_id
                    )
                    assert (await seen(tx, who, one.id)).may_change is owns, (one.kind, who)


async def test_nobody_marks_a_channel_that_is_not_theirs(db: Database, office: Office, other_office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = await group(tx, office)
        for attempt in (
            reads.mark(tx, office.admin, channel, 1),
            preferences.get(tx, office.admin, channel),
            preferences.put(tx, office.admin, channel, "direct"),
        ):
            with pytest.raises(errors.NotFound):
                await attempt
    with pytest.raises(errors.NotFound):
        await reads.typing(db, office.admin, channel)
    with pytest.raises(errors.NotFound):
        await reads.typing(db, other_office.owner, channel)


async def test_a_sidebar_of_many_long_unread_channels_is_one_bounded_query(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        await tx.execute(FILL, office.account_id, office.colleague.user_id, MANY, MESSAGES // MANY * 2)
        shown = await channels.list_channels(tx, office.colleague, limit=MANY)
        await reads.mark(tx, office.colleague, shown[0].id, 195)
        sql = "explain (analyze, format json) " + reads.STATE
        args = [office.account_id, office.colleague.user_id, [one.id for one in shown], "colleague"]
        args += [shown[0].created_at, False, 5]
        plan = (await tx.fetchval(sql, *args))[0]["Plan"]
        dressed = await reads.dress(tx, office.colleague, shown)
        for one in shown:
            await reads.mark(tx, office.colleague, one.id, one.last_seq)
        read = (await tx.fetchval(sql, *args))[0]["Plan"]
    assert rows(read) <= MANY * 2 + 200, "where all is read, nothing but the last message is"
    assert [one.unread for one in dressed] == [5] + [reads.WINDOW] * (MANY - 1)
    assert rows(plan) <= MANY * (reads.WINDOW + 2) + 200, "it reads no more than the window of each channel"


def rows(plan: dict[str, object]) -> float:
    """Rows that all scans of messages in a plan have read, those that were filtered out too."""
    own = 0.0
    if plan.get("Relation Name") == "message":
        loops = float(plan["Actual Loops"])  # type: ignore[arg-type]
        own = loops * (float(plan["Actual Rows"]) + float(plan.get("Rows Removed by Filter", 0)))  # type: ignore[arg-type]
    return own + sum(rows(child) for child in plan.get("Plans", []))  # type: ignore[union-attr,arg-type]

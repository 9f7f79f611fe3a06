"""Full-text search and its borders."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain import messages as domain
from retinue.domain.accounts import Principal
from retinue.domain.agents import NewAgent
from retinue.domain.channels import ChannelKind, NewChannel, NewMember
from retinue.domain.messages import NewThread, NewThreadMessage, ThreadQuery
from retinue.store import agents, channel_members, channels, search, threads
from retinue.store.search import Asking, Where
from tests.store.conftest import Office
from tests.store.talk import bridge, interaction, note, post
from tests.store.test_channels import MAY_READ, one_of_each


async def found(tx: Tx, who: Principal, text: str, where: Where | None = None) -> set[str]:
    return {
        hit.message.content for hit in await search.search_messages(tx, who, ThreadQuery(text=text, limit=50), where)
    }


async def test_search_finds_in_the_channels_one_may_read_and_nowhere_else(
    db: Database, office: Office, other_office: Office
) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        made = await one_of_each(tx, office)
        for kind, channel in made.items():
            await post(tx, office.account_id, channel, f"needle {kind}", by=office.admin.user_id)
            await post(
                tx, office.account_id, channel, f"needle draft {kind}", by=office.admin.user_id, status="rejected"
            )
            for who in (office.member, office.colleague):
                to = f"needle direct {kind} {who.user_id}"
                await post(tx, office.account_id, channel, to, by=office.admin.user_id, to=who.user_id)
        for name, who in office.everyone().items():
            expected = {f"needle {kind}" for kind in ChannelKind if name in MAY_READ[kind]}
            for kind in ChannelKind:
                if name in MAY_READ[kind]:
                    directs = (office.member, office.colleague) if name == "admin" else (who,)
                    if name in ("admin", "member", "colleague"):
                        expected |= {f"needle direct {kind} {one.user_id}" for one in directs}
            assert await found(tx, who, "needle") == expected, name
            assert await found(tx, who, "needle -direct") == {one for one in expected if "direct" not in one}
        only = await found(tx, office.admin, "needle -direct", Where(channel_id=made[ChannelKind.TEAM]))
        assert only == {"needle team"}
        with pytest.raises(errors.NotFound):
            await found(tx, office.colleague, "needle", Where(channel_id=made[ChannelKind.TEAM]))
    async with db.tenant_tx(other_office.account_id) as tx:
        assert await found(tx, other_office.owner, "needle") == set()


async def test_neighbours_come_with_a_hit_and_are_shown_once(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = (await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="G"))).id
        await channel_members.add(tx, office.member, channel, NewMember(user_id=office.lead.user_id))
        for text in ("a", "needle needle", "b", "needle", "c", "d", "hidden", "needle far away from the rest", "e"):
            direct = {"to": office.owner.user_id} if text == "hidden" else {}
            await post(tx, office.account_id, channel, text, by=office.member.user_id, **direct)
        hits = await search.search_messages(tx, office.lead, ThreadQuery(text="needle", limit=3))
        shown = [
            ([one.content for one in hit.before], hit.message.content, [one.content for one in hit.after])
            for hit in hits
        ]
        assert shown == [
            (["a"], "needle needle", ["b"]),
            (["d"], "needle far away from the rest", ["e"]),
            ([], "needle", ["c"]),
        ]
        alone = await search.search_messages(tx, office.lead, ThreadQuery(text="needle", before=0, after=0))
        assert all(not hit.before and not hit.after for hit in alone)


async def test_hits_are_paged_by_rank(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = (await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="G"))).id
        for number in range(7):
            await post(tx, office.account_id, channel, "needle " * (1 + number % 3), by=office.member.user_id)
        seen: list[UUID] = []
        after = None
        while page := await search.search_messages(
            tx, office.member, ThreadQuery(text="needle", limit=2), Where(after=after)
        ):
            seen += [hit.message.id for hit in page]
            after = (page[-1].rank, page[-1].message.id)
        whole = await search.search_messages(tx, office.member, ThreadQuery(text="needle", limit=50))
        assert seen == [hit.message.id for hit in whole]
        assert len(seen) == 7


async def test_a_snippet_marks_what_matched_and_holds_no_markup(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        channel = (await channels.create(tx, office.member, NewChannel(kind=ChannelKind.GROUP, name="G"))).id
        await post(tx, office.account_id, channel, "<b>the</b> \ue000Needle\ue001 & more", by=office.member.user_id)
        (hit,) = await search.search_messages(tx, office.member, ThreadQuery(text="needle"))
    assert [(one.text, one.match) for one in hit.snippet] == [
        (" the  ", False), ("Needle", True), (" & more", False),
    ]  # fmt: skip
    assert hit.channel_name == "G"


@pytest.mark.parametrize("text", ["", "  ", "x" * 1001, "a\x00b"])
async def test_an_empty_or_endless_query_is_refused(db: Database, office: Office, text: str) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        with pytest.raises(errors.BadInput):
            await search.search_messages(tx, office.member, ThreadQuery(text=text))


@pytest.mark.parametrize("text", ["& | ! ( ) :*", '"', "- -", "<->", "%s $1 '; drop table message; --", "日本 ünï"])
async def test_no_query_breaks_the_search(db: Database, office: Office, text: str) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        assert await search.search_messages(tx, office.member, ThreadQuery(text=text)) == []


@given(st.text(alphabet=["a", "\ue000", "\ue001", " "]))
def test_segments_lose_no_text(headline: str) -> None:
    joined = "".join(one.text for one in domain.segments(headline))
    assert joined.replace("\ue001", "") == headline.replace("\ue000", "").replace("\ue001", "")


places = st.tuples(st.just(UUID(int=1)), st.integers(0, 20))


@given(st.lists(places, unique=True), st.data())
@pytest.mark.requirement("THR-11")
def test_no_neighbour_is_shown_twice(hits: list[domain.Place], data: st.DataObject) -> None:
    around = {hit: data.draw(st.lists(places, unique=True)) for hit in hits}
    shown = domain.neighbours(hits, around)
    flat = [place for near in shown for place in near]
    assert len(flat) == len(set(flat))
    assert not set(flat) & set(hits)
    assert set(flat) | set(hits) == set(hits).union(*around.values())


# ── in threads ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("THR-11", "THR-24")
async def test_a_thread_is_searched_with_neighbours(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        thread = (await threads.create(tx, office.member, NewThread(agent_id=agent.id))).id
        for text in ("a", "needle needle", "b", "needle", "c"):
            await threads.save_message(tx, office.member, thread, NewThreadMessage(content=text))
        await note(tx, office.account_id, thread, "needle draft", metadata={"status": "pending_approval"})
        hits = await search.search_thread(tx, office.member, thread, ThreadQuery(text="needle"))
        assert [([b.seq for b in h.before], h.message.seq, [a.seq for a in h.after]) for h in hits] == [
            ([1], 2, [3]), ([], 4, [5]),
        ]  # fmt: skip
        with pytest.raises(errors.NotFound):
            await search.search_thread(tx, office.owner, thread, ThreadQuery(text="needle"))


async def recalled(tx: Tx, office: Office, thread: UUID, who: Principal | None) -> set[str]:
    asking = Asking(account_id=office.account_id, thread_id=thread, user_id=who.user_id if who else None)
    hits = await search.recall(tx, asking, ThreadQuery(text="needle", limit=50, before=0, after=0))
    return {hit.message.parts[0].text.removeprefix("needle ") for hit in hits}  # type: ignore[union-attr]


@pytest.mark.requirement("THR-12", "THR-28", "CON-70", "CON-74")
async def test_recall_stays_with_agent_account_scope_and_what_the_asker_may_read(db: Database, office: Office) -> None:
    async with db.tenant_tx(office.account_id) as tx:
        account = office.account_id
        agent = await agents.create(tx, office.admin, NewAgent(name="Ann"))
        other_agent = await agents.create(tx, office.admin, NewAgent(name="Bea"))
        made = await one_of_each(tx, office)
        bridged = {kind: await bridge(tx, account, agent.id, channel) for kind, channel in made.items()}
        for kind, thread in bridged.items():
            await note(tx, account, thread, f"needle {kind}")
            for who in (office.member, office.admin):
                turn = await interaction(tx, account, agent.id, thread, user=who.user_id, delivery="direct")
                await note(tx, account, thread, f"needle direct {kind} {who.role}", interaction=turn, role="assistant")
        alone = await bridge(tx, account, agent.id, (await channels.direct(tx, office.member, agent.id)).id)
        await note(tx, account, alone, "needle alone")
        own: dict[str, UUID] = {}
        for name, who in (("member", office.member), ("colleague", office.colleague)):
            own[name] = (await threads.create(tx, who, NewThread(agent_id=agent.id))).id
            await note(tx, account, own[name], f"needle own of {name}")
        elsewhere = (await threads.create(tx, office.member, NewThread(agent_id=other_agent.id))).id
        await note(tx, account, elsewhere, "needle other agent")
        scoped = (await threads.create(tx, office.member, NewThread(agent_id=agent.id))).id
        await note(tx, account, scoped, "needle other scope")
        await tx.execute("update thread set scope = 'team' where account_id = $1 and id = $2", account, scoped)
        secret = await threads.create(tx, office.admin, NewThread(agent_id=agent.id, context="nightly"))
        await note(tx, account, secret.id, "needle nightly")

        seen = await recalled(tx, office, own["member"], office.member)
        readable = {"organisation", "team", "private"}
        assert seen == readable | {f"direct {kind} member" for kind in readable} | {"alone"}
        assert "own of member" in await recalled(tx, office, alone, office.member)
        # in the presence of others only what all of them can read anyway
        assert await recalled(tx, office, bridged[ChannelKind.TEAM], office.member) == {"organisation"}
        assert await recalled(tx, office, bridged[ChannelKind.PRIVATE], office.member) == {"organisation"}
        assert await recalled(tx, office, bridged[ChannelKind.ORGANISATION], office.colleague) == set()
        assert await recalled(tx, office, bridged[ChannelKind.TEAM], None) == {"organisation"}
        # another's private thread gives nothing away, even named outright
        assert "own of member" not in await recalled(tx, office, own["member"], office.colleague)
        assert await recalled(tx, office, scoped, office.member) == set()

        asking = Asking(account_id=account, thread_id=bridged[ChannelKind.TEAM], user_id=office.member.user_id)
        hits = await search.search_own(tx, asking, ThreadQuery(text="needle", limit=50))
        assert [hit.message.seq for hit in hits] == [1]

        question = ThreadQuery(text="Is there a needle, or what's O'Neill's \\ 'x' | & ?", limit=50)
        assert [hit.message.seq for hit in await search.search_own(tx, asking, question)] == [1]
        earlier = asking.model_copy(update={"before_seq": 1})
        assert await search.search_own(tx, earlier, ThreadQuery(text="needle")) == []
        assert await search.search_own(tx, asking, ThreadQuery(text="is it a no")) == []

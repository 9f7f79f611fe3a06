"""What decisions about a call come to: only people who are asked count, each once, about the arguments they saw."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import approvals
from retinue.domain.accounts import Role
from retinue.domain.approvals import Asked, Outcome, Person, Said
from retinue.domain.verdicts import Ask, Panel

PEOPLE = tuple(UUID(int=number) for number in range(1, 7))
HASHES = ("a" * 64, "b" * 64)
ROLES = (None, *Role)


def panels() -> st.SearchStrategy[Panel]:
    return st.builds(
        Panel,
        role=st.sampled_from((None, *Role)),
        users=st.lists(st.sampled_from(PEOPLE), max_size=3, unique=True).map(tuple),
        requester=st.booleans(),
        quorum=st.integers(1, 3),
        four_eyes=st.booleans(),
    )


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    listed = draw(st.lists(panels(), min_size=1, max_size=3))
    short = frozenset(draw(st.lists(st.sampled_from(listed), max_size=2)))
    requester = draw(st.sampled_from((None, *PEOPLE)))
    return Asked(ask=Ask(panels=tuple(listed)), requester=requester, short=short)


@st.composite
def decisions(draw: st.DrawFn) -> list[Said]:
    """Everybody has one role throughout; anybody says anything, in any order."""
    roles = {person: draw(st.sampled_from(ROLES)) for person in PEOPLE}
    told = draw(
        st.lists(
            st.tuples(
                st.sampled_from(PEOPLE),
                st.sampled_from(("approve", "approve", "approve", "reject", "ask_back")),
                st.sampled_from(HASHES),
            ),
            max_size=12,
        )
    )
    return [
        Said(person=Person(user_id=who, role=roles[who]), choice=choice, arguments_hash=hash)  # pyright: ignore[reportArgumentType]
        for who, choice, hash in told
    ]


def play(asked: Asked, told: list[Said]) -> tuple[list[Said], list[Outcome]]:
    """The decisions that counted, and what each try gave, up to the end."""
    kept: list[Said] = []
    outcomes: list[Outcome] = []
    for one in told:
        outcome = approvals.decide(asked, kept, one)
        outcomes.append(outcome)
        if outcome.refused is None:
            kept.append(one)
            if outcome.state != "open":
                break
    return kept, outcomes


@pytest.mark.requirement("GOV-15")
@given(questions(), decisions())
def test_nobody_who_is_not_asked_ever_decides_anything(asked: Asked, told: list[Said]) -> None:
    strangers = [one for one in told if asked.refusal(one.person) is not None]
    kept, outcomes = play(asked, strangers)
    assert kept == []
    assert all(outcome.state == "open" and outcome.refused for outcome in outcomes)


@given(questions(), decisions())
def test_what_strangers_say_changes_nothing(asked: Asked, told: list[Said]) -> None:
    invited = [one for one in told if asked.refusal(one.person) is None]
    assert play(asked, told)[0] == play(asked, invited)[0]


@pytest.mark.requirement("GOV-14", "GOV-15")
@given(questions(), decisions())
def test_an_approval_has_a_quorum_of_different_people_in_every_panel_about_the_same_arguments(
    asked: Asked, told: list[Said]
) -> None:
    kept, outcomes = play(asked, told)
    if not outcomes or outcomes[-1].state != "approved":
        return
    agreed = kept[-1].arguments_hash
    approvers = [one.person for one in kept if one.choice == "approve" and one.arguments_hash == agreed]
    assert {person.user_id for person in approvers} == set(outcomes[-1].by)
    for panel in asked.ask.panels:
        admitted = {person.user_id for person in approvers if asked.admits(panel, person)}
        assert len(admitted) >= panel.quorum
        if panel.four_eyes:
            assert asked.requester not in admitted
    assert all(person.role is not None for person in approvers)


@given(questions(), decisions())
def test_a_rejection_or_a_question_by_someone_who_is_asked_ends_it(asked: Asked, told: list[Said]) -> None:
    kept, outcomes = play(asked, told)
    for one in kept[:-1]:
        assert one.choice == "approve"
    if kept and kept[-1].choice != "approve":
        assert outcomes[-1].state == {"reject": "rejected", "ask_back": "asked_back"}[kept[-1].choice]
        assert outcomes[-1].by == (kept[-1].person.user_id,)


@given(questions(), decisions())
def test_nobody_counts_twice_for_the_same_arguments(asked: Asked, told: list[Said]) -> None:
    kept, _ = play(asked, [one for one in told for _ in range(2)])
    once = [(one.person.user_id, one.arguments_hash) for one in kept]
    assert len(once) == len(set(once))


@given(questions(), decisions(), st.sampled_from(HASHES))
def test_what_is_missing_says_how_many_have_approved(asked: Asked, told: list[Said], hash: str) -> None:
    outcome = approvals.tally(asked, told, hash)
    assert (outcome.state == "open") == bool(outcome.missing)
    for one in outcome.missing:
        assert 0 <= one.have < one.panel.quorum


@given(questions(), st.sampled_from(PEOPLE), st.sampled_from(ROLES), st.booleans())
def test_whoever_may_grant_could_have_approved_every_such_call_alone(
    asked: Asked, who: UUID, role: Role | None, for_anyone: bool
) -> None:
    person = Person(user_id=who, role=role)
    if not approvals.may_grant(asked, person, for_anyone=for_anyone):
        return
    requesters = [asked.requester] if not for_anyone else [None, *PEOPLE]
    for requester in requesters:
        other = asked.model_copy(update={"requester": requester})
        alone = Said(person=person, choice="approve", arguments_hash=HASHES[0])
        if for_anyone and requester == who and any(panel.four_eyes for panel in asked.ask.panels):
            raise AssertionError("four eyes do not go with a grant for anybody")
        assert approvals.decide(other, (), alone).state == "approved"


def test_changing_the_arguments_begins_the_count_anew() -> None:
    asked = Asked(ask=Ask(panels=(Panel(role=Role.ADMIN, quorum=2),)))
    first, second, third = (Person(user_id=one, role=Role.ADMIN) for one in PEOPLE[:3])
    kept, outcomes = play(
        asked,
        [
            Said(person=first, choice="approve", arguments_hash=HASHES[0]),
            Said(person=second, choice="approve", arguments_hash=HASHES[1]),
            Said(person=third, choice="approve", arguments_hash=HASHES[1]),
        ],
    )
    assert [one.state for one in outcomes] == ["open", "open", "approved"]
    assert outcomes[-1].by == (second.user_id, third.user_id)
    assert len(kept) == 3


def test_one_person_counts_in_several_panels() -> None:
    asked = Asked(ask=Ask(panels=(Panel(role=Role.ADMIN), Panel(role=None, users=(PEOPLE[0],)))))
    both = Said(person=Person(user_id=PEOPLE[0], role=Role.OWNER), choice="approve", arguments_hash=HASHES[0])
    assert approvals.decide(asked, (), both).state == "approved"


def test_the_owner_stands_in_where_a_panel_names_nobody_who_is_there_but_not_for_themselves() -> None:
    named = Panel(role=None, users=(PEOPLE[5],), four_eyes=True)
    owner = Person(user_id=PEOPLE[0], role=Role.OWNER)
    said = Said(person=owner, choice="approve", arguments_hash=HASHES[0])
    short = Asked(ask=Ask(panels=(named,)), requester=PEOPLE[1], short=frozenset((named,)))
    assert approvals.decide(short, (), said).state == "approved"
    assert approvals.decide(short.model_copy(update={"short": frozenset()}), (), said).refused == "not_an_approver"
    assert approvals.decide(short.model_copy(update={"requester": PEOPLE[0]}), (), said).refused == "four_eyes"


def test_a_panel_that_too_few_can_satisfy_is_told_to_whoever_writes_it() -> None:
    ask = Ask(
        panels=(Panel(role=Role.ADMIN, quorum=2), Panel(role=None, users=PEOPLE[:1]), Panel(role=None, requester=True))
    )
    members = [Person(user_id=PEOPLE[1], role=Role.OWNER), Person(user_id=PEOPLE[2], role=Role.MEMBER)]
    found = approvals.unroutable(ask, members)
    assert [one["path"] for one in found] == ["panels.0", "panels.1"]
    assert found[0]["reason"] == "needs 2 to approve, and there are 1 who may"
    more = [*members, Person(user_id=PEOPLE[0], role=Role.ADMIN)]
    assert approvals.unroutable(ask, more) == []


@given(panels(), st.sampled_from(PEOPLE), st.sampled_from(ROLES))
def test_a_person_who_asked_never_counts_where_four_eyes_are_wanted(panel: Panel, who: UUID, role: Role | None) -> None:
    strict = panel.model_copy(update={"four_eyes": True})
    asked = Asked(ask=Ask(panels=(strict,)), requester=who, short=frozenset((strict,)))
    assert not asked.admits(strict, Person(user_id=who, role=role))

"""Layers of policy can only tighten, in whatever order they are asked."""

from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain.accounts import Role
from retinue.domain.verdicts import Ask, Layer, Opinion, Panel, Verdict, join, stricter

VERDICTS: tuple[Verdict, ...] = ("allow", "ask", "deny")
PEOPLE = [UUID(int=number) for number in range(1, 5)]
panels = st.builds(
    Panel,
    role=st.sampled_from([None, *Role]),
    users=st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True).map(tuple),
    requester=st.booleans(),
    quorum=st.integers(1, 3),
    four_eyes=st.booleans(),
)
asks = st.builds(
    Ask,
    panels=st.lists(panels, min_size=1, max_size=2).map(tuple),
    expires_seconds=st.integers(60, 3600),
    on_expiry=st.sampled_from(["reject", "approve"]),
    grants=st.booleans(),
)


@st.composite
def opinions(draw: st.DrawFn) -> Opinion:
    verdict = draw(st.sampled_from(VERDICTS))
    return Opinion(
        layer=draw(st.sampled_from(Layer)),
        rule=draw(st.sampled_from(["one", "two", "three"])),
        verdict=verdict,
        reason=None if verdict == "allow" else draw(st.sampled_from(["tool_blocked", "call_limit"])),
        ask=draw(st.none() | asks) if verdict == "ask" else None,
        redact=draw(st.lists(st.sampled_from(["email", "card"]), max_size=2, unique=True).map(tuple)),
    )


several = st.lists(opinions(), min_size=1, max_size=5)


@pytest.mark.requirement("GOV-07", "DEL-26", "DEL-27")
@given(several, opinions())
def test_one_more_opinion_never_lets_more_through(said: list[Opinion], more: Opinion) -> None:
    assert stricter(join([*said, more]), join(said))


@given(st.lists(opinions(), min_size=1, max_size=4))
def test_the_order_of_layers_and_rules_decides_nothing(said: list[Opinion]) -> None:
    assert len({join(order).model_dump_json() for order in permutations(said)}) == 1


@given(several)
def test_saying_it_twice_changes_nothing(said: list[Opinion]) -> None:
    assert join([*said, *said]) == join(said)


@given(several, several)
def test_opinions_in_two_parts_come_to_the_same(some: list[Opinion], others: list[Opinion]) -> None:
    whole, part = join([*some, *others]), join(some)
    assert join([*part.opinions, *others]) == whole


@given(several)
def test_a_denial_of_any_layer_is_final_and_has_its_reason(said: list[Opinion]) -> None:
    judgement = join(said)
    assert (judgement.verdict == "deny") == any(one.verdict == "deny" for one in said)
    if judgement.verdict != "allow":
        assert judgement.reason in {one.reason for one in said if one.verdict == judgement.verdict}
    assert (judgement.ask is not None) == (judgement.verdict == "ask")


@given(several)
def test_whatever_any_layer_wants_taken_out_or_asked_is(said: list[Opinion]) -> None:
    judgement = join(said)
    assert set(judgement.redact) == {kind for one in said for kind in one.redact}
    if judgement.ask is not None:
        assert all(one.ask is None or set(one.ask.panels) <= set(judgement.ask.panels) for one in said)


@pytest.mark.requirement("GOV-20")
def test_where_nobody_has_an_opinion_the_answer_is_no() -> None:
    assert (join([]).verdict, join([]).reason) == ("deny", "no_policy")


@pytest.mark.parametrize(
    ("panel", "who", "role", "may"),
    [
        (Panel(role=Role.ADMIN), 1, Role.MEMBER, False),
        (Panel(role=Role.ADMIN), 1, Role.OWNER, True),
        (Panel(role=None, users=(PEOPLE[1],)), 2, Role.MEMBER, True),
        (Panel(role=None, users=(PEOPLE[1],)), 3, Role.OWNER, False),
        (Panel(role=None, requester=True), 1, Role.MEMBER, True),
        (Panel(role=None, requester=True), 2, Role.OWNER, False),
        (Panel(role=Role.MEMBER, four_eyes=True), 1, Role.OWNER, False),
        (Panel(role=None, users=(PEOPLE[0],), requester=True, four_eyes=True), 1, Role.OWNER, False),
        (Panel(role=Role.MEMBER, four_eyes=True), 2, Role.MEMBER, True),
    ],
)
def test_who_may_decide(panel: Panel, who: int, role: Role, may: bool) -> None:
    assert panel.admits(UUID(int=who), role, requester=PEOPLE[0]) is may

"""Policies as text: what differs, in what order it is done, and names for ids without loss."""

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import ids, policies, policy_documents
from retinue.domain.policies import Place, Said
from retinue.domain.policy_documents import PolicyDocument, Present, Wish

TEAM = UUID(int=7)
ACCOUNT, SALES = Place(layer="account"), Place(layer="team", team_id=TEAM)
RULE = {"type": "delegation_depth", "max": 1}
NAMES = st.sampled_from(["a", "A", "b", "c", "d"])
PLACES = st.sampled_from([ACCOUNT, SALES])


def said(name: str, most: int) -> Said:
    rule = policies.readable({"type": "delegation_depth", "max": most})
    assert rule is not None
    return Said(name=name, rule=policies.plain(rule), enabled=True, priority=100)


def wish(index: int, place: Place, name: str, most: int) -> Wish:
    one = said(name, most)
    assert one.read is not None
    return Wish(index=index, place=place, team=None, said=one, rule=one.read)


def unique(rows: list[tuple[Place, str, int]]) -> dict[tuple[Any, str], tuple[Place, str, int]]:
    return {(place.key, name.lower()): (place, name, most) for place, name, most in rows}


ROWS = st.lists(st.tuples(PLACES, NAMES, st.integers(0, 2)), max_size=8)


@given(ROWS, ROWS, st.booleans())
def test_doing_what_is_planned_leads_to_what_is_wanted(
    there: list[tuple[Place, str, int]], wanted: list[tuple[Place, str, int]], prune: bool
) -> None:
    present = [
        Present(id=ids.new(), place=place, team=None, said=said(name, most))
        for place, name, most in unique(there).values()
    ]
    wishes = [wish(index, *row) for index, row in enumerate(unique(wanted).values())]
    state = {(one.place.key, one.said.name.lower()): one.said for one in present}
    for planned in policy_documents.plan(present, wishes, prune=prune):
        one = planned.wish or planned.present
        assert one is not None
        key = (one.place.key, one.said.name.lower())
        match planned.action:
            case "create":
                assert key not in state
                state[key] = one.said
            case "update":
                assert state[key] != one.said
                state[key] = one.said
            case "unchanged":
                assert state[key] == one.said
            case "delete":
                del state[key]
    want = {(one.place.key, one.said.name.lower()): one.said for one in wishes}
    spoken_of = {place for place, _ in want}
    for key, content in state.items():
        kept = key[0] not in spoken_of or not prune
        assert want.get(key) == content or (key not in want and kept), key
    assert want.items() <= state.items()


@given(ROWS, ROWS)
def test_a_second_time_there_is_nothing_to_do(
    there: list[tuple[Place, str, int]], wanted: list[tuple[Place, str, int]]
) -> None:
    wishes = [wish(index, *row) for index, row in enumerate(unique(wanted).values())]
    present = [Present(id=ids.new(), place=one.place, team=None, said=one.said) for one in wishes]
    assert all(one.action == "unchanged" for one in policy_documents.plan(present, wishes, prune=True))


def test_the_accounts_policies_come_before_the_teams_and_removals_before_all() -> None:
    gone = Present(id=ids.new(), place=SALES, team="sales", said=said("gone", 1))
    wishes = [wish(0, SALES, "below", 1), wish(1, ACCOUNT, "above", 2)]
    done = policy_documents.plan([gone], wishes, prune=True)
    assert [(one.action, (one.wish or gone).said.name) for one in done] == [
        ("delete", "gone"), ("create", "above"), ("create", "below"),
    ]  # fmt: skip


def test_a_name_that_stands_twice_is_found_whatever_its_case() -> None:
    twice = [wish(0, ACCOUNT, "a", 1), wish(1, SALES, "a", 1), wish(2, ACCOUNT, "A", 2)]
    assert [one["path"] for one in policy_documents.repeated(twice)] == ["policies.2.name"]


AGENT, CHANNEL, PERSON = (ids.encode(prefix, UUID(int=n)) for n, prefix in enumerate(("agt", "ch", "usr"), 1))


def test_names_stand_for_ids_and_back_in_every_place_of_a_rule() -> None:
    rule = {
        "type": "approval",
        "scope": {"agents": [AGENT], "channels": [CHANNEL], "tools": ["pay"]},
        "ask": {"panels": [{"role": "admin"}, {"role": None, "users": [PERSON]}]},
    }
    assert [(one.noun, one.path) for one in policy_documents.references(rule)] == [
        ("agent", "scope.agents.0"), ("channel", "scope.channels.0"), ("user", "ask.panels.1.users.0"),
    ]  # fmt: skip
    names = {("agent", AGENT): "helper", ("channel", CHANNEL): "general", ("user", PERSON): "ann@example.com"}
    out = policy_documents.renamed(rule, names)  # type: ignore[arg-type]
    assert out["scope"]["agents"] == ["helper"] and out["ask"]["panels"][1]["users"] == ["ann@example.com"]
    back = {(noun, name): id for (noun, id), name in names.items()}
    assert policy_documents.renamed(out, back) == rule  # type: ignore[arg-type]
    assert rule["scope"]["agents"] == [AGENT], "the rule itself is left alone"


KEYS = st.sampled_from(["scope", "agents", "ask", "panels", "users", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from(["", "a", AGENT]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
)


@given(JSON)
def test_whatever_stands_in_a_document_is_read_or_refused_in_words(value: Any) -> None:
    rule = value if isinstance(value, dict) else {"scope": value}
    read, wrong = policy_documents.parsed(PolicyDocument(name="x", rule=rule), {})
    assert (read is None) == bool(wrong)
    list(policy_documents.references(rule))


def test_the_type_may_stand_beside_the_rule_or_in_it_but_not_differ() -> None:
    plain = {"max": 1}
    for document in (
        PolicyDocument(name="x", rule=RULE),
        PolicyDocument.model_validate({"name": "x", "type": RULE["type"], "rule": plain}),
        PolicyDocument.model_validate({"name": "x", "type": RULE["type"], "rule": RULE}),
    ):
        assert policy_documents.parsed(document, {})[0] == policies.readable(RULE)
    other = PolicyDocument.model_validate({"name": "x", "type": "approval", "rule": RULE})
    assert policy_documents.parsed(other, {}) == (
        None, [{"path": "type", "reason": "differs from the type in the rule"}]
    )  # fmt: skip

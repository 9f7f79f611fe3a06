"""One slug per tool, whatever it is called, and restrictions that hold for every spelling."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import aliases, restrictions
from retinue.domain.restrictions import Restriction
from retinue.domain.tools import Effect, ToolKind, ToolSpec


@pytest.mark.requirement("CON-48", "TOOL-21", "TOOL-23", "TOOL-28")
@pytest.mark.parametrize(("spelling", "slug"), [
    ("getCurrentTime", "current_time"), ("current_time", "current_time"), ("get-current-time", "current_time"),
    ("searchMessages", "search_messages"), ("listChannelMembers", "list_channel_members"),
    ("web_search", "web_search"), ("webSearch", "web_search"), ("search_web", "web_search"),
    ("email_send", "send_email"), ("sendEmail", "send_email"), ("send_email", "send_email"),
    ("readInbox", "read_inbox"), ("searchMail", "search_mail"), ("searchKnowledge", "search_knowledge"),
    ("knowledge_retrieval", "search_knowledge"), ("document_generator", "generate_content"),
    ("createTask", "create_task"), ("listTasks", "list_tasks"), ("updateTask", "update_task"),
    ("findFreeTime", "find_free_time"), ("queryData", "query_data"), ("createChart", "create_chart"),
    ("crossReference", "cross_reference"), ("exportTable", "export_table"), ("summarise", "summarise"),
])  # fmt: skip
def test_every_spelling_found_in_the_specification_is_one_slug(spelling: str, slug: str) -> None:
    assert aliases.canonical(spelling) == slug


@pytest.mark.requirement("TOOL-28")
def test_a_family_stands_for_its_tools() -> None:
    assert aliases.expand("calendar_api") == ("get_events", "create_event", "find_free_time")
    assert aliases.expand("calendarApi") == aliases.expand("calendar_api")
    assert aliases.expand("webSearch") == ("web_search",)


def test_no_canonical_slug_is_itself_an_alias() -> None:
    slugs = [*aliases.ALIASES.values(), *(slug for family in aliases.FAMILIES.values() for slug in family)]
    assert not set(slugs) & (set(aliases.ALIASES) | set(aliases.FAMILIES))
    assert all(aliases.SLUG.fullmatch(slug) for slug in slugs)


@given(st.text(max_size=80))
def test_a_canonical_name_is_its_own_canonical_name(name: str) -> None:
    assert aliases.canonical(aliases.canonical(name)) == aliases.canonical(name)


# ── restrictions ─────────────────────────────────────────────────────────────────────────────────────────────────

ACTIONS = st.sampled_from(["find", "create", "check"])
RESTRICTIONS = st.builds(
    Restriction, blocked=st.booleans(), allowed_actions=st.none() | st.lists(ACTIONS).map(tuple),
    denied_actions=st.lists(ACTIONS).map(tuple), max_calls_per_interaction=st.none() | st.integers(0, 4),
)  # fmt: skip
ARGUMENTS = st.fixed_dictionaries({}, optional={"action": ACTIONS | st.integers() | st.none()})


@given(RESTRICTIONS, RESTRICTIONS, ARGUMENTS, st.integers(0, 5))
@pytest.mark.requirement("TOOL-17", "TOOL-29")
def test_two_restrictions_refuse_exactly_what_either_refuses(
    first: Restriction, second: Restriction, arguments: dict[str, Any], calls: int
) -> None:
    apart = [restrictions.refusal(one, arguments, calls) is not None for one in (first, second)]
    both = restrictions.refusal(restrictions.tighten(first, second), arguments, calls)
    assert (both is not None) == any(apart)


@pytest.mark.requirement("CON-48")
def test_blocking_one_spelling_blocks_the_tool() -> None:
    found = restrictions.resolve(
        {
            "sendEmail": Restriction(blocked=True),
            "search_web": Restriction(max_calls_per_interaction=3),
            "webSearch": Restriction(max_calls_per_interaction=2),
            "calendar_api": Restriction(blocked=True),
        }
    )
    assert found["send_email"].blocked
    assert found["web_search"].max_calls_per_interaction == 2
    assert found["create_event"].blocked and found["get_events"].blocked


def _spec(slug: str, **properties: Any) -> ToolSpec:
    return ToolSpec(
        slug=slug,
        kind=ToolKind.INTERNAL,
        name=slug,
        description="d",
        effect=Effect.READ,
        parameters={"type": "object", "properties": properties},
    )


@pytest.mark.requirement("CON-50", "TOOL-29")
def test_actions_cannot_restrict_a_tool_without_an_action() -> None:
    specs = [_spec("scheduler_agent", action={"enum": ["find_free_time", "create_event"]}), _spec("web_search")]
    fine = {
        "scheduler_agent": Restriction(allowed_actions=("find_free_time",), denied_actions=("create_event",)),
        "web_search": Restriction(max_calls_per_interaction=3),
        "unknown": Restriction(denied_actions=("x",)),
    }
    assert restrictions.objections(fine, specs) == []
    found = restrictions.objections(
        {"searchWeb": Restriction(), "search_web": Restriction(denied_actions=("x",))}, specs
    )
    assert [entry["path"] for entry in found] == ["search_web"]


def test_restricted_actions_are_refused_when_the_call_hides_them() -> None:
    denied = Restriction(denied_actions=("create_event",))
    assert restrictions.refusal(denied, {"action": "create_event"}, 0) == "action_not_allowed"
    assert restrictions.refusal(denied, {}, 0) == "action_not_allowed"
    assert restrictions.refusal(denied, {"action": ["create_event"]}, 0) == "action_not_allowed"
    assert restrictions.refusal(denied, {"action": "find_free_time"}, 0) is None

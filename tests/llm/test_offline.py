"""The offline model: no network, no chance, real calls, honest words."""

import asyncio
import json
import socket
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain.ids import new
from retinue.domain.models import CallPart, Delta, ModelReply, ModelRequest, PromptMessage, ResultPart, TextPart
from retinue.domain.tools import Effect, ToolCall
from retinue.llm import offline
from retinue.tools.registry import Registry
from tests.llm.conftest import Config, ask, tool

TEXT: dict[str, Any] = {"type": "string"}
REQUIRED: dict[str, Any] = {"type": "string", "required": True}
SHELF = (
    tool("current_time", "Tell the current date, time and weekday.", time_zone=dict(TEXT)),
    tool("search_messages", "Search what was said in your channels.", query=dict(REQUIRED), limit={"type": "integer"}),
    tool("list_channel_members", "List the people and agents in this channel. Use it to know who is here."),
    tool("search_tools", "List what you can do.", query=dict(TEXT)),
    tool("send_email", "Send an email.", effect=Effect.EXTERNAL_ONCE, to=dict(REQUIRED), subject=dict(REQUIRED)),
    tool(
        "create_task", "Create a task.", effect=Effect.WRITE, title=dict(REQUIRED), priority={"enum": ["low", "high"]}
    ),
    tool("set_timer", "Set a timer.", effect=Effect.WRITE, minutes={"type": "integer", "required": True}),
)


def calls(text: str, tools: tuple[Any, ...] = SHELF) -> list[tuple[str, dict[str, Any]]]:
    reply = offline.answer(ask("offline/retinue", text, tools=tools))
    return [(call.tool, call.arguments) for call in reply.calls]


@pytest.mark.requirement("LLM-12")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What time is it?", [("current_time", {})]),
        ("what's the time in Tokyo", [("current_time", {"time_zone": "Asia/Tokyo"})]),
        ("time in America/New_York please", [("current_time", {"time_zone": "America/New_York"})]),
        ("Search for invoices from May", [("search_messages", {"query": "invoices from May"})]),
        ('find messages about "salt and pepper"', [("search_messages", {"query": "salt and pepper"})]),
        ("search for salt and pepper", [("search_messages", {"query": "salt and pepper"})]),
        ("@Assistant who is here?", [("list_channel_members", {})]),
        ("Who are the members of this channel?", [("list_channel_members", {})]),
        ("what can you do?", [("search_tools", {})]),
        ("send an email to anna@example.org about lunch",
         [("send_email", {"to": "anna@example.org", "subject": "lunch"})]),
        ("Please set a timer for 12 minutes", [("set_timer", {"minutes": 12})]),
        ("create a task to buy milk", [("create_task", {"title": "buy milk"})]),
        ('use create_task with {"title": "a, b and time", "priority": "low"}',
         [("create_task", {"title": "a, b and time", "priority": "low"})]),
    ],
)  # fmt: skip
def test_it_asks_for_the_tool_the_words_name(text: str, expected: list[Any]) -> None:
    assert calls(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "",
        "Tell me a joke",
        "I already sent the email to Bob",
        "Did create_task work?",
        "{" * 5_000,
        "?" * 9_000,
    ],
)
def test_it_asks_for_no_tool_without_reason(text: str) -> None:
    assert calls(text) == []


def test_two_wishes_in_one_message_are_two_calls_at_once() -> None:
    assert calls("What time is it in Berlin, and who is here?") == [
        ("current_time", {"time_zone": "Europe/Berlin"}),
        ("list_channel_members", {}),
    ]


def test_it_knows_no_tool_in_particular() -> None:
    tools = (tool("refundOrder", "Refund.", effect=Effect.EXTERNAL_KEYED, order={"type": "integer", "required": True}),)

    assert calls("refund order 4711", tools) == [("refundOrder", {"order": 4711})]


def test_it_asks_back_for_what_a_call_needs() -> None:
    reply = offline.answer(ask("x", "Create a task", tools=SHELF))

    assert (reply.calls, "title" in reply.text) == ((), True)


async def test_it_asks_for_the_starter_tools_by_their_real_schemas() -> None:
    specs = Registry.load().specs()

    for text, expected in (
        ("What time is it?", "current_time"),
        ("search for the budget", "search_messages"),
        ("who is here?", "list_channel_members"),
        ("what can you do?", "search_tools"),
    ):
        (made,) = offline.answer(ask("x", text, tools=specs)).calls
        schema = next(spec.parameters for spec in specs if spec.slug == expected)
        assert made.tool == expected
        jsonschema.validate(made.arguments, schema)


def after(text: str, *results: ResultPart) -> ModelReply:
    """The answer once tools have answered."""
    made = tuple(
        CallPart(call=ToolCall(id=new(), provider_id=part.call_id, tool=part.tool_name, arguments={}))
        for part in results
    )
    conversation = (
        PromptMessage(role="user", parts=(TextPart(text=text),)),
        PromptMessage(role="assistant", parts=made),
        PromptMessage(role="tool", parts=results),
    )
    return offline.answer(ask("x", messages=conversation, tools=SHELF))


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"time": "2026-03-03T14:05:00+01:00", "time_zone": "Europe/Berlin", "weekday": "Tuesday"},
         "It is 14:05 on Tuesday, 3 March 2026 (Europe/Berlin)."),
        ([{"name": "Anna", "kind": "user"}, {"name": "Bot", "kind": "agent"}],
         "Current time found 2:\n- Anna (user)\n- Bot (agent)"),
        ({"items": [{"content": "hello"}]}, "Current time found 1:\n- hello"),
        ([], "Current time found nothing."),
        ({"sent": True, "id": 7, "note": None}, "Current time: sent: True; id: 7."),
        ("all good", "Current time: all good"),
        (None, "Current time is done."),
        ({}, "Current time is done."),
        ([1, 2, 3] * 5, "- and 5 more"),
    ],
)  # fmt: skip
def test_it_tells_a_result_in_words(result: Any, words: str) -> None:
    reply = after("What time is it?", ResultPart(tool_name="current_time", call_id="1", result=result))

    assert reply.calls == ()
    assert words in reply.text


def test_it_tells_every_result_in_order_and_says_what_failed_and_why() -> None:
    reply = after(
        "Time and members",
        ResultPart(tool_name="current_time", call_id="1", result={"error": {"reason": "unknown_time_zone"}}, ok=False),
        ResultPart(tool_name="list_channel_members", call_id="2", result=[{"name": "Anna"}]),
    )

    first, second = reply.text.split("\n\n")
    assert first == "Current time did not work: unknown_time_zone."
    assert second == "List channel members found 1:\n- Anna"


def test_a_message_after_the_results_is_a_new_question() -> None:
    conversation = (
        PromptMessage(role="user", parts=(TextPart(text="What time is it?"),)),
        PromptMessage(role="tool", parts=(ResultPart(tool_name="current_time", call_id="1", result=1),)),
        PromptMessage(role="user", parts=(TextPart(text="Who is here?"),)),
    )

    (made,) = offline.answer(ask("x", messages=conversation, tools=SHELF)).calls
    assert made.tool == "list_channel_members"


def test_a_plain_answer_says_what_it_is_and_how_to_connect_a_real_model_once() -> None:
    first = offline.answer(ask("x", "Tell me a joke"))
    conversation = (
        PromptMessage(role="user", parts=(TextPart(text="Tell me a joke"),)),
        PromptMessage(role="assistant", parts=first.parts),
        PromptMessage(role="user", parts=(TextPart(text="Hello"),)),
    )
    second = offline.answer(ask("x", messages=conversation))

    assert "offline model" in first.text
    assert "ANTHROPIC_API_KEY" in first.text
    assert "Tell me a joke" in first.text
    assert second.text.startswith("Hello!")
    assert "offline model" in second.text
    assert "ANTHROPIC_API_KEY" not in second.text
    assert (first.cost_micro, first.provider) == (0, "offline")


async def test_it_streams_a_few_words_at_a_time_and_they_are_the_text() -> None:
    heard: list[Delta] = []

    async def keep(delta: Delta) -> None:
        heard.append(delta)

    reply = await offline.stream(ask("x", "Tell me a joke"), keep)

    assert "".join(delta.text for delta in heard) == reply.text
    assert 1 < len(heard) <= len(reply.text.split())


async def test_the_same_request_gives_the_same_answer_without_any_network(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Config().models({})

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the offline model opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    requests = [ask("gpt-4o", text, tools=SHELF) for text in ("Tell me a joke", "What time is it and who is here?")]
    once, again = [
        [_without_ids(reply) for reply in await asyncio.gather(*(made.stream(request) for request in requests))]
        for _ in range(2)
    ]

    assert once == again


def _without_ids(reply: ModelReply) -> dict[str, Any]:
    made = [(call.tool, call.arguments) for call in reply.calls]
    return {"calls": made, **reply.model_dump(exclude={"calls", "parts"})}


# ── structured answers ───────────────────────────────────────────────────────────────────────────────────────────


def fill(schema: dict[str, Any], text: str = "The invoice 4711 is from anna@example.org, due 2026-05-01") -> Any:
    reply = offline.answer(ask("x", text, output_schema=schema))
    assert json.loads(reply.text) == reply.structured
    return reply.structured


def test_an_object_takes_from_the_message_what_it_says() -> None:
    schema = {
        "type": "object",
        "properties": {
            "number": {"type": "integer"},
            "from": {"type": "string", "format": "email"},
            "due": {"type": "string", "format": "date"},
            "kind": {"enum": ["offer", "invoice"]},
            "urgent": {"type": "boolean"},
            "note": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 11}]},
        },
    }

    assert fill(schema) == {
        "number": 4711, "from": "anna@example.org", "due": "2026-05-01", "kind": "invoice", "urgent": True,
        "note": "The invoice",
    }  # fmt: skip


def test_references_to_itself_end() -> None:
    tree = {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {"type": "object", "properties": {"child": {"$ref": "#/$defs/node"}, "n": {"type": "integer"}}}
        },
    }

    jsonschema.validate(fill(tree), tree)


LEAVES = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("integer")}, optional={"minimum": st.integers(-50, 0), "maximum": st.integers(1, 50)}
    ),
    st.fixed_dictionaries({"type": st.just("number")}, optional={"minimum": st.integers(-50, 5)}),
    st.fixed_dictionaries(
        {"type": st.just("string")}, optional={"minLength": st.integers(0, 30), "maxLength": st.integers(30, 60)}
    ),
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.fixed_dictionaries({"enum": st.lists(st.text(min_size=1, max_size=5), min_size=1, unique=True)}),
    st.fixed_dictionaries({"const": st.integers()}),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner}, optional={"minItems": st.integers(0, 3), "maxItems": st.just(4)}
        ),
        st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=4).map(
            lambda fields: {
                "type": "object",
                "properties": fields,
                "required": sorted(fields),
                "additionalProperties": False,
            }
        ),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
    ),
    max_leaves=8,
)


@given(schema=SCHEMAS, text=st.text(max_size=60))
def test_every_object_fits_its_schema(schema: dict[str, Any], text: str) -> None:
    jsonschema.validate(fill(schema, text), schema)


@given(text=st.text(max_size=200))
def test_no_message_breaks_it(text: str) -> None:
    reply = offline.answer(ask("x", text, tools=SHELF))

    assert reply.calls or reply.text


def test_a_very_long_message_is_answered_at_once() -> None:
    request: ModelRequest = ask("x", "what time is it, who is here, " * 9_000, tools=SHELF)

    assert len(offline.answer(request).calls) == 2

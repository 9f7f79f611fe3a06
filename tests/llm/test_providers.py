"""One interface to every provider: streaming, calls, objects, images, tokens and price, on the real clients."""

import base64
import json
from typing import Any

import pytest

from retinue.domain import models
from retinue.domain.ids import new
from retinue.domain.models import CallPart, ImagePart, PromptMessage, ResultPart, TextPart, ThinkingPart
from retinue.domain.tools import ToolCall
from retinue.testing.scripts import Call, Step, Tokens
from tests.llm.conftest import IDS, Play, ask, tool

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n0000").decode()
POINT = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"], "additionalProperties": False}
pytestmark = pytest.mark.timeout(60)
every_dialect = pytest.mark.parametrize("dialect", ["openai", "anthropic"])


@every_dialect
@pytest.mark.requirement("LLM-01", "LLM-03", "LLM-10", "LLM-11", "AUD-06", "COST-01")
async def test_a_reply_streams_in_pieces_and_reports_tokens_and_time(play: Play, dialect: str) -> None:
    stage = await play(Step(text="Good morning, Anna.", tokens=Tokens(input=1000, output=100, cache_read=200)))

    reply = await stage.ask(ask(IDS[dialect]))

    assert reply.text == "Good morning, Anna."
    assert [delta.text for delta in stage.deltas] == ["Good mor", "ning, An", "na."]
    assert (reply.model, reply.provider, reply.finish) == (IDS[dialect], dialect, "stop")
    assert reply.usage == models.Usage(input_tokens=1000, output_tokens=100, cache_read_tokens=200)
    assert reply.duration_ms >= 0
    assert reply.parts == (TextPart(text="Good morning, Anna."),)
    assert stage.server.requests[0].system == "Be brief."
    assert stage.server.requests[0].stream


@every_dialect
@pytest.mark.requirement("LLM-10")
async def test_a_reply_without_a_listener_is_the_stream_collected(play: Play, dialect: str) -> None:
    stage = await play("All at once.")

    reply = await stage.models.stream(ask(IDS[dialect]))

    assert reply.text == "All at once."
    assert stage.server.requests[0].stream


@every_dialect
async def test_thinking_comes_apart_from_the_text_and_goes_back_to_its_provider(play: Play, dialect: str) -> None:
    stage = await play(Step(thinking="Let me see. ", text="Yes."), "Again yes.")

    reply = await stage.ask(ask(IDS[dialect]))
    said = PromptMessage(role="assistant", parts=reply.parts)
    hello = PromptMessage(role="user", parts=(TextPart(text="Sure?"),))
    await stage.ask(ask(IDS[dialect], messages=(hello, said, hello)))

    assert (reply.thinking, reply.text) == ("Let me see. ", "Yes.")
    assert "".join(delta.text for delta in stage.deltas if delta.kind == "thinking") == "Let me see. "
    assert isinstance(reply.parts[0], ThinkingPart)
    assert isinstance(reply.parts[1], TextPart)
    assert "Let me see." in json.dumps(stage.body["messages"])


@every_dialect
@pytest.mark.requirement("LLM-10")
async def test_parallel_calls_arrive_in_the_models_order_with_ids_of_our_own(play: Play, dialect: str) -> None:
    first, second = Call(tool="look_up", arguments={"word": "a"}), Call(tool="look_up", arguments={"word": "b"})
    stage = await play(Step(text="I look.", calls=(first, second)))

    reply = await stage.ask(ask(IDS[dialect], tools=(tool("look_up", "Look up", word={"type": "string"}),)))

    assert [call.arguments for call in reply.calls] == [{"word": "a"}, {"word": "b"}]
    assert reply.finish == "tool_calls"
    assert len({call.id for call in reply.calls}) == 2
    assert all(str(call.id) != call.provider_id and call.provider_id for call in reply.calls)
    assert [part.kind for part in reply.parts] == ["text", "tool-call", "tool-call"]
    assert [delta.text for delta in stage.deltas if delta.kind == "call"] == ["look_up", "look_up"]
    assert stage.server.requests[0].tools == ("look_up",)


@every_dialect
@pytest.mark.parametrize("raw", ['{"word": ', "[1, 2]", "certainly!"])
async def test_arguments_that_are_no_object_are_kept_as_malformed(play: Play, dialect: str, raw: str) -> None:
    stage = await play(Step(calls=(Call(tool="look_up", raw=raw), Call(tool="look_up", arguments={"word": "b"}))))

    reply = await stage.ask(ask(IDS[dialect], tools=(tool("look_up", word={"type": "string"}),)))

    assert (reply.calls[0].malformed, reply.calls[0].arguments) == (raw, {})
    assert (reply.calls[1].malformed, reply.calls[1].arguments) == (None, {"word": "b"})


async def test_malformed_arguments_are_cut_to_two_thousand_characters(play: Play) -> None:
    stage = await play(Step(calls=(Call(tool="look_up", raw="x" * 9_000),), piece=5_000))

    reply = await stage.ask(ask(IDS["openai"], tools=(tool("look_up"),)))

    assert reply.calls[0].malformed == "x" * 2_000


@every_dialect
@pytest.mark.requirement("TOOL-05")
async def test_results_go_back_as_json_strings_under_the_models_own_ids(play: Play, dialect: str) -> None:
    stage = await play("Done.")
    calls = [ToolCall(id=new(), provider_id=f"call_{n}", tool="look_up", arguments={"n": n}) for n in (1, 2)]
    conversation = (
        PromptMessage(role="user", parts=(TextPart(text="Look up both"),)),
        PromptMessage(role="assistant", parts=tuple(CallPart(call=call) for call in calls)),
        PromptMessage(
            role="tool",
            parts=(
                ResultPart(tool_name="look_up", call_id="call_2", result="no such word", ok=False),
                ResultPart(tool_name="look_up", call_id="call_1", result={"found": [1, "ä"]}),
            ),
        ),
    )

    await stage.ask(ask(IDS[dialect], messages=conversation, tools=(tool("look_up"),)))

    assert _results(stage.body) == {"call_1": '{"found": [1, "ä"]}', "call_2": '{"error": "no such word"}'}
    assert list(_results(stage.body)) == ["call_1", "call_2"]
    assert stage.server.requests[0].after_result


@every_dialect
async def test_a_history_with_loose_ends_is_made_valid(play: Play, dialect: str) -> None:
    stage = await play("Fine.")
    call = ToolCall(id=new(), provider_id="call_open", tool="look_up", arguments={})
    conversation = (
        PromptMessage(role="assistant", parts=(TextPart(text="I was saying"), CallPart(call=call))),
        PromptMessage(role="user", parts=(TextPart(text="Never mind"),), name="Anna"),
        PromptMessage(role="tool", parts=(ResultPart(tool_name="gone", call_id="call_unknown", result=1),)),
    )

    await stage.ask(ask(IDS[dialect], messages=conversation))

    spoken = [message for message in stage.body["messages"] if message["role"] != "system"]
    assert spoken[0]["role"] == "user"
    assert _results(stage.body) == {"call_open": '{"error": "This call was not finished."}'}
    assert "Anna: Never mind" in json.dumps(spoken)


@every_dialect
async def test_a_system_message_inside_the_conversation_reaches_the_model(play: Play, dialect: str) -> None:
    stage = await play("Yes.")
    words: tuple[tuple[models.MessageRole, str], ...] = (
        ("user", "Hello"),
        ("assistant", "Hi"),
        ("system", "The channel was renamed."),
        ("user", "So?"),
    )
    conversation = tuple(PromptMessage(role=role, parts=(TextPart(text=text),)) for role, text in words)

    await stage.ask(ask(IDS[dialect], messages=conversation))

    assert "The channel was renamed." in json.dumps(stage.body)


@every_dialect
async def test_images_are_sent_as_bytes_or_by_address(play: Play, dialect: str) -> None:
    stage = await play("A pixel.")
    pictures = (ImagePart(data=PIXEL), ImagePart(url="https://example.org/cat.png"))
    message = PromptMessage(role="user", parts=(TextPart(text="What is this?"), *pictures))

    await stage.ask(ask(IDS[dialect], messages=(message,)))

    sent = json.dumps(stage.body["messages"])
    assert PIXEL in sent
    assert "https://example.org/cat.png" in sent


@every_dialect
@pytest.mark.requirement("LLM-10")
async def test_an_object_is_returned_checked_against_its_schema(play: Play, dialect: str) -> None:
    stage = await play(Step(structured={"x": 3}))

    reply = await stage.ask(ask(IDS[dialect], output_schema=POINT))

    assert reply.structured == {"x": 3}
    assert reply.calls == ()
    assert reply.parts == (TextPart(text='{"x": 3}'),)
    assert reply.finish == "stop"


@every_dialect
@pytest.mark.requirement("LLM-10")
async def test_a_model_may_use_tools_before_it_returns_the_object(play: Play, dialect: str) -> None:
    stage = await play(Step(structured={"x": 1}, calls=(Call(tool="look_up", arguments={}),)))

    reply = await stage.ask(ask(IDS[dialect], output_schema=POINT, tools=(tool("look_up"),)))

    assert [call.tool for call in reply.calls] == ["look_up"]
    assert reply.structured is None


@every_dialect
@pytest.mark.requirement("COST-18", "COST-01")
async def test_a_known_price_is_exact_and_rounded_up_to_micro_units(play: Play, dialect: str) -> None:
    stage = await play(Step(text="x", tokens=Tokens(input=1000, output=100)))

    reply = await stage.ask(ask(IDS[dialect]))

    # dollars per million tokens: gpt-4o 2.50 and 10, claude-sonnet-4-6 3 and 15
    assert reply.cost_micro == {"openai": 3_500, "anthropic": 4_500}[dialect]
    assert isinstance(reply.cost_micro, int)


@pytest.mark.requirement("LLM-11")
async def test_an_unknown_price_is_said_and_not_zero(play: Play) -> None:
    stage = await play("x", Step(text="x", tokens=None))

    assert (await stage.ask(ask("openai/our-own-model"))).cost_micro is None
    assert (await stage.ask(ask("openai/gpt-4o"))).cost_micro is None  # the reply reported no tokens


async def test_anthropic_is_asked_to_cache_the_prompt(play: Play) -> None:
    stage = await play("x")

    await stage.ask(ask(IDS["anthropic"], tools=(tool("look_up"),)))

    assert "cache_control" in json.dumps(stage.body)


@every_dialect
async def test_limits_and_temperature_are_passed_on(play: Play, dialect: str) -> None:
    stage = await play("x")

    await stage.ask(ask(IDS[dialect], max_output_tokens=77, temperature=0.25))

    assert stage.body["temperature"] == 0.25
    assert 77 in (stage.body.get("max_tokens"), stage.body.get("max_completion_tokens"))


@every_dialect
async def test_tools_with_names_no_provider_allows_keep_their_slugs(play: Play, dialect: str) -> None:
    stage = await play(Step(calls=(Call(tool="files_read"), Call(tool="files_read_2"))))

    reply = await stage.ask(ask(IDS[dialect], tools=(tool("files.read"), tool("files/read"), tool("x" * 70))))

    assert [call.tool for call in reply.calls] == ["files.read", "files/read"]
    assert all(len(name) <= 64 for name in stage.server.requests[0].tools)


async def test_what_the_listener_raises_goes_through_and_ends_the_request(play: Play) -> None:
    stage = await play(Step(text="a long text that nobody waits for"))

    async def leave(_: models.Delta) -> None:
        raise LookupError("stopped")

    with pytest.raises(LookupError, match="stopped"):
        await stage.models.stream(ask(IDS["openai"]), leave)


def _results(body: dict[str, Any]) -> dict[str, str]:
    """Tool results of a request by call id, in order."""
    found: dict[str, str] = {}
    for message in body["messages"]:
        if message["role"] == "tool":
            found[message["tool_call_id"]] = message["content"]
        for part in message["content"] if isinstance(message["content"], list) else []:
            if part.get("type") == "tool_result":
                content = part["content"]
                found[part["tool_use_id"]] = content if isinstance(content, str) else content[0]["text"]
    return found

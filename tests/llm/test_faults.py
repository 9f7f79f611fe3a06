"""What a provider does wrong ends as one of our errors, in plain words, without a key."""

import warnings

import pytest

from retinue import errors
from retinue.testing.models import KEY
from retinue.testing.scripts import Fault, FaultKind, Step
from tests.llm.conftest import IDS, Config, Play, ask

pytestmark = pytest.mark.timeout(60)
every_dialect = pytest.mark.parametrize("dialect", ["openai", "anthropic"])
POINT = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
LONG = "a text that is long enough for several pieces"
EXPECTED: list[tuple[FaultKind, type[errors.ModelError], str]] = [
    ("rate_limit", errors.ModelTransient, "is busy (429)"),
    ("server_error", errors.ModelTransient, "failed (500)"),
    ("overloaded", errors.ModelTransient, "(5"),
    ("context_too_long", errors.ContextTooLong, "longer than"),
    ("bad_key", errors.ModelPermanent, "key was refused (401)"),
    ("unknown_model", errors.ModelPermanent, "(404)"),
    ("quota", errors.ModelPermanent, "no credit or quota left"),
    ("bad_request", errors.ModelPermanent, "refused the request (400)"),
    ("cut", errors.ModelTransient, "connection"),
    ("garbage", errors.ModelMalformed, "could not be read"),
]


@every_dialect
@pytest.mark.parametrize(("kind", "expected", "words"), EXPECTED)
async def test_a_failure_instead_of_a_reply_has_its_own_error_and_plain_words(
    play: Play, dialect: str, kind: FaultKind, expected: type[errors.ModelError], words: str
) -> None:
    stage = await play(Step(fault=Fault(kind=kind)))

    with pytest.raises(errors.ModelError) as caught:
        await stage.ask(ask(IDS[dialect]))

    assert type(caught.value) is expected
    assert words in caught.value.detail
    assert len(stage.server.requests) == 1  # our retries are durable; the client makes none


@every_dialect
@pytest.mark.parametrize("kind", ["cut", "garbage", "overloaded", "rate_limit", "context_too_long"])
async def test_a_failure_in_the_middle_of_a_stream_is_an_error_and_no_short_answer(
    play: Play, dialect: str, kind: FaultKind
) -> None:
    stage = await play(Step(text=LONG, fault=Fault(kind=kind, after=2)))
    expected = errors.ContextTooLong if kind == "context_too_long" else errors.ModelTransient

    with pytest.raises(expected):
        await stage.ask(ask(IDS[dialect]))

    assert "".join(delta.text for delta in stage.deltas) == LONG[:16]


@every_dialect
@pytest.mark.parametrize("kind", ["bad_key", "unknown_model", "quota", "bad_request"])
async def test_a_refusal_inside_a_stream_is_as_permanent_as_before_it(
    play: Play, dialect: str, kind: FaultKind
) -> None:
    stage = await play(Step(text=LONG, fault=Fault(kind=kind, after=1)))

    with pytest.raises(errors.ModelError) as caught:
        await stage.ask(ask(IDS[dialect]))

    # OpenAI's error event for a bad request names no status, so it could be anything
    vague = dialect == "openai" and kind == "bad_request"
    assert type(caught.value) is (errors.ModelTransient if vague else errors.ModelPermanent)


@every_dialect
async def test_the_time_a_provider_asks_to_wait_is_kept(play: Play, dialect: str) -> None:
    stage = await play(Step(fault=Fault(kind="rate_limit", retry_after=7)))

    with pytest.raises(errors.ModelTransient) as caught:
        await stage.ask(ask(IDS[dialect]))

    assert caught.value.retry_after == 7.0


async def test_a_stream_that_ends_without_its_end_is_cut_and_not_whole(play: Play) -> None:
    """The connection closes properly, but the provider never said that the answer was finished."""
    for dialect in IDS:
        stage = await play(Step(text=LONG, finish=""))
        with pytest.raises(errors.ModelTransient, match="broke off"):
            await stage.ask(ask(IDS[dialect]))


@every_dialect
async def test_an_empty_reply_is_malformed(play: Play, dialect: str) -> None:
    stage = await play(Step(), Step(text=" \n "))

    for _ in range(2):
        with pytest.raises(errors.ModelMalformed, match="empty answer"):
            await stage.ask(ask(IDS[dialect]))


async def test_an_answer_that_used_up_its_tokens_before_a_word_says_so(play: Play) -> None:
    stage = await play(Step(finish="length"))

    with pytest.raises(errors.ModelMalformed, match="used up its output tokens"):
        await stage.ask(ask(IDS["openai"]))


async def test_a_refusal_by_the_content_filter_is_permanent(play: Play) -> None:
    stage = await play(Step(finish="content_filter"))

    with pytest.raises(errors.ModelPermanent, match="content filter"):
        await stage.ask(ask(IDS["openai"]))


@every_dialect
async def test_an_object_that_does_not_fit_its_schema_is_malformed(play: Play, dialect: str) -> None:
    stage = await play(Step(structured={"x": "three"}), "I would rather write prose.")

    with pytest.raises(errors.ModelMalformed, match=r"\$\.x breaks the rule 'type'"):
        await stage.ask(ask(IDS[dialect], output_schema=POINT))
    with pytest.raises(errors.ModelMalformed, match="something else"):
        await stage.ask(ask(IDS[dialect], output_schema=POINT))


async def test_a_schema_that_cannot_be_used_is_refused_and_nothing_is_fetched(play: Play) -> None:
    stage = await play(Step(structured={"x": 1}))
    outside = {"type": "object", "properties": {"x": {"$ref": f"{stage.server.base_url}/v1/models"}}}

    warnings.simplefilter("ignore")  # jsonschema warns before it fetches; here it could, if it tried
    for schema in ({"type": "no such type"}, outside):
        with pytest.raises(errors.ModelPermanent, match="output schema"):
            await stage.ask(ask(IDS["openai"], output_schema=schema))


@every_dialect
@pytest.mark.requirement("LLM-13")
async def test_no_error_ever_shows_the_key(play: Play, dialect: str) -> None:
    said = f"The key {KEY} and Bearer {KEY} and sk-live-{'a' * 30} are wrong."
    stage = await play(*(Step(fault=Fault(kind=kind, message=said)) for kind, *_ in EXPECTED if kind != "cut"))

    for kind, *_ in EXPECTED:
        if kind != "cut":
            with pytest.raises(errors.ModelError) as caught:
                await stage.ask(ask(IDS[dialect]))
            shown = f"{caught.value.detail} {caught.value!r} {caught.value.data} {caught.value.__cause__!r}"
            assert KEY not in shown
            assert "sk-live" not in shown
    assert stage.server.requests[0].key == KEY


async def test_a_provider_that_is_not_there_is_transient() -> None:
    made = Config().models({"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"})

    with pytest.raises(errors.ModelTransient, match="connection to OpenAI failed"):
        await made.stream(ask("gpt-4o"))
    await made.close()


async def test_a_model_that_does_not_answer_in_time_is_transient(play: Play) -> None:
    stage = await play(Step(text="too late", hold="for ever"))

    with pytest.raises(errors.ModelTransient, match="did not answer in time"):
        await stage.ask(ask(IDS["openai"], timeout_seconds=0.3))


@pytest.mark.parametrize(
    "message",
    [
        "prompt is too long: 210000 tokens > 200000 maximum",
        "This model's maximum context length is 8192 tokens",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "Prompt contains 40000 tokens, too many tokens for a model with a context window of 32768",
        "Please reduce the length of the messages or completion.",
    ],
)
async def test_every_providers_words_for_too_long_are_understood(play: Play, message: str) -> None:
    stage = await play(Step(fault=Fault(kind="bad_request", message=message)))

    with pytest.raises(errors.ContextTooLong):
        await stage.ask(ask(IDS["openai"]))


async def test_an_image_that_no_provider_could_be_sent_is_refused_before_the_request(play: Play) -> None:
    stage = await play("never said")
    for fields in ({"data": "not base64!"}, {"url": "http://example.org/plain.png"}, {"url": "file:///etc/passwd"}):
        picture = {"role": "user", "parts": [{"kind": "image", **fields}]}
        request = ask(IDS["openai"]).model_validate({"model": IDS["openai"], "system": "", "messages": [picture]})
        with pytest.raises(errors.ModelPermanent, match="image"):
            await stage.ask(request)
    assert stage.server.requests == []

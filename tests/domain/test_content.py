"""What may not leave is found however it is spelt, and can be taken out."""

import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from retinue.domain import folding, ids, personal_data, rule_content
from retinue.domain.personal_data import PersonalData
from retinue.domain.rule_base import Question
from retinue.domain.rule_content import ContentRule, Topic, redacted, redacted_text
from retinue.domain.rules import opinion
from retinue.domain.tools import Effect, ToolCall, ToolKind, ToolSpec
from retinue.domain.verdicts import Layer

ALL = tuple(PersonalData)


def asked(**arguments: Any) -> Question:
    spec = ToolSpec(slug="post", kind=ToolKind.EXTERNAL, name="Post", description="", effect=Effect.READ, parameters={})
    call = ToolCall(id=ids.new(), provider_id="1", tool="post", arguments=arguments)
    return Question(agent_id=UUID(int=1), at=datetime(2026, 1, 1, tzinfo=UTC), spec=spec, call=call)


def topic(*words: str) -> ContentRule:
    return ContentRule(topics=(Topic(name="secret", words=words),))


def seen(text: str, rule: ContentRule) -> list[str]:
    """What is found, as it stands in the text."""
    return [text[one.start : one.end] for one in rule_content.finds(text, rule)]


@pytest.mark.requirement("GOV-11")
@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("email", "write to Ann.O'Neil+x@mail.example.co.uk, please", "Ann.O'Neil+x@mail.example.co.uk"),
        ("email", "jürgen@bücher.example", "jürgen@bücher.example"),
        ("email", "ann＠example．com", "ann＠example．com"),
        ("email", "an\u200bn@exam\u00adple.com", "an\u200bn@exam\u00adple.com"),
        ("email", "ann @ example", None),
        ("email", "@ann and @bob.", None),
        ("iban", "to DE89 3704 0044 0532 0130 00 by Friday", "DE89 3704 0044 0532 0130 00"),
        ("iban", "GB82WEST12345698765432", "GB82WEST12345698765432"),
        ("iban", "NO93-8601-1117-947", "NO93-8601-1117-947"),
        ("iban", "DE88 3704 0044 0532 0130 00", None),
        ("iban", "XX82WEST12345698765432", None),
        ("iban", "GB82WEST123456987654321", None),
        ("card", "card 4111 1111 1111 1111 ok", "4111 1111 1111 1111"),
        ("card", "4111-1111-1111-1111", "4111-1111-1111-1111"),
        ("card", "378282246310005", "378282246310005"),
        ("card", "no 12 4111 1111 1111 1111 7", "4111 1111 1111 1111"),
        ("card", "4111 1111\n1111 1111", "4111 1111\n1111 1111"),
        ("card", "２２２３ ００００ ４８４０ ００１１", "２２２３ ００００ ４８４０ ００１１"),
        ("card", "4111 1111 1111 1112", None),
        ("card", "1732195545000000", None),
        ("card", "41111111111111111111111", None),
        ("phone", "call +44 20 7946 0958 now", "+44 20 7946 0958"),
        ("phone", "call +49 (0)30 123456", "+49 (0)30 123456"),
        ("phone", "020 7946 0958", None),
        ("phone", "1 + 2 = 3", None),
        ("ip_address", "from 192.168.0.17.", "192.168.0.17"),
        ("ip_address", "at 10.0.0.1:8080", "10.0.0.1"),
        ("ip_address", "at 2001:db8::ff00:42:8329: it is", "2001:db8::ff00:42:8329"),
        ("ip_address", "[::1]", "::1"),
        ("ip_address", "at 12:30:45, version 3.11.7, std::move, 999.1.1.1, a :: b", None),
        ("url_credentials", "https://ann:s3cr@t@example.com/x", "ann:s3cr@t"),
        ("url_credentials", "postgres://u:p@db/x and https://example.com/@ann", "u:p"),
        ("url_credentials", "https://example.com/?q=a@b", None),
    ],
)
def test_personal_data_is_found_by_its_shape_and_check_sum(kind: str, text: str, found: str | None) -> None:
    assert seen(text, ContentRule(detect=(PersonalData(kind),))) == ([found] if found else [])


def test_phones_of_a_region_are_found_without_its_prefix() -> None:
    rule = ContentRule(detect=(PersonalData.PHONE,), region="GB")
    assert seen("call 020 7946 0958", rule) == ["020 7946 0958"]


def test_every_country_of_the_list_has_a_length() -> None:
    assert len(personal_data.IBAN_LENGTHS) > 80
    assert all(15 <= length <= 33 for length in personal_data.IBAN_LENGTHS.values())


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        ("falcon", "Project FALCON, again", ["FALCON"]),
        ("falcon", "falconry is not meant, nor is gyrfalcon", []),
        ("falcon", "falcon9 falcon_x falcon-x", ["falcon"]),
        ("project falcon", "a Project \n\t Falcon", ["Project \n\t Falcon"]),
        ("project falcon", "project \u200b falcon", ["project \u200b falcon"]),
        ("straße", "STRASSE und Straße", ["STRASSE", "Straße"]),
        ("café", "cafe\u0301", ["cafe\u0301"]),
        ("falcon", "ｆａｌｃｏｎ", ["ｆａｌｃｏｎ"]),
        ("falcon", "fal\u200bcon\ufe0f", ["fal\u200bcon\ufe0f"]),
        ("机密", "这是机密文件", ["机密"]),
        ("ความลับ", "นี่คือความลับของเรา", ["ความลับ"]),
        ("비밀", "비밀 문서", ["비밀"]),
        ("비밀", "\u1107\u1175\u1106\u1175\u11af 문서", ["\u1107\u1175\u1106\u1175\u11af"]),
        ("سر", "هذا سر كبير", ["سر"]),
        ("an an", "ban an an", ["an an"]),
        ("c++", "in C++ and c", ["C++"]),
    ],
)
def test_topics_are_found_as_whole_words_in_any_language(words: str, text: str, found: list[str]) -> None:
    assert seen(text, topic(words)) == found


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("acme-[0-9]+", "see ACME-42", True),
        ("acme-[0-9]+", "see ＡＣＭＥ-42", True),
        ("acme-[0-9]+", "see acme", False),
        ("(a+)+$", "a" * 20_000 + "b", False),
    ],
)
def test_patterns_are_found_whatever_the_case_and_width(pattern: str, text: str, found: bool) -> None:
    assert bool(seen(text, ContentRule(patterns=(pattern,)))) is found


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"patterns": ["("]}, "missing"),
        ({"patterns": [r"(a)\1"]}, "not a regular expression that can be used here"),
        ({"patterns": ["a(?=b)"]}, "not a regular expression that can be used here"),
        ({"patterns": ["a*"]}, "empty text"),
        ({"patterns": [r"\b"]}, "empty text"),
        ({"patterns": ["a" * 501]}, "at most 500"),
        ({"patterns": ["((a{100}){100}){100}"]}, "not a regular expression that can be used here"),
        ({}, "must look for something"),
        ({"topics": [{"name": "x", "words": ["\u200b"]}]}, "must hold a letter"),
        ({"topics": [{"name": "x", "words": []}]}, "at least 1"),
        ({"detect": ["phone"], "region": "XX"}, "country"),
        ({"detect": ["shoe_size"]}, "url_credentials"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_when_it_is_written(written: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        ContentRule.model_validate(written)


@pytest.mark.parametrize(
    ("then", "verdict", "reason", "redact"),
    [
        ("block", "deny", "content_blocked", ()),
        ("ask", "ask", "approval_required", ()),
        ("redact", "allow", "content_redacted", ("card", "email")),
    ],
)
def test_what_is_found_is_refused_asked_about_or_taken_out(
    then: Any, verdict: str, reason: str, redact: tuple[str, ...]
) -> None:
    rule = ContentRule(detect=ALL, then=then)
    found = opinion(rule, Layer.TEAM, "rule", asked(body={"lines": ["a@b.example"]}, n=4111111111111111))
    assert found is not None
    assert (found.verdict, found.reason, found.redact) == (verdict, reason, redact)
    assert (found.ask is not None) == (then == "ask")
    assert "a@b.example" not in found.detail
    assert opinion(rule, Layer.TEAM, "rule", asked(body="nothing")) is None


def test_what_is_to_be_said_is_looked_at_too() -> None:
    question = Question(agent_id=UUID(int=1), at=datetime(2026, 1, 1, tzinfo=UTC), text="mail a@b.example")
    found = opinion(ContentRule(detect=ALL), Layer.TEAM, "rule", question)
    assert found is not None
    assert found.reason == "content_blocked"


def test_found_text_is_taken_out_of_every_place() -> None:
    rules = (ContentRule(detect=ALL), topic("falcon"), ContentRule(patterns=("acme-[0-9]+",)))
    arguments = {
        "to": ["ann@example.com", {"cc": "bob@example.com, eve@example.com"}],
        "ann@example.com": 1,
        "eve@example.com": 2,
        "text": "Falcon for ACME-7: 4111 1111 1111 1111 at https://u:p@host",
        "number": 4111111111111111,
        "small": 5,
        "yes": True,
        "none": None,
    }
    assert redacted(arguments, rules) == {
        "to": ["[redacted email]", {"cc": "[redacted email], [redacted email]"}],
        "[redacted email]": 1,
        "[redacted email] 2": 2,
        "text": "[redacted topic] for [redacted]: [redacted card] at https://[redacted url_credentials]@host",
        "number": "[redacted card]",
        "small": 5,
        "yes": True,
        "none": None,
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
pieces = st.sampled_from(
    ["ann@example.com", "4111 1111 1111 1111", "DE89370400440532013000", "+44 20 7946 0958", "10.0.0.1", "xyzzy",
     "Falcon", "https://u:p@host", "and", "42", "机密", "\n"]
)  # fmt: skip
sentences = st.lists(pieces, max_size=5).map(" ".join)
full = st.recursive(
    sentences, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(sentences, inner, max_size=3)
)


@given(st.dictionaries(st.text("abc", max_size=3), full, max_size=4))
def test_what_is_left_holds_nothing_more_to_find(arguments: dict[str, Any]) -> None:
    rule = ContentRule(detect=ALL, patterns=("[xyz]{3,}",), topics=(Topic(name="t", words=("falcon", "机密")),))
    left = redacted(arguments, [rule])
    assert not [found for text in rule_content.texts(left) for found in rule_content.finds(text, rule)]
    assert redacted(left, [rule]) == left
    assert len(json.dumps(left)) > 0


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("+44 20 7946 0958 4111 1111 1111 1111", "[redacted phone] [redacted card]"),
        ("redacted xyz redacted", "[redacted topic] [redacted] [redacted topic]"),
        ("\ufdd0 xyz", "\ufffd [redacted]"),
        ("\ufdd0", "\ufdd0"),
    ],
)
def test_what_shows_itself_once_something_is_gone_goes_too(text: str, left: str) -> None:
    rules = [ContentRule(detect=ALL), ContentRule(patterns=("xyz",)), topic("redacted")]
    assert redacted_text(text, rules) == left


def test_a_rule_that_finds_everything_leaves_nothing() -> None:
    rules = [ContentRule(patterns=(".",)), ContentRule(detect=ALL)]
    assert redacted_text("a b@c.example", rules) == "[redacted][redacted][redacted email]"


@given(json_values)
def test_what_holds_nothing_to_find_stays_as_it_is(value: Any) -> None:
    rule = topic("\u4e00falcon\u4e00")
    assert redacted({"a": value}, [rule]) == {"a": value}


@given(st.permutations([ContentRule(detect=ALL), topic("ann"), ContentRule(patterns=("example",)), topic("mail ann")]))
def test_the_order_of_rules_decides_nothing(rules: list[ContentRule]) -> None:
    text = "mail Ann@example.com or https://ann:x@example.com"
    once = redacted_text(text, rules)
    assert once == redacted_text(text, rules[::-1])
    assert "ann" not in once.lower()


@given(st.text())
def test_every_place_of_a_folded_text_comes_from_the_original(text: str) -> None:
    folded = folding.fold(folding.sound(text))
    for place in range(len(folded.text)):
        start, end = folded.origin(place, place + 1)
        assert 0 <= start < end <= len(text)


@given(st.text(), st.text())
def test_spelling_it_otherwise_does_not_hide_a_word(before: str, after: str) -> None:
    hidden = f"{before} F\u200bA\u00adｌcoN {after}"
    assert any("coN" in part for part in seen(hidden, topic("falcon")))


def test_a_topic_may_have_many_words() -> None:
    rule = topic(*(f"wort{number} größe" for number in range(500)))
    assert seen("Wort999 GRÖSSE wort7 grossartig, dann wort7größer", rule) == []
    assert seen("wort7 Wort499\tGRÖßE", rule) == ["Wort499\tGRÖßE"]


def test_where_a_place_cannot_be_told_all_of_the_text_goes() -> None:
    assert redacted_text("a fale\u200b\u0301con b", [topic("falécon")]) == "[redacted topic]"
    assert redacted_text("a falécon b", [topic("falécon")]) == "a [redacted topic] b"


def test_a_broken_letter_hides_nothing() -> None:
    assert seen("\ud800 falcon", topic("falcon")) == ["falcon"]
    assert seen("\ud800 falcon", ContentRule(patterns=("falcon",))) == ["falcon", "falcon"]


@pytest.mark.parametrize(
    "text", ["1 " * 30_000, "a" * 60_000, "+1 " * 20_000, "\u200b" * 60_000, "a:" * 30_000, "é" * 40_000]
)
def test_long_texts_are_looked_through_in_time(text: str) -> None:
    rule = ContentRule(
        detect=ALL, region="US", patterns=("(x+x+)+y", "a.*b"), topics=(Topic(name="t", words=("a a", "x")),)
    )
    began = time.monotonic()
    list(rule_content.finds(text, rule))
    assert time.monotonic() - began < 20


@given(st.recursive(st.text(max_size=5) | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3)))
def test_every_text_of_the_arguments_is_looked_at(value: Any) -> None:
    assert rule_content.texts({"a": value, "b": ["needle"]}).count("needle") >= 1

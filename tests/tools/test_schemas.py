"""Schemas that people register: checked without fetching anything and without hanging."""

import time
from typing import Any

import pytest

from retinue.domain import schemas


@pytest.mark.requirement("TOOL-03")
@pytest.mark.parametrize(("schema", "value", "words"), [
    ({"type": "object", "required": ["a"]}, {}, "arguments: 'a' is a required property"),
    ({"properties": {"a": {"items": {"type": "integer"}}}}, {"a": [1, "x"]}, "a.1: 'x' is not of type 'integer'"),
    ({"properties": {"a": {"pattern": "^[a-z]+$"}}}, {"a": "5"}, "a: '5' does not match"),
    ({"properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"enum": [1]}}}, {"a": 2}, "a: 2 is not one of [1]"),
])  # fmt: skip
def test_a_value_that_does_not_fit_is_told_by_place_and_reason(schema: dict[str, Any], value: Any, words: str) -> None:
    assert schemas.check_schema(schema, "parameters") == []
    (found,) = schemas.problems(schemas.checker(schema), value)
    assert words in found


@pytest.mark.parametrize("schema", [
    {"$ref": "#/$defs/none"}, {"$ref": "https://schemas.example/x"}, {"$ref": "file:///etc/passwd"}, {"$ref": "#"},
])  # fmt: skip
def test_a_reference_that_leads_nowhere_fetches_nothing_and_refuses_the_value(schema: dict[str, Any]) -> None:
    assert schemas.problems(schemas.checker(schema), {"a": 1}) == ["the tool's own schema cannot be used"]


@pytest.mark.parametrize(("pattern", "text"), [(r"(.*)*\1b", "a" * 60), (r"(x+x+)+y", "x" * 5000)])
def test_a_pattern_that_would_never_end_refuses_the_value_in_time(pattern: str, text: str) -> None:
    began = time.monotonic()
    assert schemas.problems(schemas.checker({"pattern": pattern}), text)
    assert time.monotonic() - began < 1


def test_a_pattern_says_nothing_of_what_is_not_text() -> None:
    assert schemas.problems(schemas.checker({"pattern": "^a$"}), 5) == []


def test_schemas_within_lists_are_looked_at_too() -> None:
    outside = {"anyOf": [{"type": "string"}, {"$ref": "https://x.example"}]}
    assert schemas.check_schema(outside, "returns") == [
        {"path": "returns", "reason": "refers outside itself: https://x.example"}
    ]


def test_a_schema_nested_without_measure_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(2500):
        deep = {"not": deep}
    assert schemas.check_schema(deep, "parameters")

"""The page about rules names all of them with all of their fields, and its examples can be used."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from retinue.domain.personal_data import PersonalData
from retinue.domain.rule_base import RuleType, Scope
from retinue.domain.rules import Rule
from retinue.domain.verdicts import Ask, Panel

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text()
BLOCKS = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = [rule for found in map(json.loads, BLOCKS) for rule in (found if isinstance(found, list) else [found])]
KINDS = get_args(get_args(Rule)[0])
RULE: TypeAdapter[Any] = TypeAdapter(Rule)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["type"])
def test_every_example_is_a_rule(example: dict[str, Any]) -> None:
    RULE.validate_python(example)


def test_every_type_has_an_example() -> None:
    assert {example["type"] for example in EXAMPLES} == set(RuleType)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_field_stands_in_an_example(kind: Any) -> None:
    shown = {name for example in EXAMPLES if example["type"] == kind.model_fields["type"].default for name in example}
    assert set(kind.model_fields) - {"scope"} <= shown


def test_scopes_panels_and_what_is_detected_are_named() -> None:
    words = {*Scope.model_fields, *Ask.model_fields, *Panel.model_fields, *PersonalData}
    assert not {word for word in words if f'"{word}"' not in PAGE and f"`{word}`" not in PAGE}

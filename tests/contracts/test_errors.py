"""Error codes are unique, documented, and say something."""

from collections import Counter

import pytest

from retinue import errors
from retinue.domain.reasons import REASONS
from tests.contracts import error_codes


def test_every_error_class_has_a_code_of_its_own() -> None:
    codes = Counter(kind.code for kind in error_codes.classes())
    assert not [code for code, count in codes.items() if count > 1]


def test_a_more_exact_code_belongs_to_one_kind_and_is_no_classs_code() -> None:
    kinds = Counter(reason.code for reason in error_codes.reasons())
    assert not [code for code, count in kinds.items() if count > 1]
    assert not set(kinds) & {kind.code for kind in error_codes.classes()}


@pytest.mark.parametrize("kind", error_codes.classes(), ids=lambda kind: kind.__name__)
def test_an_errors_docstring_is_a_title_and_its_audience_is_known(kind: type[errors.RetinueError]) -> None:
    assert kind.title().endswith(".")
    assert kind.audience in error_codes.ACTORS
    assert 400 <= kind.status < 600


def test_the_documented_codes_are_those_of_the_code() -> None:
    assert error_codes.DOCUMENT.read_text() == error_codes.document(), (
        "The codes have changed: run `python -m tests.contracts.error_codes` and commit docs/errors.md."
    )


@pytest.mark.requirement("GOV-22")
def test_every_reason_of_the_gate_is_known_by_its_words() -> None:
    assert error_codes.given() - set(REASONS) == set()

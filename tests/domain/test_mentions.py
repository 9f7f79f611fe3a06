"""Which agents a text mentions."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import mentions
from retinue.domain.texts import SLUG_PATTERN


@pytest.mark.requirement("TRG-04")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@ann hello", ("ann",)),
        ("hello (@Ann), and @bea_2!", ("ann", "bea_2")),
        ("@ann @bea @ANN", ("ann", "bea")),
        ("ask @dr-ann-", ("dr-ann",)),
        ("@ann's", ("ann",)),
        ("write to ann@example.org", ()),
        ("https://example.org/@ann and x/@ann", ()),
        ("`@ann` and ```\n@bea\n``` but @cy", ("cy",)),
        ("``` @ann never closed", ()),
        ("@ ann @", ()),
        ("@@ann", ()),
        ("", ()),
    ],
)
def test_mentions_are_names_after_an_at_sign_outside_code_and_addresses(text: str, found: tuple[str, ...]) -> None:
    assert mentions.slugs(text) == found


@given(st.text(alphabet="@`ab-_. /\n", max_size=80))
def test_whatever_is_mentioned_could_be_a_slug_and_comes_once(text: str) -> None:
    found = mentions.slugs(text)
    assert len(found) == len(set(found))
    assert all(re.fullmatch(SLUG_PATTERN, slug) for slug in found)


@pytest.mark.parametrize(
    ("name", "email", "expected"),
    [
        ("Ann Lee", "x@y", "ann-lee"),
        ("Zoë O'Neil ", "x@y", "zoe-o-neil"),
        ("李雷", "lei.li@y", "lei-li"),
        ("李雷", "李@y", "someone"),
    ],
)
def test_a_person_is_mentioned_by_the_name_in_plain_letters(name: str, email: str, expected: str) -> None:
    assert mentions.handle(name, email) == expected


@given(st.text(max_size=200), st.emails())
def test_every_person_can_be_mentioned(name: str, email: str) -> None:
    handle = mentions.handle(name, email)
    assert mentions.slugs(f"Hello @{handle}, how are you?") == (handle,)

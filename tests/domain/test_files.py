"""What a file is, by its name and its bytes, and which part of it is asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue import errors
from retinue.domain import files


@given(st.text(max_size=400))
def test_a_name_never_leads_anywhere(text: str) -> None:
    name = files.clean_name(text)
    assert name and len(name) <= files.MAX_NAME
    assert not set(name) & set("/\\\x00\r\n\u202e") and not name.startswith(".")
    assert files.clean_name(name) == name


@given(st.text(max_size=100), st.booleans())
def test_a_name_never_leaves_its_header(text: str, inline: bool) -> None:
    header = files.disposition(files.clean_name(text), inline)
    assert header.isascii() and header.isprintable()
    assert header.count('"') == 2


@given(st.binary(max_size=200), st.text(max_size=20), st.booleans())
def test_whatever_the_bytes_nothing_a_browser_runs_is_shown(head: bytes, name: str, is_text: bool) -> None:
    media_type = files.sniff(head, name, is_text)
    assert "/" in media_type
    served, inline = files.served_as(media_type, is_picture=True)
    harmless = ("image/", "audio/", "video/", "text/plain", "application/pdf", "application/octet-stream")
    assert served.startswith(harmless)
    assert served != "image/svg+xml"
    assert not (inline and media_type in files.ACTIVE)


@pytest.mark.parametrize("start", ["", "\ufeff", " \r\n\t", "<!-- a --> ", "<?xml version='1.0'?>\n<!-- b -->"])
@pytest.mark.parametrize("tag", ["<svg>", "<SVG x='1'>", "<!DOCTYPE svg>", "<html>", "<!doctype HTML>", "<script>"])
def test_markup_is_seen_through_what_stands_before_it(start: str, tag: str) -> None:
    assert files.sniff((start + tag).encode(), "x.txt", True) in files.ACTIVE


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_range_lies_within_the_file(first: int, last: int, size: int) -> None:
    for header in (f"bytes={first}-{last}", f"bytes={first}-", f"bytes=-{last}"):
        try:
            found = files.parse_range(header, size)
        except errors.RangeNotSatisfiable:
            continue
        assert found is None or 0 <= found[0] <= found[1] < size


@given(st.text(max_size=30))
def test_no_range_header_makes_trouble(header: str) -> None:
    assert files.parse_range(header, 10) is None or header.replace(" ", "").startswith("bytes=")


def test_an_empty_file_has_no_range() -> None:
    with pytest.raises(errors.RangeNotSatisfiable):
        files.parse_range("bytes=0-", 0)


@pytest.mark.parametrize(
    ("media_type", "taken"),
    [("image/png", True), ("application/pdf", True), ("application/octet-stream", False), ("text/html", False)],
)
def test_patterns_say_what_is_taken(media_type: str, taken: bool) -> None:
    assert files.is_taken(media_type, ("image/*", "application/pdf")) is taken

"""What may stand as a reaction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import reactions


@pytest.mark.parametrize("text", ["👍", "👍🏽", "👩🏽‍💻", "🇨🇿", "1️⃣", "❤️", "❤", "✅", "👨🏽‍❤️‍💋‍👨🏿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"])
def test_one_emoji_is_a_reaction_however_many_code_points_it_has(text: str) -> None:
    assert reactions.is_emoji(text)


@pytest.mark.parametrize(
    "text",
    ["", "a", "ok", "é", "1", "#", "👍👍", "👍a", "👍\n", "\u200d", "\u202e👍", "👍\u0301", "👍" + "\ufe0f" * 16],
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    assert not reactions.is_emoji(text)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Z", "C"]), max_size=20))
def test_no_text_without_a_picture_is_a_reaction(text: str) -> None:
    assert not reactions.is_emoji(text) or any(ord(char) > 0xA0 for char in text)

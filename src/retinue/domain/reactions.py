"""What may stand as a reaction: one emoji, whatever number of code points it is made of. Not a list of emoji."""

import regex

MAX_CODE_POINTS = 16
_GRAPHEME = regex.compile(r"\X")
_EMOJI = regex.compile(r"\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3")
_PIECES = regex.compile(
    r"[0-9#*\ufe0f\u20e3\u200d\U000e0020-\U000e007f\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}]+"
)


def is_emoji(text: str) -> bool:
    """Whether the text is exactly one emoji: 👍, 👩🏽‍💻, 🇨🇿 or 1️⃣, but no letter, word, control or two of them."""
    if not 1 <= len(text) <= MAX_CODE_POINTS or _GRAPHEME.fullmatch(text) is None:
        return False
    return _EMOJI.search(text) is not None and _PIECES.fullmatch(text) is not None

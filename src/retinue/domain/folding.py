"""Texts as they are compared where people must not get round a rule by spelling: NFKC, without case, without
characters that nobody sees, every run of white space one space. Each place knows where it stood in the original.

Letters of different scripts that look alike stay different.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import regex

_TOKEN = regex.compile(r"[!-~]+(?![^\x00-\x7f])|\s+|\X")
"""A run of plain letters whose last bears no mark, white space, or one character as people see it."""
_UNSEEN = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cf}]+")
_SPACE = re.compile(r"\s+")
_SURROGATE = regex.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True)
class Folded:
    """A folded text, and what it was before."""

    text: str
    original: str

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The part of the original that a part of this text, of at least one character, comes from. Where that cannot
        be told, all of it."""
        places = self._places
        return (places[start][0], places[end - 1][1]) if places is not None else (0, len(self.original))

    @cached_property
    def _places(self) -> list[tuple[int, int]] | None:
        """Where each character began and ended. Worked out only once something was found: it takes its time."""
        pieces: list[str] = []
        places: list[tuple[int, int]] = []
        for piece, where in _pieces(self.original):
            if piece == " " and pieces and pieces[-1] == " ":
                places[-1] = places[-1][0], where[0][1]
            elif piece:
                pieces.append(piece)
                places += where
        return places if "".join(pieces) == self.text else None


def sound(text: str) -> str:
    """The text with the replacement character for halves of surrogate pairs, at the same places."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def fold(text: str) -> Folded:
    """The text for comparing."""
    seen = text.lower() if text.isascii() else _seen(text)
    return Folded(_SPACE.sub(" ", seen), text)


def _pieces(text: str) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        found = token.group()
        if found.isspace():
            yield " ", [(start, end)]
        elif found.isascii():
            yield found.lower(), [(place, place + 1) for place in range(start, end)]
        else:
            folded = _seen(found)
            yield folded, [(start, end)] * len(folded)


def _seen(text: str) -> str:
    kept = _UNSEEN.sub("", text)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", kept).casefold())


def is_word(character: str) -> bool:
    """Whether it is part of words: a letter, a digit, a mark or ``_``."""
    return character.isalnum() or character == "_" or unicodedata.category(character).startswith("M")


_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]")


def whole(text: str, start: int, end: int) -> bool:
    """Whether this part of a folded text stands as whole words. Scripts that put no spaces between words have no such
    borders, so that in them every place counts as one."""
    return _border(text, start - 1, start) and _border(text, end, end - 1)


def _border(text: str, outside: int, inside: int) -> bool:
    if not 0 <= outside < len(text) or not is_word(text[outside]) or not is_word(text[inside]):
        return True
    return _UNSPACED.match(text[inside]) is not None


def occurrences(text: str, words: str) -> Iterator[tuple[int, int]]:
    """Where folded words stand as whole words in a folded text, without overlaps."""
    place = text.find(words)
    while place >= 0:
        end = place + len(words)
        if whole(text, place, end):
            yield place, end
            place = text.find(words, end)
        else:
            place = text.find(words, place + 1)

"""What the web app says where there is nothing yet: one line that affirms, nothing that sounds like a failed search."""

import re
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "web" / "src"
EMPTY = re.compile(r"<EmptyState\s+title=(\"[^\"]+\"|\{.+?\}(?=\s|/?>))", re.DOTALL)
WORDS = re.compile(r"[\"`]([^\"`]+)[\"`]")
COLD = re.compile(r"\b(found|data|results?|items?|records?|entries|error|failed|empty|oops|sorry)\b", re.IGNORECASE)
LONGEST = 60


def titles() -> dict[str, str]:
    """The words of every empty view, and the file they stand in."""
    found: dict[str, str] = {}
    for path in sorted(SOURCES.rglob("*.tsx")):
        for title in EMPTY.findall(path.read_text()):
            found |= {words: str(path.relative_to(SOURCES)) for words in WORDS.findall(title)}
    return found


@pytest.mark.requirement("ATT-45")
def test_empty_views_affirm_in_one_line() -> None:
    said = titles()
    assert len(said) > 10, "the pattern finds the titles"
    wrong = {words: place for words, place in said.items() if COLD.search(words) or len(words) > LONGEST}
    assert wrong == {}


def test_cold_words_would_be_seen() -> None:
    assert COLD.search("No tasks found") and COLD.search("No data.")
    assert not COLD.search("No outstanding tasks")

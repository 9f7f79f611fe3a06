"""Which tools a message asks for, by its words alone: the offline model's stand-in for understanding.

Generic on purpose: it knows words, tool names and schemas, and no tool in particular. A tool that changes anything is
asked for only by an order that begins with its verb.
"""

import itertools
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from retinue.domain.tools import Effect, ToolSpec
from retinue.llm import offline_objects

WORD = re.compile(r"[a-z0-9]+")
CUT = re.compile(r"(?:[.;?!]+(?=\s|$)|\n|,\s|\b(?:and then|and|then)\b)", re.IGNORECASE)
ENOUGH = 0.5
"""The share of a tool name's words that a message must have."""
SURE = 0.75
"""The same for tools that change something."""
READ = 8_000
"""Characters of a message that are looked at."""
EMPTY = frozenset(
    WORD.findall(
        "a an the of to for in on at by with from is are was be it its this that these those please me my our your you"
        " i we can could would will do does did tell show give get fetch let us what which how some any all now about"
    )
)
POLITE = frozenset(WORD.findall("please can could would will you now then and also just kindly"))
USE = frozenset({"use", "call", "run"})
SYNONYMS = {
    "clock": "time", "date": "time", "today": "time", "hour": "time", "weekday": "time", "day": "time",
    "find": "search", "look": "search", "lookup": "search",
    "said": "message", "wrote": "message", "conversation": "message",
    "who": "member channel", "everyone": "member", "people": "member", "participant": "member", "here": "channel",
    "room": "channel", "ability": "search tool", "capability": "search tool", "mail": "email", "todo": "task",
    "make": "create", "add": "create", "new": "create", "remove": "delete", "weather": "weather",
}  # fmt: skip
ABILITIES = re.compile(
    r"what (can|could|do) you (do|help)|what are you able|help me with what|^\s*help\W*$", re.IGNORECASE
)


def choose(said: str, tools: Sequence[ToolSpec]) -> tuple[list[tuple[str, dict[str, Any]]], str | None]:
    """The calls a message asks for, in its order; a question where it leaves out what a call needs."""
    calls: list[tuple[str, dict[str, Any]]] = []
    question: str | None = None
    for spec, clause in _clauses(said, tools):
        arguments, missing = offline_objects.arguments(spec.parameters, clause, name_words(spec.slug))
        if missing:
            question = question or f"I can use {spec.name} for that, but I need to know: {', '.join(missing)}."
        elif (spec.slug, arguments) not in calls:
            calls.append((spec.slug, arguments))
    return calls, question


def _clauses(said: str, tools: Sequence[ToolSpec]) -> list[tuple[ToolSpec, str]]:
    """The message cut where a new request begins; a piece that asks for nothing belongs to the one before it."""
    found: list[tuple[ToolSpec, str]] = []
    position = 0
    said = said[:READ]
    starts = [0, *(match.end() for match in CUT.finditer(said) if _is_open(said, match.start())), len(said)]
    for start, end in itertools.pairwise(starts):
        spec = _match(said[start:end], tools)
        if spec is not None:
            found.append((spec, said[start:end]))
        elif found:
            before, _ = found[-1]
            found[-1] = (before, said[position:end])
        if spec is not None:
            position = start
    return found


def _is_open(said: str, position: int) -> bool:
    """True outside quotations and objects, where a message may be cut."""
    before = said[:position]
    return before.count('"') % 2 == 0 and before.count("{") <= before.count("}")


def _match(clause: str, tools: Sequence[ToolSpec]) -> ToolSpec | None:
    """The tool that fits best, if one fits well enough."""
    lowered = clause.lower()
    words = stems(lowered)
    if not words:
        return None
    best, best_score = None, 0.0
    for spec in tools:
        score = _score(spec, lowered, words)
        if score > best_score:
            best, best_score = spec, score
    return best


def _score(spec: ToolSpec, lowered: str, words: frozenset[str]) -> float:
    own = name_words(spec.slug)
    named = len(spec.slug) > 3 and re.search(rf"\b{re.escape(spec.slug.lower())}\b", lowered)
    if named and (spec.effect is Effect.READ or _ordered(lowered, own | USE)):
        return 3.0
    share = len(own & words) / len(own) if own else 0.0
    if share < (ENOUGH if spec.effect is Effect.READ else SURE):
        return 0.0
    if spec.effect is not Effect.READ and not _ordered(lowered, own):
        return 0.0
    required = spec.parameters.get("required") or ()
    described = len(words & description_words(spec.description)) / 100
    return share + described + (0.1 if required and len(words - own) > 0 else 0.0)


def _ordered(lowered: str, own: frozenset[str]) -> bool:
    """True when the clause begins with one of the tool's own words, as an order does."""
    for word in WORD.findall(lowered):
        if word not in POLITE:
            return bool(expand(word) & own)
    return False


def stems(lowered: str) -> frozenset[str]:
    """The meaningful words of a text and what they stand for."""
    found: set[str] = set()
    for word in WORD.findall(lowered):
        if word not in EMPTY:
            found |= expand(word)
    if ABILITIES.search(lowered):
        found |= {"search", "tool"}
    return frozenset(found)


@lru_cache(maxsize=4096)
def expand(word: str) -> frozenset[str]:
    """A word's stem with its synonyms."""
    stem = _stem(word)
    return frozenset({stem, *SYNONYMS.get(stem, "").split(), *SYNONYMS.get(word, "").split()})


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


@lru_cache(maxsize=1024)
def name_words(slug: str) -> frozenset[str]:
    """The meaningful words of a slug, stemmed."""
    spread = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", slug).lower()
    return frozenset(_stem(word) for word in WORD.findall(spread) if word not in EMPTY and word != "current")


@lru_cache(maxsize=1024)
def description_words(description: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in WORD.findall(description.lower()) if word not in EMPTY)

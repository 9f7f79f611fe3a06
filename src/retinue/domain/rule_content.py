"""The rule about what texts hold: patterns, topics, personal data; and how such text is taken out.

Patterns are run by RE2, in time linear in the text, and may therefore not look ahead, behind or back.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, Self, cast

import re2
from pydantic import AfterValidator, Field, model_validator

from retinue.domain import folding, personal_data
from retinue.domain.base import Value
from retinue.domain.folding import Folded
from retinue.domain.personal_data import PersonalData
from retinue.domain.rule_base import Question, RuleType, Scope
from retinue.domain.verdicts import Ask, Panel

LONGEST_PATTERN = 500
MOST_MEMORY = 1 << 20


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> "re2.Pattern":
    """The expression, whatever the case. Raises ValueError for one that RE2 cannot read or that takes much memory."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.never_capture = True
    options.max_mem = MOST_MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        words = error.args[0] if error.args else ""
        reason = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
        raise ValueError(f"is not a regular expression that can be used here: {reason}") from error


def _pattern(text: str) -> str:
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"must have at most {LONGEST_PATTERN} characters")
    compiled = _compiled(text)
    if any(match.start() == match.end() for probe in ("", "aB1 _-.\n") for match in compiled.finditer(probe)):
        raise ValueError("can be found in an empty text, and so in every one")
    return text


def _word(text: str) -> str:
    if not folding.fold(text).text.strip():
        raise ValueError("must hold a letter")
    return text


def _region(text: str) -> str:
    if not personal_data.known_region(text):
        raise ValueError("must be a country's code of two letters, such as GB")
    return text


class Topic(Value):
    """Words that tell of something. They are found as whole words, whatever their case or spelling in Unicode; words of
    more than one part with any white space between the parts."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    words: tuple[Annotated[str, Field(max_length=100), AfterValidator(_word)], ...] = Field(
        min_length=1, max_length=500
    )


Kind = PersonalData | Literal["text", "topic"]
"""What was found. ``text``: of a pattern. Neither it nor a topic is named in what is shown, as they may be secret."""


class Found(NamedTuple):
    """A part of a text."""

    start: int
    end: int
    kind: Kind


class ContentRule(Value):
    """What may not stand in the arguments of a call, nor in what is said.

    ``then``: ``block`` refuses the call, ``redact`` lets it through without what was found, ``ask`` asks a person.
    """

    type: Literal[RuleType.CONTENT] = RuleType.CONTENT
    scope: Scope = Scope()
    patterns: tuple[Annotated[str, AfterValidator(_pattern)], ...] = Field(default=(), max_length=50)
    """Regular expressions as RE2 reads them, found anywhere, whatever the case."""
    topics: tuple[Topic, ...] = Field(default=(), max_length=50)
    detect: tuple[PersonalData, ...] = ()
    region: Annotated[str, AfterValidator(_region)] | None = None
    """The country (``GB``) whose numbers of phones are found without its prefix, too."""
    then: Literal["block", "redact", "ask"] = "block"
    ask: Ask = Ask(panels=(Panel(),))
    """Who is asked, where ``then`` is ``ask``."""

    @model_validator(mode="after")
    def _looks(self) -> Self:
        if not (self.patterns or self.topics or self.detect):
            raise ValueError("must look for something: patterns, topics or detect")
        return self

    def kinds(self, asked: Question) -> tuple[Kind, ...]:
        """What is found in the arguments and in what is to be said, each kind once."""
        found: set[Kind] = {one.kind for text in _texts_of(asked) for one in finds(text, self)}
        return tuple(sorted(found))

    def judge(self, asked: Question) -> tuple[str, str] | None:
        """Why not, as code and words; None when nothing was found."""
        kinds = self.kinds(asked)
        if not kinds:
            return None
        words = f"This holds what may not be used here: {', '.join(WORDS[kind] for kind in kinds)}."
        return REASONS[self.then], words


REASONS = {"block": "content_blocked", "redact": "content_redacted", "ask": "approval_required"}
WORDS: dict[Kind, str] = {
    "text": "a text that is ruled out",
    "topic": "a topic that is ruled out",
    PersonalData.URL_CREDENTIALS: "a password in an address",
    PersonalData.EMAIL: "an e-mail address",
    PersonalData.IBAN: "a bank account",
    PersonalData.CARD: "a card number",
    PersonalData.PHONE: "a phone number",
    PersonalData.IP_ADDRESS: "an IP address",
}


def texts(value: Any) -> list[str]:
    """All texts in a JSON value, names of fields and numbers too."""
    match value:
        case str():
            return [value]
        case dict():
            found: list[str] = []
            for key, inner in cast("dict[str, Any]", value).items():
                found += [key, *texts(inner)]
            return found
        case list() | tuple():
            return [text for inner in cast("list[Any]", value) for text in texts(inner)]
        case bool() | None:
            return []
        case _:
            return [str(value)]


def _texts_of(asked: Question) -> list[str]:
    arguments = texts(asked.call.arguments) if asked.call is not None else []
    return arguments if asked.text is None else [*arguments, asked.text]


# ── finding ──────────────────────────────────────────────────────────────────────────────────────────────────────


def finds(text: str, rule: ContentRule) -> Iterator[Found]:
    """Everything in this text that the rule looks for, as parts of the text."""
    sound = folding.sound(text)
    folded = folding.fold(sound)
    for pattern in rule.patterns:
        yield from _pattern_finds(_compiled(pattern), sound, folded)
    for topic in rule.topics:
        any_of_them, each = _folded_words(topic.words)
        for words in each if any_of_them.search(folded.text) is not None else ():
            for start, end in folding.occurrences(folded.text, words):
                yield Found(*folded.origin(start, end), "topic")
    for kind in rule.detect:
        for start, end in personal_data.find(kind, folded.text, rule.region):
            yield Found(*folded.origin(start, end), kind)


def _pattern_finds(pattern: "re2.Pattern", sound: str, folded: Folded) -> Iterator[Found]:
    """In the text as it is and as it is folded. A pattern that finds a place without letters finds that place."""
    for match in pattern.finditer(sound):
        yield Found(*match.span(), "text")
    for match in pattern.finditer(folded.text):
        start, end = match.span()
        if end > start:
            yield Found(*folded.origin(start, end), "text")


@lru_cache(maxsize=512)
def _folded_words(words: tuple[str, ...]) -> tuple["re2.Pattern", tuple[str, ...]]:
    """What finds any of these words in one pass, be they whole or not; and each of them."""
    folded = tuple(folding.fold(folding.sound(word)).text.strip() for word in words)
    return re2.compile("|".join(re2.escape(one) for one in folded)), folded


# ── taking out ───────────────────────────────────────────────────────────────────────────────────────────────────


def redacted(arguments: dict[str, Any], rules: Iterable[ContentRule]) -> dict[str, Any]:
    """The arguments without what these rules find: ``[redacted email]`` stands in its place. Also in lists, in objects
    and in the names of their fields; a number in which something is found becomes such a text."""
    return cast("dict[str, Any]", redacted_value(arguments, tuple(rules)))


def redacted_text(text: str, rules: Iterable[ContentRule]) -> str:
    """The text without what these rules find, nor what shows itself once that is gone."""
    rules, labels = tuple(rules), list[str]()
    left = text.replace(GONE, "\ufffd")
    while found := [one for rule in rules for one in finds(left, rule) if left[one.start : one.end].strip(GONE)]:
        left, labels = _without(left, labels, found)
    if not labels:
        return text
    pieces = left.split(GONE)
    return "".join([piece for pair in zip(pieces, labels, strict=False) for piece in pair] + pieces[-1:])


GONE = "\ufdd0"
"""Stands for what was taken out while a text is looked through again. It is no character, in no text."""


def _without(text: str, labels: list[str], found: list[Found]) -> tuple[str, list[str]]:
    """The text with one ``GONE`` for all that overlaps, and what stands for each ``GONE``."""
    pieces: list[str] = []
    kept: list[str] = []
    old = iter(labels)
    end = 0
    for one in sorted(found, key=lambda one: (one.start, -one.end, one.kind)):
        if one.start >= end:
            between = text[end : one.start]
            kept += [next(old) for _ in range(between.count(GONE))]
            pieces += [between, GONE]
            kept.append("[redacted]" if one.kind == "text" else f"[redacted {one.kind}]")
        for _ in range(text.count(GONE, max(end, one.start), max(end, one.end))):
            next(old)
        end = max(end, one.end)
    return "".join([*pieces, text[end:]]), [*kept, *old]


def redacted_value(value: Any, rules: tuple[ContentRule, ...]) -> Any:
    """The same of any JSON value."""
    match value:
        case str():
            return redacted_text(value, rules)
        case dict():
            return _redacted_fields(cast("dict[str, Any]", value), rules)
        case list() | tuple():
            return [redacted_value(inner, rules) for inner in cast("list[Any]", value)]
        case bool() | None:
            return value
        case _:
            text = str(value)
            changed = redacted_text(text, rules)
            return value if changed == text else changed


def _redacted_fields(fields: dict[str, Any], rules: tuple[ContentRule, ...]) -> dict[str, Any]:
    """Two names that are the same without what was found are numbered, so that no field is lost."""
    made: dict[str, Any] = {}
    for key, inner in fields.items():
        name = free = redacted_text(key, rules)
        number = 2
        while free in made:
            free, number = f"{name} {number}", number + 1
        made[free] = redacted_value(inner, rules)
    return made

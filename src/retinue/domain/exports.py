"""A conversation as a file: JSON for machines, Markdown for people. Pieces of text, so that it can be streamed.

What people and models wrote stands quoted in the Markdown, line by line, and opens no HTML: nobody can write another
one's line, a heading, or a page that runs.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Literal, Protocol

from pydantic import Field
from pydantic_core import to_jsonable_python

from retinue.domain.base import Value
from retinue.domain.texts import latin

Format = Literal["json", "markdown"]
MEDIA_TYPES: dict[Format, str] = {"json": "application/json", "markdown": "text/markdown; charset=utf-8"}
SUFFIXES: dict[Format, str] = {"json": "json", "markdown": "md"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&@:/])")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_FENCE = re.compile(r"(`{3,}(?=[^`]*$)|~{3,})")


class Title(Value):
    """What is exported, by whom, when."""

    kind: Literal["channel", "thread"]
    name: str
    about: dict[str, Any]
    """The channel or thread as the API shows it."""
    exported_by: str
    exported_at: datetime

    def filename(self, form: Format) -> str:
        """``general-2026-11-21.md``: plain ASCII."""
        return f"{latin(self.name) or self.kind}-{self.exported_at:%Y-%m-%d}.{SUFFIXES[form]}"


class Entry(Value):
    """One message of the export."""

    place: int
    author: str
    at: datetime | None
    notes: tuple[str, ...] = ()
    """What stands beside the author: ``edited``, ``reply to #3``."""
    text: str = ""
    code: tuple[tuple[str, str], ...] = ()
    """Captions and JSON texts: tool calls and results."""
    attached: tuple[str, ...] = ()
    data: dict[str, Any] = Field(default_factory=dict)
    """The message as the API shows it."""


class Writer(Protocol):
    """Makes one format's text, piece by piece."""

    def head(self, title: Title) -> str: ...
    def entries(self, entries: Sequence[Entry]) -> str: ...
    def tail(self) -> str: ...


class JsonWriter:
    """``{kind, <kind>, exported_by, exported_at, messages: [...]}``."""

    def __init__(self) -> None:
        self._first = True

    def head(self, title: Title) -> str:
        fields = {
            "kind": title.kind,
            title.kind: title.about,
            "exported_by": title.exported_by,
            "exported_at": title.exported_at,
        }
        return _json(fields)[:-1] + ', "messages": ['

    def entries(self, entries: Sequence[Entry]) -> str:
        lines = [_json(entry.data | {"author": entry.author}) for entry in entries]
        start = "\n" if self._first else ",\n"
        self._first = self._first and not lines
        return start + ",\n".join(lines) if lines else ""

    def tail(self) -> str:
        return "\n]}\n"


class MarkdownWriter:
    """A heading for each day, a line for each message's author and time, and what was said as a quotation."""

    def __init__(self) -> None:
        self._day: date | None = None

    def head(self, title: Title) -> str:
        return (
            f"# {plain(title.name)}\n\nExported {title.exported_at:%Y-%m-%d %H:%M} UTC by {plain(title.exported_by)}.\n"
        )

    def entries(self, entries: Sequence[Entry]) -> str:
        return "".join(piece for entry in entries for piece in self._entry(entry))

    def _entry(self, entry: Entry) -> Iterator[str]:
        if entry.at is not None and entry.at.date() != self._day:
            self._day = entry.at.date()
            yield f"\n## {self._day:%Y-%m-%d}\n"
        time = [f"{entry.at:%H:%M}"] if entry.at else []
        yield f"\n**{plain(entry.author)}** · {' · '.join([*time, f'#{entry.place}', *map(plain, entry.notes)])}\n"
        if entry.text.strip():
            yield f"\n{quoted(entry.text)}\n"
        for caption, code in entry.code:
            yield f"\n{plain(caption)}\n\n{quoted(fenced(code))}\n"
        for name in entry.attached:
            yield f"\nAttached: {plain(name)}\n"

    def tail(self) -> str:
        return ""


WRITERS: dict[Format, type[Writer]] = {"json": JsonWriter, "markdown": MarkdownWriter}


def _json(value: Any) -> str:
    return json.dumps(to_jsonable_python(value), ensure_ascii=False)


def plain(text: str) -> str:
    """A short text with nothing in it that Markdown reads as more than text, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def fenced(code: str) -> str:
    """A block of code, fenced by more backticks than it has anywhere."""
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{code}\n{fence}"


def quoted(text: str) -> str:
    """Markdown as a quotation: every line of it begins with ``>``; tags are shown, not read.

    Inside a fence that begins at the margin ``<`` stays as it is, since nothing is read there. Everywhere else it is
    written ``&lt;``; where the two could be confused, it is taken for text.
    """
    fence = ""
    lines: list[str] = []
    for line in re.split(r"\r\n|\r|\n", text):
        found = _FENCE.match(line) if not fence else None
        closes = bool(fence) and _closes(line, fence)
        inside = bool(fence) and not closes
        lines.append(f"> {line if inside else _TAG.sub('&lt;', line)}".rstrip())
        fence = found.group(1) if found else "" if closes else fence
    return "\n".join(lines)


def _closes(line: str, fence: str) -> bool:
    return re.fullmatch(rf" {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*", line) is not None

"""Objects that fit a JSON schema, filled from the words of a message: arguments of calls and structured answers.

The same message and schema always give the same object. Nothing is invented for a required argument of a call: what
the message does not say is reported as missing.
"""

import json
import re
from functools import cache
from typing import Any, cast
from zoneinfo import available_timezones

Schema = dict[str, Any]
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)")
QUOTES = re.compile(r'"([^"]+)"|“([^”]+)”|«([^»]+)»|\'([^\']{2,})\'')
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
ADDRESS = re.compile(r"https?://\S+")
DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
TOPIC = re.compile(
    r"\b(?:for|about|saying|says|called|named|titled|regarding|with the text)\b:?\s+(.+)$", re.IGNORECASE | re.DOTALL
)
NO = re.compile(r"\b(no|not|never|false|off|without|don't)\b", re.IGNORECASE)
FORMATS = {
    "date-time": "2000-01-01T00:00:00Z",
    "date": "2000-01-01",
    "time": "00:00:00Z",
    "email": "someone@example.org",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
ADDRESSEE = ("to", "recipient")
DEEPEST = 12
READ = 8_000
"""Characters of a message that are looked at."""


def arguments(schema: Schema, clause: str, spent: frozenset[str]) -> tuple[dict[str, Any], list[str]]:
    """Arguments for a call, and the required ones the clause does not say. ``spent``: words that name the tool."""
    given = _json_object(clause)
    properties = cast(dict[str, Schema], schema.get("properties") or {})
    required = cast(list[str], schema.get("required") or [])
    if given is not None:
        return given, [name for name in required if name not in given]
    text = Text(clause, spent)
    found: dict[str, Any] = {}
    for name, kind in sorted(properties.items(), key=lambda item: item[0] not in required):
        value = text.value(name, _plain(kind, schema), name in required)
        if value is not None:
            found[name] = value
    return found, [name.replace("_", " ") for name in required if name not in found]


def _json_object(text: str) -> dict[str, Any] | None:
    """The first JSON object written out in a text."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text[start:])
    except (ValueError, RecursionError):
        return None
    return cast(dict[str, Any], value) if isinstance(value, dict) else None


class Text:
    """A clause from which values are taken, each number and quotation once."""

    def __init__(self, clause: str, spent: frozenset[str]) -> None:
        self.clause = clause.strip(" .?!,;\n")
        self.spent = spent
        self.quotes = ["".join(groups) for groups in QUOTES.findall(clause)]
        self.numbers = [match.group() for match in NUMBER.finditer(clause)]
        self.topic_used = False

    def value(self, name: str, kind: Schema, required: bool) -> Any:
        """What the clause says for a property, None when it says nothing."""
        chosen = _listed(kind, self.clause)
        if chosen is not None:
            return chosen
        match kind.get("type"):
            case "integer" | "number":
                return self._number(name, kind, required)
            case "boolean":
                return not NO.search(self.clause) if required else None
            case "array":
                topic = self._topic() if required else None
                return [part.strip() for part in re.split(r",|\band\b", topic) if part.strip()] if topic else None
            case "string" | None if "enum" not in kind:
                return self._string(name, kind, required)
            case _:
                return None

    def _number(self, name: str, kind: Schema, required: bool) -> int | float | None:
        named = re.search(rf"\b{re.escape(name.replace('_', ' '))}\b\W*(-?\d+(?:\.\d+)?)", self.clause, re.IGNORECASE)
        text = named.group(1) if named else self.numbers.pop(0) if required and self.numbers else None
        if text is None:
            return None
        return int(float(text)) if kind.get("type") == "integer" else float(text)

    def _string(self, name: str, kind: Schema, required: bool) -> str | None:
        if "zone" in name:
            return zone(self.clause)
        for pattern, words in ((EMAIL, ("email", "mail")), (ADDRESS, ("url", "uri", "link")), (DAY, ("date", "day"))):
            found = pattern.search(self.clause)
            if found and (any(word in f"{name} {kind.get('format', '')}" for word in words) or name in ADDRESSEE):
                return found.group()
        if not required:
            return None
        if self.quotes:
            return self.quotes.pop(0)
        topic = self._topic()
        return topic[: int(kind.get("maxLength", 10_000))] if topic else None

    def _topic(self) -> str | None:
        """What the clause is about: after "for" or "about", else what is left without the words that name the tool."""
        if self.topic_used:
            return None
        self.topic_used = True
        about = TOPIC.search(self.clause)
        if about:
            return about.group(1).strip(" .?!,;\n") or None
        words = self.clause.split()
        while words and self._is_spent(words[0]):
            words.pop(0)
        return " ".join(words).strip(" .?!,;:\n") or None

    def _is_spent(self, word: str) -> bool:
        plain = word.lower().strip(".,:;!?\"'")
        return plain in _LEADING or plain in self.spent or plain.rstrip("s") in self.spent


_LEADING = frozenset(
    re.findall(
        r"\w+",
        "please can could would will you me us the a an my our to use tool now find look up and then also that of in",
    )
)


def _listed(kind: Schema, clause: str) -> Any:
    """The ``const``, or the ``enum`` value that the clause names."""
    if "const" in kind:
        return kind["const"]
    for value in cast(list[Any], kind.get("enum") or []):
        if isinstance(value, str) and re.search(rf"\b{re.escape(value.replace('_', ' '))}\b", clause, re.IGNORECASE):
            return value
    return None


def zone(text: str) -> str | None:
    """The IANA time zone of a place named in a text."""
    lowered = text.lower()
    for place, name in _places():
        if place in lowered and re.search(rf"\b{re.escape(place)}\b", lowered):
            return name
    return None


@cache
def _places() -> tuple[tuple[str, str], ...]:
    """Full names first, then cities: "Europe/Berlin", "berlin"."""
    names = sorted(
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc", "posix", "right"))
    )
    full = [(name.lower(), name) for name in names]
    cities = [(name.rpartition("/")[2].replace("_", " ").lower(), name) for name in names]
    return (*full, *(pair for pair in cities if len(pair[0]) > 3), ("utc", "UTC"), ("gmt", "UTC"))


# ── structured answers ───────────────────────────────────────────────────────────────────────────────────────────


def fill(schema: Schema, text: str) -> Any:
    """A value for a whole schema: what the text says where it says it, else the smallest value the schema allows."""
    return _fill(schema, schema, text[:READ], "", 0)


def _plain(kind: Schema, root: Schema) -> Schema:
    """A schema without reference and alternative: the referenced one, and of several the first that is not null."""
    for _ in range(DEEPEST):
        if "$ref" in kind:
            kind = _referenced(root, str(kind["$ref"]))
        elif options := kind.get("anyOf") or kind.get("oneOf"):
            rest = {key: value for key, value in kind.items() if key not in ("anyOf", "oneOf")}
            first = next((option for option in options if option.get("type") != "null"), options[0])
            kind = {**rest, **cast(Schema, first)}
        elif parts := kind.get("allOf"):
            kind = {key: value for key, value in kind.items() if key != "allOf"}
            for part in cast(list[Schema], parts):
                kind = {**kind, **_plain(part, root)}
        else:
            break
    types = kind.get("type")
    if isinstance(types, list):
        kind = {**kind, "type": next((name for name in cast(list[str], types) if name != "null"), "null")}
    return kind


def _referenced(root: Schema, reference: str) -> Schema:
    target: Any = root
    for step in reference.removeprefix("#/").split("/"):
        target = cast(Schema, target).get(step, {}) if isinstance(target, dict) else {}
    return cast(Schema, target)


def _fill(kind: Schema, root: Schema, text: str, name: str, depth: int) -> Any:
    kind = _plain(kind, root)
    chosen = _listed(kind, text)
    if chosen is not None:
        return chosen
    if kind.get("enum"):
        return kind["enum"][0]
    if depth > DEEPEST:
        return None
    match kind.get("type") or ("object" if "properties" in kind else "string"):
        case "object":
            return _object(kind, root, text, depth)
        case "array":
            return _array(kind, root, text, name, depth)
        case "integer" | "number":
            return _number(kind, text)
        case "boolean":
            return not NO.search(text)
        case "null":
            return None
        case _:
            return _string(kind, text)


def _object(kind: Schema, root: Schema, text: str, depth: int) -> dict[str, Any]:
    required = cast(list[str], kind.get("required") or [])
    properties = cast(dict[str, Schema], kind.get("properties") or {})
    return {
        name: _fill(inner, root, text, name, depth + 1)
        for name, inner in properties.items()
        if name in required or depth < 3
    }


def _array(kind: Schema, root: Schema, text: str, name: str, depth: int) -> list[Any]:
    least, most = int(kind.get("minItems", 0)), int(kind.get("maxItems", 20))
    about = TOPIC.search(text)
    pieces = [piece.strip(" .?!") for piece in re.split(r",|;|\n|\band\b", about.group(1) if about else text)]
    pieces = [piece for piece in pieces if piece][: max(most, 0)] or [text]
    items = cast(Schema, kind.get("items") or {})
    values = [_fill(items, root, piece, name, depth + 1) for piece in pieces[:most]]
    if kind.get("uniqueItems"):
        values = [value for place, value in enumerate(values) if value not in values[:place]]
    while len(values) < least:
        values.append(_fill(items, root, f"{text} {len(values) + 1}", name, depth + 1))
    return values


def _number(kind: Schema, text: str) -> int | float:
    found = NUMBER.search(text)
    whole = kind.get("type") == "integer"
    value = float(found.group()) if found else 0.0
    low = kind.get("minimum", kind["exclusiveMinimum"] + 1 if "exclusiveMinimum" in kind else None)
    high = kind.get("maximum", kind["exclusiveMaximum"] - 1 if "exclusiveMaximum" in kind else None)
    value = value if low is None else max(value, low)
    value = value if high is None else min(value, high)
    step = kind.get("multipleOf")
    if step:
        value = -(-value // step) * step if low is not None and value == low else value // step * step
    return int(value) if whole else value


def _string(kind: Schema, text: str) -> str:
    wanted = str(kind.get("format", ""))
    for pattern, name in ((EMAIL, "email"), (ADDRESS, "uri"), (DAY, "date")):
        found = pattern.search(text)
        if found and name == wanted:
            return found.group()
    if wanted in FORMATS:
        return FORMATS[wanted]
    found = re.search(str(kind["pattern"]), text) if "pattern" in kind else None
    value = found.group() if found else text
    return value[: int(kind.get("maxLength", 10_000))].ljust(int(kind.get("minLength", 0)), ".")

"""Tool results and abilities in readable words, for any tool: looks only at the shape of what came back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from retinue.domain import models
from retinue.domain.tools import ToolSpec

MOST = 10
"""Items of a list that are told."""
HEADS = (
    "name",
    "title",
    "display_name",
    "content",
    "text",
    "excerpt",
    "snippet",
    "summary",
    "subject",
    "message",
    "id",
)
DETAILS = ("author", "author_name", "role", "kind", "description", "state", "status", "created_at")
WHY = ("detail", "error", "message", "reason", "code")
LONGEST = 200


def from_results(results: Sequence[models.ResultPart], tools: Sequence[ToolSpec]) -> str:
    """One paragraph for each result, in the order of the calls."""
    names = {spec.slug: spec.name for spec in tools}
    return "\n\n".join(_paragraph(names.get(part.tool_name) or _spaced(part.tool_name), part) for part in results)


def abilities(tools: Sequence[ToolSpec]) -> str:
    """What the offline model can do with these tools, as a sentence."""
    if not tools:
        return "I use tools when an agent has some, and this one has none."
    named = ", ".join(spec.name for spec in tools[:5])
    return f"I can only use tools ({named}{' and others' if len(tools) > 5 else ''})."


def _paragraph(name: str, part: models.ResultPart) -> str:
    result = part.result
    if not part.ok:
        return f"{name} did not work: {_why(result)}"
    if isinstance(result, dict):
        return _record(name, cast(dict[str, Any], result))
    if isinstance(result, list):
        return _list(name, cast(list[Any], result))
    return f"{name}: {_short(result)}" if result not in (None, "") else f"{name} is done."


def _record(name: str, result: dict[str, Any]) -> str:
    moment = _moment(result)
    if moment:
        return moment
    lists = [cast(list[Any], value) for value in result.values() if isinstance(value, list)]
    if len(lists) == 1 and len(result) <= 3:
        return _list(name, lists[0])
    if set(result) == {"result"}:
        return _paragraph(name, models.ResultPart(tool_name=name, call_id="", result=result["result"]))
    told = "; ".join(f"{_spaced(key).lower()}: {_short(value)}" for key, value in result.items() if value is not None)
    return f"{name}: {told}." if told else f"{name} is done."


def _moment(result: dict[str, Any]) -> str | None:
    """ "It is 14:05 on Tuesday, 3 March 2026 (Europe/Berlin)." where the result is a time."""
    for key in ("time", "now", "current_time"):
        try:
            moment = datetime.fromisoformat(str(result.get(key, "")))
        except ValueError:
            continue
        zone = result.get("time_zone") or result.get("timezone")
        return f"It is {moment:%H:%M} on {moment:%A}, {moment.day} {moment:%B %Y}{f' ({zone})' if zone else ''}."
    return None


def _list(name: str, items: Sequence[Any]) -> str:
    if not items:
        return f"{name} found nothing."
    lines = [f"{name} found {len(items)}:", *(f"- {_line(item)}" for item in items[:MOST])]
    if len(items) > MOST:
        lines.append(f"- and {len(items) - MOST} more")
    return "\n".join(lines)


def _line(item: Any) -> str:
    if not isinstance(item, dict):
        return _short(item)
    record = cast(dict[str, Any], item)
    head = next((key for key in HEADS if record.get(key)), None)
    if head is None:
        return _short(record)
    details = [_short(record[key]) for key in DETAILS if record.get(key) and key != head][:2]
    return f"{_short(record[head])} ({', '.join(details)})" if details else _short(record[head])


def _why(result: Any) -> str:
    if isinstance(result, dict):
        record = cast(dict[str, Any], result)
        found = next((record[key] for key in WHY if record.get(key)), None)
        return _why(found) if found is not None else _short(record)
    text = _short(result)
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _short(value: Any) -> str:
    if isinstance(value, dict):
        pairs = cast(dict[str, Any], value).items()
        value = ", ".join(f"{_spaced(key).lower()} {inner}" for key, inner in pairs if inner is not None)
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else text[:LONGEST].rstrip() + "…"


def _spaced(slug: str) -> str:
    words = slug.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]

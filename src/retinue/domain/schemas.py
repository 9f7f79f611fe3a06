"""JSON Schemas that people register: what is wrong with one, and what is wrong with a value under it.

Checking fetches nothing (no remote ``$ref``) and cannot hang on a hostile ``pattern``.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import regex
from jsonschema import Draft202012Validator, exceptions, validators
from referencing import Registry
from referencing.exceptions import Unresolvable

PATTERN_SECONDS = 0.05
MAX_SCHEMA_BYTES = 64 * 1024
UNUSABLE = "the tool's own schema cannot be used"


def _match(pattern: str, text: str) -> bool:
    try:
        return regex.search(pattern, text, timeout=PATTERN_SECONDS) is not None
    except TimeoutError:
        return False


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[exceptions.ValidationError]:
    if isinstance(instance, str) and not _match(pattern, instance):
        yield exceptions.ValidationError(f"{instance[:100]!r} does not match {pattern!r}")


_Checker: Any = cast(Any, validators).extend(Draft202012Validator, {"pattern": _pattern})


def checker(schema: Mapping[str, Any]) -> Any:
    """A compiled check of one schema; it never fetches anything."""
    return _Checker(schema, registry=cast(Any, Registry)())


def problems(check: Any, value: Any) -> list[str]:
    """What is wrong with a value, in words; empty when it fits."""
    return [reason if reason == UNUSABLE else f"{path(where)}: {reason}" for where, reason in misfits(check, value)]


def misfits(check: Any, value: Any) -> list[tuple[list[str], str]]:
    """Where a value does not fit, and why; empty when it fits. A schema that cannot be used fits nothing."""
    try:
        found = sorted(check.iter_errors(value), key=lambda error: [str(part) for part in error.path])
    except (Unresolvable, exceptions.UndefinedTypeCheck, RecursionError):
        return [([], UNUSABLE)]
    return [([str(part) for part in error.absolute_path], error.message[:300]) for error in found]


def check_schema(schema: Mapping[str, Any], field: str) -> list[dict[str, str]]:
    """Problems of a schema that someone registers, as ``errors`` entries of ``BadInput``.

    Beyond being JSON Schema 2020-12: parameters are an object, references stay inside the document,
    ``patternProperties`` is not supported.
    """
    try:
        if len(repr(schema)) > MAX_SCHEMA_BYTES:
            return [{"path": field, "reason": "is larger than 64 KB"}]
        Draft202012Validator.check_schema(schema)
        return [{"path": field, "reason": reason} for reason in _objections(schema)]
    except RecursionError:
        return [{"path": field, "reason": "is nested too deeply"}]
    except exceptions.SchemaError as error:
        return [{"path": field, "reason": f"is not JSON Schema 2020-12: {error.message[:300]}"}]


def _objections(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        entries = cast(dict[str, Any], node)
        for key, value in entries.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str) and not value.startswith("#"):
                yield f"refers outside itself: {value[:100]}"
            elif key == "patternProperties":
                yield "uses patternProperties, which is not supported"
            elif key == "pattern" and isinstance(value, str):
                yield from _pattern_objection(value)
            else:
                yield from _objections(value)
    elif isinstance(node, list):
        for item in cast(list[Any], node):
            yield from _objections(item)


def _pattern_objection(pattern: str) -> Iterator[str]:
    try:
        regex.compile(pattern)
    except regex.error as error:
        yield f"has a pattern that cannot be read: {error}"


def path(parts: Iterable[Any]) -> str:
    """``("items", 0, "name")`` is ``items.0.name``."""
    return ".".join(str(part) for part in parts) or "arguments"

"""The OpenAPI document, made exact: an answer carries all its fields, a request may leave out what has a default.

Pydantic describes both with one schema. Here a schema of answers names all its fields as required, and one that
requests use too is described a second time, as ``<Name>Input``. Changes no route.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any, cast

from fastapi import FastAPI

PREFIX = "#/components/schemas/"
NAMES = {"retinue__domain__accounts__Scope": "Scope", "retinue__domain__rule_base__Scope": "RuleScope"}
"""Classes of the same name would be told apart by the modules they stand in, which is nothing for clients to read."""
Json = dict[str, Any]


def exact(app: FastAPI) -> Callable[[], Json]:
    """A replacement for ``app.openapi``, made once."""
    plain = app.openapi
    made: Json = {}

    def openapi() -> Json:
        if not made:
            made.update(_exact(plain()))
        return made

    return openapi


def _exact(document: Json) -> Json:
    _rename(document)
    schemas: dict[str, Json] = document["components"]["schemas"]
    asked = _reachable(schemas, [part for part, _ in _parts(document, "requestBody")])
    told = _reachable(schemas, [part for part, _ in _parts(document, "responses")])
    twice = {name for name in asked & told if _has_defaults(schemas, name)}
    for name in twice:
        schemas[f"{name}Input"] = copy.deepcopy(schemas[name])
    for part in [*(schemas[name] for name in asked - told), *(schemas[f"{name}Input"] for name in twice)]:
        _point_elsewhere(part, twice)
    for part, _ in _parts(document, "requestBody"):
        _point_elsewhere(part, twice)
    for name in told:
        if "properties" in schemas[name]:
            schemas[name]["required"] = list(schemas[name]["properties"])
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _rename(document: Json) -> None:
    schemas: dict[str, Json] = document["components"]["schemas"]
    for holder in _references(document):
        name = str(holder["$ref"]).removeprefix(PREFIX)
        holder["$ref"] = PREFIX + NAMES.get(name, name)
    for old, new in NAMES.items():
        if old in schemas:
            schemas[new] = schemas.pop(old)


def _parts(document: Json, key: str) -> Iterator[tuple[Json, str]]:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if isinstance(operation, dict) and key in operation:
                yield cast("Json", operation[key]), path


def _has_defaults(schemas: dict[str, Json], name: str) -> bool:
    """Whether this schema, or one in it, has a field that a request may leave out."""
    found = (schemas[each] for each in _reachable(schemas, [{"$ref": PREFIX + name}]))
    return any(set(each.get("properties", ())) - set(each.get("required", ())) for each in found)


def _reachable(schemas: dict[str, Json], parts: list[Json]) -> set[str]:
    found: set[str] = set()
    ahead: list[Json] = list(parts)
    while ahead:
        for holder in _references(ahead.pop()):
            name = holder["$ref"].removeprefix(PREFIX)
            if name not in found:
                found.add(name)
                ahead.append(schemas[name])
    return found


def _point_elsewhere(part: Json, twice: set[str]) -> None:
    for holder in list(_references(part)):
        if holder["$ref"].removeprefix(PREFIX) in twice:
            holder["$ref"] += "Input"
    for mapping in _mappings(part):
        mapping.update({word: ref + "Input" for word, ref in mapping.items() if ref.removeprefix(PREFIX) in twice})


def _references(part: object) -> Iterator[Json]:
    """Every object in here that is a reference to a schema."""
    if isinstance(part, dict):
        inner = cast("Json", part)
        if str(inner.get("$ref", "")).startswith(PREFIX):
            yield inner
        for value in inner.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in cast("list[object]", part):
            yield from _references(value)


def _mappings(part: object) -> Iterator[dict[str, str]]:
    """Every table in here that says which schema goes with which word of a discriminator."""
    if isinstance(part, dict):
        inner = cast("Json", part)
        mapping = inner.get("mapping")
        if isinstance(mapping, dict) and "propertyName" in inner:
            yield cast("dict[str, str]", mapping)
        for value in inner.values():
            yield from _mappings(value)
    elif isinstance(part, list):
        for value in cast("list[object]", part):
            yield from _mappings(value)

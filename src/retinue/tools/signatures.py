"""What a tool's function takes and gives, as JSON Schema, from its hints and docstring."""

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, cast

from docstring_parser import google
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from retinue import errors
from retinue.domain import schemas

MOST_PROBLEMS = 5


class Signature:
    """What a tool's body takes and gives, read from its hints and docstring (TOOL-06)."""

    def __init__(self, body: Callable[..., Any]) -> None:
        hints = typing.get_type_hints(body, include_extras=True)
        self.context = next(iter(inspect.signature(body).parameters), None)
        doc = google.parse(inspect.getdoc(body) or "")
        self.description = "\n\n".join(part for part in (doc.short_description, doc.long_description) if part)
        described = {entry.arg_name: " ".join((entry.description or "").split()) for entry in doc.params}
        self.arguments = _arguments_model(body, hints, described)
        self.parameters = _tidy(self.arguments.model_json_schema())
        self.result: TypeAdapter[Any] = TypeAdapter(hints.get("return", Any))
        self.returns = _tidy(self.result.json_schema(mode="serialization"))

    def parse(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Typed keyword arguments. Raises ``ToolRefused`` (``invalid_arguments``) in words a model can act on."""
        try:
            model = self.arguments.model_validate(arguments)
        except ValidationError as error:
            raise refused([f"{schemas.path(e['loc'])}: {e['msg']}" for e in error.errors()]) from None
        return {name: getattr(model, name) for name in type(model).model_fields}

    def dump(self, value: Any) -> Any:
        """The result as JSON. Raises ``ToolError`` when it is not what the body promised."""
        try:
            return self.result.dump_python(self.result.validate_python(value), mode="json")
        except ValidationError as error:
            raise errors.ToolError("The tool gave a result of the wrong shape.", code="bad_result") from error


def _arguments_model(body: Callable[..., Any], hints: dict[str, Any], described: dict[str, str]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for index, (name, parameter) in enumerate(inspect.signature(body).parameters.items()):
        if index == 0:
            continue
        if name not in hints:
            raise TypeError(f"{body.__qualname__}: parameter {name!r} has no type hint")
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[name] = (hints[name], Field(default, description=described.get(name)))
    unknown = set(described) - set(fields)
    if unknown:
        raise TypeError(f"{body.__qualname__}: the docstring describes unknown parameters {sorted(unknown)}")
    config = ConfigDict(extra="forbid", protected_namespaces=())
    return create_model(f"{body.__name__}_arguments", __config__=config, **fields)


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    """Without pydantic's generated titles, which only cost tokens."""
    return {
        key: _tidy_value(key, value) for key, value in schema.items() if not (key == "title" and isinstance(value, str))
    }


def _tidy_value(key: str, value: Any) -> Any:
    if key in ("properties", "$defs") and isinstance(value, dict):
        entries = cast(dict[str, Any], value)
        return {name: _tidy_value("", entry) for name, entry in entries.items()}
    if key in ("default", "const", "enum", "examples"):
        return value
    if isinstance(value, dict):
        return _tidy(cast(dict[str, Any], value))
    if isinstance(value, list):
        return [_tidy_value("", item) for item in cast(list[Any], value)]
    return value


def refused(found: list[str]) -> errors.ToolRefused:
    """The refusal a model reads and can act on (TOOL-03)."""
    listed = "; ".join(found[:MOST_PROBLEMS])
    more = f" (and {len(found) - MOST_PROBLEMS} more)" if len(found) > MOST_PROBLEMS else ""
    words = f"The arguments do not fit the tool's schema. {listed}{more}. Correct them and call again."
    return errors.ToolRefused(words, code="invalid_arguments")

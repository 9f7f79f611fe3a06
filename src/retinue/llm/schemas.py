"""Checks a value against a JSON schema. References are resolved inside the schema only: nothing is ever fetched."""

from typing import Any

import jsonschema
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from retinue import errors


def check(schema: dict[str, Any]) -> None:
    """Raises ModelPermanent when ``schema`` itself is not a JSON schema."""
    try:
        validator_for(schema, default=jsonschema.Draft202012Validator).check_schema(schema)
    except jsonschema.SchemaError as error:
        raise errors.ModelPermanent(f"The output schema is not a valid JSON schema: {error.message}") from None


def problem(schema: dict[str, Any], value: Any) -> str | None:
    """Why ``value`` does not fit ``schema``, as the path and the rule that failed; None when it fits."""
    kind: Any = validator_for(schema, default=jsonschema.Draft202012Validator)
    registry: Registry[Any] = Registry()
    try:
        found: Any = next(iter(kind(schema, registry=registry).iter_errors(value)), None)
    except Unresolvable as error:
        raise errors.ModelPermanent(f"The output schema refers to something outside itself: {error.ref}") from None
    return f"{found.json_path} breaks the rule {found.validator!r}" if found else None

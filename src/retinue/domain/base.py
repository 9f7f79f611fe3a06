"""The one base of all domain types: frozen, strict about unknown fields where people write them."""

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value. Two values with equal fields are equal."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

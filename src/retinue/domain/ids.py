"""Identifiers: UUIDv7 inside, TypeIDs outside (``agt_01h455vb4pex5vsknk084sn02q``).

A TypeID is a prefix and the UUID in Crockford base32, 26 characters (https://github.com/jetify-com/typeid, spec 0.3).
The ids are made by the caller's side, so that a retry finds itself (EXT-06 fixes acc_, agt_, int_, usr_, tc_).
"""

from typing import Annotated, Any
from uuid import UUID

import uuid_utils
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
VALUES = {char: value for value, char in enumerate(ALPHABET)}


def new() -> UUID:
    """A fresh UUIDv7: sorts by time of making, to the millisecond."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def encode(prefix: str, value: UUID) -> str:
    """``encode("agt", uuid)`` is ``agt_`` and 26 characters."""
    number = value.int
    chars: list[str] = []
    for _ in range(26):
        chars.append(ALPHABET[number & 31])
        number >>= 5
    return f"{prefix}_{''.join(reversed(chars))}"


def decode(prefix: str, text: str) -> UUID:
    """The UUID of a TypeID. Raises ValueError when the prefix or the shape is wrong."""
    head, _, body = text.rpartition("_")
    if head != prefix or len(body) != 26 or body[0] > "7":
        raise ValueError(f"expected an id that looks like {prefix}_01h455vb4pex5vsknk084sn02q")
    number = 0
    for char in body:
        if char not in VALUES:
            raise ValueError(f"{char!r} cannot occur in an id")
        number = number << 5 | VALUES[char]
    return UUID(int=number)


class Prefix:
    """Marks a UUID field as a TypeID with this prefix: validated from and serialised to text."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def _parse(self, value: Any) -> UUID:
        if isinstance(value, UUID):
            return value
        if isinstance(value, str) and len(value) == 36:
            return UUID(value)  # as the database writes it in JSON
        if isinstance(value, str):
            return decode(self.prefix, value)
        raise ValueError("expected an id")

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: encode(self.prefix, value), return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{self.prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"}


class EitherPrefix(Prefix):
    """Marks a UUID field as a TypeID with one of two prefixes. It is only ever read: outside, a party has a kind."""

    def __init__(self, *prefixes: str) -> None:
        super().__init__("|".join(prefixes))
        self.prefixes = prefixes

    def _parse(self, value: Any) -> UUID:
        if isinstance(value, str) and value.partition("_")[0] in self.prefixes:
            return decode(value.partition("_")[0], value)
        raise ValueError(f"expected an id that begins with {' or '.join(self.prefixes)}")

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^({self.prefix})_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"}


AccountId = Annotated[UUID, Prefix("acc")]
TeamId = Annotated[UUID, Prefix("team")]
UserId = Annotated[UUID, Prefix("usr")]
MemberId = Annotated[UUID, Prefix("mem")]
KeyId = Annotated[UUID, Prefix("key")]
SessionId = Annotated[UUID, Prefix("ses")]
AgentId = Annotated[UUID, Prefix("agt")]
ToolId = Annotated[UUID, Prefix("tool")]
ChannelId = Annotated[UUID, Prefix("ch")]
MessageId = Annotated[UUID, Prefix("msg")]
ThreadId = Annotated[UUID, Prefix("thr")]
EventId = Annotated[UUID, Prefix("evt")]
InteractionId = Annotated[UUID, Prefix("int")]
CallId = Annotated[UUID, Prefix("tc")]
WaitId = Annotated[UUID, Prefix("wait")]
UsageId = Annotated[UUID, Prefix("use")]
AuditId = Annotated[UUID, Prefix("aud")]
FileId = Annotated[UUID, Prefix("file")]
PolicyId = Annotated[UUID, Prefix("pol")]
RoleId = Annotated[UUID, Prefix("role")]
AssignmentId = Annotated[UUID, Prefix("asg")]
GrantId = Annotated[UUID, Prefix("grant")]
PartyId = Annotated[UUID, EitherPrefix("usr", "agt")]
"""A person or an agent in a channel."""

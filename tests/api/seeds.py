"""One row of every noun in an account, and requests built from the OpenAPI document that name them.

What the generated tests (strangers, schemas) stand on: a new noun gets a line in ``seed``, a new path parameter a line
in ``Seeded.places``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.telemetry import clock
from tests.api.conftest import World

MARK = "seen-by-nobody-else"
"""Stands in every name and text of a seeded account, so that a leak is found in any answer."""

PREFIXES = {
    "account": "acc", "user": "usr", "team": "team", "member": "mem", "key": "key", "agent": "agt", "channel": "ch",
    "message": "msg", "thread": "thr", "interaction": "int", "wait": "wait", "tool": "tool", "secret": "sec",
    "session": "ses", "file": "file", "role": "role", "assignment": "asg",
    "grant": "grant", "policy": "pol",
}  # fmt: skip
"""What stands before the id of a noun outside."""
ROWS: dict[str, dict[str, Any]] = {
    "team": {"id": "$team", "name": MARK, "slug": MARK},
    "member": {"id": "$member", "user_id": "$user", "team_id": "$team", "role": "lead"},
    "tool": {
        "id": "$tool", "slug": "seen_by_nobody_else", "name": MARK, "description": MARK, "type": "external",
        "schema": {"type": "object"}, "endpoint": "https://tools.test", "effect": "read",
        "trust_level_required": "read",
    },
    "session": {"id": "$session", "user_id": "$user", "token_hash": b"x", "expires_at": "$later"},
    "secret": {"id": "$secret", "name": MARK, "ciphertext": b"x", "created_by": "$user"},
    "message": {
        "id": "$message", "channel_id": "$channel", "seq": 1, "author_kind": "user", "user_id": "$user",
        "content": MARK,
    },
    "message_edit": {"message_id": "$message", "number": 1, "content": MARK, "edited_by": "$user"},
    "reaction": {"message_id": "$message", "emoji": "👍", "user_id": "$user"},
    "user_agent_config": {
        "user_id": "$user", "agent_id": "$agent", "revision": "$blob", "preferences": {"name": MARK},
        "credentials": {MARK: "x"},
    },
    "worker_role": {"id": "$role", "name": MARK, "autonomy_tier": "advisory"},
    "agent_assignment": {
        "id": "$assignment", "agent_id": "$agent", "scope": "team", "scope_id": "$team",
        "tool_restrictions": {MARK: {"blocked": True}},
    },
    "policy": {
        "id": "$policy", "layer": "account", "name": MARK, "type": "tool_restriction",
        "rule": {"type": "tool_restriction", "never": [MARK]}, "changed_by": "$user",
    },
    "channel_personal": {"channel_id": "$channel", "user_id": "$user", "read_seq": 1},
    "thread": {
        "id": "$thread", "agent_id": "$agent", "owner": MARK, "user_id": "$user", "title": MARK, "last_seq": 1,
    },
    "thread_message": {"id": "$told", "thread_id": "$thread", "seq": 1, "role": "user", "parts": [], "text": MARK},
    "file_blob": {"id": "$blob", "sha256": b"seen by nobody else, 32 bytes ..", "bytes": 1, "state": "stored"},
    "file": {
        "id": "$file", "user_id": "$user", "blob_id": "$blob", "preview_id": "$blob", "name": MARK,
        "media_type": "text/plain", "bytes": 1,
    },
    "file_chunk": {"blob_id": "$blob", "seq": 0, "data": b"x"},
    "interaction": {
        "id": "$interaction", "agent_id": "$agent", "thread_id": "$thread", "channel_id": "$channel",
        "message_id": "$message", "user_id": "$user", "state": "waiting",
    },
    "step": {
        "interaction_id": "$interaction", "seq": 1, "kind": "act", "state": "unknown", "tool": "current_time",
        "effect": "external_once",
    },
    "wait": {
        "id": "$wait", "kind": "outcome", "interaction_id": "$interaction", "step_seq": 1, "tool": "current_time",
        "prompt": MARK,
    },
    "approval_grant": {
        "id": "$grant", "agent_id": "$agent", "tool": MARK, "granted_by": "$user", "panels": [], "expires_at": "$soon",
    },
}  # fmt: skip
"""The rows, in an order that their foreign keys allow. ``$noun`` is the id of that noun."""


@dataclass(frozen=True)
class Seeded:
    """The ids of an account's rows as they stand in paths, by the name of the parameter."""

    world: World
    places: dict[str, str]

    def traces(self) -> set[str]:
        """Texts that no answer to anybody else may contain."""
        own = {value.rpartition("_")[2] for value in self.places.values() if len(value) > 26}
        return own | {MARK, ids.encode("x", self.world.owner.account_id)[2:], self.world.made.owner.email}


async def seed(db: Database, world: World) -> Seeded:
    """Fill the account with one row of every noun."""
    account_id = world.owner.account_id
    known: dict[str, Any] = {name: ids.new() for name in PREFIXES} | {
        "account": account_id, "user": world.owner.user_id, "key": world.owner.key_id, "agent": world.made.agent.id,
        "channel": world.made.private_channel.id, "told": ids.new(),
        "blob": ids.new(),
        "later": datetime(2100, 1, 1, tzinfo=UTC), "soon": clock.now() + timedelta(days=1),
    }  # fmt: skip
    async with db.tenant_tx(account_id) as tx:
        await tx.execute("update account set name = $2 where id = $1", account_id, MARK)
        for table, row in ROWS.items():
            values = {name: _filled(value, known) for name, value in row.items()}
            places = ", ".join(f"${number}" for number in range(2, len(values) + 2))
            sql = f"insert into {table} (account_id, {', '.join(values)}) values ($1, {places})"
            await tx.execute(sql, account_id, *values.values())
        told = "update channel set last_seq = 1 where account_id = $1 and id = $2"
        await tx.execute(told, account_id, known["channel"])
    config_hash = world.made.agent.config_hash
    plain = {
        "config_hash": config_hash, "hash": config_hash, "slug": "seen_by_nobody_else", "tool": "seen_by_nobody_else",
        "name": MARK, "seq": "1", "version": "1", "emoji": "👍", "party_id": ids.encode("agt", world.made.agent.id),
    }  # fmt: skip
    typed = {f"{name}_id": ids.encode(prefix, known[name]) for name, prefix in PREFIXES.items()}
    return Seeded(world, typed | plain)


def _filled(value: Any, known: dict[str, Any]) -> Any:
    return known[value[1:]] if isinstance(value, str) and value.startswith("$") else value


async def contents(database_url: str, world: World) -> dict[str, str]:
    """A hash of the account's rows in every tenant table, as the owner of the database sees them."""
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id' "
            "where n.nspname = 'retinue' and c.relkind = 'r' order by 1"
        )
        names = [(row["relname"], "account_id") for row in tables] + [("account", "id")]
        sql = " union all ".join(
            f"select '{name}' as name, md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as hash "
            f"from retinue.{name} t where {key} = $1"
            for name, key in names
        )
        return {row["name"]: row["hash"] for row in await connection.fetch(sql, world.owner.account_id)}
    finally:
        await connection.close()


# ── requests from the document ───────────────────────────────────────────────────────────────────────────────────


ZONES = {"time_zone": "UTC"}
"""Fields whose pattern does not say what fits."""
TEXTS = (
    "a-text-that-is-long-enough",
    "somebody@stranger.test",
    "a_text",
    "en",
    "a",
    "#5b6b7b",
    "https://stranger.test/",
    "a" * 64,
)
"""What is sent where a text is wanted: the first that fits."""


@dataclass(frozen=True)
class Operation:
    """One route of the OpenAPI document."""

    method: str
    path: str
    spec: dict[str, Any]

    def parameters(self, where: str) -> list[str]:
        return [each["name"] for each in self.spec.get("parameters", []) if each["in"] == where]

    def is_endless(self) -> bool:
        """Whether it answers with an event stream."""
        return "text/event-stream" in self.spec["responses"].get("200", {}).get("content", {})

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Every route of the document."""
    for path, item in document["paths"].items():
        for method, spec in item.items():
            yield Operation(method, path, spec)


def body_of(operation: Operation, document: dict[str, Any], places: dict[str, str]) -> Any:
    """A valid body with every field filled in; ids are those of ``places``. None when the route takes none."""
    content = operation.spec.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    known = {value.split("_")[0]: value for value in places.values()}
    return None if schema is None else _Sampler(document["components"]["schemas"], known).value(schema)


class _Sampler:
    """Makes a valid value of a schema."""

    def __init__(self, named: dict[str, Any], known: dict[str, str]) -> None:
        self._named = named
        self._known = known

    def value(self, schema: dict[str, Any], depth: int = 0) -> Any:
        if "$ref" in schema:
            return self.value(self._named[schema["$ref"].rpartition("/")[2]], depth)
        fixed = schema.get("const", schema.get("default"))
        if fixed is not None:
            return fixed
        choices = [each for word in ("anyOf", "oneOf", "allOf") for each in schema.get(word, [])]
        wanted = [each for each in choices if each.get("type") != "null"]
        if wanted:
            return self.value(wanted[0], depth)
        return schema["enum"][0] if "enum" in schema else self._plain(schema, depth)

    def _plain(self, schema: dict[str, Any], depth: int) -> Any:
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                return [self.value(schema["items"], depth + 1)] if schema.get("minItems") else []
            case "integer" | "number":
                return max(schema.get("minimum", 1), min(1, schema.get("maximum", 1)))
            case "boolean":
                return False
            case "string":
                return _text(schema, self._known)
            case _:
                return {}

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required", [])
        fields = {name: each for name, each in schema.get("properties", {}).items() if depth < 3 or name in required}
        return {name: ZONES.get(name) or self.value(each, depth + 1) for name, each in fields.items()}


def _text(schema: dict[str, Any], known: dict[str, str]) -> str:
    pattern, kind = schema.get("pattern", ""), schema.get("format")
    prefix = re.split(r"[_|)]", pattern.removeprefix("^").lstrip("("))[0] if "_[0-7]" in pattern else None
    if prefix is not None:
        return known.get(prefix, ids.encode(prefix, ids.new()))
    if kind == "date-time":
        return "2999-01-01T00:00:00Z"
    if kind == "uri":
        return "https://stranger.test/"
    return next(text for text in TEXTS if re.search(pattern, text) and len(text) <= schema.get("maxLength", 99))

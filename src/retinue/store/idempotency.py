"""What a POST with an Idempotency-Key answered the first time. Each call is a transaction of its own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from retinue.db.pool import Database

CLAIM = "select claim_idempotency_v1($1, $2, $3, $4)"
BEAT = "select beat_idempotency_v1($1, $2, $3, $4)"
FINISH = "select finish_idempotency_v1($1, $2, $3, $4, $5, $6)"


@dataclass(frozen=True, slots=True)
class Slot:
    """Whose key: unique within an account and principal (an API key, session or user)."""

    account_id: UUID
    principal: str
    key: str


@dataclass(frozen=True, slots=True)
class Claim:
    """``mine``: run it. ``done``: answer again. ``busy``: the first is running. ``mismatch``: another request."""

    state: Literal["mine", "done", "busy", "mismatch"]
    claimed_at: datetime | None = None
    status: int | None = None
    response: dict[str, Any] | None = None


async def claim(db: Database, slot: Slot, request_hash: bytes) -> Claim:
    """Take the slot for this request, or say who has it. A first request silent for a minute loses it."""
    row: dict[str, Any] = await db.call(CLAIM, slot.account_id, slot.principal, slot.key, request_hash)
    at = row.get("claimed_at")
    return Claim(row["state"], datetime.fromisoformat(at) if at else None, row.get("status"), row.get("response"))


async def beat(db: Database, slot: Slot, claimed_at: datetime) -> bool:
    """Say that the request is still running. False when the slot was taken over."""
    return bool(await db.call(BEAT, slot.account_id, slot.principal, slot.key, claimed_at))


async def keep(db: Database, slot: Slot, claimed_at: datetime, status: int, response: dict[str, Any]) -> bool:
    """Keep the final answer. False when the slot was taken over meanwhile."""
    return bool(await db.call(FINISH, slot.account_id, slot.principal, slot.key, claimed_at, status, response))


async def release(db: Database, slot: Slot, claimed_at: datetime) -> bool:
    """Give the slot back: the request had no final answer. False when it was taken over meanwhile."""
    return bool(await db.call(FINISH, slot.account_id, slot.principal, slot.key, claimed_at, None, None))

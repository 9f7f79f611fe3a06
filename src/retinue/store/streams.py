"""Pieces of streaming replies: an unlogged table, announced by NOTIFY (ids only)."""

from typing import Any
from uuid import UUID

from retinue.db.pool import Database
from retinue.store.turns import Fence


async def append(db: Database, fence: Fence, *, seq: int, kind: str, data: dict[str, Any]) -> None:
    """Add one chunk and announce it. A lost chunk loses nothing: the reply itself is in the journal."""
    await db.call("select stream_v1($1, $2, $3, $4, $5, $6)", *fence.args(), seq, kind, data)


async def read(
    db: Database, account_id: UUID, interaction_id: UUID, after: tuple[int, int], *, whole: bool
) -> dict[str, Any]:
    """The turn's state, and the chunks of its newest attempt after ``(attempt, seq)``; calls and waits if ``whole``."""
    sql = "select stream_read_v2($1, $2, $3, $4, $5)" if whole else "select stream_read_v1($1, $2, $3, $4, $5)"
    return await db.call(sql, account_id, interaction_id, *after, whole)

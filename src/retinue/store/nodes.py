"""Nodes: who lives, and what the dead leave behind. Runs as ``retinue_system``."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from retinue.db.pool import Tx
from retinue.domain.messages import UNDO_MINUTES


def lock_key(node_id: UUID) -> int:
    """The advisory lock that says this node lives: 63 bits of its id."""
    return node_id.int & (2**63 - 1)


async def state(tx: Tx, node_id: UUID) -> str | None:
    """``up``, ``draining`` or ``down``; None when nobody knows this node."""
    found: str | None = await tx.fetchval("select state from node where id = $1", node_id)
    return found


async def hold(tx: Tx, node_id: UUID) -> bool:
    """Take the lock that says this node lives, for as long as this connection does; whether it was free."""
    held: bool = await tx.fetchval("select pg_try_advisory_lock($1)", lock_key(node_id))
    return held


async def register(
    tx: Tx, node_id: UUID, *, host: str, pid: int, version: str, wrapping_keys: Sequence[str] = ()
) -> None:
    """Say that this node is up; the transaction is its listening connection's, which holds the lock.

    ``wrapping_keys``: which keys it has (``Keyring.sorts``).
    """
    if not await hold(tx, node_id):
        raise RuntimeError("a fresh node id is taken")
    await tx.execute(
        "insert into node (id, lock_key, host, pid, version, wrapping_keys) values ($1, $2, $3, $4, $5, $6)",
        node_id,
        lock_key(node_id),
        host,
        pid,
        version,
        wrapping_keys,
    )


async def dead(tx: Tx, me: UUID, neighbours: int = 3) -> list[UUID]:
    """Those of this node's next neighbours whose lock is free."""
    return [row["node_dead_v1"] for row in await tx.fetch("select node_dead_v1($1, $2)", me, neighbours)]


async def recover(tx: Tx, node_id: UUID) -> int:
    """Mark a dead or leaving node as down and give its queue entries back; returns how many. One caller does it."""
    return await tx.fetchval("select node_recover_v1($1)", node_id)


async def sweep(tx: Tx) -> int:
    """Enqueue turns that no queue entry stands for; returns how many."""
    return await tx.fetchval("select sweep_v1()")


async def list_nodes(tx: Tx) -> list[dict[str, Any]]:
    """Every node that was not down long ago, with whether its lock is held."""
    return [
        dict(row)
        for row in await tx.fetch(
            "select n.id, n.host, n.pid, n.version, n.state, n.started_at, n.wrapping_keys, "
            "exists (select from pg_locks l where l.locktype = 'advisory' and l.granted and l.database = "
            "(select oid from pg_database where datname = current_database()) "
            "and ((l.classid::bigint << 32) | l.objid::bigint) = n.lock_key) as alive "
            "from node n order by n.started_at desc limit 200"
        )
    ]


PRUNE = (
    # cross-tenant: old rows of every account, by age alone
    ("stream_chunk", "delete from stream_chunk where created_at < clock() - make_interval(mins => $1)"),
    ("queue_log", "delete from queue.pgqueuer_log where created < now() - make_interval(days => $1)"),
    # cross-tenant: old rows of every account, by age alone
    ("idempotency", "delete from idempotency where created_at < clock() - make_interval(hours => $1)"),
    # cross-tenant: what was deleted and can be brought back no more, of every account, by age alone
    ("message_trash", "delete from message_trash where at < clock() - make_interval(mins => $1)"),
)


async def prune(tx: Tx, *, stream_minutes: int, queue_log_days: int, idempotency_hours: int) -> dict[str, int]:
    """Delete what has served its time; audit and finished journals are not touched here."""
    limits = {
        "stream_chunk": stream_minutes,
        "queue_log": queue_log_days,
        "idempotency": idempotency_hours,
        "message_trash": UNDO_MINUTES,
    }
    gone: dict[str, int] = {}
    for name, sql in PRUNE:
        gone[name] = int((await tx.execute(sql, limits[name])).rpartition(" ")[2])
    # cross-tenant: expired rows of every account
    await tx.execute("delete from session where expires_at < clock()")
    # cross-tenant: expired rows of every account
    await tx.execute("delete from sign_in_link where expires_at < clock()")
    await tx.execute("delete from node where state = 'down' and seen_at < clock() - interval '1 day'")
    return gone


async def list_accounts(tx: Tx) -> list[UUID]:
    """Every account of the installation."""
    return [row["id"] for row in await tx.fetch("select id from account order by id")]


async def compact(tx: Tx, account_id: UUID, days: int) -> int:
    """Drop the inputs and outputs of steps of turns that ended well or were cancelled ``days`` ago; that they happened,
    how long they took and what they cost stays, and audit keeps its own. Failed turns stay whole: they can be retried.
    Returns how many steps."""
    done = await tx.execute(
        "update step s set input = '{}', output = jsonb_build_object('compacted', true) from interaction i "
        "where s.account_id = $1 and i.account_id = s.account_id and i.id = s.interaction_id "
        "and i.state in ('succeeded', 'cancelled') and i.ended_at < clock() - make_interval(days => $2) "
        "and not coalesce(s.output ? 'compacted', false)",
        account_id,
        days,
    )
    return int(done.rpartition(" ")[2])

"""Reserving and settling: what a call may use at most is reserved under all of its limits before it runs, what it came
to is settled after (COST-08, COST-11, CON-05). Each function is a transaction of its own (0072_meters.sql).

    match await meters.reserve(db, fence, step.seq, demands):
        case meters.Refused() as refused:
            ...  # refused.opinion says why, in words
        case meters.Reserved():
            ...  # call; afterwards, once the outcome is recorded:
            await meters.settle(db, fence, step.seq, cost_micro=reply.cost_micro, tokens=reply.usage.total)

Settling never fails a turn: what is not settled here, or by a process that is no more, the worker settles from the rows
of the steps (``sweep``). Which limits there are is ``domain.meters``' business.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from retinue import errors, telemetry
from retinue.db.pool import Database, Tx
from retinue.domain import meters
from retinue.domain.base import Value
from retinue.domain.meters import EPOCH, Demand
from retinue.domain.verdicts import Layer, Opinion
from retinue.store.turns import Fence

log = telemetry.logger(__name__)

TURN = UUID(int=0)
"""In place of a policy: a cap that the turn itself has."""
TURN_NAME = "of this turn"
TROUBLE = (asyncpg.PostgresError, errors.RetinueError)


class Reserved(Value):
    """The call may run."""


class Refused(Value):
    """Nothing was reserved. ``demand`` is the one that holds the call up longest."""

    demand: Demand
    left: int
    """How much of it could be reserved now."""
    retry_after_seconds: float | None
    """When it can be again, if nothing else is used meanwhile; None: the call needs more than the limit allows."""

    @property
    def opinion(self) -> Opinion:
        """What is said about it: ``budget_exceeded`` or ``rate_limited`` (COST-19)."""
        return meters.refused(self.demand, self.left)


def own_cap(fence: Fence, cap_micro: int, amount_micro: int) -> Demand:
    """What a turn's own limit (``Limits.max_cost_micro``) demands, of it and of all that it delegates (COST-07)."""
    return Demand(
        policy_id=TURN, subject=fence.interaction_id, kind="interaction", starts_at=EPOCH, cap=cap_micro,
        amount=amount_micro, layer=Layer.AGENT, name=TURN_NAME,
    )  # fmt: skip


async def reserve(
    db: Database, fence: Fence, seq: int, demands: Sequence[Demand], *, above: int | None = None
) -> Reserved | Refused:
    """Reserve all of the demands of one step, or none; on disk when it returns. The same step again holds once.

    ``above``: of a delegated turn what the step costs at most, as the turns above have caps, too; None for any other.
    Raises Fenced, DatabaseDown.
    """
    if not demands and above is None:
        return Reserved()
    wanted = [_sent(one) for one in sorted(demands, key=lambda one: one.order)]
    row = await db.call_durably("select reserve_v1($1, $2, $3, $4, $5, $6)", *fence.args(), seq, above, wanted)
    return Reserved() if row["ok"] else _refused(row, demands)


def _sent(demand: Demand) -> dict[str, Any]:
    sent = {"policy_id": demand.policy_id, "subject": demand.subject, "kind": demand.kind, "unit": demand.unit,
            "starts_at": demand.starts_at, "cap": demand.cap, "amount": demand.amount}  # fmt: skip
    if demand.ends_at is not None:
        sent["ends_at"] = demand.ends_at
    return sent | {"refill": demand.refill, "seconds": demand.seconds} if demand.kind == "bucket" else sent


def _refused(row: Mapping[str, Any], demands: Sequence[Demand]) -> Refused:
    return Refused(
        demand=next((one for one in demands if _is(one, row)), None) or _above(row),
        left=row["left"],
        retry_after_seconds=row["retry_after_seconds"],
    )


def _is(demand: Demand, row: Mapping[str, Any]) -> bool:
    return (str(demand.policy_id), str(demand.subject)) == (row["policy_id"], row["subject"])


def _above(row: Mapping[str, Any]) -> Demand:
    """The demand of a cap that a turn above has."""
    fields = {name: row[name] for name in ("policy_id", "subject", "kind", "unit", "cap", "amount", "starts_at")}
    return Demand(**fields, layer=Layer.AGENT, name=row["name"] or TURN_NAME)


async def settle(db: Database, fence: Fence, seq: int, *, cost_micro: int | None, tokens: int | None) -> bool:
    """Turn what was reserved for a step into what it came to; what is None counts as reserved. Never raises.

    Called once the outcome is recorded; also for a call whose outcome another attempt's write has fenced off, for it
    cost what it cost. False when there is nothing (more) to settle.
    """
    sql = "select settle_v1($1, $2, $3, $4, $5, $6)"
    return await _later_else(db, sql, *fence.args(), seq, cost_micro, tokens)


async def release(db: Database, fence: Fence, seq: int) -> bool:
    """Give back what was reserved for a call that was not made. Never raises. False when nothing is held for it."""
    return await _later_else(db, "select unreserve_v1($1, $2, $3, $4)", *fence.args(), seq)


async def _later_else(db: Database, sql: str, *args: Any) -> bool:
    try:
        return bool(await db.call(sql, *args))
    except TROUBLE as error:
        log.warning("a reservation is left to the sweep", interaction=args[1], error=type(error).__name__)
        return False


# ── what others have left ────────────────────────────────────────────────────────────────────────────────────────


class Swept(Value):
    """What a sweep found."""

    settled: int = 0
    released: int = 0


# cross-tenant: what calls of every account have left, by age alone
LEFT = """
select account_id, interaction_id, attempt, step_seq from reservation
where state = 'held' and created_at < clock() - make_interval(secs => $1) order by created_at limit 1000
"""


async def list_left(tx: Tx, seconds: float) -> list[tuple[UUID, UUID, int, int]]:
    """The reservations of all accounts that are held for so long, oldest first."""
    rows = await tx.fetch(LEFT, seconds)
    return [(row["account_id"], row["interaction_id"], row["attempt"], row["step_seq"]) for row in rows]


async def sweep(db: Database, seconds: float = 5.0) -> Swept:
    """Settle and release what is held for so long and no longer needed; what a running step holds stays.

    One transaction each, so that it locks as any other does.
    """
    async with db.system_tx() as tx:
        left = await list_left(tx, seconds)
    count = {"settled": 0, "released": 0, "held": 0}
    for one in left:
        count[await db.call("select settle_left_v1($1, $2, $3, $4)", *one)] += 1
    return Swept(settled=count["settled"], released=count["released"])


PRUNE = (
    # cross-tenant: of every account, by age alone
    "delete from reservation where state = 'released' and created_at < clock() - interval '1 day'",
    # cross-tenant: windows of every account that are over
    "delete from meter where kind = 'window' and reserved = 0 and ends_at < clock() - interval '1 hour'",
    # cross-tenant: buckets of every account that are full again
    "delete from meter where kind = 'bucket' and level + extract(epoch from clock() - touched_at) * refill >= cap",
    # cross-tenant: budgets of every account, by age alone
    "delete from meter where kind = 'budget' and reserved = 0 and ends_at < clock() - interval '400 days'",
    # cross-tenant: meters of every account whose policy is no more
    "delete from meter m where m.kind <> 'interaction' and m.reserved = 0 and not exists (select from policy p "
    "where p.account_id = m.account_id and p.id = m.policy_id)",
    # cross-tenant: caps of turns of every account that are over
    "delete from meter m where m.kind = 'interaction' and m.reserved = 0 and exists (select from interaction i "
    "where i.account_id = m.account_id and i.id = m.subject and i.ended_at < clock() - interval '1 day')",
)


async def prune(tx: Tx) -> int:
    """Delete what has served its time, of every account; returns how many rows."""
    return sum([int((await tx.execute(sql)).rpartition(" ")[2]) for sql in PRUNE])

"""How much of a limit is left, without reserving any of it: for those who only ask. What counts is ``meters``'."""

from collections.abc import Sequence
from uuid import UUID

from retinue.db.pool import Tx
from retinue.domain.meters import Demand

LEFT = """
select case when w.kind <> 'bucket' then w.cap - coalesce(m.spent + m.reserved,
            meter_seed_v1($1, w.policy_id, w.subject, w.starts_at, w.kind))
        when m.level is null then w.cap
        else floor(least(w.cap, m.level + greatest(extract(epoch from clock() - m.touched_at), 0) * w.refill))
    end::bigint as "left"
from unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::bigint[], $7::float8[]) with ordinality
    as w (policy_id, subject, starts_at, kind, cap, refill, place)
left join meter m on m.account_id = $1 and m.policy_id = w.policy_id and m.subject = w.subject
    and m.starts_at = w.starts_at
order by w.place
"""


async def left(tx: Tx, account_id: UUID, demands: Sequence[Demand]) -> list[int]:
    """Of each demand's meter, in their order: what could be reserved now, in the unit of the demand."""
    if not demands:
        return []
    rows = await tx.fetch(
        LEFT, account_id, [one.policy_id for one in demands], [one.subject for one in demands],
        [one.starts_at for one in demands], [one.kind for one in demands], [one.cap for one in demands],
        [one.refill_per_second for one in demands],
    )  # fmt: skip
    return [row["left"] for row in rows]

"""A limit that counts calls again which were made long ago: what it would have let through.

Pure. It counts as ``reserve_v1`` does (0072_meters.sql), but by what calls came to, not by what they could have cost.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from retinue.domain import meters
from retinue.domain.meters import Demand, Metered, Need, Subjects
from retinue.domain.rule_base import Question
from retinue.domain.verdicts import Opinion


@dataclass
class Recount:
    """Takes calls in the order in which they were made."""

    limit: Metered
    _used: dict[tuple[UUID, datetime], int] = field(default_factory=dict[tuple[UUID, datetime], int])
    _levels: dict[UUID, tuple[float, datetime]] = field(default_factory=dict[UUID, tuple[float, datetime]])

    def put(self, subjects: Subjects, need: Need, asked: Question) -> None:
        """Count what was used before the first call, whatever the limit says."""
        for demand in meters.demands((self.limit,), subjects, need, asked):
            self._count(demand, asked.at)

    def take(self, subjects: Subjects, need: Need, asked: Question) -> Opinion | None:
        """Count a call; or say why it would have been refused, and count nothing."""
        demands = meters.demands((self.limit,), subjects, need, asked)
        for demand in demands:
            left = self._left(demand, asked.at)
            if demand.amount > left:
                return meters.refused(demand, left)
        for demand in demands:
            self._count(demand, asked.at)
        return None

    def _left(self, demand: Demand, at: datetime) -> int:
        if demand.kind == "bucket":
            return int(self._level(demand, at))
        return max(0, demand.cap - self._used.get((demand.subject, demand.starts_at), 0))

    def _level(self, demand: Demand, at: datetime) -> float:
        level, since = self._levels.get(demand.subject, (float(demand.cap), at))
        return min(float(demand.cap), level + max(0.0, (at - since).total_seconds()) * demand.refill_per_second)

    def _count(self, demand: Demand, at: datetime) -> None:
        if demand.kind == "bucket":
            self._levels[demand.subject] = (self._level(demand, at) - demand.amount, at)
            return
        key = demand.subject, demand.starts_at
        self._used[key] = self._used.get(key, 0) + demand.amount

"""Turns that run, and limits they run under, without a model: what the tests of meters stand on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.meters import EPOCH, Demand
from retinue.domain.verdicts import Layer
from retinue.store import meters
from retinue.store.turns import Fence

TURN = """
insert into interaction (account_id, id, agent_id, thread_id, user_id, parent_id, state, attempt, cost_cap_micro)
values ($1, $2, $3, new_id(), $4, $5, 'running', 1, $6)
"""
STEP = """
insert into step (account_id, interaction_id, seq, kind, state, attempt, cost_micro, input_tokens)
values ($1, $2, $3, 'think', $4, $5, $6, $7)
on conflict (account_id, interaction_id, seq) do update set state = excluded.state, attempt = excluded.attempt,
    cost_micro = excluded.cost_micro, input_tokens = excluded.input_tokens
"""


@dataclass
class Books:
    """One account's limits and turns."""

    db: Database
    account_id: UUID
    agent_id: UUID = field(default_factory=ids.new)

    async def turn(
        self, parent: UUID | None = None, cap: int | None = None, *, user: UUID | None = None, agent: UUID | None = None
    ) -> Fence:
        """A turn that runs."""
        id = ids.new()
        async with self.db.tenant_tx(self.account_id) as tx:
            await tx.execute(TURN, self.account_id, id, agent or self.agent_id, user, parent, cap)
        return Fence(account_id=self.account_id, interaction_id=id, attempt=1)

    async def take_over(self, fence: Fence) -> Fence:
        """The same turn, taken by another node."""
        async with self.db.tenant_tx(self.account_id) as tx:
            await tx.execute(
                "update interaction set attempt = attempt + 1 where account_id = $1 and id = $2",
                self.account_id, fence.interaction_id,
            )  # fmt: skip
        return fence.model_copy(update={"attempt": fence.attempt + 1})

    async def end(self, fence: Fence, state: str = "succeeded") -> None:
        async with self.db.tenant_tx(self.account_id) as tx:
            await tx.execute(
                "update interaction set state = $3, ended_at = clock() where account_id = $1 and id = $2",
                self.account_id, fence.interaction_id, state,
            )  # fmt: skip

    async def step(self, fence: Fence, seq: int, cost: int | None, *, state: str = "success", tokens: int = 0) -> None:
        """A step of this attempt, as its row says it came out."""
        async with self.db.tenant_tx(self.account_id) as tx:
            args = (self.account_id, fence.interaction_id, seq, state, fence.attempt, cost, tokens)
            await tx.execute(STEP, *args)

    async def policy(
        self, rule: dict[str, Any], *, name: str = "Limit", team: UUID | None = None, user: UUID | None = None
    ) -> UUID:
        """A policy of this rule, of the account or of this team or person."""
        id, layer = ids.new(), "team" if team else "user" if user else "account"
        async with self.db.tenant_tx(self.account_id) as tx:
            await tx.execute(
                "insert into policy (account_id, id, layer, team_id, user_id, name, type, rule) "
                "values ($1, $2, $3, $4, $5, $6, $7, $8)",
                self.account_id, id, layer, team, user, name, rule["type"], rule,
            )  # fmt: skip
        return id

    async def meter(self, demand: Demand) -> dict[str, Any]:
        """How it stands; zeros where it was never read."""
        async with self.db.tenant_tx(self.account_id) as tx:
            row = await tx.fetchrow(
                "select * from meter where account_id = $1 and policy_id = $2 and subject = $3 and starts_at = $4",
                self.account_id, demand.policy_id, demand.subject, demand.starts_at,
            )  # fmt: skip
        return dict(row) if row else {"spent": 0, "reserved": 0, "level": None, "warned": 0}

    async def stand(self, demand: Demand) -> tuple[int, int]:
        """What is spent and what is reserved."""
        row = await self.meter(demand)
        return row["spent"], row["reserved"]

    async def reserve(self, fence: Fence, seq: int, demands: Iterable[Demand], above: int | None = None) -> bool:
        """Whether it was reserved."""
        found = await meters.reserve(self.db, fence, seq, tuple(demands), above=above)
        return isinstance(found, meters.Reserved)


def budget(cap: int, amount: int, *, policy: UUID | None = None, subject: UUID | None = None, starts: datetime = EPOCH,
           ends: datetime | None = None) -> Demand:  # fmt: skip
    """A demand on a budget of its own, or of this policy."""
    return Demand(
        policy_id=policy or ids.new(), subject=subject or ids.new(), kind="budget", starts_at=starts, ends_at=ends,
        cap=cap, amount=amount, layer=Layer.ACCOUNT, name="Budget",
    )  # fmt: skip

"""The configurations an agent has had, by hash: immutable, made by the database at every edit (0002_rules.sql).

They outlive the agent, so that the audit of a turn can always be read (LIFE-11, AUD-08). For admins.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import agents
from retinue.domain.accounts import Principal, Role, at_least
from retinue.domain.agents import Difference, Snapshot

LIST = """
select s.hash, s.agent_id, s.content as config, s.created_at from config_snapshot s
where s.account_id = $1 and s.agent_id = $2 and ($3::text is null or (s.created_at, s.hash) < (
    select p.created_at, p.hash from config_snapshot p where p.account_id = $1 and p.hash = $3))
order by s.created_at desc, s.hash desc
limit $4
"""
GET = """
select hash, agent_id, content as config, created_at from config_snapshot
where account_id = $1 and agent_id = $2 and hash = $3
"""


async def list_snapshots(
    tx: Tx, principal: Principal, agent_id: UUID, *, before: str | None = None, limit: int = 51
) -> list[Snapshot]:
    """Newest first, older than the snapshot ``before``. Raises Forbidden, NotFound (there was never such an agent)."""
    _require_admin(principal)
    rows = await tx.fetch(LIST, principal.account_id, agent_id, before, limit)
    if not rows and before is None:
        raise errors.NotFound("There is no such agent.")
    return [_snapshot(row) for row in rows]


async def access_snapshot(tx: Tx, principal: Principal, agent_id: UUID, hash: str) -> Snapshot:
    """One configuration of this agent. Raises Forbidden, NotFound."""
    _require_admin(principal)
    row = await tx.fetchrow(GET, principal.account_id, agent_id, hash)
    if row is None:
        raise errors.NotFound("This agent has had no configuration of that hash.")
    return _snapshot(row)


async def compare(tx: Tx, principal: Principal, agent_id: UUID, hashes: tuple[str, str]) -> tuple[Difference, ...]:
    """What changed from the first configuration to the second. Raises Forbidden, NotFound."""
    before = await access_snapshot(tx, principal, agent_id, hashes[0])
    after = await access_snapshot(tx, principal, agent_id, hashes[1])
    return agents.differences(before.config, after.config)


def _snapshot(row: Mapping[str, Any]) -> Snapshot:
    return Snapshot.model_validate(dict(row))


def _require_admin(principal: Principal) -> None:
    if not at_least(principal.role, Role.ADMIN):
        raise errors.Forbidden("Only admins and owners read the configurations an agent has had.")

"""What an account has decided for all of its agents (``domain.policy.Governance``). Admins read and write it."""

import hashlib
import json
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import policies
from retinue.domain.accounts import Principal
from retinue.domain.audit import actor
from retinue.domain.policy import Governance
from retinue.domain.verdicts import Ask
from retinue.store import audit, policy_checks
from retinue.store.policies import require_admin

GET = "select governance from account where id = $1"
LOCK = "select governance from account where id = $1 for no key update"
SET = "update account set governance = $2 where id = $1"
KNOWN = "select id from agent where account_id = $1 and id = any($2) and deleted_at is null and origin <> 'trial'"


async def get(tx: Tx, account_id: UUID) -> Governance:
    """The account's decisions; what it has not decided is as it comes."""
    return Governance.model_validate(await tx.fetchval(GET, account_id) or {})


async def put(tx: Tx, principal: Principal, new: Governance, *, seen: str | None = None) -> Governance:
    """Set all of it; the next evaluated step goes by it. ``seen``: the digest of what the caller has read.

    Raises Forbidden, WrongState (changed meanwhile), BadInput (nobody could approve, or there is no such agent).
    """
    require_admin(principal)
    account_id = principal.account_id
    before = Governance.model_validate(await tx.fetchval(LOCK, account_id) or {})
    if seen is not None and seen != digest(before):
        raise errors.WrongState("Somebody has changed this meanwhile. Get it again and repeat your change.")
    known = {row["id"] for row in await tx.fetch(KNOWN, account_id, list(new.admin_agents))}
    missing = [
        {"path": f"body.admin_agents.{place}", "reason": "there is no such agent"}
        for place, agent_id in enumerate(new.admin_agents)
        if agent_id not in known and agent_id not in before.admin_agents
    ]
    if missing:
        raise errors.BadInput("Name agents of this account.", errors=missing)
    await policy_checks.require_answerable(tx, account_id, Ask(panels=(new.approver,)), "body.approver")
    if new == before:
        return new
    await tx.execute(SET, account_id, new.model_dump(mode="json"))
    fields = policies.differences(before.model_dump(mode="json"), new.model_dump(mode="json"))
    detail = {
        "fields": [one.path for one in fields], "hash_before": digest(before), "hash_after": digest(new),
    }  # fmt: skip
    await audit.append(tx, account_id=account_id, event="governance.update", actor=actor(principal), detail=detail)
    return new


def digest(governance: Governance) -> str:
    """SHA-256 of the content."""
    canonical = json.dumps(governance.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()

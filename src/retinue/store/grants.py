"""Standing grants: approvals that stand for later calls of one tool by one agent, within a scope, until their end.

Whether a call is within one is the gate's question (``domain.policy.granted``).
"""

from datetime import datetime, timedelta
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import approvals, ids
from retinue.domain import audit as lines
from retinue.domain.accounts import Principal, Role, Scope, at_least
from retinue.domain.approvals import GrantView, GrantWish
from retinue.domain.base import Value
from retinue.domain.ids import AgentId, ChannelId, UserId, WaitId
from retinue.domain.verdicts import Panel
from retinue.store import audit
from retinue.store.approvals import Held
from retinue.telemetry import clock

LONGEST = timedelta(days=366)
CREATE = """
insert into approval_grant (account_id, id, agent_id, tool, channel_id, user_id, arguments_hash, wait_id, granted_by,
                            panels, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
SHOWN = """
select x.*, g.name as agent_name, c.name as channel_name, u.name as user_name, b.name as granted_by_name
from approval_grant x
left join agent g on g.account_id = $1 and g.id = x.agent_id
left join channel c on c.account_id = $1 and c.id = x.channel_id
left join app_user u on u.account_id = $1 and u.id = x.user_id
left join app_user b on b.account_id = $1 and b.id = x.granted_by
where x.account_id = $1 and ($3 or x.granted_by = $2 or x.user_id = $2)
"""
ONE = f"{SHOWN} and x.id = $4"
PAGE = f"""{SHOWN} and ($4 or (x.revoked_at is null and x.expires_at > clock()))
    and ($5::uuid is null or x.id < $5) order by x.id desc limit $6
"""
REVOKE = """
update approval_grant set revoked_at = clock(), revoked_by = $3
where account_id = $1 and id = $2 and revoked_at is null
"""


class Terms(Value):
    """A grant that is to be made."""

    agent_id: AgentId
    tool: str
    channel_id: ChannelId | None
    user_id: UserId | None
    arguments_hash: str | None
    wait_id: WaitId
    panels: tuple[Panel, ...]
    expires_at: datetime


def terms(held: Held, wish: GrantWish, hash: str) -> Terms:
    """What this person's grant would say. Raises BadInput, Forbidden (``grant_refused``)."""
    wrong = _wrong(held, wish)
    if wrong is not None:
        raise errors.BadInput("The grant cannot be made.", errors=[wrong])
    if not held.governance.standing_grants or not held.asked.ask.grants:
        raise errors.Forbidden(
            "The rules want this decided each time; no grant may stand for it.", code="grant_refused"
        )
    if not approvals.may_grant(held.asked, held.me, for_anyone=not wish.person):
        raise errors.Forbidden(
            "A grant takes the right to approve all such calls alone, and yours does not reach so far.",
            code="grant_refused",
        )
    return Terms(
        agent_id=held.agent_id,
        tool=held.wait.tool or "",
        channel_id=held.channel_id if wish.channel else None,
        user_id=held.asked.requester if wish.person else None,
        arguments_hash=hash if wish.exact else None,
        wait_id=held.wait.id,
        panels=held.asked.ask.panels,
        expires_at=wish.until,
    )


def _wrong(held: Held, wish: GrantWish) -> dict[str, str] | None:
    if not clock.now() < wish.until <= clock.now() + LONGEST:
        return {"path": "body.grant.until", "reason": "must be in the future, at most a year from now"}
    if wish.channel and held.channel_id is None:
        return {"path": "body.grant.channel", "reason": "the call is made in no channel: say false"}
    if wish.person and held.asked.requester is None:
        return {"path": "body.grant.person", "reason": "the call is made on nobody's behalf: say false"}
    return None


async def create(tx: Tx, caller: Principal, new: Terms) -> UUID:
    """Make the grant; returns its id."""
    grant_id = ids.new()
    await tx.execute(
        CREATE, caller.account_id, grant_id, new.agent_id, new.tool, new.channel_id, new.user_id, new.arguments_hash,
        new.wait_id, caller.user_id, [panel.model_dump() for panel in new.panels], new.expires_at,
    )  # fmt: skip
    detail = new.model_dump(exclude={"panels"}) | {"grant_id": grant_id}
    await audit.append(tx, account_id=caller.account_id, event="grant.create", actor=lines.actor(caller), detail=detail)
    return grant_id


async def page(
    tx: Tx, caller: Principal, *, ended: bool, before: UUID | None = None, limit: int = 51
) -> list[GrantView]:
    """Grants, newest first: admins see all of the account, others those they made and those on their behalf.
    ``ended``: also those that are over or revoked."""
    rows = await tx.fetch(PAGE, caller.account_id, caller.user_id, _sees_all(caller), ended, before, limit)
    return [_view(dict(row)) for row in rows]


async def access(tx: Tx, caller: Principal, grant_id: UUID) -> GrantView:
    """One grant. Raises NotFound."""
    row = await tx.fetchrow(ONE, caller.account_id, caller.user_id, _sees_all(caller), grant_id)
    if row is None:
        raise errors.NotFound("There is no grant by that id, or you may not see it.")
    return _view(dict(row))


async def revoke(tx: Tx, caller: Principal, grant_id: UUID) -> None:
    """End a grant: it stands for no call from the next one on. One that is revoked stays so. Raises NotFound,
    Forbidden."""
    grant = await access(tx, caller, grant_id)
    manages = at_least(caller.role, Role.ADMIN) and Scope.ADMIN in caller.scopes
    if not manages and caller.user_id not in (grant.granted_by, grant.user_id):
        raise errors.Forbidden("Whoever made a grant may revoke it, or an admin.")
    if await tx.execute(REVOKE, caller.account_id, grant_id, caller.user_id) == "UPDATE 0":
        return
    await audit.append(
        tx, account_id=caller.account_id, event="grant.revoke", actor=lines.actor(caller),
        detail={"grant_id": grant_id, "agent_id": grant.agent_id, "tool": grant.tool, "wait_id": grant.wait_id},
    )  # fmt: skip


def _sees_all(caller: Principal) -> bool:
    return at_least(caller.role, Role.ADMIN)


def _view(row: dict[str, object]) -> GrantView:
    return GrantView.model_validate({name: row[name] for name in GrantView.model_fields if name in row})

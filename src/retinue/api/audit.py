"""``/v1/audit``: who did what, for the account's admins. Nothing here can be changed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from retinue import errors
from retinue.api import deps, pages
from retinue.domain.audit import ActorType, AuditEvent, AuditFilter
from retinue.domain.ids import InteractionId
from retinue.domain.texts import Word
from retinue.store import audit

router = APIRouter(prefix="/v1", tags=["audit"])


async def wanted(
    event: Annotated[Word | None, Query(description="An event, or `tool.` for all of a noun's.")] = None,
    actor_type: ActorType | None = None, actor_id: Word | None = None, interaction_id: InteractionId | None = None,
    since: AwareDatetime | None = None, until: AwareDatetime | None = None,
) -> AuditFilter:  # fmt: skip
    """The filters of the list."""
    return AuditFilter(
        event=event, actor_type=actor_type, actor_id=actor_id, interaction_id=interaction_id, since=since, until=until
    )


@router.get("/audit")
async def list_audit(
    caller: deps.Admin, db: deps.Db, page: pages.Paging, filters: Annotated[AuditFilter, Depends(wanted)]
) -> pages.Page[AuditEvent]:
    """Audit lines, newest first."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await audit.list_events(tx, caller.account_id, filters, before=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda line: [line.id])


@router.get("/interactions/{interaction_id}/audit")
async def list_interaction_audit(
    interaction_id: InteractionId, caller: deps.Admin, db: deps.Db, page: pages.Paging
) -> pages.Page[AuditEvent]:
    """What one turn did, in order."""
    after = page.after_id()
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await audit.list_of_interaction(tx, caller.account_id, interaction_id, after=after, limit=page.fetch)
    if not rows and after is None:
        raise errors.NotFound("There is no such interaction, or it has not done anything yet.")
    return pages.make(rows, page, lambda line: [line.id])

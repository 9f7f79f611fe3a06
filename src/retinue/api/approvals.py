"""``/v1/approvals``: calls that wait for a person's approval; ``/v1/grants``: approvals that stand for later calls.

Only a person who is signed in, or an API key with the scope ``approve``, decides; every try that is refused is in the
audit record.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from retinue import errors
from retinue.api import deps, pages
from retinue.domain import schemas
from retinue.domain.accounts import Principal
from retinue.domain.approvals import Approval, GrantView, Mine, Wish
from retinue.domain.ids import GrantId, WaitId
from retinue.domain.waits import WaitState
from retinue.store import approvals, deciding, grants
from retinue.tools import resolve
from retinue.tools.registry import Tool

router = APIRouter(prefix="/v1", tags=["approvals"])
Anyone = Annotated[Principal, Depends(deps.principal)]
"""Whatever the scope: a credential without the right is refused where that is recorded."""


@router.get("/approvals")
async def list_approvals(
    caller: deps.Caller,
    db: deps.Db,
    page: pages.Paging,
    state: Annotated[WaitState | None, Query(description="Empty: all.")] = None,
    mine: Annotated[Mine, Query(description="Those you are to decide, those on your behalf, or all.")] = Mine.ALL,
) -> pages.Page[Approval]:
    """Requests for approval that you may see, newest first. ``to_decide``: open, and your word is still wanted."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await approvals.page(tx, caller, mine, state, before=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda row: [row.id])


@router.get("/approvals/{wait_id}")
async def get_approval(wait_id: WaitId, caller: deps.Caller, db: deps.Db) -> Approval:
    """One request: the call, why it is asked about, who decides, and what was said so far."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await approvals.access(tx, caller, wait_id)


@router.post("/approvals/{wait_id}/decide")
async def decide_approval(wait_id: WaitId, wish: Wish, caller: Anyone, app: deps.App) -> Approval:
    """Approve, reject, or ask back. ``arguments_hash`` is that of the arguments you saw: if somebody has changed them
    since, nothing is counted and the answer is 409 ``arguments_changed``."""
    async with deciding.witnessed(app.db, caller, wait_id, wish.decision):
        deciding.check_scope(caller)
        if wish.arguments is not None:
            await _check_arguments(app, caller, wait_id, wish.arguments)
        return await deciding.decide(app.db, caller, wait_id, wish)


@router.post("/approvals/{wait_id}/withdraw")
async def withdraw_approval(wait_id: WaitId, caller: deps.Caller, app: deps.App) -> Approval:
    """Take a request back: the call is not made, and the agent is told. For whoever it is for, and for admins."""
    async with deciding.witnessed(app.db, caller, wait_id, "withdraw"):
        return await deciding.withdraw(app.db, caller, wait_id)


@router.get("/grants")
async def list_grants(
    caller: deps.Caller,
    db: deps.Db,
    page: pages.Paging,
    ended: Annotated[bool, Query(description="Also those that are over or revoked.")] = False,
) -> pages.Page[GrantView]:
    """Approvals that stand for later calls, newest first: admins see all, others those they made and those for them."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await grants.page(tx, caller, ended=ended, before=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda row: [row.id])


@router.delete("/grants/{grant_id}", status_code=204)
async def revoke_grant(grant_id: GrantId, caller: deps.Caller, db: deps.Db) -> None:
    """End a grant: from the next call on it stands for nothing."""
    async with db.tenant_tx(caller.account_id) as tx:
        await grants.revoke(tx, caller, grant_id)


# ── edited arguments ─────────────────────────────────────────────────────────────────────────────────────────────


async def _check_arguments(app: deps.AppState, caller: Principal, wait_id: WaitId, arguments: dict[str, Any]) -> None:
    """Arguments that do not fit the tool count for nothing. Raises BadInput; and what ``check_entitled`` raises, for
    what a tool takes is told only to who may decide."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        seen = await deciding.check_entitled(tx, caller, wait_id)
        config = await approvals.config(tx, caller.account_id, seen.interaction_id)
    found = await resolve.resolve_agent_tools(caller.account_id, config, _sources(app), report=False)
    tool = found.get(seen.tool or "")
    if tool is None:
        raise errors.WrongState("The agent no longer has this tool, so there is nothing to approve. Reject it.")
    wrong = _misfits(tool, arguments)
    if wrong:
        raise errors.BadInput("The arguments do not fit the tool. Correct them.", errors=wrong)


def _sources(app: deps.AppState) -> Any:
    if app.engine is not None:
        return app.engine.sources
    return () if app.registry is None else (resolve.Internal(app.registry),)


def _misfits(tool: Tool, arguments: dict[str, Any]) -> list[dict[str, str]]:
    checker = schemas.checker(tool.spec.parameters)
    wrong = [
        {"path": ".".join(["body.arguments", *path]), "reason": reason}
        for path, reason in schemas.misfits(checker, arguments)
    ]
    if not wrong:
        try:
            tool.check(arguments)
        except errors.ToolRefused as error:
            return [{"path": "body.arguments", "reason": error.detail}]
    return wrong

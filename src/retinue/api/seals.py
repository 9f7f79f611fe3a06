"""The sealed record of audit: how far it is sealed, an export that proves itself, and a check of what is stored."""

import base64
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from retinue import errors
from retinue.api import deps
from retinue.domain import audit as lines
from retinue.domain.accounts import Principal
from retinue.domain.seals import SealKey, SealState
from retinue.domain.verifying import Report
from retinue.store import audit, seals
from retinue.store.seals import Signer

router = APIRouter(prefix="/v1/audit", tags=["audit"])

MEDIA_TYPE = "application/jsonl"
CHUNK = 64 * 1024
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "A file of JSON Lines."}
}
Since = Annotated[AwareDatetime | None, Query(description="From the first seal made at this time or later.")]
Until = Annotated[AwareDatetime | None, Query(description="Up to the last seal made before this time.")]


def signer(app: deps.AppState) -> Signer:
    """What signs with this installation's key. Raises Misconfigured without one."""
    if not app.settings.secret_key:
        raise errors.Misconfigured("There is no RETINUE_SECRET_KEY: nothing can be sealed.")
    return Signer(app.settings.secret_key)


@router.get("/seal")
async def get_seal(caller: deps.Admin, db: deps.Db) -> SealState:
    """How far the record is sealed. Lines get their seal a few seconds after they are written."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await seals.state(tx, caller.account_id)


@router.get("/keys")
async def list_seal_keys(caller: deps.Admin, db: deps.Db, app: deps.App) -> list[SealKey]:
    """The public keys of the seals. Keep their ids where nobody can change them together with the record."""
    current = signer(app)
    async with db.tenant_tx(caller.account_id) as tx:
        known = await seals.keys(tx) | {current.id: current.public}
    return [
        SealKey(id=name, public=base64.b64encode(public).decode(), current=name == current.id)
        for name, public in known.items()
    ]


@router.get("/export", response_class=StreamingResponse, responses=FILE)
async def export_audit(
    caller: deps.Admin, db: deps.Db, app: deps.App, since: Since = None, until: Until = None
) -> StreamingResponse:
    """All sealed lines with their seals, oldest first: ``retinue audit verify FILE`` checks it without a server.

    Audited. Seals are whole: one that was made in the time asked for is in it with all its lines.
    """
    async with db.tenant_tx(caller.account_id) as tx:
        span = await seals.bounds(tx, caller.account_id, since, until)
        await _audited(tx, caller, "audit.export", {"seals": list(span or ())})
    body = _chunks(seals.export(db, signer(app), caller.account_id, span))
    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"', "Cache-Control": "no-store"}
    return StreamingResponse(body, media_type=MEDIA_TYPE, headers=headers)


@router.post("/verify")
async def verify_audit(
    caller: deps.Admin, db: deps.Db, app: deps.App, since: Since = None, until: Until = None
) -> Report:
    """Whether the stored lines are as they were sealed; each that is not is named. Audited."""
    async with db.tenant_tx(caller.account_id) as tx:
        span = await seals.bounds(tx, caller.account_id, since, until)
    report = await seals.verify(db, signer(app), caller.account_id, span)
    async with db.tenant_tx(caller.account_id) as tx:
        detail = {"seals": report.seals, "lines": report.lines, "faults": report.faults}
        await _audited(tx, caller, "audit.verify", detail)
    return report


async def _audited(tx: Any, caller: Principal, event: str, detail: dict[str, Any]) -> None:
    await audit.append(tx, account_id=caller.account_id, event=event, actor=lines.actor(caller), detail=detail)


async def _chunks(source: AsyncIterator[str]) -> AsyncIterator[bytes]:
    """Lines in pieces of some size: one piece each would cost more than the lines."""
    held = bytearray()
    async for line in source:
        held += line.encode() + b"\n"
        if len(held) >= CHUNK:
            yield bytes(held)
            held.clear()
    yield bytes(held)

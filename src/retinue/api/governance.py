"""``/v1/governance``: what the account has decided for all of its agents; admins only."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from retinue.api import deps
from retinue.domain.policy import Governance
from retinue.store import governance

router = APIRouter(prefix="/v1/governance", tags=["policies"])


@router.get("")
async def get_governance(caller: deps.Admin, db: deps.Db, response: Response) -> Governance:
    """Whether people may approve what an agent may not do by itself, who does, which agents manage the platform."""
    async with db.tenant_tx(caller.account_id) as tx:
        return _tagged(await governance.get(tx, caller.account_id), response)


@router.put("")
async def put_governance(
    body: Governance, caller: deps.Admin, db: deps.Db, response: Response,
    if_match: Annotated[str | None, Header(description="The ETag that came with it.")] = None,
) -> Governance:  # fmt: skip
    """Set all of it: fields that are left out go back to how they come. In force from the next step of every turn."""
    seen = None if if_match in (None, "*") else str(if_match).strip().removeprefix("W/").strip('"')
    async with db.tenant_tx(caller.account_id) as tx:
        return _tagged(await governance.put(tx, caller, body, seen=seen), response)


def _tagged(found: Governance, response: Response) -> Governance:
    response.headers["ETag"] = f'"{governance.digest(found)}"'
    return found

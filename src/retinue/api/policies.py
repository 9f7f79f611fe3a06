"""``/v1/policies``: rules over what agents may do, in three layers, each with its history.

Who sees and writes which is ``store.policies``'s; sets of them as text are in ``policy_sets``.
"""

from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Header, Path, Response

from retinue import errors
from retinue.api import deps, pages
from retinue.domain.ids import PolicyId, TeamId
from retinue.domain.policies import (
    NewPolicy,
    Policy,
    PolicyChange,
    PolicyFilter,
    PolicyLayer,
    PolicyVersion,
    SavedPolicy,
)
from retinue.domain.rule_base import RuleType
from retinue.store import policies, policy_writes

router = APIRouter(prefix="/v1/policies", tags=["policies"])

IfMatch = Annotated[str | None, Header(description="The ETag that came with the policy.")]
Number = Annotated[int, Path(ge=1, le=2**31 - 2)]
P = TypeVar("P", bound=Policy)


async def wanted(
    layer: PolicyLayer | None = None, team_id: TeamId | None = None, type: RuleType | None = None,
    enabled: bool | None = None,
) -> PolicyFilter:  # fmt: skip
    """The filters of the list."""
    return PolicyFilter(layer=layer, team_id=team_id, type=type, enabled=enabled)


@router.get("")
async def list_policies(
    caller: deps.Caller, db: deps.Db, page: pages.Paging, filters: Annotated[PolicyFilter, Depends(wanted)]
) -> pages.Page[Policy]:
    """The account's policies, those of your teams (admins: of all teams), and your own."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await policies.list_policies(tx, caller, filters, after=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda policy: [policy.id])


@router.post("", status_code=201)
async def create_policy(new: NewPolicy, caller: deps.Caller, db: deps.Db, response: Response) -> SavedPolicy:
    """A new policy, in force from the next step of every turn. One that promises more than a layer above gives is
    refused (`loosens`). The answer names policies below that now promise more than is given."""
    async with db.tenant_tx(caller.account_id) as tx:
        return _tagged(await policy_writes.create(tx, caller, new), response)


@router.get("/{policy_id}")
async def get_policy(policy_id: PolicyId, caller: deps.Caller, db: deps.Db, response: Response) -> Policy:
    """One policy. Its ``ETag`` goes into ``If-Match`` of a change."""
    async with db.tenant_tx(caller.account_id) as tx:
        return _tagged(await policies.access(tx, caller, policy_id), response)


@router.patch("/{policy_id}")
async def update_policy(
    policy_id: PolicyId, change: PolicyChange, caller: deps.Caller, db: deps.Db, response: Response,
    if_match: IfMatch = None,
) -> SavedPolicy:  # fmt: skip
    """Change what the body names. With ``If-Match`` or ``version`` only if nobody changed it meanwhile."""
    async with db.tenant_tx(caller.account_id) as tx:
        return _tagged(await policy_writes.change(tx, caller, policy_id, change, seen=seen(if_match)), response)


@router.delete("/{policy_id}", status_code=204)
async def delete_policy(policy_id: PolicyId, caller: deps.Caller, db: deps.Db, if_match: IfMatch = None) -> None:
    """Remove a policy. Its history stays, and any version of it can be restored."""
    async with db.tenant_tx(caller.account_id) as tx:
        await policy_writes.delete(tx, caller, policy_id, seen=seen(if_match))


@router.get("/{policy_id}/versions")
async def list_policy_versions(
    policy_id: PolicyId, caller: deps.Caller, db: deps.Db, page: pages.Paging
) -> pages.Page[PolicyVersion]:
    """What the policy has said, newest first, also of one that was removed."""
    async with db.tenant_tx(caller.account_id) as tx:
        rows = await policy_writes.history(tx, caller, policy_id, before=page.after_int(), limit=page.fetch)
    return pages.make(rows, page, lambda version: [version.version])


@router.post("/{policy_id}/versions/{version}/restore")
async def restore_policy(
    policy_id: PolicyId, version: Number, caller: deps.Caller, db: deps.Db, response: Response,
    if_match: IfMatch = None,
) -> SavedPolicy:  # fmt: skip
    """Have the policy say again what it said in that version, as a new version. A removed one comes back."""
    async with db.tenant_tx(caller.account_id) as tx:
        restored = await policy_writes.restore(tx, caller, policy_id, version, seen=seen(if_match))
    return _tagged(restored, response)


def _tagged(policy: P, response: Response) -> P:
    response.headers["ETag"] = f'"{policy.version}"'
    return policy


def seen(if_match: str | None) -> int | None:
    """The version that an ``If-Match`` names; None for any. Raises BadInput for what is no ETag of a policy."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        found = [{"path": "header.If-Match", "reason": "is not an ETag of a policy"}]
        raise errors.BadInput("Send the ETag that came with the policy.", errors=found)
    return int(text)

"""Policies as a whole: kept as text in git and applied with a diff, tried against expectations, and looked at before
they are in force."""

from typing import Annotated

from fastapi import APIRouter, Depends

from retinue.api import deps
from retinue.domain.accounts import Principal, Scope
from retinue.domain.explaining import (
    Explanation,
    Hypothesis,
    PolicyDraft,
    PolicyPreview,
    PolicyTestResults,
    PolicyTests,
)
from retinue.domain.policy_documents import AppliedPolicies, PolicyDocuments, PolicySet
from retinue.store import policy_sets
from retinue.tools.resolve import Internal, Source
from retinue.turn import explaining, previewing

router = APIRouter(prefix="/v1", tags=["policies"])

Reader = Annotated[Principal, Depends(deps.require(scope=Scope.READ))]
"""Whoever may read: nothing here is changed."""


@router.get("/policies/documents")
async def list_policy_documents(caller: deps.Caller, db: deps.Db) -> PolicyDocuments:
    """The account's and your teams' policies as documents, with slugs and e-mail addresses for ids: what goes into git
    and comes back by ``apply``."""
    async with db.tenant_tx(caller.account_id) as tx:
        return PolicyDocuments(policies=await policy_sets.documents(tx, caller))


@router.post("/policies/apply")
async def apply_policies(body: PolicySet, caller: deps.Caller, db: deps.Db) -> AppliedPolicies:
    """Make the policies what these documents say: all of it or nothing. With ``dry_run`` only say what would change."""
    async with db.tenant_tx(caller.account_id) as tx:
        if body.dry_run:
            async with policy_sets.tried(tx):
                changes = await policy_sets.apply(tx, caller, body.policies, prune=body.prune)
        else:
            changes = await policy_sets.apply(tx, caller, body.policies, prune=body.prune)
    return AppliedPolicies(dry_run=body.dry_run, changes=tuple(one.told(body.dry_run) for one in changes))


@router.post("/policies/preview")
async def preview_policy(body: PolicyDraft, caller: Reader, app: deps.App) -> PolicyPreview:
    """What a change would have made of the calls of the last 7 days. The counts are of all calls that it speaks of,
    the examples of turns that you may see."""
    return await previewing.preview(app.db, sources(app), caller, body)


@router.post("/policies/test")
async def test_policies(body: PolicyTests, caller: deps.Caller, app: deps.App) -> PolicyTestResults:
    """Whether the rules say what is expected of them, as they are or as these documents would make them."""
    return await explaining.try_out(app.db, sources(app), caller, body)


@router.post("/policy/explain")
async def explain_policy(body: Hypothesis, caller: Reader, app: deps.App) -> Explanation:
    """What would happen to a call that is not made, and because of which rules. Admins ask for anyone, others for
    themselves and the agents they can reach."""
    return await explaining.explain(app.db, sources(app), caller, body)


def sources(app: deps.AppState) -> tuple[Source, ...]:
    """Where agents' tools come from, as turns have them; in a process without an engine, those of code."""
    if app.engine is not None:
        return tuple(app.engine.sources)
    return (Internal(app.registry),) if app.registry is not None else ()

"""Deciding about a call that somebody has to approve.

The decision is pure (``domain.approvals``); here it is read, decided and written in one transaction that holds the
thread, the interaction and the wait (0073_approvals.sql), so that of two who decide at once exactly one has effect. A
try that does not count is in the audit record, too, in a transaction of its own: it survives the error.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain import approvals as rules
from retinue.domain import audit as lines
from retinue.domain.accounts import Principal, Scope
from retinue.domain.approvals import Approval, Outcome, Said, Wish
from retinue.domain.tools import arguments_hash
from retinue.domain.waits import WaitState
from retinue.store import approvals, audit, grants
from retinue.store.approvals import Held

REFUSALS = (errors.Forbidden, errors.NotFound, errors.Conflict)
OF_WAIT = "select interaction_id, step_seq, tool from wait where account_id = $1 and id = $2"


@asynccontextmanager
async def witnessed(db: Database, caller: Principal, wait_id: UUID, act: str) -> AsyncIterator[None]:
    """Around a try to decide: one that is refused is in the audit record, with why, though its work is undone."""
    try:
        yield
    except REFUSALS as error:
        detail = {
            "decision": act, "reason": error.reason_code, "key_id": caller.key_id, "session_id": caller.session_id,
        }  # fmt: skip
        async with db.tenant_tx(caller.account_id) as tx:
            row = await tx.fetchrow(OF_WAIT, caller.account_id, wait_id)
            # an id that is none of this account's is not kept: it is whoever's it is
            about = {} if row is None else {"wait_id": wait_id, **row}
            interaction_id = about.pop("interaction_id", None)
            await audit.append(
                tx, account_id=caller.account_id, event="approval.refused", actor=lines.actor(caller),
                interaction_id=interaction_id, detail={**detail, **about},
            )  # fmt: skip
        raise


def check_scope(caller: Principal) -> None:
    """Raises Forbidden unless a person who is signed in decides, or a key that was given the right."""
    if Scope.APPROVE not in caller.scopes:
        raise errors.Forbidden("This credential lacks the scope approve. Sign in, or make an API key that has it.")


async def check_entitled(tx: Tx, caller: Principal, wait_id: UUID) -> Approval:
    """The request, for one who may decide it. Raises NotFound, Forbidden, WrongState."""
    held = await approvals.take(tx, caller, wait_id)
    await _check_entitled(tx, caller, held)
    return await approvals.access(tx, caller, wait_id)


async def decide(db: Database, caller: Principal, wait_id: UUID, wish: Wish) -> Approval:
    """Count one decision; the turn goes on where it is the last one needed.

    Raises NotFound; Forbidden (``not_an_approver``, ``four_eyes``, ``grant_refused``); WrongState (``already_decided``,
    ``approval_expired``, ``arguments_changed``).
    """
    async with db.tenant_tx(caller.account_id) as tx:
        held = await approvals.take(tx, caller, wait_id)
        await _check_entitled(tx, caller, held)
        if wish.arguments_hash != held.arguments_hash:
            raise errors.WrongState(
                "Somebody changed the arguments meanwhile. Look at them again, then decide.", code="arguments_changed"
            )
        arguments, hash = await _edited(tx, held, wish)
        new = Said(person=held.me, choice=wish.decision, arguments_hash=hash)
        outcome = rules.decide(held.asked, held.said, new)
        if outcome.refused is not None:
            raise errors.WrongState("You have decided this already.", code="already_decided")
        terms = None if wish.grant is None else grants.terms(held, wish.grant, hash)
        await tx.execute(
            "select approval_decide_v1($1, $2, $3, $4)", caller.account_id, wait_id, caller.user_id,
            {
                "choice": wish.decision, "reason": wish.reason, "arguments": arguments, "arguments_hash": hash,
                "resolution": _resolution(held, wish, outcome, arguments, hash),
                "detail": {
                    "outcome": outcome.state, "edited": arguments is not None, "key_id": caller.key_id,
                    "session_id": caller.session_id,
                },
            },
        )  # fmt: skip
        if terms is not None and outcome.state == "approved":
            await grants.create(tx, caller, terms)
        return await approvals.access(tx, caller, wait_id)


async def _check_entitled(tx: Tx, caller: Principal, held: Held) -> None:
    refused = held.asked.refusal(held.me)
    if refused is not None:
        await approvals.access(tx, caller, held.wait.id)  # who may not even see it learns nothing of it
        if refused == "four_eyes":
            raise errors.Forbidden("You asked for this yourself; somebody else has to decide.", code="four_eyes")
        raise errors.Forbidden("You are not among those who decide about this.", code="not_an_approver")
    if held.wait.state is not WaitState.OPEN:
        raise errors.WrongState("This has been decided or withdrawn already.", code="already_decided")
    if held.overdue:
        raise errors.WrongState("The time to decide about this is over.", code="approval_expired")


async def _edited(tx: Tx, held: Held, wish: Wish) -> tuple[dict[str, Any] | None, str]:
    """The arguments as this person changed them, or None, and the hash of what they decide about."""
    if wish.arguments is None:
        return None, held.arguments_hash
    # as the database gives them back, for that is what the gate hashes: 1e2 comes back as 100
    arguments: dict[str, Any] = await tx.fetchval("select $1::jsonb", wish.arguments)
    hash = arguments_hash(arguments)
    return (None if hash == held.arguments_hash else arguments), hash


def _resolution(
    held: Held, wish: Wish, outcome: Outcome, arguments: dict[str, Any] | None, hash: str
) -> dict[str, Any] | None:
    """What the turn reads once it is decided; None while it is not."""
    if outcome.state == "open":
        return None
    asks = wish.decision == "ask_back"
    resolution: dict[str, Any] = {
        "decision": wish.decision,
        "by": list(outcome.by),
        "arguments_hash": hash,
        "reason": "" if asks else wish.reason,
        "question": wish.reason if asks else "",
    }
    if hash != held.wait.arguments_hash:
        resolution["arguments"] = held.arguments if arguments is None else arguments
    return resolution


async def withdraw(db: Database, caller: Principal, wait_id: UUID) -> Approval:
    """Take a request back; the agent is told. Raises NotFound, Forbidden, WrongState (``already_decided``)."""
    async with db.tenant_tx(caller.account_id) as tx:
        held = await approvals.take(tx, caller, wait_id)
        seen = await approvals.access(tx, caller, wait_id)
        if not approvals.may_withdraw(caller, held.asked.requester):
            raise errors.Forbidden("Whoever it is for may withdraw this, or an admin.")
        closed = {
            "state": "cancelled", "user_id": caller.user_id, "actor_type": "user", "actor_id": caller.user_id,
            "event": "approval.withdrawn",
            "resolution": {
                "decision": "withdrawn", "by": [caller.user_id], "arguments_hash": seen.arguments_hash, "reason": "",
                "question": "",
            },
        }  # fmt: skip
        if not await tx.fetchval("select close_wait_v1($1, $2, $3)", caller.account_id, wait_id, closed):
            raise errors.WrongState("This has been decided or withdrawn already.", code="already_decided")
        return await approvals.access(tx, caller, wait_id)

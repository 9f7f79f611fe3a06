"""Policies made, changed, removed and brought back. Every state is kept (``policy_version``), every write stands in the
record of audit with the hashes of what was and what is (GOV-24), and none promises more than a layer above gives.

Writes of one account go one after another, so that none is checked against ceilings that change under it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import Field

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import ids, policies
from retinue.domain.accounts import Principal
from retinue.domain.audit import actor
from retinue.domain.base import Value
from retinue.domain.policies import NewPolicy, Place, PolicyChange, PolicyVersion, Remarks, Said, SavedPolicy
from retinue.store import audit, policy_checks
from retinue.store import policies as rows
from retinue.store.policies import access_row, policy, require_writer

LOCK_ACCOUNT = "select from account where id = $1 for no key update"


class Act(Value):
    """What a write is called in the record of audit, and what it says beside that."""

    event: str
    detail: dict[str, Any] = Field(default_factory=dict)


CREATE, UPDATE, DELETE = Act(event="policy.create"), Act(event="policy.update"), Act(event="policy.delete")


async def hold(tx: Tx, principal: Principal) -> None:
    """Hold the account's policies to the end of the transaction: the next writer waits."""
    await tx.execute(LOCK_ACCOUNT, principal.account_id)


# ── making ───────────────────────────────────────────────────────────────────────────────────────────────────────

COUNT = """
select count(*) from policy
where account_id = $1 and layer = $2 and team_id is not distinct from $3 and user_id is not distinct from $4
"""
INSERT = """
insert into policy (account_id, id, layer, team_id, user_id, name, type, rule, enabled, priority, version, changed_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning *
"""


async def create(tx: Tx, principal: Principal, new: NewPolicy, act: Act = CREATE) -> SavedPolicy:
    """Make a policy.

    Raises Forbidden, NotFound (the team), AlreadyExists (the name), Loosens, BadInput (nobody could approve),
    WrongState (there are too many).
    """
    await hold(tx, principal)
    return await _insert(tx, principal, new.place(principal.user_id), policies.said(new), act)


async def _insert(
    tx: Tx, principal: Principal, place: Place, said: Said, act: Act, again: tuple[UUID, int] | None = None
) -> SavedPolicy:  # fmt: skip
    """``again``: the id and the version with which a removed policy comes back."""
    await require_writer(tx, principal, place)
    account_id = principal.account_id
    if await tx.fetchval(COUNT, account_id, place.layer, place.team_id, place.user_id) >= policies.MOST:
        raise errors.WrongState(f"There are {policies.MOST} policies here already. Join some, or remove unused ones.")
    policy_id, version = again or (ids.new(), 1)
    remarks = await _checked(tx, principal, place, said, policy_id)
    with _named(said.name):
        row = await tx.fetchrow(
            INSERT, account_id, policy_id, place.layer, place.team_id, place.user_id, said.name, said.rule["type"],
            said.rule, said.enabled, said.priority, version, principal.user_id,
        )  # fmt: skip
    assert row is not None
    await _told(tx, principal, row, act, (None, said))
    return _saved(row, remarks)


# ── changing ─────────────────────────────────────────────────────────────────────────────────────────────────────

UPDATE_ROW = """
update policy set name = $3, type = $4, rule = $5, enabled = $6, priority = $7, version = version + 1, changed_by = $8,
    updated_at = clock()
where account_id = $1 and id = $2 returning *
"""


async def change(
    tx: Tx, principal: Principal, policy_id: UUID, change: PolicyChange, *, seen: int | None = None, act: Act = UPDATE
) -> SavedPolicy:
    """Change what ``change`` names. ``seen``: the version that the caller has read; so says ``change.version``, too.

    Raises what ``create`` raises, and WrongState when somebody has changed it meanwhile.
    """
    await hold(tx, principal)
    row = await access_row(tx, principal, policy_id)
    place = policy(row)
    await require_writer(tx, principal, place)
    known = (seen, change.version if "version" in change.model_fields_set else None)
    await _unchanged_since(tx, row, [one for one in known if isinstance(one, int)])
    before = rows.content(row)
    after = policies.changed(before, change)
    if after == before:
        return _saved(row, Remarks())
    stricter_to_check = after.rule != before.rule or (after.enabled and not before.enabled)
    remarks = await _checked(tx, principal, place, after, policy_id) if stricter_to_check else Remarks()
    with _named(after.name):
        row = await tx.fetchrow(
            UPDATE_ROW, principal.account_id, policy_id, after.name, after.rule["type"], after.rule, after.enabled,
            after.priority, principal.user_id,
        )  # fmt: skip
    assert row is not None
    await _told(tx, principal, row, act, (before, after))
    return _saved(row, remarks)


CHANGER = "select name from app_user where account_id = $1 and id = $2"


async def _unchanged_since(tx: Tx, row: Mapping[str, Any], seen: list[int]) -> None:
    """Raises WrongState, which says who changed it, unless it still has the version that the caller has seen."""
    if all(version == row["version"] for version in seen):
        return
    name: str | None = await tx.fetchval(CHANGER, row["account_id"], row["changed_by"])
    when = f"{row['updated_at']:%Y-%m-%d %H:%M} UTC"
    raise errors.WrongState(
        f"{name or 'Somebody'} has changed this policy to version {row['version']}, {when}. "
        "Get it again and repeat your change."
    )


# ── removing ─────────────────────────────────────────────────────────────────────────────────────────────────────

ACTING = "select set_config('retinue.acting_user', $1, true)"
REMOVE = "delete from policy where account_id = $1 and id = $2"


async def delete(
    tx: Tx, principal: Principal, policy_id: UUID, *, seen: int | None = None, act: Act = DELETE
) -> None:  # fmt: skip
    """Remove a policy; its history stays, and it can be brought back. Raises Forbidden, NotFound, WrongState."""
    await hold(tx, principal)
    row = await access_row(tx, principal, policy_id)
    await require_writer(tx, principal, policy(row))
    await _unchanged_since(tx, row, [seen] if seen is not None else [])
    await tx.execute(ACTING, str(principal.user_id))  # the trigger keeps who it was
    await tx.execute(REMOVE, principal.account_id, policy_id)
    await _told(tx, principal, row, act, (rows.content(row), None))


# ── history ──────────────────────────────────────────────────────────────────────────────────────────────────────

VERSIONS = """
select v.* from policy_version v
where v.account_id = $1 and v.policy_id = $2 and ($3::bigint is null or v.version < $3::bigint)
order by v.version desc limit $4
"""


async def history(
    tx: Tx, principal: Principal, policy_id: UUID, *, before: int | None = None, limit: int = 51
) -> list[PolicyVersion]:  # fmt: skip
    """The states it has had, newest first, also of one that is gone. Raises NotFound like ``access``."""
    await _last(tx, principal, policy_id)
    return [_version(row) for row in await tx.fetch(VERSIONS, principal.account_id, policy_id, before, limit)]


async def restore(
    tx: Tx, principal: Principal, policy_id: UUID, version: int, *, seen: int | None = None
) -> SavedPolicy:  # fmt: skip
    """Give a policy the content it had in a version; one that was removed comes back.

    Raises what ``change`` raises; NotFound (no such version), WrongState (its rule cannot be read any more).
    """
    await hold(tx, principal)
    last = await _last(tx, principal, policy_id)
    row = next(iter(await tx.fetch(VERSIONS, principal.account_id, policy_id, version + 1, 1)), None)
    if row is None or row["version"] != version:
        raise errors.NotFound(f"This policy has had no version {version}.")
    said = rows.content(row["content"])
    rule = said.read
    if rule is None:
        raise errors.WrongState("The rule of that version cannot be read any more. Write it anew.")
    act = Act(event="policy.restore", detail={"restored": version})
    if last["deleted"]:
        return await _insert(tx, principal, _place(last), said, act, again=(policy_id, last["version"] + 1))
    back = PolicyChange(name=said.name, rule=rule, enabled=said.enabled, priority=said.priority)
    return await change(tx, principal, policy_id, back, seen=seen, act=act)


async def _last(tx: Tx, principal: Principal, policy_id: UUID) -> Mapping[str, Any]:
    """The newest state of a policy that may be gone. Raises NotFound for one that is not this person's to see."""
    row = next(iter(await tx.fetch(VERSIONS, principal.account_id, policy_id, None, 1)), None)
    if row is not None and await rows.may_see(tx, principal, _place(row)):
        return row
    raise errors.NotFound("There is no such policy, or it is not yours to see.")


def _place(row: Mapping[str, Any]) -> Place:
    return Place.model_validate({name: row["content"][name] for name in Place.model_fields})


def _version(row: Mapping[str, Any]) -> PolicyVersion:
    kept = row["content"]
    return PolicyVersion(
        policy_id=row["policy_id"], version=row["version"], deleted=row["deleted"], changed_by=row["changed_by"],
        changed_at=row["changed_at"], type=kept["type"], **rows.content(kept).model_dump(),
    )  # fmt: skip


# ── the parts of a write ─────────────────────────────────────────────────────────────────────────────────────────

NOTIFY = "select notify_v1($1, 'policy', $2, $3)"


async def _checked(tx: Tx, principal: Principal, place: Place, said: Said, but: UUID) -> Remarks:
    """What to know about it. What is switched off has no effect, so nothing is asked of it (GOV-13)."""
    rule = said.read
    if rule is None:
        raise errors.WrongState("The rule of this policy cannot be read any more. Write it anew.")
    if not said.enabled:
        return Remarks()
    return await policy_checks.check(tx, principal.account_id, place, rule, but)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Two policies of one place differ in their names. Raises AlreadyExists."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise errors.AlreadyExists(f"There is a policy named “{name}” here already. Change that one.") from error


async def _told(
    tx: Tx, principal: Principal, row: Mapping[str, Any], act: Act, states: tuple[Said | None, Said | None]
) -> None:  # fmt: skip
    """Audit a write and announce it. Of a personal policy the record says that there is one, not what it is called."""
    before, after = states
    fields = policies.differences(before.model_dump() if before else None, after.model_dump() if after else None)
    detail = {
        "policy_id": row["id"], "layer": row["layer"], "team_id": row["team_id"], "user_id": row["user_id"],
        "type": row["type"], "version": row["version"] + (after is None),
        "fields": [one.path for one in fields] if before and after else [],
        "hash_before": before.digest() if before else None, "hash_after": after.digest() if after else None,
    }  # fmt: skip
    if row["layer"] != "user":
        detail["name"] = row["name"]
    await audit.append(
        tx, account_id=principal.account_id, event=act.event, actor=actor(principal), detail=detail | act.detail
    )
    await tx.execute(NOTIFY, principal.account_id, row["id"], row["user_id"])


def _saved(row: Mapping[str, Any], remarks: Remarks) -> SavedPolicy:
    return SavedPolicy(**dict(policy(row)), **dict(remarks))

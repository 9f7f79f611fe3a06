"""Policies as rows: who sees which, and who may write where. ``policy_writes`` changes them.

Everyone sees the account's, members of a team (and admins) the team's, and each person their own, which nobody else
sees, whatever the role. Admins write the account's, they and a team's leads the team's, each person their own.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import accounts, policies
from retinue.domain.accounts import Principal, Role, Scope
from retinue.domain.policies import Place, Policy, PolicyFilter, Said
from retinue.store import members

FIELDS = tuple(name for name in Policy.model_fields if name != "rule")


def policy(row: Mapping[str, Any]) -> Policy:
    """A policy from its row."""
    values = {name: row[name] for name in FIELDS}
    return Policy.model_validate(values | {"rule": policies.readable(row["rule"])})


def content(row: Mapping[str, Any]) -> Said:
    """What the policy of a row, or of a kept state, says."""
    return Said.model_validate({name: row[name] for name in Said.model_fields})


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

SEEN = """
p.account_id = $1 and (p.layer = 'account' or p.user_id = $2 or (p.layer = 'team' and ($3 or exists (
    select from member m where m.account_id = $1 and m.user_id = $2 and m.team_id = p.team_id))))
"""
ACCESS = f"select p.* from policy p where p.account_id = $1 and {SEEN} and p.id = $4"
LIST = f"""
select p.* from policy p
where {SEEN} and ($4::text is null or p.layer = $4) and ($5::uuid is null or p.team_id = $5)
  and ($6::text is null or p.type = $6) and ($7::boolean is null or p.enabled = $7) and ($8::uuid is null or p.id > $8)
order by p.id limit $9
"""


def is_admin(principal: Principal) -> bool:
    """Whether this person sees all teams' policies."""
    return accounts.at_least(principal.role, Role.ADMIN)


async def access_row(tx: Tx, principal: Principal, policy_id: UUID) -> Mapping[str, Any]:
    """One policy's row. Raises NotFound for what is not there or not this person's to see."""
    row = await tx.fetchrow(ACCESS, principal.account_id, principal.user_id, is_admin(principal), policy_id)
    if row is None:
        raise errors.NotFound("There is no such policy, or it is not yours to see.")
    return row


async def access(tx: Tx, principal: Principal, policy_id: UUID) -> Policy:
    """One policy. Raises NotFound like ``access_row``."""
    return policy(await access_row(tx, principal, policy_id))


async def list_policies(
    tx: Tx, principal: Principal, wanted: PolicyFilter, *, after: UUID | None = None, limit: int = 51
) -> list[Policy]:
    """The policies this person may see, by id."""
    rows = await tx.fetch(
        LIST, principal.account_id, principal.user_id, is_admin(principal), wanted.layer, wanted.team_id, wanted.type,
        wanted.enabled, after, limit,
    )  # fmt: skip
    return [policy(row) for row in rows]


MEMBER = "select from member where account_id = $1 and user_id = $2 and team_id = $3"


async def may_see(tx: Tx, principal: Principal, place: Place) -> bool:
    """Whether this person sees policies of this place, as ``SEEN`` says of rows."""
    match place.layer:
        case "account":
            return True
        case "team":
            team = (principal.account_id, principal.user_id, place.team_id)
            return is_admin(principal) or await tx.fetchrow(MEMBER, *team) is not None
        case "user":
            return place.user_id == principal.user_id


# ── who may write ────────────────────────────────────────────────────────────────────────────────────────────────

TEAM = "select from team where account_id = $1 and id = $2"


async def require_writer(tx: Tx, principal: Principal, place: Place) -> None:
    """Passes for those who may write policies in this place. Raises Forbidden, NotFound (the team, the person)."""
    match place.layer:
        case "account":
            require_admin(principal)
        case "team":
            if await tx.fetchrow(TEAM, principal.account_id, place.team_id) is None:
                raise errors.NotFound("There is no such team.")
            await members.access_team(tx, principal, place.team_id)
        case "user":
            if place.user_id != principal.user_id:
                raise errors.NotFound("There is no such policy, or it is not yours to see.")


def require_admin(principal: Principal) -> None:
    """Raises Forbidden unless this is an admin, with a key that says so."""
    if not is_admin(principal):
        raise errors.Forbidden("This takes an admin or owner of the account.")
    if Scope.ADMIN not in principal.scopes:
        raise errors.Forbidden("This API key lacks the scope admin. Make one that has it.")

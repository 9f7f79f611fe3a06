"""What is looked at before a policy is written: whether a layer above gives less than it promises, whether anybody
could answer what it asks, and what its writer should know beside that. Writes nothing."""

from collections.abc import Iterable
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import approvals, ceilings, policies
from retinue.domain.accounts import RANK, Role
from retinue.domain.approvals import Person
from retinue.domain.policies import Exceeding, Place, Policy, Remarks
from retinue.domain.roles import WorkerRole
from retinue.domain.rule_approval import ApprovalRule
from retinue.domain.rule_base import RuleType
from retinue.domain.rule_content import ContentRule
from retinue.domain.rule_limits import CostRule
from retinue.domain.rules import Rule
from retinue.domain.verdicts import Ask, Panel
from retinue.store.policies import policy

ABOVE = """
select p.* from policy p
where p.account_id = $1 and p.enabled and p.type = $2 and p.id is distinct from $3 and (p.layer = 'account'
    or p.team_id in (select m.team_id from member m where m.account_id = $1 and m.user_id = $4))
order by p.layer, p.priority, p.id
"""
BELOW = """
select p.* from policy p
where p.account_id = $1 and p.enabled and p.type = $2 and p.id is distinct from $3 and (
    ($4::uuid is null and p.layer <> 'account')
    or p.user_id in (select m.user_id from member m where m.account_id = $1 and m.team_id = $4))
order by p.layer, p.priority, p.id limit 5000
"""


async def check(tx: Tx, account_id: UUID, place: Place, rule: Rule, but: UUID | None) -> Remarks:
    """What the writer of this rule should know. ``but``: the policy that it replaces.

    Raises Loosens (a layer above gives less), BadInput (nobody could approve).
    """
    met = policies.met(rule, await _above(tx, account_id, place, rule, but))
    warnings = await _routes(tx, account_id, rule)
    if met is not None and not isinstance(rule, CostRule):
        raise loosens(*met)
    if met is not None:  # a limit of cost above a higher one is taken: the lower of both holds (CON-32)
        warnings.append(f"This {met[1]} ({named(met[0])}). The lower limit holds.")
    remarks = await _remarks(tx, account_id, place, rule, but)
    return remarks.model_copy(update={"warnings": tuple(warnings)})


async def check_role(tx: Tx, account_id: UUID, role: WorkerRole) -> None:
    """Raises Loosens for a role that allows tools by name which a policy of the account does not give (GOV-08)."""
    above = [policy(row) for row in await tx.fetch(ABOVE, account_id, RuleType.TOOL, None, None)]
    for ceiling in above:
        words = ceilings.role_meets(role, ceiling.rule) if ceiling.rule is not None else None
        if words is not None:
            raise loosens(ceiling, words, "body.scope.tools_allow")


def loosens(ceiling: Policy, words: str, path: str = "body.rule") -> errors.Loosens:
    """The refusal that names the ceiling: its layer, its name, and what it does not give (GOV-08)."""
    detail = f"This would loosen {named(ceiling)}: it {words}. Ask for less, or have that policy changed first."
    return errors.Loosens(detail, errors=[{"path": path, "reason": f"{words} ({named(ceiling)})"}])


def named(ceiling: Policy) -> str:
    """A policy by its layer and name, in words."""
    return f"the {ceiling.layer}'s policy “{ceiling.name}”"


async def _above(tx: Tx, account_id: UUID, place: Place, rule: Rule, but: UUID | None) -> list[Policy]:
    if place.layer == "account":
        return []
    return [policy(row) for row in await tx.fetch(ABOVE, account_id, rule.type, but, place.user_id)]


async def _remarks(tx: Tx, account_id: UUID, place: Place, rule: Rule, but: UUID | None) -> Remarks:
    """The policies below that promise more: a team's by name, a person's own only by their number."""
    if place.layer == "user":
        return Remarks()
    below = [policy(row) for row in await tx.fetch(BELOW, account_id, rule.type, but, place.team_id)]
    found = policies.exceeding(rule, below)
    named = tuple(
        Exceeding(policy_id=one.id, layer=one.layer, team_id=one.team_id, name=one.name, detail=words)
        for one, words in found
        if one.layer == "team"
    )
    people = {one.user_id for one, _ in found if one.layer == "user"}
    return Remarks(ceilings=named, personal_ceilings=len(people))


# ── who could answer ─────────────────────────────────────────────────────────────────────────────────────────────

CANDIDATES = """
with leads as (
    select t.user_id from member t where t.account_id = $1 and t.team_id is not null and t.role <> 'member')
select u.id as user_id,
    case when m.role = 'member' and u.id in (select user_id from leads) then 'lead' else m.role end as role
from app_user u join member m on m.account_id = $1 and m.user_id = u.id and m.team_id is null
where u.account_id = $1 and u.status = 'active'
  and (m.role = any($2) or u.id = any($3) or ($4 and u.id in (select user_id from leads)))
limit 50
"""  # more than any quorum; whoever leads a team is a lead for what happens there


async def require_answerable(tx: Tx, account_id: UUID, ask: Ask, path: str) -> list[str]:
    """What to know about those who would be asked. Raises BadInput when nobody could ever answer (lesson 20)."""
    people: dict[UUID, Person] = {}
    for panel in ask.panels:
        roles = [role for role in Role if panel.role is not None and RANK[role] >= RANK[panel.role]]
        found = await tx.fetch(CANDIDATES, account_id, roles, list(panel.users), Role.LEAD in roles)
        people |= {row["user_id"]: Person(user_id=row["user_id"], role=row["role"]) for row in found}
    missing = approvals.unroutable(ask, people.values())
    if missing:
        listed = [{"path": f"{path}.{one['path']}", "reason": one["reason"]} for one in missing]
        words = "Name people who are here, or a role that somebody has: what this asks about would wait for nobody."
        raise errors.BadInput(words, code="unroutable", errors=listed)
    return [
        "Only as many as have to agree could answer, and none of them for themselves: what they ask for themselves "
        "waits in vain."
        for panel in ask.panels
        if panel.four_eyes and _admitted(panel, people.values()) == panel.quorum
    ]


def _admitted(panel: Panel, people: Iterable[Person]) -> int:
    return sum(one.role is not None and panel.admits(one.user_id, one.role, None) for one in people)


async def _routes(tx: Tx, account_id: UUID, rule: Rule) -> list[str]:
    if isinstance(rule, ApprovalRule) or (isinstance(rule, ContentRule) and rule.then == "ask"):
        return await require_answerable(tx, account_id, rule.ask, "body.rule.ask")
    return []

"""Reading budgets: the meters of the limits of cost, as of the periods that run now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from retinue.db.pool import Tx
from retinue.domain import budgets, meters
from retinue.domain.accounts import Principal, Role, at_least
from retinue.domain.budgets import Budget
from retinue.domain.rule_limits import CostRule

POLICIES = """
select p.id, p.name, p.layer, p.team_id, p.user_id, p.rule from policy p
where p.account_id = $1 and p.type = 'cost_limit' and p.enabled and ($2::uuid is null or p.id = $2)
order by p.priority, p.id
"""
MINE = """
select m.team_id, m.role from member m where m.account_id = $1 and m.user_id = $2 and m.team_id is not null
"""
# what one subject has spent stands in its meter; before the first call under a limit, in what the meter will begin with
USED = """
select w.place, m.subject, coalesce(m.spent, 0) as spent, coalesce(m.reserved, 0) as reserved,
    coalesce(m.warned, 0) as warned,
    coalesce((select a.name from account a where a.id = m.subject),
             (select t.name from team t where t.account_id = $1 and t.id = m.subject),
             (select u.name from app_user u where u.account_id = $1 and u.id = m.subject),
             (select g.name from agent g where g.account_id = $1 and g.id = m.subject)) as subject_name
from unnest($2::uuid[], $3::timestamptz[], $4::uuid[], $5::boolean[]) with ordinality
    as w (policy_id, starts_at, alone, whole, place)
left join lateral (
    select x.subject, x.spent, x.reserved, x.warned from meter x
    where x.account_id = $1 and x.policy_id = w.policy_id and x.starts_at = w.starts_at and x.kind = 'budget'
      and (w.whole or x.subject = any($6::uuid[]))
    union all
    select w.alone, meter_seed_v1($1, w.policy_id, w.alone, w.starts_at, 'budget'), 0, 0
    where w.alone is not null and not exists (select from meter x where x.account_id = $1
        and x.policy_id = w.policy_id and x.subject = w.alone and x.starts_at = w.starts_at)) m on true
where w.whole or m.subject is not null
order by w.place, m.spent desc nulls last, m.subject
offset $7 limit $8
"""


async def list_budgets(
    tx: Tx, principal: Principal, now: datetime, *, policy_id: UUID | None = None, offset: int = 0, limit: int = 51
) -> list[Budget]:
    """Every limit of cost by whom it counts, most spent first. Admins see all of the account's and teams'; leads all of
    their team's; everyone one's own, and what counts for oneself or one's teams (COST-17)."""
    admin = at_least(principal.role, Role.ADMIN)
    teams = {row["team_id"]: row["role"] for row in await tx.fetch(MINE, principal.account_id, principal.user_id)}
    known: list[tuple[Any, CostRule]] = []
    whole: list[bool] = []
    for row in await tx.fetch(POLICIES, principal.account_id, policy_id):
        rule = _rule(row["rule"])
        if rule is None or (row["user_id"] is not None and row["user_id"] != principal.user_id):
            continue
        known.append((row, rule))
        whole.append(admin or row["user_id"] is not None or teams.get(row["team_id"]) == Role.LEAD)
    mine = [principal.user_id, *teams]
    starts = [meters.period_start(rule.period, now, rule.time_zone) for _, rule in known]
    alone = [
        _alone(principal, row, rule) if every or _alone(principal, row, rule) in mine else None
        for (row, rule), every in zip(known, whole, strict=True)
    ]
    ids = [row["id"] for row, _ in known]
    rows = await tx.fetch(USED, principal.account_id, ids, starts, alone, whole, mine, offset, limit)
    found: list[Budget] = []
    for row in rows:
        place: int = row["place"]
        policy, rule = known[place - 1]
        found.append(budgets.budget(policy, rule, row, now))
    return found


def _rule(rule: Any) -> CostRule | None:
    try:
        return CostRule.model_validate(rule)
    except ValidationError:
        return None


def _alone(principal: Principal, policy: Mapping[str, Any], rule: CostRule) -> UUID | None:
    """The one subject that a limit has, where it has one alone."""
    match rule.per:
        case "account":
            found: UUID | None = principal.account_id
        case "team":
            found = policy["team_id"]
        case "user" if policy["user_id"] is not None:
            found = principal.user_id
        case _:
            found = None
    return found

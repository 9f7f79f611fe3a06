"""The check at start, over all accounts: whether an agent, a tool, a role or a restriction is outside the rules
(REG-10, REG-20). It reads names only, as ``retinue_system``, and changes nothing.
"""

from collections.abc import Sequence

from retinue.db.pool import Tx
from retinue.domain import boot
from retinue.domain.agents import TRUST_RANK
from retinue.domain.boot import Finding
from retinue.domain.tools import ToolSpec

MOST = 20
"""Findings of one kind that are told."""

# cross-tenant: for the operator; slugs of accounts, agents and tools
UNREGISTERED = """
select c.slug as account, a.slug from agent a join account c on c.id = a.account_id
where a.deleted_at is null and a.origin <> 'trial'
  and not exists (select from agent_registry r where r.account_id = a.account_id and r.agent_id = a.id)
order by 1, 2 limit $1
"""
# cross-tenant: as above
UNKNOWN_TOOLS = """
select c.slug as account, a.slug, t.tool from agent_tool t
join agent a on a.account_id = t.account_id and a.id = t.agent_id join account c on c.id = t.account_id
where t.enabled and t.tool <> all ($2::text[]) and a.deleted_at is null and a.origin <> 'trial'
  and not exists (select from tool x where x.account_id = t.account_id and x.slug = t.tool)
order by 1, 2, 3 limit $1
"""
# cross-tenant: as above. One level above the agent's own a person may approve it (CON-09); two are never allowed.
OUT_OF_REACH = """
with rank as (select level, rank from unnest($4::text[], $5::int[]) r (level, rank)),
code as (select slug, needed from unnest($2::text[], $3::text[]) s (slug, needed)),
has as (
    select t.account_id, t.agent_id, t.tool, coalesce(k.needed, x.trust_level_required) as needed from agent_tool t
    left join code k on k.slug = t.tool
    left join tool x on k.slug is null and x.account_id = t.account_id and x.slug = t.tool
    where t.enabled)
select c.slug as account, a.slug, h.tool, h.needed, a.trust_level from has h
join agent a on a.account_id = h.account_id and a.id = h.agent_id join account c on c.id = h.account_id
join rank n on n.level = h.needed join rank o on o.level = a.trust_level
where n.rank > o.rank + 1 and a.deleted_at is null and a.origin <> 'trial'
order by 1, 2, 3 limit $1
"""
# cross-tenant: as above. Restrictions are kept by canonical slug, and may name other agents (DEL-28).
UNKNOWN_RESTRICTIONS = """
select distinct c.slug as account, a.slug, k.tool from agent_assignment s
cross join lateral jsonb_object_keys(s.tool_restrictions) k (tool)
join agent a on a.account_id = s.account_id and a.id = s.agent_id join account c on c.id = s.account_id
where k.tool <> all ($2::text[]) and a.deleted_at is null
  and not exists (select from tool x where x.account_id = s.account_id and x.slug = k.tool)
  and not exists (select from agent_tool t where t.account_id = s.account_id and t.agent_id = s.agent_id
                  and t.tool = k.tool)
  and not exists (select from agent x where x.account_id = s.account_id and replace(x.slug, '-', '_') = k.tool)
order by 1, 2, 3 limit $1
"""
# cross-tenant: as above
ROLES = """
select c.slug as account, w.name, w.scope,
    array(select x.slug from tool x where x.account_id = w.account_id) as registered
from worker_role w join account c on c.id = w.account_id
where jsonb_typeof(w.scope -> 'tools_allow') = 'array' or jsonb_array_length(w.scope -> 'tools_deny') > 0
order by 1, 2 limit 1000
"""


async def findings(tx: Tx, specs: Sequence[ToolSpec]) -> list[Finding]:
    """Everything that is outside the rules, the gravest first. ``specs``: the tools that code declares."""
    slugs = [spec.slug for spec in specs]
    trust = [spec.trust.value for spec in specs]
    levels, ranks = [level.value for level in TRUST_RANK], list(TRUST_RANK.values())
    found = boot.undeclared(specs)
    found += [boot.unregistered(row) for row in await tx.fetch(UNREGISTERED, MOST)]
    found += [boot.out_of_reach(row) for row in await tx.fetch(OUT_OF_REACH, MOST, slugs, trust, levels, ranks)]
    found += [boot.unknown_tool(row) for row in await tx.fetch(UNKNOWN_TOOLS, MOST, slugs)]
    found += [boot.unknown_restriction(row) for row in await tx.fetch(UNKNOWN_RESTRICTIONS, MOST, slugs)]
    for row in await tx.fetch(ROLES):
        found += boot.of_role(row, {*slugs, *row["registered"]})
    return found

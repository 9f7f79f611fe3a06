"""Numbers about the whole installation, for operators: queue, open interactions, nodes, migrations. Cross-tenant
counts only, never content; runs as ``retinue_system``."""

import functools
from typing import Any

from retinue.db import migrate
from retinue.db.pool import Tx

QUEUE = """
select status::text as state, count(*)::bigint as entries,
       coalesce(extract(epoch from max(now() - execute_after)
                        filter (where status = 'queued' and execute_after < now())), 0)::float8 as age
from queue.pgqueuer group by status
"""
# cross-tenant: counts of the whole installation, for its operator
OPEN = """
select state, count(*)::bigint as entries from interaction where state in ('queued', 'running') group by state
"""
# cross-tenant: as above
WAITS = "select count(*)::bigint from wait where state = 'open'"
# cross-tenant: as above; from the mark on there are only lines that wait for their seal
UNSEALED = """
select coalesce(extract(epoch from clock() - min(at)), 0)::float8 from audit_event
where tx >= (select upto from audit_mark)
"""
NODES = "select count(*)::bigint from node where state <> 'down'"


async def read(tx: Tx) -> dict[str, Any]:
    """``{"queue": {state: count}, "queue_age": seconds, "interactions": {state: count}, "waits": n, "nodes": n,
    "audit_age": seconds that the oldest line of audit waits for its seal}``.

    Every count is of a partial index, so it does not grow with history.
    """
    entries = await tx.fetch(QUEUE)
    queue = {"queued": 0, "picked": 0} | {row["state"]: row["entries"] for row in entries}
    turns = {"queued": 0, "running": 0} | {row["state"]: row["entries"] for row in await tx.fetch(OPEN)}
    age = max((row["age"] for row in entries), default=0.0)
    waits, up = await tx.fetchval(WAITS), await tx.fetchval(NODES)
    unsealed = await tx.fetchval(UNSEALED)
    return {
        "queue": queue,
        "queue_age": age,
        "interactions": turns,
        "waits": waits,
        "nodes": up,
        "audit_age": unsealed,
    }


@functools.cache
def _known() -> frozenset[int]:
    return frozenset(migrate.number(name) for name, _ in migrate.files())


async def migrations_missing(tx: Tx) -> int:
    """How many migrations this Retinue knows and the database lacks."""
    return len(_known() - {row["version"] for row in await tx.fetch("select version from migration")})


# cross-tenant: as above
FACTS = """
select current_setting('server_version') as version, clock_timestamp() as now,
       (select extversion from pg_extension where extname = 'vector') as vector,
       (select coalesce(array_agg(r.rolname::text order by r.rolname), '{}') from pg_roles r
        where r.rolname in ('retinue_app', 'retinue_system')
          and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb
               or exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                          where n.nspname = 'retinue' and c.relowner = r.oid))) as strong_roles,
       (select coalesce(array_agg(c.relname::text order by c.relname), '{}')
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'retinue' and c.relkind = 'r' and not (c.relrowsecurity and c.relforcerowsecurity)
          and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'account_id'
                      and not a.attisdropped)) as open_tables,
       (select count(*)::bigint from interaction where dead_letter) as dead_letters,
       pg_database_size(current_database()) as bytes
"""


async def facts(tx: Tx) -> dict[str, Any]:
    """What ``retinue doctor`` judges: version, time, pgvector, roles that are too strong, tables without forced
    row-level security, dead letters, size in bytes."""
    row = await tx.fetchrow(FACTS)
    return dict(row) if row is not None else {}

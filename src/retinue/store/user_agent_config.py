"""What a person sets about an agent for themselves; ROL-02's userAgentConfig.get and userAgentConfig.upsert.

Always the caller's own: there is no way to name somebody else's. Credentials are sealed like the account's secrets,
each bound to its account, person, agent and name, and are never given back.
"""

import base64
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import ids
from retinue.domain import user_agent_config as rules
from retinue.domain.accounts import Principal
from retinue.domain.audit import actor
from retinue.domain.user_agent_config import Overrides, Personal, UserAgentConfig, UserAgentConfigChange
from retinue.store import agents, audit
from retinue.store.secrets import Sealer

GET = """
select preferences, overrides, updated_at, array(select jsonb_object_keys(credentials) order by 1) as credentials
from user_agent_config where account_id = $1 and user_id = $2 and agent_id = $3
"""


async def get(tx: Tx, principal: Principal, agent_id: UUID) -> UserAgentConfig:
    """What the caller has set; empty where they have not. Raises NotFound for an agent out of their reach."""
    await agents.access_agent(tx, principal, agent_id)
    row = await tx.fetchrow(GET, principal.account_id, principal.user_id, agent_id)
    if row is None:
        return UserAgentConfig(
            agent_id=agent_id, preferences={}, overrides=Overrides(), credentials=(), updated_at=None
        )
    return UserAgentConfig(
        agent_id=agent_id,
        preferences=row["preferences"],
        overrides=Overrides.model_construct(**Overrides().model_dump() | row["overrides"]),
        credentials=tuple(row["credentials"]),
        updated_at=row["updated_at"],
    )


UPSERT = """
insert into user_agent_config as c (account_id, user_id, agent_id, preferences, overrides, credentials, revision)
values ($1, $2, $3, coalesce($4::jsonb, '{}'), coalesce($5::jsonb, '{}'), $6, $8)
on conflict (account_id, user_id, agent_id) do update set
    preferences = coalesce($4, c.preferences), overrides = coalesce($5, c.overrides),
    credentials = (c.credentials || excluded.credentials) - $7::text[],
    revision = case when $4 is null and $5 is null then c.revision else excluded.revision end, updated_at = clock()
returning (select count(*) from jsonb_object_keys(credentials)) as credentials
"""


async def upsert(
    tx: Tx, sealer: Sealer | None, principal: Principal, agent_id: UUID, change: UserAgentConfigChange
) -> UserAgentConfig:
    """Set the parts that ``change`` names. ``sealer`` is needed for credentials only. Raises NotFound, BadInput."""
    await agents.access_agent(tx, principal, agent_id)
    body = change.model_dump(mode="json", exclude_unset=True)
    if not body:
        return await get(tx, principal, agent_id)
    given: dict[str, str | None] = body.get("credentials", {})
    forgotten = [name for name, value in given.items() if value is None]
    mine = (principal.account_id, principal.user_id, agent_id)
    stored: dict[str, str] = {}
    for name, value in given.items():
        if value:
            assert sealer is not None, "credentials need a sealer"
            stored[name] = await seal(tx, sealer, mine, name, value)
    overrides = body.get("overrides")
    if overrides is not None:
        overrides = {name: value for name, value in overrides.items() if value is not None}
    count = await tx.fetchval(UPSERT, *mine, body.get("preferences"), overrides, stored, forgotten, ids.new())
    if count > rules.MOST_CREDENTIALS:
        reason = f"there would be {count}, at most {rules.MOST_CREDENTIALS} are kept: forget some with null"
        raise errors.BadInput("Too many credentials.", errors=[{"path": "body.credentials", "reason": reason}])
    detail = {"fields": sorted(body), "stored": sorted(stored), "forgotten": sorted(forgotten)}
    await _audited(tx, principal, agent_id, "user_agent_config.upsert", detail)
    return await get(tx, principal, agent_id)


async def seal(tx: Tx, sealer: Sealer, mine: tuple[UUID, UUID, UUID], name: str, value: str) -> str:
    """A credential as it is stored. ``mine``: account, person, agent."""
    account_id, user_id, agent_id = mine
    return base64.b64encode(await sealer.seal(tx, account_id, bound_name(user_id, agent_id, name), value)).decode()


def unpacked(stored: str) -> bytes:
    """The sealed bytes of a stored credential; none when it is not one."""
    try:
        return base64.b64decode(stored, validate=True)
    except ValueError:
        return b""


def bound_name(user_id: UUID, agent_id: UUID, name: str) -> str:
    """What a sealed credential is bound to beside its account; no secret of the account is named so."""
    return f"user_agent_config/{user_id}/{agent_id}/{name}"


DELETE = """
delete from user_agent_config where account_id = $1 and user_id = $2 and agent_id = $3 returning agent_id
"""


async def delete(tx: Tx, principal: Principal, agent_id: UUID) -> None:
    """Forget all of it, also of an agent that is out of reach by now. Raises NotFound for one that is and has none."""
    gone = await tx.fetchval(DELETE, principal.account_id, principal.user_id, agent_id)
    if gone is None:
        await agents.access_agent(tx, principal, agent_id)
        return
    await _audited(tx, principal, agent_id, "user_agent_config.delete", {})


async def _audited(tx: Tx, principal: Principal, agent_id: UUID, event: str, detail: dict[str, Any]) -> None:
    line = {"agent_id": agent_id, **detail}
    await audit.append(tx, account_id=principal.account_id, event=event, actor=actor(principal), detail=line)


PERSONAL = """
select revision, preferences, overrides from user_agent_config
where account_id = $1 and user_id = $2 and agent_id = $3
"""


async def personal(tx: Tx, account_id: UUID, user_id: UUID, agent_id: UUID) -> Personal | None:
    """What a turn of this person would run on now. Only for that person."""
    row = await tx.fetchrow(PERSONAL, account_id, user_id, agent_id)
    return None if row is None else Personal.model_validate(dict(row))

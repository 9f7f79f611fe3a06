"""What may be installed from the catalogue, and installing it: agent.installFromCatalog of ROL-02.

The catalogue is the installation's, filled at start by ``catalog.load``; an installed agent is the account's own and
may be changed in every way. A newer template does not spread by itself (CON-39).
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain.accounts import Principal
from retinue.domain.agents import Agent, CatalogEntry, DeploymentState, NewAgent, ToolChoice
from retinue.store import agents
from retinue.store.agents import Source

COLUMNS = ", ".join(CatalogEntry.model_fields)
LIST = f"select {COLUMNS} from agent_catalog where $1::text is null or slug > $1 order by slug limit $2"
GET = f"select {COLUMNS} from agent_catalog where slug = $1"


async def list_entries(tx: Tx, *, after: str | None = None, limit: int = 51) -> list[CatalogEntry]:
    """Templates by slug, after the slug ``after``."""
    return [_entry(row) for row in await tx.fetch(LIST, after, limit)]


async def get(tx: Tx, slug: str) -> CatalogEntry:
    """One template. Raises NotFound."""
    row = await tx.fetchrow(GET, slug)
    if row is None:
        raise errors.NotFound("The catalogue has no entry of that slug.")
    return _entry(row)


def _entry(row: Mapping[str, Any]) -> CatalogEntry:
    return CatalogEntry.model_validate(dict(row))


async def install(
    tx: Tx, principal: Principal, slug: str, *, agent_slug: str | None = None, agent_id: UUID | None = None
) -> Agent:
    """An agent with the template's defaults, linked to it (AGT-04), of origin built_in (CON-38), active at once.

    ``agent_slug`` is for a second one of the same template. Raises Forbidden, NotFound, AlreadyExists.
    """
    entry = await get(tx, slug)
    manifest = entry.manifest
    new = NewAgent.model_validate(
        {
            "name": entry.name,
            "slug": agent_slug or entry.slug,
            "description": manifest.get("description", ""),
            **{key: manifest[key] for key in ("accent_colour", "avatar", "limits", "context") if manifest.get(key)},
            "system_prompt": entry.default_system_prompt,
            "model": entry.default_model,
            "trust_level": entry.default_trust_level,
            "default_trigger_mode": entry.default_trigger_mode,
            "deployment_state": DeploymentState.ACTIVE,
            "delegation_set": manifest.get("delegates", ()),
            "tools": [ToolChoice(tool=name) for name in entry.default_tool_ids],
        }
    )
    source = Source(origin="built_in", catalog_slug=entry.slug)
    return await agents.create(tx, principal, new, agent_id=agent_id, source=source)

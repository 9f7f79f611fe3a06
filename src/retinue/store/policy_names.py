"""The names of agents, channels, teams and people, for what stands as text: from a name to its id, and back."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from retinue.db.pool import Tx
from retinue.domain import ids
from retinue.domain.policy_documents import PREFIX, Named, Noun, Reference, as_id

BY_NAME: Mapping[Noun, str] = {
    "agent": "select slug as name, id from agent where account_id = $1 and slug = any($2) and deleted_at is null "
    "and origin <> 'trial'",
    "channel": "select slug as name, id from channel where account_id = $1 and slug = any($2)",
    "user": "select lower(email) as name, id from app_user where account_id = $1 and lower(email) = any($2)",
}
BY_ID: Mapping[Noun, str] = {
    "agent": "select slug as name, id from agent where account_id = $1 and id = any($2) and deleted_at is null",
    "channel": "select slug as name, id from channel where account_id = $1 and id = any($2) and slug is not null",
    "user": "select email as name, id from app_user where account_id = $1 and id = any($2)",
}
TEAMS = "select id, slug from team where account_id = $1 and slug = any($2)"
TEAMS_BY_ID = "select id, slug from team where account_id = $1 and id = any($2)"


async def inside(tx: Tx, account_id: UUID, said: Iterable[Reference]) -> Named:
    """The TypeID for each name that is known; what is an id already is left out."""
    found: dict[tuple[Noun, str], str] = {}
    for noun, texts in _by_noun(said).items():
        names = {text: text.lower() if noun == "user" else text for text in texts if as_id(noun, text) is None}
        rows = await tx.fetch(BY_NAME[noun], account_id, list(names.values())) if names else []
        known = {row["name"]: ids.encode(PREFIX[noun], row["id"]) for row in rows}
        found |= {(noun, text): known[name] for text, name in names.items() if name in known}
    return found


async def outside(tx: Tx, account_id: UUID, said: Iterable[Reference]) -> Named:
    """The name for each id that has one."""
    found: dict[tuple[Noun, str], str] = {}
    for noun, texts in _by_noun(said).items():
        known = {inner: text for text in texts if (inner := as_id(noun, text)) is not None}
        rows = await tx.fetch(BY_ID[noun], account_id, list(known)) if known else []
        found |= {(noun, known[row["id"]]): row["name"] for row in rows}
    return found


def _by_noun(said: Iterable[Reference]) -> dict[Noun, set[str]]:
    found: dict[Noun, set[str]] = {}
    for one in said:
        found.setdefault(one.noun, set()).add(one.text)
    return found


async def teams(tx: Tx, account_id: UUID, slugs: Iterable[str]) -> dict[str, UUID]:
    """The teams of these slugs."""
    return {row["slug"]: row["id"] for row in await tx.fetch(TEAMS, account_id, list(slugs))}


async def team_slugs(tx: Tx, account_id: UUID, team_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The slugs of these teams."""
    return {row["id"]: row["slug"] for row in await tx.fetch(TEAMS_BY_ID, account_id, list(team_ids))}

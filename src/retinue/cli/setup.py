"""What a first run leaves behind: the first account and its people, a sign-in link, and the CLI's own key."""

import json
from pathlib import Path
from typing import Any

from retinue import app, errors
from retinue.api import sessions as pages
from retinue.api.auth import Verifier
from retinue.cli import place
from retinue.db.pool import Database
from retinue.domain.accounts import Bootstrapped, NewKey, Scope
from retinue.store import accounts, keys, sessions

ALL = tuple(Scope)
CLI_KEY, INIT_KEY = "cli", "init"


async def sign_in_link(db: Database, first: Bootstrapped, url: str) -> str:
    """A one-time link that signs the owner in, good for a quarter of an hour."""
    async with db.tenant_tx(first.account.id) as tx:
        link = await sessions.create_link(tx, first.account.id, first.owner.id)
    return pages.link_url(url, link.token)


async def make_key(db: Database, first: Bootstrapped, name: str) -> str:
    """A new key of the owner, for everything."""
    async with db.tenant_tx(first.account.id) as tx:
        made = await keys.create(tx, first.account.id, first.owner.id, NewKey(name=name, scopes=ALL))
    return made.secret


async def init_key(db: Database, first: Bootstrapped, *, again: bool) -> str | None:
    """The key that ``init`` prints: made once, and never shown again; another one only ``again``."""
    async with db.tenant_tx(first.account.id) as tx:
        known = await keys.list_keys(tx, first.account.id, user_id=first.owner.id, limit=1000)
    if not again and any(key.name == INIT_KEY and key.revoked_at is None for key in known):
        return None
    return await make_key(db, first, INIT_KEY)


async def save_credential(db: Database, home: Path, first: Bootstrapped, url: str) -> None:
    """Keep ``cli.json`` good: the address, a key that works, and where to chat. Readable for this user only."""
    path = home / place.FILE
    saved = _read(path)
    key = saved.get("api_key")
    if key is None or not await _works(db, key, first):
        key = await make_key(db, first, CLI_KEY)
    plain = first.model_dump(mode="json")
    wanted = {
        "url": url,
        "api_key": key,
        "account_id": plain["account"]["id"],
        "agent": first.agent.slug,
        "agent_id": plain["agent"]["id"],
        "agent_name": first.agent.name,
        "channel_id": plain["private_channel"]["id"],
    }
    if wanted != saved:
        app.write_private(path, json.dumps(wanted, indent=2) + "\n")


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found


async def _works(db: Database, key: str, first: Bootstrapped) -> bool:
    """Whether the key opens this account, for everything: one made before a scope was there is made anew."""
    try:
        principal = await Verifier(db).verify(key)
    except errors.NotSignedIn:
        return False
    return principal.account_id == first.account.id and set(ALL) <= set(principal.scopes)


async def bootstrap(db: Database) -> Bootstrapped:
    """The first account, owner, organisation channel and Assistant: made once, found ever after."""
    return await accounts.bootstrap(db)

"""The passwords of the roles the application connects as, while the installation goes over to another secret key.

They are derived from the secret key, so every node knows them. A new key becomes theirs only when ``retinue secrets
rotate`` says so: until then nodes that know the new key alone, or the old one alone, must not lock each other out.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg

REFUSED = asyncpg.InvalidAuthorizationSpecificationError


class Door:
    """Opens connections with the first of some URLs that the server lets in: one database, one role, several passwords.

    The one that was let in is tried first from then on.
    """

    def __init__(self, urls: str | Sequence[str]) -> None:
        self._urls = [urls] if isinstance(urls, str) else list(dict.fromkeys(urls))

    async def open(self, *_: Any, **options: Any) -> Any:
        """A connection (``connect`` of a pool). Raises what asyncpg raises; where none is let in, of the first URL."""
        refusal: Exception | None = None
        for url in tuple(self._urls):
            try:
                connection = await asyncpg.connect(url, **options)
            except REFUSED as error:
                refusal = refusal or error
                continue
            self._urls.remove(url)
            self._urls.insert(0, url)
            return connection
        assert refusal is not None
        raise refusal


async def lets_in(urls: Sequence[str]) -> bool:
    """Whether the server takes one of these. Raises what asyncpg raises for anything but a refusal."""
    try:
        connection = await Door(urls).open(statement_cache_size=0)
    except REFUSED:
        return False
    await connection.close()
    return True

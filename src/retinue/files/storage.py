"""What every storage does, and which one the setting ``RETINUE_FILES`` names. All three pass the same tests.

A storage keeps bytes under a blob's path and decides nothing: not who may read, not what may go. ``put`` returns once
the bytes would survive a crash; what is half written is never read, as no row speaks of it yet.
"""

from collections.abc import AsyncIterator
from typing import Protocol

from retinue.files.contents import Content
from retinue.store.blobs import Blob


class Storage(Protocol):
    """One place for bytes. Everything raises ``StorageDown`` when the place does not answer."""

    kind: str
    place: str
    """Words for the operator; no secret."""

    async def put(self, blob: Blob, content: Content) -> None:
        """Keep the content; again is harmless."""
        ...

    def read(self, blob: Blob, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from ``start`` to ``end``, both included. Raises ``StorageDown`` when they are not there."""
        ...

    async def delete(self, blob: Blob) -> None:
        """Delete it; harmless when it is not there."""
        ...

    async def close(self) -> None: ...

"""What sealed values and wrapped data keys look like, and what they are bound to. No cipher is here, and no key.

Envelope encryption: a value is sealed with the data key of its account, the data key is wrapped by a key-encryption key
that the database never holds (``store.wrapping``). A sealed value is::

    magic (8 bytes) · id of the data key (16) · nonce (12) · AES-256-GCM ciphertext with its tag

A value without the magic is older: nonce and ciphertext, sealed directly with the installation's key.
"""

from dataclasses import dataclass, field
from uuid import UUID

MAGIC = b"RTN\0sv1\0"
"""``sealed_with_v1`` in the database knows it, too."""
KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
HEAD = len(MAGIC) + 16
LEAST = HEAD + NONCE_BYTES + TAG_BYTES
KMS = "kms:"
"""What ids of keys begin with that a key management service holds."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Which data key it is. A wrapped key that was moved to another account or row does not open."""

    account_id: UUID
    data_key_id: UUID

    def bytes(self, wrapped_by: str) -> bytes:
        """As associated data of the wrapping, together with the id of the key that wraps."""
        return b"retinue data key 1" + self.account_id.bytes + self.data_key_id.bytes + wrapped_by.encode()

    def context(self) -> dict[str, str]:
        """As a key management service takes it: its encryption context or associated data."""
        return {
            "account_id": str(self.account_id),
            "data_key_id": str(self.data_key_id),
            "purpose": "retinue data key 1",
        }


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key as it may be stored. ``by``: the id of the key that wrapped it, ``local:...`` or ``kms:...``."""

    by: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DataKey:
    """A row of ``data_key``."""

    binding: Binding
    wrapped: Wrapped


def bound(account_id: UUID, data_key_id: UUID, name: str) -> bytes:
    """The associated data of a value: a row moved to another account, name or data key does not open."""
    return b"retinue secret 2" + account_id.bytes + data_key_id.bytes + name.encode()


def pack(data_key_id: UUID, sealed: bytes) -> bytes:
    """``sealed``: nonce and ciphertext."""
    return MAGIC + data_key_id.bytes + sealed


def data_key_of(packed: bytes) -> UUID | None:
    """The data key that this was sealed with; None for one that was sealed directly."""
    if len(packed) < LEAST or not packed.startswith(MAGIC):
        return None
    return UUID(bytes=packed[len(MAGIC) : HEAD])


def unpack(packed: bytes) -> tuple[bytes, bytes]:
    """Nonce and ciphertext."""
    body = packed[HEAD:] if data_key_of(packed) else packed
    return body[:NONCE_BYTES], body[NONCE_BYTES:]

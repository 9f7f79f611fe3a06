"""Seals of the audit record: links of a hash chain per account, each signed, each over some lines of audit (AUD-03).

An export is a file of JSON Lines: a header, then for every seal its lines, byte for byte as they were sealed, and the
seal; at last an end, signed as well, so that a file that was cut short is known. ``domain.verifying`` checks one.

A seal's hash is SHA-256 of: the words ``retinue audit seal 1``, the account's id (16 bytes), the seal's number (8
bytes, big-endian), the time in microseconds since 1970 (8 bytes), the hash of the seal before (32 bytes, zeros for the
first), and the SHA-256 of each line (32 bytes each). Its signature is Ed25519 (RFC 8032) over that hash.
"""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from retinue.domain import ids
from retinue.domain.base import Value

FORMAT = 1
NOTHING = bytes(32)
"""What the first seal follows on."""
WORDS = b"retinue audit seal 1"
END_WORDS = b"retinue audit export end 1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Seal(Value):
    """One link. ``hashes``: of its lines, in order, 32 bytes each."""

    seq: int = Field(gt=0, lt=2**63)
    previous: bytes = Field(min_length=32, max_length=32)
    hashes: bytes
    hash: bytes = Field(min_length=32, max_length=32)
    key_id: str
    signature: bytes = Field(min_length=64, max_length=64)
    sealed_at: AwareDatetime

    def line_hashes(self) -> list[bytes]:
        return [self.hashes[at : at + 32] for at in range(0, len(self.hashes), 32)]


class SealState(Value):
    """How far the record of an account is sealed."""

    seals: int
    """The number of the last seal."""
    hash: str | None
    """The last seal's, in hexadecimal: whoever keeps a copy of it elsewhere can tell later that nothing before it was
    rewritten, even by who has the key."""
    key_id: str | None
    sealed_at: datetime | None
    unsealed: int
    """Lines that wait for their seal."""


class SealKey(Value):
    """A public key that seals are signed with: pass its id to ``retinue audit verify --key``."""

    id: str
    public: str
    """Base64 of the 32 bytes of an Ed25519 public key."""
    current: bool


def digest(account_id: UUID, seq: int, sealed_at: datetime, previous: bytes, hashes: bytes) -> bytes:
    """The hash of a seal."""
    micros = (sealed_at - EPOCH) // timedelta(microseconds=1)
    head = WORDS + account_id.bytes + seq.to_bytes(8) + micros.to_bytes(8)
    return hashlib.sha256(head + previous + hashes).digest()


def end_digest(account_id: UUID, last: bytes, seals: int, lines: int) -> bytes:
    """What the end of an export is signed for."""
    return hashlib.sha256(END_WORDS + account_id.bytes + last + seals.to_bytes(8) + lines.to_bytes(8)).digest()


def key_id(public: bytes) -> str:
    """The name of a public key: the beginning of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def header(account_id: UUID, exported_at: datetime, keys: dict[str, bytes], first: Seal | None) -> str:
    """The first line of an export that begins with the seal ``first``."""
    return _dump(
        {
            "retinue_audit": FORMAT,
            "account_id": ids.encode("acc", account_id),
            "exported_at": _time(exported_at),
            "keys": {name: _b64(public) for name, public in keys.items()},
            "after": {"seal": first.seq - 1 if first else 0, "hash": (first.previous if first else NOTHING).hex()},
        }
    )


def seal_line(seal: Seal) -> str:
    """A seal as a line of an export; it follows its lines."""
    return _dump(
        {
            "seal": seal.seq,
            "sealed_at": _time(seal.sealed_at),
            "previous": seal.previous.hex(),
            "hashes": [one.hex() for one in seal.line_hashes()],
            "hash": seal.hash.hex(),
            "key": seal.key_id,
            "signature": _b64(seal.signature),
        }
    )


def end_line(seals: int, lines: int, last: bytes, name: str, signature: bytes) -> str:
    """The last line of an export."""
    return _dump(
        {"end": {"seals": seals, "lines": lines, "hash": last.hex()}, "key": name, "signature": _b64(signature)}
    )


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

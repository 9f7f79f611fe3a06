"""Sealing the audit record: the next links of each account's chain over the lines that were committed meanwhile.

One node at a time does it. Who can sign is who has the installation's secret key; who verifies needs the public key
alone. A seal is never changed; that its lines were is found by comparing them with their hashes.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from retinue.db.pool import Database, Tx
from retinue.domain import seals, verifying
from retinue.domain.seals import NOTHING, Seal, SealState
from retinue.domain.verifying import Report
from retinue.store import wrapping
from retinue.telemetry import clock

LINES = 2000
"""The most lines of one seal."""
PAGE = 20
"""Seals read at once."""


class Signer:
    """The installation's signing key, derived from its secret key."""

    def __init__(self, secret_key: str) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(wrapping.derived(secret_key, b"retinue audit seal v1"))
        self.public = self._private.public_key().public_bytes_raw()
        self.id = seals.key_id(self.public)

    def sign(self, text: bytes) -> bytes:
        return self._private.sign(text)


def signed(public: bytes, text: bytes, signature: bytes) -> bool:
    """Whether this public key made this signature (``verifying.Check``)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


# ── sealing ──────────────────────────────────────────────────────────────────────────────────────────────────────

HOLD = "select upto, audit_settled_v1() as settled from audit_mark for update skip locked"
# cross-tenant: which accounts have lines since the last pass; their content stays out of sight
ACCOUNTS = "select distinct account_id from audit_event where tx >= $1 and tx < $2"
KEY = "insert into audit_key (id, public) values ($1, $2) on conflict (id) do nothing"
NEXT = """
with past as materialized (
    select seq, last_tx, last_id, hash from audit_seal where account_id = $1 order by seq desc limit 1),
line as (
    select e.tx, e.id, sha256(convert_to(audit_line_v1(e), 'UTF8')) as hash
    from audit_event e
    where e.account_id = $1 and e.tx >= $2 and e.tx < $3
      and (e.tx, e.id) > (coalesce((select last_tx from past), -1), coalesce((select last_id from past), $5::uuid))
    order by e.tx, e.id limit $4)
select count(*)::int as lines, string_agg(hash, ''::bytea order by tx, id) as hashes, max(tx) as last_tx,
    (array_agg(id order by tx desc, id desc))[1] as last_id,
    coalesce((select seq from past), 0) as seq, (select hash from past) as previous
from line
"""
ADD = """
insert into audit_seal
    (account_id, seq, format, last_tx, last_id, lines, hashes, previous, hash, key_id, signature, sealed_at)
values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
NIL = UUID(int=0)


async def run(db: Database, signer: Signer) -> int:
    """Seal what was committed since the last pass; returns how many lines. 0 while another node is at it.

    A pass that breaks off is taken up by the next: each account goes on from its own last seal.
    """
    count = 0
    async with db.system_tx() as system:
        mark = await system.fetchrow(HOLD)
        if mark is None or mark["settled"] <= mark["upto"]:
            return 0
        accounts = await system.fetch(ACCOUNTS, mark["upto"], mark["settled"])
        if accounts:
            await system.execute(KEY, signer.id, signer.public)
        for row in accounts:
            count += await _account(db, signer, row["account_id"], mark)
        await system.execute("update audit_mark set upto = $1", mark["settled"])
    return count


async def _account(db: Database, signer: Signer, account_id: UUID, mark: Mapping[str, Any]) -> int:
    count = 0
    while True:
        async with db.tenant_tx(account_id) as tx:
            row = await tx.fetchrow(NEXT, account_id, mark["upto"], mark["settled"], LINES, NIL)
            assert row is not None
            if not row["lines"]:
                return count
            await _add(tx, signer, account_id, row)
        count += row["lines"]
        if row["lines"] < LINES:
            return count


async def _add(tx: Tx, signer: Signer, account_id: UUID, row: Mapping[str, Any]) -> None:
    seq, previous, now = row["seq"] + 1, row["previous"] or NOTHING, clock.now()
    digest = seals.digest(account_id, seq, now, previous, row["hashes"])
    await tx.execute(
        ADD, account_id, seq, row["last_tx"], row["last_id"], row["lines"], row["hashes"], previous, digest,
        signer.id, signer.sign(digest), now,
    )  # fmt: skip


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

SEAL = "seq, previous, hashes, hash, key_id, signature, sealed_at"
SEALS = f"""
select {SEAL}, last_tx, last_id, lag(last_tx) over w as after_tx, lag(last_id) over w as after_id
from audit_seal where account_id = $1 and seq >= $2 - 1 and seq <= $3
window w as (order by seq) order by seq limit $4
"""
OF_SEAL = """
select audit_line_v1(e) as line from audit_event e
where e.account_id = $1 and e.tx >= $2 and (e.tx, e.id) > ($2, $3) and e.tx <= $4 and (e.tx, e.id) <= ($4, $5)
order by e.tx, e.id
"""
STATE = """
with last as materialized (
    select seq, last_tx, last_id, encode(hash, 'hex') as hash, key_id, sealed_at
    from audit_seal where account_id = $1 order by seq desc limit 1)
select coalesce((select seq from last), 0) as seals, (select hash from last) as hash,
    (select key_id from last) as key_id, (select sealed_at from last) as sealed_at,
    (select count(*) from audit_event e where e.account_id = $1
        and e.tx >= coalesce((select last_tx from last), -1)
        and (e.tx, e.id) > (coalesce((select last_tx from last), -1), coalesce((select last_id from last), $2::uuid))
    ) as unsealed
"""
BOUNDS = """
select min(seq) as first, max(seq) as last from audit_seal
where account_id = $1 and ($2::timestamptz is null or sealed_at >= $2) and ($3::timestamptz is null or sealed_at < $3)
"""


async def state(tx: Tx, account_id: UUID) -> SealState:
    """How far the record of this account is sealed."""
    row = await tx.fetchrow(STATE, account_id, NIL)
    return SealState.model_validate(dict(row or {}))


async def keys(tx: Tx) -> dict[str, bytes]:
    """The public keys that seals of this installation were signed with, by id."""
    return {row["id"]: row["public"] for row in await tx.fetch("select id, public from audit_key order by created_at")}


async def bounds(tx: Tx, account_id: UUID, since: Any, until: Any) -> tuple[int, int] | None:
    """The first and last seal made in this time; None when there is none."""
    row = await tx.fetchrow(BOUNDS, account_id, since, until)
    return (row["first"], row["last"]) if row and row["first"] is not None else None


async def each(db: Database, account_id: UUID, first: int, last: int) -> AsyncIterator[tuple[Seal, list[str]]]:
    """Seals with their lines as they are now, in order. Nothing is held open while the reader is slow."""
    seq = first
    while seq <= last:
        async with db.tenant_tx(account_id) as tx:
            rows = [row for row in await tx.fetch(SEALS, account_id, seq, last, PAGE + 1) if row["seq"] >= seq]
            page = [(_seal(row), await _lines(tx, account_id, row)) for row in rows]
        if not page:
            return
        for one in page:
            yield one
        seq = page[-1][0].seq + 1


async def _lines(tx: Tx, account_id: UUID, row: Mapping[str, Any]) -> list[str]:
    after = (-1, NIL) if row["after_tx"] is None else (row["after_tx"], row["after_id"])
    return [one["line"] for one in await tx.fetch(OF_SEAL, account_id, *after, row["last_tx"], row["last_id"])]


def _seal(row: Mapping[str, Any]) -> Seal:
    return Seal.model_validate({name: row[name] for name in SEAL.split(", ")})


async def export(db: Database, signer: Signer, account_id: UUID, span: tuple[int, int] | None) -> AsyncIterator[str]:
    """The lines of an export of these seals (first, last), as they are now; of none it is a header and an end."""
    async with db.tenant_tx(account_id) as tx:
        known = await keys(tx)
    count = lines = 0
    last = NOTHING
    begun = False
    async for seal, sealed in each(db, account_id, *(span or (1, 0))):
        if not begun:
            yield seals.header(account_id, clock.now(), known | {signer.id: signer.public}, seal)
            begun = True
        for line in sealed:
            yield line
        yield seals.seal_line(seal)
        count, lines, last = count + 1, lines + len(sealed), seal.hash
    if not begun:
        yield seals.header(account_id, clock.now(), known | {signer.id: signer.public}, None)
    text = seals.end_digest(account_id, last, count, lines)
    yield seals.end_line(count, lines, last, signer.id, signer.sign(text))


async def verify(db: Database, signer: Signer, account_id: UUID, span: tuple[int, int] | None) -> Report:
    """Whether the record in the database is as it was sealed: what verifying an export made now would find."""
    verifier = verifying.Verifier(signed)
    at = 0
    async for line in export(db, signer, account_id, span):
        at += 1
        verifier.feed(at, line.encode())
    return verifier.report()

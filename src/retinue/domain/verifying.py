"""Whether an export of the sealed audit record is as it was sealed, and what is not: with nothing but the file.

See ``domain.seals`` for what a seal is.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from retinue.domain import ids, seals
from retinue.domain.base import Value
from retinue.domain.ids import AccountId
from retinue.domain.seals import NOTHING, Seal

MOST = 100
"""Findings that are told one by one; more are counted."""

Check = Callable[[bytes, bytes, bytes], bool]
"""Whether this public key made this signature of this text."""


class Fault(StrEnum):
    """What may be wrong with a sealed record."""

    CHANGED = "line_changed"
    MISSING = "line_missing"
    INSERTED = "line_inserted"
    MOVED = "line_moved"
    SEAL_CHANGED = "seal_changed"
    SEAL_MISSING = "seal_missing"
    CUT = "cut_short"
    UNSEALED = "line_unsealed"
    """A line that no seal covers."""
    FOREIGN_KEY = "foreign_key"
    """Signed by another key than the one that was asked for."""
    NOT_AN_EXPORT = "not_an_export"


class Finding(Value):
    """One thing that is wrong. ``at``: the line of the file, counted from 1; of a missing line, where it should be."""

    fault: Fault
    seal: int | None = None
    at: int | None = None
    line_id: str | None = None
    """The TypeID of the audit line, where it is known."""
    detail: str


class Report(Value):
    """What a verification came to. ``findings`` holds the first hundred of ``faults``."""

    account_id: AccountId | None = None
    seals: int = 0
    lines: int = 0
    first_seal: int | None = None
    last_seal: int | None = None
    sealed_until: datetime | None = None
    keys: tuple[str, ...] = ()
    faults: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        return self.faults == 0 and self.account_id is not None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of audit as a file holds it."""

    at: int
    raw: bytes

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.raw).digest()

    @property
    def id(self) -> str | None:
        try:
            return ids.encode("aud", UUID(json.loads(self.raw)["id"]))
        except (ValueError, KeyError, TypeError):
            return None


@dataclass
class Verifier:
    """Reads an export line by line. ``wanted``: the ids of the only keys whose signatures count; none: any in the file,
    which proves that the file is whole, and that whoever has the keys made it, not whose keys they are."""

    check: Check
    wanted: frozenset[str] = frozenset()
    account_id: UUID | None = None
    keys: dict[str, bytes] = field(default_factory=dict[str, bytes])
    last: bytes = NOTHING
    seq: int = 0
    first: int | None = None
    sealed_until: datetime | None = None
    seals: int = 0
    lines: int = 0
    ended: bool = False
    pending: list[Line] = field(default_factory=list[Line])
    findings: list[Finding] = field(default_factory=list[Finding])
    faults: int = 0
    used: set[str] = field(default_factory=set[str])

    def feed(self, at: int, raw: bytes) -> None:
        """The next line of the file."""
        record = _record(raw)
        if self.account_id is None:
            self._header(at, record)
        elif self.ended:
            self._find(Fault.INSERTED, "stands after the end of the export", at=at)
        elif "seal" in record and "id" not in record:
            self._seal(at, record)
        elif "end" in record and "id" not in record:
            self._end(at, record)
        else:
            self.pending.append(Line(at, raw))

    def report(self) -> Report:
        """What it came to, once all lines were fed."""
        if self.account_id is None:
            self._find(Fault.NOT_AN_EXPORT, "The file is empty.")
        elif not self.ended:
            self._unsealed()
            self._find(Fault.CUT, f"The file ends after seal {self.seq}, without the end of an export.")
        return Report(
            account_id=self.account_id, seals=self.seals, lines=self.lines, first_seal=self.first,
            last_seal=self.seq if self.seals else None, sealed_until=self.sealed_until,
            keys=tuple(sorted(self.used)), faults=self.faults, findings=tuple(self.findings),
        )  # fmt: skip

    def _find(self, fault: Fault, detail: str, **where: Any) -> None:
        self.faults += 1
        if len(self.findings) < MOST:
            self.findings.append(Finding(fault=fault, detail=detail, **where))

    def _header(self, at: int, record: dict[str, Any]) -> None:
        try:
            if record["retinue_audit"] != seals.FORMAT:
                raise ValueError
            keys = {str(name): base64.b64decode(text, validate=True) for name, text in record["keys"].items()}
            last, seq = bytes.fromhex(record["after"]["hash"]), int(record["after"]["seal"])
            account_id = ids.decode("acc", record["account_id"])
        except (KeyError, ValueError, TypeError, AttributeError):
            self._find(Fault.NOT_AN_EXPORT, "This is no export of an audit record: its first line is no header.", at=at)
            self.account_id, self.ended = UUID(int=0), True
            return
        self.account_id, self.last, self.seq = account_id, last, seq
        self.keys = {name: public for name, public in keys.items() if seals.key_id(public) == name}

    def _seal(self, at: int, record: dict[str, Any]) -> None:
        seal = _parsed(record)
        lines, self.pending = self.pending, []
        expected = self.seq + 1
        if seal is None or not self._genuine(seal):
            name = seal.seq if seal else expected
            detail = f"Seal {name} was changed: its signature does not fit. Its lines cannot be vouched for."
            self._find(Fault.SEAL_CHANGED, detail, seal=name, at=at)
            self.seq, self.last = expected, seal.hash if seal else NOTHING
            return
        if seal.seq != expected or seal.previous != self.last:
            self._broken(seal, expected, at)
        self._compare(seal, lines, at)
        self.first = seal.seq if self.first is None else self.first
        self.seq, self.last, self.sealed_until = seal.seq, seal.hash, seal.sealed_at
        self.seals += 1

    def _broken(self, seal: Seal, expected: int, at: int) -> None:
        if seal.seq > expected:
            gone = f"Seal {expected} is" if seal.seq == expected + 1 else f"Seals {expected} to {seal.seq - 1} are"
            self._find(Fault.SEAL_MISSING, f"{gone} missing, with all its lines.", seal=expected, at=at)
        elif not self.findings or self.findings[-1].seal != expected - 1:
            detail = f"Seal {seal.seq} does not follow on what stands before it."
            self._find(Fault.MOVED, detail, seal=seal.seq, at=at)

    def _genuine(self, seal: Seal) -> bool:
        assert self.account_id is not None
        if seal.sealed_at < seals.EPOCH:
            return False
        made = seals.digest(self.account_id, seal.seq, seal.sealed_at, seal.previous, seal.hashes)
        return made == seal.hash and self._signed(seal.key_id, made, seal.signature)

    def _signed(self, name: str, text: bytes, signature: bytes) -> bool:
        public = self.keys.get(name)
        if public is None or not self.check(public, text, signature):
            return False
        if self.wanted and name not in self.wanted and name not in self.used:
            self._find(Fault.FOREIGN_KEY, f"Signed with the key {name}, not with {' or '.join(sorted(self.wanted))}.")
        self.used.add(name)
        return True

    def _compare(self, seal: Seal, lines: list[Line], at: int) -> None:
        """Name each line that is not as it was sealed."""
        sealed, found = seal.line_hashes(), [line.hash for line in lines]
        self.lines += len(sealed)
        if sealed == found:
            return
        known = set(sealed)
        for tag, low, high, start, stop in SequenceMatcher(None, sealed, found, autojunk=False).get_opcodes():
            if tag == "equal":
                continue
            here, there = lines[start:stop], sealed[low:high]
            strangers = [line for line in here if line.hash not in known]
            moved = [line for line in here if line.hash in known]
            gone = [one for one in there if one not in found]
            for line in moved:
                self._name(Fault.MOVED, line, seal, "stands in another place than it was sealed in")
            for line in strangers[: len(gone)]:
                self._name(Fault.CHANGED, line, seal, "is not as it was sealed")
            for line in strangers[len(gone) :]:
                self._name(Fault.INSERTED, line, seal, "was never sealed")
            for number in range(len(strangers), len(gone)):
                where = lines[start].at if start < len(lines) else at
                detail = f"Line {low + number + 1} of the {len(sealed)} of seal {seal.seq} is missing."
                self._find(Fault.MISSING, detail, seal=seal.seq, at=where)

    def _name(self, fault: Fault, line: Line, seal: Seal, words: str) -> None:
        named = f" ({line.id})" if line.id else ""
        detail = f"Line {line.at}{named} {words}; seal {seal.seq}."
        self._find(fault, detail, seal=seal.seq, at=line.at, line_id=line.id)

    def _unsealed(self) -> None:
        for line in self.pending:
            named = f" ({line.id})" if line.id else ""
            self._find(Fault.UNSEALED, f"Line {line.at}{named} is covered by no seal.", at=line.at, line_id=line.id)
        self.pending = []

    def _end(self, at: int, record: dict[str, Any]) -> None:
        assert self.account_id is not None
        self._unsealed()
        self.ended = True
        try:
            told = record["end"]
            last, links, lines = bytes.fromhex(told["hash"]), int(told["seals"]), int(told["lines"])
            text = seals.end_digest(self.account_id, last, links, lines)
            genuine = self._signed(str(record["key"]), text, base64.b64decode(record["signature"], validate=True))
        except (KeyError, ValueError, TypeError, OverflowError):
            genuine, last, links, lines = False, NOTHING, 0, 0
        if not genuine:
            self._find(Fault.SEAL_CHANGED, "The end of the export was changed: its signature does not fit.", at=at)
        elif last != self.last:
            self._find(Fault.CUT, "Seals are missing before the end of the export.", at=at)
        elif (links, lines) != (self.seals, self.lines) and not self.faults:
            detail = f"The export was made with {links} seals of {lines} lines: those at its beginning are missing."
            self._find(Fault.CUT, detail, at=at)


def _record(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {"id": None}  # nothing that we wrote: no seal knows it
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {"id": None}


def _parsed(record: dict[str, Any]) -> Seal | None:
    try:
        hashes = [bytes.fromhex(one) for one in record["hashes"]]
        if any(len(one) != 32 for one in hashes):
            return None
        return Seal(
            seq=int(record["seal"]),
            previous=bytes.fromhex(record["previous"]),
            hashes=b"".join(hashes),
            hash=bytes.fromhex(record["hash"]),
            key_id=str(record["key"]),
            signature=base64.b64decode(record["signature"], validate=True),
            sealed_at=datetime.fromisoformat(record["sealed_at"]),
        )
    except (KeyError, ValueError, TypeError):
        return None


def verify(lines: Iterable[bytes], check: Check, *wanted: str) -> Report:
    """Whether an export is as it was sealed, and what is not. Lines with or without their ``\\n``."""
    verifier = Verifier(check, frozenset(wanted))
    for at, line in enumerate(lines, 1):
        verifier.feed(at, line.removesuffix(b"\n"))
    return verifier.report()

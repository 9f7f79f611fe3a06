"""A sealed record: whatever is done to an export is found, and the line it was done to is named."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import ids, seals, verifying
from retinue.domain.seals import NOTHING, Seal
from retinue.domain.verifying import Fault, Line, Report
from retinue.store.seals import Signer, signed

ACCOUNT = UUID(int=7)
SIGNER = Signer("a secret key of the installation")
STRANGER = Signer("another key")
START = datetime(2030, 1, 1, tzinfo=UTC)
AUDIT_IDS = [ids.new() for _ in range(200)]


def line(number: int) -> bytes:
    return json.dumps({"id": str(AUDIT_IDS[number]), "event": "tool.call", "detail": {"n": number}}).encode()


@dataclass(frozen=True)
class Export:
    """A file's lines, and which of them are sealed lines, seals, or the frame around them."""

    lines: list[bytes]
    sealed: list[int]
    seals: list[int]

    def report(self, lines: list[bytes] | None = None, wanted: str | None = None) -> Report:
        shown = [each + b"\n" for each in (self.lines if lines is None else lines)]
        return verifying.verify(shown, signed, *filter(None, [wanted]))


def made(sizes: list[int], signer: Signer = SIGNER, after: tuple[int, bytes] = (0, NOTHING)) -> Export:
    """An export of seals with so many lines each."""
    lines, sealed, links = [b""], list[int](), list[Seal]()
    places: list[int] = []
    last, number = after[1], 0
    for index, size in enumerate(sizes):
        own = [line(number + each) for each in range(size)]
        number += size
        hashes = b"".join(Line(0, each).hash for each in own)
        seq, at = after[0] + index + 1, START + timedelta(seconds=5 * index)
        digest = seals.digest(ACCOUNT, seq, at, last, hashes)
        link = Seal(
            seq=seq, previous=last, hashes=hashes, hash=digest, key_id=signer.id,
            signature=signer.sign(digest), sealed_at=at,
        )  # fmt: skip
        sealed += range(len(lines), len(lines) + size)
        lines += own
        places.append(len(lines))
        lines.append(seals.seal_line(link).encode())
        links.append(link)
        last = digest
    lines[0] = seals.header(ACCOUNT, START, {signer.id: signer.public}, links[0] if links else None).encode()
    text = seals.end_digest(ACCOUNT, last, len(sizes), number)
    lines.append(seals.end_line(len(sizes), number, last, signer.id, signer.sign(text)).encode())
    return Export(lines, sealed, places)


SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=6)


@pytest.mark.requirement("AUD-03")
@given(SIZES, st.integers(0, 40))
def test_an_untouched_export_is_whole_whatever_seal_it_begins_with(sizes: list[int], before: int) -> None:
    export = made(sizes, after=(before, bytes([before]) * 32))
    report = export.report()
    assert (report.ok, report.findings) == (True, ())
    assert (report.seals, report.lines, report.account_id) == (len(sizes), sum(sizes), ACCOUNT)
    assert (report.first_seal, report.last_seal) == (before + 1, before + len(sizes))


def test_an_export_of_nothing_is_whole() -> None:
    assert made([]).report().ok


@given(SIZES, st.data())
def test_a_flipped_bit_of_a_line_names_that_line(sizes: list[int], data: st.DataObject) -> None:
    export = made(sizes)
    at = data.draw(st.sampled_from(export.sealed))
    raw = bytearray(export.lines[at])
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    if raw == bytearray(b"\n"):
        return
    [finding] = export.report([*export.lines[:at], bytes(raw), *export.lines[at + 1 :]]).findings
    assert (finding.fault, finding.at) == (Fault.CHANGED, at + 1)


@given(SIZES, st.data())
def test_a_dropped_line_is_told_with_its_place(sizes: list[int], data: st.DataObject) -> None:
    export = made(sizes)
    at = data.draw(st.sampled_from(export.sealed))
    [finding] = export.report([*export.lines[:at], *export.lines[at + 1 :]]).findings
    assert finding.fault is Fault.MISSING
    assert finding.at == at + 1


@given(SIZES, st.data())
def test_an_inserted_line_is_named_wherever_it_stands(sizes: list[int], data: st.DataObject) -> None:
    export = made(sizes)
    at = data.draw(st.integers(1, len(export.lines)))
    report = export.report([*export.lines[:at], line(199), *export.lines[at:]])
    [finding] = report.findings
    assert finding.fault in (Fault.INSERTED, Fault.UNSEALED)
    assert finding.at == at + 1


@given(st.lists(st.integers(2, 6), min_size=1, max_size=4), st.data())
def test_lines_that_changed_places_are_named(sizes: list[int], data: st.DataObject) -> None:
    export = made(sizes)
    one, other = data.draw(st.lists(st.sampled_from(export.sealed), min_size=2, max_size=2, unique=True))
    lines = list(export.lines)
    lines[one], lines[other] = lines[other], lines[one]
    report = export.report(lines)
    assert not report.ok
    assert {finding.at for finding in report.findings} & {one + 1, other + 1}


@given(SIZES, st.data())
def test_a_file_that_was_cut_short_is_never_whole(sizes: list[int], data: st.DataObject) -> None:
    export = made(sizes)
    upto = data.draw(st.integers(1, len(export.lines) - 1))
    report = export.report(export.lines[:upto])
    assert report.findings[-1].fault is Fault.CUT


@given(SIZES, st.data())
def test_a_dropped_seal_is_named_with_or_without_its_lines(sizes: list[int], data: st.DataObject) -> None:
    export = made(sizes)
    number = data.draw(st.integers(0, len(sizes) - 1))
    at = export.seals[number]
    for low in (at, at - sizes[number]):
        report = export.report([*export.lines[:low], *export.lines[at + 1 :]])
        faults = {(finding.fault, finding.seal) for finding in report.findings}
        assert (Fault.SEAL_MISSING, number + 1) in faults or (Fault.CUT, None) in faults


@given(SIZES, st.data())
def test_a_seal_that_was_changed_vouches_for_nothing(sizes: list[int], data: st.DataObject) -> None:
    export = made(sizes)
    at = data.draw(st.sampled_from(export.seals))
    record = json.loads(export.lines[at])
    change: Callable[[], object] = data.draw(
        st.sampled_from(
            [
                lambda: record.update(
                    seal=data.draw(st.integers(-(2**70), 2**70).filter(lambda n: n != record["seal"]))
                ),
                lambda: record.update(sealed_at="2031-01-01T00:00:00Z"),
                lambda: record.update(sealed_at="1931-01-01T00:00:00Z"),
                lambda: record.update(sealed_at="2031-01-01T00:00:00"),
                lambda: record.update(previous="ff" * 32),
                lambda: record.update(hashes=["ab" * 32]),
                lambda: record.update(hashes=["ab"]),
                lambda: record.update(hash="00" * 32),
                lambda: record.update(signature="AAAA"),
                lambda: record.update(key="nobody"),
                lambda: record.pop("hashes"),
            ]
        )
    )
    change()
    report = export.report([*export.lines[:at], json.dumps(record).encode(), *export.lines[at + 1 :]])
    assert Fault.SEAL_CHANGED in {finding.fault for finding in report.findings}


def test_seals_that_changed_places_are_found() -> None:
    export = made([1, 1, 1])
    first, second = export.lines[1:3], export.lines[3:5]
    assert not export.report([export.lines[0], *second, *first, *export.lines[5:]]).ok


def test_a_record_that_somebody_else_signed_anew_is_known_by_the_key_one_asks_for() -> None:
    forged = made([2, 3], STRANGER)
    assert forged.report().ok, "it is whole, only not ours"
    assert forged.report().keys == (STRANGER.id,)
    assert [finding.fault for finding in forged.report(wanted=SIGNER.id).findings] == [Fault.FOREIGN_KEY]
    assert made([2, 3]).report(wanted=SIGNER.id).ok


def test_a_key_under_another_keys_name_does_not_count() -> None:
    forged = made([2], STRANGER)
    header = json.loads(forged.lines[0])
    header["keys"] = {SIGNER.id: header["keys"][STRANGER.id]}
    lines = [
        json.dumps(header).encode(),
        *(each.replace(STRANGER.id.encode(), SIGNER.id.encode()) for each in forged.lines[1:]),
    ]
    assert not forged.report(lines, wanted=SIGNER.id).ok


@pytest.mark.parametrize("first", [b"", b"{}", b"[]", b"no json", b'{"retinue_audit": 2}', b"[" * 100_000])
def test_what_is_no_export_is_said_to_be_none(first: bytes) -> None:
    report = verifying.verify([first], signed)
    assert [finding.fault for finding in report.findings] == [Fault.NOT_AN_EXPORT]
    assert not report.ok


def test_an_empty_file_is_no_export() -> None:
    assert [finding.fault for finding in verifying.verify([], signed).findings] == [Fault.NOT_AN_EXPORT]


def test_a_beginning_that_was_cut_off_is_found_though_the_header_was_made_to_fit() -> None:
    export = made([2, 3, 1])
    later = [json.loads(export.lines[at]) for at in export.seals]
    header = json.loads(export.lines[0]) | {"after": {"seal": 1, "hash": later[1]["previous"]}}
    report = export.report([json.dumps(header).encode(), *export.lines[export.seals[0] + 1 :]])
    assert [finding.fault for finding in report.findings] == [Fault.CUT]


def test_of_very_many_faults_the_first_are_told_and_all_counted() -> None:
    export = made([150])
    report = export.report([export.lines[0], *(line(199 - n) for n in range(40)), *export.lines[-2:]])
    assert len(report.findings) == verifying.MOST
    assert report.faults >= 150

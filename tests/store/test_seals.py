"""The sealed audit record on a real database: every line under one seal, in commit order, and no change unseen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import pytest

from retinue import errors
from retinue.db import migrate
from retinue.db.pool import Database, Tx
from retinue.domain import ids
from retinue.domain.audit import SYSTEM
from retinue.domain.verifying import Fault, Line, Report
from retinue.store import audit, numbers
from retinue.store import seals as store
from tests.conftest import SECRET
from tests.store.conftest import Office

SIGNER = store.Signer(SECRET)


async def write(db: Database, account: UUID, count: int = 1) -> list[UUID]:
    """Lines in a transaction of their own."""
    async with db.tenant_tx(account) as tx:
        return [await audit.append(tx, account_id=account, event="tool.call", actor=SYSTEM) for _ in range(count)]


async def report(db: Database, account: UUID) -> Report:
    async with db.tenant_tx(account) as tx:
        span = await store.bounds(tx, account, None, None)
    return await store.verify(db, SIGNER, account, span)


async def sealed_ids(db: Database, account: UUID) -> list[str]:
    """The ids of all sealed lines, in their order."""
    lines = [line async for line in store.export(db, SIGNER, account, (1, 10_000))]
    return [line.id for line in (Line(0, raw.encode()) for raw in lines) if line.id]


@asynccontextmanager
async def superuser(url: str) -> AsyncIterator[Tx]:
    """Somebody who may do anything to the database, with the triggers out of the way."""
    connection = await asyncpg.connect(url)
    await connection.execute("set search_path = retinue; set session_replication_role = replica")
    yield connection
    await connection.close()


def outside(lines: list[UUID]) -> list[str]:
    return [ids.encode("aud", line) for line in lines]


@pytest.mark.requirement("AUD-03")
async def test_lines_get_their_seal_once_and_the_chain_of_each_account_is_its_own(
    db: Database, office: Office, other_office: Office
) -> None:
    mine, theirs = await write(db, office.account_id, 3), await write(db, other_office.account_id, 2)
    assert await store.run(db, SIGNER) == 5
    assert await store.run(db, SIGNER) == 0
    mine += await write(db, office.account_id)
    await store.run(db, SIGNER)
    assert sorted(await sealed_ids(db, office.account_id)) == sorted(outside(mine))
    assert sorted(await sealed_ids(db, other_office.account_id)) == sorted(outside(theirs))
    found = await report(db, office.account_id)
    assert (found.ok, found.seals, found.lines, found.keys) == (True, 2, 4, (SIGNER.id,))
    async with db.tenant_tx(office.account_id) as tx:
        state = await store.state(tx, office.account_id)
        assert (state.seals, state.unsealed, state.key_id) == (2, 0, SIGNER.id)
        assert await tx.fetchval("select count(*) from audit_seal") == 2


async def test_a_line_that_commits_late_is_not_passed_over(db: Database, office: Office) -> None:
    account = office.account_id
    async with db.tenant_tx(account) as slow:
        late = await audit.append(slow, account_id=account, event="tool.call", actor=SYSTEM)
        quick = await write(db, account)
        await store.run(db, SIGNER)
        assert await sealed_ids(db, account) == [], "nothing is sealed behind a transaction that is still open"
        async with db.tenant_tx(account) as tx:
            assert (await store.state(tx, account)).unsealed == 1
    await store.run(db, SIGNER)
    assert await sealed_ids(db, account) == outside([late, *quick])
    assert (await report(db, account)).ok


async def test_writers_and_two_sealers_at_once_lose_and_double_nothing(db: Database, office: Office) -> None:
    account = office.account_id
    done = asyncio.Event()
    written: list[UUID] = []

    async def writer() -> None:
        for count in range(1, 26):
            async with db.tenant_tx(account) as tx:
                for _ in range(count % 4):
                    written.append(await audit.append(tx, account_id=account, event="tool.call", actor=SYSTEM))
                    await asyncio.sleep(0)

    async def sealer() -> None:
        while not done.is_set():
            await store.run(db, SIGNER)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(sealer())
        async with asyncio.TaskGroup() as writers:
            for _ in range(5):
                writers.create_task(writer())
        done.set()
    await store.run(db, SIGNER)
    assert sorted(await sealed_ids(db, account)) == sorted(outside(written))
    assert (await report(db, account)).ok


async def test_a_long_record_is_sealed_in_parts_and_read_page_by_page(
    db: Database, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LINES", 2)
    monkeypatch.setattr(store, "PAGE", 3)
    written = [line for _ in range(9) for line in await write(db, office.account_id, 3)]
    await store.run(db, SIGNER)
    found = await report(db, office.account_id)
    assert (found.ok, found.seals, found.lines) == (True, 14, 27)
    assert sorted(await sealed_ids(db, office.account_id)) == sorted(outside(written))
    part = await store.verify(db, SIGNER, office.account_id, (5, 9))
    assert (part.ok, part.first_seal, part.last_seal) == (True, 5, 9)


async def test_a_pass_that_breaks_off_is_taken_up_without_gap_or_repetition(
    db: Database, office: Office, other_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = {each: await write(db, each, 3) for each in (office.account_id, other_office.account_id)}
    whole, calls = store._add, 0  # pyright: ignore[reportPrivateUsage]

    async def broken(*given: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise errors.DatabaseDown("The lights went out.")
        await whole(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "_add", broken)
    with pytest.raises(errors.DatabaseDown):
        await store.run(db, SIGNER)
    assert await store.run(db, SIGNER) == 3
    for account, lines in written.items():
        assert sorted(await sealed_ids(db, account)) == sorted(outside(lines))
        assert (await report(db, account)).ok


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ('update audit_event set detail = \'{"to": "somebody else"}\' where id = $1', Fault.CHANGED),
        ("update audit_event set at = at - interval '1 second' where id = $1", Fault.CHANGED),
        ("delete from audit_event where id = $1", Fault.MISSING),
        (
            "insert into audit_event (account_id, id, event, actor_type, tx) "
            "select account_id, new_id(), event, actor_type, tx from audit_event where id = $1",
            Fault.INSERTED,
        ),
        (
            "update audit_event set tx = (select max(tx) from audit_event) where id = $1",
            Fault.MISSING,
        ),
    ],
)
async def test_what_a_superuser_changes_is_found_and_named(
    db: Database, office: Office, database_url: str, change: str, fault: Fault
) -> None:
    account = office.account_id
    lines = [line for _ in range(4) for line in await write(db, account)]
    await store.run(db, SIGNER)
    lines += await write(db, account)
    await store.run(db, SIGNER)
    async with superuser(database_url) as connection:
        await connection.execute(change, lines[1])
    found = await report(db, account)
    assert fault in {finding.fault for finding in found.findings}
    if fault is Fault.CHANGED:
        assert [finding.line_id for finding in found.findings] == outside([lines[1]])


async def test_a_seal_that_a_superuser_removes_or_changes_is_missed(
    db: Database, office: Office, database_url: str
) -> None:
    for _ in range(3):
        await write(db, office.account_id)
        await store.run(db, SIGNER)
    async with superuser(database_url) as connection:
        await connection.execute("update audit_seal set sealed_at = sealed_at + interval '1 day' where seq = 1")
        await connection.execute("delete from audit_seal where seq = 2")
    faults = {(finding.fault, finding.seal) for finding in (await report(db, office.account_id)).findings}
    assert {(Fault.SEAL_CHANGED, 1), (Fault.SEAL_MISSING, 2)} <= faults


@pytest.mark.parametrize("sql", ["update audit_seal set lines = 9", "delete from audit_seal"])
async def test_the_application_cannot_change_a_seal(db: Database, office: Office, sql: str) -> None:
    await write(db, office.account_id)
    await store.run(db, SIGNER)
    with pytest.raises((asyncpg.InsufficientPrivilegeError, errors.Forbidden)):
        async with db.tenant_tx(office.account_id) as tx:
            await tx.execute(sql)


async def test_the_record_goes_on_in_a_database_that_counts_its_transactions_anew(
    db: Database, office: Office, database_url: str
) -> None:
    account = office.account_id
    await write(db, account, 2)
    await store.run(db, SIGNER)
    async with superuser(database_url) as connection:  # as after a restore: what is there is from far ahead
        await connection.execute("update audit_event set tx = tx + 1000000")
        await connection.execute("update audit_seal set last_tx = last_tx + 1000000")
        await connection.execute("update audit_mark set upto = upto + 1000000")
    await migrate.migrate(database_url, SECRET)
    await write(db, account, 2)
    assert await store.run(db, SIGNER) == 2
    found = await report(db, account)
    assert (found.ok, found.seals, found.lines) == (True, 2, 4)
    await migrate.migrate(database_url, SECRET)
    await write(db, account)
    assert await store.run(db, SIGNER) == 1, "a second start moves nothing"


async def test_what_another_key_signed_stays_verifiable_after_the_key_was_changed(db: Database, office: Office) -> None:
    await write(db, office.account_id)
    await store.run(db, SIGNER)
    await write(db, office.account_id)
    later = store.Signer(str(uuid4()))
    await store.run(db, later)
    found = await report(db, office.account_id)
    assert (found.ok, set(found.keys)) == (True, {SIGNER.id, later.id})


async def test_operators_see_how_long_a_line_waits_for_its_seal(db: Database, office: Office) -> None:
    await write(db, office.account_id)
    async with db.system_tx() as tx:
        assert (await numbers.read(tx))["audit_age"] > 0
    await store.run(db, SIGNER)
    async with db.system_tx() as tx:
        assert (await numbers.read(tx))["audit_age"] == 0

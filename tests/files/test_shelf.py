"""Files from end to end over every storage: kept once, never missing, swept up when nobody needs them."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from PIL import Image

from retinue import errors
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Bootstrapped, Principal, Role
from retinue.domain.events import Event
from retinue.domain.files import StoredFile
from retinue.files.contents import Content
from retinue.files.database import DatabaseStorage
from retinue.files.shelf import Shelf, Upload
from retinue.store import accounts, corrections, files
from retinue.store.blobs import Blob
from retinue.turn import intake
from tests.files.conftest import LIMITS

Later = Callable[[str], Awaitable[None]]


@pytest.fixture
def later(db: Database, database_url: str) -> Later:
    """Moves the database's clock to this long from now."""

    async def move(interval: str) -> None:
        connection = await asyncpg.connect(database_url)
        name = await connection.fetchval("select quote_ident(current_database())")
        await connection.execute(f"alter database {name} set retinue.clock_offset = '{interval}'")
        await connection.close()
        await db.forget()

    return move


async def keep(shelf: Shelf, owner: Principal, data: bytes, name: str = "a.txt") -> StoredFile:
    async with await Content.of(data) as content:
        return await shelf.keep(owner, Upload(name, content))


async def content(shelf: Shelf, owner: Principal, file: StoredFile) -> bytes:
    async with shelf.db.tenant_tx(owner.account_id) as tx:
        found = await files.access_file(tx, owner, file.id)
    return await shelf.read_all(found.blob)


async def rows(db: Database, owner: Principal, sql: str) -> list[dict[str, Any]]:
    async with db.tenant_tx(owner.account_id) as tx:
        return [dict(row) for row in await tx.fetch(sql, owner.account_id)]


async def say(db: Database, world: Bootstrapped, owner: Principal, *held: StoredFile) -> Any:
    event = Event(account_id=owner.account_id, user_id=owner.user_id, channel_id=world.channel.id, content="look")
    return (await intake.receive(db, event, [file.id for file in held])).message


async def delete(db: Database, owner: Principal, message: Any) -> None:
    async with db.tenant_tx(owner.account_id) as tx:
        await corrections.delete(tx, owner, message.id)


def picture(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (900, 10), colour).save(out, "PNG")
    return out.getvalue()


BLOBS = "select id, state, bytes from file_blob where account_id = $1 order by id"
FILES = "select id from file where account_id = $1 order by id"


async def test_the_same_content_at_the_same_moment_is_kept_once(shelf: Shelf, owner: Principal) -> None:
    made = await asyncio.gather(*(keep(shelf, owner, b"same" * 1000, f"{n}.txt") for n in range(8)))
    assert len({file.id for file in made}) == 8
    assert [blob["state"] for blob in await rows(shelf.db, owner, BLOBS)] == ["stored"]
    for file in made:
        assert await content(shelf, owner, file) == b"same" * 1000


async def test_two_accounts_with_the_same_content_keep_it_apart(db: Database, shelf: Shelf, owner: Principal) -> None:
    other = await accounts.bootstrap(db, name="Elsewhere", slug="elsewhere", email="owner@elsewhere.test")
    stranger = Principal(account_id=other.account.id, user_id=other.owner.id, role=Role.OWNER)
    mine, theirs = await keep(shelf, owner, b"same"), await keep(shelf, stranger, b"same")
    [blob], [their_blob] = await rows(db, owner, BLOBS), await rows(db, stranger, BLOBS)
    assert blob["id"] != their_blob["id"]
    async with db.tenant_tx(stranger.account_id) as tx:
        with pytest.raises(errors.NotFound):
            await files.access_file(tx, stranger, mine.id)
    assert await content(shelf, stranger, theirs) == b"same"


async def test_an_empty_file_is_a_file(shelf: Shelf, owner: Principal) -> None:
    file = await keep(shelf, owner, b"")
    assert (file.bytes, await content(shelf, owner, file)) == (0, b"")


async def test_the_quota_counts_content_once_and_refuses_what_does_not_fit(shelf: Shelf, owner: Principal) -> None:
    big = b"x" * 900_000
    for n in range(3):
        await keep(shelf, owner, big + str(n).encode())
    await keep(shelf, owner, big + b"1")
    with pytest.raises(errors.QuotaExceeded, match="RETINUE_FILE_QUOTA_BYTES"):
        await keep(shelf, owner, big + b"3")
    seen = await shelf.info(owner.account_id)
    assert (seen.files, seen.used_bytes, seen.free_bytes) == (4, 2_700_003, 299_997)


async def test_an_upload_that_no_message_takes_is_gone_after_a_day(
    db: Database, shelf: Shelf, world: Bootstrapped, owner: Principal, later: Later
) -> None:
    lost, held = await keep(shelf, owner, picture("blue"), "a.png"), await keep(shelf, owner, picture(), "b.png")
    await say(db, world, owner, held)
    assert await shelf.sweep(24) == {"files": 0, "blobs": 0}
    await later("25 hours")
    assert await shelf.sweep(24) == {"files": 1, "blobs": 0}
    with pytest.raises(errors.NotFound):
        await content(shelf, owner, lost)
    await later("27 hours")
    assert (await shelf.sweep(24))["blobs"] == 2
    assert await content(shelf, owner, held) == picture()
    assert len(await rows(db, owner, BLOBS)) == 2


async def test_a_deleted_messages_files_go_once_it_cannot_be_undone_unless_another_holds_them(
    db: Database, shelf: Shelf, world: Bootstrapped, owner: Principal, later: Later
) -> None:
    only, shared = await keep(shelf, owner, b"only"), await keep(shelf, owner, b"shared")
    twin = await keep(shelf, owner, b"only", "twin.txt")
    first = await say(db, world, owner, only, shared)
    await say(db, world, owner, shared, twin)
    await delete(db, owner, first)
    assert (await shelf.sweep(24))["files"] == 0
    await later("16 minutes")
    assert (await shelf.sweep(24))["files"] == 1
    assert [row["id"] for row in await rows(db, owner, FILES)] == [shared.id, twin.id]
    await later("2 hours")
    assert await shelf.sweep(24) == {"files": 0, "blobs": 0}
    assert await content(shelf, owner, twin) == b"only"


async def test_a_deletion_that_is_undone_brings_the_files_back(
    db: Database, shelf: Shelf, world: Bootstrapped, owner: Principal, later: Later
) -> None:
    file = await keep(shelf, owner, b"back")
    message = await say(db, world, owner, file)
    await delete(db, owner, message)
    async with db.tenant_tx(owner.account_id) as tx:
        restored = await corrections.restore(tx, owner, message.id)
    assert [one.id for one in restored.files] == [file.id]
    await later("2 hours")
    await shelf.sweep(24)
    assert await content(shelf, owner, file) == b"back"


# ── crashes ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Crash(BaseException):
    """The process dies here."""


class Dying(DatabaseStorage):
    """Dies before or after it has done what it was asked."""

    dies: str | None = None

    async def put(self, blob: Blob, content: Content) -> None:
        if self.dies == "before put":
            raise Crash
        await super().put(blob, content)
        if self.dies == "after put":
            raise Crash

    async def delete(self, blob: Blob) -> None:
        if self.dies == "before delete":
            raise Crash
        await super().delete(blob)
        if self.dies == "after delete":
            raise Crash


@pytest.fixture
def dying(db: Database) -> Shelf:
    return Shelf(db, Dying(db), LIMITS)


CHUNKS = "select blob_id from file_chunk where account_id = $1"


@pytest.mark.parametrize("moment", ["before put", "after put"])
async def test_a_crash_while_writing_leaves_nothing_that_stays(
    db: Database, dying: Shelf, owner: Principal, later: Later, moment: str
) -> None:
    dying.storage.dies = moment  # type: ignore[attr-defined]
    with pytest.raises(Crash):
        await keep(dying, owner, b"half")
    assert not await rows(db, owner, FILES)
    dying.storage.dies = None  # type: ignore[attr-defined]
    assert (await dying.sweep(24))["blobs"] == 0, "somebody may be writing it"
    await later("2 hours")
    assert (await dying.sweep(24))["blobs"] == 1
    assert not await rows(db, owner, BLOBS) and not await rows(db, owner, CHUNKS)


@pytest.mark.parametrize("moment", ["before put", "after put"])
async def test_sending_it_again_after_a_crash_makes_it_whole(
    db: Database, dying: Shelf, owner: Principal, later: Later, moment: str
) -> None:
    dying.storage.dies = moment  # type: ignore[attr-defined]
    with pytest.raises(Crash):
        await keep(dying, owner, b"whole")
    dying.storage.dies = None  # type: ignore[attr-defined]
    file = await keep(dying, owner, b"whole")
    await later("2 hours")
    assert (await dying.sweep(24))["blobs"] == 0
    assert await content(dying, owner, file) == b"whole"


@pytest.mark.parametrize("moment", ["before delete", "after delete"])
async def test_a_crash_while_sweeping_is_made_good_by_the_next_sweep(
    db: Database, dying: Shelf, owner: Principal, later: Later, moment: str
) -> None:
    file = await keep(dying, owner, b"old")
    async with db.tenant_tx(owner.account_id) as tx:
        await files.delete(tx, owner, file.id)
    await later("2 hours")
    dying.storage.dies = moment  # type: ignore[attr-defined]
    with pytest.raises(Crash):
        await dying.sweep(24)
    again = await keep(dying, owner, b"old")  # while the old one is half gone
    dying.storage.dies = None  # type: ignore[attr-defined]
    assert (await dying.sweep(24))["blobs"] == 1
    assert await content(dying, owner, again) == b"old"


async def test_content_that_is_swept_while_it_is_written_is_written_again(
    db: Database, owner: Principal, later: Later
) -> None:
    class Slow(DatabaseStorage):
        async def put(self, blob: Blob, content: Content) -> None:
            await super().put(blob, content)
            if not swept:
                swept.append(blob)
                await later("2 hours")
                assert (await shelf.sweep(24))["blobs"] == 1

    swept: list[Blob] = []
    shelf = Shelf(db, Slow(db), LIMITS)
    file = await keep(shelf, owner, b"slow")
    assert await content(shelf, owner, file) == b"slow"


# ── in messages ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_only_who_uploaded_a_file_puts_it_into_a_message(
    db: Database, shelf: Shelf, world: Bootstrapped, owner: Principal
) -> None:
    file = await keep(shelf, owner, b"mine")
    event = Event(account_id=owner.account_id, user_id=ids.new(), channel_id=world.channel.id, content="theirs")
    with pytest.raises(errors.NotFound):
        await intake.receive(db, event, [file.id])
    with pytest.raises(errors.NotFound):
        await say(db, world, owner, file.model_copy(update={"id": ids.new()}))
    assert not await rows(db, owner, "select id from message where account_id = $1")


async def test_a_message_that_is_refused_takes_no_file(
    db: Database, shelf: Shelf, world: Bootstrapped, owner: Principal
) -> None:
    file = await keep(shelf, owner, b"mine")
    event = Event(account_id=owner.account_id, user_id=owner.user_id, channel_id=ids.new(), content="nowhere")
    with pytest.raises(errors.NotFound):
        await intake.receive(db, event, [file.id])
    async with db.tenant_tx(owner.account_id) as tx:
        await files.delete(tx, owner, file.id)  # so no message holds it


async def test_a_message_sent_twice_holds_its_files_once(
    db: Database, shelf: Shelf, world: Bootstrapped, owner: Principal
) -> None:
    file = await keep(shelf, owner, b"once")
    made = [
        await intake.receive(db, Event(account_id=owner.account_id, user_id=owner.user_id, content="x",
                                       channel_id=world.channel.id, idempotency_key="k"), [file.id, file.id])
        for _ in range(2)
    ]  # fmt: skip
    assert [one.duplicate for one in made] == [False, True]
    assert made[0].message.files == made[1].message.files
    held = await rows(db, owner, "select message_id from message_file where account_id = $1")
    assert [row["message_id"] for row in held] == [made[0].message.id]


async def test_a_plain_message_looks_at_no_file(db: Database, world: Bootstrapped, owner: Principal) -> None:
    assert (await say(db, world, owner)).files == ()

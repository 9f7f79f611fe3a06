"""What every storage does, whichever it is."""

import asyncio
import os
from pathlib import Path

import pytest

from retinue import errors
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.files import places
from retinue.files.contents import Content
from retinue.files.shelf import Shelf
from retinue.files.storage import Storage
from retinue.store.blobs import CHUNK_BYTES, Blob
from tests.files.conftest import Bucket

SIZES = (1, 100, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 7)


async def stored(storage: Storage, data: bytes) -> Blob:
    async with await Content.of(data) as content:
        blob = Blob(account_id=ids.new(), id=ids.new(), sha256=content.sha256.hex(), bytes=content.size)
        await storage.put(blob, content)
    return blob


async def read(storage: Storage, blob: Blob, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([data async for data in storage.read(blob, start, blob.bytes - 1 if end is None else end)])


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_put_is_read_back_whole(storage: Storage, size: int) -> None:
    data = os.urandom(size)
    assert await read(storage, await stored(storage, data)) == data


async def test_any_range_is_read_exactly(storage: Storage) -> None:
    data = os.urandom(2 * CHUNK_BYTES + 100)
    blob = await stored(storage, data)
    last = len(data) - 1
    for start, end in (
        (0, 0),
        (last, last),
        (5, 9),
        (CHUNK_BYTES - 1, CHUNK_BYTES),
        (CHUNK_BYTES, last),
        (1, last - 1),
    ):
        assert await read(storage, blob, start, end) == data[start : end + 1], (start, end)


async def test_putting_the_same_again_is_harmless_also_at_the_same_moment(storage: Storage) -> None:
    data = os.urandom(CHUNK_BYTES + 5)
    blob = await stored(storage, data)

    async def again() -> None:
        async with await Content.of(data) as content:
            await storage.put(blob, content)

    await asyncio.gather(*(again() for _ in range(8)))
    assert await read(storage, blob) == data


async def test_what_was_deleted_is_gone_and_deleting_again_is_harmless(storage: Storage) -> None:
    blob, other = await stored(storage, b"going"), await stored(storage, b"staying")
    await storage.delete(blob)
    await storage.delete(blob)
    with pytest.raises(errors.StorageDown):
        await read(storage, blob)
    assert await read(storage, other) == b"staying"


async def test_a_reader_who_leaves_early_harms_nothing(storage: Storage) -> None:
    blob = await stored(storage, os.urandom(3 * CHUNK_BYTES))
    pieces = storage.read(blob, 0, blob.bytes - 1)
    await anext(pieces)
    await pieces.aclose()  # type: ignore[attr-defined]
    assert len(await read(storage, blob)) == blob.bytes


async def test_one_accounts_content_is_not_under_anothers_path(storage: Storage) -> None:
    blob = await stored(storage, b"private")
    with pytest.raises(errors.StorageDown):
        await read(storage, blob.model_copy(update={"account_id": ids.new()}))


async def test_the_test_of_a_storage_that_works_says_so_and_leaves_nothing(shelf: Shelf, tmp_path: Path) -> None:
    made = await shelf.test()
    assert made.ok, made.detail
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_folder_that_cannot_be_written_is_a_storage_that_is_down(db: Database, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    with pytest.raises(errors.StorageDown):
        await stored(places.storage(db, f"directory:{tmp_path / 'taken'}", {}), b"x")


async def test_files_in_a_folder_are_for_this_user_alone(db: Database, tmp_path: Path) -> None:
    storage = places.storage(db, f"directory:{tmp_path / 'kept'}", {})
    blob = await stored(storage, b"private")
    path = tmp_path / "kept" / blob.path()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


async def test_a_half_written_file_of_a_process_that_died_goes_with_its_blob(db: Database, tmp_path: Path) -> None:
    storage = places.storage(db, f"directory:{tmp_path}", {})
    blob = await stored(storage, b"whole")
    path = tmp_path / blob.path()
    path.with_name(f".{path.name}.abc").write_bytes(b"ha")
    await storage.delete(blob)
    assert not [each for each in tmp_path.rglob("*") if each.is_file()]


async def test_an_s3_server_refuses_a_wrong_key_and_the_secret_is_in_no_word(db: Database, bucket: Bucket) -> None:
    wrong = bucket.keys | {"AWS_SECRET_ACCESS_KEY": "wrong-secret"}
    storage = places.storage(db, bucket.setting(), wrong)
    with pytest.raises(errors.StorageDown) as refused:
        await stored(storage, b"x")
    await storage.close()
    assert "403" in refused.value.detail
    assert "wrong-secret" not in refused.value.detail + repr(vars(storage))


async def test_a_server_that_is_away_is_a_storage_that_is_down(db: Database, bucket: Bucket) -> None:
    storage = places.storage(db, "s3://kept?endpoint=http://127.0.0.1:9", bucket.keys)
    made = await Shelf(db, storage, None).test()  # type: ignore[arg-type]
    await storage.close()
    assert not made.ok
    assert "cannot be reached" in made.detail


@pytest.mark.parametrize(
    "setting",
    [
        "", "databases", "database:x", "directory:", "directory:relative", "ftp://x", "s3:bucket",
        "s3://Bad_Bucket", "s3://b", "s3://bucket/../up", "s3://bucket/a b", "s3://bucket?region=x/y",
        "s3://bucket?endpoint=ftp://host", "s3://bucket?endpoint=http://user:pass@host", "s3://bucket?else=1",
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_right_is_refused_in_words(db: Database, setting: str) -> None:
    with pytest.raises(errors.Misconfigured, match="RETINUE_FILES"):
        places.storage(db, setting, {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"})


def test_an_s3_storage_without_keys_is_refused_in_words(db: Database) -> None:
    with pytest.raises(errors.Misconfigured, match="AWS_SECRET_ACCESS_KEY"):
        places.storage(db, "s3://bucket", {"AWS_ACCESS_KEY_ID": "k"})

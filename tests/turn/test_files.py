"""What a model is shown of the files in a conversation."""

import base64
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from PIL import Image

from retinue import errors
from retinue.domain import ids
from retinue.domain.accounts import Principal, Role
from retinue.domain.files import StorageLimits, StoredFile
from retinue.domain.models import ImagePart, ModelRequest, TextPart
from retinue.files.contents import Content
from retinue.files.database import DatabaseStorage
from retinue.files.shelf import Shelf, Upload
from retinue.store import corrections
from retinue.turn import attachments, intake
from tests.turn.conftest import Lab, node

LIMITS = StorageLimits(max_file_bytes=10**7, quota_bytes=0, types=("*",))


@pytest.fixture
async def desk(lab: Lab) -> AsyncIterator[Lab]:
    """A running node that has a place for files."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(node(lab))
        assert lab.engine is not None
        lab.engine.files = Shelf(lab.db, DatabaseStorage(lab.db), LIMITS)
        yield lab


def owner(lab: Lab) -> Principal:
    return Principal(account_id=lab.account, user_id=lab.world.owner.id, role=Role.OWNER)


async def keep(lab: Lab, name: str, data: bytes) -> StoredFile:
    assert lab.engine is not None and lab.engine.files is not None
    async with await Content.of(data) as content:
        return await lab.engine.files.keep(owner(lab), Upload(name, content))


async def ask(lab: Lab, content: str, *held: StoredFile) -> ModelRequest:
    """Post a message with these files; what the model was asked."""
    from retinue.domain.events import Event

    event = Event(
        account_id=lab.account, user_id=lab.world.owner.id, channel_id=lab.world.private_channel.id, content=content
    )
    received = await intake.receive(lab.db, event, [file.id for file in held])
    ended = await lab.until(received.interactions[0].id)
    assert ended.state == "succeeded", ended
    return lab.models.requests[-1]


def texts(request: ModelRequest) -> str:
    return "\n".join(p.text for m in request.messages for p in m.parts if isinstance(p, TextPart))


def images(request: ModelRequest) -> list[ImagePart]:
    return [p for m in request.messages for p in m.parts if isinstance(p, ImagePart)]


def picture(width: int = 30, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, 20), "green").save(out, kind)
    return out.getvalue()


async def test_a_picture_is_shown_as_a_picture_and_a_text_as_its_words(desk: Lab) -> None:
    shown = await ask(
        desk, "what is this?", await keep(desk, "a.png", picture(3000)), await keep(desk, "b.csv", b"x,y")
    )
    [image] = images(shown)
    with Image.open(io.BytesIO(base64.b64decode(image.data or ""))) as seen:
        assert (image.media_type, seen.size[0]) == ("image/png", 1568)
    assert '[File "b.csv", text/csv:]\nx,y\n[End of "b.csv"]' in texts(shown)
    assert '[Picture "a.png":]' in texts(shown)


async def test_a_message_of_files_alone_gets_an_answer(desk: Lab) -> None:
    shown = await ask(desk, "", await keep(desk, "a.txt", b"the words"))
    assert "the words" in texts(shown)


async def test_later_turns_still_see_the_file_and_the_journal_keeps_only_a_reference(desk: Lab) -> None:
    await ask(desk, "look", await keep(desk, "a.png", picture()))
    assert len(images(await ask(desk, "and now?"))) == 1
    rows = await desk.fetch("select parts::text as parts from thread_message where account_id = $1 and role = 'user'")
    assert max(len(row["parts"]) for row in rows) < 600


async def test_a_long_text_and_what_is_neither_are_named_only(desk: Lab) -> None:
    long = await keep(desk, "long.md", b"word " * 30_000)
    shown = texts(await ask(desk, "read", long, await keep(desk, "a.pdf", b"%PDF-1.4 secret words")))
    assert '[File "long.md", text/markdown, 150000 bytes: it is too long to be shown to you.]' in shown
    assert '[File "a.pdf", application/pdf' in shown
    assert "word word" not in shown and "secret words" not in shown


async def test_only_the_newest_pictures_are_shown(desk: Lab) -> None:
    for n in range(attachments.MOST_PICTURES + 2):
        shown = await ask(desk, "look", await keep(desk, f"{n}.png", picture(30 + n)))
    assert len(images(shown)) == attachments.MOST_PICTURES
    assert "left out, as newer pictures are shown" in texts(shown)
    assert '[Picture "9.png":]' in texts(shown) and '[Picture "1.png":]' not in texts(shown)


async def test_a_model_that_takes_no_pictures_is_told_of_them(desk: Lab) -> None:
    desk.models.script = [errors.ModelPermanent("It refused the request (400): image input is not supported."), "ok"]
    shown = await ask(desk, "look", await keep(desk, "a.png", picture()))
    assert not images(shown)
    assert "your model takes text only" in texts(shown)


async def test_a_refusal_for_another_reason_stays_one(desk: Lab) -> None:
    desk.models.script = [errors.ModelPermanent("The key was refused (401).")]
    file = await keep(desk, "a.png", picture())
    with pytest.raises(AssertionError, match="failed"):
        await ask(desk, "look", file)


async def test_a_storage_that_is_away_stops_no_conversation(desk: Lab) -> None:
    class Away(DatabaseStorage):
        def read(self, blob: object, start: int, end: int) -> AsyncIterator[bytes]:
            raise errors.StorageDown("away")

    file = await keep(desk, "a.txt", b"words")
    assert desk.engine is not None
    desk.engine.files = Shelf(desk.db, Away(desk.db), LIMITS)
    assert "could not be read just now" in texts(await ask(desk, "read", file))


async def test_a_file_of_a_deleted_message_is_in_no_later_prompt(desk: Lab) -> None:
    await ask(desk, "read", await keep(desk, "a.txt", b"the secret"))
    [row] = await desk.fetch("select id from message where account_id = $1 and user_id is not null")
    async with desk.db.tenant_tx(desk.account) as tx:
        await corrections.delete(tx, owner(desk), row["id"])
    shown = texts(await ask(desk, "what did it say?"))
    assert "the secret" not in shown and "a.txt" not in shown


async def test_where_nobody_keeps_files_they_are_named(desk: Lab) -> None:
    file = await keep(desk, "a.txt", b"words")
    assert desk.engine is not None
    desk.engine.files = None
    assert "it is no longer there" in texts(await ask(desk, "read", file))


async def test_a_request_without_files_costs_nothing(desk: Lab) -> None:
    request = ModelRequest(model="m", system="", messages=())
    assert await attachments.shown(None, ids.new(), request) is request

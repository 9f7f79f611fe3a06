"""Files in a prompt: the pictures and the text that a model is shown in place of a reference. Stores nothing.

The newest files come first until the bounds are reached; the rest, and what is neither picture nor text, is named. A
file that cannot be read just now is named too: a storage that is away must not stop a conversation.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from retinue import errors, telemetry
from retinue.domain.files import PICTURES, READABLE, StoredFile
from retinue.domain.models import FilePart, ImagePart, ModelRequest, Part, TextPart
from retinue.files.shelf import Shelf
from retinue.store import files
from retinue.store.files import Found

log = telemetry.logger(__name__)

MOST_PICTURES = 8
MOST_TEXT_BYTES = 100_000
"""Of one file; a longer one is named only."""
MOST_BYTES_OF_ALL = 200_000
BLIND = re.compile(r"image|vision|multi-?modal|picture", re.IGNORECASE)
"""What a provider says when its model takes no pictures."""
AWAY = "it could not be read just now"
Shown = Mapping[UUID, tuple[Part, ...]]


@dataclass
class _Budget:
    pictures: int = MOST_PICTURES
    text: int = MOST_BYTES_OF_ALL
    shown: dict[UUID, tuple[Part, ...]] = field(default_factory=dict[UUID, tuple[Part, ...]])


async def shown(shelf: Shelf | None, account_id: UUID, request: ModelRequest) -> ModelRequest:
    """The request with every file replaced by what the model is to see of it."""
    wanted = [
        part.file for message in reversed(request.messages) for part in message.parts if isinstance(part, FilePart)
    ]
    if not wanted:
        return request
    budget = _Budget()
    known = await _known(shelf, account_id, wanted)
    for file in wanted:
        if file.id not in budget.shown:
            budget.shown[file.id] = await _show(shelf, known.get(file.id), file, budget)
    return _replaced(request, budget.shown)


async def _known(shelf: Shelf | None, account_id: UUID, wanted: list[StoredFile]) -> dict[UUID, Found]:
    if shelf is None:
        return {}
    async with shelf.db.tenant_tx(account_id) as tx:
        return await files.in_messages(tx, account_id, [file.id for file in wanted])


async def _show(shelf: Shelf | None, found: Found | None, file: StoredFile, budget: _Budget) -> tuple[Part, ...]:
    if shelf is None or found is None:
        return (_named(file, "it is no longer there"),)
    try:
        if file.media_type in PICTURES and file.width:
            return await _picture(shelf, found, budget)
        if file.media_type in READABLE:
            return await _text(shelf, found, budget)
    except errors.Unavailable as error:
        log.warning("a file could not be read for a model", file=file.id, error=error.reason_code)
        return (_named(file, AWAY),)
    return (_named(file, "its content cannot be shown to you"),)


async def _picture(shelf: Shelf, found: Found, budget: _Budget) -> tuple[Part, ...]:
    if budget.pictures <= 0:
        return (_named(found, "it is left out, as newer pictures are shown"),)
    made = await shelf.for_model(found)
    if made is None:
        return (_named(found, "it cannot be decoded"),)
    budget.pictures -= 1
    media_type, data = made
    return TextPart(text=f'[Picture "{found.name}":]'), ImagePart(
        media_type=media_type, data=base64.b64encode(data).decode()
    )


async def _text(shelf: Shelf, found: Found, budget: _Budget) -> tuple[Part, ...]:
    if found.bytes > min(MOST_TEXT_BYTES, budget.text):
        return (_named(found, "it is too long to be shown to you"),)
    budget.text -= found.bytes
    text = (await shelf.read_all(found.blob)).decode("utf-8", "replace")
    return (TextPart(text=f'[File "{found.name}", {found.media_type}:]\n{text}\n[End of "{found.name}"]'),)


def _named(file: StoredFile, why: str) -> TextPart:
    return TextPart(text=f'[File "{file.name}", {file.media_type}, {file.bytes} bytes: {why}.]')


def _replaced(request: ModelRequest, parts: Shown) -> ModelRequest:
    def each(part: Part) -> tuple[Part, ...]:
        return parts[part.file.id] if isinstance(part, FilePart) else (part,)

    messages = tuple(
        message.model_copy(update={"parts": tuple(new for part in message.parts for new in each(part))})
        for message in request.messages
    )
    return request.model_copy(update={"messages": messages})


def is_blind(request: ModelRequest, error: errors.ModelPermanent) -> bool:
    """Whether the provider refused this for the pictures in it."""
    has_pictures = any(isinstance(part, ImagePart) for message in request.messages for part in message.parts)
    return has_pictures and bool(BLIND.search(error.detail))


def without_pictures(request: ModelRequest) -> ModelRequest:
    """The same for a model that takes none: it is told that there were some."""
    note = TextPart(text="[You cannot see this picture: your model takes text only.]")
    messages = tuple(
        message.model_copy(
            update={"parts": tuple(note if isinstance(part, ImagePart) else part for part in message.parts)}
        )
        for message in request.messages
    )
    return request.model_copy(update={"messages": messages})

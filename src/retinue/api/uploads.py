"""One file out of a multipart/form-data request, read as it comes. Knows nothing of what becomes of it."""

import asyncio
import hashlib
from typing import Any
from uuid import UUID

from fastapi import Request
from python_multipart import exceptions, multipart
from starlette.requests import ClientDisconnect

from retinue import errors
from retinue.api import idempotency
from retinue.domain.accounts import Principal
from retinue.files.contents import Content
from retinue.files.shelf import Upload

FIELD = "file"
SECONDS = 300.0
"""How long the bytes of one file may take to arrive."""
WRONG = f"Send multipart/form-data with one file in the field {FIELD!r}."


class Form:
    """Takes the parser's news: finds the one file's name and puts its bytes aside."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.ready = bytearray()
        self.done = False
        self._header = b""
        self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._wanted = False

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._headers.clear,
            "on_header_field": self._on_field,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header,
            "on_headers_finished": self._on_headers,
            "on_part_data": self._on_data,
            "on_end": self._on_end,
        }

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def _on_headers(self) -> None:
        _, options = multipart.parse_options_header(self._headers.get(b"content-disposition", b""))
        self._wanted = options.get(b"name") == FIELD.encode() and b"filename" in options
        if not self._wanted:
            return
        if self.name is not None:
            raise errors.BadInput("Send one file at a time.", errors=[{"path": FIELD, "reason": "given twice"}])
        name = options[b"filename"].decode("utf-8", "replace")
        self.name = name.replace("%22", '"').replace("%0D", "").replace("%0A", "")  # as browsers write them in forms

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self.ready += data[start:end]

    def _on_end(self) -> None:
        self.done = True


async def receive(request: Request, content: Content) -> str:
    """Write the request's file into ``content``; returns its name as the sender calls it.

    Raises FileTooLarge, BadInput, BadRequest (it ended early, or came too slowly).
    """
    kind, options = multipart.parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise errors.BadInput(WRONG)
    form = Form()
    parser: Any = multipart.MultipartParser(boundary, form.callbacks())
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                parser.write(chunk)
                if form.ready:
                    await content.write(bytes(form.ready))
                    form.ready.clear()
    except exceptions.FormParserError as error:
        raise errors.BadRequest(WRONG) from error
    except (ClientDisconnect, TimeoutError) as error:
        raise errors.BadRequest("The file did not arrive whole.") from error
    if form.name is None:
        raise errors.BadInput(WRONG, errors=[{"path": FIELD, "reason": "is missing"}])
    if not form.done:
        raise errors.BadRequest("The file did not arrive whole.")
    return form.name


def upload(name: str, content: Content, owner: Principal, key: str | None) -> Upload:
    """What to keep. With an Idempotency-Key the file's id is made of it, so that a retry finds the file."""
    if key is None:
        return Upload(name, content)
    idempotency.checked(key)
    made = hashlib.sha256(f"file {owner.account_id} {idempotency.principal_name(owner)} {key}".encode()).digest()
    return Upload(name, content, UUID(bytes=made[:16], version=5))

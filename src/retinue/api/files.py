"""Files for messages: uploaded first, then named in the message that holds them.

Content is served so that no browser runs it: no sniffing, a sandbox, and a download unless it is a plain picture, a PDF
or text.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.responses import Response, StreamingResponse

from retinue import errors
from retinue.api import deps, problems, uploads
from retinue.domain import files as rules
from retinue.domain.files import File, StorageInfo, StorageLimits, StorageTest
from retinue.domain.ids import FileId
from retinue.files.contents import Content
from retinue.files.shelf import Shelf
from retinue.store import files
from retinue.store.blobs import Blob
from retinue.store.files import Found

router = APIRouter(tags=["files"])

SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
PDF_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""Without the sandbox, in which browsers show no PDF; their viewers keep it from the page's origin themselves."""
FOREVER = "private, max-age=31536000, immutable"
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [uploads.FIELD],
                    "properties": {uploads.FIELD: {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
BYTES: dict[str, Any] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes.", "content": BYTES},
    206: {"description": "The bytes of the range that was asked for.", "content": BYTES},
    304: {"description": "You have it already."},
}


def shelf(app: deps.AppState) -> Shelf:
    """The installation's files."""
    if app.files is None:
        raise errors.Unavailable("This process keeps no files.")
    return app.files


@router.post("/v1/files", status_code=201, openapi_extra=FORM)
async def upload_file(
    request: Request,
    caller: deps.Caller,
    app: deps.App,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> File:
    """Upload one file, to be named in a message within a day. What it is, its bytes say."""
    place = shelf(app)
    async with Content(place.limits.max_file_bytes) as content:
        name = await uploads.receive(request, content)
        return File.of(await place.keep(caller, uploads.upload(name, content, caller, idempotency_key)))


@router.get("/v1/files/{file_id}")
async def get_file(file_id: FileId, caller: deps.Caller, db: deps.Db) -> File:
    """A file you have uploaded, or that is in a message you may read."""
    async with db.tenant_tx(caller.account_id) as tx:
        return File.of(await files.access_file(tx, caller, file_id))


@router.delete("/v1/files/{file_id}", status_code=204)
async def delete_file(file_id: FileId, caller: deps.Caller, db: deps.Db) -> None:
    """Remove a file of yours that is in no message."""
    async with db.tenant_tx(caller.account_id) as tx:
        await files.delete(tx, caller, file_id)


@router.get("/v1/files/{file_id}/content", response_class=Response, responses=CONTENT)
async def get_file_content(file_id: FileId, request: Request, caller: deps.Caller, app: deps.App) -> Response:
    """The file's bytes; ``Range`` and ``If-None-Match`` are understood."""
    found = await _access(app, caller, file_id)
    media_type, inline = rules.served_as(found.media_type, found.width is not None)
    headers = {
        "content-type": media_type,
        "content-disposition": rules.disposition(found.name, inline),
        "content-security-policy": PDF_POLICY if media_type == "application/pdf" else SANDBOX,
    }
    return _served(shelf(app), found.blob, request, headers)


@router.get("/v1/files/{file_id}/preview", response_class=Response, responses=CONTENT)
async def get_file_preview(file_id: FileId, request: Request, caller: deps.Caller, app: deps.App) -> Response:
    """A small picture of the file, where it has one."""
    found = await _access(app, caller, file_id)
    if found.preview_blob is None:
        raise errors.NotFound("This file has no preview.")
    headers = {
        "content-type": "image/webp",
        "content-disposition": "inline",
        "content-security-policy": SANDBOX,
    }
    return _served(shelf(app), found.preview_blob, request, headers)


async def _access(app: deps.AppState, caller: deps.Principal, file_id: FileId) -> Found:
    async with app.db.tenant_tx(caller.account_id) as tx:
        return await files.access_file(tx, caller, file_id)


def _served(place: Shelf, blob: Blob, request: Request, headers: dict[str, str]) -> Response:
    etag = f'"{blob.sha256}"'
    common = {"etag": etag, "cache-control": FOREVER, "accept-ranges": "bytes"}
    asked = request.headers.get("if-none-match", "")
    if asked == "*" or etag in (tag.strip().removeprefix("W/") for tag in asked.split(",")):
        return Response(status_code=304, headers=common)
    matches = request.headers.get("if-range", etag) == etag
    try:
        wanted = rules.parse_range(request.headers.get("range") if matches else None, blob.bytes)
    except errors.RangeNotSatisfiable as error:
        answer = problems.response(error)
        answer.headers["content-range"] = f"bytes */{blob.bytes}"
        return answer
    if wanted is None:
        whole = common | headers | {"content-length": str(blob.bytes)}
        return StreamingResponse(place.read(blob), headers=whole)
    start, end = wanted
    part = {"content-range": f"bytes {start}-{end}/{blob.bytes}", "content-length": str(end - start + 1)}
    return StreamingResponse(place.read(blob, start, end), 206, common | headers | part)


# ── where files are kept ─────────────────────────────────────────────────────────────────────────────────────────


@router.get("/v1/storage")
async def get_storage(caller: deps.Admin, app: deps.App) -> StorageInfo:
    """Where files are kept, what they may take, and how much this account uses. Takes an admin."""
    return await shelf(app).info(caller.account_id)


@router.get("/v1/storage/limits")
async def get_storage_limits(_: deps.Caller, app: deps.App) -> StorageLimits:
    """What a file may be, for everybody who uploads one."""
    return shelf(app).limits


@router.post("/v1/storage/test")
async def test_storage(caller: deps.Admin, app: deps.App) -> StorageTest:
    """Write, read and delete a few bytes, and say how it went. Takes an admin."""
    return await shelf(app).test()

"""Errors as RFC 9457 problem documents, for everything that can go wrong on the way in and out.

A caller's mistake is explained to the caller. Everything else is public only as a code and an id; what happened is in
the log under that id.
"""

import json
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from retinue import errors, telemetry
from retinue.domain import ids

log = telemetry.logger(__name__)
UNSTORABLE = ("22021", "22P05")
"""What PostgreSQL says of NUL in a text or in JSON."""
MEDIA_TYPE = "application/problem+json"
BY_STATUS: dict[int, type[errors.RetinueError]] = {
    400: errors.BadRequest,
    401: errors.NotSignedIn,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    409: errors.Conflict,
    413: errors.TooLarge,
    422: errors.BadInput,
    429: errors.TooMany,
    503: errors.Unavailable,
}


class FieldError(BaseModel):
    """One thing that is wrong with the input: where, and why."""

    path: str
    reason: str


class Problem(BaseModel):
    """An error (RFC 9457). ``code`` is stable; ``detail`` says what to do; ``id`` is set when the log knows more."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] = []
    id: str | None = None


def document(error: errors.RetinueError) -> dict[str, Any]:
    """The body for this error; what the caller must not see is logged, not returned."""
    body: dict[str, Any] = {
        "type": f"urn:retinue:error:{error.code}",
        "title": error.title(),
        "status": error.status,
        "detail": error.detail,
        "code": error.reason_code,
    }
    if isinstance(error, errors.BadInput | errors.Loosens) and error.errors:
        body["errors"] = error.errors
    if error.audience == "caller" and error.status != 500:
        return body
    return _hidden(body, error)


def _hidden(body: dict[str, Any], error: errors.RetinueError) -> dict[str, Any]:
    private_id = str(ids.new())
    cause = error.__cause__
    log.error(
        "request failed",
        error_id=private_id,
        code=error.reason_code,
        detail=error.detail,
        cause=repr(cause) if cause else None,
    )
    again = "Try again in a moment. " if error.status == 503 else ""
    return body | {"detail": f"{again}The operator finds the cause in the log under {private_id}.", "id": private_id}


def response(error: errors.RetinueError) -> Response:
    """The whole answer for this error, with the headers that go with its status."""
    answer = Response(json.dumps(document(error)).encode(), error.status, media_type=MEDIA_TYPE)
    wait = getattr(error, "retry_after", None)
    if wait is None and error.status == 503:
        wait = 2.0
    if wait is not None:
        answer.headers["retry-after"] = str(max(1, round(wait)))
    if error.status == 401:
        answer.headers["www-authenticate"] = 'Bearer realm="retinue"'
    return answer


def install(app: FastAPI) -> None:
    """Make every error that a route or the router raises a problem document."""
    app.add_exception_handler(errors.RetinueError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


async def _on_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.RetinueError)
    return response(error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return response(invalid(error.errors()))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = BY_STATUS.get(error.status_code, errors.BadRequest if error.status_code < 500 else errors.RetinueError)
    answer = response(kind(_http_detail(request, error)))
    answer.headers.update(error.headers or {})
    return answer


def _http_detail(request: Request, error: HTTPException) -> str:
    match error.status_code:
        case 404:
            return f"There is no route {request.url.path}. See /openapi.json."
        case 405:
            return f"{request.method} is not possible here. See the Allow header."
        case _:
            return str(error.detail)


def invalid(found: Sequence[Any]) -> errors.BadInput:
    """Pydantic's list of errors as ours: path and reason, never the value that was sent."""
    listed = [{"path": ".".join(str(part) for part in entry["loc"]), "reason": _reason(entry)} for entry in found]
    first = f" First: {listed[0]['path']}: {listed[0]['reason']}." if listed else ""
    return errors.BadInput(f"Correct the fields named in `errors`.{first}", errors=listed)


def _reason(entry: dict[str, Any]) -> str:
    if entry.get("type") == "json_invalid":
        return f"not valid JSON: {entry.get('ctx', {}).get('error', '')}"
    text = str(entry["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


class Guard:
    """ASGI: the last resort. What no handler took becomes a problem document, also when middleware raised it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            if started:  # too late for another answer: the server cuts the connection, which the client notices
                log.error("response cut short", path=scope["path"], exc_info=True)
                raise
            await response(as_ours(error))(scope, receive, send)


def as_ours(error: Exception) -> errors.RetinueError:
    """This error in our tree; one that is none of ours is logged with its traceback and becomes ``internal_error``."""
    if isinstance(error, errors.RetinueError):
        return error
    if getattr(error, "sqlstate", None) in UNSTORABLE:
        return errors.BadInput("Leave out the NUL character: text with it cannot be stored.")
    log.error("unexpected error", kind=type(error).__name__, exc_info=error)
    unexpected = errors.RetinueError(f"{type(error).__name__}")
    unexpected.__cause__ = error
    return unexpected

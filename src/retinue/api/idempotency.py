"""ASGI: ``Idempotency-Key`` on every POST of someone signed in. The first request runs; the same request with the same
key gets the same answer, another request with it 409.

Final answers (2xx and 4xx that would stay so) are kept, sealed with a key made from the caller's own credential,
because they may hold a secret that is shown once. Event streams pass through unkept.
"""

import asyncio
import base64
import hashlib
import os
from collections.abc import Awaitable
from typing import Any

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from retinue import errors, telemetry
from retinue.db import pool
from retinue.domain.accounts import Principal
from retinue.store import idempotency
from retinue.store.idempotency import Slot

log = telemetry.logger(__name__)
MAX_KEY = 255
BEAT_SECONDS = 15.0
MAX_KEPT = 1024 * 1024
NOT_FINAL = frozenset({401, 403, 408, 425, 429})
KEPT_HEADERS = ("content-type", "location")
UPLOADS = "/v1/files"
"""A POST here makes the file's id of its key (``uploads``), and is too large to be held back."""


class Idempotency:
    """Sits inside ``auth.Identify`` and the limits, around the routes."""

    def __init__(self, app: Any, db: pool.Database) -> None:
        self.app = app
        self._db = db

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        principal: Principal | None = scope.get("retinue.principal")
        if scope["type"] != "http" or scope["method"] != "POST" or principal is None or scope["path"] == UPLOADS:
            await self.app(scope, receive, send)
            return
        key = Headers(scope=scope).get("idempotency-key")
        if key is None:
            await self.app(scope, receive, send)
            return
        slot = Slot(principal.account_id, principal_name(principal), checked(key))
        body = await read_body(receive)
        claim = await idempotency.claim(self._db, slot, _fingerprint(scope, body))
        match claim.state:
            case "mismatch":
                raise errors.IdempotencyMismatch("Send a new Idempotency-Key with a new request.")
            case "busy":
                raise errors.IdempotencyBusy("Ask again in a moment; you will get the first request's answer.")
            case "done":
                await _replay(claim, scope["retinue.credential"], slot)(scope, receive, send)
            case "mine":
                assert claim.claimed_at is not None
                recorder = _Recorder(send)
                await self._run(scope, replaying(body, receive), recorder, (slot, claim.claimed_at))

    async def _run(self, scope: Scope, receive: Receive, recorder: "_Recorder", claimed: tuple[Slot, Any]) -> None:
        slot, claimed_at = claimed
        failure = await self._alive(self.app(scope, receive, recorder.send), slot, claimed_at)
        try:
            if failure is None and recorder.is_final():
                kept = _seal(recorder, scope["retinue.credential"], slot)
                await idempotency.keep(self._db, slot, claimed_at, recorder.status, kept)
            else:
                await idempotency.release(self._db, slot, claimed_at)
        except (errors.RetinueError, asyncpg.PostgresError) as error:
            # it is done: answer, though a retry may repeat it
            log.warning("answer not kept for its Idempotency-Key", error=type(error).__name__)
        if failure is not None:
            raise failure
        await recorder.flush()

    async def _alive(self, request: Awaitable[None], slot: Slot, claimed_at: Any) -> Exception | None:
        """Run the request and say meanwhile that it lives; returns what it raised."""
        failure: Exception | None = None
        async with asyncio.TaskGroup() as group:
            beat = group.create_task(self._beat(slot, claimed_at))
            try:
                await request
            except Exception as error:  # an exception group would hide it
                failure = error
            finally:
                beat.cancel()
        return failure

    async def _beat(self, slot: Slot, claimed_at: Any) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await idempotency.beat(self._db, slot, claimed_at)
            except (errors.RetinueError, asyncpg.PostgresError) as error:
                log.warning("request could not say that it lives", error=type(error).__name__)


class _Recorder:
    """Holds an answer back until it is kept; lets a stream or a very large answer through as it comes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: list[Message] = []
        self._size = 0
        self._through = False
        self.status = 0
        self.headers = Headers()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = Headers(raw=message["headers"])
            self._through = self.headers.get("content-type", "").startswith("text/event-stream")
        self._size += len(message.get("body", b""))
        self._held.append(message)
        if self._through or self._size > MAX_KEPT:
            self._through = True
            await self.flush()

    def is_final(self) -> bool:
        if self._through or self.status in NOT_FINAL or "retry-after" in self.headers:
            return False
        return 200 <= self.status < 500

    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self._held)

    async def flush(self) -> None:
        held, self._held = self._held, []
        for message in held:
            await self._send(message)


def principal_name(principal: Principal) -> str:
    """Who the key belongs to: the API key, the session, else the user (who came with a provider's token)."""
    if principal.key_id is not None:
        return f"key:{principal.key_id}"
    if principal.session_id is not None:
        return f"session:{principal.session_id}"
    return f"user:{principal.user_id}"


def checked(key: str) -> str:
    """The key. Raises BadInput for one that cannot be a header's or is too long."""
    if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        reason = f"must be 1 to {MAX_KEY} printable ASCII characters"
        raise errors.BadInput(
            "Send another Idempotency-Key, for example a UUID.",
            errors=[{"path": "header.Idempotency-Key", "reason": reason}],
        )
    return key


def _fingerprint(scope: Scope, body: bytes) -> bytes:
    head = b"\n".join([scope["method"].encode(), scope["path"].encode(), scope["query_string"]])
    return hashlib.sha256(hashlib.sha256(head).digest() + hashlib.sha256(body).digest()).digest()


async def read_body(receive: Receive) -> bytes:
    """All of the body; the limit of its size was enforced before."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise errors.BadRequest("The connection ended before the body did.")
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def replaying(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives the body once and then whatever the connection says."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _cipher(credential: str) -> AESGCM:
    return AESGCM(hashlib.sha256(b"retinue-idempotency:" + credential.encode()).digest())


def _bound(slot: Slot) -> bytes:
    return f"{slot.account_id}:{slot.principal}:{slot.key}".encode()


def _seal(recorder: _Recorder, credential: str, slot: Slot) -> dict[str, Any]:
    nonce = os.urandom(12)
    sealed = nonce + _cipher(credential).encrypt(nonce, recorder.body(), _bound(slot))
    headers = {name: recorder.headers[name] for name in KEPT_HEADERS if name in recorder.headers}
    return {"headers": headers, "sealed": base64.b64encode(sealed).decode()}


def _replay(claim: idempotency.Claim, credential: str, slot: Slot) -> Response:
    assert claim.response is not None and claim.status is not None
    sealed = base64.b64decode(claim.response["sealed"])
    try:
        body = _cipher(credential).decrypt(sealed[:12], sealed[12:], _bound(slot))
    except InvalidTag as error:
        raise errors.IdempotencyMismatch("This key was used with an earlier sign-in. Send a new one.") from error
    headers: dict[str, str] = claim.response["headers"]
    return Response(body, claim.status, headers=headers | {"idempotent-replayed": "true"})

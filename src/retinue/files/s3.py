"""Files in any store that speaks S3. Requests are signed by botocore and sent under the egress guard.

The guard opens the configured endpoint only, private or not; redirects are not followed.
"""

import asyncio
import importlib
import random
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpcore
import httpx

from retinue import errors
from retinue.domain import addresses
from retinue.domain.addresses import Allowed
from retinue.files.contents import Content
from retinue.store.blobs import Blob
from retinue.tools import egress

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PREFIX = re.compile(r"[A-Za-z0-9._/-]*")
REGION = re.compile(r"[a-z0-9-]{1,40}")
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The SHA-256 of nothing."""
TIMEOUT = {"connect": 10.0, "read": 60.0, "write": 60.0, "pool": 60.0}
TRIES = 5
PAUSE_SECONDS = 0.1
"""Doubled after each try, with jitter, so that those who were refused together do not come back together."""
WORDS = re.compile(r"<Code>([A-Za-z0-9]{1,64})</Code>")


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials. Never shown."""

    key_id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """A bucket and a prefix in it. ``base`` is the bucket's address without a slash at its end."""

    bucket: str
    prefix: str
    region: str
    base: str

    @classmethod
    def of(cls, bucket: str, prefix: str, region: str, endpoint: str) -> "Target":
        """``endpoint`` empty: Amazon's own for the region. Raises ``Misconfigured``."""
        region = region or "us-east-1"
        wrong = next((f"{name} {text!r} is not valid" for name, text, pattern in (
            ("the bucket", bucket, BUCKET), ("the prefix", prefix, PREFIX), ("the region", region, REGION),
        ) if not pattern.fullmatch(text) or ".." in text), None)  # fmt: skip
        if wrong is None and endpoint:
            objection = addresses.objection(endpoint)
            wrong = f"the endpoint {objection}" if objection else None
        if wrong:
            raise errors.Misconfigured(f"RETINUE_FILES: {wrong}.")
        base = f"{endpoint.rstrip('/')}/{bucket}" if endpoint else f"https://{bucket}.s3.{region}.amazonaws.com"
        return cls(bucket, f"{prefix}/" if prefix else "", region, base)


class S3Storage:
    """One object per blob, under ``prefix/account/..``."""

    kind = "s3"

    def __init__(self, target: Target, keys: Keys, *, verify: Any = True) -> None:
        self._target = target
        self._keys = keys
        self._sign = _signer(keys, target.region)
        self.place = f"s3://{target.bucket}/{target.prefix}"
        url = httpx.URL(target.base)
        port = url.port or (443 if url.scheme == "https" else 80)
        host = f"[{url.host}]" if ":" in url.host else url.host
        guard = egress.Guard(Allowed.parse(f"{host}:{port}"), egress.system_resolver)
        self._transport = egress.Transport(guard, verify)

    async def put(self, blob: Blob, content: Content) -> None:
        headers = {"content-length": str(content.size), "content-type": "application/octet-stream"}
        for tried in range(1, TRIES + 1):
            try:
                async with self._send("PUT", blob, headers, content) as response:
                    await self._check(response, {200, 201, 204})
                return
            except errors.StorageDown as error:
                if tried == TRIES or not error.data.get("again"):
                    raise
                await asyncio.sleep(PAUSE_SECONDS * 2**tried * random.uniform(0.5, 1.5))

    async def read(self, blob: Blob, start: int, end: int) -> AsyncIterator[bytes]:
        async with self._send("GET", blob, {"range": f"bytes={start}-{end}"}) as response:
            await self._check(response, {200, 206})
            skip = start if response.status_code == 200 else 0  # a store that knows no ranges
            left = end - start + 1
            async for data in response.aiter_raw():
                piece = data[skip : skip + left]
                skip = max(0, skip - len(data))
                left -= len(piece)
                if piece:
                    yield piece
                if not left:
                    return
        raise errors.StorageDown(f"The content {blob.path()} is shorter than it was.")

    async def delete(self, blob: Blob) -> None:
        async with self._send("DELETE", blob, {}) as response:
            await self._check(response, {200, 204, 404})

    async def close(self) -> None:
        await self._transport.aclose()

    @asynccontextmanager
    async def _send(
        self, method: str, blob: Blob, headers: Mapping[str, str], content: Content | None = None
    ) -> AsyncIterator[httpx.Response]:
        url = f"{self._target.base}/{quote(self._target.prefix + blob.path())}"
        hashed = content.sha256.hex() if content else EMPTY
        signed = self._sign(method, url, {**headers, "x-amz-content-sha256": hashed})
        request = httpx.Request(
            method, url, headers=signed, content=content.chunks() if content else None, extensions={"timeout": TIMEOUT}
        )
        try:
            response = await self._transport.handle_async_request(request)
            try:
                yield response
            finally:
                await response.aclose()
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            words = f"{self.place} cannot be reached: {type(error).__name__}."
            raise errors.StorageDown(words, again=True) from error
        except errors.ToolRefused as error:
            raise errors.StorageDown(f"{self.place}: {error.detail}") from error

    async def _check(self, response: httpx.Response, wanted: set[int]) -> None:
        if response.status_code in wanted:
            return
        body = b""
        async for data in response.aiter_raw():
            body += data
            if len(body) > 4096:
                break
        code = WORDS.search(body[:4096].decode("utf-8", "replace"))
        words = f"{self.place} answered {response.status_code}{f' {code[1]}' if code else ''}."
        raise errors.StorageDown(words, again=response.status_code >= 500 or response.status_code == 429)


def _signer(keys: Keys, region: str) -> Any:
    """A function from method, url and headers to signed headers. Raises ``Misconfigured`` without botocore."""
    try:
        auth: Any = importlib.import_module("botocore.auth")
        requests: Any = importlib.import_module("botocore.awsrequest")
        credentials: Any = importlib.import_module("botocore.credentials")
    except ImportError:
        raise errors.Misconfigured("RETINUE_FILES names an S3 storage: install retinue[s3].") from None
    held = credentials.Credentials(keys.key_id, keys.secret, keys.token)

    def sign(method: str, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        request = requests.AWSRequest(method=method, url=url, headers=dict(headers))
        auth.S3SigV4Auth(held, "s3", region).add_auth(request)
        return dict(request.headers.items())

    return sign

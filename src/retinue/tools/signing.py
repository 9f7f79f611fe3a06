"""Signatures of requests that Retinue sends, and the verifier for those who receive them (EXT-25, EXT-26, CON-31).

Needs nothing but the standard library, so that it can be copied. Two signatures over the exact bytes of the body:

* ``X-Thinklio-Signature``: hex HMAC-SHA256 of the body, keyed with the UTF-8 bytes of the secret;
* ``webhook-signature`` (Standard Webhooks): ``v1,`` and base64 HMAC-SHA256 of
  ``{webhook-id}.{webhook-timestamp}.{body}``, keyed with the bytes that follow ``whsec_`` in base64, or with the
  secret's UTF-8 bytes where it has no such prefix.

The second one covers a time and an id, which is what stops a recorded request from being played again.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

TOLERANCE_SECONDS = 300
THINKLIO = "X-Thinklio-Signature"
PREFIX = "whsec_"


class InvalidSignature(ValueError):
    """The request is not from who it says, or is too old."""


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that sign this body. ``timestamp`` is Unix time in seconds."""
    return {
        THINKLIO: hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": _standard(secret, message_id, str(timestamp), body),
    }


def verify(
    secret: str, headers: Mapping[str, str], body: bytes, now: float, tolerance: float = TOLERANCE_SECONDS
) -> str:
    """Check a received request; returns its id, which a receiver should accept only once.

    ``body`` must be the bytes as received, before any parsing. Header names count in any case. Raises
    ``InvalidSignature``.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not (message_id and timestamp.isascii() and timestamp.isdigit()):
        raise InvalidSignature("webhook-id or webhook-timestamp is missing or not valid")
    if abs(now - int(timestamp)) > tolerance:
        raise InvalidSignature("the timestamp is too far from now")
    plain = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not _equal(plain, given.get(THINKLIO.lower(), "")):
        raise InvalidSignature(f"{THINKLIO} does not fit the body")
    standard = _standard(secret, message_id, timestamp, body)
    if not any([_equal(standard, candidate) for candidate in given.get("webhook-signature", "").split()]):
        raise InvalidSignature("webhook-signature does not fit the body")
    return message_id


def _standard(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def _equal(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))

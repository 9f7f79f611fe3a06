"""The published signature: a fixed vector, and what a receiver must refuse."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.tools import signing
from retinue.tools.signing import InvalidSignature

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "external-tools.md"
VECTOR: dict[str, Any] = json.loads(re.findall(r"```json vector\n(.*?)\n```", DOCUMENT.read_text(), re.DOTALL)[0])
BODY = VECTOR["body"].encode()
TIME = int(VECTOR["headers"]["webhook-timestamp"])
SECRET = VECTOR["secret"]


def headers(**changes: str) -> dict[str, str]:
    return VECTOR["headers"] | {name.replace("_", "-"): value for name, value in changes.items()}


@pytest.mark.requirement("EXT-25", "EXT-26")
def test_the_published_vector_holds() -> None:
    assert signing.sign(SECRET, VECTOR["headers"]["webhook-id"], TIME, BODY) == VECTOR["headers"]
    assert signing.verify(SECRET, VECTOR["headers"], BODY, TIME) == VECTOR["headers"]["webhook-id"]


def test_the_vector_of_standard_webhooks_holds() -> None:
    """From that specification's own documentation."""
    signed = signing.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_header_names_count_in_any_case() -> None:
    assert signing.verify(SECRET, {name.upper(): value for name, value in VECTOR["headers"].items()}, BODY, TIME)


@pytest.mark.requirement("CON-31")
@pytest.mark.parametrize("late", [301, -301, 10_000_000])
def test_an_old_or_future_request_is_refused(late: int) -> None:
    with pytest.raises(InvalidSignature, match="timestamp"):
        signing.verify(SECRET, VECTOR["headers"], BODY, TIME + late)


@pytest.mark.parametrize("changed", [
    headers(webhook_id="tc_other"), headers(webhook_timestamp=str(TIME + 1)), headers(webhook_signature="v1,AAAA"),
    headers(webhook_signature=""), headers(webhook_timestamp="²"), headers(webhook_timestamp="-1"),
    headers(X_Thinklio_Signature="0" * 64), headers(X_Thinklio_Signature="é\ud800"), {},
])  # fmt: skip
def test_changed_headers_are_refused(changed: dict[str, str]) -> None:
    with pytest.raises(InvalidSignature):
        signing.verify(SECRET, changed, BODY, TIME)


@given(st.binary(max_size=200), st.integers(0, 199), st.integers(1, 255), st.text(min_size=1, max_size=40))
@pytest.mark.requirement("EXT-26")
def test_a_signature_fits_its_bytes_and_no_others(body: bytes, place: int, change: int, secret: str) -> None:
    secret = secret.encode("utf-8", "replace").decode()
    signed = signing.sign(secret, "id", TIME, body)
    assert signing.verify(secret, signed, body, TIME) == "id"
    other = bytearray(body or b"\0")
    other[place % len(other)] ^= change
    if bytes(other) == body:
        return
    with pytest.raises(InvalidSignature):
        signing.verify(secret, signed, bytes(other), TIME)
    with pytest.raises(InvalidSignature):
        signing.verify(secret + "x", signed, body, TIME)


def test_one_of_several_signatures_suffices_while_a_secret_is_replaced() -> None:
    both = headers(webhook_signature="v1,b2xk " + VECTOR["headers"]["webhook-signature"])
    assert signing.verify(SECRET, both, BODY, TIME)


def test_the_published_receiver_works() -> None:
    """The code in the document is the code that is tested: it accepts the vector and refuses a changed body."""
    code = re.findall(r"```python receiver\n(.*?)\n```", DOCUMENT.read_text(), re.DOTALL)[0]
    space: dict[str, Any] = {"__name__": "receiver"}
    exec(compile(code, "receiver", "exec"), space)
    assert space["accept"](SECRET, VECTOR["headers"], BODY, now=TIME)
    assert not space["accept"](SECRET, VECTOR["headers"], BODY + b" ", now=TIME)
    assert not space["accept"](SECRET, VECTOR["headers"], BODY, now=TIME + 1000)
    assert len(code.splitlines()) <= 45

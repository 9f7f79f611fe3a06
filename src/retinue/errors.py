"""Every error Retinue raises on purpose, drawn as a tree.

RetinueError
├── BadInput (422)            the caller sent something that cannot be right
│   ├── TooLarge (413), BadRequest (400), MethodNotAllowed (405)
│   ├── FileTooLarge (413), FileTypeRefused (415), RangeNotSatisfiable (416)
├── NotSignedIn (401)
│   └── SignInRefused
├── Forbidden (403)
│   └── BadOrigin
├── NotFound (404)            also for what exists in another account
├── Conflict (409)            right request, wrong state
│   ├── WrongState, ThreadBusy, IdempotencyMismatch, IdempotencyBusy, AlreadyExists, QuotaExceeded, Loosens
├── TooMany (429)             rate limits
├── Unavailable (503)         a part we need is down; retrying may help
│   ├── DatabaseDown, StorageDown
│   └── Draining
├── Misconfigured (500)       the operator must act (unknown model, wrong database version)
├── Fenced                    internal: another node owns the interaction now; stop writing
├── ModelError                the language model failed
│   ├── ModelTransient        worth retrying; honours ``retry_after``
│   ├── ModelPermanent        not worth retrying
│   ├── ContextTooLong        retry with less context
│   └── ModelMalformed        the answer could not be understood
└── ToolError                 a tool body failed; becomes a result the model reads
    ├── ToolTransient
    ├── ToolRefused           the gate or the egress guard said no
    └── ToolOutcomeUnknown    it may or may not have happened

The class docstring's first line is the title people see; ``detail`` says what to do. ``code`` is stable and unique.
"""

from typing import Any, ClassVar


class RetinueError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    audience: ClassVar[str] = "caller"
    """Who must act: ``caller``, ``operator`` or ``nobody`` (internal). Only ``caller`` details are sent out."""

    def __init__(self, detail: str = "", *, code: str | None = None, **data: Any) -> None:
        self.detail = detail or self.title()
        self.reason_code = code or self.code
        self.data = data
        super().__init__(self.detail)

    @classmethod
    def title(cls) -> str:
        return (cls.__doc__ or "").strip().splitlines()[0]


class BadInput(RetinueError):
    """The request is not valid."""

    code, status = "invalid_input", 422

    def __init__(self, detail: str = "", *, errors: list[dict[str, str]] | None = None, **data: Any) -> None:
        super().__init__(detail, **data)
        self.errors = errors or []


class TooLarge(BadInput):
    """The request is too large."""

    code, status = "too_large", 413


class BadRequest(BadInput):
    """The request could not be read."""

    code, status = "bad_request", 400


class MethodNotAllowed(BadInput):
    """This address does not take that method."""

    code, status = "method_not_allowed", 405


class FileTooLarge(TooLarge):
    """The file is too large."""

    code = "file_too_large"


class FileTypeRefused(BadInput):
    """Files of this kind are not taken."""

    code, status = "file_type_refused", 415


class RangeNotSatisfiable(BadInput):
    """The file has no such range."""

    code, status = "range_not_satisfiable", 416


class NotSignedIn(RetinueError):
    """Sign in or send a valid API key."""

    code, status = "not_signed_in", 401


class SignInRefused(NotSignedIn):
    """These credentials do not open an account."""

    code = "sign_in_refused"


class Forbidden(RetinueError):
    """You do not have the right to do this."""

    code, status = "forbidden", 403


class BadOrigin(Forbidden):
    """This write did not come from a page of this installation."""

    code = "bad_origin"


class NotFound(RetinueError):
    """There is nothing here by that id."""

    code, status = "not_found", 404


class Conflict(RetinueError):
    """The request does not fit the present state."""

    code, status = "conflict", 409


class WrongState(Conflict):
    """This cannot be done in its present state."""

    code = "wrong_state"


class AlreadyExists(Conflict):
    """Something by that name exists already."""

    code = "already_exists"


class ThreadBusy(Conflict):
    """The agent is working and this channel does not take new input meanwhile."""

    code = "thread_busy"


class QuotaExceeded(Conflict):
    """The account's room for files is used up."""

    code = "quota_exceeded"


class Loosens(Conflict):
    """A layer above gives less than this."""

    code = "loosens"

    def __init__(self, detail: str = "", *, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(detail)
        self.errors = errors or []


class IdempotencyMismatch(Conflict):
    """This Idempotency-Key was used with another request."""

    code = "idempotency_mismatch"


class IdempotencyBusy(Conflict):
    """The first request with this Idempotency-Key is still under way."""

    code = "idempotency_busy"

    def __init__(self, detail: str = "", *, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class TooMany(RetinueError):
    """Too many requests."""

    code, status = "rate_limited", 429

    def __init__(self, detail: str = "", *, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(RetinueError):
    """A part of Retinue is not available just now."""

    code, status, audience = "unavailable", 503, "operator"


class DatabaseDown(Unavailable):
    """The database does not answer."""

    code = "database_down"


class StorageDown(Unavailable):
    """The storage for files does not answer."""

    code = "storage_down"


class Draining(Unavailable):
    """This node is shutting down."""

    code = "draining"


class Misconfigured(RetinueError):
    """The installation is not set up correctly."""

    code, status, audience = "misconfigured", 500, "operator"


class Fenced(RetinueError):
    """Another node has taken this interaction over."""

    code, audience = "fenced", "nobody"


class ModelError(RetinueError):
    """The language model could not answer."""

    code, status = "model_error", 502


class ModelTransient(ModelError):
    """The language model is not reachable just now."""

    code = "model_unavailable"

    def __init__(self, detail: str = "", *, retry_after: float | None = None, **data: Any) -> None:
        super().__init__(detail, **data)
        self.retry_after = retry_after


class ModelPermanent(ModelError):
    """The language model refused the request."""

    code = "model_refused"


class UnknownModel(ModelPermanent):
    """No provider is configured for this model."""

    code = "unknown_model"


class ContextTooLong(ModelError):
    """The conversation is too long for this model."""

    code = "context_too_long"


class ModelMalformed(ModelTransient):
    """The language model's answer could not be understood."""

    code = "model_malformed"


class ToolError(RetinueError):
    """The tool failed."""

    code, status = "tool_failed", 502


class ToolTransient(ToolError):
    """The tool is not reachable just now."""

    code = "tool_unavailable"


class ToolRefused(ToolError):
    """The call was refused."""

    code, status = "tool_refused", 403


class ToolOutcomeUnknown(ToolError):
    """It is not known whether the tool did its work."""

    code = "outcome_unknown"

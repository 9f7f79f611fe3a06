"""Provider failures in our own error tree and in plain words; no key ever appears in them."""

import re
from typing import cast

from pydantic_ai import exceptions

from retinue import errors
from retinue.llm.providers import Route

LONGEST_DETAIL = 300
TOO_LONG = re.compile(
    r"prompt is too long|context.{0,20}(length|window|size)|maximum context|input token count .{0,60}exceeds"
    r"|too many (input )?tokens|reduce the length of the messages|exceeds? .{0,40}max(imum)? .{0,20}tokens",
    re.IGNORECASE,
)
TRY_AGAIN = frozenset({408, 409, 425, 429})


def explain(error: Exception, route: Route) -> errors.ModelError:
    """The error to raise for what a provider's client raised."""
    title = route.provider.title
    match error:
        case errors.ModelError():
            return error
        case exceptions.ModelContextWindowExceededError():
            return _too_long(title, route)
        case exceptions.ModelHTTPError():
            return _status(error, route)
        case exceptions.ModelAPIError():
            return _without_status(error, route)
        case exceptions.ContentFilterError():
            return errors.ModelPermanent(f"The content filter of {title} stopped this answer.")
        case exceptions.UserError():
            return errors.ModelPermanent(clean(str(error), route))
        case _:
            return errors.ModelMalformed(f"{title} sent something that could not be read ({type(error).__name__}).")


def clean(text: str, route: Route) -> str:
    """``text`` without any of the connection's secrets, in one line of at most 300 characters."""
    for secret in route.connection.secrets:
        text = text.replace(secret, "…")
    text = re.sub(r"\b(sk|key|AIza)[-_][\w*-]{6,}", "…", text)
    return " ".join(text.split())[:LONGEST_DETAIL]


def _status(error: exceptions.ModelHTTPError, route: Route) -> errors.ModelError:
    status, title = error.status_code, route.provider.title
    if isinstance(error, exceptions.ModelQuotaExceededError):
        return _no_credit(title)
    if status in (401, 403):
        return _refused_key(status, route)
    if status == 404:
        return errors.ModelPermanent(f"{title} has no model {route.model!r} (404). Check the model id and base URL.")
    if status in TRY_AGAIN or status >= 500:
        words = "is busy" if status in (429, 529) else "failed"
        return errors.ModelTransient(f"{title} {words} ({status}).", retry_after=error.retry_after)
    if status == 413:
        return _too_long(title, route)
    return _rejected(_message(error.body) or str(error), route, status)


def _rejected(message: str, route: Route, status: int = 400) -> errors.ModelError:
    if TOO_LONG.search(message):
        return _too_long(route.provider.title, route)
    return errors.ModelPermanent(f"{route.provider.title} refused the request ({status}): {clean(message, route)}")


def _without_status(error: exceptions.ModelAPIError, route: Route) -> errors.ModelError:
    """The transport failed, or an error came inside a stream."""
    title = route.provider.title
    match error:
        case exceptions.ModelTimeoutError() | exceptions.ModelRequestTimeout():
            return errors.ModelTransient(f"{title} did not answer in time.")
        case exceptions.ModelConnectionError():
            return errors.ModelTransient(f"The connection to {title} failed.", retry_after=error.retry_after)
        case exceptions.ModelQuotaExceededError():
            return _no_credit(title)
        case exceptions.ModelAuthenticationError():
            return _refused_key(401, route)
        case exceptions.ModelRequestRejectedError():
            return _rejected(_message(error.body) or str(error), route)
        case _ if "finish_reason" in str(error):
            return errors.ModelTransient(f"The answer of {title} broke off before its end.")
        case _ if "decode" in str(error):
            return errors.ModelMalformed(f"{title} sent something that could not be read.")
        case _:
            return _unclear(error, route)


def _unclear(error: exceptions.ModelAPIError, route: Route) -> errors.ModelError:
    """An error inside a stream that says no more than its message."""
    message = _message(error.body) or str(error)
    if TOO_LONG.search(message):
        return _too_long(route.provider.title, route)
    return errors.ModelTransient(
        f"{route.provider.title} stopped with an error: {clean(message, route)}", retry_after=error.retry_after
    )


def _too_long(title: str, route: Route) -> errors.ContextTooLong:
    return errors.ContextTooLong(f"The conversation is longer than {route.model} of {title} can read at once.")


def _no_credit(title: str) -> errors.ModelPermanent:
    return errors.ModelPermanent(f"The {title} account has no credit or quota left. Top it up or use another model.")


def _refused_key(status: int, route: Route) -> errors.ModelPermanent:
    provider = route.provider
    check = f" Check {' or '.join(provider.key_env)}." if provider.key_env else ""
    return errors.ModelPermanent(f"The {provider.title} key was refused ({status}).{check}")


def _message(body: object) -> str | None:
    """The provider's own sentence in an error body: ``{"error": {"message": ...}}`` or flat."""
    while isinstance(body, dict):
        record = cast(dict[str, object], body)
        body = record.get("error", record.get("message", record.get("detail")))
    return body if isinstance(body, str) else None

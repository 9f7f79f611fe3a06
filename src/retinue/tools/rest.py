"""External REST tools: a row that names an endpoint becomes a tool like any other (EXT-02..10, TOOL-24).

The request is a POST of one JSON object, signed over its exact bytes. Everything that can come back, and everything
that can fail, becomes a result or a reason that a model can read. Deferred answers come with the job system.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from retinue import errors, telemetry
from retinue.db.pool import Database
from retinue.domain import ids, schemas
from retinue.domain.agents import AgentConfig
from retinue.domain.external_tools import ToolAuth, ToolRow
from retinue.domain.redaction import Redactor
from retinue.domain.tools import ToolContext, ToolKind, ToolSpec
from retinue.store import tools as rows
from retinue.store.kms import KmsDown
from retinue.store.secrets import Vault
from retinue.telemetry import clock
from retinue.tools import egress, registry, signatures, signing
from retinue.tools.registry import Context, Tool

log = telemetry.logger(__name__)

EMITTED = {"web": "webchat"}
"""The transport's name inside -> as the contract says it outside (CON-49)."""
LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
REASON_FIELDS = ("detail", "message", "error", "title")
RESULT_KEYS = ("content", "structured_data")


@dataclass(frozen=True, slots=True)
class Source:
    """The account's external tools, as a source of a turn's tool set."""

    db: Database
    vault: Vault
    kind: ToolKind = ToolKind.EXTERNAL

    async def tools(self, account_id: UUID, config: AgentConfig, wanted: Sequence[str]) -> Sequence[Tool]:
        """The enabled ones among ``wanted``; asks nothing when nothing is wanted."""
        if not wanted:
            return ()
        async with self.db.tenant_tx(account_id) as tx:
            return [as_tool(row, self.vault) for row in await rows.list_usable(tx, account_id, wanted)]


def as_tool(row: ToolRow, vault: Vault) -> Tool:
    """The tool of a row. It opens the row's secrets at each call, for that call."""
    parameters, returns = schemas.checker(row.parameters), schemas.checker(row.returns)

    async def run(spec: ToolSpec, ctx: Context, arguments: dict[str, Any]) -> Any:
        found = schemas.problems(parameters, arguments)
        if found:
            raise signatures.refused(found)
        secrets = await _secrets(vault, ctx.call.account_id, row.auth)
        known = Redactor(secrets.values())
        try:
            result = await _call(spec, ctx, build(row, ctx, arguments, secrets), known)
            wrong = schemas.problems(returns, result.get("structured_data")) if row.returns else []
            if wrong:
                raise malformed(f"its structured_data does not fit the tool's return schema: {'; '.join(wrong[:3])}")
        except errors.ToolError as error:
            raise known.error(error) from None  # what caused it may quote the request
        return result

    return registry.wrap(row.spec, run)


async def _call(spec: ToolSpec, ctx: Context, request: "Outgoing", known: Redactor) -> dict[str, Any]:
    """Make the call and read the answer, from which the secrets that were sent are taken at once."""
    outgoing = egress.Request("POST", request.endpoint, request.headers, request.body, spec.timeout_seconds)
    try:
        response = await ctx.egress.send(outgoing)
        return read(spec, response, known)
    except errors.ToolTransient as error:
        raise registry.doubtful(spec, error) from error


# ── the request ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Where to, the exact bytes, and the headers that sign them."""

    endpoint: str
    body: bytes
    headers: dict[str, str]


def build(row: ToolRow, ctx: Context, arguments: dict[str, Any], secrets: dict[str, str]) -> Outgoing:
    """The request for one call. Raises ``ToolError`` (``secret_missing``)."""
    call_id = ids.encode("tc", ctx.call.call_id)
    payload = body(ctx.call, call_id, arguments)
    if "tools" in row.config.get("share", ()):
        payload["context"]["tools"] = [spec.slug for spec in ctx.tools]
    content = json.dumps(payload, separators=(",", ":")).encode()
    key = _need(secrets, row.auth.signing_secret_name or row.auth.secret_name)
    headers = {
        "content-type": "application/json",
        "accept": "application/json",
        "idempotency-key": ctx.call.idempotency_key,
        **signing.sign(key, call_id, int(clock.now().timestamp()), content),
    }
    if row.auth.type == "bearer":
        headers["authorization"] = f"Bearer {_need(secrets, row.auth.secret_name)}"
    elif row.auth.type == "api_key":
        headers[row.auth.header] = _need(secrets, row.auth.secret_name)
    return Outgoing(row.endpoint or "", content, headers)


def body(call: ToolContext, call_id: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The contract's JSON (EXT-02..06). Receivers ignore keys they do not know (CON-29)."""
    own = arguments.get("message")
    return {
        "call_id": call_id,
        "agent_name": call.agent_name,
        "type": "execute",
        "input": {"message": own if isinstance(own, str) else call.instruction, "parameters": arguments},
        "context": {
            "account_id": ids.encode("acc", call.account_id),
            "agent_id": ids.encode("agt", call.agent_id),
            "interaction_id": ids.encode("int", call.interaction_id),
            "user_id": ids.encode("usr", call.user_id) if call.user_id else None,
            "channel_type": EMITTED.get(call.channel_type, call.channel_type),
        },
    }


async def _secrets(vault: Vault, account_id: UUID, auth: ToolAuth) -> dict[str, str]:
    """The secrets by name. Raises ``ToolError`` (``secret_unusable``), ``ToolTransient`` (``secret_unavailable``)."""
    names = [name for name in (auth.secret_name, auth.signing_secret_name) if name]
    try:
        return await vault.read(account_id, names) if names else {}
    except errors.Misconfigured as error:
        log.error("a tool's secret does not open", detail=error.detail)
        words = "The tool's secret cannot be opened. An administrator has to store it again."
        raise errors.ToolError(words, code="secret_unusable") from error
    except KmsDown as error:
        log.warning("a tool's secret cannot be opened just now", detail=error.detail)
        words = "The tool's secret cannot be opened just now."
        raise errors.ToolTransient(words, code="secret_unavailable", sent=False) from error


def _need(secrets: dict[str, str], name: str | None) -> str:
    value = secrets.get(name or "")
    if value is None:
        raise errors.ToolError(
            f"The tool's secret {name or ''} is not stored. An administrator has to add it.", code="secret_missing"
        )
    if not value.isascii() or not value.isprintable():
        raise errors.ToolError(f"The tool's secret {name} cannot be sent in a header.", code="secret_unusable")
    return value


# ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────────


def read(spec: ToolSpec, response: egress.Response, known: Redactor | None = None) -> dict[str, Any]:
    """``content`` and ``structured_data`` of an answer, without the secrets that are ``known``.

    Raises ``ToolTransient`` (``endpoint_unavailable``), ``ToolError`` (``endpoint_error``, ``malformed_response``,
    ``deferred_not_supported``).
    """
    if response.status in LATER or response.status >= 500:
        # 429 says that it was not done; after the others it may have been
        raise errors.ToolTransient(
            f"{spec.slug} answered {response.status}: it cannot work just now.", code="endpoint_unavailable",
            sent=response.status != 429, retry_after=_seconds(response.headers.get("retry-after")),
        )  # fmt: skip
    parsed = _json(response.content)
    parsed = known.value(parsed) if known else parsed
    if not 200 <= response.status < 300:
        words = f"{spec.slug} answered {response.status}{_reason(parsed)}."
        raise errors.ToolError(words, code="endpoint_error")
    if not isinstance(parsed, dict):
        raise malformed("it is not a JSON object")
    answer = cast(dict[str, Any], parsed)
    if answer.get("deferred") is True:
        raise errors.ToolError(
            f"{spec.slug} wants to answer later, which is not supported.", code="deferred_not_supported"
        )
    result = answer.get("result")
    if not isinstance(result, dict):
        raise malformed("it has no result object")
    found = cast(dict[str, Any], result)
    if not isinstance(found.get("content"), str):
        raise malformed("its result has no content text")
    return {name: found[name] for name in RESULT_KEYS if found.get(name) is not None}


def malformed(why: str) -> errors.ToolError:
    """The answer breaks the contract; the work may nevertheless be done (EXT-09)."""
    words = f"The tool answered, but {why}. It may have done its work: check before you call it again."
    return errors.ToolError(words, code="malformed_response")


def _json(content: bytes) -> Any:
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _reason(parsed: Any) -> str:
    """The endpoint's own words, if it gave some, so that the model can act on them."""
    if isinstance(parsed, dict):
        answer = cast(dict[str, Any], parsed)
        for name in REASON_FIELDS:
            if isinstance(answer.get(name), str):
                return f": {answer[name][:300]}"
    return ""


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else None

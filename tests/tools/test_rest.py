"""External tools over real HTTP: the contract of the request, and every way an answer can be wrong."""

import asyncio
import json
import shlex
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from retinue import errors
from retinue.domain import ids
from retinue.domain.agents import AgentConfig
from retinue.domain.external_tools import NewTool, Registered, ToolAuth
from retinue.domain.tools import Effect, ToolKind
from retinue.store import secrets, tools
from retinue.store.kms import KmsCommand
from retinue.store.secrets import Sealer, Vault
from retinue.store.wrapping import Keyring
from retinue.tools import rest, signing
from retinue.tools.registry import Tool
from tests.store.test_kms import PROGRAM
from tests.tools.conftest import Seen, Server, World, http
from tests.tools.crm import CrmLookup

Serve = Callable[..., Awaitable[Server]]
SEALER = Sealer(Keyring.local("an installation's key"))
COMPANY = {
    "type": "object",
    "properties": {"company": {"type": "string", "minLength": 2}},
    "required": ["company"],
    "additionalProperties": False,
}
PLAN = {"type": "object", "properties": {"plan": {"type": "string"}, "mrr": {"type": "integer"}}, "required": ["plan"]}
FINE = http(body=b'{"result": {"content": "fine"}}')


async def register(world: World, url: str, **changes: Any) -> Registered:
    values: dict[str, Any] = {
        "slug": "crm-lookup",
        "name": "CRM lookup",
        "description": "Look a company up.",
        "parameters": COMPANY,
        "endpoint": url,
        "effect": Effect.READ,
        "timeout_seconds": 5,
    }
    async with world.db.tenant_tx(world.account) as tx:
        return await tools.create(tx, world.owner, NewTool(**(values | changes)), SEALER)


async def external(world: World, url: str, **changes: Any) -> Tool:
    made = await register(world, url, **changes)
    return rest.as_tool(made.tool, Vault(world.db, SEALER))


async def keep(world: World, name: str, value: str) -> None:
    async with world.db.tenant_tx(world.account) as tx:
        await secrets.put(tx, SEALER, world.owner, name, value)


async def failing(world: World, tool: Tool, **arguments: Any) -> errors.ToolError:
    with pytest.raises(errors.ToolError) as caught:
        await world.run(tool, arguments or {"company": "Acme Corp"})
    return caught.value


# ── the request ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("EXT-02", "EXT-03", "EXT-04", "EXT-05", "EXT-06", "EXT-08", "EXT-34", "CON-49", "TOOL-24")
async def test_an_external_tool_is_called_by_the_contract(world: World, serve: Serve) -> None:
    crm = CrmLookup("")
    server = await serve(crm)
    made = await register(world, server.url("/crm"), returns=PLAN)
    assert made.signing_secret is not None
    crm.secret = made.signing_secret
    tool = rest.as_tool(made.tool, Vault(world.db, SEALER))
    call_id = ids.new()
    result = await world.run(tool, {"company": "Acme Corp"}, call_id=call_id)
    assert result == {
        "content": "Acme Corp is on the enterprise plan.",
        "structured_data": {"name": "Acme Corp", "plan": "enterprise", "mrr": 4900},
    }
    sent = server.seen[0]
    body = json.loads(sent.body)
    context = body.pop("context")
    assert body == {
        "call_id": ids.encode("tc", call_id),
        "agent_name": "Assistant",
        "type": "execute",
        "input": {"message": "Find out who Acme is", "parameters": {"company": "Acme Corp"}},
    }
    assert context.pop("interaction_id").startswith("int_")
    assert context == {
        "account_id": ids.encode("acc", world.account),
        "channel_type": "webchat",
        "agent_id": ids.encode("agt", world.made.agent.id),
        "user_id": ids.encode("usr", world.made.owner.id),
    }
    assert (sent.method, sent.path, sent.headers["idempotency-key"]) == ("POST", "/crm", "int_1:3")


@pytest.mark.requirement("EXT-25", "EXT-26", "CON-31")
async def test_the_signatures_cover_the_exact_bytes_sent(world: World, serve: Serve) -> None:
    server = await serve(FINE)
    made = await register(world, server.url())
    tool = rest.as_tool(made.tool, Vault(world.db, SEALER))
    await world.run(tool, {"company": 'Ünïcödé \ud83d\ude00 "quoted"\n'})
    sent = server.seen[0]
    assert signing.verify(made.signing_secret or "", sent.headers, sent.body, time.time()).startswith("tc_")
    with pytest.raises(signing.InvalidSignature):
        signing.verify(made.signing_secret or "", sent.headers, sent.body + b" ", time.time())


async def test_a_call_sent_again_has_the_same_id_and_key(world: World, serve: Serve) -> None:
    server = await serve(FINE)
    tool = await external(world, server.url(), effect=Effect.EXTERNAL_KEYED)
    call_id = ids.new()
    for _ in range(2):
        await world.run(tool, {"company": "Acme"}, call_id=call_id)
    first, second = (one.headers for one in server.seen)
    assert (first["webhook-id"], first["idempotency-key"]) == (second["webhook-id"], second["idempotency-key"])


@pytest.mark.requirement("EXT-27")
@pytest.mark.parametrize(("auth", "header", "value"), [
    (ToolAuth(type="bearer", secret_name="crm"), "authorization", "Bearer s3cret"),
    (ToolAuth(type="api_key", secret_name="crm"), "x-api-key", "s3cret"),
    (ToolAuth(type="api_key", secret_name="crm", header="X-Token"), "x-token", "s3cret"),
])  # fmt: skip
async def test_the_secret_is_looked_up_by_name(
    world: World, serve: Serve, auth: ToolAuth, header: str, value: str
) -> None:
    await keep(world, "crm", "s3cret")
    server = await serve(FINE)
    await world.run(await external(world, server.url(), auth=auth), {"company": "Acme"})
    assert server.seen[0].headers[header] == value
    assert signing.verify("s3cret", server.seen[0].headers, server.seen[0].body, time.time())


async def test_hmac_signs_with_the_named_secret_and_sends_it_nowhere(world: World, serve: Serve) -> None:
    await keep(world, "crm", "s3cret")
    server = await serve(FINE)
    await world.run(
        await external(world, server.url(), auth=ToolAuth(type="hmac", secret_name="crm")), {"company": "Acme"}
    )
    assert signing.verify("s3cret", server.seen[0].headers, server.seen[0].body, time.time())
    assert not any("s3cret" in text for text in server.seen[0].headers.values())


async def test_signing_and_sending_may_use_two_secrets(world: World, serve: Serve) -> None:
    await keep(world, "crm", "token")
    await keep(world, "sign", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    server = await serve(FINE)
    auth = ToolAuth(type="bearer", secret_name="crm", signing_secret_name="sign")
    await world.run(await external(world, server.url(), auth=auth), {"company": "Acme"})
    assert server.seen[0].headers["authorization"] == "Bearer token"
    assert signing.verify(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", server.seen[0].headers, server.seen[0].body, time.time()
    )


@pytest.mark.parametrize("value", [None, "line\nbreak", "ünicode"])
async def test_a_secret_that_is_missing_or_unusable_stops_the_call(
    world: World, serve: Serve, value: str | None
) -> None:
    if value:
        await keep(world, "crm", value)
    server = await serve(FINE)
    tool = await external(world, server.url(), auth=ToolAuth(type="bearer", secret_name="crm"))
    error = await failing(world, tool)
    assert error.reason_code == ("secret_unusable" if value else "secret_missing")
    assert server.seen == []


@pytest.mark.requirement("EXT-07", "CON-29")
async def test_tools_are_told_only_when_asked_for_and_nobody_is_no_user(world: World, serve: Serve) -> None:
    server = await serve(FINE)
    await world.run(await external(world, server.url(), config={"share": ["tools"]}), {"company": "Acme"}, user_id=None)
    context = json.loads(server.seen[0].body)["context"]
    assert (context["tools"], context["user_id"]) == ([], None)


async def test_the_models_own_message_is_the_instruction(world: World, serve: Serve) -> None:
    server = await serve(FINE)
    schema = {"type": "object", "properties": {"message": {"type": "string"}}}
    await world.run(await external(world, server.url(), parameters=schema), {"message": "Do this"})
    assert json.loads(server.seen[0].body)["input"] == {"message": "Do this", "parameters": {"message": "Do this"}}


@pytest.mark.requirement("TOOL-03")
@pytest.mark.parametrize("arguments", [{}, {"company": ""}, {"company": 5}, {"company": "Acme", "more": 1}])
async def test_invalid_arguments_never_reach_an_endpoint(world: World, serve: Serve, arguments: dict[str, Any]) -> None:
    server = await serve(FINE)
    tool = await external(world, server.url())
    with pytest.raises(errors.ToolRefused) as caught:
        await world.run(tool, arguments)
    assert caught.value.reason_code == "invalid_arguments"
    assert server.seen == []


async def test_a_secret_that_cannot_be_opened_just_now_fails_for_the_moment_and_nothing_is_sent(
    world: World, serve: Serve, tmp_path: Path
) -> None:
    """As when the key management service is away."""
    server = await serve(FINE)
    (tmp_path / "key-1").write_bytes(bytes(32))
    kms = Sealer(Keyring([KmsCommand(shlex.join([sys.executable, str(PROGRAM), str(tmp_path)]))]))
    async with world.db.tenant_tx(world.account) as tx:
        await secrets.put(tx, kms, world.owner, "crm", "value")
    made = await register(world, server.url(), auth=ToolAuth(type="bearer", secret_name="crm"))
    (tmp_path / "fault").write_text("down")
    away = Sealer(Keyring([KmsCommand(shlex.join([sys.executable, str(PROGRAM), str(tmp_path)]))]))
    error = await failing(world, rest.as_tool(made.tool, Vault(world.db, away)))
    assert isinstance(error, errors.ToolTransient)
    assert (error.reason_code, error.data["sent"], server.seen) == ("secret_unavailable", False, [])
    assert "AccessDenied" not in error.detail


@pytest.mark.parametrize("status", [200, 400])
async def test_a_secret_that_is_cut_off_in_an_answer_is_taken_out_before_it_is_cut(
    world: World, serve: Serve, status: int
) -> None:
    await keep(world, "crm", "open-sesame-4711")
    words = "x" * 290 + "open-sesame-4711"
    body = {"detail": words, "result": {"content": words}}
    server = await serve(http(status, json.dumps(body).encode()))
    tool = await external(world, server.url(), auth=ToolAuth(type="bearer", secret_name="crm"))
    if status == 200:
        assert (await world.run(tool, {"company": "Acme"}))["content"] == "x" * 290 + "[redacted]"
    else:
        assert "open" not in (await failing(world, tool)).detail


# ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("EXT-08", "EXT-09", "TOOL-19")
@pytest.mark.parametrize(("body", "code"), [
    (b"", "malformed_response"), (b"<html>", "malformed_response"), (b"[]", "malformed_response"),
    (b"null", "malformed_response"), (b'{"result": null}', "malformed_response"), (b"{}", "malformed_response"),
    (b'{"result": {}}', "malformed_response"), (b'{"result": {"content": null}}', "malformed_response"),
    (b'{"result": {"content": 5}}', "malformed_response"), (b'{"result": {"content": "x", "structured_data": NaN}}',
                                                            "malformed_response"),
    (b'{"result": {"content": "x", "structured_data": {"plan": 5}}}', "malformed_response"),
    (b'{"result": {"content": "x"}}', "malformed_response"), (b"\xff\xfe", "malformed_response"),
    (b"[" * 100_000, "malformed_response"),
    (b'{"deferred": true, "job_reference": "j", "status_url": "https://x"}', "deferred_not_supported"),
])  # fmt: skip
async def test_an_answer_that_breaks_the_contract_is_a_reason_the_agent_can_read(
    world: World, serve: Serve, body: bytes, code: str
) -> None:
    server = await serve(http(body=body))
    error = await failing(world, await external(world, server.url(), returns=PLAN))
    assert error.reason_code == code
    assert not isinstance(error, errors.ToolTransient)


async def test_unknown_keys_of_an_answer_are_ignored(world: World, serve: Serve) -> None:
    server = await serve(http(body=b'{"result": {"content": "x", "structured_data": null, "more": 1}, "other": 2}'))
    assert await world.run(await external(world, server.url()), {"company": "Acme"}) == {"content": "x"}


@pytest.mark.requirement("EXT-09")
@pytest.mark.parametrize(("status", "body", "words"), [
    (404, b'{"detail": "No company of that name."}', "answered 404: No company of that name."),
    (400, b"<html>", "answered 400."), (403, b'{"error": {"deep": 1}}', "answered 403."),
    (422, b'{"message": "' + b"x" * 5000 + b'"}', "answered 422: xxx"), (304, b"", "answered 304."),
])  # fmt: skip
async def test_a_refusal_of_the_endpoint_is_told_in_its_own_words(
    world: World, serve: Serve, status: int, body: bytes, words: str
) -> None:
    server = await serve(http(status, body))
    error = await failing(world, await external(world, server.url(), effect=Effect.EXTERNAL_ONCE))
    assert error.reason_code == "endpoint_error"
    assert words in error.detail
    assert len(error.detail) < 400


async def _never(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


LOST = [
    (http(500), "endpoint_unavailable"),
    (http(503), "endpoint_unavailable"),
    (None, "connection_lost"),
    (_never, "timeout"),
    (b"HTTP/1.1 200 X\r\ncontent-length: 50\r\n\r\n{", "connection_lost"),
]


@pytest.mark.requirement("EXT-09", "EXT-10")
@pytest.mark.parametrize(("answer", "code"), LOST, ids=["500", "503", "closed", "silent", "cut"])
@pytest.mark.parametrize("effect", [Effect.READ, Effect.EXTERNAL_KEYED])
async def test_a_lost_answer_is_worth_another_try_where_that_is_safe(
    world: World, serve: Serve, answer: Any, code: str, effect: Effect
) -> None:
    server = await serve(lambda _: answer)
    error = await failing(world, await external(world, server.url(), effect=effect, timeout_seconds=0.3))
    assert isinstance(error, errors.ToolTransient)
    assert error.reason_code == code


@pytest.mark.parametrize(("answer", "code"), LOST, ids=["500", "503", "closed", "silent", "cut"])
async def test_a_lost_answer_is_an_unknown_outcome_where_trying_again_is_not_safe(
    world: World, serve: Serve, answer: Any, code: str
) -> None:
    server = await serve(lambda _: answer)
    tool = await external(world, server.url(), effect=Effect.EXTERNAL_ONCE, timeout_seconds=0.3)
    error = await failing(world, tool)
    assert isinstance(error, errors.ToolOutcomeUnknown)
    assert error.data["cause"] == code
    assert len(server.seen) == 1


async def test_what_certainly_was_not_done_is_worth_another_try(world: World, serve: Serve) -> None:
    server = await serve(http(429, retry_after="7"))
    error = await failing(world, await external(world, server.url(), effect=Effect.EXTERNAL_ONCE))
    assert isinstance(error, errors.ToolTransient) and error.data["retry_after"] == 7.0
    error = await failing(world, await external(world, "http://127.0.0.1:1/", slug="away", effect=Effect.EXTERNAL_ONCE))
    assert isinstance(error, errors.ToolTransient)


@pytest.mark.requirement("TOOL-25")
async def test_a_tool_cannot_reach_inside(world: World) -> None:
    error = await failing(world, await external(world, "http://169.254.169.254/latest/meta-data"))
    assert (error.reason_code, isinstance(error, errors.ToolRefused)) == ("egress_refused", True)


async def test_a_hostile_pattern_does_not_hang_the_node(world: World, serve: Serve) -> None:
    server = await serve(FINE)
    schema = {"type": "object", "properties": {"company": {"type": "string", "pattern": "^(a|a)*$"}}}
    tool = await external(world, server.url(), parameters=schema)
    began = time.monotonic()
    assert (await failing(world, tool, company="a" * 60 + "!")).reason_code == "invalid_arguments"
    assert time.monotonic() - began < 2


# ── as a source of a turn's tools ────────────────────────────────────────────────────────────────────────────────


async def test_the_source_gives_the_enabled_tools_that_are_wanted(world: World) -> None:
    await register(world, "https://crm.example/a")
    await register(world, "https://crm.example/b", slug="other")
    await register(world, "https://crm.example/c", slug="off", enabled=False)
    source = rest.Source(world.db, Vault(world.db, SEALER))
    config: Any = AgentConfig.model_construct(tools=())
    found = await source.tools(world.account, config, ["crm_lookup", "off", "none"])
    assert [one.spec.slug for one in found] == ["crm_lookup"]
    assert source.kind is ToolKind.EXTERNAL
    assert await source.tools(world.account, config, []) == ()
    assert await source.tools(ids.new(), config, ["crm_lookup"]) == []


def test_a_repeated_call_is_answered_as_the_first(serve: Serve) -> None:
    crm = CrmLookup("secret")
    body = json.dumps({"input": {"parameters": {"company": "acme corp"}}}).encode()
    headers = signing.sign("secret", "tc_1", int(time.time()), body)
    assert crm(Seen("POST", "/", headers, body)) == crm(Seen("POST", "/", headers, body))
    assert len(crm.done) == 1

"""External tools through the whole engine: a row, a real HTTP server, the gate, and what the model is told."""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from retinue.domain import ids
from retinue.domain.accounts import Principal, Role
from retinue.domain.agents import TrustLevel
from retinue.domain.external_tools import NewTool, Registered, ToolChange
from retinue.domain.tools import Effect
from retinue.domain.turns import Interaction, StepState
from retinue.store import secrets, tools, turns
from retinue.store.secrets import Sealer, Vault
from retinue.store.turns import ThreadPrompt
from retinue.store.wrapping import Keyring
from retinue.tools import egress, registry, rest, signing
from retinue.tools.registry import Context, tool
from retinue.tools.resolve import Internal
from retinue.turn import gate
from tests.tools.conftest import Answer, Handler, Seen, Server, http, serving
from tests.tools.crm import CrmLookup
from tests.turn.conftest import Lab, call, calls, node
from tests.turn.test_tools_in_turns import results

SEALER = Sealer(Keyring.local("an installation's key"))
COMPANY = {
    "type": "object",
    "properties": {"company": {"type": "string", "description": "The company's name."}},
    "required": ["company"],
    "additionalProperties": False,
}
FINE = http(body=b'{"result": {"content": "fine"}}')
ACME = call("crm_lookup", company="Acme Corp")


def owner(lab: Lab) -> Principal:
    return Principal(account_id=lab.account, user_id=lab.world.owner.id, role=Role.OWNER)


async def register(lab: Lab, url: str, effect: Effect, **changes: Any) -> Registered:
    """An external tool that the Assistant has."""
    values = {
        "slug": "crm-lookup", "name": "CRM lookup", "description": "Look a company up.", "parameters": COMPANY,
        "endpoint": url, "effect": effect, "timeout_seconds": 5,
    }  # fmt: skip
    async with lab.db.tenant_tx(lab.account) as tx:
        made = await tools.create(tx, owner(lab), NewTool.model_validate(values | changes), SEALER)
    await lab.give(made.tool.slug)
    return made


@asynccontextmanager
async def working(lab: Lab, own: tuple[registry.Tool, ...] = ()) -> AsyncIterator[None]:
    """A node that knows external tools, and may call this machine."""
    client = egress.Client("127.0.0.1")
    async with node(lab, own):
        assert lab.engine is not None
        vault = Vault(lab.db, SEALER)
        lab.engine.sources = [Internal(registry.Registry(own)), rest.Source(lab.db, vault)]
        lab.engine.egress = client
        yield
    await client.close()


@pytest.fixture
async def ask(lab: Lab) -> AsyncIterator[Callable[..., Any]]:
    """Register a tool behind this handler, have the model call it once, and give the ended turn and the server."""

    async def turn(handler: Handler | bytes, effect: Effect, **changes: Any) -> tuple[Interaction, Server]:
        fixed: Handler = handler if callable(handler) else lambda _: handler
        async with serving(fixed) as server, working(lab):
            await register(lab, server.url("/crm"), effect, **changes)
            lab.models.script = [calls(ACME)]
            return await lab.ask("Who is Acme?"), server

    yield turn


Ask = Callable[..., Any]


def answers(*given: Answer) -> Handler:
    """These answers one after another, then that all is fine."""
    left = list(given)
    return lambda _: left.pop(0) if left else FINE


# ── it works ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement(
    "EXT-02", "EXT-03", "EXT-04", "EXT-05", "EXT-06", "EXT-08", "EXT-25", "EXT-26", "EXT-34", "TOOL-05", "TOOL-13",
    "TOOL-14", "TOOL-18", "TOOL-24", "CON-49",
)  # fmt: skip
async def test_an_agent_calls_an_external_tool_like_any_other(lab: Lab) -> None:
    crm = CrmLookup("")
    async with serving(crm) as server, working(lab):
        crm.secret = (await register(lab, server.url("/crm"), Effect.READ)).signing_secret or ""
        lab.models.script = [calls(ACME)]
        ended = await lab.ask("Who is Acme?")
    assert ended.state == "succeeded"
    [seen] = server.seen
    assert signing.verify(crm.secret, seen.headers, seen.body, time.time()) == ids.encode("tc", ACME.id)
    assert json.loads(seen.body) == {
        "call_id": ids.encode("tc", ACME.id),
        "agent_name": lab.world.agent.name,
        "type": "execute",
        "input": {"message": "Who is Acme?", "parameters": {"company": "Acme Corp"}},
        "context": {
            "account_id": ids.encode("acc", lab.account),
            "agent_id": ids.encode("agt", lab.world.agent.id),
            "interaction_id": ids.encode("int", ended.id),
            "user_id": ids.encode("usr", lab.world.owner.id),
            "channel_type": "webchat",
        },
    }
    [offered] = [spec for spec in lab.models.requests[0].tools if spec.slug == "crm_lookup"]
    assert offered.parameters == COMPANY
    [told] = results(lab)
    assert told["ok"] and told["result"]["structured_data"] == {"name": "Acme Corp", "plan": "enterprise", "mrr": 4900}
    act = (await lab.steps(ended.id))[1]
    assert (act.tool, act.effect, act.state) == ("crm_lookup", "read", StepState.SUCCESS)
    [line] = await lab.fetch("select detail from audit_event where account_id = $1 and event = 'tool.call'")
    assert line["detail"]["tool"] == "crm_lookup"
    whole = json.dumps(await lab.fetch("select detail from audit_event where account_id = $1"))
    assert crm.secret not in whole and "Acme" not in whole


@pytest.mark.requirement("EXT-05", "CON-49")
@pytest.mark.parametrize(("transport", "told"), [("telegram", "telegram"), ("web", "webchat"), (None, "api")])
async def test_the_receiver_is_told_how_people_reach_the_agent(lab: Lab, transport: str | None, told: str) -> None:
    async with serving(lambda _: FINE) as server, working(lab):
        await register(lab, server.url(), Effect.READ)
        lab.models.script = [calls(ACME)]
        if transport is not None:
            await lab.configure("update channel set transport = $2 where account_id = $1", transport)
            ended = await lab.ask()
        else:
            thread = ids.new()
            await lab.configure(
                "insert into thread (account_id, id, agent_id, owner, user_id) values ($1, $2, $3, 'test', $4)",
                thread, lab.world.agent.id, lab.world.owner.id,
            )  # fmt: skip
            prompt = ThreadPrompt(id=ids.new(), user_id=lab.world.owner.id, prompt="Who is Acme?")
            ended = await lab.until((await turns.receive_prompt(lab.db, lab.account, thread, prompt)).id)
    assert ended.state == "succeeded"
    assert json.loads(server.seen[0].body)["context"]["channel_type"] == told


async def test_no_transaction_is_open_while_an_endpoint_is_asked(lab: Lab, database_url: str) -> None:
    """A ``read`` tool over HTTP must not hold rows of the turn, nor a connection, while it waits.

    The node's own loops open short transactions all the time, so the endpoint looks until none is open: one that
    the turn holds would stay for as long as the endpoint takes.
    """
    open_ones: list[int] = []

    async def slow(writer: Any) -> None:
        watching = await asyncpg.connect(database_url)
        for _ in range(200):
            count = await watching.fetchval(
                "select count(*) from pg_stat_activity where datname = current_database() "
                "and usename = 'retinue_app' and state like 'idle in transaction%'"
            )
            if count == 0:
                break
        open_ones.append(count)
        await watching.close()
        writer.write(FINE)
        await writer.drain()

    async with serving(lambda _: slow) as server, working(lab):
        await register(lab, server.url(), Effect.READ)
        lab.models.script = [calls(ACME)]
        assert (await lab.ask()).state == "succeeded"
    assert open_ones == [0]


# ── it fails ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("DUR-07", "PRN-08", "DUR-05")
async def test_a_keyed_call_is_sent_again_with_the_same_key(lab: Lab, ask: Ask) -> None:
    ended, server = await ask(answers(http(500), None), Effect.EXTERNAL_KEYED)
    assert ended.state == "succeeded"
    assert results(lab) == [{"tool": "crm_lookup", "result": {"content": "fine"}, "ok": True}]
    assert len(server.seen) == 3
    assert {seen.headers["idempotency-key"] for seen in server.seen} == {f"{ids.encode('int', ended.id)}.2"}
    assert {seen.headers["webhook-id"] for seen in server.seen} == {ids.encode("tc", ACME.id)}
    assert len({seen.body for seen in server.seen}) == 1


@pytest.mark.requirement("EXT-09", "TOOL-19")
async def test_an_endpoint_that_stays_down_becomes_a_result(lab: Lab, ask: Ask) -> None:
    ended, server = await ask(http(503), Effect.EXTERNAL_KEYED)
    assert ended.state == "succeeded"
    assert (results(lab)[0]["ok"], results(lab)[0]["result"]["error"]) == (False, "endpoint_unavailable")
    assert len(server.seen) == gate.TRIES


@pytest.mark.requirement("DUR-05")
async def test_an_endpoint_is_not_asked_again_before_the_time_it_named(lab: Lab, ask: Ask) -> None:
    times: list[float] = []

    def busy(seen: Seen) -> Answer:
        times.append(time.monotonic())
        return FINE if len(times) > 1 else http(429, retry_after="1")

    await ask(busy, Effect.EXTERNAL_KEYED)
    assert results(lab)[0]["ok"]
    assert times[1] - times[0] >= 1.0


async def test_a_turn_is_not_held_up_by_an_endpoint_that_asks_for_long(lab: Lab, ask: Ask) -> None:
    ended, server = await ask(http(429, retry_after="3600"), Effect.READ)
    assert (ended.state, len(server.seen)) == ("succeeded", 1)
    told = results(lab)[0]["result"]
    assert (told["error"], told["retry_after_seconds"]) == ("endpoint_unavailable", 3600)


@pytest.mark.requirement("DUR-08", "EXT-10", "EXT-09")
async def test_a_call_that_cannot_be_repeated_and_gets_no_answer_becomes_a_question(lab: Lab) -> None:
    async def never(writer: Any) -> None:
        await writer.wait_closed()

    async with serving(lambda _: never) as server, working(lab):
        await register(lab, server.url(), Effect.EXTERNAL_ONCE, timeout_seconds=0.3)
        lab.models.script = [calls(ACME)]
        interaction = await lab.say("Send it")
        await lab.until(interaction, "waiting")
        _, steps, [wait] = await lab.rows(interaction)
        assert (wait.kind, wait.state, wait.tool) == ("outcome", "open", "crm_lookup")
        assert steps[1].state is StepState.UNKNOWN
        assert len(server.seen) == 1
        said = {"happened": True, "result": {"content": "done"}}
        await turns.resolve_wait(lab.db, lab.account, wait.id, lab.world.owner.id, said)
        assert (await lab.until(interaction)).state == "succeeded"
    assert results(lab) == [{"tool": "crm_lookup", "result": {"content": "done"}, "ok": True}]
    assert len(server.seen) == 1, "it was not sent again"


@pytest.mark.requirement("DUR-08")
async def test_a_call_that_was_turned_away_did_not_happen_and_asks_nobody(lab: Lab, ask: Ask) -> None:
    ended, server = await ask(http(429), Effect.EXTERNAL_ONCE)
    assert (ended.state, len(server.seen)) == ("succeeded", 1)
    assert results(lab)[0]["result"]["error"] == "endpoint_unavailable"


@pytest.mark.requirement("EXT-08", "EXT-09", "TOOL-19")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (http(body=b"<html>"), "malformed_response"),
        (http(body=b'{"result": {}}'), "malformed_response"),
        (http(body=b'{"result": {"content": "x", "structured_data": {"plan": 7}}}'), "malformed_response"),
        (http(404, b'{"detail": "No such company."}'), "endpoint_error"),
        (http(302, location="http://169.254.169.254/"), "egress_refused"),
        (http(body=b"x" * 1_100_000), "response_too_large"),
    ],
)
async def test_a_wrong_answer_is_told_to_the_model_once(lab: Lab, ask: Ask, answer: bytes, reason: str) -> None:
    returns = {"type": "object", "properties": {"plan": {"type": "string"}}}
    ended, server = await ask(answer, Effect.EXTERNAL_ONCE, returns=returns)
    assert ended.state == "succeeded"
    [told] = results(lab)
    assert (told["ok"], told["result"]["error"]) == (False, reason), told
    assert len(server.seen) == 1
    assert [step.error for step in await lab.steps(ended.id) if step.kind == "act"] == [reason]


# ── it is refused ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("TOOL-09", "TOOL-17", "AUD-07")
async def test_an_agent_with_too_little_trust_reaches_no_endpoint(lab: Lab, ask: Ask) -> None:
    ended, server = await ask(FINE, Effect.READ, trust=TrustLevel.ADMIN)
    assert ended.state == "succeeded"
    assert results(lab)[0]["result"]["error"] == "admin_not_granted"
    assert server.seen == []
    [line] = await lab.fetch("select detail from audit_event where account_id = $1 and event = 'policy.denied'")
    assert line["detail"]["tool"] == "crm_lookup"


@pytest.mark.requirement("TOOL-03")
async def test_arguments_that_do_not_fit_never_leave(lab: Lab) -> None:
    async with serving(lambda _: FINE) as server, working(lab):
        await register(lab, server.url(), Effect.EXTERNAL_ONCE)
        lab.models.script = [calls(call("crm_lookup", company=7), call("crm_lookup"), call("crm_lookup", x="y"))]
        await lab.ask()
    assert [one["result"]["error"] for one in results(lab)] == ["invalid_arguments"] * 3
    assert server.seen == []


@pytest.mark.requirement("TOOL-11")
async def test_what_changes_in_a_tool_holds_from_the_next_turn(lab: Lab) -> None:
    async with serving(lambda _: FINE) as server, working(lab):
        made = await register(lab, server.url(), Effect.READ)
        lab.models.script = [calls(ACME), "done", calls(ACME), "done", calls(ACME)]
        await lab.ask()
        assert results(lab)[-1]["ok"]
        async with lab.db.tenant_tx(lab.account) as tx:
            await secrets.delete(tx, owner(lab), made.tool.auth.signing_secret_name or "")
        await lab.ask()
        assert results(lab)[-1]["result"]["error"] == "secret_missing"
        async with lab.db.tenant_tx(lab.account) as tx:
            await tools.update(tx, owner(lab), made.tool.id, ToolChange(enabled=False))
        await lab.ask()
        assert results(lab)[-1]["result"]["error"] == "unknown_tool"
    assert len(server.seen) == 1


async def test_a_secret_sealed_under_another_key_fails_the_call_and_not_the_turn(lab: Lab) -> None:
    async with serving(lambda _: FINE) as server, working(lab):
        assert lab.engine is not None
        await register(lab, server.url(), Effect.READ)
        lab.engine.sources = [rest.Source(lab.db, Vault(lab.db, Sealer(Keyring.local("another key"))))]
        lab.models.script = [calls(ACME)]
        assert (await lab.ask()).state == "succeeded"
    assert results(lab)[0]["result"]["error"] == "secret_unusable"
    assert server.seen == []


@tool(effect=Effect.READ)
async def crm_lookup(ctx: Context, company: str) -> str:
    """Look a company up here.

    Args:
        company: its name
    """
    return f"{company} is known"


@pytest.mark.requirement("TOOL-12", "TOOL-15")
async def test_a_tool_of_code_wins_over_a_registered_one_of_its_name(lab: Lab) -> None:
    async with serving(lambda _: FINE) as server, working(lab, (crm_lookup,)):
        await register(lab, server.url(), Effect.READ)
        lab.models.script = [calls(ACME)]
        await lab.ask()
    assert results(lab) == [{"tool": "crm_lookup", "result": "Acme Corp is known", "ok": True}]
    assert server.seen == []


@pytest.mark.requirement("TOOL-02")
async def test_a_tool_without_a_body_signals_and_the_turn_goes_on(lab: Lab) -> None:
    signal = registry.declare(
        name="raise_hand", description="Ask for help.", effect=Effect.READ, parameters={"type": "object"}
    )
    await lab.give("raise_hand")
    async with working(lab, (signal,)):
        lab.models.script = [calls(call("raise_hand"))]
        assert (await lab.ask()).state == "succeeded"
    [told] = results(lab)
    assert (told["ok"], told["result"]["error"]) == (False, "no_body")
    assert "only signals" in told["result"]["detail"]

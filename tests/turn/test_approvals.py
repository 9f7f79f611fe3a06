"""Approvals end to end: a call waits, people decide over HTTP, the worker lets time run out, and the turn goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from retinue.api import routes
from retinue.api.deps import AppState
from retinue.domain import ids
from retinue.domain.accounts import NewKey, NewUser, Role, Scope
from retinue.domain.tools import Effect
from retinue.domain.waits import Wait
from retinue.settings import Settings
from retinue.store import keys, users
from retinue.tools.registry import Context, tool
from tests.turn.conftest import Lab, call, calls, node
from tests.turn.test_tools_in_turns import results

sent: list[tuple[str, int]] = []


@tool(effect=Effect.EXTERNAL_ONCE, requires_approval=True)
async def send_money(ctx: Context, to: str, amount: int) -> dict[str, int]:
    """Send money.

    Args:
        to: to whom
        amount: how much
    """
    sent.append((to, amount))
    return {"sent": amount}


class Office:
    """A running node, and people who decide over HTTP."""

    def __init__(self, lab: Lab, app: Any, stack: AsyncExitStack, database_url: str) -> None:
        self.lab, self._app, self._stack, self._url = lab, app, stack, database_url

    async def client(self, user_id: UUID | None = None) -> httpx.AsyncClient:
        """Somebody of the account; without an id the owner."""
        async with self.lab.db.tenant_tx(self.lab.account) as tx:
            new = NewKey(name="test", scopes=tuple(Scope))
            key = await keys.create(tx, self.lab.account, user_id or self.lab.world.owner.id, new)
        opened = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app),
            base_url="http://retinue.test",
            headers={"authorization": f"Bearer {key.secret}"},
        )
        return await self._stack.enter_async_context(opened)

    async def join(self, name: str, role: Role = Role.ADMIN) -> httpx.AsyncClient:
        """Somebody more."""
        async with self.lab.db.tenant_tx(self.lab.account) as tx:
            new = NewUser(email=f"{name}@home.test", name=name, role=role)
            user = await users.create(tx, self.lab.account, new)
        return await self.client(user.id)

    async def pays(self, **arguments: Any) -> tuple[UUID, Wait]:
        """A turn whose call waits for approval."""
        self.lab.models.script = [calls(call("send_money", **({"to": "ada", "amount": 5} | arguments))), "told"]
        turn = await self.lab.say("pay her")
        await self.lab.until(turn, "waiting")
        [wait] = [one for one in (await self.lab.rows(turn))[2] if one.state == "open"]
        return turn, wait

    async def move_clock(self, interval: str) -> None:
        """Let so much time pass for the database."""
        connection = await asyncpg.connect(self._url)
        name = await connection.fetchval("select current_database()")
        await connection.execute(f"alter database {name} set retinue.clock_offset = '{interval}'")
        await connection.close()
        await self.lab.db.forget()


def path(wait: Wait, act: str = "decide") -> str:
    return f"/v1/approvals/{ids.encode('wait', wait.id)}/{act}"


def said(wait: Wait, decision: str = "approve", **more: Any) -> dict[str, Any]:
    return {"decision": decision, "arguments_hash": wait.arguments_hash, **more}


@pytest.fixture
async def office(lab: Lab, database_url: str, settings: Settings) -> AsyncIterator[Office]:
    sent.clear()
    await lab.configure("delete from agent_tool where account_id = $1")
    await lab.give("send_money")
    async with node(lab, [send_money]), AsyncExitStack() as stack:
        state = AppState(db=lab.db, settings=settings, hub=lab.hub, engine=lab.engine)
        yield Office(lab, routes.create(state), stack, database_url)


@pytest.fixture
def settings(home: Any) -> Settings:
    return Settings(home=home, rate_per_second=100_000, rate_burst=1_000_000, secret_key="test-secret-key")


@pytest.mark.requirement("GOV-14", "GOV-15", "TOOL-16")
async def test_an_approved_call_is_made_once_with_the_arguments_that_were_approved(office: Office) -> None:
    owner = await office.client()
    turn, wait = await office.pays()
    assert sent == []
    edited = said(wait, arguments={"to": "ada", "amount": 3})
    assert (await owner.post(path(wait), json=edited)).status_code == 200
    assert (await office.lab.until(turn)).state == "succeeded"
    assert sent == [("ada", 3)]
    again, wait = await office.pays()
    assert (await owner.post(path(wait), json=said(wait))).status_code == 200
    assert (await office.lab.until(again)).state == "succeeded"
    assert sent == [("ada", 3), ("ada", 5)]


@pytest.mark.requirement("GOV-15")
@pytest.mark.parametrize(
    ("decision", "reason", "error"),
    [("reject", "Too much.", "rejected"), ("ask_back", "What for?", "asked_back")],
)
async def test_what_a_person_says_instead_is_what_the_model_reads(
    office: Office, decision: str, reason: str, error: str
) -> None:
    owner = await office.client()
    turn, wait = await office.pays()
    await owner.post(path(wait), json=said(wait, decision, reason=reason))
    assert (await office.lab.until(turn)).state == "succeeded"
    [read] = results(office.lab)
    assert read["result"]["error"] == error and reason in str(read["result"])
    assert sent == []


async def test_a_request_that_is_taken_back_is_told_to_the_model(office: Office) -> None:
    owner = await office.client()
    turn, wait = await office.pays()
    await owner.post(path(wait, "withdraw"))
    assert (await office.lab.until(turn)).state == "succeeded"
    assert results(office.lab)[0]["result"]["error"] == "approval_withdrawn" and sent == []


@pytest.mark.requirement("GOV-15", "GOV-14")
@pytest.mark.parametrize(("on_expiry", "made"), [("reject", []), ("approve", [("ada", 5)])])
async def test_when_time_is_up_the_worker_lets_the_default_count(
    office: Office, on_expiry: str, made: list[tuple[str, int]]
) -> None:
    turn, wait = await office.pays()
    assert wait.due_at is not None
    await office.lab.configure(
        "update wait set ask = jsonb_set(ask, '{on_expiry}', to_jsonb($3::text)) where account_id = $1 and id = $2",
        wait.id,
        on_expiry,
    )
    await office.move_clock("25 hours")
    assert (await office.lab.until(turn, seconds=20)).state == "succeeded"
    assert sent == made
    if not made:
        assert results(office.lab)[0]["result"]["error"] == "approval_expired"


@pytest.mark.requirement("GOV-15")
async def test_a_grant_lets_later_calls_of_its_scope_through_until_it_is_revoked(office: Office) -> None:
    owner = await office.client()
    turn, wait = await office.pays()
    until = (await owner.get(f"/v1/approvals/{ids.encode('wait', wait.id)}")).json()["due_at"]
    body = said(wait, grant={"until": until, "channel": True, "person": True})
    assert (await owner.post(path(wait), json=body)).status_code == 200
    await office.lab.until(turn)
    office.lab.models.script = [calls(call("send_money", to="bob", amount=1)), "done"]
    assert (await office.lab.ask("again")).state == "succeeded"
    assert sent == [("ada", 5), ("bob", 1)]
    [grant] = (await owner.get("/v1/grants")).json()["data"]
    await owner.delete(f"/v1/grants/{grant['id']}")
    await office.pays()
    assert len(sent) == 2


@pytest.mark.requirement("GOV-15")
async def test_two_who_decide_at_once_make_one_call(office: Office) -> None:
    clients = [await office.client()] + [await office.join(f"admin{number}") for number in range(2)]
    for _ in range(3):
        sent.clear()
        turn, wait = await office.pays()
        answers = await asyncio.gather(*(one.post(path(wait), json=said(wait)) for one in clients))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        assert (await office.lab.until(turn)).state == "succeeded"
        assert sent == [("ada", 5)]


@pytest.mark.requirement("GOV-15")
async def test_stopping_the_turn_closes_its_request_and_makes_no_call(office: Office) -> None:
    owner = await office.client()
    turn, wait = await office.pays()
    await owner.post(f"/v1/interactions/{ids.encode('int', turn)}/cancel")
    assert (await office.lab.until(turn)).state == "cancelled"
    assert (await owner.post(path(wait), json=said(wait))).json()["code"] == "already_decided"
    assert sent == []


@pytest.mark.requirement("GOV-15")
async def test_new_input_gets_its_own_turn_and_leaves_the_request_open(office: Office) -> None:
    owner = await office.client()
    turn, wait = await office.pays()
    office.lab.models.script = ["still here"]
    assert (await office.lab.ask("and otherwise?")).state == "succeeded"
    assert (await office.lab.rows(turn))[0].state == "waiting"
    office.lab.models.script = ["told"]
    assert (await owner.post(path(wait), json=said(wait))).status_code == 200
    assert (await office.lab.until(turn)).state == "succeeded" and sent == [("ada", 5)]


async def test_arguments_that_do_not_fit_are_never_asked_about_nor_taken_from_a_person(office: Office) -> None:
    office.lab.models.script = [calls(call("send_money", to="ada")), "ok"]
    turn = await office.lab.ask("pay")
    assert turn.state == "succeeded" and (await office.lab.rows(turn.id))[2] == ()
    owner = await office.client()
    _, wait = await office.pays()
    body = (await owner.post(path(wait), json=said(wait, arguments={"to": "ada", "amount": "x"}))).json()
    assert [one["path"] for one in body["errors"]] == ["body.arguments.amount"]
    assert sent == []

"""A call that waits for approval, as the engine leaves it, without an engine: for tests of who may decide."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI

from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Principal, Role, Scope
from retinue.domain.tools import Effect, arguments_hash
from retinue.domain.verdicts import Ask, Layer, Opinion, Panel, join
from retinue.telemetry import clock
from retinue.tools.registry import Context, Registry, tool
from tests.api.conftest import World, as_client, make_key, make_user

ARGUMENTS: dict[str, Any] = {"to": "ada@example.com", "amount": 40}
LATER = clock.now() + timedelta(days=2)


@tool(effect=Effect.EXTERNAL_ONCE, requires_approval=True)
async def send_money(ctx: Context, to: str, amount: int) -> dict[str, int]:
    """Send money.

    Args:
        to: to whom
        amount: how much
    """
    return {"sent": amount}


@dataclass
class House:
    """An account with an agent that may send money, and its requests for approval."""

    db: Database
    world: World
    database_url: str

    @property
    def account(self) -> UUID:
        return self.world.owner.account_id

    async def prepare(self) -> None:
        """Give the Assistant the tool."""
        await self.run(
            "insert into agent_tool (account_id, agent_id, tool) values ($1, $2, 'send_money') on conflict do nothing",
            self.world.made.agent.id,
        )

    async def run(self, sql: str, *args: Any) -> None:
        async with self.db.tenant_tx(self.account) as tx:
            await tx.execute(sql, self.account, *args)

    async def fetch(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """Rows of the account; $1 is its id."""
        async with self.db.tenant_tx(self.account) as tx:
            return [dict(row) for row in await tx.fetch(sql, self.account, *args)]

    async def asks(
        self,
        *panels: Panel,
        requester: UUID | None = None,
        channel: UUID | None = None,
        due: datetime | None = LATER,
        **ask: Any,
    ) -> "Request":
        """A turn that waits for these panels. Without ``requester`` it is the owner's, in the owner's own channel."""
        made = self.world.made
        thread, turn = ids.new(), ids.new()
        wanted = Ask(panels=panels or (Panel(),), **ask)
        opinion = Opinion(
            layer=Layer.ACCOUNT, rule="Payments", verdict="ask", reason="approval_required",
            detail="Payments are asked about.", ask=wanted,
        )  # fmt: skip
        async with self.db.tenant_tx(self.account) as tx:
            await tx.execute(
                "insert into thread (account_id, id, agent_id, owner) values ($1, $2, $3, $4)",
                self.account, thread, made.agent.id, f"test:{thread}",
            )  # fmt: skip
            await tx.execute(
                "insert into interaction (account_id, id, agent_id, thread_id, channel_id, user_id, state, attempt, "
                "config_hash) select account_id, $2, id, $4, $5, $6, 'running', 1, config_hash from agent "
                "where account_id = $1 and id = $3",
                self.account, turn, made.agent.id, thread, channel or made.private_channel.id,
                requester or made.owner.id,
            )  # fmt: skip
            await tx.execute(
                "insert into step (account_id, interaction_id, seq, kind, state, tool, effect, input) "
                "values ($1, $2, 2, 'act', 'created', 'send_money', 'external_once', $3)",
                self.account, turn, {"tool": "send_money", "arguments": ARGUMENTS},
            )  # fmt: skip
        question = {
            "seq": 2, "tool": "send_money", "arguments_hash": arguments_hash(ARGUMENTS), "prompt": "May it?",
            "payload": {"arguments": ARGUMENTS}, "due_at": due, "ask": wanted.model_dump(), "policy_revision": 1,
            "policy": join([opinion]).model_dump(),
        }  # fmt: skip
        wait = await self.db.call("select ask_v2($1, $2, 1, 'approval', $3)", self.account, turn, question)
        assert await self.db.call("select suspend_v1($1, $2, 1)", self.account, turn)
        return Request(self, UUID(wait["id"]), turn)

    async def audit(self, event: str) -> list[dict[str, Any]]:
        """Lines of the record: actor and detail."""
        rows = await self.fetch(
            "select actor_type::text, actor_id, detail, interaction_id from audit_event "
            "where account_id = $1 and event = $2 order by id",
            event,
        )
        return rows

    async def move_clock(self, interval: str) -> None:
        """Let so much time pass for the database."""
        connection = await asyncpg.connect(self.database_url)
        name = await connection.fetchval("select current_database()")
        await connection.execute(f"alter database {name} set retinue.clock_offset = '{interval}'")
        await connection.close()
        await self.db.forget()


@dataclass
class Request:
    """One request for approval."""

    house: House
    wait: UUID
    turn: UUID

    @property
    def id(self) -> str:
        return ids.encode("wait", self.wait)

    @property
    def path(self) -> str:
        return f"/v1/approvals/{self.id}"

    async def row(self) -> dict[str, Any]:
        """The wait as it stands."""
        [row] = await self.house.fetch("select * from wait where account_id = $1 and id = $2", self.wait)
        return row

    async def resolution(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.row())["resolution"]
        return found

    async def turn_state(self) -> str:
        [row] = await self.house.fetch("select state from interaction where account_id = $1 and id = $2", self.turn)
        return str(row["state"])

    async def woken(self) -> int:
        """How many queue entries stand for its turn."""
        rows = await self.house.fetch(
            "select count(*) from queue.pgqueuer where $1::uuid is not null "
            "and convert_from(payload, 'utf8')::jsonb ->> 'interaction_id' = $2::text",
            str(self.turn),
        )
        return int(rows[0]["count"])

    async def decide(self, client: httpx.AsyncClient, decision: str = "approve", **more: Any) -> httpx.Response:
        """Try to decide, about the arguments as the agent gave them unless another hash is given."""
        body = {"decision": decision, "arguments_hash": arguments_hash(ARGUMENTS)} | more
        return await client.post(f"{self.path}/decide", json=body)


async def house(state: AppState, world: World, database_url: str) -> House:
    """The account of this test, whose agent may send money."""
    state.registry = Registry([send_money])
    made = House(state.db, world, database_url)
    await made.prepare()
    return made


class People:
    """Members of the account and their clients, by a name."""

    def __init__(self, app: FastAPI, db: Database, world: World, stack: AsyncExitStack) -> None:
        self._app, self._db, self._world, self._stack = app, db, world, stack
        self.ids: dict[str, UUID] = {}

    async def join(self, name: str, role: Role) -> httpx.AsyncClient:
        """One more person; gives a client that speaks for them."""
        user, who = await make_user(self._db, self._world, role, f"{name}@home.test")
        self.ids[name] = user.id
        return await self.key(who)

    async def key(self, who: Principal, *scopes: Scope) -> httpx.AsyncClient:
        """A client with a key of this person."""
        key = await make_key(self._db, who, *scopes)
        return await self._stack.enter_async_context(as_client(self._app, key.secret))

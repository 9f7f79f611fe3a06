"""A node in this process: the real engine, worker, hub and database; only the model is scripted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from retinue import settings as all_settings
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Bootstrapped
from retinue.domain.events import Event
from retinue.domain.messages import Received
from retinue.domain.models import CallPart, Delta, ModelReply, ModelRequest, TextPart, Usage
from retinue.domain.tools import ToolCall
from retinue.domain.turns import Interaction, Step
from retinue.domain.waits import Wait
from retinue.store import accounts, turns
from retinue.tools import egress, registry
from retinue.tools.registry import Tool
from retinue.tools.resolve import Internal
from retinue.turn import intake
from retinue.turn.engine import Engine
from retinue.turn.live import Hub, News
from retinue.worker import Worker

Answer = str | ModelReply | Exception | Callable[[ModelRequest], Awaitable["Answer"]]
KEY = registry._KEY  # pyright: ignore[reportPrivateUsage]
ENDED = ("succeeded", "failed", "cancelled")


def call(tool: str, **arguments: Any) -> ToolCall:
    """A call as a model makes it."""
    return ToolCall(id=ids.new(), provider_id=f"call_{ids.new().hex[-6:]}", tool=tool, arguments=arguments)


def calls(*wanted: ToolCall, text: str = "") -> ModelReply:
    """A response that asks for these tools, at once."""
    parts = ((TextPart(text=text),) if text else ()) + tuple(CallPart(call=one) for one in wanted)
    return ModelReply(
        model="script/1",
        provider="script",
        text=text,
        calls=wanted,
        parts=parts,
        cost_micro=100,
        usage=Usage(input_tokens=10, output_tokens=5),
        finish="tool_calls",
    )


class ScriptedModels:
    """Answers from a list, then repeats "done". Records every request."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.requests: list[ModelRequest] = []
        self.worst: int | None = 500

    def resolve(self, model: str | None = None, account_default: str | None = None) -> str:
        return model or account_default or "script/1"

    def worst_micro(self, model: str, input_tokens: int, output_tokens: int) -> int | None:
        return self.worst

    async def stream(
        self, request: ModelRequest, on_delta: Callable[[Delta], Awaitable[None]] | None = None
    ) -> ModelReply:
        self.requests.append(request)
        answer: Answer = self.script.pop(0) if self.script else "done"
        while callable(answer):
            answer = await answer(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, ModelReply) and answer.text and on_delta:
            await on_delta(Delta(kind="text", text=answer.text))
        if isinstance(answer, str):
            if on_delta:
                await on_delta(Delta(kind="text", text=answer))
            answer = ModelReply(
                model="script/1",
                provider="script",
                text=answer,
                parts=(TextPart(text=answer),),
                usage=Usage(input_tokens=10, output_tokens=5),
                cost_micro=100,
            )
        return answer


@dataclass
class Lab:
    """A seeded account and a running node."""

    db: Database
    world: Bootstrapped
    models: ScriptedModels = field(default_factory=ScriptedModels)
    hub: Hub | None = None
    engine: Engine | None = None

    @property
    def account(self) -> UUID:
        return self.world.account.id

    async def post(self, content: str = "hello", *, channel: UUID | None = None, **event: Any) -> Received:
        """Say something in the owner's channel with the Assistant."""
        return await intake.receive(
            self.db,
            Event(
                account_id=self.account,
                user_id=self.world.owner.id,
                content=content,
                channel_id=channel or self.world.private_channel.id,
                **event,
            ),
        )

    async def say(self, content: str = "hello", **event: Any) -> UUID:
        """The interaction that a message starts."""
        return (await self.post(content, **event)).interactions[0].id

    async def until(self, interaction_id: UUID, *states: str, seconds: float = 10) -> Interaction:
        """The interaction once it is in one of these states (any end, if none are given)."""
        assert self.hub is not None
        async with asyncio.timeout(seconds):
            with self.hub.about(interaction_id) as news:
                while True:
                    news.clear()
                    seen = (await self.rows(interaction_id))[0]
                    if seen.state in (states or ENDED):
                        return seen
                    await news.wait()

    async def ask(self, content: str = "hello", *, seconds: float = 10, **event: Any) -> Interaction:
        """Say something and wait for the end of the turn."""
        return await self.until(await self.say(content, **event), seconds=seconds)

    async def rows(self, interaction_id: UUID) -> tuple[Interaction, tuple[Step, ...], tuple[Wait, ...]]:
        return await turns.journal(self.db, self.account, interaction_id)

    async def steps(self, interaction_id: UUID) -> tuple[Step, ...]:
        return (await self.rows(interaction_id))[1]

    async def fetch(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """Rows of this account; $1 is the account's id."""
        async with self.db.tenant_tx(self.account) as tx:
            return [dict(row) for row in await tx.fetch(sql, self.account, *args)]

    async def replies(self, channel: UUID | None = None) -> list[str]:
        """What agents have said in a channel."""
        rows = await self.fetch(
            "select content from message where account_id = $1 and channel_id = $2 and author_kind = 'agent' "
            "order by seq",
            channel or self.world.private_channel.id,
        )
        return [row["content"] for row in rows]

    async def configure(self, sql: str, *args: Any) -> None:
        """Change rows of this account; $1 is the account's id."""
        async with self.db.tenant_tx(self.account) as tx:
            await tx.execute(sql, self.account, *args)

    async def give(self, *tools: str) -> None:
        """Let the Assistant have these tools."""
        for tool in tools:
            await self.configure(
                "insert into agent_tool (account_id, agent_id, tool) values ($1, $2, $3) on conflict do nothing",
                self.world.agent.id,
                tool,
            )


@asynccontextmanager
async def node(lab: Lab, tools: Sequence[Tool] = (), **options: Any) -> AsyncIterator[Worker]:
    """Run a node with these tools (and no others) beside the test."""
    chosen = {"heartbeat_seconds": 1.0, "retry_base_seconds": 0.01, "drain_seconds": 2.0} | options
    configured = all_settings.load().model_copy(update=chosen)
    hub = Hub(lab.db)
    engine = Engine(
        db=lab.db,
        models=lab.models,  # type: ignore[arg-type]
        sources=[Internal(registry.Registry(tools))],
        egress=egress.Client(),
        settings=configured,
        gate_key=KEY,
        tell=hub.hand,
    )
    lab.hub, lab.engine = hub, engine
    worker = Worker(engine, hub)
    stop, quiet = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(hub.run(quiet))
        running = group.create_task(worker.run(stop))
        async with asyncio.timeout(10):
            await worker.ready.wait()
        try:
            yield worker
        finally:
            stop.set()
            await asyncio.wait({running})
            quiet.set()


@pytest.fixture
async def lab(db: Database) -> AsyncIterator[Lab]:
    """A seeded account, without a node."""
    yield Lab(db=db, world=await accounts.bootstrap(db))


@pytest.fixture
async def running(lab: Lab) -> AsyncIterator[Lab]:
    """A seeded account and a node that runs, without tools."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(node(lab))
        yield lab


def heard(news: list[News]) -> list[str]:
    """The topics of some news."""
    return [one.topic for one in news]

"""Agno with AsyncPostgresDb: an agent with its history in context, a connection pool, telemetry off."""

# Checked alike whether the peer is installed or not.
# pyright: reportUnknownMemberType=false, reportArgumentType=false, reportUnknownVariableType=false

import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from agno.agent import Agent
from agno.db.postgres import AsyncPostgresDb
from agno.db.postgres.engine import create_async_postgres_engine
from agno.models.base import Model
from agno.models.message import Message
from agno.models.response import ModelResponse

from bench import child

POOL = 32
HISTORY = 30


@dataclass
class Echo(Model):
    """A language model that answers at once."""

    id: str = "echo"

    def invoke(self, messages: list[Message], *args: Any, **kwargs: Any) -> ModelResponse:
        return ModelResponse(role="assistant", content=f"You said: {messages[-1].content}")

    async def ainvoke(self, messages: list[Message], *args: Any, **kwargs: Any) -> ModelResponse:
        return self.invoke(messages)

    def invoke_stream(self, messages: list[Message], *args: Any, **kwargs: Any) -> Iterator[ModelResponse]:
        yield self.invoke(messages)

    async def ainvoke_stream(self, messages: list[Message], *args: Any, **kwargs: Any) -> AsyncIterator[ModelResponse]:
        yield self.invoke(messages)

    def _parse_provider_response(self, response: Any, **kwargs: Any) -> ModelResponse:
        return response

    def _parse_provider_response_delta(self, response: Any) -> ModelResponse:
        return response


class Agno:
    async def start(self, url: str) -> None:
        self._engine = create_async_postgres_engine(url, pool_size=POOL, max_overflow=0)
        self._agent = Agent(
            model=Echo(),
            db=AsyncPostgresDb(db_engine=self._engine),
            instructions="You are a helpful assistant.",
            add_history_to_context=True,
            num_history_messages=HISTORY,
            telemetry=False,
        )
        await self.turn(None)  # its tables are made at the first use

    async def turn(self, thread: str | None) -> str:
        answer = await self._agent.arun(
            "Hello, how are you today?", session_id=thread or str(uuid.uuid4()), user_id="ada"
        )
        return str(answer.content or "")

    def facts(self) -> dict[str, Any]:
        return {
            "versions": {name: version(name) for name in ("agno", "sqlalchemy", "psycopg")},
            "config": f"pool of {POOL}, the last {HISTORY} messages in context, telemetry off",
        }

    async def stop(self) -> None:
        await self._engine.dispose()


if __name__ == "__main__":
    child.main(Agno(), sys.argv[1])

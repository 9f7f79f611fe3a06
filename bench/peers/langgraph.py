"""LangGraph with AsyncPostgresSaver as its documentation sets it up: one saver over a connection pool, its defaults for
durability, one node that calls the model.

``AsyncPostgresSaver`` takes a lock of its own around every query, so that one saver uses one connection at a time
whatever its pool. ``langgraph_8_savers`` is the same with eight savers over the pool: faster, and in no documentation.
"""

# Checked alike whether the peer is installed or not.
# pyright: reportUnknownMemberType=false, reportArgumentType=false, reportUnknownVariableType=false

import sys
import uuid
from importlib.metadata import version
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from bench import child

POOL = 32


class Echo(BaseChatModel):
    """A language model that answers at once."""

    @property
    def _llm_type(self) -> str:
        return "echo"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text = f"You said: {messages[-1].content}"
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._generate(messages)


class LangGraph:
    def __init__(self, savers: int = 1) -> None:
        self._savers = savers
        self._next = 0

    async def start(self, url: str) -> None:
        self._pool = AsyncConnectionPool(
            url,
            min_size=POOL,
            max_size=POOL,
            open=False,
            kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
        )
        await self._pool.open(wait=True)
        await AsyncPostgresSaver(self._pool).setup()  # type: ignore[arg-type]
        model = Echo()

        async def call_model(state: MessagesState) -> dict[str, Any]:
            return {"messages": [await model.ainvoke(state["messages"])]}

        graph = StateGraph(MessagesState)
        graph.add_node("call_model", call_model)
        graph.add_edge(START, "call_model")
        graph.add_edge("call_model", END)
        self._graphs = [
            graph.compile(checkpointer=AsyncPostgresSaver(self._pool))  # type: ignore[arg-type]
            for _ in range(self._savers)
        ]

    async def turn(self, thread: str | None) -> str:
        self._next = (self._next + 1) % len(self._graphs)
        config = {"configurable": {"thread_id": thread or str(uuid.uuid4())}}
        state = await self._graphs[self._next].ainvoke(
            {"messages": [{"role": "user", "content": "Hello, how are you today?"}]}, config
        )  # type: ignore[arg-type]
        return str(state["messages"][-1].content)

    def facts(self) -> dict[str, Any]:
        return {
            "versions": {name: version(name) for name in ("langgraph", "langgraph-checkpoint-postgres", "psycopg")},
            "config": f"durability async (its default), pool of {POOL}, {self._savers} saver(s)",
        }

    async def stop(self) -> None:
        await self._pool.close()


if __name__ == "__main__":
    child.main(LangGraph(), sys.argv[1])

"""Threads as a Python API: a handle that saves, generates, streams and gives objects (group THR).

    handle = await threads.create(node, principal, NewThread(agent_id=agent.id, title="Plan"))
    said = await handle.generate_text("What is next?")

Every generation is a turn like any other: journalled, gated, resumable. Closing the handle stops nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from retinue import errors
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.accounts import Principal
from retinue.domain.messages import Generate, Generated, NewThread, NewThreadMessage, ReceivedInteraction, Thread
from retinue.domain.turns import TERMINAL, State
from retinue.domain.waits import WaitState
from retinue.store import agents, interactions, threads
from retinue.store.turns import ThreadPrompt
from retinue.turn import intake, live
from retinue.turn.live import Hub

ACTION_STEPS = 10
"""THR-22: the step limit of an exposed action."""


class Node(Protocol):
    """The parts of a process that a handle needs."""

    @property
    def db(self) -> Database: ...
    @property
    def hub(self) -> Hub: ...


@dataclass(frozen=True, slots=True)
class Handle:
    """One thread, on behalf of one person."""

    node: Node
    principal: Principal
    thread: Thread

    @property
    def id(self) -> UUID:
        """What to persist; ``resume`` gives the handle again, also after a restart (THR-04)."""
        return self.thread.id

    async def save(self, content: str, **fields: Any) -> UUID:
        """Put a message into the thread without generating anything; its id (THR-07). Raises NotFound, Forbidden."""
        async with self.node.db.tenant_tx(self.principal.account_id) as tx:
            saved = await threads.save_message(tx, self.principal, self.id, NewThreadMessage(content=content, **fields))
        assert saved.id is not None
        return saved.id

    async def start(self, wanted: Generate) -> ReceivedInteraction:
        """Begin a turn and return at once; replay safe by ``prompt_message_id`` (THR-06, THR-21).

        Raises NotFound, Forbidden (an agent that is not this person's to ask any more), WrongState (a channel's thread:
        post to the channel; an agent that is not enabled).
        """
        if self.thread.channel_id is not None:
            raise errors.WrongState("This thread belongs to a channel. Post a message there instead.")
        return await intake.receive_prompt(
            self.node.db,
            self.principal.account_id,
            self.id,
            ThreadPrompt(
                id=ids.new(),
                user_id=self.principal.user_id,
                prompt=wanted.prompt,
                parts=wanted.images,
                prompt_message_id=wanted.prompt_message_id,
                author=await self._author(),
                options=wanted.options(),
            ),
        )

    async def generate(self, wanted: Generate) -> Generated:
        """Run a turn to its end, or until it waits for someone."""
        started = await self.start(wanted)
        return await self.result(started.id)

    async def generate_text(self, prompt: str | None = None, **options: Any) -> Generated:
        """Text (THR-05). ``max_steps`` is the stop condition."""
        return await self.generate(Generate(prompt=prompt, **options))

    async def generate_object(self, schema: dict[str, Any], prompt: str | None = None, **options: Any) -> Any:
        """An object that fits a JSON Schema. Raises ModelError when the model gave none."""
        done = await self.generate(Generate(prompt=prompt, output_schema=schema, **options))
        if done.state != State.SUCCEEDED or done.structured is None:
            raise errors.ModelMalformed(done.error_detail or "The model gave no object that fits the schema.")
        return done.structured

    async def stream_text(self, prompt: str | None = None, **options: Any) -> AsyncIterator[str]:
        """The text piece by piece. Leaving the loop does not stop the turn."""
        started = await self.start(Generate(prompt=prompt, **options))
        said = ""
        async with aclosing(self.follow(started.id)) as events:
            async for told in events:
                if told and told.event == "delta":
                    said += told.data["text"]
                    yield told.data["text"]
        done = await self.result(started.id)
        if done.text.startswith(said) and len(done.text) > len(said):
            yield done.text[len(said) :]

    async def follow(self, interaction_id: UUID) -> AsyncGenerator[live.Told | None, None]:
        """A turn's events."""
        async with aclosing(
            live.follow(self.node.db, self.node.hub, self.principal.account_id, interaction_id)
        ) as events:
            async for told in events:
                yield told

    async def result(self, interaction_id: UUID) -> Generated:
        """What a turn came to, once it has ended or waits for someone."""
        with self.node.hub.about(interaction_id) as news:
            while True:
                news.clear()
                async with self.node.db.tenant_tx(self.principal.account_id) as tx:
                    seen = await interactions.access(tx, self.principal, interaction_id)
                if seen.state in TERMINAL or seen.state is State.WAITING:
                    break
                await news.wait()
        reply = seen.reply or {}
        return Generated(
            interaction_id=seen.id,
            state=seen.state.value,
            text=reply.get("text") or "",
            structured=reply.get("structured"),
            error=seen.error,
            error_detail=seen.error_detail,
            waits=tuple(wait.id for wait in seen.waits or () if wait.state is WaitState.OPEN),
        )

    async def _author(self) -> str | None:
        """What the prompt is signed with, once it is clear that this person may ask the agent (LIFE-08)."""
        async with self.node.db.tenant_tx(self.principal.account_id) as tx:
            try:
                await agents.access_agent(tx, self.principal, self.thread.agent_id)
            except errors.NotFound as error:
                words = "This thread's agent is not yours to ask any more. An admin can assign it to you."
                raise errors.Forbidden(words) from error
            return await threads.author_name(tx, self.principal)


async def create(node: Node, principal: Principal, new: NewThread) -> Handle:
    """Make a thread (THR-02, THR-03). Raises NotFound (the agent), Forbidden."""
    async with node.db.tenant_tx(principal.account_id) as tx:
        return Handle(node, principal, await threads.create(tx, principal, new))


async def resume(node: Node, principal: Principal, thread_id: UUID) -> Handle:
    """The handle of a thread that exists, with its whole history (THR-04). Raises NotFound."""
    async with node.db.tenant_tx(principal.account_id) as tx:
        return Handle(node, principal, await threads.access_thread(tx, principal, thread_id))


Action = Callable[..., Awaitable[Generated]]


def as_text_action(node: Node, principal: Principal, *, max_steps: int = ACTION_STEPS, seconds: float = 600) -> Action:
    """An agent as a callable (THR-21, THR-27): ``await action(thread_id=..., prompt_message_id=..., prompt=...)``.

    The same ``prompt_message_id`` again neither generates nor stores a second answer. Raises TimeoutError.
    """

    async def action(*, thread_id: UUID, prompt: str | None = None, prompt_message_id: UUID | None = None) -> Generated:
        handle = await resume(node, principal, thread_id)
        async with asyncio.timeout(seconds):
            return await handle.generate(
                Generate(prompt=prompt, prompt_message_id=prompt_message_id, max_steps=max_steps)
            )

    return action

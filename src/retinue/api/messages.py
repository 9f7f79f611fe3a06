"""Posting a message: 202 with the ids at once; with ``Prefer: wait=N`` the replies, as soon as the turns have ended."""

import asyncio
import re
from dataclasses import dataclass
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from retinue import errors
from retinue.api import deps
from retinue.domain.accounts import Principal
from retinue.domain.events import Event
from retinue.domain.ids import AgentId, ChannelId, FileId, MessageId
from retinue.domain.messages import MAX_CONTENT_BYTES, Delivery, Message, ReceivedInteraction
from retinue.domain.models import ImagePart
from retinue.domain.turns import TERMINAL, State
from retinue.domain.waits import Wait, WaitState
from retinue.store import interactions, messages
from retinue.turn import intake

router = APIRouter(prefix="/v1/channels", tags=["messages"])

MAX_FILES = 10
MAX_WAIT_SECONDS = 120
WAIT = re.compile(r"\bwait=(\d{1,4})\b")
SETTLED = TERMINAL | {State.WAITING}


class NewMessage(BaseModel):
    """A message to post."""

    model_config = ConfigDict(extra="forbid")

    content: str = Field(max_length=MAX_CONTENT_BYTES)
    """May be empty where there are files or images."""
    reply_to: MessageId | None = None
    """The message whose thread this belongs to; a reply stands for the message it replies to."""
    delivery: Delivery | None = None
    """How agents reply to this message (CHN-13); empty: as you prefer, in a thread there, else as the channel says."""
    images: list[ImagePart] = Field(default_factory=list[ImagePart], max_length=8)
    files: list[FileId] = Field(default_factory=list[UUID], max_length=MAX_FILES)
    """Files of the caller's, uploaded before (``POST /v1/files``)."""
    to: list[AgentId] = Field(default_factory=list[UUID], max_length=20)
    """Agents addressed whatever their trigger mode."""
    triage: dict[str, Any] | None = None
    """A client's own parse of the text; kept for comparison, never trusted (CON-19)."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.content or self.files or self.images):
            raise ValueError("a message has text, a file or an image")
        return self


class Posted(BaseModel):
    """What the message started; ``replies`` and ``waits`` come with ``Prefer: wait``."""

    message: Message
    interactions: list[ReceivedInteraction]
    replies: list[Message] | None = None
    waits: list[Wait] | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What the headers ask for: how long to wait for replies, and the caller's key of this request."""

    seconds: int
    key: str | None


async def wish(
    prefer: Annotated[str | None, Header()] = None, idempotency_key: Annotated[str | None, Header()] = None
) -> Wish:
    """The headers ``Prefer`` and ``Idempotency-Key``."""
    return Wish(wait_seconds(prefer), idempotency_key)


@router.post("/{channel_id}/messages", status_code=202, responses={200: {"model": Posted}})
async def post_message(
    channel_id: ChannelId,
    body: NewMessage,
    caller: deps.Caller,
    app: deps.App,
    response: Response,
    wish: Annotated[Wish, Depends(wish)],
) -> Posted:
    """Post a message; every agent it triggers gets a turn (TRG-07)."""
    if len(body.content.encode()) > MAX_CONTENT_BYTES:
        raise errors.TooLarge("A message may have at most 256 KB of text.")
    received = await intake.receive(
        app.db,
        Event(
            account_id=caller.account_id,
            user_id=caller.user_id,
            channel_id=channel_id,
            content=body.content,
            parts=tuple(body.images),
            targets=tuple(body.to),
            reply_to=body.reply_to,
            delivery=body.delivery,
            metadata={"triage": body.triage} if body.triage else {},
            # also the event's own key: a retry finds the message even where a crash lost the stored answer
            idempotency_key=f"{caller.user_id} {wish.key}" if wish.key else None,
        ),
        body.files,
    )
    posted = Posted(message=received.message, interactions=list(received.interactions))
    seconds = wish.seconds
    if not seconds or not received.interactions:
        return posted
    ended = await settled(app, caller, [one.id for one in received.interactions], seconds)
    if ended is None:
        return posted
    response.status_code = 200
    response.headers["Preference-Applied"] = f"wait={seconds}"
    return await _with_replies(app, caller, posted, ended)


def wait_seconds(prefer: str | None) -> int:
    """The seconds of ``Prefer: wait=N`` (RFC 7240), at most 120; 0 without one."""
    found = WAIT.search(prefer or "")
    return min(int(found.group(1)), MAX_WAIT_SECONDS) if found else 0


async def settled(app: deps.AppState, caller: Principal, wanted: list[UUID], seconds: float) -> list[UUID] | None:
    """The interactions, once all have ended or wait for someone; None when time is up first.

    A turn that ended before it had read the message is followed to its successor.
    """
    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            tasks = [group.create_task(_end_of(app, caller, one)) for one in wanted]
    except TimeoutError:
        return None
    return [task.result() for task in tasks]


async def _end_of(app: deps.AppState, caller: Principal, interaction_id: UUID) -> UUID:
    hub = app.hub
    if hub is None:
        raise errors.Unavailable("This process does not listen for events.")
    with hub.about(interaction_id) as news:
        while True:
            news.clear()
            async with app.db.tenant_tx(caller.account_id) as tx:
                state, successor = await interactions.end(tx, caller.account_id, interaction_id)
            if state in SETTLED:
                break
            await news.wait()
    return await _end_of(app, caller, successor) if successor else interaction_id


async def _with_replies(app: deps.AppState, caller: Principal, posted: Posted, ended: list[UUID]) -> Posted:
    replies: list[Message] = []
    waits: list[Wait] = []
    started: list[ReceivedInteraction] = []
    async with app.db.tenant_tx(caller.account_id) as tx:
        for interaction_id in ended:
            seen = await interactions.access(tx, caller, interaction_id)
            started.append(ReceivedInteraction(id=seen.id, agent_id=seen.agent_id, state=seen.state))
            waits.extend(wait for wait in seen.waits or () if wait.state is WaitState.OPEN)
            if seen.reply_message_id:
                replies.append(await messages.access_message(tx, caller, seen.reply_message_id))
    return posted.model_copy(update={"interactions": started, "replies": replies, "waits": waits})

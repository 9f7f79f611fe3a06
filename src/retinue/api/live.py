"""Server-sent events: one interaction's stream, and one live feed per client that says what to fetch again."""

import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from pydantic_core import to_jsonable_python

from retinue import errors, telemetry
from retinue.api import deps
from retinue.domain import ids
from retinue.domain.accounts import Principal
from retinue.domain.ids import InteractionId
from retinue.store import interactions, messages, users
from retinue.turn import live
from retinue.turn.live import RESYNC, Hub, News, Told

router = APIRouter(prefix="/v1", tags=["live"])

EVENT_ID = re.compile(r"^(\d{1,9})\.(\d{1,9})$")
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
ALIVE = b": keep-alive\n\n"
PREFIXES = {
    "channel": "ch", "message": "msg", "typing": "usr", "read": "ch", "membership": "ch",
    "interaction": "int", "thinking": "int", "cancel": "int", "agent": "agt",
    "approval": "wait", "budget": "pol", "policy": "pol",
}  # fmt: skip
"""The topics, and what their ids are."""
IS_SCOPE = frozenset({"channel", "read", "membership"})
"""Topics whose id is the channel they are about; their scope only says whom to tell."""
ACCESS = "access"
"""The topic that says: what this person may see has changed. Clients are told to fetch all again."""
REFRESH_SECONDS = 60.0
"""After this long at the latest, what a reader may see is looked up again."""
FOR_ALL = frozenset({"agent", "policy"})
"""Topics that concern everyone in the account, where no scope says whom."""
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Server-sent events."}
}


def sse(event: str, data: Any, id: str | None = None) -> bytes:
    """One event on the wire."""
    head = f"id: {id}\n" if id else ""
    return f"{head}event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def position(last_event_id: str | None) -> tuple[int, int]:
    """``3.17`` is attempt 3, chunk 17. Raises BadInput."""
    if not last_event_id:
        return 0, 0
    found = EVENT_ID.match(last_event_id)
    if found is None:
        raise errors.BadInput(
            "Last-Event-ID is the id of the last event you have seen, such as 1.17.",
            errors=[{"path": "header.Last-Event-ID", "reason": "is not an event id"}],
        )
    return int(found.group(1)), int(found.group(2))


def _hub(app: deps.AppState) -> Hub:
    if app.hub is None:
        raise errors.Unavailable("This process does not listen for events.")
    return app.hub


@router.get("/interactions/{interaction_id}/stream", response_class=StreamingResponse, responses=EVENTS)
async def stream_interaction(
    interaction_id: InteractionId,
    caller: deps.Caller,
    app: deps.App,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[str | None, Query(description="As Last-Event-ID, for clients that cannot set it.")] = None,
) -> StreamingResponse:
    """A turn as it happens: the stored prefix, then the tail, to its end (AGT-25). Closing it cancels nothing."""
    where = position(last_event_id or after)
    hub = _hub(app)
    async with app.db.tenant_tx(caller.account_id) as tx:
        await interactions.access(tx, caller, interaction_id)
    return StreamingResponse(
        _turn(app, hub, caller, interaction_id, where), media_type="text/event-stream", headers=HEADERS
    )


async def _turn(
    app: deps.AppState, hub: Hub, caller: Principal, interaction_id: UUID, after: tuple[int, int]
) -> AsyncIterator[bytes]:
    with telemetry.metrics.stream_subscribers.track_inprogress():
        async with aclosing(live.follow(app.db, hub, caller.account_id, interaction_id, after)) as events:
            async for told in events:
                if told is None:
                    yield ALIVE
                    continue
                if told.event == "done":
                    yield await _reply(app, caller, told)
                yield sse(told.event, _public(told, interaction_id), told.id)


async def _reply(app: deps.AppState, caller: Principal, told: Told) -> bytes:
    """The whole reply, for whoever has not seen every piece; empty when there is none."""
    message_id = told.data["reply_message_id"]
    if message_id is None:
        return sse("message", told.data["reply"]) if told.data["reply"] else b""
    async with app.db.tenant_tx(caller.account_id) as tx:
        message = await messages.access_message(tx, caller, UUID(message_id))
    return sse("message", to_jsonable_python(message))


def _public(told: Told, interaction_id: UUID) -> dict[str, Any]:
    """Ids as TypeIDs."""
    data = dict(told.data)
    for name, prefix in (("successor_id", "int"), ("reply_message_id", "msg"), ("id", "wait")):
        if data.get(name):
            data[name] = ids.encode(prefix, UUID(data[name]))
    return data | {"interaction_id": ids.encode("int", interaction_id)} if told.event in ("thinking", "done") else data


@router.get("/live", response_class=StreamingResponse, responses=EVENTS)
async def live_feed(caller: deps.Caller, app: deps.App) -> StreamingResponse:
    """``{topic, id}`` for everything you may see that changes; fetch it again. After ``resync`` fetch all.

    ``channel``: something new is in it, or it changed; ``message``: edited, deleted, brought back or reacted to;
    ``membership``: somebody came, went or changed; ``typing``: somebody types (the id is the person's); ``read``: you
    have read on in another window; ``interaction``, ``thinking``, ``cancel``: a turn; ``agent``: an agent changed.
    ``approval``: a request for approval that you may decide, or that is on your behalf; ``budget``: one that you can
    raise is used up to a percentage that you are to be told of. ``scope`` is the channel that it is in.
    """
    return StreamingResponse(_feed(app, _hub(app), caller), media_type="text/event-stream", headers=HEADERS)


async def _feed(app: deps.AppState, hub: Hub, caller: Principal) -> AsyncIterator[bytes]:
    with telemetry.metrics.stream_subscribers.track_inprogress(), hub.account(caller.account_id) as queue:
        scopes, at = await _scopes(app, caller), time.monotonic()
        yield sse(RESYNC, {"topic": RESYNC})
        while not hub.closed:
            news = await live.next_news(queue)
            if time.monotonic() - at > REFRESH_SECONDS or (news and unsettles(news, scopes)):
                scopes, at = await _scopes(app, caller), time.monotonic()
            if news is None:
                yield sse("alive", {})  # an event, not a comment: pages tell by it that the line still carries
            elif news.topic == RESYNC:
                yield sse(RESYNC, {"topic": RESYNC})
            elif news.topic == ACCESS and news.id == caller.user_id:
                if not await _is_here(app, caller):
                    return
                yield sse(RESYNC, {"topic": RESYNC})
            elif concerns(news, scopes, caller.user_id):
                yield sse(news.topic, told(news, caller.user_id))


def unsettles(news: News, scopes: set[UUID]) -> bool:
    """Whether what the reader may see can be other than before."""
    return news.topic in (RESYNC, ACCESS, "membership") or (news.topic == "channel" and news.scope not in scopes)


def concerns(news: News, scopes: set[UUID], user_id: UUID) -> bool:
    """Whether to tell this reader: of what is in their channels or their own, but not that they type themselves."""
    if news.topic not in PREFIXES or (news.topic == "typing" and news.id == user_id):
        return False
    if news.scope is None:
        return news.topic in FOR_ALL
    return news.scope in scopes or news.scope == news.account_id


def told(news: News, user_id: UUID) -> dict[str, str]:
    """News as a client reads it."""
    data = {"topic": news.topic, "id": ids.encode(PREFIXES[news.topic], news.id)}
    if news.topic not in IS_SCOPE and news.scope not in (None, news.account_id):
        data["scope"] = ids.encode("usr" if news.scope == user_id else "ch", news.scope)
    return data


async def _is_here(app: deps.AppState, caller: Principal) -> bool:
    """Whether the reader is still a member of the account, and not suspended."""
    try:
        async with app.db.tenant_tx(caller.account_id) as tx:
            user = await users.get(tx, caller.account_id, caller.user_id)
    except errors.NotFound:
        return False
    return user.role is not None and user.status == "active"


async def _scopes(app: deps.AppState, caller: Principal) -> set[UUID]:
    async with app.db.tenant_tx(caller.account_id) as tx:
        return await interactions.readable(tx, caller)

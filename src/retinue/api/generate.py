"""Thread operations over HTTP: generate text or an object in a thread, at once or to the end, replay safe."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Response

from retinue import errors
from retinue.api import deps
from retinue.api.messages import wait_seconds
from retinue.db.pool import Database
from retinue.domain.ids import ThreadId
from retinue.domain.messages import Generate, Generated
from retinue.turn import threads
from retinue.turn.live import Hub

router = APIRouter(prefix="/v1/threads", tags=["threads"])


@dataclass(frozen=True, slots=True)
class Parts:
    """What a thread handle needs of this process."""

    db: Database
    hub: Hub


@router.post("/{thread_id}/generate", status_code=202, responses={200: {"model": Generated}})
async def generate(
    thread_id: ThreadId,
    body: Generate,
    caller: deps.Caller,
    app: deps.App,
    response: Response,
    prefer: Annotated[str | None, Header()] = None,
) -> Generated:
    """Start a turn in a thread; with ``Prefer: wait=N`` its result, else 202 and its id to follow.

    With an ``output_schema`` the result is an object that fits it. The same ``prompt_message_id`` finds the turn it
    started before.
    """
    if app.hub is None:
        raise errors.Unavailable("This process does not listen for events.")
    handle = await threads.resume(Parts(app.db, app.hub), caller, thread_id)
    started = await handle.start(body)
    seconds = wait_seconds(prefer)
    if seconds:
        try:
            async with asyncio.timeout(seconds):
                done = await handle.result(started.id)
        except TimeoutError:
            pass
        else:
            response.status_code = 200
            return done
    return Generated.started(started)

"""Interactions: list, look into, follow, cancel, retry, and answer what they wait for."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict

from retinue import errors
from retinue.api import deps, pages
from retinue.api.pages import Page
from retinue.domain.ids import AgentId, ChannelId, InteractionId, ThreadId, UserId, WaitId
from retinue.domain.texts import Line, Word
from retinue.domain.turns import InteractionView, State
from retinue.domain.waits import Wait, WaitKind
from retinue.store import interactions, turns
from retinue.store.interactions import Filter, Sort

router = APIRouter(prefix="/v1", tags=["interactions"])


class Answer(BaseModel):
    """An answer to an unknown outcome: did it happen? If not, ``retry`` says whether to do it again."""

    model_config = ConfigDict(extra="forbid")

    happened: bool
    retry: bool = False
    result: Any = None
    """What the call gave, if you know it; the agent reads it."""


class Cancelled(BaseModel):
    """What the turn's state is after the request; ``running`` means that it stops at its next chance."""

    id: InteractionId
    state: State


async def wanted(  # noqa: PLR0913 - one query parameter each
    state: State | None = None,
    agent_id: AgentId | None = None,
    channel_id: ChannelId | None = None,
    thread_id: ThreadId | None = None,
    user_id: UserId | None = None,
    parent_id: InteractionId | None = None,
    since: AwareDatetime | None = None,
    until: Annotated[AwareDatetime | None, Query(description="Only what began before.")] = None,
    dead_letter: Annotated[bool, Query(description="Only those set aside after too many failures.")] = False,
    trials: Annotated[bool, Query(description="Also those that try a draft of an agent.")] = False,
    min_cost_micro: Annotated[int | None, Query(ge=0, le=pages.BIGGEST, description="Only what cost as much.")] = None,
    tool: Annotated[Word | None, Query(description="Only turns that called this tool.")] = None,
    q: Annotated[Line | None, Query(description="Only turns whose question or answer has these words.")] = None,
    sort: Sort = Sort.NEWEST,
) -> Filter:
    """The filters of the list."""
    return Filter(
        state=state,
        agent_id=agent_id,
        channel_id=channel_id,
        thread_id=thread_id,
        user_id=user_id,
        parent_id=parent_id,
        since=since,
        until=until,
        dead_letter=dead_letter,
        trials=trials,
        min_cost_micro=min_cost_micro,
        tool=tool,
        q=q,
        sort=sort,
    )


@router.get("/interactions")
async def list_interactions(
    caller: deps.Caller, app: deps.App, page: pages.Paging, filters: Annotated[Filter, Depends(wanted)]
) -> Page[InteractionView]:
    """Turns you may see, newest first or as ``sort`` says. A cursor belongs to one order."""
    after = _place(page, filters.sort)
    async with app.db.tenant_tx(caller.account_id) as tx:
        rows = await interactions.page(tx, caller, filters, after=after, limit=page.fetch)
    return pages.make(rows, page, lambda row: interactions.place(row, filters.sort))


def _place(page: pages.PageRequest, sort: Sort) -> interactions.Place | None:
    """Where the list goes on. Raises BadInput for a cursor of another order."""
    if sort in (Sort.NEWEST, Sort.OLDEST):
        last = page.after_id()
        return None if last is None else (None, last)
    found = page.after_number_and_id()
    if found is None:
        return None
    return (int(found[0]) if sort is Sort.COST else found[0]), found[1]


@router.get("/interactions/{interaction_id}")
async def get_interaction(interaction_id: InteractionId, caller: deps.Caller, app: deps.App) -> InteractionView:
    """One turn with every step, its inputs and outputs, and what it waits for (AGT-24)."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        return await interactions.access(tx, caller, interaction_id)


@router.post("/interactions/{interaction_id}/cancel")
async def cancel_interaction(interaction_id: InteractionId, caller: deps.Caller, app: deps.App) -> Cancelled:
    """Stop a turn, wherever it runs. One that has ended stays as it is."""
    await get_interaction(interaction_id, caller, app)
    state = await turns.cancel(app.db, caller.account_id, interaction_id, "cancelled")
    return Cancelled(id=interaction_id, state=State(state))


@router.post("/interactions/{interaction_id}/retry")
async def retry_interaction(interaction_id: InteractionId, caller: deps.Caller, app: deps.App) -> InteractionView:
    """Try a failed turn again, with what it has done so far."""
    await get_interaction(interaction_id, caller, app)
    await turns.retry(app.db, caller.account_id, interaction_id)
    return await get_interaction(interaction_id, caller, app)


@router.get("/waits")
async def list_waits(caller: deps.Caller, app: deps.App, page: pages.Paging) -> Page[Wait]:
    """Questions that stand open, oldest first."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        rows = await interactions.open_waits(tx, caller, after=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda row: [row.id])


@router.post("/waits/{wait_id}/answer")
async def answer_wait(wait_id: WaitId, body: Answer, caller: deps.Caller, app: deps.App) -> Wait:
    """Say what happened. The first answer counts; the turn goes on with it."""
    async with app.db.tenant_tx(caller.account_id) as tx:
        wait = await interactions.access_wait(tx, caller, wait_id)
    if wait.kind is not WaitKind.OUTCOME:
        raise errors.WrongState(f"A wait of kind {wait.kind.value} is not answered here.")
    return await turns.resolve_wait(app.db, caller.account_id, wait_id, caller.user_id, body.model_dump())

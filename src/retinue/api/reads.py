"""What is your own in a channel: how far you have read, how agents reply to you there, that you are typing."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from retinue.api import deps, pages
from retinue.api.limits import Buckets
from retinue.domain.channels import DefaultDelivery, Preferences, ReadState
from retinue.domain.ids import ChannelId
from retinue.store import preferences, reads

router = APIRouter(prefix="/v1/channels/{channel_id}", tags=["channels"])
TYPING_SECONDS = 2.0
"""Typing is told on at most so often; what comes between is news already."""


class ReadUpTo(BaseModel):
    """How far you have read."""

    model_config = ConfigDict(extra="forbid")

    seq: Annotated[int, Field(ge=0, le=pages.BIGGEST)]


@router.put("/read")
async def mark_read(channel_id: ChannelId, body: ReadUpTo, caller: deps.Caller, db: deps.Db) -> ReadState:
    """Say how far you have read. The mark only moves forward; your other windows are told."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await reads.mark(tx, caller, channel_id, body.seq)


class NewPreferences(BaseModel):
    """What you want in a channel."""

    model_config = ConfigDict(extra="forbid")

    delivery: DefaultDelivery | None
    """Null: as the channel says."""


@router.get("/preferences")
async def get_preferences(channel_id: ChannelId, caller: deps.Caller, db: deps.Db) -> Preferences:
    """How agents reply to you in a channel."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await preferences.get(tx, caller, channel_id)


@router.put("/preferences")
async def set_preferences(channel_id: ChannelId, body: NewPreferences, caller: deps.Caller, db: deps.Db) -> Preferences:
    """Choose how agents reply to you in a channel; nobody else's replies change."""
    async with db.tenant_tx(caller.account_id) as tx:
        return await preferences.put(tx, caller, channel_id, body.delivery)


@router.post("/typing", status_code=204)
async def tell_typing(channel_id: ChannelId, caller: deps.Caller, app: deps.App) -> None:
    """Say that you are typing. Readers of the channel see it for a few seconds; nothing is kept."""
    buckets: Buckets = app.extras.setdefault("typing", Buckets(1 / TYPING_SECONDS, 1))
    if buckets.take(f"{caller.user_id} {channel_id}").allowed:
        await reads.typing(app.db, caller, channel_id)

"""What one person wants in one channel: how agents reply there (CHN-14). The channel says it for everyone else, and the
organisation for new channels."""

from uuid import UUID

from retinue.db.pool import Tx
from retinue.domain.accounts import Principal
from retinue.domain.channels import DefaultDelivery, Preferences
from retinue.store import channels

GET = "select delivery from channel_personal where account_id = $1 and channel_id = $2 and user_id = $3"
SET = """
insert into channel_personal (account_id, channel_id, user_id, delivery) values ($1, $2, $3, $4)
on conflict (account_id, channel_id, user_id) do update set delivery = excluded.delivery, updated_at = clock()
"""


async def get(tx: Tx, principal: Principal, channel_id: UUID) -> Preferences:
    """This user's preferences in a channel. Raises NotFound."""
    channel = await channels.access_channel(tx, principal, channel_id)
    delivery = await tx.fetchval(GET, principal.account_id, channel_id, principal.user_id)
    return Preferences(channel_id=channel_id, delivery=delivery, channel_delivery=channel.default_delivery)


async def put(tx: Tx, principal: Principal, channel_id: UUID, delivery: DefaultDelivery | None) -> Preferences:
    """Choose how agents reply to this user in a channel; None: as the channel says. Raises NotFound."""
    await channels.access_channel(tx, principal, channel_id)
    await tx.execute(SET, principal.account_id, channel_id, principal.user_id, delivery)
    return await get(tx, principal, channel_id)

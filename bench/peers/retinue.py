"""Retinue as its API uses it: ``intake.receive``, then the live notification that the turn has ended.

The turn itself is worked on by ``bench.node``, a process of its own, through the queue. A fresh thread is a channel
nobody has written in; the driver takes them from a stock that was seeded.
"""

import asyncio
import sys
from importlib.metadata import version
from typing import Any
from uuid import UUID

import asyncpg

from bench import child, harness
from retinue.db import migrate, pool
from retinue.domain.events import Event
from retinue.turn import intake

POOL = 12
STOCK = (
    "select c.account_id, c.id, m.user_id from channel c join channel_member m on m.account_id = c.account_id "
    "and m.channel_id = c.id and m.user_id is not null where c.last_seq = 0 order by c.id"
)
REPLY = "select content from message where account_id = $1 and interaction_id = $2 and author_kind = 'agent'"


class Retinue:
    async def start(self, url: str) -> None:
        async with harness.owner(url) as connection:
            rows = await connection.fetch(STOCK)
            first = await connection.fetchrow("select a.id as account_id, u.id as user_id from account a, app_user u")
        self._account, self._user = first["account_id"], first["user_id"]
        self._fresh = iter([row["id"] for row in rows])
        self._db = await pool.connect(
            migrate.role_url(url, "retinue_app", harness.SECRET),
            migrate.role_url(url, "retinue_system", harness.SECRET),
            size=POOL,
        )
        self._ended: dict[str, asyncio.Event] = {}
        self._listening = await self._db.listening()
        await self._listening.add_listener("retinue_live", self._heard)

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        _account, topic, interaction, *_ = str(payload).split(" ")
        if topic == "interaction":
            self._ended.setdefault(interaction, asyncio.Event()).set()

    async def turn(self, thread: str | None) -> str:
        """``thread`` names a channel. Ends when the reply is committed: its notification arrives with the commit."""
        channel = UUID(thread) if thread else next(self._fresh)
        event = Event(
            account_id=self._account, user_id=self._user, channel_id=channel, content="Hello, how are you today?"
        )
        received = await intake.receive(self._db, event)
        interaction = str(received.interactions[0].id)
        ended = self._ended.setdefault(interaction, asyncio.Event())
        while not await self._is_over(interaction, ended):
            continue
        del self._ended[interaction]
        return "answered"

    async def _is_over(self, interaction: str, ended: asyncio.Event) -> bool:
        try:
            async with asyncio.timeout(2):
                await ended.wait()
            return True
        except TimeoutError:  # a notification lost with its connection: look
            async with self._db.tenant_tx(self._account) as tx:
                return bool(await tx.fetchval(REPLY, self._account, UUID(interaction)))

    def facts(self) -> dict[str, Any]:
        return {
            "versions": {"retinue": version("retinue"), "asyncpg": asyncpg.__version__},
            "config": f"one node in a process of its own, pools of {POOL}, everything enabled",
        }

    async def stop(self) -> None:
        await self._listening.close()
        await self._db.close()


if __name__ == "__main__":
    child.main(Retinue(), sys.argv[1])

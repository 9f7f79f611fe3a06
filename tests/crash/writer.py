"""``python -m tests.crash.writer URL ACCOUNT USER CHANNEL NAME COUNT``: a process that posts messages in a row."""

import asyncio
import sys
from uuid import UUID

from retinue.db import migrate, pool
from retinue.domain.events import Event
from retinue.turn import intake
from tests.conftest import SECRET


async def main(url: str, account: str, user: str, channel: str, name: str, count: str) -> None:
    """Post ``NAME 0``, ``NAME 1``, ... as fast as it goes; any error ends the process with a traceback."""
    db = await pool.connect(*(migrate.role_url(url, role, SECRET) for role in migrate.ROLES))
    for number in range(int(count)):
        await intake.receive(
            db,
            Event(account_id=UUID(account), user_id=UUID(user), channel_id=UUID(channel), content=f"{name} {number}"),
        )
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

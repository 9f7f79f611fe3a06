"""Tools of a package of its own, one of each effect class; the crash tests' nodes find them by their entry point.

Each tells the outside (``outside.Outside``) before it does its work, does it, and tells it again: the outside may hold
any of these calls, so that a test can kill the node exactly there.
"""

import asyncio
import os
from hashlib import sha256

from retinue.domain.agents import TrustLevel
from retinue.domain.tools import Effect
from retinue.tools.registry import Context, tool

NOTE = """
update message set metadata = metadata || jsonb_build_object('notes', coalesce((metadata ->> 'notes')::int, 0) + 1)
where account_id = $1 and channel_id = $2 and seq = 1
"""


async def tell(ctx: Context, word: str, place: str) -> None:
    """Say ``word`` at ``place`` and wait until the outside has taken note."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(os.environ["CRASH_OUTSIDE"]))
    try:
        writer.write(f"{place} {word} {ctx.call.idempotency_key}\n".encode())
        await reader.readline()
    finally:
        writer.close()


@tool(effect=Effect.READ, trust=TrustLevel.READ, timeout=60)
async def look(ctx: Context, place: str) -> str:
    """Look at a place.

    Args:
        place: where
    """
    await tell(ctx, "look.before", place)
    await tell(ctx, "look.after", place)
    return f"saw {place}"


@tool(effect=Effect.WRITE, trust=TrustLevel.READ, timeout=60)
async def note(ctx: Context, place: str) -> str:
    """Write a note into our own database.

    Args:
        place: where
    """
    await tell(ctx, "note.before", place)
    await ctx.data.execute(NOTE, ctx.call.account_id, ctx.call.channel_id)
    await tell(ctx, "note.after", place)
    return f"noted {place}"


@tool(effect=Effect.EXTERNAL_KEYED, trust=TrustLevel.READ, timeout=60)
async def send_keyed(ctx: Context, place: str) -> str:
    """Send to somebody who knows keys.

    Args:
        place: where
    """
    await tell(ctx, "keyed.before", place)
    await tell(ctx, "keyed", place)
    await tell(ctx, "keyed.after", place)
    return f"sent {place}"


@tool(effect=Effect.EXTERNAL_ONCE, trust=TrustLevel.READ, timeout=60)
async def send_once(ctx: Context, place: str) -> str:
    """Send to somebody who does not.

    Args:
        place: where
    """
    await tell(ctx, "once.before", place)
    await tell(ctx, "once", place)
    await tell(ctx, "once.after", place)
    return f"sent once {place}"


@tool(effect=Effect.READ, trust=TrustLevel.READ)
async def read_page(ctx: Context, number: int) -> str:
    """Read a page of 5 KB.

    Args:
        number: which
    """
    # digits, so that the database cannot make it small
    return f"Page {number}. " + "".join(sha256(f"{number} {line}".encode()).hexdigest() for line in range(78))


@tool(effect=Effect.WRITE, trust=TrustLevel.READ, timeout=2)
async def note_soon(ctx: Context, place: str) -> str:
    """Write a note into our own database, which may not take long.

    Args:
        place: where
    """
    await ctx.data.execute(NOTE, ctx.call.account_id, ctx.call.channel_id)
    await tell(ctx, "note_soon.after", place)
    return f"noted {place}"

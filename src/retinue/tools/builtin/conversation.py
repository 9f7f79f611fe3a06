"""What was said and who is here: bounded by what the user on whose behalf the agent works may see."""

from typing import Annotated

from pydantic import Field

from retinue.domain.agents import TrustLevel
from retinue.domain.tools import Effect, Hit, Participant
from retinue.store import tool_queries
from retinue.tools.registry import Context, tool


@tool(effect=Effect.READ, trust=TrustLevel.READ)
async def search_messages(
    ctx: Context,
    query: Annotated[str, Field(min_length=1, max_length=500)],
    limit: Annotated[int, Field(ge=1, le=50)] = 10,
) -> list[Hit]:
    """Search what was said in your channels, by words. Use it when you are asked about something said earlier.

    Args:
        query: Words to look for; "quotes" keep words together, -word excludes, or means either.
        limit: How many messages to return at most.
    """
    return await tool_queries.search_messages(ctx.data, ctx.call, query, limit)


@tool(effect=Effect.READ, trust=TrustLevel.READ)
async def list_channel_members(ctx: Context, limit: Annotated[int, Field(ge=1, le=500)] = 100) -> list[Participant]:
    """List the people and agents in this channel. Use it when you need to know who is here or how to mention them.

    Args:
        limit: How many to return at most.
    """
    return await tool_queries.list_channel_members(ctx.data, ctx.call, limit)

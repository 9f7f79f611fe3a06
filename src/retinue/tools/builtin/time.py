"""The time. Reads the database's clock, so that a test can set it."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from retinue import errors
from retinue.domain.agents import TrustLevel
from retinue.domain.base import Value
from retinue.domain.tools import Effect
from retinue.store import tool_queries
from retinue.tools.registry import Context, tool


class Moment(Value):
    """A point in time as people say it."""

    time: str
    """RFC 3339, with the zone's offset."""
    time_zone: str
    weekday: str


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@tool(effect=Effect.READ, trust=TrustLevel.READ)
async def current_time(ctx: Context, time_zone: Annotated[str, Field(max_length=64)] = "UTC") -> Moment:
    """Tell the current date, time and weekday. Use it whenever the answer depends on what day or time it is.

    Args:
        time_zone: IANA name of the time zone, such as Europe/Berlin or America/New_York.
    """
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise errors.ToolError(
            f"There is no time zone {time_zone!r}. Use an IANA name such as Europe/Berlin.", code="unknown_time_zone"
        ) from error
    local = (await tool_queries.now(ctx.data)).astimezone(zone)
    return Moment(time=local.isoformat(timespec="seconds"), time_zone=time_zone, weekday=WEEKDAYS[local.weekday()])

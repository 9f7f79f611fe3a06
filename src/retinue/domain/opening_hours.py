"""Whether one window of time is open when another is closed: exactly, through every change of the clocks of a year."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from retinue.domain.rules import TimeRule

FIRST_DAY = date(2024, 1, 1)
"""A Monday. The rules of summer time move by days from year to year; the hours of windows do not."""
DAYS = 366


def only_open(rule: TimeRule, above: TimeRule) -> datetime | None:
    """The first time of a year, in UTC, at which ``rule`` is open and ``above`` is closed; None when there is none.

    Whether they are open can change only at the moments looked at, so none is missed.
    """
    if rule.time_zone == above.time_zone:
        moments = set(_moments(rule, 8)) | set(_moments(above, 8))  # one week is like another on one clock
    else:
        moments = set(_moments(rule, DAYS)) | set(_moments(above, DAYS))
    return next((at for at in sorted(moments) if rule.is_open(at) and not above.is_open(at)), None)


def _moments(rule: TimeRule, days: int) -> Iterator[datetime]:
    """When this window may open or close: at its hours and at midnight, and when the clocks change."""
    zone = ZoneInfo(rule.time_zone)
    hours = {time(0), rule.start, rule.end}
    before = None
    for number in range(days + 1):
        day = FIRST_DAY + timedelta(days=number)
        for hour in hours:
            for fold in (0, 1):
                yield datetime.combine(day, hour, tzinfo=zone).replace(fold=fold).astimezone(UTC)
        midnight = datetime.combine(day, time(0), tzinfo=UTC)
        offset = midnight.astimezone(zone).utcoffset()
        if before is not None and before != offset:
            yield _change(zone, midnight - timedelta(days=1), midnight)
        before = offset


def _change(zone: ZoneInfo, start: datetime, end: datetime) -> datetime:
    """The second at which the offset changes between two times."""
    first = start.astimezone(zone).utcoffset()
    while end - start > timedelta(seconds=1):
        middle = start + timedelta(seconds=(end - start) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == first:
            start = middle
        else:
            end = middle
    return end

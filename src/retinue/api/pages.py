"""Lists by cursor: ``{"data": [...], "next": cursor | null}``, ``?limit=`` (1 to 200, else 50) and ``?after=``.

A cursor is the sort key of the last row seen, in base64: opaque to clients, not signed, since it only says where to go
on and every query filters by account anyway. A store function is asked for ``page.fetch`` rows, one more than shown.

    rows = await users.list_users(tx, caller.account_id, after=page.after_id(), limit=page.fetch)
    return pages.make(rows, page, lambda user: [user.id])
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, cast
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict

from retinue import errors

T = TypeVar("T")
MAX = 200
BIGGEST = 2**63 - 1


class Page(BaseModel, Generic[T]):
    """Some of a list. ``next`` goes into ``?after=`` to get more; null at the end."""

    model_config = ConfigDict(frozen=True)

    data: list[T]
    next: str | None = None


@dataclass(frozen=True)
class PageRequest:
    """What of a list is asked for. ``after`` is the decoded cursor, empty at the start."""

    limit: int = 50
    after: tuple[Any, ...] = ()

    @property
    def fetch(self) -> int:
        """How many rows to ask the store for."""
        return self.limit + 1

    def after_id(self) -> UUID | None:
        """The cursor of a list sorted by id. Raises ``BadInput`` when it is none."""
        values = self._values(1)
        if not values:
            return None
        try:
            return UUID(values[0])
        except (ValueError, AttributeError, TypeError) as error:
            raise _bad() from error

    def after_int(self) -> int | None:
        """The cursor of a list sorted by a number. Raises ``BadInput`` when it is none."""
        values = self._values(1)
        if not values:
            return None
        value = values[0]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= BIGGEST:
            raise _bad()
        return value

    def after_text(self) -> str | None:
        """The cursor of a list sorted by a text. Raises ``BadInput`` when it is none."""
        values = self._values(1)
        if not values:
            return None
        if not isinstance(values[0], str) or "\x00" in values[0]:
            raise _bad()
        return values[0]

    def after_number_and_id(self) -> tuple[float, UUID] | None:
        """The cursor of a list sorted by a number and then by id. Raises ``BadInput`` when it is none."""
        values = self._values(2)
        if not values:
            return None
        value, last = values
        number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= BIGGEST
        if not number or not isinstance(last, str):
            raise _bad()
        try:
            return value, UUID(last)
        except ValueError as error:
            raise _bad() from error

    def _values(self, count: int) -> tuple[Any, ...]:
        if self.after and len(self.after) != count:
            raise _bad()
        return self.after


async def paging(
    limit: Annotated[int, Query(ge=1, le=MAX, description="How many at most.")] = 50,
    after: Annotated[str | None, Query(max_length=400, description="The `next` of the page before.")] = None,
) -> PageRequest:
    """The dependency that reads ``?limit=`` and ``?after=``."""
    return PageRequest(limit=limit, after=decode(after) if after else ())


Paging = Annotated[PageRequest, Depends(paging)]


def make(rows: Sequence[T], page: PageRequest, key: Callable[[T], Sequence[Any]]) -> Page[T]:
    """The page to answer with. ``rows`` may hold one more than asked for; ``key`` gives a row's sort values."""
    shown = list(rows[: page.limit])
    more = len(rows) > page.limit
    return Page(data=shown, next=encode(key(shown[-1])) if more else None)


def encode(values: Sequence[Any]) -> str:
    """The cursor that stands for these sort values."""
    plain = [str(value) if isinstance(value, UUID) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(cursor: str) -> tuple[Any, ...]:
    """The sort values of a cursor. Raises ``BadInput`` when it is not one of ours."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values: object = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _bad() from error
    if not isinstance(values, list) or not values:
        raise _bad()
    return tuple(cast("list[Any]", values))


def _bad() -> errors.BadInput:
    reason = "is not a cursor of this list"
    return errors.BadInput(
        "Leave out ?after= or send the `next` of the page before.", errors=[{"path": "query.after", "reason": reason}]
    )

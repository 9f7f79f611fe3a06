"""What rules over an agent, read as of one revision of the account (``policy_book_v1``)."""

from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import policy
from retinue.domain.policy import Book

BOOK = "select policy_book_v1($1, $2, $3, $4)"


async def book(tx: Tx, account_id: UUID, agent_id: UUID, user_id: UUID | None, team_id: UUID | None) -> Book:
    """The book over one agent that works for this person in a channel of this team. Raises NotFound."""
    row = await tx.fetchval(BOOK, account_id, agent_id, user_id, team_id)
    if row is None:
        raise errors.NotFound("There is no such account.")
    return policy.book(row)

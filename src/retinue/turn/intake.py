"""One way in: whatever arrives becomes an event, a message, interactions and queue entries, in one transaction."""

from collections.abc import Sequence
from uuid import UUID

from retinue.db.pool import Database
from retinue.domain import mentions
from retinue.domain.events import Event
from retinue.domain.ids import FileId
from retinue.domain.messages import Received, ReceivedInteraction
from retinue.store import files, turns
from retinue.store.turns import ThreadPrompt


async def receive(db: Database, event: Event, file_ids: Sequence[FileId] = ()) -> Received:
    """Take an event in, and these uploaded files with it. A redelivery finds what the first one made (``duplicate``).

    Raises NotFound (no such channel or file, or not this person's), WrongState (archived), ThreadBusy (policy
    ``reject``).
    """
    if not event.mentions:
        event = event.model_copy(update={"mentions": mentions.slugs(event.content)})
    if file_ids:
        return await files.receive(db, event, file_ids)
    return await turns.receive(db, event)


async def receive_prompt(db: Database, account_id: UUID, thread_id: UUID, prompt: ThreadPrompt) -> ReceivedInteraction:
    """Start a turn in a thread without a channel; replay safe by ``prompt_message_id`` (THR-21)."""
    return await turns.receive_prompt(db, account_id, thread_id, prompt)

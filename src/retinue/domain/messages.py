"""The two message stores (AGT-23): what people see in a channel, and what an agent works on in a thread."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, computed_field, model_validator

from retinue.domain.base import Value
from retinue.domain.files import File
from retinue.domain.ids import AgentId, ChannelId, EventId, InteractionId, MessageId, ThreadId, UserId, WaitId
from retinue.domain.models import FilePart, ImagePart, MessageRole, Part
from retinue.domain.texts import Line, Object, Text, storable

MAX_CONTENT_BYTES = 256 * 1024
"""UTF-8 bytes of a message's text."""


class Delivery(StrEnum):
    """CHN-09..13: how a reply interrupts."""

    INLINE = "inline"
    THREADED = "threaded"
    DIRECT = "direct"
    SILENT = "silent"


AuthorKind = Literal["user", "agent", "system", "external"]
MessageStatus = Literal["sent", "pending_approval", "rejected", "deleted"]


class Reaction(Value):
    """One emoji on a message, and who put it there."""

    emoji: str
    count: int
    mine: bool
    """Whether the reader is one of them."""
    user_ids: tuple[UserId, ...]
    """The first 50, in order of time."""


class Message(Value):
    """A message in a channel. ``seq`` is its place in the channel, given by the database."""

    id: MessageId
    channel_id: ChannelId
    seq: int
    author_kind: AuthorKind
    user_id: UserId | None = None
    agent_id: AgentId | None = None
    content: str
    parts: tuple[Part, ...] = ()
    reply_to: MessageId | None = None
    delivery: Delivery = Delivery.INLINE
    recipient_id: UserId | None = None
    """Set for direct messages: only this user and the author see it (CHN-11)."""
    interaction_id: InteractionId | None = None
    status: MessageStatus = "sent"
    metadata: dict[str, Any] = Field(default_factory=dict)
    """THR-09: provider, providerMetadata, status, review, agentName."""
    created_at: datetime
    edited_at: datetime | None = None
    """When its author last changed it; null: never."""
    reactions: tuple[Reaction, ...] = ()
    reply_count: int = 0
    """Replies in its thread that the reader may see."""
    last_reply_at: datetime | None = None

    @computed_field
    @property
    def files(self) -> tuple[File, ...]:
        """The files in it, in the order they were given."""
        return tuple(File.of(part.file) for part in self.parts if isinstance(part, FilePart))


class MessageFilter(Value):
    """Which messages of a channel are asked for, and in which direction."""

    newest_first: bool = True
    after_seq: int | None = None
    """Go on behind this place, in the direction of the list."""
    above: int | None = None
    """Only places after this one."""
    below: int | None = None
    """Only places before this one."""
    reply_to: MessageId | None = None
    """Only the replies to this message (CHN-10)."""
    top_level: bool = False
    """Only what is no reply."""
    drafts: bool = False
    """Also what waits for approval or was rejected (THR-25); for admins and the channel's owners."""


class MessageChange(Value):
    """A new text for one's own message."""

    content: Annotated[str, Field(max_length=MAX_CONTENT_BYTES), AfterValidator(storable)]
    """Empty only where the message has files or images."""


class MessageEdit(Value):
    """What a message said before one of its edits."""

    number: int
    content: str
    edited_by: UserId
    at: datetime


UNDO_MINUTES = 10
"""How long a deleted message can be brought back by whoever deleted it; after that its content is gone."""
MAX_EMOJI = 20
"""Different emoji on one message."""


class ThreadMessage(Value):
    """A message of an agent's thread: its execution context. ``seq`` is its place in the thread."""

    id: MessageId | None = None
    """What a prompt refers to (``prompt_message_id``); known where messages are read as a list."""
    thread_id: ThreadId
    seq: int
    role: MessageRole
    author: str | None = None
    parts: tuple[Part, ...]
    interaction_id: InteractionId | None = None
    step_seq: int | None = None
    message_id: MessageId | None = None
    """The channel message it bridges, if any (THR-20)."""
    metadata: dict[str, Any] = Field(default_factory=dict)
    created_at: datetime | None = None


class Thread(Value):
    """One agent's execution context (THR-01..04)."""

    id: ThreadId
    agent_id: AgentId
    channel_id: ChannelId | None = None
    owner: str
    """``system:{agent}:{channel}`` for a channel's thread (CON-74), else the user's id (THR-03)."""
    title: str | None = None
    summary: str | None = None
    created_at: datetime
    last_active_at: datetime


class NewThread(Value):
    """A thread to make (THR-02): the user's own or, with a ``context``, the system's (THR-03)."""

    agent_id: AgentId
    title: Line | None = None
    summary: Text | None = None
    context: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x20\x7f]{1,200}$")] | None = None
    """For admins: what the thread is about; its owner is then ``system:{agent}:{context}``."""


class NewThreadMessage(Value):
    """A message to save without generating anything (THR-07)."""

    role: Literal["user", "assistant", "system"] = "user"
    content: Annotated[str, Field(min_length=1, max_length=MAX_CONTENT_BYTES), AfterValidator(storable)]
    author: Line | None = None
    metadata: Object = Field(default_factory=dict)
    """THR-09: provider, providerMetadata, status, review, agentName."""


class ThreadFilter(Value):
    """Which threads are asked for; empty fields ask for all."""

    agent_id: AgentId | None = None
    channel_id: ChannelId | None = None


class ThreadMessageFilter(Value):
    """Which messages of a thread are asked for, and in which direction."""

    newest_first: bool = False
    after_seq: int | None = None
    """Go on behind this place, in the direction of the list."""
    drafts: bool = False
    """Also what waits for approval or was rejected (THR-25)."""


class ThreadQuery(Value):
    """A text search with neighbours (THR-11)."""

    text: str
    limit: int = Field(default=5, ge=1, le=201)
    before: int = Field(default=1, ge=0, le=10)
    after: int = Field(default=1, ge=0, le=10)


class ReceivedInteraction(Value):
    """What a message started, in the answer to its POST."""

    id: InteractionId
    agent_id: AgentId
    state: str
    coalesced: bool = False
    """True when a turn that was already under way takes the message in."""


class Received(Value):
    """What intake did with an event."""

    event_id: EventId | None = None
    message: Message
    interactions: tuple[ReceivedInteraction, ...]
    duplicate: bool = False


class Generate(Value):
    """What to generate in a thread (THR-05, THR-06): from a fresh prompt, or from a message saved before."""

    prompt: Annotated[str, Field(min_length=1, max_length=MAX_CONTENT_BYTES), AfterValidator(storable)] | None = None
    prompt_message_id: MessageId | None = None
    """A message of this thread; makes the call replay safe (THR-21)."""
    images: tuple[ImagePart, ...] = ()
    output_schema: Object | None = None
    """A JSON Schema: the answer is then an object that fits it (generateObject)."""
    max_steps: int | None = Field(default=None, ge=1, le=1000)
    """The stop condition (stopWhen); only tightens the agent's own limit."""
    recent_messages: int | None = Field(default=None, ge=1, le=500)
    """contextOptions.recentMessages (THR-10)."""
    text_search: bool | None = None
    search_other_threads: bool | None = None
    search_limit: int | None = Field(default=None, ge=1, le=50)
    max_output_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)

    @model_validator(mode="after")
    def _has_a_prompt(self) -> Self:
        if self.prompt is None and self.prompt_message_id is None:
            raise ValueError("send a prompt or a prompt_message_id")
        return self

    def options(self) -> dict[str, Any]:
        """What the turn keeps of it."""
        return self.model_dump(exclude={"prompt", "prompt_message_id", "images"}, exclude_none=True)


class Generated(Value):
    """What a generation came to. ``text`` and ``structured`` are there once ``state`` is ``succeeded``."""

    interaction_id: InteractionId
    state: str
    text: str = ""
    structured: Any = None
    error: str | None = None
    error_detail: str | None = None
    waits: tuple[WaitId, ...] = ()

    @classmethod
    def started(cls, what: ReceivedInteraction) -> "Generated":
        """A turn that has only begun."""
        return cls(interaction_id=what.id, state=what.state)


# ── search ───────────────────────────────────────────────────────────────────────────────────────────────────────

HIT_START, HIT_END = "\ue000", "\ue001"
"""Mark what matched inside a headline; characters for private use, taken out of the text before."""


class Segment(Value):
    """A piece of a snippet; ``match`` when it is what was searched for. Plain text, nothing in it is markup."""

    text: str
    match: bool = False


class MessageHit(Value):
    """A channel message that was found, with its neighbours in order."""

    message: Message
    channel_name: str
    rank: float
    snippet: tuple[Segment, ...]
    before: tuple[Message, ...] = ()
    after: tuple[Message, ...] = ()


class ThreadHit(Value):
    """A thread message that was found, with its neighbours in order (THR-11, THR-24)."""

    message: ThreadMessage
    rank: float
    snippet: tuple[Segment, ...]
    before: tuple[ThreadMessage, ...] = ()
    after: tuple[ThreadMessage, ...] = ()


def segments(headline: str) -> tuple[Segment, ...]:
    """The pieces of a headline that marks its matches with ``HIT_START`` and ``HIT_END``."""
    found: list[Segment] = []
    for index, piece in enumerate(headline.split(HIT_START)):
        match, mark, rest = piece.partition(HIT_END) if index else ("", "", piece)
        if mark and match:
            found.append(Segment(text=match, match=True))
        elif index and not mark:
            rest = match
        if rest:
            found.append(Segment(text=rest))
    return tuple(found)


Place = tuple[UUID, int]
"""A container (channel or thread) and a place in it."""


def neighbours(hits: Sequence[Place], around: Mapping[Place, Sequence[Place]]) -> list[tuple[Place, ...]]:
    """Which neighbours to show with each hit, so that nothing is shown twice (THR-11).

    ``around`` gives the neighbours of each hit in order. A hit is never a neighbour of another, and a neighbour that
    two hits share stays with the first.
    """
    seen = set(hits)
    shown: list[tuple[Place, ...]] = []
    for hit in hits:
        fresh = tuple(place for place in around.get(hit, ()) if place not in seen)
        seen.update(fresh)
        shown.append(fresh)
    return shown

"""What people see when they look into a turn: a step with what it really read and gave, the prompt made again, the
configuration it ran on beside the one of today."""

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from retinue.domain.agents import AgentConfig, Difference, NewAgent, TriggerMode
from retinue.domain.base import Value
from retinue.domain.ids import AgentId, ChannelId, InteractionId, ThreadId
from retinue.domain.messages import Message
from retinue.domain.models import ModelRequest, PromptMessage
from retinue.domain.money import Money
from retinue.domain.texts import Line, storable
from retinue.domain.turns import InteractionView, StepState, StepView
from retinue.domain.waits import Wait


class RebuiltPrompt(Value):
    """The request of one think step, made again from the journal: prompts are not kept (architecture, idea 9)."""

    interaction_id: InteractionId
    step_seq: int
    config_hash: str
    exact: bool
    """Whether this is, word for word, what the model was sent. If not, ``notes`` say why."""
    notes: tuple[str, ...] = ()
    request: ModelRequest


class StepCall(Value):
    """A call that a think step asked for: the act step it became."""

    seq: int
    tool: str
    arguments: dict[str, Any]
    state: StepState


class StepInput(Value):
    """What a step worked on; which fields are set depends on its kind."""

    config_hash: str | None = None
    model: str | None = None
    messages: tuple[PromptMessage, ...] | None = None
    """Think: what the model was shown."""
    tools: tuple[str, ...] | None = None
    exact: bool | None = None
    notes: tuple[str, ...] = ()
    asked_by: int | None = None
    """Act: the think step that asked for the call."""
    tool_name: str | None = None
    tool_description: str | None = None
    arguments: dict[str, Any] | None = None
    malformed: str | None = None
    """Act: what the model sent in place of a JSON object."""


class StepOutput(Value):
    """What a step gave; which fields are set depends on its kind."""

    text: str | None = None
    thinking: str | None = None
    calls: tuple[StepCall, ...] | None = None
    finish: str | None = None
    provider: str | None = None
    result: Any = None
    """Act: what the call gave, an error too."""
    message: Message | None = None
    """Respond: the message in the channel."""
    structured: Any = None
    delivery: str | None = None
    reason: str | None = None
    """Respond: the limit that ended the turn."""
    waits: tuple[Wait, ...] = ()


class StepDetail(Value):
    """A step with its inputs and outputs resolved from the journal."""

    step: StepView
    input_resolved: StepInput
    output_resolved: StepOutput | None
    """Null while it has not ended."""


class TurnConfig(Value):
    """The configuration a turn ran on, and what has changed since."""

    hash: str | None
    """Null: the turn has not begun."""
    snapshot: AgentConfig | None
    current_hash: str | None
    current: AgentConfig | None
    """Null: the agent is gone."""
    changes: tuple[Difference, ...]


# ── an agent's activity ──────────────────────────────────────────────────────────────────────────────────────────


class ActiveChannel(Value):
    """A channel the agent is in, of those the reader may enter."""

    channel_id: ChannelId
    name: str
    trigger_mode: TriggerMode


class AgentDay(Value):
    """One day of an agent's turns, in the reader's time zone. Days without turns are there, too."""

    day: date
    turns: int
    failed: int
    cost: Money
    input_tokens: int
    output_tokens: int


class AgentActivity(Value):
    """Where an agent is active, what it did last, and what its days cost."""

    channels: tuple[ActiveChannel, ...]
    recent: tuple[InteractionView, ...]
    days: tuple[AgentDay, ...]
    time_zone: str


# ── trying a draft ───────────────────────────────────────────────────────────────────────────────────────────────


class Trial(Value):
    """A draft of an agent, and what to say to it. Nothing of the draft is saved as an agent."""

    agent: NewAgent
    content: Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(storable)]
    agent_id: AgentId | None = None
    """The agent that is being edited, so that its page can tell what differs."""
    thread_id: ThreadId | None = None
    """The thread of the trial before, to go on with; empty starts a new one."""


class StartedTrial(Value):
    """The turn that tries the draft; it streams like any other."""

    interaction_id: InteractionId
    thread_id: ThreadId


class ModelTest(Value):
    """Which model to ask; empty: the account's default."""

    model: Line | None = None


class ModelTestError(Value):
    code: str
    detail: str


class ModelTestResult(Value):
    """What one small real request gave."""

    ok: bool
    model: str
    provider: str
    latency_ms: int
    reply: str | None = None
    error: ModelTestError | None = Field(default=None)
    """In the provider's own words, without any key."""

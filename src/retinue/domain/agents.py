"""Agents: configured rows that never hold conversation state (AGT-01..05)."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, cast

from pydantic import MISSING, Field, StringConstraints

from retinue.domain.base import Value
from retinue.domain.ids import AccountId, AgentId
from retinue.domain.texts import Colour, Line, LongText, Object, Slug, Text, Word

DEFAULT_MODEL = "anthropic/claude-sonnet-4-5-20250929"
"""LLM-06, CON-57: the shipped default; an account may name another."""


class TrustLevel(StrEnum):
    """TOOL-09: what class of tool an agent may invoke."""

    READ = "read"
    STANDARD = "standard"
    ELEVATED = "elevated"
    ADMIN = "admin"


TRUST_RANK = {TrustLevel.READ: 0, TrustLevel.STANDARD: 1, TrustLevel.ELEVATED: 2, TrustLevel.ADMIN: 3}


class TriggerMode(StrEnum):
    """TRG-02, by looseness: proactive > mention > silent (CON-42)."""

    SILENT = "silent"
    MENTION = "mention"
    PROACTIVE = "proactive"


TRIGGER_RANK = {TriggerMode.SILENT: 0, TriggerMode.MENTION: 1, TriggerMode.PROACTIVE: 2}


def strictest(*modes: TriggerMode) -> TriggerMode:
    """TRG-20: the strictest of organisation, team, user and membership setting."""
    return min(modes, key=TRIGGER_RANK.__getitem__)


class CapabilityLevel(StrEnum):
    """AGT-20."""

    TOOLS_ONLY = "tools_only"
    WORKFLOW = "workflow"
    EXPERIMENTAL = "experimental"
    LEARNING = "learning"


class AgentStatus(StrEnum):
    """CON-40: operational status, apart from the deployment state."""

    ENABLED = "enabled"
    PAUSED = "paused"
    DEACTIVATED = "deactivated"


class DeploymentState(StrEnum):
    """LIFE-04, in the order of promotion. People other than admins see and ask an active agent only."""

    IN_DEVELOPMENT = "in_development"
    TESTING = "testing"
    AVAILABLE = "available"
    """Admins may activate it."""
    ACTIVE = "active"


PROMOTION = tuple(DeploymentState)


def skipped(
    before: DeploymentState, after: DeploymentState, *, built_in: bool, external: bool
) -> DeploymentState | None:
    """The state that must come first where a promotion would skip one (LIFE-06); None where nothing is skipped.

    Taking an agent back skips nothing. A built-in one was tested by those who ship it; approving an external one makes
    it available at once (LIFE-05, LIFE-18).
    """
    here, there = PROMOTION.index(before), PROMOTION.index(after)
    if there <= here + 1 or built_in or (external and after is DeploymentState.AVAILABLE):
        return None
    return PROMOTION[here + 1]


class Limits(Value):
    """What one interaction of the agent may use. Reaching one still ends in a respond step (AGT-22)."""

    max_steps: int = Field(default=10, ge=1, le=1000)
    """Think steps in one interaction (AGT-21)."""
    max_seconds: int = Field(default=600, ge=1, le=86_400)
    """Wall-clock time of the running parts; time spent waiting for people does not count."""
    max_tokens: int | None = Field(default=None, ge=1)
    max_cost_micro: int | None = Field(default=None, ge=0)
    max_calls_per_tool: int | None = Field(default=None, ge=1)
    """How often one tool may be called in one interaction."""


class ContextOptions(Value):
    """THR-10..12: what of its threads an agent sees."""

    recent_messages: int = Field(default=30, ge=1, le=500)
    text_search: bool = False
    search_limit: int = Field(default=5, ge=1, le=50)
    before: int = Field(default=1, ge=0, le=10)
    after: int = Field(default=1, ge=0, le=10)
    search_other_threads: bool = False


class AgentTool(Value):
    """TOOL-11: one tool an agent has. ``tool`` is a canonical slug."""

    tool: str
    enabled: bool = True
    config: dict[str, Any] = Field(default_factory=dict)


class Agent(Value):
    """One agent row (AGT-02..04, SCH-03)."""

    id: AgentId
    account_id: AccountId
    slug: str
    name: str
    description: str = ""
    accent_colour: str = "#5b6b7b"
    avatar: str | None = None
    execution: Literal["platform", "external"] = "platform"
    system_prompt: str = ""
    endpoint: str | None = None
    model: str | None = None
    """A model id such as ``anthropic/claude-sonnet-4-6``; empty means the account default (LLM-07)."""
    trust_level: TrustLevel = TrustLevel.STANDARD
    default_trigger_mode: TriggerMode = TriggerMode.MENTION
    capability_level: CapabilityLevel = CapabilityLevel.TOOLS_ONLY
    deployment_state: DeploymentState = DeploymentState.ACTIVE
    status: AgentStatus = AgentStatus.ENABLED
    limits: Limits = Limits()
    context: ContextOptions = ContextOptions()
    delegation_set: tuple[str, ...] = ()
    max_delegation_depth: int = Field(default=3, ge=0, le=10)
    catalog_slug: str | None = None
    origin: Literal["built_in", "custom", "installed"] = "custom"
    config_hash: str
    created_at: datetime
    updated_at: datetime


class AgentOverview(Value):
    """What the list of agents says beside each name."""

    agent_id: AgentId
    channels: int
    """How many of your channels it is in."""
    last_turn_at: datetime | None
    working: bool
    """Whether a turn of it runs now."""


class AgentConfig(Value):
    """The immutable snapshot a turn runs on (AGT-19, LIFE-11); its hash is ``interaction.config_hash``."""

    id: AgentId
    slug: str
    name: str
    execution: Literal["platform", "external"]
    system_prompt: str
    endpoint: str | None
    model: str | None
    trust_level: TrustLevel
    capability_level: CapabilityLevel
    limits: Limits
    context: ContextOptions
    delegation_set: tuple[str, ...]
    max_delegation_depth: int
    tools: tuple[AgentTool, ...]


# ── what people send ─────────────────────────────────────────────────────────────────────────────────────────────

ModelId = Annotated[str, StringConstraints(pattern=r"^\S{1,200}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/$.?#][^\s]*$", max_length=2000)]
Avatar = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,500}$")]
"""An emoji, initials or the address of an image."""
ToolName = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]


class ToolChoice(Value):
    """One tool to give an agent, by any spelling of its name (CON-48)."""

    tool: ToolName
    enabled: bool = True
    config: Object = Field(default_factory=dict)


class ToolChoices(Value):
    """All the tools an agent is to have."""

    tools: tuple[ToolChoice, ...] = Field(max_length=200)


class Install(Value):
    """What to install from the catalogue. ``agent_slug`` is for a second agent of the same entry."""

    slug: Slug
    agent_slug: Slug | None = None


class NewAgent(Value):
    """An agent to make. Without a slug it gets one from its name."""

    name: Line
    slug: Slug | None = None
    description: Text = ""
    accent_colour: Colour = "#5b6b7b"
    avatar: Avatar | None = None
    execution: Literal["platform", "external"] = "platform"
    system_prompt: LongText = ""
    endpoint: Url | None = None
    model: ModelId | None = None
    trust_level: TrustLevel = TrustLevel.STANDARD
    default_trigger_mode: TriggerMode = TriggerMode.MENTION
    capability_level: CapabilityLevel = CapabilityLevel.TOOLS_ONLY
    deployment_state: DeploymentState | None = None
    """Empty: active at once; an external agent always starts in development (LIFE-05)."""
    limits: Limits = Limits()
    context: ContextOptions = ContextOptions()
    delegation_set: tuple[Slug, ...] = Field(default=(), max_length=100)
    max_delegation_depth: int = Field(default=3, ge=0, le=10)
    tools: tuple[ToolChoice, ...] = Field(default=(), max_length=200)


class AgentChange(Value):
    """What to change; fields left out stay as they are. An edit affects the next turn only (LIFE-10)."""

    name: Line | MISSING = MISSING
    slug: Slug | MISSING = MISSING
    description: Text | MISSING = MISSING
    accent_colour: Colour | MISSING = MISSING
    avatar: Avatar | MISSING | None = MISSING
    execution: Literal["platform", "external"] | MISSING = MISSING
    system_prompt: LongText | MISSING = MISSING
    endpoint: Url | MISSING | None = MISSING
    model: ModelId | MISSING | None = MISSING
    trust_level: TrustLevel | MISSING = MISSING
    default_trigger_mode: TriggerMode | MISSING = MISSING
    capability_level: CapabilityLevel | MISSING = MISSING
    deployment_state: DeploymentState | MISSING = MISSING
    status: AgentStatus | MISSING = MISSING
    limits: Limits | MISSING = MISSING
    context: ContextOptions | MISSING = MISSING
    delegation_set: Annotated[tuple[Slug, ...], Field(max_length=100)] | MISSING = MISSING
    max_delegation_depth: Annotated[int, Field(ge=0, le=10)] | MISSING = MISSING


class AgentFilter(Value):
    """Which agents are asked for; empty fields ask for all."""

    status: AgentStatus | None = None
    deployment_state: DeploymentState | None = None
    slug: Word | None = None


class CatalogEntry(Value):
    """A template that agents are installed from; never a running agent (CAT-05..07)."""

    slug: Slug
    name: Line
    category: str
    default_system_prompt: str
    default_model: str | None = None
    default_trust_level: TrustLevel = TrustLevel.STANDARD
    default_trigger_mode: TriggerMode = TriggerMode.MENTION
    default_tool_ids: tuple[str, ...] = ()
    tier: int = 1
    version: str = "1"
    manifest: Object = Field(default_factory=dict)
    """The whole manifest. ``default: true`` installs the entry in every new account (CON-38)."""


# ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────


class Snapshot(Value):
    """A configuration that an agent has had (LIFE-11, AUD-08)."""

    hash: str
    agent_id: AgentId
    config: AgentConfig
    created_at: datetime


class Difference(Value):
    """One field that differs between two snapshots. ``path`` is dotted: ``limits.max_steps``, ``tools.web_search``."""

    path: str
    before: Any = None
    after: Any = None


def differences(before: AgentConfig, after: AgentConfig) -> tuple[Difference, ...]:
    """What changed between two configurations, by path."""
    old, new = _flat(before), _flat(after)
    paths = sorted(old.keys() | new.keys())
    return tuple(
        Difference(path=path, before=old.get(path), after=new.get(path))
        for path in paths
        if old.get(path) != new.get(path)
    )


def _flat(config: AgentConfig) -> dict[str, Any]:
    body = config.model_dump(mode="json")
    tools = cast("list[dict[str, Any]]", body.pop("tools"))
    out = {f"tools.{entry.pop('tool')}": entry for entry in tools}
    for key, value in body.items():
        if isinstance(value, dict):
            out |= {f"{key}.{name}": inner for name, inner in cast("dict[str, Any]", value).items()}
        else:
            out[key] = value
    return out

"""How agents are registered and what their roles are, as people read and write it (REG-02..04). Decides nothing:
``roles`` says what a role allows, ``policy`` that an agent without a registration does not work.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import MISSING, Field, StringConstraints

from retinue.domain.agents import TrustLevel
from retinue.domain.base import Value
from retinue.domain.ids import AgentId, RoleId
from retinue.domain.roles import (
    AuthorityBounds,
    AutonomyScore,
    AutonomyTier,
    EscalationRule,
    RegistryTier,
    RoleScope,
    WorkerRole,
)
from retinue.domain.texts import Line, Text

Skill = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$")]
Capability = Literal["streaming", "file_io", "cost_tracking"]


class NewRegistration(Value):
    """REG-02, REG-03: how an agent is to be registered."""

    registry_tier: RegistryTier
    autonomy_score: AutonomyScore
    skills: tuple[Skill, ...] = Field(default=(), max_length=100)
    capabilities: tuple[Capability, ...] = Field(default=(), max_length=3)
    role_id: RoleId | None = None
    """The worker role that bounds the agent; empty: none does."""


class AgentRegistration(NewRegistration):
    """How an agent is registered."""

    agent_id: AgentId
    role_name: str | None = None
    score_trust_level: TrustLevel
    """The trust level that goes with the score. What decides about tools is the agent's own (CON-07)."""
    trust_level: TrustLevel
    updated_at: datetime


class RoleView(WorkerRole):
    """A worker role, and whom it bounds."""

    agents: tuple[AgentId, ...] = ()
    created_at: datetime
    updated_at: datetime


class WorkerRoleChange(Value):
    """What to change; fields left out stay as they are, a field that is named is replaced as a whole."""

    name: Line | MISSING = MISSING
    description: Text | MISSING = MISSING
    autonomy_tier: AutonomyTier | MISSING = MISSING
    scope: RoleScope | MISSING = MISSING
    authority_bounds: AuthorityBounds | MISSING = MISSING
    escalation_rules: Annotated[tuple[EscalationRule, ...], Field(max_length=50)] | MISSING = MISSING

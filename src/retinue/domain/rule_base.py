"""What all rules of policy share: the question they are asked, where they apply, how they name tools.

Pure. The types of rules stand in ``rules``, ``rule_content``, ``rule_approval`` and ``rule_limits``.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from retinue.domain import aliases
from retinue.domain.agents import TriggerMode
from retinue.domain.base import Value
from retinue.domain.ids import AgentId, ChannelId, UserId
from retinue.domain.tools import Effect, ToolCall, ToolSpec


class RuleType(StrEnum):
    """GOV-11."""

    TOOL = "tool_restriction"
    CONTENT = "content_restriction"
    MODEL = "model_allow_list"
    EGRESS = "network_egress"
    TIME = "time_window"
    APPROVAL = "approval"
    TRIGGER = "trigger_mode_restriction"
    DEPTH = "delegation_depth"
    COST = "cost_limit"
    RATE = "rate_limit"


class SoFar(Value):
    """What the turn has used up to now, and what this call may add."""

    spent_micro: int = 0
    worst_micro: int | None = 0
    """What the call costs at most; None: nobody knows."""
    seconds: float = 0
    """Wall-clock time of the running parts."""
    running_steps: int = 0
    """Steps that run now, without this one."""


class Question(Value):
    """What a rule may look at: of a call of a model ``model``, of a call of a tool ``spec`` and ``call``."""

    agent_id: AgentId
    user_id: UserId | None = None
    channel_id: ChannelId | None = None
    at: datetime
    spec: ToolSpec | None = None
    call: ToolCall | None = None
    calls_before: int = 0
    """Calls of the same tool earlier in the turn."""
    model: str | None = None
    host: str | None = None
    """Where the call would go to, for a tool with an endpoint."""
    categories: tuple[str, ...] = ()
    """What the tool is about, such as ``external_email`` (GOV-14)."""
    depth: int = 0
    """How many delegations led to the turn that asks; 0: a person or an event did (CON-33)."""
    trigger: TriggerMode | None = None
    """The mode that the turn needed to begin: ``proactive`` when nobody addressed the agent. None: not asked."""
    text: str | None = None
    """Words that would be said: a reply."""
    so_far: SoFar = SoFar()


# ── patterns ─────────────────────────────────────────────────────────────────────────────────────────────────────


def wild(pattern: str, text: str) -> bool:
    """Whether the text is as the pattern, in which ``*`` stands for any letters. In linear time."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    place, end = len(first), len(text) - len(last)
    if end < place or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in middle:
        found = text.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True


def _pattern(text: str) -> str:
    """A tool's name in any spelling, with ``*`` for any letters; ``*`` alone is every tool."""
    if not re.fullmatch(r"[A-Za-z0-9_*-]{1,64}", text):
        raise ValueError("must be a tool's name; * stands for any letters")
    return text


ToolPattern = Annotated[str, AfterValidator(_pattern)]
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def plain(pattern: str) -> str:
    """A pattern with ``*`` as slugs are spelt: ``sendE*`` is ``send_e*``."""
    return _HUMP.sub("_", pattern).lower().replace("-", "_")


def names(pattern: str, slug: str) -> bool:
    """Whether this pattern names this tool, by any of the tool's spellings (CON-48)."""
    known = (slug, aliases.canonical(slug))
    if "*" in pattern:
        return any(wild(plain(pattern), one) for one in known)
    return any(one in aliases.expand(pattern) for one in known)


class Scope(Value):
    """Where a rule applies; an empty field does not narrow."""

    agents: tuple[AgentId, ...] = ()
    channels: tuple[ChannelId, ...] = ()
    tools: tuple[ToolPattern, ...] = ()
    effects: tuple[Effect, ...] = ()

    def covers(self, asked: Question) -> bool:
        """Whether the question is of this scope. What is not known counts as covered."""
        if self.agents and asked.agent_id not in self.agents:
            return False
        if self.channels and asked.channel_id is not None and asked.channel_id not in self.channels:
            return False
        if not self.tools and not self.effects:
            return True
        if asked.spec is None:
            return False
        if self.tools and not any(names(pattern, asked.spec.slug) for pattern in self.tools):
            return False
        return not self.effects or asked.spec.effect in self.effects


def _category(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", text):
        raise ValueError("must be a category such as external_email: small letters, digits and _")
    return text


Category = Annotated[str, AfterValidator(_category)]
"""A word for what tools are about: ``external_email``, ``financial_transaction``."""


def listed(words: tuple[str, ...]) -> str:
    """Words for people: ``a, b``; ``nothing`` when there are none."""
    return ", ".join(words) or "nothing"

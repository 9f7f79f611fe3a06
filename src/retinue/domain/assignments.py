"""Whom an agent is assigned to, and what its tools may not do for them (LIFE-07, SCH-07, DEL-23..28). Pure.

Without a way to an agent nobody but an admin sees it (LIFE-08). Where several ways lead to one agent, the restrictions
of all of them hold; what they come to at a call is ``policy``'s business.
"""

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from retinue.domain import aliases, ids, restrictions
from retinue.domain.agents import ToolName
from retinue.domain.base import Value
from retinue.domain.ids import AgentId, AssignmentId, UserId
from retinue.domain.restrictions import Restriction
from retinue.domain.tools import ToolSpec


class AssignmentScope(StrEnum):
    """LIFE-07: one person, all members of a team, or everyone in the account."""

    USER = "user"
    TEAM = "team"
    ACCOUNT = "account"


PREFIXES = {AssignmentScope.USER: "usr", AssignmentScope.TEAM: "team", AssignmentScope.ACCOUNT: "acc"}
ScopeId = Annotated[str, StringConstraints(pattern=r"^(usr|team|acc)_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
"""The id of a user, a team or the account, as ``scope`` says."""
Restrictions = Annotated[dict[ToolName, Restriction], Field(max_length=200)]
"""By tool, in any spelling of its name (CON-48); a family's name restricts all of the family."""


class Assignment(Value):
    """One way to an agent. ``tool_restrictions`` are by canonical slug."""

    id: AssignmentId
    agent_id: AgentId
    scope: AssignmentScope
    scope_id: ScopeId
    name: str
    """What the person, the team or the account is called."""
    tool_restrictions: dict[str, Restriction]
    absent: tuple[str, ...] = ()
    """The restricted tools that the agent does not have: a restriction gives it none (DEL-27)."""
    created_by: UserId | None
    created_at: datetime
    updated_at: datetime


class NewAssignment(Value):
    """Whom to assign an agent to."""

    scope: AssignmentScope
    scope_id: ScopeId | None = None
    """Empty: the account."""
    tool_restrictions: Restrictions = Field(default_factory=dict)

    def target(self, account_id: UUID) -> UUID | None:
        """The id of whom it is for; None where it does not fit the scope."""
        if self.scope_id is None:
            return account_id if self.scope is AssignmentScope.ACCOUNT else None
        try:
            target = ids.decode(PREFIXES[self.scope], self.scope_id)
        except ValueError:
            return None
        return target if self.scope is not AssignmentScope.ACCOUNT or target == account_id else None


class AssignmentChange(Value):
    """All the restrictions that are to hold from now on."""

    tool_restrictions: Restrictions


def objections(written: Mapping[str, Restriction], specs: Iterable[ToolSpec], held: Set[str]) -> list[dict[str, str]]:
    """What cannot be saved, by the name as written: a name that is no tool's and none that the agent has, and actions
    of a tool without that parameter (CON-50). ``held``: canonical slugs of what the agent has, delegates included."""
    known = {spec.slug: spec for spec in specs}
    found = [
        {"path": name, "reason": f"there is no tool named {slug}"}
        for name in written
        for slug in aliases.expand(name)
        if slug not in known and slug not in held
    ]
    return found + restrictions.objections(written, known.values())


def loosened(before: Mapping[str, Restriction], after: Mapping[str, Restriction]) -> tuple[str, ...]:
    """The tools for which ``after`` lets something through that ``before`` holds back, by canonical slug."""
    old, new = restrictions.resolve(before), restrictions.resolve(after)
    return tuple(sorted(slug for slug, rule in old.items() if _looser(rule, new.get(slug, Restriction()))))


def _looser(before: Restriction, after: Restriction) -> bool:
    return not after.blocked and _plain(restrictions.tighten(before, after)) != _plain(after)


def _plain(rule: Restriction) -> Restriction:
    """The same in one spelling: what is denied of a list of allowed actions is not in it."""
    denied = frozenset(rule.denied_actions)
    if rule.allowed_actions is None:
        return rule.model_copy(update={"denied_actions": tuple(sorted(denied))})
    allowed = tuple(sorted(set(rule.allowed_actions) - denied))
    return rule.model_copy(update={"allowed_actions": allowed, "denied_actions": ()})

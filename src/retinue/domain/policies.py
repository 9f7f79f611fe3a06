"""Policies as people write, keep and read them (GOV-07, GOV-12). What follows from them for a call is ``policy``'s."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self, cast
from uuid import UUID

from pydantic import MISSING, AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from retinue.domain import ceilings
from retinue.domain.accounts import Name
from retinue.domain.agents import Difference
from retinue.domain.base import Value
from retinue.domain.ids import PolicyId, TeamId, UserId
from retinue.domain.rule_base import RuleType
from retinue.domain.rules import Rule
from retinue.domain.texts import storable_json

PolicyLayer = Literal["account", "team", "user"]
Priority = Annotated[int, Field(ge=0, le=1000)]
"""In what order policies are told; who decides does not depend on it (GOV-13)."""
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
MOST = 200
"""Policies in one place: of the account, of one team, of one person."""


class Place(Value):
    """Where a policy stands: over the account, over one team, or over what one person's agents do."""

    layer: PolicyLayer
    team_id: TeamId | None = None
    user_id: UserId | None = None

    @property
    def key(self) -> tuple[str, UUID | None, UUID | None]:
        """What tells it from other places."""
        return self.layer, self.team_id, self.user_id


class Policy(Place):
    """One policy: a rule in a layer, with a name. A personal one is seen by its owner alone."""

    id: PolicyId
    name: str
    type: RuleType
    rule: Rule | None
    """Null when this version of Retinue cannot read it. It then denies every call: write it anew, or remove it."""
    enabled: bool
    priority: int
    version: int
    changed_by: UserId | None
    created_at: datetime
    updated_at: datetime


class Exceeding(Value):
    """A policy of a layer below that promises more than this one gives. Calls are held to the tighter of both."""

    policy_id: PolicyId
    layer: PolicyLayer
    team_id: TeamId | None
    name: str
    detail: str


class Remarks(Value):
    """What whoever writes a policy should know, though it is taken."""

    ceilings: tuple[Exceeding, ...] = ()
    """Policies below that now promise more than is given (GOV-08)."""
    personal_ceilings: int = 0
    """How many other people's own policies do."""
    warnings: tuple[str, ...] = ()


class SavedPolicy(Policy, Remarks):
    """A policy as it was just written, with what its writer should know."""


class PolicyVersion(Value):
    """A state that a policy has had."""

    policy_id: PolicyId
    version: int
    deleted: bool
    """Whether this is its removal; the content is then the last it had."""
    name: str
    type: str
    rule: dict[str, Any]
    enabled: bool
    priority: int
    changed_by: UserId | None
    changed_at: datetime


class PolicyFilter(Value):
    """Which policies are asked for; empty fields ask for all."""

    layer: PolicyLayer | None = None
    team_id: TeamId | None = None
    type: RuleType | None = None
    enabled: bool | None = None


# ── what people send ─────────────────────────────────────────────────────────────────────────────────────────────


def _storable(rule: Rule) -> Rule:
    storable_json(plain(rule))
    return rule


GivenRule = Annotated[Rule, AfterValidator(_storable)]


class NewPolicy(Value):
    """A policy to make. A team's names the team; one of layer ``user`` is the caller's own."""

    name: Name
    layer: PolicyLayer = "account"
    team_id: TeamId | None = None
    rule: GivenRule
    enabled: bool = True
    priority: Priority = 100

    @model_validator(mode="after")
    def _of_one_place(self) -> Self:
        if (self.layer == "team") != (self.team_id is not None):
            raise ValueError("a policy of layer team names its team_id, any other none")
        return self

    def place(self, user_id: UUID) -> Place:
        """Where this person's new policy stands."""
        return Place(layer=self.layer, team_id=self.team_id, user_id=user_id if self.layer == "user" else None)


class PolicyChange(Value):
    """What to change; fields left out stay as they are. The rule is replaced as a whole."""

    name: Name | MISSING = MISSING
    rule: GivenRule | MISSING = MISSING
    enabled: bool | MISSING = MISSING
    priority: Priority | MISSING = MISSING
    version: Version | MISSING = MISSING
    """The version this is a change of; like ``If-Match``, the change is refused when there is a newer one."""


# ── content: what is compared, hashed and kept ───────────────────────────────────────────────────────────────────


class Said(Value):
    """What a policy says, wherever it stands. The rule is as it is stored."""

    name: str
    rule: dict[str, Any]
    enabled: bool
    priority: int

    @property
    def read(self) -> Rule | None:
        """The rule, or None when this version of Retinue cannot read it."""
        return readable(self.rule)

    def digest(self) -> str:
        """SHA-256: what the record of audit names a content by (GOV-24)."""
        canonical = json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


def said(new: NewPolicy) -> Said:
    """What a new policy says."""
    return Said(name=new.name, rule=plain(new.rule), enabled=new.enabled, priority=new.priority)


def changed(before: Said, change: PolicyChange) -> Said:
    """What a policy says after the change."""
    named = {name: getattr(change, name) for name in ("name", "enabled", "priority") if name in change.model_fields_set}
    if "rule" in change.model_fields_set:
        named["rule"] = plain(cast("Rule", change.rule))
    return before.model_copy(update=named)


def plain(rule: Rule) -> dict[str, Any]:
    """The rule as JSON, whole."""
    return cast("dict[str, Any]", RULE.dump_python(rule, mode="json", by_alias=True))


def readable(rule: Any) -> Rule | None:
    """The rule of what is stored, or None when it cannot be read."""
    try:
        return RULE.validate_python(rule)
    except ValidationError:
        return None


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[Difference, ...]:
    """What differs between two contents, by dotted path (``rule.scope.tools``)."""
    old, new = dict(_flat(before or {})), dict(_flat(after or {}))
    paths = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    return tuple(Difference(path=path, before=old.get(path), after=new.get(path)) for path in paths)


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        path = f"{above}{key}"
        if isinstance(inner, dict) and inner:
            yield from _flat(cast("dict[str, Any]", inner), f"{path}.")
        else:
            yield path, inner


# ── ceilings ─────────────────────────────────────────────────────────────────────────────────────────────────────


def met(rule: Rule, above: Iterable[Policy]) -> tuple[Policy, str] | None:
    """The first policy above that gives less than ``rule`` promises, with what that is in words (GOV-08)."""
    for one in above:
        if one.rule is not None and (words := ceilings.meets(rule, one.rule)) is not None:
            return one, words
    return None


def exceeding(rule: Rule, below: Iterable[Policy]) -> tuple[tuple[Policy, str], ...]:
    """The policies below that promise more than ``rule`` gives, with what that is in words."""
    return tuple(
        (one, words) for one in below if one.rule is not None and (words := ceilings.meets(one.rule, rule)) is not None
    )

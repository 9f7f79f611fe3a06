"""Sets of policies as text that can be kept in git: agents, channels and teams by slug, people by e-mail, so that one
file fits several installations. What is there is compared with what is wanted; the difference can be looked at first.

Pure. Only the account's and teams' policies are kept so; what people set for themselves is theirs.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Self, cast
from uuid import UUID

from pydantic import Field, ValidationError, model_validator

from retinue.domain import ids, policies
from retinue.domain.accounts import Name, Slug
from retinue.domain.agents import Difference
from retinue.domain.base import Value
from retinue.domain.ids import PolicyId
from retinue.domain.policies import RULE, Place, Policy, Priority, Remarks, Said
from retinue.domain.rule_base import RuleType
from retinue.domain.rules import Rule
from retinue.domain.texts import Object

MOST = 1000


class PolicyDocument(Value):
    """One policy as it stands in a file. Its name is its key within its layer and team."""

    name: Name
    layer: Literal["account", "team"] = "account"
    team: Slug | None = None
    type: RuleType | None = None
    """May stand here or in the rule."""
    rule: Object
    enabled: bool = True
    priority: Priority = 100

    @model_validator(mode="after")
    def _of_one_place(self) -> Self:
        if (self.layer == "team") != (self.team is not None):
            raise ValueError("a policy of layer team names its team, any other none")
        return self


class PolicySet(Value):
    """What the account's and teams' policies are to be.

    ``prune``: also remove those that no document names, of the places that the documents speak of: the account, or a
    team. ``dry_run``: only say what would change.
    """

    policies: tuple[PolicyDocument, ...] = Field(max_length=MOST)
    prune: bool = False
    dry_run: bool = False


class DocumentChange(Remarks):
    """What becomes of one policy."""

    action: Literal["create", "update", "delete", "unchanged"]
    layer: Literal["account", "team"]
    team: str | None
    name: str
    policy_id: PolicyId | None = None
    """None for one that is only made when it is not a dry run."""
    differences: tuple[Difference, ...] = ()

    def told(self, dry_run: bool) -> Self:
        """As it is said: what a dry run would make has no id yet."""
        return self.model_copy(update={"policy_id": None}) if dry_run and self.action == "create" else self


class AppliedPolicies(Value):
    """The difference between what was there and what is wanted; all of it is done, or, in a dry run, nothing."""

    dry_run: bool
    changes: tuple[DocumentChange, ...]


class PolicyDocuments(Value):
    """The account's and teams' policies as text."""

    policies: tuple[PolicyDocument, ...]


# ── names instead of ids ─────────────────────────────────────────────────────────────────────────────────────────

Noun = Literal["agent", "channel", "user"]
PREFIX: dict[Noun, str] = {"agent": "agt", "channel": "ch", "user": "usr"}
Named = Mapping[tuple[Noun, str], str]
"""What stands for what: a name for an id, or an id for a name."""


class Reference(Value):
    """Something that a rule speaks of."""

    noun: Noun
    text: str
    path: str


def references(rule: Mapping[str, Any]) -> Iterator[Reference]:
    """The agents, channels and people that a rule names, with where."""
    for noun, holder, key, path in _lists(rule):
        for place, text in enumerate(holder[key]):
            if isinstance(text, str):
                yield Reference(noun=noun, text=text, path=f"{path}.{place}")


def renamed(rule: Mapping[str, Any], named: Named) -> dict[str, Any]:
    """The rule with what stands in ``named`` for what it says; anything else unchanged."""
    other = copy.deepcopy(dict(rule))
    for noun, holder, key, _ in _lists(other):
        holder[key] = [named.get((noun, text), text) if isinstance(text, str) else text for text in holder[key]]
    return other


def _lists(rule: Mapping[str, Any]) -> Iterator[tuple[Noun, dict[str, Any], str, str]]:
    """Every list of agents, channels or people in a rule: (what, what holds it, its key, its path)."""
    scope = rule.get("scope")
    if isinstance(scope, dict):
        held = cast("dict[str, Any]", scope)
        for noun, key in (("agent", "agents"), ("channel", "channels")):
            if isinstance(held.get(key), list):
                yield cast("Noun", noun), held, key, f"scope.{key}"
    ask = rule.get("ask")
    panels = cast("dict[str, Any]", ask).get("panels") if isinstance(ask, dict) else None
    for place, panel in enumerate(cast("list[Any]", panels) if isinstance(panels, list) else []):
        if isinstance(panel, dict) and isinstance(cast("dict[str, Any]", panel).get("users"), list):
            yield "user", cast("dict[str, Any]", panel), "users", f"ask.panels.{place}.users"


def as_id(noun: Noun, text: str) -> UUID | None:
    """The id that a text is; None for a name."""
    try:
        return ids.decode(PREFIX[noun], text)
    except ValueError:
        return None


# ── rules as documents say them ──────────────────────────────────────────────────────────────────────────────────


def parsed(document: PolicyDocument, named: Named) -> tuple[Rule | None, list[dict[str, str]]]:
    """The rule of a document, or what is wrong with it, by path within the document."""
    given = renamed(document.rule, named)
    inner = given.setdefault("type", document.type)
    if document.type is not None and inner != document.type:
        return None, [{"path": "type", "reason": "differs from the type in the rule"}]
    try:
        return RULE.validate_python(given), []
    except ValidationError as error:
        return None, [
            {"path": ".".join(str(part) for part in ("rule", *one["loc"])), "reason": _reason(one["msg"])}
            for one in error.errors(include_url=False, include_input=False)
        ]


def _reason(text: str) -> str:
    plain = text.removeprefix("Value error, ")
    return plain[:1].lower() + plain[1:]


def document(policy: Policy, rule: Mapping[str, Any], team: str | None, named: Named) -> PolicyDocument:
    """A policy as a document, without what goes without saying. ``rule``: as it is stored."""
    said = dict(rule) if policy.rule is None else short(policy.rule)
    said.pop("type", None)
    return PolicyDocument(
        name=policy.name, layer=cast("Any", policy.layer), team=team, type=policy.type, rule=renamed(said, named),
        enabled=policy.enabled, priority=policy.priority,
    )  # fmt: skip


def short(rule: Rule) -> dict[str, Any]:
    """The rule as JSON, without fields that are as they come."""
    dumped = cast("dict[str, Any]", RULE.dump_python(rule, mode="json", by_alias=True, exclude_defaults=True))
    for panel in dumped.get("ask", {}).get("panels", []):
        panel.setdefault("role", "admin")  # who decides is said, even where it goes without saying
    return dumped | {"type": rule.type.value}


# ── the difference ───────────────────────────────────────────────────────────────────────────────────────────────


class Wish(Value):
    """A document whose names are resolved."""

    index: int
    """Its place in the set; -1 for none."""
    place: Place
    team: str | None
    said: Said
    rule: Rule


class Present(Value):
    """A policy that is there."""

    id: PolicyId
    place: Place
    team: str | None
    said: Said


class Planned(Value):
    """What is to be done about one policy."""

    action: Literal["create", "update", "delete", "unchanged"]
    wish: Wish | None = None
    present: Present | None = None

    def change(self, remarks: Remarks, policy_id: UUID | None) -> DocumentChange:
        """As people are told."""
        wish, present = self.wish, self.present
        one = wish or present
        assert one is not None
        before = present.said.model_dump() if present else None
        after = wish.said.model_dump() if wish else None
        told = policies.differences(before, after) if self.action == "update" else ()
        return DocumentChange(
            action=self.action, layer=cast("Any", one.place.layer), team=one.team, name=one.said.name,
            policy_id=policy_id or (present.id if present else None), differences=told, **dict(remarks),
        )  # fmt: skip


def plan(present: Iterable[Present], wanted: Iterable[Wish], *, prune: bool) -> list[Planned]:
    """What is to be done, in an order in which it can be: what goes first, then from the highest layer down."""
    wishes = {(one.place.key, one.said.name.lower()): one for one in wanted}
    there = {(one.place.key, one.said.name.lower()): one for one in present}
    places = {place for place, _ in wishes}
    done: list[Planned] = []
    if prune:
        gone = [one for key, one in there.items() if key not in wishes and one.place.key in places]
        done += [Planned(action="delete", present=one) for one in gone]
    for key, wish in sorted(wishes.items(), key=lambda one: (one[1].place.layer, one[1].index)):
        known = there.get(key)
        if known is None:
            done.append(Planned(action="create", wish=wish))
        else:
            action: Literal["unchanged", "update"] = "unchanged" if known.said == wish.said else "update"
            done.append(Planned(action=action, wish=wish, present=known))
    return done


def repeated(wanted: Iterable[Wish]) -> list[dict[str, str]]:
    """The documents that say twice what one policy is to be."""
    seen: set[object] = set()
    found: list[dict[str, str]] = []
    for wish in wanted:
        key = (wish.place.key, wish.said.name.lower())
        if key in seen:
            found.append({"path": f"policies.{wish.index}.name", "reason": "is the name of another one in this place"})
        seen.add(key)
    return found

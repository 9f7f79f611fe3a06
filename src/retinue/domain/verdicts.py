"""What the layers of policy say about one call, joined so that each can only tighten it (TOOL-17, GOV-07).

A verdict is allow, ask or deny. Joining takes the stricter, keeps every opinion that led to it, and asks everyone that
any layer wants asked. It is commutative, associative and idempotent, so neither the order of layers nor that of rules
decides anything; ``stricter`` is its order (property tests in ``tests/domain/test_verdicts.py``).
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from pydantic import Field

from retinue.domain.accounts import RANK, Role
from retinue.domain.base import Value
from retinue.domain.ids import UserId

Verdict = Literal["allow", "ask", "deny"]
STRICTNESS: dict[Verdict, int] = {"allow": 0, "ask": 1, "deny": 2}


class Layer(StrEnum):
    """Where an opinion comes from, in the order in which they are told. The last is the ceiling of all others."""

    AGENT = "agent"
    ROLE = "role"
    """The agent's worker role."""
    ASSIGNMENT = "assignment"
    USER = "user"
    TEAM = "team"
    ACCOUNT = "account"


class Panel(Value):
    """Who decides: so many different people (``quorum``) of those who have ``role`` or are named.

    ``four_eyes``: never the person on whose behalf the agent works. ``requester``: that person may, though not named
    and without the role (GOV-16: the agent drafts, the person confirms).
    """

    role: Role | None = Role.ADMIN
    users: tuple[UserId, ...] = ()
    requester: bool = False
    quorum: int = Field(default=1, ge=1, le=10)
    four_eyes: bool = False

    def admits(self, user_id: UserId, role: Role, requester: UserId | None) -> bool:
        """Whether this person may decide."""
        if user_id == requester:
            if self.four_eyes:
                return False
            if self.requester:
                return True
        return user_id in self.users or (self.role is not None and RANK[role] >= RANK[self.role])


class Ask(Value):
    """What has to be decided before the call: every panel agrees within the time, else the default counts."""

    panels: tuple[Panel, ...] = Field(min_length=1)
    expires_seconds: int = Field(default=86_400, ge=60, le=31 * 86_400)
    on_expiry: Literal["reject", "approve"] = "reject"
    grants: bool = True
    """Whether a decision may stand for later calls, too."""


def both(one: Ask, other: Ask) -> Ask:
    """All that either asks for."""
    return Ask(
        panels=tuple(sorted(set(one.panels) | set(other.panels), key=_place)),
        expires_seconds=min(one.expires_seconds, other.expires_seconds),
        on_expiry="approve" if one.on_expiry == other.on_expiry == "approve" else "reject",
        grants=one.grants and other.grants,
    )


def _place(panel: Panel) -> str:
    return panel.model_dump_json()


class Opinion(Value):
    """What one rule of one layer says. ``reason`` is a stable code, ``rule`` names what said so."""

    layer: Layer
    rule: str
    verdict: Verdict
    reason: str | None = None
    detail: str = ""
    ask: Ask | None = None
    redact: tuple[str, ...] = ()
    """Kinds of content to take out of the arguments before the call."""

    @property
    def named(self) -> str:
        """The layer and the rule, for records that others read: a person's own rule has no name there (CON-69)."""
        return f"{self.layer.value}: {OWN if self.layer is Layer.USER else self.rule}"

    def private(self) -> "Opinion":
        """As anybody else than the person whose policies count reads it."""
        return self.model_copy(update={"rule": OWN, "detail": OWN_WORDS}) if self.layer is Layer.USER else self


OWN = "a policy of their own"
OWN_WORDS = "The person has a policy of their own about it."


class Judgement(Value):
    """All opinions together. Without any it denies: nobody has allowed it (GOV-20)."""

    verdict: Verdict
    opinions: tuple[Opinion, ...]
    ask: Ask | None = None
    redact: tuple[str, ...] = ()

    @property
    def reason(self) -> str | None:
        """The code of the first opinion, in the order of layers, that is as strict as the whole; None when allowed."""
        return self._telling.reason if self._telling else "no_policy" if self.verdict == "deny" else None

    @property
    def detail(self) -> str:
        return self._telling.detail if self._telling else ""

    def private(self) -> "Judgement":
        """As anybody else than the person whose policies count reads it."""
        return self.model_copy(update={"opinions": tuple(one.private() for one in self.opinions)})

    @property
    def _telling(self) -> Opinion | None:
        if self.verdict == "allow":
            return None
        return next((one for one in self.opinions if one.verdict == self.verdict), None)


def join(opinions: Iterable[Opinion]) -> Judgement:
    """The strictest of all, with everything that any of them wants."""
    told = tuple(sorted(set(opinions), key=_order))
    if not told:
        return Judgement(verdict="deny", opinions=())
    verdict: Verdict = max((one.verdict for one in told), key=lambda one: STRICTNESS[one])
    ask: Ask | None = None
    for one in told:
        if one.verdict == "ask":
            wanted = one.ask or Ask(panels=(Panel(),))
            ask = wanted if ask is None else both(ask, wanted)
    redact = tuple(sorted({kind for one in told for kind in one.redact}))
    return Judgement(verdict=verdict, opinions=told, ask=ask if verdict == "ask" else None, redact=redact)


LAYERS = {layer: place for place, layer in enumerate(Layer)}


def _order(opinion: Opinion) -> tuple[int, str, str]:
    return LAYERS[opinion.layer], opinion.rule, opinion.model_dump_json()


def unaskable(judged: Judgement) -> Judgement:
    """The same where nobody can be asked: what would be is denied, for the same reasons."""
    if judged.verdict != "ask":
        return judged
    told = (
        one.model_copy(update={"verdict": "deny", "ask": None}) if one.verdict == "ask" else one
        for one in judged.opinions
    )
    return join(told)


def stricter(one: Judgement, other: Judgement) -> bool:
    """Whether ``one`` lets through nothing that ``other`` holds back."""
    if STRICTNESS[one.verdict] != STRICTNESS[other.verdict]:
        return STRICTNESS[one.verdict] > STRICTNESS[other.verdict]
    if not set(other.redact) <= set(one.redact):
        return False
    return one.ask is None or other.ask is None or _asks_more(one.ask, other.ask)


def _asks_more(one: Ask, other: Ask) -> bool:
    return (
        set(other.panels) <= set(one.panels)
        and one.expires_seconds <= other.expires_seconds
        and (one.on_expiry == "reject" or other.on_expiry == "approve")
        and (other.grants or not one.grants)
    )

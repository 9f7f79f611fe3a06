"""Who may decide about a call that somebody has to approve, and what their decisions come to (GOV-14, GOV-15).

Pure. A decision is bound to the hash of the arguments it was about: whoever edits them begins the count anew. Every
panel has to be satisfied; one person counts once in each that admits them; a rejection ends it. What becomes of the
call after that is the gate's business, which judges it again.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from retinue.domain import texts
from retinue.domain.accounts import Role
from retinue.domain.base import Value
from retinue.domain.ids import AgentId, ChannelId, GrantId, InteractionId, UserId, WaitId
from retinue.domain.verdicts import Ask, Judgement, Panel
from retinue.domain.waits import WaitState

Choice = Literal["approve", "reject", "ask_back"]
Refusal = Literal["not_an_approver", "four_eyes", "already_decided"]
"""Why a decision does not count: nobody asked this person; they asked for the call themselves; it is decided."""


class Person(Value):
    """Somebody, with the role that counts where the call is made; None for who is no active member (any more).

    The role is the one in the account; whoever leads the team that the channel belongs to is at least a lead.
    """

    user_id: UserId
    role: Role | None


class Said(Value):
    """One decision. ``arguments_hash``: of the arguments that it was about, as its maker edited them."""

    person: Person
    choice: Choice
    arguments_hash: str


class Asked(Value):
    """What has to be decided, and on whose behalf the agent works."""

    ask: Ask
    requester: UserId | None = None
    short: frozenset[Panel] = frozenset()
    """The panels that the people whom they name can never satisfy; the owners stand in for those (lesson 20)."""

    def admits(self, panel: Panel, person: Person) -> bool:
        """Whether this person counts in this panel."""
        if person.role is None:
            return False
        if panel.admits(person.user_id, person.role, self.requester):
            return True
        own = panel.four_eyes and person.user_id == self.requester
        return panel in self.short and person.role is Role.OWNER and not own

    def refusal(self, person: Person) -> Refusal | None:
        """Why this person may not decide; None when they may."""
        if any(self.admits(panel, person) for panel in self.ask.panels):
            return None
        bound = person.user_id == self.requester and any(panel.four_eyes for panel in self.ask.panels)
        return "four_eyes" if bound else "not_an_approver"


class Missing(Value):
    """A panel that is not satisfied yet."""

    panel: Panel
    have: int = Field(ge=0)
    """How many of its ``quorum`` have approved."""


class Outcome(Value):
    """What the decisions come to."""

    state: Literal["open", "approved", "rejected", "asked_back"]
    missing: tuple[Missing, ...] = ()
    by: tuple[UserId, ...] = ()
    """Those whose decision it is, in the order in which they decided."""
    refused: Refusal | None = None
    """Set when the new decision does not count; the rest is then as before it."""


def tally(asked: Asked, said: Iterable[Said], arguments_hash: str) -> Outcome:
    """What has been decided so far about the call with these arguments."""
    told = tuple(said)
    for one in told:
        if one.choice != "approve" and asked.refusal(one.person) is None:
            state = "rejected" if one.choice == "reject" else "asked_back"
            return Outcome(state=state, by=(one.person.user_id,))
    people = {
        one.person.user_id: one.person
        for one in told
        if one.choice == "approve" and one.arguments_hash == arguments_hash and asked.refusal(one.person) is None
    }
    missing: list[Missing] = []
    for panel in asked.ask.panels:
        have = sum(asked.admits(panel, person) for person in people.values())
        if have < panel.quorum:
            missing.append(Missing(panel=panel, have=have))
    return Outcome(state="open" if missing else "approved", missing=tuple(missing), by=tuple(people))


def decide(asked: Asked, said: Iterable[Said], new: Said) -> Outcome:
    """What one more decision makes of it. Total: a decision that does not count leaves all as it was and says why."""
    told = tuple(said)
    before = tally(asked, told, new.arguments_hash)
    refused = asked.refusal(new.person)
    if refused is None and (before.state != "open" or _has_said(told, new)):
        refused = "already_decided"
    if refused is not None:
        return before.model_copy(update={"refused": refused})
    return tally(asked, (*told, new), new.arguments_hash)


def _has_said(told: tuple[Said, ...], new: Said) -> bool:
    """One person decides once about the same arguments."""
    return any(one.person.user_id == new.person.user_id and one.arguments_hash == new.arguments_hash for one in told)


def may_grant(asked: Asked, person: Person, *, for_anyone: bool) -> bool:
    """Whether this person's word may stand for later calls: they alone could approve this one, and, where it is to
    stand for calls on anybody's behalf, they could whoever had asked."""
    if not asked.ask.grants or not all(asked.admits(panel, person) for panel in asked.ask.panels):
        return False
    if any(panel.quorum > 1 for panel in asked.ask.panels):
        return False
    if not for_anyone:
        return True
    nobody = asked.model_copy(update={"requester": None})
    return all(not panel.four_eyes and nobody.admits(panel, person) for panel in asked.ask.panels)


def unroutable(ask: Ask, members: Iterable[Person]) -> list[dict[str, str]]:
    """The panels that can never be satisfied by these members, as ``errors`` entries of ``BadInput``; for whoever
    writes a policy. The person on whose behalf an agent works is not known then, and counts where a panel admits them.
    """
    present = tuple(members)
    found: list[dict[str, str]] = []
    for place, panel in enumerate(ask.panels):
        people = sum(person.role is not None and panel.admits(person.user_id, person.role, None) for person in present)
        people += panel.requester and not panel.four_eyes
        if people < panel.quorum:
            reason = f"needs {panel.quorum} to approve, and there are {people} who may"
            found.append({"path": f"panels.{place}", "reason": reason})
    return found


# ── what people send ─────────────────────────────────────────────────────────────────────────────────────────────

Words = Annotated[str, Field(max_length=2000), AfterValidator(texts.storable)]


class GrantWish(Value):
    """For which later calls of this tool by this agent an approval is to stand, too."""

    until: AwareDatetime
    """At most a year from now."""
    channel: bool = True
    """Only in the channel of this call; false: everywhere."""
    person: bool = True
    """Only on behalf of the person whom this call is for; false: on anybody's."""
    exact: bool = False
    """Only with exactly these arguments."""


class Wish(Value):
    """A decision. ``arguments_hash`` is that of the arguments which the person saw."""

    decision: Choice
    arguments_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    arguments: texts.Object | None = None
    """Approve with these instead. Where others have to approve, too, they are asked about these."""
    reason: Words = ""
    """Why; with ``ask_back`` the question, which the agent reads. Needed with ``ask_back``."""
    grant: GrantWish | None = None
    """Let the approval stand for later calls, too."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.decision != "approve" and (self.arguments is not None or self.grant is not None):
            raise ValueError("arguments and grant go with approve only")
        if self.decision == "ask_back" and not self.reason.strip():
            raise ValueError("ask_back needs the question as its reason")
        return self


# ── what people see ──────────────────────────────────────────────────────────────────────────────────────────────


class Mine(StrEnum):
    """Which requests: those that wait for one's own decision, those on one's own behalf, all that one may see."""

    TO_DECIDE = "to_decide"
    ASKED = "asked"
    ALL = "all"


class DecisionView(Value):
    """What one person decided."""

    user_id: UserId
    user_name: str | None
    decision: Choice
    reason: str
    arguments_hash: str
    edited: bool
    """Whether they changed the arguments."""
    decided_at: datetime


class May(Value):
    """What the reader may do with it now."""

    decide: bool
    withdraw: bool
    grant: bool
    """Let an approval stand for later calls on behalf of the same person."""


class Approval(Value):
    """A request for approval, as somebody sees it who may decide it, or see what it is about."""

    id: WaitId
    state: WaitState
    decision: Choice | Literal["expired", "withdrawn"] | None
    """What came of it; None while it is open, and where its turn ended first."""
    interaction_id: InteractionId
    step_seq: int | None
    agent_id: AgentId
    agent_name: str | None
    tool: str | None
    channel_id: ChannelId | None
    channel_name: str | None
    user_id: UserId | None
    """On whose behalf the agent works."""
    user_name: str | None
    prompt: str
    """The question in words."""
    arguments: dict[str, Any] | None
    """As they would be used, edits included; None for who may neither decide nor see the turn."""
    arguments_hash: str
    """Of these: what a decision is bound to."""
    edited: bool
    """Whether somebody changed what the agent asked for."""
    ask: Ask
    missing: tuple[Missing, ...]
    """The panels that have not agreed yet."""
    unroutable: bool
    """Whether a panel names too few people ever to agree; the owners are then asked in its place."""
    decisions: tuple[DecisionView, ...]
    explanation: Judgement | None
    """What every layer said about the call."""
    policy_revision: int | None
    due_at: datetime | None
    """When ``ask.on_expiry`` counts if nobody decides."""
    created_at: datetime
    resolved_at: datetime | None
    may: May
    readable: bool
    """Whether the reader may see the turn, and so the conversation, too."""

    def private(self) -> "Approval":
        """As anybody else than the person on whose behalf the agent works reads it."""
        return self.model_copy(update={"explanation": self.explanation and self.explanation.private()})


class GrantView(Value):
    """An approval that stands for later calls of its scope."""

    id: GrantId
    agent_id: AgentId
    agent_name: str | None
    tool: str
    channel_id: ChannelId | None
    """None: everywhere."""
    channel_name: str | None
    user_id: UserId | None
    """On whose behalf; None: on anybody's."""
    user_name: str | None
    arguments_hash: str | None
    """None: whatever the arguments."""
    wait_id: WaitId | None
    """The decision that it came of."""
    granted_by: UserId
    granted_by_name: str | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: UserId | None

"""What a change of policy would have made of the calls of the last days: each recorded one judged by today's rules,
with the change and without it. Writes nothing.

Bounded: the newest calls, so many and for so long. What was decided by people then is not asked again, and what decides
elsewhere than at a call (trigger modes) is not judged. A limit counts them again, the oldest first (``recounting``).
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from retinue import errors
from retinue.db.pool import Database, Tx
from retinue.domain import ids, saying, verdicts
from retinue.domain.accounts import Principal
from retinue.domain.agents import AgentConfig
from retinue.domain.base import Value
from retinue.domain.explaining import Kind, PolicyDraft, PolicyPreview, PreviewExample, VerdictShift
from retinue.domain.ids import PolicyId
from retinue.domain.policies import NewPolicy, Place, Policy, Remarks
from retinue.domain.policy import Book, Written
from retinue.domain.rule_base import Question, RuleType
from retinue.domain.rule_limits import RateRule
from retinue.domain.rules import Rule
from retinue.domain.tools import ToolCall
from retinue.domain.verdicts import Judgement, Layer, Verdict
from retinue.store import books, policy_checks, situations, turns
from retinue.store import policies as rows
from retinue.store.situations import Recorded, Situation, Spent
from retinue.telemetry import clock
from retinue.tools.registry import Tool
from retinue.tools.resolve import Resolved, Source, resolve_agent_tools
from retinue.turn import explaining, gate, recounting
from retinue.turn.explaining import Circumstances
from retinue.turn.recounting import Limit

DAYS = 7
MOST = 2_000
SECONDS = 5.0
EXAMPLES = 20
STEPS: dict[Kind, tuple[str, ...]] = {"calls": ("act",), "models": ("think",), "both": ("act", "think"), "none": ()}
"""In which steps each kind of call is recorded."""
KINDS: dict[RuleType, Kind] = {
    RuleType.MODEL: "models", RuleType.TIME: "both", RuleType.COST: "both", RuleType.TRIGGER: "none",
    RuleType.CONTENT: "both",
}  # fmt: skip
"""What each type of rule speaks of, where it is not calls of tools."""


class Change(Value):
    """A draft, ready to be judged by."""

    place: Place
    gone: PolicyId | None
    old: Written | None
    written: Written | None
    kind: Kind
    remarks: Remarks

    def made(self, book: Book) -> Book:
        """The book as the change would make it."""
        kept = tuple(one for one in book.policies if one.id != self.gone)
        added = (self.written,) if self.written is not None else ()
        return book.model_copy(update={"policies": (*kept, *added)})


async def preview(db: Database, sources: Sequence[Source], principal: Principal, draft: PolicyDraft) -> PolicyPreview:
    """What the change would have made of the last days.

    Raises Forbidden, NotFound (what may not be written), Loosens and BadInput (what would be refused when written).
    """
    since = clock.now() - timedelta(days=DAYS)
    async with db.tenant_tx(principal.account_id) as tx:
        change = await _change(tx, principal, draft)
        steps = STEPS[change.kind]
        calls = (
            await situations.recorded(tx, principal.account_id, steps, change.place, since=since, limit=MOST + 1)
            if steps
            else []
        )
        configs = await _configs(tx, principal.account_id, {one.config_hash for one in calls[:MOST]})
    again = _Again(db, sources, principal.account_id, change, configs)
    judged = await again.judge(calls[:MOST])
    found = again.differing[: EXAMPLES * 10]
    async with db.tenant_tx(principal.account_id) as tx:
        seen = await situations.visible(tx, principal, [one.interaction_id for one in found])
    counts: Counter[tuple[Verdict, Verdict]] = Counter((one.before, one.after) for one in again.differing)
    return PolicyPreview(
        since=since, judged=judged, complete=judged == len(calls), kind=change.kind,
        shifts=tuple(VerdictShift(before=one, after=other, count=n) for (one, other), n in sorted(counts.items())),
        examples=tuple([one for one in found if one.interaction_id in seen][:EXAMPLES]), **dict(change.remarks),
    )  # fmt: skip


# ── the draft ────────────────────────────────────────────────────────────────────────────────────────────────────


async def _change(tx: Tx, principal: Principal, draft: PolicyDraft) -> Change:
    old = await rows.access(tx, principal, draft.policy_id) if draft.policy_id is not None else None
    new = draft.policy
    place = _place(old, new, principal)
    await rows.require_writer(tx, principal, place)
    live = new if new is not None and new.enabled else None
    known, remarks = draft.policy_id or ids.new(), Remarks()
    if live is not None:
        remarks = await policy_checks.check(tx, principal.account_id, place, live.rule, draft.policy_id)
    rules = [one for one in (old.rule if old else None, live.rule if live else None) if one is not None]
    return Change(
        place=place, gone=draft.policy_id, old=_written(known, place, old if old and old.enabled else None),
        written=_written(known, place, live), kind=_kind(rules), remarks=remarks,
    )  # fmt: skip


def _written(policy_id: UUID, place: Place, one: Policy | NewPolicy | None) -> Written | None:
    """A policy as a book has it."""
    if one is None or one.rule is None:
        return None
    return Written(
        id=policy_id, layer=Layer(place.layer), name=one.name, team_id=place.team_id, priority=one.priority,
        rule=one.rule,
    )  # fmt: skip


def _place(old: Policy | None, new: NewPolicy | None, principal: Principal) -> Place:
    """Where the policy stands, or would. Raises BadInput for one that would have to move."""
    there = Place(layer=old.layer, team_id=old.team_id, user_id=old.user_id) if old else None
    wanted = new.place(principal.user_id) if new else there
    if wanted is None or (there is not None and wanted != there):
        found = [{"path": "body.policy.layer", "reason": "is not where the policy stands, and it cannot be moved"}]
        raise errors.BadInput("Make a new policy in the other place instead.", errors=found)
    return wanted


def _kind(rules: Sequence[Rule]) -> Kind:
    kinds: list[Kind] = [kind for one in rules if (kind := _speaks_of(one)) != "none"]
    if not kinds:
        return "none"
    return kinds[0] if len(set(kinds)) == 1 else "both"


def _speaks_of(rule: Rule) -> Kind:
    if isinstance(rule, RateRule):
        return "models" if rule.about == "model" else "calls"
    return KINDS.get(rule.type, "calls")


async def _configs(tx: Tx, account_id: UUID, hashes: set[str]) -> dict[str, AgentConfig]:
    found = {one: await turns.config(tx, account_id, one) for one in sorted(hashes)}
    return {one: AgentConfig.model_validate(content) for one, content in found.items() if content is not None}


# ── judging again ────────────────────────────────────────────────────────────────────────────────────────────────

BookKey = tuple[UUID, UUID | None, UUID | None]


@dataclass
class _Again:
    """Judges recorded calls twice: by the rules of today, and by those with the change."""

    db: Database
    sources: Sequence[Source]
    account_id: UUID
    change: Change
    configs: dict[str, AgentConfig]
    books: dict[BookKey, tuple[Book, Book]] = field(default_factory=dict[BookKey, tuple[Book, Book]])
    tools: dict[str, Resolved] = field(default_factory=dict[str, Resolved])
    differing: list[PreviewExample] = field(default_factory=list[PreviewExample])
    limits: tuple[Limit | None, Limit | None] = (None, None)

    async def judge(self, calls: Sequence[Recorded]) -> int:
        """Judge them, newest first, until time is up; how many were judged. Limits count the oldest first."""
        ends = clock.monotonic() + SECONDS
        before, after = (recounting.limit(self.account_id, one) for one in (self.change.old, self.change.written))
        if calls and (before or after):
            calls = calls[::-1]
            self.limits = before, after
            await self._count_before(calls[0].at)
        for done, call in enumerate(calls):
            if clock.monotonic() > ends:
                return done
            config = self.configs.get(call.config_hash)
            if config is not None:  # else it is gone, and so is what the agent was then
                await self._judge(call, config)
        return len(calls)

    async def _judge(self, call: Recorded, config: AgentConfig) -> None:
        before, after = await self._books(call)
        tools = await self._tools(call.config_hash, config)
        tool = tools.get(call.tool) if call.tool is not None and call.kind == "act" else None
        situation = Situation(
            agent_id=call.agent_id, config=config, user_id=call.user_id, channel_id=call.channel_id,
            team_id=call.team_id,
        )  # fmt: skip
        about = explaining.question(situation, tool, _made(call))
        one, other = (
            recounting.joined(_verdict(book, config, tool, about, call.words), limit, call, book, about)
            for limit, book in zip(self.limits, (before, after), strict=True)
        )
        if _differ(one, other):
            self.differing.append(_example(call, one, other))

    async def _count_before(self, first: datetime) -> None:
        tools = [await self._tools(name, config) for name, config in self.configs.items()]
        known = {spec.slug: spec for one in tools for spec in one.specs}
        starts = [(one, since) for one in self.limits if one and (since := one.since(first)) is not None]
        async with self.db.tenant_tx(self.account_id) as tx:
            found = {
                since: await situations.spent(tx, self.account_id, self.change.place, since=since, until=first)
                for since in {since for _, since in starts}
            }
        for limit, since in starts:
            for spent in found[since]:
                book, _ = await self._books(spent)
                limit.put(spent, book, known.get(spent.tool or ""), first)

    async def _books(self, call: Recorded | Spent) -> tuple[Book, Book]:
        key = (call.agent_id, call.user_id, call.team_id)
        if key not in self.books:
            async with self.db.tenant_tx(self.account_id) as tx:
                book = await books.book(tx, self.account_id, *key)
            self.books[key] = (book, self.change.made(book))
        return self.books[key]

    async def _tools(self, config_hash: str, config: AgentConfig) -> Resolved:
        if config_hash not in self.tools:
            found = await resolve_agent_tools(self.account_id, config, self.sources, report=False)
            self.tools[config_hash] = found
        else:
            await asyncio.sleep(0)  # judging is work: let others in between
        return self.tools[config_hash]


def _verdict(book: Book, config: AgentConfig, tool: Tool | None, about: Question, words: str | None) -> Judgement:
    """On a call; of a model, also on what it said."""
    judged = gate.verdict(book, config, tool, about)
    if about.call is not None or not words:
        return judged
    return verdicts.join((*judged.opinions, *saying.judge(book, about, words).opinions))


def _made(call: Recorded) -> Circumstances:
    if call.kind == "think":
        return Circumstances(call=None, model=call.model, at=call.at, depth=call.depth)
    asked = ToolCall.model_validate(call.input)
    return Circumstances(call=asked, model=None, at=call.at, calls_before=call.calls_before, depth=call.depth)


def _differ(one: Judgement, other: Judgement) -> bool:
    """Another verdict, or the same on other terms; why something is denied is no difference."""
    if one.verdict != other.verdict:
        return True
    return one.verdict != "deny" and (one.ask, one.redact) != (other.ask, other.redact)


def _example(call: Recorded, one: Judgement, other: Judgement) -> PreviewExample:
    return PreviewExample(
        interaction_id=call.interaction_id, step_seq=call.seq, agent_id=call.agent_id, tool=call.tool, model=call.model,
        at=call.at, before=one.verdict, after=other.verdict, reason=other.reason, detail=other.detail,
    )  # fmt: skip

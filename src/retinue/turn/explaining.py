"""What would happen if an agent made a call, and why: the gate's judgement without the gate's effects.

Nothing is written, nobody is asked, nothing is counted or reserved. What the rules say is worked out by the same
functions as in ``gate`` (a test makes the calls and compares).
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from retinue.db.pool import Database, Tx
from retinue.domain import ids, meters, verdicts
from retinue.domain.accounts import Principal, Role, at_least
from retinue.domain.agents import AgentConfig
from retinue.domain.base import Value
from retinue.domain.explaining import (
    Expectation,
    ExpectationOutcome,
    Explanation,
    Hypothesis,
    LimitingPolicy,
    PolicyTestResults,
    PolicyTests,
    ReasonedOpinion,
)
from retinue.domain.meters import Demand, Need, Subjects
from retinue.domain.policy import Book
from retinue.domain.rule_base import Question, SoFar
from retinue.domain.rule_limits import CostRule, RateRule
from retinue.domain.tools import ToolCall
from retinue.domain.verdicts import Layer, Opinion
from retinue.store import allowances, books, policy_sets, situations
from retinue.store.situations import Situation
from retinue.telemetry import clock
from retinue.tools.registry import Tool
from retinue.tools.resolve import Resolved, Source, resolve_agent_tools
from retinue.turn import gate, spending

# ── one call ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def explain(db: Database, sources: Sequence[Source], principal: Principal, asked: Hypothesis) -> Explanation:
    """What would happen. Raises NotFound, Forbidden (see ``situations.access``)."""
    async with db.tenant_tx(principal.account_id) as tx:
        situation = await situations.access(tx, principal, asked)
        book = await _book(tx, principal.account_id, situation)
    tools = await _tools(principal.account_id, situation.config, sources)
    case = _case(book, situation, tools, asked)
    wanted = _demands(principal.account_id, case)
    async with db.tenant_tx(principal.account_id) as tx:
        left = await allowances.left(tx, principal.account_id, wanted)
    return explained(case, principal, list(zip(wanted, left, strict=True)))


async def _book(tx: Tx, account_id: UUID, situation: Situation) -> Book:
    return await books.book(tx, account_id, situation.agent_id, situation.user_id, situation.team_id)


async def _tools(account_id: UUID, config: AgentConfig, sources: Sequence[Source]) -> Resolved:
    return await resolve_agent_tools(account_id, config, sources, report=False)


class Circumstances(Value):
    """What is called, when, and what came before in the turn."""

    call: ToolCall | None
    model: str | None
    at: datetime
    calls_before: int = 0
    depth: int = 0


def question(situation: Situation, tool: Tool | None, made: Circumstances) -> Question:
    """What the rules are asked, as the gate asks it."""
    return Question(
        agent_id=situation.agent_id, user_id=situation.user_id, channel_id=situation.channel_id, at=made.at,
        spec=tool.spec if tool else None, call=made.call, calls_before=made.calls_before, model=made.model,
        host=tool.spec.host if tool else None, categories=tool.spec.categories if tool else (), depth=made.depth,
        so_far=SoFar(worst_micro=tool.spec.price_micro if tool else 0),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """A call that is asked about, and what rules over it."""

    book: Book
    situation: Situation
    tool: Tool | None
    asked: Question

    @property
    def arguments(self) -> dict[str, Any]:
        return self.asked.call.arguments if self.asked.call else {}


def _case(book: Book, situation: Situation, tools: Resolved, asked: Hypothesis) -> Case:
    tool = tools.get(asked.tool) if asked.tool is not None else None
    return Case(book, situation, tool, question(situation, tool, _made(asked, tool)))


Left = tuple[Demand, int]
"""A limit that the call counts against, and how much of it is left."""


def explained(case: Case, principal: Principal, left: Sequence[Left] = ()) -> Explanation:
    """The judgement in words, for whoever asks: another person's own policies have no name for them."""
    book, tool = case.book, case.tool
    judged = gate.verdict(book, case.situation.config, tool, case.asked)
    if judged.verdict == "allow" and (short := [_short(case, *one) for one in left if _is_short(case, *one)]):
        judged = verdicts.join((*judged.opinions, *short))
    private = case.situation.user_id != principal.user_id
    opinions = tuple(_reasoned(book, one, private) for one in judged.opinions)
    telling = next((one for one in opinions if one.verdict == judged.verdict), None)
    wrong = gate.misfit(tool, case.arguments) if tool is not None else None
    return Explanation(
        verdict=judged.verdict, reason=judged.reason, opinions=opinions, ask=judged.ask, redact=judged.redact,
        detail=telling.detail if telling and judged.verdict != "allow" else "",
        budgets=tuple(_budgets(case, principal, left)), tool=tool.spec.slug if tool else None,
        effect=tool.spec.effect if tool else None, misfit=wrong.detail if wrong else None, revision=book.revision,
    )  # fmt: skip


def _made(asked: Hypothesis, tool: Tool | None) -> Circumstances:
    call = None
    if asked.tool is not None:
        name = tool.spec.slug if tool else asked.tool
        call = ToolCall(id=ids.new(), provider_id="", tool=name, arguments=asked.arguments)
    return Circumstances(
        call=call, model=asked.model, at=asked.at or clock.now(), calls_before=asked.calls_before, depth=asked.depth
    )


def _reasoned(book: Book, said: Opinion, private: bool) -> ReasonedOpinion:
    said = said.private() if private else said
    known = next((one.id for one in book.policies if (one.layer, one.name) == (said.layer, said.rule)), None)
    return ReasonedOpinion(
        layer=said.layer, rule=said.rule, policy_id=known, verdict=said.verdict, reason=said.reason, detail=said.detail
    )


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────

TURN, ABOVE = UUID(int=1), UUID(int=2)
"""The turn that is only imagined, and the one that would have delegated it."""


def _demands(account_id: UUID, case: Case) -> tuple[Demand, ...]:
    """Every limit that the call counts against; at least one of each unit, so that none is left out."""
    about = case.situation
    whose = Subjects(
        account_id=account_id, team_ids=case.book.team_ids, user_id=about.user_id, agent_id=about.agent_id,
        chain=(ABOVE, TURN) if case.asked.depth else (TURN,),
    )  # fmt: skip
    need = Need(cost_micro=max(1, _price(case)), tokens=1, calls=1)
    return meters.demands(spending.metered(case.book), whose, need, case.asked)


def _price(case: Case) -> int:
    return case.tool.spec.price_micro if case.tool else 0


def _is_short(case: Case, demand: Demand, left: int) -> bool:
    """Whether the call would be refused for this limit, as far as is known without making it."""
    match demand.unit:
        case "calls":
            return left < 1
        case "micro":
            return left < _price(case)
        case "tokens":
            return False


def _short(case: Case, demand: Demand, left: int) -> Opinion:
    return meters.refused(demand.model_copy(update={"amount": max(1, _price(case))}), left)


def _budgets(case: Case, principal: Principal, left: Sequence[Left]) -> Iterator[LimitingPolicy]:
    """The limits, each once, with the least that is left of it, for whom that may be told."""
    admin = at_least(principal.role, Role.ADMIN)
    for written, rule in case.book.rules():
        counted = [(demand, rest) for demand, rest in left if demand.policy_id == written.id]
        if not counted or not isinstance(rule, CostRule | RateRule):
            continue
        if written.layer is Layer.USER and case.situation.user_id != principal.user_id:
            continue
        told = [rest for demand, rest in counted if admin or demand.subject in (principal.user_id, TURN, ABOVE)]
        yield LimitingPolicy(
            policy_id=written.id, layer=written.layer, name=written.name, rule=rule, unit=counted[0][0].unit,
            left=max(0, min(told)) if len(told) == len(counted) else None,
        )  # fmt: skip


# ── several, with what is expected ───────────────────────────────────────────────────────────────────────────────


async def try_out(
    db: Database, sources: Sequence[Source], principal: Principal, trial: PolicyTests
) -> PolicyTestResults:
    """What each expectation comes to, by the policies that are there or as the trial's would make them.

    Raises BadInput, NotFound, Forbidden, Loosens (as ``apply`` would).
    """
    account_id = principal.account_id
    async with db.tenant_tx(account_id) as tx:
        asked = await situations.named(tx, principal, trial.tests)
        found = [await situations.access(tx, principal, one) for one in asked]
    configs = {one.agent_id: one.config for one in found}
    tools = {agent: await _tools(account_id, config, sources) for agent, config in configs.items()}
    async with db.tenant_tx(account_id) as tx, policy_sets.tried(tx):
        if trial.policies is not None:
            await policy_sets.apply(tx, principal, trial.policies, prune=trial.prune)
        read = [await _book(tx, account_id, one) for one in found]
    results: list[ExpectationOutcome] = []
    for expected, one, situation, book in zip(trial.tests, asked, found, read, strict=True):
        results.append(_tried(expected, explained(_case(book, situation, tools[situation.agent_id], one), principal)))
        await asyncio.sleep(0)  # judging is work: let others in between
    return PolicyTestResults(passed=all(one.passed for one in results), results=tuple(results))


def _tried(expected: Expectation, came: Explanation) -> ExpectationOutcome:
    passed = came.verdict == expected.expect and expected.reason in (None, came.reason)
    telling = next((one for one in came.opinions if one.verdict == came.verdict), None)
    rule = f"{telling.layer.value}: {telling.rule}" if telling and came.verdict != "allow" else None
    return ExpectationOutcome(passed=passed, verdict=came.verdict, reason=came.reason, detail=came.detail, rule=rule)

"""Limits in a preview: what the rule as it is, and as it would be, make of the last days' calls, counted again."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from retinue.domain import ids, meters, verdicts
from retinue.domain.meters import Metered, Need, Subjects
from retinue.domain.policy import Book, Written
from retinue.domain.recounting import Recount
from retinue.domain.rule_base import Question
from retinue.domain.rule_limits import CostRule, RateRule
from retinue.domain.tools import ToolCall, ToolSpec
from retinue.domain.verdicts import Judgement, Opinion
from retinue.store.situations import Recorded, Spent


@dataclass(frozen=True)
class Limit:
    """One limit over one account's recorded calls."""

    account_id: UUID
    recount: Recount

    def since(self, first: datetime) -> datetime | None:
        """From when on what was spent before the first call counts, too; None where nothing does."""
        rule = self.recount.limit.rule
        if isinstance(rule, RateRule) or rule.per in ("interaction", "delegation"):
            return None
        return meters.period_start(rule.period, first, rule.time_zone)

    def put(self, spent: Spent, book: Book, spec: ToolSpec | None, at: datetime) -> None:
        """Count what was spent before."""
        asked = Question(
            agent_id=spent.agent_id, user_id=spent.user_id, channel_id=spent.channel_id, at=at, model=spent.model,
            spec=spec, call=_call(spent.tool),
        )  # fmt: skip
        self.recount.put(self._subjects(spent, book, ids.new()), Need(cost_micro=spent.cost_micro), asked)

    def take(self, call: Recorded, book: Book, asked: Question) -> Opinion | None:
        """Count a recorded call; or say why it would have been refused."""
        need = Need(cost_micro=call.cost_micro, tokens=call.tokens)
        return self.recount.take(self._subjects(call, book, call.interaction_id), need, asked)

    def _subjects(self, one: Recorded | Spent, book: Book, interaction_id: UUID) -> Subjects:
        return Subjects(
            account_id=self.account_id, team_ids=book.team_ids, user_id=one.user_id, agent_id=one.agent_id,
            chain=(interaction_id,),
        )  # fmt: skip


def limit(account_id: UUID, written: Written | None) -> Limit | None:
    """The limit that this policy is; None where it is none."""
    if written is None or not isinstance(written.rule, CostRule | RateRule):
        return None
    metered = Metered(
        policy_id=written.id, layer=written.layer, name=written.name, team_id=written.team_id, rule=written.rule
    )  # fmt: skip
    return Limit(account_id, Recount(metered))


def joined(judged: Judgement, limit: Limit | None, call: Recorded, book: Book, asked: Question) -> Judgement:
    """The judgement on a recorded call, with what the limit says. Calls that did not run are not counted."""
    if limit is None or judged.verdict != "allow" or not call.made:
        return judged
    against = limit.take(call, book, asked)
    return judged if against is None else verdicts.join((*judged.opinions, against))


def _call(tool: str | None) -> ToolCall | None:
    return ToolCall(id=ids.new(), provider_id="", tool=tool, arguments={}) if tool else None

"""Limits in a preview: what the rule as it is, and as it would be, make of the last days' calls, counted again."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from retinue.db.pool import Tx
from retinue.domain import ids, meters, verdicts
from retinue.domain.meters import Metered, Need, Subjects
from retinue.domain.policies import Place
from retinue.domain.policy import Book, Written
from retinue.domain.recounting import Recount
from retinue.domain.rule_base import Question
from retinue.domain.rule_limits import CostRule, RateRule
from retinue.domain.tools import ToolCall, ToolSpec
from retinue.domain.verdicts import Judgement
from retinue.store import situations
from retinue.store.situations import Recorded, Spent
from retinue.tools.resolve import Resolved


def limit(account_id: UUID, written: Written | None) -> "Limit | None":
    """The limit that this policy is; None where it is none."""
    if written is None or not isinstance(written.rule, CostRule | RateRule):
        return None
    rule = written.rule
    metered = Metered(
        policy_id=written.id, layer=written.layer, name=written.name, team_id=written.team_id, rule=rule
    )  # fmt: skip
    return Limit(account_id, rule, Recount(metered))


class Limit:
    """One limit over one account's recorded calls."""

    def __init__(self, account_id: UUID, rule: CostRule | RateRule, recount: Recount) -> None:
        self._account = account_id
        self._rule = rule
        self._recount = recount

    def since(self, first: datetime) -> datetime | None:
        """From when on what was spent before the first call counts, too; None where nothing does."""
        rule = self._rule
        if isinstance(rule, RateRule) or rule.per in ("interaction", "delegation"):
            return None
        return meters.period_start(rule.period, first, rule.time_zone)

    def put(self, spent: Spent, book: Book, spec: ToolSpec | None, at: datetime) -> None:
        """Count what was spent before."""
        asked = Question(
            agent_id=spent.agent_id, user_id=spent.user_id, channel_id=spent.channel_id, at=at, model=spent.model,
            spec=spec, call=_call(spent.tool),
        )  # fmt: skip
        self._recount.put(self._subjects(spent, book, ids.new()), Need(cost_micro=spent.cost_micro), asked)

    def joined(self, judged: Judgement, call: Recorded, book: Book, asked: Question) -> Judgement:
        """The judgement on a recorded call, with what the limit says. Calls that did not run are not counted."""
        if judged.verdict != "allow" or not call.made:
            return judged
        need = Need(cost_micro=call.cost_micro, tokens=call.tokens)
        against = self._recount.take(self._subjects(call, book, call.interaction_id), need, asked)
        return judged if against is None else verdicts.join((*judged.opinions, against))

    def _subjects(self, one: Recorded | Spent, book: Book, interaction_id: UUID) -> Subjects:
        return Subjects(
            account_id=self._account, team_ids=book.team_ids, user_id=one.user_id, agent_id=one.agent_id,
            chain=(interaction_id,),
        )  # fmt: skip


def _call(tool: str | None) -> ToolCall | None:
    return ToolCall(id=ids.new(), provider_id="", tool=tool, arguments={}) if tool else None


async def spent_before(
    tx: Tx, account_id: UUID, place: Place, limits: Iterable[Limit], first: datetime
) -> Mapping[datetime, list[Spent]]:
    """What was spent before the first call, by when the periods of these limits began."""
    starts = {start for one in limits if (start := one.since(first)) is not None and start < first}
    return {start: await situations.spent(tx, account_id, place, since=start, until=first) for start in starts}


def specs(found: Iterable[Resolved]) -> dict[str, ToolSpec]:
    """The tools of several agents, by slug."""
    return {spec.slug: spec for one in found for spec in one.specs}

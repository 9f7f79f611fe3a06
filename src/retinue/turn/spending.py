"""What a call may cost at most is reserved before it, under all limits at once, and settled after (COST-08, COST-11).

Where no limit holds, nothing is asked of the database.
"""

from collections.abc import Iterator

from retinue.domain import meters as counting
from retinue.domain.meters import Demand, Metered, Need, Subjects
from retinue.domain.models import ModelRequest
from retinue.domain.policy import Book
from retinue.domain.rule_base import Question
from retinue.domain.rule_limits import CostRule, RateRule
from retinue.domain.verdicts import Judgement, Layer, Opinion
from retinue.store import meters
from retinue.turn.engine import Engine, Turn

MAX_OUTPUT = 8192
"""Tokens that an answer may have where a limit holds and the request names none: a worst case needs an end."""
BYTES_PER_TOKEN = 4
"""About what tokenisers make of English; used where nobody says how many tokens there were."""
PICTURE_TOKENS = 2000
"""More than any provider counts for one picture."""


class OverLimit(Exception):
    """A limit is against calling the model."""

    def __init__(self, judged: Judgement) -> None:
        super().__init__(judged.reason)
        self.judged = judged


async def reserve_model(engine: Engine, turn: Turn, seq: int, request: ModelRequest, asked: Question) -> ModelRequest:
    """Reserve the worst case of a model call; the request with the longest answer that was reserved for.

    Raises OverLimit, Fenced, DatabaseDown.
    """
    book = await engine.book(turn)
    if not _is_limited(book, turn):
        return request
    longest = min(request.max_output_tokens or MAX_OUTPUT, MAX_OUTPUT)
    going_in = most_tokens(request)
    price = engine.models.worst_micro(request.model, going_in, longest)
    against = await reserve(engine, turn, seq, asked, Need(cost_micro=price, tokens=going_in + longest))
    if against:
        raise OverLimit(Judgement(verdict="deny", opinions=against))
    return request.model_copy(update={"max_output_tokens": longest})


async def reserve(engine: Engine, turn: Turn, seq: int, asked: Question, need: Need) -> tuple[Opinion, ...]:
    """Reserve what a step needs at most under every limit, or nothing; what is against it.

    Raises Fenced, DatabaseDown.
    """
    book = await engine.book(turn)
    limits = tuple(metered(book))
    if need.cost_micro is None and book.governance.unpriced == "allow":
        need = need.model_copy(update={"cost_micro": 0})
    if against := (*counting.unpriced(limits, need, asked), *_unpriced_turn(book, turn, need)):
        return against
    wanted = [*counting.demands(limits, subjects(book, turn), need, asked), *_own(book, turn, need)]
    above = need.cost_micro if turn.interaction.parent_id else None
    if not wanted and above is None:
        return ()
    wanted.sort(key=lambda one: one.order)
    match await meters.reserve(engine.db, turn.fence, seq, wanted, above=above):
        case meters.Refused() as refused:
            return (refused.opinion,)
        case _:
            turn.reserved.add(seq)
            return ()


async def settle(engine: Engine, turn: Turn, seq: int, cost_micro: int | None, tokens: int | None = None) -> None:
    """What a step came to, once its outcome is recorded. Never fails a turn (COST-03)."""
    if seq in turn.reserved:
        turn.reserved.discard(seq)
        await meters.settle(engine.db, turn.fence, seq, cost_micro=cost_micro, tokens=tokens)


async def release(engine: Engine, turn: Turn, seq: int) -> None:
    """Give back what was reserved for a call that was not made. Never fails a turn."""
    if seq in turn.reserved:
        turn.reserved.discard(seq)
        await meters.release(engine.db, turn.fence, seq)


async def cut_off(engine: Engine, turn: Turn, seq: int, request: ModelRequest, heard: int) -> None:
    """Count a model call that ended before its answer was whole: providers bill what they read and wrote, but no longer
    say how much that was. ``heard``: the characters that came. Never fails a turn."""
    if seq not in turn.reserved:
        return
    read, written = most_tokens(request) // BYTES_PER_TOKEN, heard // BYTES_PER_TOKEN
    cost = engine.models.worst_micro(request.model, read, written)
    await settle(engine, turn, seq, cost, read + written)


def most_tokens(request: ModelRequest) -> int:
    """How many tokens a request has at most: no tokeniser makes a token of less than a byte."""
    pictures = sum(1 for message in request.messages for part in message.parts if part.kind == "image")
    words = request.model_dump_json(include={"system", "tools", "output_schema"})
    said = (message.model_dump_json(exclude={"parts": {"__all__": {"data"}}}) for message in request.messages)
    return len(words.encode()) + sum(len(one.encode()) for one in said) + pictures * PICTURE_TOKENS


def metered(book: Book) -> Iterator[Metered]:
    """The limits that hold here."""
    for policy, rule in book.rules():
        if isinstance(rule, CostRule | RateRule):
            yield Metered(policy_id=policy.id, layer=policy.layer, name=policy.name, team_id=policy.team_id, rule=rule)


def subjects(book: Book, turn: Turn) -> Subjects:
    """On whom the calls of a turn are counted."""
    seen = turn.interaction
    return Subjects(
        account_id=turn.fence.account_id,
        team_ids=book.team_ids,
        user_id=seen.user_id,
        agent_id=seen.agent_id,
        chain=(seen.parent_id, seen.id) if seen.parent_id else (seen.id,),
    )


def _is_limited(book: Book, turn: Turn) -> bool:
    return (
        _cap(book, turn) is not None or turn.interaction.parent_id is not None or next(metered(book), None) is not None
    )


def _cap(book: Book, turn: Turn) -> int | None:
    """What the turn may cost by itself: the agent's own limit and its role's (AGT-21, REG-06)."""
    bound = book.role.authority_bounds.max_spend_micro if book.role else None
    return min((one for one in (turn.config.limits.max_cost_micro, bound) if one is not None), default=None)


def _own(book: Book, turn: Turn, need: Need) -> Iterator[Demand]:
    cap = _cap(book, turn)
    if cap is not None and need.cost_micro:
        yield meters.own_cap(turn.fence, cap, need.cost_micro)


def _unpriced_turn(book: Book, turn: Turn, need: Need) -> tuple[Opinion, ...]:
    if _cap(book, turn) is None or need.cost_micro is not None:
        return ()
    words = (
        "Nobody knows what this costs, and the agent has a limit of cost. Name another model, or take the limit away."
    )
    return (Opinion(layer=Layer.AGENT, rule="max_cost", verdict="deny", reason="unknown_price", detail=words),)

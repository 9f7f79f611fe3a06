"""Any sequence of reserving, settling, releasing, takeovers and sweeps comes to what a small model of it says."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from retinue import errors
from retinue.db import migrate, pool
from retinue.db.pool import Database
from retinue.domain import ids
from retinue.domain.meters import Demand
from retinue.store import meters
from retinue.store.turns import Fence
from tests.conftest import SECRET
from tests.store.conftest import make_office
from tests.store.spending import Books, budget

TURNS, SEQS = 2, 2
CAPS = (100, 60, 40)
"""Three budgets; a call is held to some of them."""

STANDS = """
select coalesce(m.spent, 0) as spent, coalesce(m.reserved, 0) as reserved
from unnest($2::uuid[]) with ordinality as w (id, place)
left join meter m on m.account_id = $1 and m.policy_id = w.id order by w.place
"""

Act = Literal["reserve", "settle", "release", "take_over", "done", "end", "sweep"]


@dataclass(frozen=True)
class Move:
    act: Act
    turn: int
    seq: int
    back: int
    """By how many attempts whoever acts is behind."""
    limits: frozenset[int]
    amount: int
    used: int


ACTS: tuple[Act, ...] = ("reserve", "settle", "release", "take_over", "done", "end", "sweep")
moves = st.builds(
    Move,
    act=st.sampled_from(("reserve", "reserve", "settle", *ACTS)),
    turn=st.integers(0, TURNS - 1),
    seq=st.integers(1, SEQS),
    back=st.sampled_from([0, 0, 0, 1]),
    limits=st.frozensets(st.integers(0, len(CAPS) - 1), min_size=1),
    amount=st.integers(0, 50),
    used=st.integers(0, 50),
)  # fmt: skip


@dataclass
class Hold:
    limits: frozenset[int]
    amount: int
    held: bool = True


@dataclass
class Model:
    """What should be."""

    spent: list[int] = field(default_factory=lambda: [0] * len(CAPS))
    reserved: list[int] = field(default_factory=lambda: [0] * len(CAPS))
    late: int = 0
    """Spent by attempts that were given up: nobody can hold back what has been spent already."""
    holds: dict[tuple[int, int, int], Hold] = field(default_factory=dict[tuple[int, int, int], Hold])
    attempts: list[int] = field(default_factory=lambda: [1] * TURNS)
    over: set[int] = field(default_factory=set[int])
    done: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict[tuple[int, int], tuple[int, int]])
    """(turn, seq) -> (attempt, cost) of steps that have ended."""

    def reserve(self, turn: int, seq: int, limits: frozenset[int], amount: int) -> bool:
        attempt = self.attempts[turn]
        for (t, s, _), hold in self.holds.items():
            if (t, s) == (turn, seq) and hold.held:
                self._give_back(hold)
        if amount and any(self.spent[n] + self.reserved[n] + amount > CAPS[n] for n in limits):
            return False
        for n in limits:
            self.reserved[n] += amount
        self.holds[turn, seq, attempt] = Hold(limits, amount)
        return True

    def settle(self, key: tuple[int, int, int], cost: int) -> bool:
        hold = self.holds.pop(key, None)
        if hold is None:
            return False
        if hold.held:
            self._give_back(hold)
        else:
            self.late += cost
        for n in hold.limits:
            self.spent[n] += cost
        return True

    def release(self, key: tuple[int, int, int]) -> bool:
        hold = self.holds.get(key)
        if hold is None or not hold.held:
            return False
        self._give_back(hold)
        return True

    def sweep(self) -> None:
        for key, hold in list(self.holds.items()):
            turn, seq, attempt = key
            if not hold.held:
                continue
            ended = self.done.get((turn, seq))
            if ended is not None and ended[0] == attempt:
                self.settle(key, ended[1])
            elif turn in self.over or self.attempts[turn] != attempt:
                self._give_back(hold)

    def _give_back(self, hold: Hold) -> None:
        hold.held = False
        for n in hold.limits:
            self.reserved[n] -= hold.amount


@dataclass
class World:
    """What is."""

    books: Books
    turns: list[Fence]
    limits: list[Demand]

    def demands(self, move: Move) -> list[Demand]:
        return [self.limits[n].model_copy(update={"amount": move.amount}) for n in move.limits]

    async def stands(self) -> list[tuple[int, int]]:
        policies = [one.policy_id for one in self.limits]
        async with self.books.db.tenant_tx(self.books.account_id) as tx:
            rows = await tx.fetch(STANDS, self.books.account_id, policies)
        return [(row["spent"], row["reserved"]) for row in rows]


async def play(db: Database, account_id: UUID, script: list[Move]) -> None:
    books = Books(db, account_id)
    world = World(books, [await books.turn() for _ in range(TURNS)], [budget(cap, 0) for cap in CAPS])
    model = Model()
    for move in script:
        await step(world, model, move)
        found = await world.stands()
        assert found == list(zip(model.spent, model.reserved, strict=True)), move
        assert all(spent + reserved <= cap + model.late for (spent, reserved), cap in zip(found, CAPS, strict=True))
    for number, turn in enumerate(world.turns):
        await books.end(turn)
        model.over.add(number)
    await meters.sweep(db, 0)
    assert [reserved for _, reserved in await world.stands()] == [0] * len(CAPS), "something stays reserved"


async def step(world: World, model: Model, move: Move) -> None:
    db, now = world.books.db, model.attempts[move.turn]
    attempt = max(now - move.back, 1)
    key = (move.turn, move.seq, attempt)
    fence = world.turns[move.turn].model_copy(update={"attempt": attempt})
    used = min(move.used, model.holds[key].amount) if key in model.holds else 0
    match move.act:
        case "reserve" if move.turn in model.over or attempt != now:
            with pytest.raises(errors.Fenced):
                await meters.reserve(db, fence, move.seq, world.demands(move))
        case "reserve" if (move.turn, move.seq) not in model.done:
            reserved = await world.books.reserve(fence, move.seq, world.demands(move))
            assert reserved == model.reserve(move.turn, move.seq, move.limits, move.amount)
        case "settle":
            settled = await meters.settle(db, fence, move.seq, cost_micro=used, tokens=0)
            assert settled == model.settle(key, used)
        case "release":
            assert await meters.release(db, fence, move.seq) == model.release(key)
        case "take_over":
            await world.books.take_over(fence)
            model.attempts[move.turn] += 1
        case "done":
            await done(world, model, key, used)
        case "end":
            await end(world, model, move.turn)
        case "sweep":
            await meters.sweep(db, 0)
            model.sweep()
        case "reserve":
            pass  # a step that has ended asks for nothing more


async def end(world: World, model: Model, turn: int) -> None:
    if turn not in model.over:
        await world.books.end(world.turns[turn])
        model.over.add(turn)


async def done(world: World, model: Model, key: tuple[int, int, int], cost: int) -> None:
    """The step ends, if it has not, and the attempt is the one that counts."""
    turn, seq, attempt = key
    if (turn, seq) in model.done or attempt != model.attempts[turn] or turn in model.over:
        return
    await world.books.step(world.turns[turn].model_copy(update={"attempt": attempt}), seq, cost)
    model.done[turn, seq] = attempt, cost


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


@pytest.mark.requirement("COST-11", "COST-13")
def test_any_sequence_of_events_comes_to_what_the_model_says(database_url: str, runner: asyncio.Runner) -> None:
    """Costs eighty examples of up to forty moves; without shrinking, which would take minutes."""
    db = runner.run(pool.connect(*(migrate.role_url(database_url, role, SECRET) for role in migrate.ROLES)))
    account = runner.run(make_office(db, f"o{ids.new().hex[:8]}")).account_id

    @settings(max_examples=80, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(moves, min_size=20, max_size=40))
    def check(script: list[Move]) -> None:
        runner.run(play(db, account, script))

    check()
    runner.run(db.close())

"""``next_move``: from the rows alone, with crashes at any point, to the same end as without."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retinue.domain import ids
from retinue.domain.agents import Limits
from retinue.domain.tools import Effect
from retinue.domain.turns import (
    Act,
    Journal,
    Respond,
    State,
    Step,
    StepKind,
    StepState,
    Stop,
    Suspend,
    Think,
    closing_text,
    limit_reached,
    next_move,
)
from retinue.domain.waits import Wait, WaitKind, WaitState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
effects = st.sampled_from(list(Effect))
plans = st.lists(st.lists(effects, min_size=1, max_size=3), max_size=4)
"""What the model asks for: one list of calls per think step; then it answers."""


@dataclass
class World:
    """Rows, the outside, and a process that does what ``next_move`` says and may die at any point."""

    plan: list[list[Effect]]
    steps: dict[int, Step] = field(default_factory=dict[int, Step])
    waits: list[Wait] = field(default_factory=list[Wait])
    done: Counter[str] = field(default_factory=Counter[str])
    """Effects on the outside, by step: how often each has happened."""
    keys: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    asked: int = 0
    reply: str | None = None
    state: State = State.RUNNING

    def journal(self) -> Journal:
        steps = tuple(self.steps[seq] for seq in sorted(self.steps))
        return Journal(state=self.state, steps=steps, waits=tuple(self.waits), limits=Limits(max_steps=100))

    def put(self, seq: int, **values: Any) -> None:
        old = self.steps.get(seq)
        self.steps[seq] = old.model_copy(update=values) if old else Step(seq=seq, **values)

    def think(self, seq: int, dies: bool) -> None:
        self.put(seq, kind=StepKind.THINK, state=StepState.RUNNING)
        if dies:
            return
        number = sum(1 for step in self.steps.values() if step.kind is StepKind.THINK) - 1
        calls = self.plan[number] if number < len(self.plan) else []
        self.put(seq, state=StepState.SUCCESS, output={"text": f"text {number}"})
        for index, effect in enumerate(calls):
            self.put(
                seq + 1 + index,
                kind=StepKind.ACT,
                state=StepState.CREATED,
                parent_seq=seq,
                call_index=index,
                tool=effect.value,
                effect=effect,
            )

    def act(self, seq: int, dies: str) -> None:
        """``dies``: '' never, 'intent' after the intent, 'effect' after the effect but before the record."""
        step = self.steps[seq]
        answer = next((w for w in self.waits if w.step_seq == seq), None)
        if answer is not None:
            self.put(seq, state=StepState.SUCCESS, output={"content": "told"})
            return
        self.put(seq, state=StepState.RUNNING)
        if dies == "intent":
            return
        if step.effect in (Effect.EXTERNAL_KEYED, Effect.EXTERNAL_ONCE):
            self.done[f"{seq}"] += 1
            self.keys.setdefault(f"{seq}", set()).add(f"int.{seq}")
        if dies == "effect":
            return  # a write is undone with its transaction; the outside is not
        if step.effect is Effect.WRITE:
            self.done[f"{seq}"] += 1
        self.put(seq, state=StepState.SUCCESS, output={"content": "ok"})

    def ask(self, seq: int) -> None:
        self.asked += 1
        self.put(seq, state=StepState.UNKNOWN)
        self.waits.append(
            Wait(
                id=ids.new(),
                kind=WaitKind.OUTCOME,
                state=WaitState.OPEN,
                interaction_id=None,
                step_seq=seq,
                tool="x",
                arguments_hash=None,
                prompt="?",
                created_at=NOW,
            )
        )

    def answer_all(self) -> None:
        self.waits = [
            w.model_copy(update={"state": WaitState.RESOLVED, "resolution": {"happened": True}}) for w in self.waits
        ]


def run(world: World, deaths: list[str]) -> World:
    """Go on to the end; ``deaths`` says at which moves the process dies, and how."""
    fates = iter(deaths)
    for _ in range(500):
        fate = next(fates, "")
        match next_move(world.journal()):
            case Think(seq=seq):
                world.think(seq, dies=bool(fate))
            case Act(seqs=seqs, unknown=unknown):
                for seq in unknown:
                    world.ask(seq)
                for seq in seqs:
                    world.act(seq, fate)
            case Suspend():
                world.answer_all()
            case Respond(text=text):
                if not fate:  # reply and end are one transaction
                    world.reply, world.state = text, State.SUCCEEDED
            case Stop():
                return world
    raise AssertionError("it never ended")


@pytest.mark.requirement("AGT-11", "AGT-12", "CON-02", "DUR-05", "DUR-18")
@settings(max_examples=300, deadline=None)
@given(plans, st.lists(st.sampled_from(["", "", "intent", "effect"]), max_size=25))
def test_a_turn_that_dies_anywhere_ends_like_one_that_does_not(plan: list[list[Effect]], deaths: list[str]) -> None:
    calm, stormy = run(World(plan), []), run(World(plan), deaths)
    assert stormy.reply == calm.reply == f"text {len(plan)}"
    shape = [(s.seq, s.kind, s.state, s.tool) for s in calm.steps.values()]
    assert [(s.seq, s.kind, s.state, s.tool) for _, s in sorted(stormy.steps.items())] == shape


@pytest.mark.requirement("AGT-12", "DUR-07")
@settings(max_examples=300, deadline=None)
@given(plans, st.lists(st.sampled_from(["", "intent", "effect"]), max_size=25))
def test_no_effect_happens_twice_but_under_the_same_key(plan: list[list[Effect]], deaths: list[str]) -> None:
    world = run(World(plan), deaths)
    for seq, times in world.done.items():
        match world.steps[int(seq)].effect:
            case Effect.EXTERNAL_KEYED:
                assert len(world.keys[seq]) == 1
            case _:
                assert times == 1


@pytest.mark.requirement("TOOL-02")
@given(st.lists(st.sampled_from(list(StepState)), min_size=1, max_size=5), effects)
def test_it_waits_only_when_nothing_can_run(states: list[StepState], effect: Effect) -> None:
    steps = (
        Step(seq=1, kind=StepKind.THINK, state=StepState.SUCCESS, output={"text": ""}),
        *tuple(
            Step(seq=2 + i, kind=StepKind.ACT, state=state, parent_seq=1, call_index=i, effect=effect)
            for i, state in enumerate(states)
        ),
    )
    waits = tuple(
        Wait(
            id=ids.new(),
            kind=WaitKind.APPROVAL,
            state=WaitState.OPEN,
            interaction_id=None,
            step_seq=s.seq,
            tool=None,
            arguments_hash=None,
            prompt="",
            created_at=NOW,
        )
        for s in steps
        if s.state in (StepState.WAITING, StepState.UNKNOWN)
    )
    move = next_move(Journal(state=State.RUNNING, steps=steps, waits=waits))
    runnable = [s for s in steps[1:] if s.state in (StepState.CREATED, StepState.RUNNING)]
    waiting = [s for s in steps[1:] if s.state in (StepState.WAITING, StepState.UNKNOWN)]
    if runnable:
        assert isinstance(move, Act)
        assert set(move.seqs) | set(move.unknown) == {s.seq for s in runnable}
    elif waiting:
        assert move == Suspend(tuple(s.seq for s in waiting))
    else:
        assert isinstance(move, Think)


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.CANCELLED])
def test_what_has_ended_stays_ended(state: State) -> None:
    assert next_move(Journal(state=state, cancel_requested=True)) == Stop(state, "ended")


def test_a_cancelled_turn_stops_before_anything_else() -> None:
    assert next_move(Journal(state=State.RUNNING, cancel_requested=True)) == Stop(State.CANCELLED, "cancelled")


def test_a_failed_think_step_fails_the_turn_with_its_reason() -> None:
    step = Step(seq=1, kind=StepKind.THINK, state=StepState.FAILED, error="model_refused")
    assert next_move(Journal(state=State.RUNNING, steps=(step,))) == Stop(State.FAILED, "model_refused")


@pytest.mark.requirement("AGT-21", "AGT-22", "TOOL-20")
@pytest.mark.parametrize(
    ("limits", "values", "reason"),
    [
        (Limits(max_steps=2), {}, "step_limit"),
        (Limits(max_tokens=100), {"tokens": 100}, "token_limit"),
        (Limits(max_cost_micro=5), {"cost_micro": 6}, "cost_limit"),
        (Limits(max_seconds=3), {"running_seconds": 3.5}, "time_limit"),
    ],
)
def test_reaching_a_limit_still_ends_in_a_respond_step(limits: Limits, values: dict[str, Any], reason: str) -> None:
    steps = tuple(
        step
        for i in (1, 3)
        for step in (
            Step(seq=i, kind=StepKind.THINK, state=StepState.SUCCESS, output={"text": f"so far {i}"}),
            Step(seq=i + 1, kind=StepKind.ACT, state=StepState.SUCCESS, parent_seq=i, call_index=0),
        )
    )
    journal = Journal(state=State.RUNNING, steps=steps, limits=limits, **values)
    assert limit_reached(journal) == reason
    assert next_move(journal) == Respond(seq=5, text="so far 3", reason=reason)
    assert closing_text("so far 3", reason).startswith("so far 3\n\nI stopped here")


def test_the_default_limit_is_ten_think_steps() -> None:
    assert Limits().max_steps == 10

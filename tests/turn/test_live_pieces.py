"""Pieces of a stream on their way to a reader in the same process: some straight, some by the database."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import ids
from retinue.turn import live
from retinue.turn.live import Bell, Piece

LENGTH = 6
ONE = ids.new()


class Rows:
    """What is in the database, as ``streams.read`` gives it."""

    def __init__(self) -> None:
        self.stored: list[Piece] = []

    async def read(self, _db: Any, _account: UUID, _id: UUID, after: tuple[int, int], *, whole: bool) -> dict[str, Any]:
        newest = max((piece.attempt for piece in self.stored), default=1)
        chunks = [
            {"attempt": piece.attempt, "seq": piece.seq, "kind": piece.kind, "data": piece.data}
            for piece in self.stored
            if piece.attempt == newest and piece.place > after
        ]
        return {"state": "running", "attempt": newest, "chunks": chunks, "steps": [], "waits": []}


def orders(choices: list[int]) -> list[tuple[str, int]]:
    """One order of events: each piece is given, stored, then told, one after another; the reader looks in between."""
    left = {"give": 1, "store": 1, "tell": 1}
    order: list[tuple[str, int]] = []
    steps = iter(choices)
    while left["tell"] <= LENGTH:
        able: list[str] = []
        able += ["give"] if left["give"] <= LENGTH else []
        able += ["store"] if left["store"] < left["give"] else []
        able += ["tell"] if left["tell"] < left["store"] else []
        able += ["read"]
        event = able[next(steps, 0) % len(able)]
        order.append((event, left.get(event, 0)))
        if event in left:
            left[event] += 1
    return order


async def run(order: list[tuple[str, int]], late: int) -> list[str]:
    """What the reader is told; it comes when ``late`` events have passed."""
    rows, bell, told = Rows(), Bell(pieces=True), []
    reader = live._Reader(None, ONE, ONE, (0, 0))  # type: ignore[arg-type]  # pyright: ignore[reportPrivateUsage]

    async def read() -> None:
        if not bell.is_set() and not bell.more:
            return
        near, far, whole = bell.near, bell.far, bell.more
        bell.clear()
        told.extend(reader.take(near))
        if far or whole:
            told.extend(await reader.look(whole=whole))
            bell.at = max(bell.at, reader.at)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live.streams, "read", rows.read)
        for number, (event, seq) in enumerate(order):
            piece = Piece(1, seq, "text", {"text": str(seq)})
            if event == "store":
                rows.stored.append(piece)
            elif number < late:
                continue
            elif event == "give":
                bell.give(piece)
            elif event == "tell":
                bell.told(piece.place)
            else:
                await read()
        await read()
    return [one.data["text"] for one in told]


@given(choices=st.lists(st.integers(0, 3), max_size=40), late=st.integers(0, 12))
async def test_a_reader_gets_every_piece_once_and_in_order_whenever_it_comes(choices: list[int], late: int) -> None:
    assert await run(orders(choices), late) == [str(seq) for seq in range(1, LENGTH + 1)]


def test_the_next_piece_of_this_process_needs_no_look_into_the_database() -> None:
    bell = Bell(pieces=True)
    bell.clear()
    bell.give(Piece(1, 1, "text", {"text": "a"}))
    bell.told((1, 1))
    assert [piece.seq for piece in bell.near] == [1] and not bell.far


def test_whoever_waits_for_the_end_is_not_woken_by_pieces() -> None:
    bell = Bell(pieces=False)
    bell.give(Piece(1, 1, "text", {"text": "a"}))
    bell.told((1, 1))
    assert not bell.is_set()

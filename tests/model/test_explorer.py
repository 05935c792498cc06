"""The explorer itself, on models small enough to see through."""

from __future__ import annotations

import pytest

from .explorer import BoundError, Explorer, Move
from .tour import tours


class Counter:
    """Counts to ``top``; from ``trap`` on nothing fair leads back to zero."""

    def __init__(self, *, top: int = 5, bad: int | None = None, trap: int | None = None) -> None:
        self.top, self.bad, self.trap = top, bad, trap

    def initial(self):
        return 0

    def moves(self, state):
        if state < self.top:
            yield Move(("up",), False, state + 1)
        if state < self.top - 1:
            yield Move(("jump",), False, state + 2)
        if state and (self.trap is None or state < self.trap):
            yield Move(("reset",), True, 0)

    def wrong(self, state):
        return f"{state} is bad" if state == self.bad else None

    def is_good_end(self, state):
        return state == 0

    def describe(self, label):
        return f"goes {label[0]}"


def test_every_state_is_seen_once():
    report = Explorer(Counter(top=5)).run()
    assert (report.states, report.moves, report.counterexample) == (6, 5 + 4 + 5, None)
    assert report.depth == 3


def test_the_way_to_a_wrong_state_is_a_shortest_one():
    found = Explorer(Counter(bad=4)).run().counterexample
    assert found is not None
    assert found.steps == ("goes jump", "goes jump")
    assert str(found) == "4 is bad\n  1. goes jump\n  2. goes jump"


def test_a_wrong_initial_state_needs_no_step():
    found = Explorer(Counter(bad=0)).run().counterexample
    assert found is not None and found.steps == ()


def test_a_state_without_a_fair_way_back_is_stuck():
    found = Explorer(Counter(trap=3)).run().counterexample
    assert found is not None
    assert found.complaint.startswith("Stuck for ever")
    assert len(found.steps) == 2


def test_unfair_moves_do_not_free_anybody():
    model = Counter(top=3)
    model.moves = lambda state: [Move(("reset",), False, 0)] if state else [Move(("up",), False, 1)]
    assert Explorer(model).run().counterexample is not None


def test_a_bound_that_is_too_large_is_said():
    with pytest.raises(BoundError):
        Explorer(Counter(top=100), limit=50).run()


def test_tours_make_every_move():
    model = Counter(top=6)
    walks = list(tours(model, longest=7))
    made = set()
    for walk in walks:
        state = 0
        for move in walk:
            assert move in list(model.moves(state))
            made.add((state, move))
            state = move.state
    assert made == {(state, move) for state in range(7) for move in model.moves(state)}

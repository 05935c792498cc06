"""A small explicit-state model checker: every reachable state, breadth first, with the shortest way to each.

A model says where it starts, which moves a state allows, what is wrong with a state and which states are
good ends. The explorer reports the first state that is wrong (the way to it is a shortest one, since the search
goes breadth first), and, when none is, the first state from which no good end can be reached any more by
fair moves alone: there something is stuck for ever.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Move(NamedTuple):
    """One step that somebody can make."""

    #: The action and its arguments; ``Model.describe`` makes a sentence of it.
    label: tuple[Hashable, ...]
    #: Whether it happens by itself sooner or later. Faults, people and new events need not happen.
    is_fair: bool
    state: Hashable


class Model(Protocol):
    """What the explorer needs to know."""

    def initial(self) -> Hashable:
        """Return the state in which everything begins."""

    def moves(self, state: Hashable) -> Iterable[Move]:
        """Return what can happen next."""

    def wrong(self, state: Hashable) -> str | None:
        """Return the invariant that ``state`` breaks, as a sentence."""

    def is_good_end(self, state: Hashable) -> bool:
        """Return whether all may rest here."""

    def describe(self, label: tuple[Hashable, ...]) -> str:
        """Return a label as a readable step."""


@dataclass(frozen=True, kw_only=True)
class Counterexample:
    """A shortest way into trouble."""

    complaint: str
    labels: tuple[tuple[Hashable, ...], ...]
    steps: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{number:3}. {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([self.complaint, *lines])


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one exploration found."""

    states: int
    moves: int
    #: Moves on the longest of the shortest ways.
    depth: int
    counterexample: Counterexample | None


class BoundError(Exception):
    """The bound of the scenario is larger than the explorer may go."""


class Explorer:
    """One exploration of one model."""

    def __init__(self, model: Model, *, limit: int = 1_000_000) -> None:
        self._model = model
        self._limit = limit
        self.states: list[Hashable] = []
        self._numbers: dict[Hashable, int] = {}
        self._parents = array("q")
        self._labels: list[tuple[Hashable, ...]] = []
        self._depths = array("H")
        self._fair_starts = array("Q")
        self._fair_targets = array("Q")
        self._moves = 0

    def run(self) -> Report:
        """Explore until something is wrong or all is seen; raise BoundError beyond the limit."""
        found = self._search()
        if found is None:
            found = self._first_stuck()
        return Report(
            states=len(self.states), moves=self._moves, depth=max(self._depths), counterexample=found
        )

    def way_to(self, number: int) -> list[tuple[Hashable, ...]]:
        """Return the labels of a shortest way to the state with this number."""
        labels = []
        while self._parents[number] >= 0:
            labels.append(self._labels[number])
            number = self._parents[number]
        return labels[::-1]

    def _search(self) -> Counterexample | None:
        model, numbers, targets = self._model, self._numbers, self._fair_targets
        complaint = self._enter(model.initial(), -1, ())
        if complaint:
            return self._counterexample(0, complaint)
        current = 0
        while current < len(self.states):
            self._fair_starts.append(len(targets))
            for move in model.moves(self.states[current]):
                self._moves += 1
                number = numbers.get(move.state)
                if number is None:
                    number = len(self.states)
                    complaint = self._enter(move.state, current, move.label)
                    if complaint:
                        return self._counterexample(number, complaint)
                if move.is_fair:
                    targets.append(number)
            current += 1
        self._fair_starts.append(len(targets))
        return None

    def _enter(self, state: Hashable, parent: int, label: tuple[Hashable, ...]) -> str | None:
        if len(self.states) >= self._limit:
            raise BoundError(f"more than {self._limit} states")
        self._numbers[state] = len(self.states)
        self.states.append(state)
        self._parents.append(parent)
        self._labels.append(label)
        self._depths.append(self._depths[parent] + 1 if parent >= 0 else 0)
        return self._model.wrong(state)

    def _first_stuck(self) -> Counterexample | None:
        """Return the way to the first state without a fair way to a good end.

        Going backwards through the states, most successors are known before their predecessors, so that a few
        sweeps are enough.
        """
        can_end = bytearray(map(self._model.is_good_end, self.states))
        starts, targets = self._fair_starts, self._fair_targets
        open_states = [number for number in range(len(can_end) - 1, -1, -1) if not can_end[number]]
        while open_states:
            left = []
            for number in open_states:
                if any(can_end[targets[i]] for i in range(starts[number], starts[number + 1])):
                    can_end[number] = 1
                else:
                    left.append(number)
            if len(left) == len(open_states):
                return self._counterexample(left[-1], "Stuck for ever: nothing fair leads to a good end.")
            open_states = left
        return None

    def _counterexample(self, number: int, complaint: str) -> Counterexample:
        labels = self.way_to(number)
        return Counterexample(
            complaint=complaint,
            labels=tuple(labels),
            steps=tuple(self._model.describe(label) for label in labels),
        )

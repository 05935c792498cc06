"""The job and effect protocol keeps its invariants, whatever happens in whatever order."""

from __future__ import annotations

import random

import pytest

from .explorer import Explorer
from .protocol import MOVES, JobProtocol
from .scenarios import SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_every_reachable_state_keeps_the_invariants_and_has_a_way_to_a_good_end(scenario):
    report = Explorer(JobProtocol(scenario)).run()
    print(f"{scenario.name}: {report.states} states, {report.moves} moves, depth {report.depth}")
    assert report.counterexample is None, str(report.counterexample)
    # A bound that has become too small would prove nothing.
    assert report.states > 3000
    assert report.depth > 20


def test_the_scenarios_together_know_every_move():
    seen = set()
    for scenario in SCENARIOS:
        rng = random.Random(scenario.name)
        for _ in range(150):
            state = (protocol := JobProtocol(scenario)).initial()
            for _ in range(40):
                moves = list(protocol.moves(state))
                name = rng.choice(sorted({str(move.label[0]) for move in moves}))
                seen.add(name)
                state = rng.choice([move.state for move in moves if move.label[0] == name])
    assert seen == MOVES

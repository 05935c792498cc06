"""The model is no fairy tale: the real ledger, led through the same steps, holds the same after each of them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bridge.ledger import Ledger

from .explorer import Move
from .protocol import JobProtocol
from .replay import DifferenceError, Replay, replayable
from .scenarios import (
    DEPENDENCY,
    MENDING,
    ONE_GUEST,
    ONE_ORDER,
    ONE_SHIPMENT,
    SCENARIOS,
    TURNS,
    TWO_EFFECTS,
    ZOMBIES,
)
from .states import Scenario
from .tour import tours

_TWO_TURNS = replace(TURNS, name="two turns", locks=("order", "order"), plans=((), ()), rows=2)

#: Bounds small enough to make every single move of them.
REDUCED = tuple(
    replayable(replace(scenario, workers=1, has_duplicates=False, has_zombies=False))
    for scenario in (ONE_SHIPMENT, replace(_TWO_TURNS, has_cancel=False), MENDING)
)
#: Bounds to walk in at random; of three that wait for a lock the ledger's next is by age, the model's by row.
WALKED = tuple(
    replayable(scenario)
    for scenario in (
        ONE_ORDER,
        ONE_SHIPMENT,
        ZOMBIES,
        _TWO_TURNS,
        MENDING,
        ONE_GUEST,
        TWO_EFFECTS,
        DEPENDENCY,
    )
)
WALKS = 40
STEPS = 60


def _id(scenario: Scenario) -> str:
    return scenario.name.replace(" ", "-")


@pytest.mark.parametrize("scenario", REDUCED, ids=_id)
def test_the_ledger_makes_every_move_of_a_reduced_bound_as_the_model_does(scenario, real_ledger):
    protocol = JobProtocol(scenario)
    made = 0
    for walk in tours(protocol, longest=500):
        replay = Replay(protocol, real_ledger)
        for move in walk:
            replay.make(move)
        made += len(walk)
    print(f"{scenario.name}: {made} moves made")
    assert made > 3000


@pytest.mark.parametrize("scenario", WALKED, ids=_id)
def test_the_ledger_goes_along_on_random_walks(scenario, real_ledger):
    _walk(scenario, real_ledger, walks=WALKS, seed=scenario.name)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "scenario", [one for one in WALKED if one.name in {"one shipment", "zombies", "mending"}], ids=_id
)
def test_the_ledger_goes_along_on_postgresql(scenario, postgres_ledger):
    _walk(scenario, postgres_ledger, walks=8, seed=scenario.name)


def _walk(scenario: Scenario, ledger: Ledger, *, walks: int, seed: str) -> None:
    rng = random.Random(seed)
    protocol = JobProtocol(scenario)
    for _ in range(walks):
        replay = Replay(protocol, ledger)
        for _ in range(STEPS):
            replay.make(_draw(rng, replay.moves()))


def _draw(rng: random.Random, moves: list[Move]) -> Move:
    """Draw a move: mostly one that leads on, and by name first, since of some there are many at a time."""
    fair = [move for move in moves if move.is_fair]
    if fair and rng.random() < 0.75:
        moves = fair
    name = rng.choice(sorted({str(move.label[0]) for move in moves}))
    return rng.choice([move for move in moves if move.label[0] == name])


@pytest.mark.parametrize(
    "sabotage",
    [
        # claim forgets to note what it covers
        "CREATE TRIGGER s AFTER UPDATE OF claimed ON jobs BEGIN UPDATE jobs SET claimed = 0 WHERE id = new.id; END",
        # a confirmation gets lost
        """CREATE TRIGGER s AFTER UPDATE OF state ON effects WHEN new.state = 'confirmed'
        BEGIN UPDATE effects SET state = 'sent' WHERE key = new.key; END""",
        # whoever waits is never woken
        """CREATE TRIGGER s AFTER UPDATE OF state ON jobs WHEN old.state = 'blocked' AND new.state = 'pending'
        BEGIN UPDATE jobs SET state = 'blocked' WHERE id = new.id; END""",
    ],
    ids=["claim", "confirm", "release"],
)
def test_a_ledger_that_does_otherwise_is_found_out(sabotage, real_ledger):
    real_ledger.database.command(sabotage)
    try:
        with pytest.raises(DifferenceError, match="1\\. "):
            for scenario in WALKED:
                _walk(scenario, real_ledger, walks=10, seed="sabotage")
    finally:
        real_ledger.database.command("DROP TRIGGER s")


def test_the_scenarios_of_the_model_are_replayed_but_for_those_that_one_transaction_closes():
    walked = {scenario.name for scenario in WALKED}
    assert {scenario.name for scenario in SCENARIOS} - walked == {"lost claim", "turns"}

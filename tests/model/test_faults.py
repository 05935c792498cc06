"""The model check can fail: each fault planted into the protocol is found, by a shortest way that a person can read."""

from __future__ import annotations

import pytest

from .explorer import Explorer
from .faults import FAULTS
from .protocol import JobProtocol
from .replay import Replay, replayable


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found_and_the_ledger_does_not_have_it(fault, real_ledger):
    report = Explorer(JobProtocol(fault.scenario, faults=frozenset({fault.name}))).run()
    found = report.counterexample
    assert found is not None, f"nobody noticed {fault.name} in {report.states} states"
    print(f"{fault.name}: {report.states} states\n{found}")
    assert found.complaint.startswith(fault.complaint), str(found)
    assert all(step.endswith(".") for step in found.steps)

    # The real ledger, led the same way, does what the sound protocol does, as far as that allows this way at all.
    replay = Replay(JobProtocol(replayable(fault.scenario)), real_ledger)
    assert replay.follow(found.labels) > 0

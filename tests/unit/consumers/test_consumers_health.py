from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.ledger import Process
from consumers.health import healthy

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def process(name, role):
    return Process(name=name, role=role, started_at=NOW, beat_at=NOW, age_seconds=1.0)


@pytest.mark.parametrize(
    ("processes", "expected"),
    [
        ([process("here:1:tasks", "tasks")], True),
        ([process("there:1:tasks", "tasks")], False),
        ([process("here:1:intake", "intake")], False),
        ([process("here2:1:tasks", "tasks")], False),
        ([], False),
    ],
)
def test_only_a_process_of_that_role_on_this_machine_counts(processes, expected):
    assert healthy(processes, host="here", role="tasks") is expected

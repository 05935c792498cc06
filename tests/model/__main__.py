"""``python -m tests.model``: explores all scenarios, then plants every fault and prints how it is found."""

from __future__ import annotations

from .explorer import Explorer
from .faults import FAULTS
from .protocol import JobProtocol
from .scenarios import SCENARIOS


def main() -> None:
    """Print the states explored and a shortest counterexample for each fault."""
    total = 0
    for scenario in SCENARIOS:
        report = Explorer(JobProtocol(scenario)).run()
        total += report.states
        verdict = report.counterexample or "all invariants hold"
        print(
            f"{scenario.name:14} {report.states:8} states {report.moves:9} moves, depth {report.depth}: {verdict}"
        )
    print(f"{total} states in all\n")
    for fault in FAULTS:
        report = Explorer(JobProtocol(fault.scenario, faults=frozenset({fault.name}))).run()
        print(f"{fault.name}: {report.counterexample or 'NOT FOUND'}\n")


if __name__ == "__main__":
    main()

"""Chaos tells what its rounds were, and how to run one again that failed."""

from __future__ import annotations

from collections.abc import Callable, Generator

import pytest

from tests.chaos.world import Chaos

#: The name under which a round tells what it was; also across the processes of a run.
TOLD = "chaos"


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Give what a round says of itself in the end, for the summary of ``make chaos``."""
    return lambda told: record_property(TOLD, told)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    chaos = item.callspec.params.get("chaos") if hasattr(item, "callspec") else None
    if isinstance(chaos, Chaos) and report.failed:
        report.sections.append(("Run this round again", chaos.again(item.originalname)))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    passed = terminalreporter.stats.get("passed", [])
    told = [value for one in passed for name, value in one.user_properties if name == TOLD]
    if told:
        terminalreporter.section("rounds of chaos")
        for one in told:
            terminalreporter.write_line(str(one))

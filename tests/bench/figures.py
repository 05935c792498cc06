"""Medians and quartiles of interleaved pairs, as they are printed."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Run:
    """One measured run."""

    #: Jobs, tasks or orders.
    count: int
    seconds: float
    #: User and system time of the process measured.
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """How many per second."""
        return self.count / self.seconds

    @property
    def cpu_millis(self) -> float:
        """CPU per job, task or order in milliseconds."""
        return 1000 * self.cpu_seconds / self.count


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The bridge and what it is measured against, one right after the other."""

    bridge: Run
    bare: Run

    @property
    def ratio(self) -> float:
        """The bridge's rate in shares of the other's."""
        return self.bridge.rate / self.bare.rate


def interleaved(count: int, *, bridge: Callable[[], Run], bare: Callable[[], Run]) -> list[Pair]:
    """Measure ``count`` pairs; which of the two comes first takes turns."""
    pairs = []
    for number in range(count):
        if number % 2:
            first = bridge()
            pairs.append(Pair(bridge=first, bare=bare()))
        else:
            first = bare()
            pairs.append(Pair(bare=first, bridge=bridge()))
    return pairs


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Return ``median [lower quartile .. upper quartile]``."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:{form}} [{low:{form}} .. {high:{form}}]"


def print_pairs(pairs: Sequence[Pair], *, unit: str, bare_name: str, target: float | None) -> None:
    """Print the ratio with its spread, whether the target is met if there is one, and all raw figures."""
    ratios = [pair.ratio for pair in pairs]
    verdict = "met" if target is not None and statistics.median(ratios) >= target else "missed"
    judged = "" if target is None else f"; target {target}: {verdict.upper()}"
    print(f"  ratio            {spread(ratios)} in {len(pairs)} pairs{judged}")
    for name, runs in (
        ("the bridge", [pair.bridge for pair in pairs]),
        (bare_name, [pair.bare for pair in pairs]),
    ):
        print(f"  {name:16} {spread([run.rate for run in runs], '.1f')} {unit}s/s,", end=" ")
        print(f"CPU {spread([run.cpu_millis for run in runs])} ms per {unit}")
    print("  raw, bridge/bare:", " ".join(f"{one.bridge.rate:.0f}/{one.bare.rate:.0f}" for one in pairs))

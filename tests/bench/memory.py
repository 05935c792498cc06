"""The memory of a worker over many orders: whether it stays, or grows with what was done."""

from __future__ import annotations

from typing import Protocol

from tests.bench.children import Child
from tests.bench.figures import Run

#: What a worker may hold more at the end than when a quarter of the orders was done. Less than a kilobyte an order.
ALLOWED_SHARE = 0.05
_QUARTERS = 4


class Importing(Protocol):
    """Imports orders."""

    def run(self, count: int) -> Run:
        """Import ``count`` new orders."""


def watch(worker: Child, importer: Importing, *, orders: int) -> bool:
    """Print what ``worker`` holds at each quarter of ``orders`` orders; return whether it stays."""
    print(f"\n(e) Memory of the worker over {orders:,} orders more, without the sandbox's latency")
    held = [worker.resident_mebibytes()]
    seconds = 0.0
    for quarter in range(_QUARTERS):
        run = importer.run(orders * (quarter + 1) // _QUARTERS - orders * quarter // _QUARTERS)
        seconds += run.seconds
        held.append(worker.resident_mebibytes())
    shown = ", ".join(f"{one:.1f}" for one in held)
    print(f"  resident at the start and at each quarter: {shown} MiB; {orders / seconds:.0f} orders/s")
    growth = held[-1] / held[1] - 1
    is_steady = growth <= ALLOWED_SHARE
    verdict = "MET" if is_steady else "MISSED"
    print(f"  from the first quarter to the end {growth:+.1%}; allowed {ALLOWED_SHARE:+.0%}: {verdict}")
    return is_steady

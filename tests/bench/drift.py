"""(g) A check of drift: memory of the worker, calls and time, of a small and of a large catalog."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.ledger import DriftCounts
from tests.bench.children import Child
from tests.bench.figures import Run
from tests.bench.shop import Shop
from tests.bench.world import World

#: Megabytes that the worker may hold at any time of a check, whatever the number of products.
ALLOWED_MEGABYTES = 250
#: Rows of one page, on each side.
_PAGE = 500
_MEGABYTES_PER_MEBIBYTE = 1024 * 1024 / 1_000_000


@dataclass(frozen=True, kw_only=True)
class Check:
    """What a check of drift took."""

    run: Run
    calls: Mapping[str, int]
    #: Memory of the worker while it ran, in equal steps of time.
    held: Sequence[float]
    counts: Mapping[str, DriftCounts]

    @property
    def figures(self) -> int:
        """Figures of bound products that were compared."""
        return self._sum("checked")

    @property
    def differing(self) -> int:
        """Figures of bound products that differ."""
        return self._sum("warning") + self._sum("critical") + self._sum("not_found")

    @property
    def most_megabytes(self) -> float:
        """The most memory that was seen."""
        return max(self.held) * _MEGABYTES_PER_MEBIBYTE

    def calls_to(self, system: str) -> int:
        """Return how many calls went to ``system``."""
        return sum(count for call, count in self.calls.items() if call.startswith(f"{system}:"))

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was written into either system."""
        return all(call.startswith("magento: GET") or call.endswith(".read") for call in self.calls)

    @property
    def allowed_calls(self) -> tuple[int, int]:
        """Calls of Odoo and of Magento that pages of this many rows take, whatever the number of products.

        Odoo: what is bound. Magento: what is bound, and then all that it has, with a last page for each source, and the kinds
        of the products that are not bound, half a page at once.
        """
        pages = sum(math.ceil(one.checked / _PAGE) for one in self.counts.values())
        return pages, pages + sum(
            (one.checked + one.not_in_odoo) // _PAGE + 1 + 2 * math.ceil(one.not_in_odoo / _PAGE) + 2
            for one in self.counts.values()
        )

    def _sum(self, name: str) -> int:
        return sum(getattr(one, name) for one in self.counts.values())


def check(here: World, worker: Child, shop: Shop, instance: str) -> Check:
    """Check an instance as ``bridge run drift`` does."""
    shop.calls()
    run, progress, held = here.action(worker, "drift", instance=instance, patience_seconds=3600.0)
    found = here.ledger.drift.summaries(instance, progress.run.id)
    return Check(
        run=run,
        calls=shop.calls(),
        held=held,
        counts={one.source: one for one in found},
    )


def judge(what: str, found: Check) -> bool:
    """Print what a check took; return whether its memory and its calls are as they must be."""
    odoo, magento = found.calls_to("odoo"), found.calls_to("magento")
    allowed = found.allowed_calls
    print(
        f"  drift, {what}: {found.figures} figures of bound products, {found.differing} of them differ; "
        f"{found.run.seconds:.1f} s, {found.figures / found.run.seconds:.0f} figures/s, CPU of the worker "
        f"{1000 * found.run.cpu_seconds / found.figures:.2f} ms per figure"
    )
    quarters = (found.held[math.ceil(len(found.held) * part / 4) - 1] for part in (1, 2, 3, 4))
    held = ", ".join(f"{one * _MEGABYTES_PER_MEBIBYTE:.0f}" for one in (found.held[0], *quarters))
    is_small = found.most_megabytes < ALLOWED_MEGABYTES
    print(
        f"    memory of the worker at the start and after each quarter {held} MB, at most {found.most_megabytes:.0f} MB; "
        f"allowed {ALLOWED_MEGABYTES} MB: {_said(is_small)}"
    )
    is_paged = odoo <= allowed[0] and magento <= allowed[1]
    print(
        f"    {odoo} calls of Odoo and {magento} of Magento, pages of {_PAGE} take {allowed[0]} and {allowed[1]}: "
        f"{_said(is_paged)}"
    )
    if not is_paged:
        for call, count in sorted(found.calls.items()):
            print(f"      {count:5d}  {call}")
    if not found.is_quiet:
        print(f"    it wrote: {sorted(found.calls)}")
    return is_small and is_paged and found.is_quiet


def _said(is_met: bool) -> str:
    return "MET" if is_met else "MISSED"

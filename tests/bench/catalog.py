"""(f) The first import of a catalog: products a second, calls a product, memory; and what an unchanged one costs after it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.children import Child
from tests.bench.figures import Run, spread
from tests.bench.shop import Shop, sandbox
from tests.bench.world import World, world

#: Odoo calls that a simple product may take on its first import, in batches of a hundred.
ALLOWED_CALLS = 0.05
#: What the worker may hold more at the end of an import than when a quarter of its time was over.
ALLOWED_SHARE = 0.05
#: As for orders: every answer takes this much longer, so that not only the simulated systems are measured.
LATENCY_SECONDS = 0.05
#: Products that change between two imports.
CHANGED = 10
_CONFIGURABLES = 0.1
#: Rows of one page of a scan of Magento.
_PAGE = 100
_EVERYTHING = {"updated_from": "2015-01-01T00:00:00+00:00"}
#: Imports after the first one.
_NOTHING = "nothing changed"
_SOME = f"{CHANGED} renamed"
_ALL_READ = "nothing changed, all read (--from 2015-01-01)"
_SWEPT = "sweep, nothing changed"
_SWEPT_SOME = f"sweep, {CHANGED} changed in bulk"
_WRITES = ("load", "write", "create", "unlink")


@dataclass(frozen=True, kw_only=True)
class Import:
    """One import of products, and what it asked of both systems."""

    run: Run
    calls: Mapping[str, int]
    #: Memory of the worker while it ran, in equal steps of time.
    held: Sequence[float]

    def calls_to(self, system: str) -> int:
        """Return how many calls went to ``system``."""
        return sum(count for call, count in self.calls.items() if call.startswith(f"{system}:"))

    @property
    def writes(self) -> int:
        """How many calls wrote: into Odoo by their method, into Magento all that read nothing."""
        return sum(
            count
            for call, count in self.calls.items()
            if call.rpartition(".")[2] in _WRITES or call.startswith("magento: P")
        )


class Importer:
    """The bridge, importing the catalog of one instance."""

    def __init__(self, here: World, worker: Child, shop: Shop, *, instance: str) -> None:
        self._here = here
        self._worker = worker
        self._shop = shop
        self._instance = instance

    def run(self, kind: str = "import-products", args: Mapping[str, str] | None = None) -> Import:
        """Run ``kind`` to its end."""
        self._shop.calls()
        run, _, held = self._here.action(self._worker, kind, instance=self._instance, args=args)
        return Import(run=run, calls=self._shop.calls(), held=held)


def measure(*, threads: int, rounds: int, products: int) -> bool:
    """Print rate, calls and memory; return whether calls and memory are as they must be."""
    print(
        f"\n(f) First import of {products:,} products, {_CONFIGURABLES:.0%} of them configurables, {rounds} times"
    )
    print(
        f"  each time an Odoo that knows none of them; each answer takes {1000 * LATENCY_SECONDS:.0f} ms beside the "
        "sandbox's own work;\n  from the start of the run until its last job is done; CPU is the worker's alone"
    )
    with world(threads=threads) as here, here.worker() as worker:
        firsts = [_first(here, worker, products, number) for number in range(rounds - 1)]
        last, after = _last(here, worker, products, rounds - 1)
        is_good = _print_first([*firsts, last])
        is_good &= _print_after(after)
        is_good &= _simples(here, worker, products=max(_PAGE, products // 5))
    return is_good


def _first(here: World, worker: Child, products: int, number: int) -> Import:
    with sandbox(here) as shop:
        return _import(_importer(here, worker, shop, products, number), shop, number)


def _last(here: World, worker: Child, products: int, number: int) -> tuple[Import, dict[str, Import]]:
    """Return the last first import, and those that come after it without latency, by what changed before them."""
    with sandbox(here) as shop:
        importer = _importer(here, worker, shop, products, number)
        first = _import(importer, shop, number)
        shop.latency(0)
        after = {_NOTHING: importer.run(), _ALL_READ: importer.run(args=_EVERYTHING)}
        shop.change(CHANGED)
        after[_SOME] = importer.run()
        after[_SWEPT] = importer.run("sweep-products")
        shop.change(CHANGED, is_silent=True)
        after[_SWEPT_SOME] = importer.run("sweep-products")
        return first, after


def _importer(here: World, worker: Child, shop: Shop, products: int, number: int) -> Importer:
    name = f"catalog-{number}"
    shop.catalog_instance(name)
    shop.products(products, configurable_share=_CONFIGURABLES)
    return Importer(here, worker, shop, instance=name)


def _import(importer: Importer, shop: Shop, number: int) -> Import:
    shop.latency(LATENCY_SECONDS)
    busy = shop.process.cpu_seconds()
    first = importer.run()
    busy = (shop.process.cpu_seconds() - busy) / first.run.seconds
    print(
        f"  round {number + 1}: {first.run.count} products in {first.run.seconds:.1f} s; the sandbox was busy for "
        f"{busy:.2f} of a core"
    )
    return first


def _print_first(imports: Sequence[Import]) -> bool:
    runs = [one.run for one in imports]
    print(f"  the bridge       {spread([run.rate for run in runs], '.1f')} products/s,", end=" ")
    print(f"CPU {spread([run.cpu_millis for run in runs])} ms per product")
    last = imports[-1]
    for system in ("odoo", "magento"):
        each = [one.calls_to(system) / one.run.count for one in imports]
        print(f"  calls per product, {system}: {statistics.median(each):.3f}")
        for call, count in sorted(last.calls.items()):
            if call.startswith(f"{system}:"):
                print(f"    {count / last.run.count:6.4f}  {call}")
    return _print_memory(imports)


def _print_memory(imports: Sequence[Import]) -> bool:
    """Print what the worker held through the last import; return whether it stayed."""
    held = imports[-1].held
    shown = [held[0], *(held[math.ceil(len(held) * part / 4) - 1] for part in (1, 2, 3, 4))]
    growth = shown[-1] / shown[1] - 1
    is_steady = growth <= ALLOWED_SHARE
    print(
        "  memory of the worker in the last round, at the start and after each quarter: "
        + ", ".join(f"{one:.1f}" for one in shown)
        + f" MiB; at most {max(held):.1f} MiB"
    )
    print(
        f"  from the first quarter to the end {growth:+.1%}; allowed {ALLOWED_SHARE:+.0%}: "
        f"{'MET' if is_steady else 'MISSED'}"
    )
    return is_steady


def _simples(here: World, worker: Child, *, products: int) -> bool:
    """Print the calls of Odoo of one simple product; return whether they are few enough."""
    with sandbox(here) as shop:
        # What the shop has from the start is imported before: its bundles and configurables are not counted.
        shop.catalog_instance("simples")
        importer = Importer(here, worker, shop, instance="simples")
        importer.run()
        shop.simples(products)
        found = importer.run()
    each = found.calls_to("odoo") / products
    is_good = each <= ALLOWED_CALLS
    print(
        f"  Odoo calls of one of {products} simple products: {each:.3f}; allowed {ALLOWED_CALLS}: "
        f"{'MET' if is_good else 'MISSED'}"
    )
    for call, count in sorted(found.calls.items()):
        print(f"    {count / products:6.4f}  {call}")
    return is_good


def _print_after(after: Mapping[str, Import]) -> bool:
    """Print what imports cost when nothing or little has changed; return whether they read and write no more than that."""
    print("  imports after the last round, without latency:")
    for what, one in after.items():
        print(
            f"    {what}: {one.run.count} seen, {one.calls_to('magento')} calls of Magento, {one.calls_to('odoo')} of "
            f"Odoo, {one.writes} of all writes; {one.run.seconds:.1f} s"
        )
    reads_little = all(after[what].run.count <= _PAGE for what in (_NOTHING, _SOME))
    asks_nothing = not after[_SWEPT].calls_to("odoo")
    is_silent = not any(after[what].writes for what in (_NOTHING, _ALL_READ, _SWEPT))
    is_heard = all(after[what].writes for what in (_SOME, _SWEPT_SOME))
    is_good = reads_little and asks_nothing and is_silent and is_heard
    print(f"  nothing written where nothing changed, only changes read: {'MET' if is_good else 'MISSED'}")
    return is_good

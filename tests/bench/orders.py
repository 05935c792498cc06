"""(b) Imported orders against a bare script, (c) calls per order by name, and the worker's memory over many orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tests.bench.children import Child
from tests.bench.figures import Run, interleaved, print_pairs, spread
from tests.bench.memory import watch
from tests.bench.shop import BareScript, Payloads, Shop, bare_script, payloads, sandbox
from tests.bench.world import World, world

TARGET = 0.7
#: Every answer of both systems comes this much later: less than real ones take, and equal for both sides. Without it
#: the simulated systems, which share the machine's cores with what is measured, would be all that is measured.
LATENCY_SECONDS = 0.05
#: The instance that the payloads come from, as it comes; and one that makes the script's five calls and no other.
_INSTANCE, _LEAN = "shop", "lean"
_DRAFT = {
    "magento: GET /V1/orders/{id}": 1,
    "odoo: POST res.partner.search_read": 1,
    "odoo: POST sale.order.load": 1,
    "odoo: POST sale.order.read": 1,
    "odoo: POST mail.message.load": 1,
}
_PREVIEW = {"odoo: POST sale.order.onchange": 1}
_CONFIRMED = {"odoo: POST sale.order.action_confirm": 1, "odoo: POST sale.order.write": 1}
_NAME_WRITTEN = {"magento: POST /V1/orders": 1}
#: What RULES 1.14 allows for an order of a known customer, by the settings of the instance.
FORMS: Mapping[str, tuple[Mapping[str, object], Mapping[str, int]]] = {
    "draft": ({"order_preview": "never"}, _DRAFT),
    "preview": ({}, _DRAFT | _PREVIEW),
    "confirmed": ({"order_action": "confirm"}, _DRAFT | _PREVIEW | _CONFIRMED),
    "name-written": ({"write_ext_order_id": True}, _DRAFT | _PREVIEW | _NAME_WRITTEN),
}


class Importer:
    """The bridge, importing orders of one instance."""

    def __init__(self, here: World, worker: Child, shop: Shop, *, instance: str = _INSTANCE) -> None:
        self._here = here
        self._worker = worker
        self._shop = shop
        self._instance = instance

    def run(self, count: int) -> Run:
        """Import ``count`` new orders, of all kinds in turn."""
        return self.run_numbered(count)[0]

    def run_numbered(self, count: int) -> tuple[Run, list[int]]:
        """Import ``count`` new orders, and say which."""
        made = self._shop.orders(count)
        run = self._here.run(self._worker, [order.event(self._instance) for order in made])
        return run, [order.number for order in made]


def measure(*, threads: int, pairs: int, orders: int, watched: int) -> bool:
    """Print ratio, calls and memory; return whether calls and memory are as they must be."""
    with world(threads=threads) as here, sandbox(here) as shop, here.worker() as worker:
        # As many calls at once as there are threads, on both sides; a little more may wait at the worker.
        parallel = {"max_parallel_odoo": 2 * threads, "max_parallel_magento": 2 * threads}
        kinds = shop.instance(_INSTANCE, **parallel)
        templates = _warm_up(here, worker, shop, kinds=kinds)
        with bare_script(here, shop, templates, threads=threads) as bare:
            shop.instance(_LEAN, order_preview="never", **parallel)
            lean = Importer(here, worker, shop, instance=_LEAN)
            lean.run(kinds)
            _explain(orders, threads=threads)
            shop.latency(LATENCY_SECONDS)
            bare.run(orders)
            print("  the same 5 calls on both sides (order_preview=never)")
            _compare(lean, bare, shop, pairs=pairs, orders=orders, target=TARGET)
            print("  the bridge as it comes: one call more, the preview; 5/6 is the most that can be had")
            _compare(Importer(here, worker, shop), bare, shop, pairs=pairs, orders=orders, target=None)
        calls_ok = _count_calls(here, worker, shop, kinds=kinds, **parallel)
        shop.latency(0)
        return watch(worker, Importer(here, worker, shop), orders=watched) and calls_ok


def _warm_up(here: World, worker: Child, shop: Shop, *, kinds: int) -> list[Payloads]:
    """Let every buyer buy once, and return what the bridge sends when they come again."""
    importer = Importer(here, worker, shop)
    importer.run(kinds)
    _, numbers = importer.run_numbered(kinds)
    jobs = [here.ledger.jobs.list(kind="import-order", entity=str(number))[0].id for number in numbers]
    return payloads(here.ledger, jobs, numbers, key=shop.address["odoo_key"])


def _explain(orders: int, *, threads: int) -> None:
    print(
        f"\n(b) Orders imported against a bare script: {orders} orders a run, {threads} threads on both sides"
    )
    print(
        "  drafts of known customers, orders of 37 kinds; the script makes the 5 indispensable calls with ready"
    )
    print(
        f"  payloads; each answer of the sandbox takes {1000 * LATENCY_SECONDS:.0f} ms beside its own work; CPU is the"
    )
    print("  worker's, and the script's, alone")


def _compare(
    importer: Importer,
    bare: BareScript,
    shop: Shop,
    *,
    pairs: int,
    orders: int,
    target: float | None,
) -> None:
    busy: dict[str, list[float]] = {"the bridge": [], "the script": []}

    def watched(name: str, run: Run, cpu: float) -> Run:
        busy[name].append((shop.process.cpu_seconds() - cpu) / run.seconds)
        return run

    def bridge() -> Run:
        cpu = shop.process.cpu_seconds()
        return watched("the bridge", importer.run(orders), cpu)

    def script() -> Run:
        cpu = shop.process.cpu_seconds()
        return watched("the script", bare.run(orders), cpu)

    print_pairs(
        interleaved(pairs, bridge=bridge, bare=script), unit="order", bare_name="the script", target=target
    )
    for name, shares in busy.items():
        print(f"  the sandbox was busy for {spread(shares)} of a core while {name} ran")


def _count_calls(here: World, worker: Child, shop: Shop, *, kinds: int, **parallel: int) -> bool:
    """Print the calls of one order by name, for each form of RULES 1.14, and whether they are those allowed."""
    print(f"\n(c) Calls per order of a known customer, over {kinds} orders of as many kinds each")
    shop.latency(0)
    all_good = True
    for name, (settings, allowed) in FORMS.items():
        shop.instance(name, **settings, **parallel)
        importer = Importer(here, worker, shop, instance=name)
        importer.run(kinds)
        shop.calls()
        importer.run(kinds)
        found = Counter(shop.calls())
        is_good = found == Counter({call: kinds * times for call, times in allowed.items()})
        all_good = all_good and is_good
        print(f"  {name:13} {found.total() / kinds:5.2f} calls; allowed {sum(allowed.values())}: ", end="")
        print("MET" if is_good else "MISSED")
        for call in sorted({*found, *allowed}):
            print(f"    {found[call] / kinds:5.2f}  {call}" + ("" if call in allowed else "  (not allowed)"))
    return all_good

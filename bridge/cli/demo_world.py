"""The demo: the whole bridge in one process against the sandbox, with faults on, and an honest count at the end.

As a new shop would: first its stores and categories, then its products and customers, then its orders.
"""

from __future__ import annotations

import secrets
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from bridge.flows.wants import PLACES, want
from bridge.ledger import Ledger, Lengths
from bridge.sandbox import Sandbox
from bridge.settings import Settings
from bridge.showcase import FAULTS, add_instance, map_all
from bridge.translate.product_plan import CONFIGURABLE, KITS
from consumers.embedded import Embedded
from schemas.events import new_event

#: The demo's instance.
INSTANCE = "sandbox"
#: A hurried world: what takes minutes in a shop takes seconds here.
LENGTHS = Lengths(
    lease_seconds=10.0,
    backoff_unit_seconds=0.2,
    message_patience_seconds=5.0,
    wait_patience_seconds=1.0,
    breaker_open_seconds=0.5,
    breaker_max_seconds=2.0,
)
#: Longer than the slowest request of the demo, as in a shop.
ODOO_DOUBT_SECONDS = 2.0
#: Products added to those that the simulated shop has from the start: of all shapes, a tenth configurables.
MORE_PRODUCTS = 160
#: Jobs in these states have something before them.
_MOVING = ("pending", "queued", "running", "retry_waiting")
#: The demo gives up after so many seconds, and says what is left.
PATIENCE_SECONDS = 300.0


#: Told what is being done, how many jobs of it have ended, and how many are in which state.
Progress = Callable[[str, int, Mapping[str, int]], None]


@dataclass(frozen=True, kw_only=True)
class CatalogCount:
    """What became of the catalog and the accounts: those of Magento, and how many of them Odoo does not have once."""

    stores: int
    categories: int
    products: int
    customers: int
    #: What is not in Odoo exactly once, with why.
    wrong: tuple[tuple[str, str], ...]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Count:
    """What became of the orders, counted in the sandbox's Odoo itself."""

    catalog: CatalogCount
    events: int
    jobs: int
    retries: int
    orders: int
    exact: int
    lost: int
    doubled: int
    #: Numbers of orders that are lost, doubled or not exact, with why.
    wrong: tuple[tuple[str, str], ...]
    faults: int
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether nothing is lost, doubled or off by a cent."""
        return not self.lost and not self.doubled and self.exact == self.orders and not self.catalog.wrong


def run_world(*, orders: int, odoo_version: int, faults: bool, seed: int, progress: Progress) -> Count:
    """Import a catalog and ``orders`` orders, and count what became of them."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bridge-demo-") as folder:
        ledger = Ledger.open(
            f"sqlite:///{Path(folder) / 'ledger.db'}", secret_key=secrets.token_urlsafe(32), lengths=LENGTHS
        )
        try:
            ledger.migrate()
            with Sandbox.start(odoo_version=odoo_version, seed=seed) as box:
                raws = _prepare(ledger, box, orders)
                settings = Settings(
                    backoff_unit_seconds=LENGTHS.backoff_unit_seconds, dispatch_interval_seconds=0.2
                )
                with Embedded(ledger, settings, threads=8) as bridge:
                    if faults:
                        box.magento.faults.set(**FAULTS["magento"])
                        box.odoo.faults.set(**FAULTS["odoo"])
                    _import_catalog(bridge, ledger, progress)
                    catalog = _count_catalog(ledger, box, seconds=time.monotonic() - started)
                    map_all(ledger, box, raws, name=INSTANCE, has_products=True)
                    before = _ended(ledger.jobs.counts())
                    events = _publish(bridge, raws)
                    _wait(ledger, "orders", progress, before=before)
                return _count(ledger, box, raws, catalog, events=events, seconds=time.monotonic() - started)
        finally:
            ledger.close()


def _prepare(ledger: Ledger, box: Sandbox, count: int) -> Sequence[Mapping[str, Any]]:
    box.odoo.set_price_precision(6)
    add_instance(
        ledger,
        box,
        name=INSTANCE,
        settings={
            "order_action": "confirm",
            "odoo_doubt_seconds": ODOO_DOUBT_SECONDS,
            "magento_doubt_seconds": [0.5, 1.0, 2.0],
            "call_deadline_seconds": 10,
            "write_ext_order_id": True,
            "auto_create_products": True,
        },
    )
    raws = box.magento.generate_orders(count)
    box.magento.add_products(MORE_PRODUCTS)
    return raws


def _import_catalog(bridge: Embedded, ledger: Ledger, progress: Progress) -> None:
    for what, kinds in (
        ("stores and categories", ("import-stores", "import-categories")),
        ("products and customers", ("import-products", "import-customers")),
    ):
        before = _ended(ledger.jobs.counts())
        for kind in kinds:
            place = PLACES[kind]
            if kind in {"import-stores", "import-categories"}:
                ledger.jobs.want([want(kind, instance=INSTANCE, entity="all")])
                continue
            ledger.runs.start(
                INSTANCE,
                kind,
                {},
                queue=place.queue,
                priority=place.priority,
                systems=place.systems,
                lock_key=None if place.lock is None else place.lock(""),
            )
        bridge.poke()
        _wait(ledger, what, progress, before=before)


def _publish(bridge: Embedded, raws: Sequence[Mapping[str, Any]]) -> int:
    events = [
        new_event(
            "magento.order.saved",
            instance=INSTANCE,
            record_id=int(raw["entity_id"]),
            version=str(raw["updated_at"]),
        )
        for raw in raws
    ]
    # Events come twice and out of order, as they do.
    again = events[::5]
    return bridge.publish([*events, *again])


def _wait(ledger: Ledger, what: str, progress: Progress, *, before: int) -> None:
    """Wait until no job can go on; those ended ``before`` do not count."""
    until = time.monotonic() + PATIENCE_SECONDS
    tick = threading.Event()
    while time.monotonic() < until:
        counts = ledger.jobs.counts()
        progress(what, _ended(counts) - before, counts)
        if not any(counts.get(state) for state in _MOVING):
            return
        tick.wait(0.1)


def _ended(counts: Mapping[str, int]) -> int:
    return sum(number for state, number in counts.items() if state not in _MOVING)


def _count_catalog(ledger: Ledger, box: Sandbox, *, seconds: float) -> CatalogCount:
    """Count in Odoo what Magento's catalog has become."""
    there = Counter(str(row["default_code"]) for row in box.odoo.records("product.product"))
    sellable = [
        str(raw["sku"])
        for raw in box.magento.catalog.all()
        if raw["type_id"] != CONFIGURABLE and raw["type_id"] not in KITS
    ]
    wrong = [(f"product {sku}", f"{there[sku]} times in Odoo") for sku in sellable if there[sku] != 1]
    jobs = ledger.jobs.list(instance=INSTANCE, states=("blocked", "failed"), limit=20)
    wrong += [(f"{job.kind} {job.label or job.entity}", f"{job.state}: {job.error}") for job in jobs]
    partners = Counter(
        str(row.get("email")).casefold()
        for row in box.odoo.records("res.partner")
        if not row.get("parent_id")
    )
    accounts = [str(one["email"]) for one in box.magento.state.customers.values()]
    wrong += [(f"customer {email}", "not in Odoo") for email in accounts if not partners[email.casefold()]]
    return CatalogCount(
        stores=sum(one.scope == "view" and one.code != "admin" for one in ledger.stores.known(INSTANCE).rows),
        categories=len(ledger.bindings.list(INSTANCE, kind="category", limit=1000)),
        products=len(sellable),
        customers=len(accounts),
        wrong=tuple(wrong),
        seconds=seconds,
    )


def _count(
    ledger: Ledger,
    box: Sandbox,
    raws: Sequence[Mapping[str, Any]],
    catalog: CatalogCount,
    *,
    events: int,
    seconds: float,
) -> Count:
    made: dict[str, list[Mapping[str, Any]]] = {}
    for row in box.odoo.records("sale.order"):
        made.setdefault(str(row["client_order_ref"]), []).append(row)
    notes = Counter(
        row["res_id"]
        for row in box.odoo.records("mail.message")
        # Odoo's own messages, of creation and confirmation, are of another type.
        if row["model"] == "sale.order" and row["message_type"] == "comment"
    )
    wrong: list[tuple[str, str]] = []
    exact = lost = doubled = 0
    for raw in raws:
        number = str(raw["increment_id"])
        found = made.get(number, [])
        if not found:
            lost += 1
            wrong.append((number, _why_lost(ledger, raw)))
        elif len(found) > 1 or notes[found[0]["id"]] != 1:
            doubled += 1
            wrong.append((number, f"{len(found)} orders, {notes[found[0]['id']]} notes in Odoo"))
        elif (total := _cents(found[0]["amount_total"])) != _cents(raw["grand_total"]):
            wrong.append((number, f"{total} in Odoo, {_cents(raw['grand_total'])} in Magento"))
        else:
            exact += 1
    doubled += _doubled_partners(box)
    jobs = ledger.jobs.list(instance=INSTANCE, limit=100_000)
    return Count(
        catalog=catalog,
        events=events,
        jobs=len(jobs),
        retries=sum(max(0, job.attempt - 1) for job in jobs),
        orders=len(raws),
        exact=exact,
        lost=lost,
        doubled=doubled,
        wrong=tuple(wrong),
        faults=sum(box.magento.faults.thrown().values()) + sum(box.odoo.faults.thrown().values()),
        seconds=seconds,
    )


def _why_lost(ledger: Ledger, raw: Mapping[str, Any]) -> str:
    jobs = ledger.jobs.list(instance=INSTANCE, kind="import-order", entity=str(raw["entity_id"]), limit=1)
    return f"{jobs[0].state}: {jobs[0].error}" if jobs else "no job"


def _doubled_partners(box: Sandbox) -> int:
    """Count customers that stand twice: the same email and company among those without a parent."""
    seen = Counter(
        (str(row["email"]).casefold(), str(row.get("vat") or ""), str(row["name"]).casefold())
        for row in box.odoo.records("res.partner")
        if row.get("email") and not row.get("parent_id")
    )
    return sum(times - 1 for times in seen.values() if times > 1)


def _cents(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))

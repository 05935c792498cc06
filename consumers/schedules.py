"""What happens by the clock, how often, and for whom it is on; ``consumers.beat`` does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bridge.flows.wants import PLACES, wake_stock, want
from bridge.ledger import Ledger
from bridge.settings import InstanceSettings

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What the settings of an instance must say for a schedule to be on."""

    holds: Callable[[InstanceSettings], bool]
    #: When it is off, for people: ``while ...``, ``until ...``.
    off: str


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Something that happens every so often."""

    name: str
    #: One line for people.
    title: str
    every_seconds: float
    #: Does it for one instance; None: ``act`` is called once, for the whole ledger (with an empty name).
    act: Callable[[Ledger, str], None]
    per_instance: bool = True
    #: The action after whose first use by an instance it is on; None: from the start.
    after: str | None = None
    #: What an instance's settings must say for it to be on.
    only: Condition | None = None


def _upkeep(ledger: Ledger, _instance: str) -> None:
    done = ledger.upkeep()
    log.info(
        "upkeep_done",
        exchanges=done.exchanges,
        requests=done.requests,
        events=done.events,
        drift_lines=done.drift_lines,
    )


def _run(kind: str, **args: bool) -> Callable[[Ledger, str], None]:
    """Return what starts a run of ``kind`` for an instance."""
    place = PLACES[kind]
    lock = None if place.lock is None else place.lock("")

    def act(ledger: Ledger, instance: str) -> None:
        ledger.runs.start(
            instance,
            kind,
            args,
            queue=place.queue,
            priority=place.priority,
            systems=place.systems,
            lock_key=lock,
        )

    return act


def _job(kind: str) -> Callable[[Ledger, str], None]:
    """Return what makes a job of ``kind`` for all of an instance."""

    def act(ledger: Ledger, instance: str) -> None:
        ledger.jobs.want([want(kind, instance=instance, entity="all")])

    return act


def _sweep_stock(ledger: Ledger, instance: str) -> None:
    ledger.stock.sweep(instance, wake=wake_stock(instance))


def _export_all_stock(ledger: Ledger, instance: str) -> None:
    ledger.stock.mark_all(instance, wake=wake_stock(instance))


_PRICES_ARE_ODOOS = Condition(
    holds=lambda settings: settings.master("price") == "odoo", off="while Magento is the master of price"
)
_STOCK_IS_EXPORTED = Condition(holds=lambda settings: settings.export_stock, off="until export_stock is on")

#: What happens by the clock.
SCHEDULES: tuple[Schedule, ...] = (
    Schedule(
        name="import-orders",
        title="Scan Magento for orders whose event was lost",
        every_seconds=300.0,
        act=_run("import-orders"),
    ),
    Schedule(
        name="import-customers",
        title="Scan Magento for accounts that changed",
        every_seconds=900.0,
        act=_run("import-customers"),
        after="import-customers",
    ),
    Schedule(
        name="import-products",
        title="Scan Magento for products that changed",
        every_seconds=900.0,
        act=_run("import-products"),
        after="import-products",
    ),
    Schedule(
        name="sweep-products",
        title="Compare all products with what Odoo was sent, at night",
        every_seconds=24 * 3600.0,
        act=_run("sweep-products"),
        after="import-products",
    ),
    Schedule(
        name="import-categories",
        title="Bring Magento's categories to Odoo",
        every_seconds=3600.0,
        act=_job("import-categories"),
        after="import-categories",
    ),
    Schedule(
        name="import-stores",
        title="Read Magento's stores, at night",
        every_seconds=24 * 3600.0,
        act=_job("import-stores"),
        after="import-stores",
    ),
    Schedule(
        name="export-products",
        title="Scan Odoo for products that changed",
        every_seconds=900.0,
        act=_run("export-products"),
        after="export-products",
    ),
    Schedule(
        name="export-prices",
        title="Export prices that changed in Odoo, or whose day has come",
        every_seconds=3600.0,
        act=_run("export-prices"),
        after="export-prices",
        only=_PRICES_ARE_ODOOS,
    ),
    Schedule(
        name="look-at-prices",
        title="Compare Magento's prices with what Odoo sent, at night",
        every_seconds=24 * 3600.0,
        act=_run("export-prices", look=True),
        after="export-prices",
        only=_PRICES_ARE_ODOOS,
    ),
    Schedule(
        name="sweep-stock",
        title="Export figures of stock that were marked and whose export was lost",
        every_seconds=60.0,
        act=_sweep_stock,
    ),
    Schedule(
        name="poll-stock",
        title="Look in Odoo for changes of stock whose event was lost",
        every_seconds=300.0,
        act=_job("poll-stock"),
        only=_STOCK_IS_EXPORTED,
    ),
    Schedule(
        name="export-stock",
        title="Export the stock of every product, at night: what differs is written",
        every_seconds=24 * 3600.0,
        act=_export_all_stock,
        only=_STOCK_IS_EXPORTED,
    ),
    Schedule(
        name="drift",
        title="Compare what Magento has in stock with what it should have",
        every_seconds=3600.0,
        act=_run("drift"),
        only=_STOCK_IS_EXPORTED,
    ),
    Schedule(
        name="upkeep",
        title="Make the coming weeks' partitions and delete what is older than it is kept",
        every_seconds=6 * 3600.0,
        act=_upkeep,
        per_instance=False,
    ),
)

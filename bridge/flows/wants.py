"""Where each kind of job runs, what it locks, which systems it calls. One table, used by all who want work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import System
from bridge.ledger import RunId, Want

_BOTH: frozenset[System] = frozenset({"magento", "odoo"})
_MAGENTO: frozenset[System] = frozenset({"magento"})
_ODOO: frozenset[System] = frozenset({"odoo"})


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where jobs of one kind run."""

    #: One line for people.
    title: str
    #: The Celery queue.
    queue: str
    #: The systems it calls, for breakers and ``max_parallel``.
    systems: frozenset[System] = frozenset()
    #: The lock's name for an entity; None: jobs of this kind lock nothing.
    lock: Callable[[str], str] | None = None
    #: Higher runs sooner.
    priority: int = 50


#: How long an export of stock waits for further changes to take along.
STOCK_DEBOUNCE_SECONDS = 0.5
#: How long an export of prices waits for further events to take along.
PRICE_DEBOUNCE_SECONDS = 5.0
#: What events ask the export of prices to compare: everything, or the products that changed.
ALL_PRICES, CHANGED_PRODUCTS = "all", "products"

PLACES: Mapping[str, Place] = {
    "import-order": Place(
        title="Import one Magento order into Odoo",
        queue="orders",
        systems=_BOTH,
        lock=lambda entity: f"order:{entity}",
    ),
    "accept-order": Place(
        title="Take an order as it is now in Magento and in Odoo as agreed",
        queue="orders",
        systems=_BOTH,
        lock=lambda entity: f"order:{entity}",
        priority=60,
    ),
    "find-order": Place(
        title="Find a Magento order by its number and import it",
        queue="orders",
        systems=_MAGENTO,
        lock=lambda entity: f"order-number:{entity}",
        priority=60,
    ),
    "import-orders": Place(
        title="Scan Magento's changed orders and import them",
        queue="orders",
        systems=_MAGENTO,
        lock=lambda _: "import-orders",
        priority=40,
    ),
    "import-categories": Place(
        title="Bring Magento's categories to Odoo",
        queue="catalog",
        systems=_BOTH,
        lock=lambda _: "catalog",
        priority=40,
    ),
    "import-customer": Place(
        title="Import one Magento account into Odoo",
        queue="catalog",
        systems=_BOTH,
        lock=lambda entity: f"customer:{entity}",
    ),
    "import-customers": Place(
        title="Scan Magento's changed accounts and import them",
        queue="catalog",
        systems=_MAGENTO,
        lock=lambda _: "import-customers",
        priority=40,
    ),
    "import-stores": Place(
        title="Read Magento's websites, store groups and store views",
        queue="upkeep",
        systems=_MAGENTO,
        lock=lambda _: "import-stores",
        priority=60,
    ),
    "discover-mappings": Place(
        title="Read from Magento's configuration which values can be mapped",
        queue="upkeep",
        systems=_MAGENTO,
        lock=lambda _: "discover-mappings",
        priority=40,
    ),
    "find-product": Place(
        title="Find a Magento product by its SKU and import it",
        queue="catalog",
        systems=_MAGENTO,
        lock=lambda entity: f"product-sku:{entity}",
        priority=60,
    ),
    "import-product": Place(
        title="Import one Magento product into Odoo",
        queue="catalog",
        systems=_BOTH,
        lock=lambda _: "catalog",
        priority=45,
    ),
    "import-product-batch": Place(
        title="Import a batch of Magento products into Odoo",
        queue="catalog",
        systems=_BOTH,
        lock=lambda _: "catalog",
        priority=40,
    ),
    "import-product-image": Place(
        title="Bring the picture of one Magento product to Odoo",
        queue="catalog",
        systems=_BOTH,
        lock=lambda _: "product-images",
        priority=35,
    ),
    "import-product-images": Place(
        title="Bring the pictures of Magento's products to Odoo",
        queue="catalog",
        systems=_BOTH,
        lock=lambda _: "product-images",
        priority=30,
    ),
    "import-products": Place(
        title="Scan Magento's changed products and import them",
        queue="catalog",
        systems=_MAGENTO,
        lock=lambda _: "import-products",
        priority=42,
    ),
    "export-price": Place(
        title="Export the prices of one product to Magento",
        queue="catalog",
        systems=_BOTH,
        lock=lambda _: "prices",
        priority=45,
    ),
    "export-price-batch": Place(
        title="Export the prices of a batch of products to Magento",
        queue="catalog",
        systems=_BOTH,
        lock=lambda _: "prices",
        priority=40,
    ),
    "export-prices": Place(
        title="Compare Odoo's prices with Magento's and export those that differ",
        queue="catalog",
        systems=_BOTH,
        lock=lambda _: "export-prices",
        priority=42,
    ),
    "start-price-export": Place(
        title="Start the export of prices that events asked for",
        queue="catalog",
        systems=_ODOO,
        lock=lambda _: "start-price-export",
        priority=43,
    ),
    "find-odoo-product": Place(
        title="Find an Odoo product by its SKU and export it",
        queue="catalog",
        systems=_ODOO,
        lock=lambda entity: f"odoo-product-sku:{entity}",
        priority=60,
    ),
    "export-product": Place(
        title="Export one Odoo product to Magento",
        queue="catalog",
        systems=_BOTH,
        lock=lambda _: "catalog",
        priority=45,
    ),
    "export-product-batch": Place(
        title="Export a batch of Odoo products to Magento",
        queue="catalog",
        systems=_BOTH,
        lock=lambda _: "catalog",
        priority=40,
    ),
    "export-products": Place(
        title="Scan Odoo's changed products and export them",
        queue="catalog",
        systems=_ODOO,
        lock=lambda _: "export-products",
        priority=42,
    ),
    "sweep-products": Place(
        title="Compare all of Magento's products with what Odoo was sent",
        queue="catalog",
        systems=_BOTH,
        lock=lambda _: "sweep-products",
        priority=35,
    ),
    "export-stock": Place(
        title="Export the stock of one source to Magento",
        queue="inventory",
        systems=_BOTH,
        lock=lambda entity: f"stock:{entity}",
        priority=60,
    ),
    "export-stock-item": Place(
        title="Export the stock of one product that Magento refused beside others",
        queue="inventory",
        systems=_BOTH,
        lock=lambda entity: f"stock:{entity.rpartition(':')[0]}",
        priority=55,
    ),
    "import-stock": Place(
        title="Bring the quantities of Magento's sources to Odoo as counts",
        queue="inventory",
        systems=_BOTH,
        lock=lambda _: "import-stock",
        priority=40,
    ),
    "import-stock-batch": Place(
        title="Preview or make the counts of a batch of products in Odoo",
        queue="inventory",
        systems=_BOTH,
        lock=lambda _: "stock-counts",
        priority=40,
    ),
    "poll-stock": Place(
        title="Look for changes of stock in Odoo whose event was lost",
        queue="inventory",
        systems=_ODOO,
        lock=lambda _: "poll-stock",
        priority=35,
    ),
    "drift": Place(
        title="Compare what Magento has in stock with what it should have",
        queue="inventory",
        systems=_BOTH,
        lock=lambda _: "drift",
        priority=35,
    ),
    "rebuild-bindings": Place(
        title="Bind again what the bridge made in Odoo",
        queue="upkeep",
        systems=_BOTH,
        lock=lambda _: "rebuild-bindings",
        priority=40,
    ),
    "resolve-conflict": Place(
        title="Write the value that a person chose to the other side",
        queue="catalog",
        systems=_BOTH,
        lock=lambda _: "catalog",
        priority=60,
    ),
    "resolve-price-conflict": Place(
        title="Write the price that a person chose to the other side",
        queue="catalog",
        systems=_BOTH,
        lock=lambda _: "prices",
        priority=60,
    ),
    "noop": Place(title="Do nothing", queue="upkeep"),
}


def want(
    kind: str,
    *,
    instance: str,
    entity: str,
    version: str | None = None,
    label: str | None = None,
    data: Mapping[str, Any] | None = None,
    not_before_seconds: float = 0.0,
    run_id: RunId | None = None,
) -> Want:
    """Return the want of a job of ``kind`` for ``entity``, as the table above has it."""
    place = PLACES[kind]
    return Want(
        instance=instance,
        kind=kind,
        entity=entity,
        queue=place.queue,
        lock_key=None if place.lock is None else place.lock(entity),
        priority=place.priority,
        systems=place.systems,
        data=data or {},
        version=version,
        label=label,
        not_before_seconds=not_before_seconds,
        run_id=run_id,
    )


def want_prices(instance: str, entity: str, *, data: Mapping[str, Any] | None = None) -> Want:
    """Return the want of an export of prices: however many events ask for it, it is one."""
    return want(
        "start-price-export",
        instance=instance,
        entity=entity,
        data=data,
        not_before_seconds=PRICE_DEBOUNCE_SECONDS,
    )


def wake_stock(instance: str, *, delay_seconds: float = STOCK_DEBOUNCE_SECONDS) -> Callable[[str], Want]:
    """Return what makes the want of a source's export: marks of stock in the ledger wake it."""
    return lambda source: want(
        "export-stock", instance=instance, entity=source, not_before_seconds=delay_seconds
    )

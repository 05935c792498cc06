"""A shop with kits: products bound one to one, an Odoo with the app for kits, exports that go by themselves."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from decimal import Decimal
from itertools import count

from bridge.flows.wants import wake_stock, want
from bridge.ledger import Job, Pair
from consumers.receiving import Message, Receiver
from schemas.events import new_event
from tests.support.orders import Raw, changed, new_order
from tests.support.shop import Shop

SOURCE, STOCK_ID = "default", 1
_NUMBERS = count(1)


class KitShop:
    """Products and kits of one shop by SKU."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.odoo = shop.box.odoo
        #: Odoo's product and Magento's by SKU.
        self.ids: dict[str, int] = {}
        self.magento_ids: dict[str, int] = {}

    def part(self, quantity: float = 0.0, *, is_bound: bool = True) -> str:
        """Add goods with a quantity in Odoo, sold alone too unless not bound; return the SKU."""
        sku = f"PART-{next(_NUMBERS)}"
        (self.ids[sku],) = self.odoo.seed_products([sku]).values()
        self.odoo.set_stock(self.ids[sku], quantity)
        if is_bound:
            self.sell(sku)
        return sku

    def kit(self, parts: Mapping[str, float], *, is_own: bool = False, **values: object) -> str:
        """Add a kit that is sold, with units of parts by SKU."""
        sku = f"KIT-{next(_NUMBERS)}"
        self.ids[sku] = self.odoo.create("product.product", {"name": sku, "default_code": sku})
        self.bill(sku, parts, is_own=is_own, **values)
        self.sell(sku)
        return sku

    def bill(self, sku: str, parts: Mapping[str, float], *, is_own: bool = False, **values: object) -> int:
        """Give a product a bill by which it is a kit."""
        units = {self.ids[part]: units for part, units in parts.items()}
        return self.odoo.add_kit(self.ids[sku], units, is_own=is_own, **values)

    def sell(self, sku: str) -> None:
        """Add Magento's product, bound."""
        self.magento_ids[sku] = 600_000 + next(_NUMBERS)
        catalog = self.shop.box.magento.catalog
        raw = copy.deepcopy(next(one for one in catalog.all() if one["type_id"] == "simple"))
        catalog.add({**raw, "id": self.magento_ids[sku], "sku": sku})
        self.shop.box.magento.inventory.set(sku, SOURCE, 0)
        pair = Pair(
            magento_id=str(self.magento_ids[sku]),
            odoo_model="product.product",
            odoo_id=self.ids[sku],
            magento_label=sku,
        )
        self.shop.ledger.bindings.bind_many("shop", "product", [pair])

    def export(self, *skus: str) -> Job:
        """Export products as a person asks for it, and return the job as it ended."""
        ids = [self.magento_ids[sku] for sku in skus]
        self.shop.ledger.stock.mark("shop", ids, wake=wake_stock("shop", delay_seconds=0.0), by_hand=True)
        self.shop.work()
        job = self.shop.ledger.jobs.list(kind="export-stock")[0]
        assert (job.state, job.error) == ("done", None)
        return job

    def count(self, sku: str, quantity: float, *, event: bool = True) -> None:
        """Count a part in Odoo, which tells of it and of nothing else."""
        self.odoo.set_stock(self.ids[sku], quantity)
        if event:
            told = new_event("odoo.stock.changed", "shop", record_id=self.ids[sku])
            Receiver(self.shop.ledger).receive([Message(body=told.to_bytes(), routing_key=told.type)])
            self.shop.work()

    def poll(self) -> None:
        self.shop.ledger.jobs.want([want("poll-stock", instance="shop", entity="all")])
        self.shop.work()

    def has(self, sku: str) -> Decimal | None:
        """Return what Magento has."""
        return self.shop.box.magento.inventory.get(sku, SOURCE)

    def for_sale(self, sku: str) -> Decimal:
        """Return what Magento sells: what it has less what it holds back."""
        has = self.has(sku)
        assert has is not None
        return has - Decimal(self.shop.box.magento.reservations.reserved(sku, STOCK_ID)) / 10_000

    def odoos(self, sku: str, field: str = "free_qty") -> Decimal:
        """Return Odoo's own figure."""
        return Decimal(str(self.odoo.stock(self.ids[sku])[field]))

    def order(self, sku: str, *, is_mapped: bool = True) -> Raw:
        """Place an order, all of whose lines are of one product."""
        raw = new_order(self.shop, is_mapped=is_mapped)
        for item in raw["items"]:
            item |= {"sku": sku, "product_id": self.magento_ids[sku]}
        self.shop.box.magento.orders.add(raw)
        self.shop.box.magento.reservations.add(sku, STOCK_ID, int(units_of(raw) * 10_000))
        return raw

    def ship(self, sku: str, raw: Raw) -> None:
        """Ship a whole order in Magento, and let the bridge see it."""
        now = changed(
            self.shop, raw, items=[{**item, "qty_shipped": item["qty_ordered"]} for item in raw["items"]]
        )
        inventory = self.shop.box.magento.inventory
        inventory.set(sku, SOURCE, (inventory.get(sku, SOURCE) or 0) - units_of(raw))
        self.shop.want_order(now)
        self.shop.work()


def units_of(raw: Raw) -> Decimal:
    """Return how many units an order is of."""
    return sum((Decimal(str(item["qty_ordered"])) for item in raw["items"]), Decimal(0))

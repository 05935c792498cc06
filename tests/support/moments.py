"""An article that nothing else sells, in both systems, and what is pushed of it at each moment of an order."""

from __future__ import annotations

import copy
from decimal import Decimal
from itertools import count

from bridge.flows.wants import wake_stock
from bridge.ledger import Pair
from tests.support.orders import Raw, changed, new_order
from tests.support.shop import Shop

#: The live tests go on from where no earlier run was.
NUMBERS = count(1)
ON_HAND = 100
SOURCE, STOCK_ID = "default", 1


def next_number() -> int:
    """Return a number for a name that no other test gives."""
    return next(NUMBERS)


class Moments:
    """An order of a product that nothing else sells, in both systems, and what is pushed at each moment."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        number = next_number()
        self.sku, self.product_id = f"MOMENT-{number}", 800_000 + number
        (self.odoo_id,) = shop.box.odoo.seed_products([self.sku]).values()
        shop.box.odoo.set_stock(self.odoo_id, ON_HAND)
        catalog = shop.box.magento.catalog
        raw = copy.deepcopy(next(one for one in catalog.all() if one["type_id"] == "simple"))
        catalog.add({**raw, "id": self.product_id, "sku": self.sku})
        shop.box.magento.inventory.set(self.sku, SOURCE, ON_HAND)
        pair = Pair(
            magento_id=str(self.product_id),
            odoo_model="product.product",
            odoo_id=self.odoo_id,
            magento_label=self.sku,
        )
        shop.ledger.bindings.bind_many("shop", "product", [pair])

    def order(self, *, is_mapped: bool = True) -> Raw:
        """Place an order of it; its other lines are of the same product."""
        raw = new_order(self.shop, is_mapped=is_mapped)
        for item in raw["items"]:
            item |= {"sku": self.sku, "product_id": self.product_id}
        self.shop.box.magento.orders.add(raw)
        # It was placed with other goods: what it reserved then is now of this product.
        units = int(self.units(raw) * 10_000)
        self.shop.box.magento.reservations.add(self.sku, STOCK_ID, units)
        return raw

    @staticmethod
    def units(raw: Raw) -> Decimal:
        return sum((Decimal(str(item["qty_ordered"])) for item in raw["items"]), Decimal(0))

    def push(self) -> tuple[Decimal, Decimal]:
        """Export and return what Magento has then, and what it sells."""
        self.shop.ledger.stock.mark(
            "shop", [self.product_id], wake=wake_stock("shop", delay_seconds=0.0), by_hand=True
        )
        self.shop.work()
        job = self.shop.ledger.jobs.list(kind="export-stock")[0]
        assert (job.state, job.error) == ("done", None)
        quantity = self.shop.box.magento.inventory.get(self.sku, SOURCE)
        assert quantity is not None
        return quantity, quantity - self.reserved()

    def reserved(self) -> Decimal:
        return Decimal(self.shop.box.magento.reservations.reserved(self.sku, STOCK_ID)) / 10_000

    def in_magento(self, raw: Raw, **share: str) -> Raw:
        """Ship, refund or cancel all units of the order in Magento; what is shipped leaves the source."""
        before = sum(Decimal(str(item.get("qty_shipped") or 0)) for item in raw["items"])
        counts = [{name: item[of] for name, of in share.items()} for item in raw["items"]]
        items = [{**item, **values} for item, values in zip(raw["items"], counts, strict=True)]
        now = changed(self.shop, raw, items=items)
        shipped = sum(Decimal(str(item.get("qty_shipped") or 0)) for item in items) - before
        inventory = self.shop.box.magento.inventory
        inventory.set(self.sku, SOURCE, (inventory.get(self.sku, SOURCE) or 0) - shipped)
        self.shop.want_order(now)
        self.shop.work()
        return now

"""A shop whose stock comes from Magento to Odoo by counts: products bound one to one, previews and counts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bridge.flows.wants import PLACES
from bridge.ledger import Job, Pair
from tests.support.shop import Shop

SOURCE = "default"
#: The warehouse that every Odoo has.
HOME = 1


class CountingShop:
    """Products of Magento that are bound to new products of Odoo."""

    _number = 0

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.odoo = shop.box.odoo
        self.inventory = shop.box.magento.inventory
        #: Odoo's product by SKU.
        self.ids: dict[str, int] = {}

    @classmethod
    def begin_at(cls, number: int) -> None:
        """Let names go on from a number: in an Odoo that keeps what earlier runs made."""
        cls._number = number

    def add(self, magento: object | None, *, odoo: float = 0.0, source: str = SOURCE) -> str:
        """Add a product with these quantities and return its SKU; Magento has no row where its is None."""
        CountingShop._number += 1
        number = CountingShop._number
        sku = f"COUNT-{number}"
        (self.ids[sku],) = self.odoo.seed_products([sku]).values()
        if odoo:
            self.odoo.set_stock(self.ids[sku], odoo)
        self.bind(sku, 700_000 + number)
        if magento is not None:
            self.inventory.set(sku, source, magento)  # type: ignore[arg-type]  # what a test gives
        return sku

    def bind(self, sku: str, magento_id: int) -> None:
        pair = Pair(
            magento_id=str(magento_id),
            odoo_model="product.product",
            odoo_id=self.ids[sku],
            magento_label=sku,
        )
        self.shop.ledger.bindings.bind_many("shop", "product", [pair])

    def start(self, *skus: str, preview: bool = False) -> None:
        """Start a run as the command line does."""
        place = PLACES["import-stock"]
        args: dict[str, Any] = ({"skus": sorted(skus)} if skus else {}) | (
            {"preview": True} if preview else {}
        )
        self.shop.ledger.runs.start(
            "shop", "import-stock", args, queue=place.queue, systems=place.systems, lock_key="import-stock"
        )

    def preview(self, *skus: str) -> dict[str, Any]:
        """Make a preview and return its result."""
        self.start(*skus, preview=True)
        self.shop.work()
        return self.batch().result or {}

    def count(self, *skus: str) -> dict[str, Any]:
        """Carry the last preview out and return the result of its batch."""
        self.start(*skus)
        self.shop.work()
        assert (self.batch().state, self.batch().error) == ("done", None)
        return self.batch().result or {}

    def batch(self) -> Job:
        return self.shop.ledger.jobs.list(kind="import-stock-batch")[0]

    def planner(self) -> Job:
        """Return the job that plans the counts of all products."""
        return self.shop.ledger.jobs.list(kind="import-stock", entity="all")[0]

    def has(self, sku: str, *, warehouse: int = HOME) -> Decimal:
        """Return what Odoo has."""
        return Decimal(str(self.odoo.stock(self.ids[sku], warehouse=warehouse)["qty_available"]))

    def quants(self, sku: str) -> list[dict[str, Any]]:
        """Return what lies of a product in the warehouse: Odoo also keeps what lies at vendors and was lost."""
        home = next(row for row in self.odoo.records("stock.warehouse") if row["id"] == HOME)
        place = home["lot_stock_id"]
        rows = self.odoo.records("stock.quant")
        return [row for row in rows if (row["product_id"], row["location_id"]) == (self.ids[sku], place)]

    def adjustments(self, sku: str) -> list[float]:
        """Return the quantities of the moves that counts made."""
        rows = self.odoo.records("stock.move")
        return [
            row["product_uom_qty"]
            for row in rows
            if row["product_id"] == self.ids[sku] and row.get("is_inventory")
        ]

    def enter(self, sku: str, quantity: float) -> None:
        """Enter a count as a person does, who has not applied it yet."""
        (quant,) = self.quants(sku)
        self.odoo.write("stock.quant", quant["id"], {"inventory_quantity": quantity})

"""A shop whose stock is exported: products bound one to one, Odoo's figures as a test sets them, Magento's as it has them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from bridge.flows import stock_source
from bridge.flows.context import FlowContext
from bridge.flows.stock_source import Goods, LineMoves
from bridge.flows.wants import wake_stock
from bridge.ledger import Job, KitParts, Pair, Wanted
from bridge.stock_routes import Routes
from bridge.translate.stock import OdooMoves
from tests.support.shop import Shop

SOURCE = "berlin"
#: Ids of products that only these tests know.
FIRST_ID = 900_000


@dataclass
class FakeOdooStock:
    """Odoo's quantities by product and warehouse (None: all), and its moves by order line."""

    quantities: dict[tuple[int, int | None], Any] = field(default_factory=dict)
    moves: dict[int, LineMoves] = field(default_factory=dict)
    archived: set[int] = field(default_factory=set)
    untracked: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    categories: dict[int, int] = field(default_factory=dict)
    reads: list[list[int]] = field(default_factory=list)
    #: Called when quantities are read, after they are: what happens while an export is under way.
    meanwhile: Callable[[], None] | None = None

    def read_goods(
        self, _: FlowContext, routes: Routes, source: str, odoo_ids: Collection[int]
    ) -> dict[int, Goods]:
        self.reads.append(sorted(odoo_ids))
        found = {one: self._goods(one, routes, source) for one in odoo_ids if one not in self.deleted}
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return found

    def read_moves(self, _: FlowContext, line_ids: Collection[int], _kits: KitParts) -> dict[int, LineMoves]:
        return {one: self.moves[one] for one in line_ids if one in self.moves}

    def _goods(self, odoo_id: int, routes: Routes, source: str) -> Goods:
        total: Decimal | None = Decimal(0)
        for warehouse_id in routes.warehouses(source) or (None,):
            value = self.quantities.get((odoo_id, warehouse_id), 0)
            part = stock_source.portion(value, routes, source, warehouse_id)
            total = None if total is None or part is None else total + part
        return Goods(
            odoo_id=odoo_id,
            quantity=total,
            is_tracked=odoo_id not in self.untracked,
            is_active=odoo_id not in self.archived,
            category_id=self.categories.get(odoo_id),
        )


class StockShop:
    """A shop with sources and products for tests of stock."""

    def __init__(self, shop: Shop, odoo: FakeOdooStock) -> None:
        self.shop = shop
        self.odoo = odoo
        self.inventory = shop.box.magento.inventory
        for code in (SOURCE, "munich"):
            self.inventory.add_source(code)
        #: The stock that sells from both of them.
        self.stock_id = self.inventory.add_stock("Web", websites=["base"], sources=[SOURCE, "munich"])
        #: Magento's product by SKU, which is also the id of its product in Odoo.
        self.ids: dict[str, int] = {}
        self._made = 0

    def add(
        self, quantity: object = 0, *, magento: object | None = 0, source: str = SOURCE, **values: Any
    ) -> str:
        """Add a product that is bound, with a quantity in Odoo and a row in Magento unless that is None; return its SKU."""
        self._made += 1
        sku = values.pop("sku", None) or f"STOCK-{self._made}"
        product_id = FIRST_ID + self._made
        catalog = self.shop.box.magento.catalog
        raw = copy.deepcopy(next(one for one in catalog.all() if one["type_id"] == "simple"))
        catalog.add({**raw, "id": product_id, "sku": sku, **values})
        self.bind(sku, product_id)
        self.set(sku, quantity)
        if magento is not None:
            self.inventory.set(sku, source, magento)  # type: ignore[arg-type]  # what a test gives
        return sku

    def bind(self, sku: str, product_id: int, odoo_id: int | None = None) -> None:
        pair = Pair(
            magento_id=str(product_id),
            odoo_model="product.product",
            odoo_id=odoo_id or product_id,
            magento_label=sku,
        )
        self.shop.ledger.bindings.bind_many("shop", "product", [pair])
        self.ids[sku] = product_id

    def set(self, sku: str, quantity: object, *, warehouse_id: int | None = None) -> None:
        """Set Odoo's figure."""
        self.odoo.quantities[self.ids[sku], warehouse_id] = quantity

    def mark(self, *skus: str) -> list[Wanted]:
        """Mark products as a change of their stock does."""
        ids = [self.ids[sku] for sku in skus]
        return self.shop.ledger.stock.mark("shop", ids, wake=wake_stock("shop", delay_seconds=0.0))

    def export(self, *skus: str) -> Job:
        """Export products and return the job of the source as it ended."""
        self.mark(*skus)
        self.shop.work()
        return self.jobs("export-stock")[0]

    def jobs(self, kind: str) -> list[Job]:
        return self.shop.ledger.jobs.list(kind=kind)

    def item_job(self, sku: str) -> Job:
        """Return the job of a product that was left to one of its own."""
        (job,) = [one for one in self.jobs("export-stock-item") if one.label == sku]
        return job

    def has(self, sku: str, source: str = SOURCE) -> Decimal | None:
        """Return what Magento has."""
        return self.inventory.get(sku, source)

    def is_dirty(self, sku: str, source: str = SOURCE) -> bool:
        magento_id = str(self.ids[sku])
        return self.shop.ledger.stock.get("shop", source, [magento_id])[magento_id].is_dirty

    def calls(self) -> Mapping[str, int]:
        """Return how often Magento's source items were read and written since the last look."""
        found: dict[str, int] = {}
        for (system, method, operation), count in self.shop.box.calls.counts().items():
            if system == "magento" and "source-items" in operation:
                found[method] = found.get(method, 0) + count
        self.shop.box.calls.reset()
        return found


def delivered(units: int, *, reserved: int = 0, warehouse_id: int | None = None) -> LineMoves:
    """Return moves of a line of which so many units were delivered, and so many more are reserved."""
    moves = OdooMoves(delivered=Decimal(units), reserved=Decimal(reserved), planned=Decimal(reserved))
    return LineMoves(moves=moves, warehouse_id=warehouse_id)


def fake_odoo_stock(monkeypatch: pytest.MonkeyPatch) -> FakeOdooStock:
    """Let exports read Odoo's stock from a fake."""
    fake = FakeOdooStock()
    monkeypatch.setattr(stock_source, "read_goods", fake.read_goods)
    monkeypatch.setattr(stock_source, "read_moves", fake.read_moves)
    return fake

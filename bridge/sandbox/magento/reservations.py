"""What is reserved by orders, and what a stock has for sale: Magento's arithmetic of sales (RULES 3, ``rules/mixed-*``).

An order reserves its units when it is placed, whatever its state. A shipment takes its units out of the reservation, a
cancellation too, a refund as many as are still reserved: so a shipped unit that is refunded while others are open
leaves the reservation wrong for ever (``rules/refund-shipped-unit-while-others-open``), as in Magento.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bridge.sandbox.magento.catalog_state import Catalog
from bridge.sandbox.magento.inventory_state import WITHOUT_QUANTITY, Inventory, scaled
from bridge.sandbox.magento.rest import Raw


def counted(row: Raw, name: str) -> int:
    """Return a counter of a line in ten-thousandths; of an order that a test damaged what is no number is none."""
    try:
        return scaled(row.get(name) or 0)
    except (ArithmeticError, ValueError, TypeError):
        return 0


class Line:
    """One line of an order that stands for goods, with its counters in ten-thousandths."""

    def __init__(self, raw: Raw, parent: Raw | None, *, ships_with_parent: bool) -> None:
        self.item_id: int = raw["item_id"]
        self.raw = raw
        #: The line that ship, invoice and refund name for it.
        self.head = parent if parent is not None and parent["product_type"] == "configurable" else raw
        self.ordered = counted(raw, "qty_ordered")
        shipper = parent if ships_with_parent and parent is not None else self.head
        whole = counted(shipper, "qty_ordered")
        share = self.ordered / whole if whole else 0
        #: How many of its units go out with one unit of what ``ship`` names.
        self.per_shipped = share
        shipped = counted(shipper, "qty_shipped")
        if raw.get("is_virtual"):
            shipped = counted(self.head, "qty_invoiced")
            share = 1
        self.shipped = round(shipped * share)
        self.canceled = counted(self.head, "qty_canceled")
        self.refunded = counted(self.head, "qty_refunded")


class Reservations:
    """The open reservations of a shop by stock and SKU; ``follow`` keeps them when orders change."""

    def __init__(
        self, inventory: Inventory, catalog: Catalog, website_of: Callable[[int], str | None]
    ) -> None:
        self._inventory = inventory
        self._catalog = catalog
        self._website_of = website_of
        self._sums: dict[tuple[int, str], int] = {}
        #: What each line still reserves; one that is through is left out.
        self._open: dict[int, int] = {}
        #: Shops that switched reservations off: orders reserve nothing from then on.
        self.are_off = False

    def follow(self, old: Raw | None, new: Raw) -> None:
        """Take note of an order that was placed (``old`` is None) or changed."""
        stock_id = self.stock_of(new)
        if stock_id is None or self.are_off:
            return
        before = {} if old is None else {line.item_id: line for line in lines_of(old, self._catalog)}
        with self._inventory.lock:
            for line in lines_of(new, self._catalog):
                was = before.get(line.item_id)
                if was is None:
                    gone = line.shipped + line.canceled + line.refunded
                    self._move(stock_id, line, max(0, line.ordered - gone))
                    continue
                self._move(stock_id, line, -(line.shipped - was.shipped) - (line.canceled - was.canceled))
                refunded = line.refunded - was.refunded
                if refunded > 0:
                    self._move(stock_id, line, -min(refunded, max(0, self.of_line(line.item_id))))

    def of_line(self, item_id: int) -> int:
        """Return what an order's line still reserves, in ten-thousandths; Magento's errors may make it negative."""
        return self._open.get(item_id, 0)

    def reserved(self, sku: str, stock_id: int) -> int:
        """Return the reserved units of a SKU in a stock, in ten-thousandths."""
        return self._sums.get((stock_id, sku.casefold()), 0)

    def add(self, sku: str, stock_id: int, amount: int) -> None:
        """Reserve beside all orders, as what an old fault of Magento left behind."""
        key = (stock_id, sku.casefold())
        self._sums[key] = self._sums.get(key, 0) + amount

    def clear(self) -> None:
        """Forget all reservations, as in a shop before its first order."""
        self._sums.clear()
        self._open.clear()

    def stock_of(self, order: Raw) -> int | None:
        """Return the stock that an order sells from."""
        website = self._website_of(int(order.get("store_id") or 0))
        return None if website is None else self._inventory.stock_of(website)

    def sku_of(self, raw: Raw) -> str:
        """Return the catalog's SKU of a line: that of custom options is in no catalog."""
        product = self._catalog.get(int(raw.get("product_id") or 0))
        sku: str = product["sku"] if product is not None else raw["sku"]
        return sku

    def _move(self, stock_id: int, line: Line, amount: int) -> None:
        if not amount:
            return
        left = self.of_line(line.item_id) + amount
        if left:
            self._open[line.item_id] = left
        else:
            self._open.pop(line.item_id, None)
        self.add(self.sku_of(line.raw), stock_id, amount)

    # What is for sale.

    def on_hand(self, sku: str, stock_id: int) -> int:
        """Return a stock's quantity: its enabled sources' rows with status 1 (``inventory/075``, ``076``)."""
        total = 0
        for code in self._inventory.sources_of(stock_id):
            source, row = self._inventory.source(code), self._inventory.row(sku, code)
            if source is not None and source["enabled"] and row is not None and row.status:
                total += row.amount
        return total

    def salable(self, sku: str, stock_id: int) -> int:
        """Return what ``get-product-salable-quantity`` shows: below 0 only where back-orders are allowed."""
        left = self._left(sku, stock_id)
        return left if self.has_backorders(sku) else max(0, left)

    def is_salable(self, sku: str, stock_id: int, wanted: int = 1) -> bool:
        """Return whether ``wanted`` ten-thousandths can be bought now (``rules/source-status-*``)."""
        product = self._catalog.by_sku(sku)
        if product is None:
            return False
        if product["type_id"] in WITHOUT_QUANTITY:
            return True
        if not self.has_stock_in(sku, stock_id):
            return False
        return self.has_backorders(sku) or self._left(sku, stock_id) >= wanted

    def has_stock_in(self, sku: str, stock_id: int) -> bool:
        """Return whether a row of the stock's sources says in stock."""
        codes = self._inventory.sources_of(stock_id)
        rows = [row for code in codes if (row := self._inventory.row(sku, code)) is not None]
        return any(row.status for row in rows)

    def has_backorders(self, sku: str) -> bool:
        """Return whether a product may be sold beyond its quantity."""
        own = self._inventory.backorders.get(sku.casefold())
        return bool(self._stock_item(sku).get("backorders")) if own is None else bool(own)

    def _left(self, sku: str, stock_id: int) -> int:
        return self.on_hand(sku, stock_id) - self.reserved(sku, stock_id) - self.threshold(sku)

    def threshold(self, sku: str) -> int:
        """Return Magento's own threshold of a product, in ten-thousandths."""
        own = self._inventory.threshold.get(sku.casefold())
        return scaled(self._stock_item(sku).get("min_qty") or 0) if own is None else own

    def _stock_item(self, sku: str) -> Mapping[str, Any]:
        product = self._catalog.by_sku(sku)
        item: Mapping[str, Any] = product["extension_attributes"].get("stock_item", {}) if product else {}
        return item


def lines_of(order: Raw, catalog: Catalog) -> Iterator[Line]:
    """Yield the lines of an order that stand for goods: no configurables and bundles, but their parts."""
    # Tests may damage an order: what is no line reserves nothing.
    lines = [row for row in order["items"] if isinstance(row, dict) and "item_id" in row]
    rows = {row["item_id"]: row for row in lines}
    for raw in lines:
        if raw.get("product_type") in {"configurable", "bundle"}:
            continue
        parent = rows.get(raw.get("parent_item_id") or 0)
        ships_with_parent = parent is not None and (
            parent["product_type"] == "configurable"
            or catalog.is_together(int(parent.get("product_id") or 0))
        )
        yield Line(raw, parent, ships_with_parent=ships_with_parent)

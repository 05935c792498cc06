"""What shipping, invoicing, refunding and cancelling do to an order and to the sources (``fulfilment/*``, ``refunds/*``).

Only what the stock depends on is exact: quantities, states, sources, reservations. Totals of documents are sums of whole
rows, and the documents themselves are numbers.
"""

from __future__ import annotations

import copy
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridge.sandbox.magento.catalog_state import Catalog
from bridge.sandbox.magento.inventory_state import Inventory, scaled, shown
from bridge.sandbox.magento.reservations import Line, Reservations, lines_of
from bridge.sandbox.magento.rest import Raw

#: Types whose parts are shipped, or that are shipped as one (``shipment_type``).
_BUNDLE = "bundle"


class NotEnough(Exception):  # it is an answer, not an error of ours
    """The source has less than is to be shipped, or is none."""


class Fulfilment:
    """Changes orders as Magento's document calls do."""

    def __init__(self, inventory: Inventory, reservations: Reservations, catalog: Catalog) -> None:
        self._inventory = inventory
        self._reservations = reservations
        self._catalog = catalog
        self.lock = threading.RLock()
        self._numbers: Counter[str] = Counter()
        #: Units of an order's line by the source that they were shipped from.
        self._shipped_from: dict[int, Counter[str]] = {}

    def next_number(self, kind: str) -> str:
        """Return the id of a new document, as text (``fulfilment/005``)."""
        self._numbers[kind] += 1
        return str(self._numbers[kind])

    # What is left to do.

    def shippable(self, order: Raw) -> dict[int, int]:
        """Return what may be shipped of each line that ``ship`` takes, in ten-thousandths."""
        found: dict[int, int] = {}
        for row in order["items"]:
            if row.get("is_virtual") or not self.ships_itself(order, row):
                continue
            done = _amounts(row, "qty_shipped", "qty_canceled", "qty_refunded")
            # A refund of shipped units takes nothing from what is left (``rules/refund-shipped-unit-...``).
            left = scaled(row["qty_ordered"]) - done["qty_shipped"] - done["qty_canceled"]
            unshipped = max(0, left - max(0, done["qty_refunded"] - done["qty_shipped"]))
            found[row["item_id"]] = unshipped
        return {item_id: amount for item_id, amount in found.items() if amount > 0}

    def ships_itself(self, order: Raw, row: Raw) -> bool:
        """Return whether ``ship`` takes a line's own id: no children of configurables, no parent of a bundle's parts."""
        parent = _parent_of(order, row)
        if parent is not None:
            together = self._catalog.is_together(int(parent.get("product_id") or 0))
            return parent["product_type"] == _BUNDLE and not together
        is_bundle = row["product_type"] == _BUNDLE
        return not is_bundle or self._catalog.is_together(int(row.get("product_id") or 0))

    def invoiceable(self, order: Raw) -> dict[int, int]:
        """Return what may be invoiced of each line, in ten-thousandths."""
        return _left(order, "qty_ordered", ("qty_invoiced", "qty_canceled"))

    def refundable(self, order: Raw) -> dict[int, int]:
        """Return what may be refunded of each line, in ten-thousandths."""
        return _left(order, "qty_invoiced", ("qty_refunded",))

    # Doing it.

    def ship(self, order: Raw, quantities: Mapping[int, int], source_code: str | None) -> Raw:
        """Take the goods out of the source and return the changed order.

        Raises:
            NotEnough: no such source, none named where there are several, or too little there.
        """
        code = source_code or self._only_source(order)
        if code is None or self._inventory.source(code) is None:
            raise NotEnough
        changed = copy.deepcopy(order)
        taken: list[tuple[Line, int]] = []
        for line in lines_of(changed, self._catalog):
            ids = (line.head["item_id"], line.raw.get("parent_item_id") or 0)
            named = next((one for one in ids if one in quantities), None)
            if named is not None:
                taken.append((line, round(quantities[named] * line.per_shipped)))
        with self._inventory.lock:
            wanted: Counter[str] = Counter()
            for line, amount in taken:
                wanted[self._reservations.sku_of(line.raw)] += amount
            for sku, amount in wanted.items():
                row = self._inventory.row(sku, code)
                if row is None or row.amount < amount:
                    raise NotEnough
            for sku, amount in wanted.items():
                self._inventory.add_to(sku, code, -amount)
        for line, amount in taken:
            self._shipped_from.setdefault(line.item_id, Counter())[code] += amount
        for row in changed["items"]:
            _add(row, "qty_shipped", quantities.get(row["item_id"], 0))
        return self._with_state(changed)

    def invoice(self, order: Raw, quantities: Mapping[int, int]) -> Raw:
        """Return the order with these quantities invoiced."""
        changed = copy.deepcopy(order)
        for row in changed["items"]:
            amount = quantities.get(row["item_id"], 0)
            parent = _parent_of(changed, row)
            if parent is not None and parent["product_type"] == "configurable":
                amount = quantities.get(parent["item_id"], 0)
            _add(row, "qty_invoiced", amount)
        if not self.invoiceable(changed):
            for name in ("total_invoiced", "total_paid"):
                changed[name] = changed[f"base_{name}"] = changed["grand_total"]
            changed["total_due"] = 0
        return self._with_state(changed)

    def refund(
        self, order: Raw, quantities: Mapping[int, int], returned: Iterable[int], *, shipping: float | None
    ) -> Raw:
        """Return the order with these quantities refunded.

        Units that are still reserved come first: named in ``returned`` they are only released, else they leave the
        source. Then shipped ones: named they go back to where they were shipped from, else they stay away (RULES 4.4).
        ``shipping`` None is all that is left of it.
        """
        named = set(returned)
        changed = copy.deepcopy(order)
        for line in lines_of(changed, self._catalog):
            amount = quantities.get(line.head["item_id"], 0)
            if not amount:
                continue
            unshipped = min(amount, max(0, self._reservations.of_line(line.item_id)))
            self._move_refunded(
                changed, line, unshipped, amount - unshipped, is_returned=line.item_id in named
            )
        for row in changed["items"]:
            _add(row, "qty_refunded", quantities.get(row["item_id"], 0))
        whole = changed.get("shipping_amount") or 0
        refunded = whole if shipping is None else (changed.get("shipping_refunded") or 0) + shipping
        changed["shipping_refunded"] = changed["base_shipping_refunded"] = refunded
        return self._with_state(changed)

    def _move_refunded(
        self, order: Raw, line: Line, unshipped: int, shipped: int, *, is_returned: bool
    ) -> None:
        sku = self._reservations.sku_of(line.raw)
        if not is_returned:
            home = self._home(order, sku)
            if unshipped and home is not None:
                self._inventory.add_to(sku, home, -unshipped)
            return
        sources = self._shipped_from.setdefault(line.item_id, Counter())
        for code in list(sources):
            back = min(shipped, sources[code])
            self._inventory.add_to(sku, code, back)
            sources[code] -= back
            shipped -= back

    def cancel(self, order: Raw) -> Raw | None:
        """Return the order with what is open cancelled, None where nothing can be (``fulfilment/099`` to ``112``)."""
        left = self.invoiceable(order)
        if order["state"] in {"canceled", "complete", "closed", "holded"} or not left:
            return None
        changed = copy.deepcopy(order)
        shippable = self.shippable(order)
        for row in changed["items"]:
            amount = left.get(row["item_id"], 0)
            if row["item_id"] in shippable:
                amount = min(amount, shippable[row["item_id"]])
            parent = _parent_of(changed, row)
            if parent is None or parent["product_type"] != "configurable":
                _add(row, "qty_canceled", amount)
        if any(scaled(row.get("qty_invoiced") or 0) for row in changed["items"]):
            return self._with_state(changed)
        changed["state"] = changed["status"] = "canceled"
        changed["total_canceled"] = changed["base_total_canceled"] = changed["grand_total"]
        return changed

    def _only_source(self, order: Raw) -> str | None:
        stock_id = self._reservations.stock_of(order)
        codes = self._inventory.sources_of(stock_id) if stock_id is not None else []
        return codes[0] if len(codes) == 1 else None

    def _home(self, order: Raw, sku: str) -> str | None:
        """Return the source that goods leave that were never shipped: the first that has the product."""
        stock_id = self._reservations.stock_of(order)
        codes = self._inventory.sources_of(stock_id) if stock_id is not None else []
        return next((code for code in codes if self._inventory.row(sku, code) is not None), None)

    def _with_state(self, order: Raw) -> Raw:
        """Return the order with the state that follows from its quantities (facts, section 7; ``rules/mixed-refund-*``)."""
        heads = [row for row in order["items"] if _parent_of(order, row) is None]
        sums = {
            name: sum(scaled(row.get(name) or 0) for row in heads)
            for name in ("qty_ordered", "qty_shipped", "qty_refunded")
        }
        is_through = sums["qty_refunded"] > 0 and sums["qty_ordered"] <= (
            sums["qty_refunded"] + sums["qty_shipped"]
        )
        can_ship = bool(self.shippable(order))
        if self.invoiceable(order):
            state = "processing"
        elif not self.refundable(order) and not can_ship and not _open_shipping(order):
            state = "closed" if sums["qty_refunded"] else "complete"
        else:
            state = "processing" if can_ship and not is_through else "complete"
        order["state"] = order["status"] = state
        return order


def _open_shipping(order: Raw) -> bool:
    """Return whether shipping was paid that is not refunded."""
    return scaled(order.get("shipping_refunded") or 0) < scaled(order.get("shipping_amount") or 0)


def _parent_of(order: Raw, row: Raw) -> Raw | None:
    wanted = row.get("parent_item_id")
    return next((one for one in order["items"] if one["item_id"] == wanted), None) if wanted else None


def _amounts(row: Mapping[str, Any], *names: str) -> dict[str, int]:
    return {name: scaled(row.get(name) or 0) for name in names}


def _left(order: Raw, whole: str, less: Sequence[str]) -> dict[int, int]:
    """Return what is left of each line that a document takes: the parent's of a configurable, the parts' of a bundle."""
    found: dict[int, int] = {}
    for row in order["items"]:
        parent = _parent_of(order, row)
        if row["product_type"] == _BUNDLE or (
            parent is not None and parent["product_type"] == "configurable"
        ):
            continue
        left = scaled(row.get(whole) or 0) - sum(_amounts(row, *less).values())
        if left > 0:
            found[row["item_id"]] = left
    return found


def _add(row: Raw, name: str, amount: int) -> None:
    if amount:
        row[name] = shown(scaled(row.get(name) or 0) + amount)

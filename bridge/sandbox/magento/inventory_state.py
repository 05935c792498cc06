"""Sources, stocks and source items of the simulated shop, as Magento's multi-source inventory keeps them.

Quantities are kept as whole ten-thousandths, the digits of Magento's column, so that a hundred thousand SKUs in three
sources take little memory and sums are exact. Nothing here asks whether a SKU exists: Magento does not either
(``inventory/022-source-items-post-unknown-sku``).
"""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from bridge.sandbox.magento.catalog_state import Catalog
from bridge.sandbox.magento.rest import Raw

#: The source that every shop has; the classic endpoints see no other.
DEFAULT_SOURCE = "default"
DEFAULT_STOCK = 1
#: Types of products that have no quantity of their own.
WITHOUT_QUANTITY = frozenset({"configurable", "bundle", "grouped"})
_SCALE = 10_000

Number = int | float | str | Decimal


def scaled(quantity: Number) -> int:
    """Return a quantity in ten-thousandths, rounded as the database's column does."""
    return int((Decimal(str(quantity)) * _SCALE).to_integral_value())


def shown(amount: int) -> int | float:
    """Return ten-thousandths as Magento's JSON shows the number: 40, 10.5."""
    return amount // _SCALE if amount % _SCALE == 0 else amount / _SCALE


class Kept(NamedTuple):
    """One row of a source."""

    amount: int
    status: int


class Inventory:
    """The sources, stocks, links and source items of one shop."""

    def __init__(self, stores: dict[str, Any], catalog: Catalog) -> None:
        self.lock = threading.RLock()
        self._stores = stores
        self._catalog = catalog
        codes = [row["code"] for row in stores["websites"] if row["code"] != "admin"]
        #: Id, name and website codes of each stock, by id.
        self.stocks: dict[int, Raw] = {DEFAULT_STOCK: {"name": "Default Stock", "websites": codes}}
        #: Priority of each linked source, by stock id and source code.
        self.links: dict[tuple[int, str], int] = {(DEFAULT_STOCK, DEFAULT_SOURCE): 1}
        self._rows: dict[str, dict[str, Kept]] = {}
        #: SKUs of each source in the database's order, case aside; made when first asked for.
        self._sorted: dict[str, list[str]] = {}
        #: The spelling under which a SKU was first stored.
        self._spelled: dict[str, str] = {}
        #: ``cataloginventory/item_options/backorders`` and ``min_qty`` by SKU, where they differ from the shop's.
        self.backorders: dict[str, int] = {}
        self.threshold: dict[str, int] = {}
        #: SKUs whose classic stock item was switched off by Magento itself as it fell to its threshold.
        self.off_by_itself: set[str] = set()
        for raw in catalog.all():
            self.set(raw["sku"], DEFAULT_SOURCE, _classic_quantity(raw))

    # What tests and the demo set.

    def add_source(self, code: str, *, name: str | None = None, is_enabled: bool = True) -> None:
        """Add a source, or enable or disable the one that is there."""
        row = {
            "source_code": code,
            "name": name or code.title(),
            "enabled": is_enabled,
            "country_id": "DE",
            "postcode": "10115",
            "use_default_carrier_config": True,
            "carrier_links": [],
            "extension_attributes": {
                "is_pickup_location_active": False,
                "frontend_name": name or code.title(),
            },
        }
        self.save_source(row)

    def add_stock(self, name: str, *, websites: Iterable[str], sources: Sequence[str]) -> int:
        """Add a stock that sells for ``websites`` from ``sources``, the first one first; return its id."""
        with self.lock:
            stock_id = max(self.stocks) + 1
            taken = set(websites)
            for row in self.stocks.values():
                row["websites"] = [code for code in row["websites"] if code not in taken]
            self.stocks[stock_id] = {"name": name, "websites": sorted(taken)}
            for priority, code in enumerate(sources, start=1):
                self.link(stock_id, code, priority)
            return stock_id

    def link(self, stock_id: int, source_code: str, priority: int = 1) -> None:
        """Let a stock sell from a source."""
        self.links[stock_id, source_code] = priority

    def unlink(self, stock_id: int, source_code: str) -> None:
        """Take a source out of a stock."""
        self.links.pop((stock_id, source_code), None)

    def set(self, sku: str, source_code: str, quantity: Number, status: int = 1) -> None:
        """Put a source item there, by hand as it were: quantity and status as given."""
        with self.lock:
            self._put(sku, source_code, Kept(scaled(quantity), status))
            if source_code == DEFAULT_SOURCE:
                self.off_by_itself.discard(sku.casefold())

    def set_classic(self, sku: str, quantity: Number, status: int, *, falls_off: bool) -> None:
        """Put the row of source ``default`` there as the classic endpoint does: Magento switches off what ``falls_off``."""
        with self.lock:
            self.set(sku, DEFAULT_SOURCE, quantity, 0 if falls_off else status)
            if falls_off:
                self.off_by_itself.add(sku.casefold())

    def get(self, sku: str, source_code: str) -> Decimal | None:
        """Return a source item's quantity, None where there is none."""
        kept = self.row(sku, source_code)
        return None if kept is None else Decimal(kept.amount) / _SCALE

    def status(self, sku: str, source_code: str) -> int | None:
        """Return a source item's status, None where there is none."""
        kept = self.row(sku, source_code)
        return None if kept is None else kept.status

    def set_backorders(self, sku: str, *, allowed: bool) -> None:
        """Let a product be sold beyond its quantity, or not."""
        self.backorders[sku.casefold()] = int(allowed)

    def set_threshold(self, sku: str, quantity: Number) -> None:
        """Set a product's out-of-stock threshold."""
        self.threshold[sku.casefold()] = scaled(quantity)

    # Sources and stocks.

    @property
    def sources(self) -> list[Raw]:
        """The sources as the REST API shows them."""
        rows: list[Raw] = self._stores["sources"]
        return rows

    def source(self, code: str) -> Raw | None:
        """Return a source by its code."""
        return next((row for row in self.sources if row["source_code"] == code), None)

    def save_source(self, row: Raw) -> None:
        """Add a source, or lay ``row`` over the one with the same code (``inventory/008-source-create-duplicate``)."""
        with self.lock:
            old = self.source(row["source_code"])
            rest = [one for one in self.sources if one is not old]
            self._stores["sources"] = [*rest, {**(old or {}), **row}]

    def remove_stock(self, stock_id: int) -> None:
        """Delete a stock with its links."""
        with self.lock:
            del self.stocks[stock_id]
            self.links = {key: priority for key, priority in self.links.items() if key[0] != stock_id}

    def stock_row(self, stock_id: int) -> Raw:
        """Return a stock as the REST API shows it. ``KeyError`` if there is none."""
        row = self.stocks[stock_id]
        channels = [{"type": "website", "code": code} for code in row["websites"]]
        return {
            "stock_id": stock_id,
            "name": row["name"],
            "extension_attributes": {"sales_channels": channels},
        }

    def stock_of(self, website: str) -> int | None:
        """Return the id of the stock that sells for a website."""
        return next((one for one, row in self.stocks.items() if website in row["websites"]), None)

    def sources_of(self, stock_id: int) -> list[str]:
        """Return the codes of a stock's sources by priority."""
        linked = [(priority, code) for (stock, code), priority in self.links.items() if stock == stock_id]
        return [code for _, code in sorted(linked)]

    # Source items.

    def row(self, sku: str, source_code: str) -> Kept | None:
        """Return a row of a source, whatever the SKU's case."""
        return self._rows.get(source_code, {}).get(sku.casefold())

    def save(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Store source items; of a key that comes twice the last counts (``inventory/034``)."""
        with self.lock:
            for row in rows:
                self._put(row["sku"], row["source_code"], Kept(scaled(row["quantity"]), int(row["status"])))

    def add_to(self, sku: str, source_code: str, amount: int) -> None:
        """Add ten-thousandths to a row; one that is not there is made."""
        with self.lock:
            kept = self.row(sku, source_code) or Kept(0, 1)
            self._put(sku, source_code, Kept(kept.amount + amount, kept.status))

    def delete(self, sku: str, source_code: str) -> None:
        """Delete a source item, if it is there."""
        with self.lock:
            key = sku.casefold()
            if self._rows.get(source_code, {}).pop(key, None) is not None:
                self._sorted.pop(source_code, None)

    def keys(self, source_codes: Iterable[str], skus: Iterable[str] | None = None) -> list[tuple[str, str]]:
        """Return (folded SKU, source) of the rows of these sources, all or those of these SKUs, in no promised order."""
        wanted = None if skus is None else list(dict.fromkeys(sku.casefold() for sku in skus))
        found: list[tuple[str, str]] = []
        with self.lock:
            for code in source_codes:
                rows = self._rows.get(code, {})
                found += [(key, code) for key in (rows if wanted is None else wanted) if key in rows]
        return found

    def behind(self, source_code: str, sku: str) -> list[str]:
        """Return the folded SKUs of a source behind ``sku``, sorted."""
        with self.lock:
            keys = self._sorted.get(source_code)
            if keys is None:
                keys = self._sorted[source_code] = sorted(self._rows.get(source_code, {}))
            return keys[bisect_right(keys, sku.casefold()) :]

    def source_codes(self) -> list[str]:
        """Return the codes of all sources that have rows."""
        return sorted(self._rows)

    def item(self, key: str, source_code: str) -> Raw:
        """Return a source item as the REST API shows it, by its folded SKU."""
        kept = self._rows[source_code][key]
        return {
            "sku": self._spelled[key],
            "source_code": source_code,
            "quantity": shown(kept.amount),
            "status": kept.status,
        }

    def _put(self, sku: str, source_code: str, kept: Kept) -> None:
        key = sku.casefold()
        rows = self._rows.setdefault(source_code, {})
        if key not in rows and source_code in self._sorted:
            insort(self._sorted[source_code], key)
        if key not in self._spelled:
            product = self._catalog.by_sku(sku)
            self._spelled[key] = product["sku"] if product else sku
        rows[key] = kept


def _classic_quantity(raw: Raw) -> Number:
    item = raw["extension_attributes"].get("stock_item", {})
    quantity: Number = item.get("qty", 0)
    return quantity

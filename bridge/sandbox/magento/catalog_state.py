"""The products of the simulated shop, with their texts by store view.

Documents have the shape of the REST API. A store view shows a product's global values with its own laid over
them (``catalog/085`` to ``091``). Which writes move ``updated_at``: ``catalog/128-updated-at-which-writes-move-it``.
"""

from __future__ import annotations

import copy
import threading
from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping
from typing import Any

from bridge.sandbox.magento.data import moved
from bridge.sandbox.magento.rest import Raw

#: What a product has beside its attributes; everything else is a custom attribute.
FIXED_FIELDS = (
    "sku",
    "name",
    "attribute_set_id",
    "price",
    "status",
    "visibility",
    "type_id",
    "created_at",
    "updated_at",
    "weight",
)
#: ``shipment_type`` of a bundle that is shipped as one.
TOGETHER = "0"
#: Parts of a product document that are neither fixed fields nor custom attributes.
_PARTS = frozenset(
    {
        "id",
        "extension_attributes",
        "product_links",
        "options",
        "media_gallery_entries",
        "tier_prices",
        "custom_attributes",
    }
)


class Catalog:
    """The products, by id and by SKU without regard to case."""

    def __init__(self, products: Iterable[Raw]) -> None:
        self._lock = threading.RLock()
        self._rows: dict[int, Raw] = {}
        self._ids: list[int] = []
        self._by_sku: dict[str, int] = {}
        self._own: dict[tuple[int, str], dict[str, Any]] = {}
        #: The ids of the bundles that are shipped as one.
        self._together: set[int] = set()
        for raw in products:
            self.add(raw)

    def add(self, raw: Raw) -> None:
        """Add a product document in the shape of ``GET /V1/products/SKU``, or put it in the place of an older one."""
        with self._lock:
            old = self._rows.get(raw["id"])
            if old is None:
                insort(self._ids, raw["id"])
            else:
                self._by_sku.pop(old["sku"].casefold(), None)
            self._rows[raw["id"]] = raw
            self._by_sku[raw["sku"].casefold()] = raw["id"]
            self._together.discard(raw["id"])
            if raw["type_id"] == "bundle" and attribute(raw, "shipment_type") == TOGETHER:
                self._together.add(raw["id"])

    def get(self, product_id: int, store_code: str = "all") -> Raw | None:
        """Return a product by its entity id as a store view shows it, or None."""
        raw = self._rows.get(product_id)
        return None if raw is None else self.seen_from(store_code, raw)

    def by_sku(self, sku: str, store_code: str = "all") -> Raw | None:
        """Return a product by its SKU, whatever its case, or None."""
        return self.get(self._by_sku.get(sku.casefold(), -1), store_code)

    def remove(self, sku: str) -> None:
        """Delete a product: lines of older orders then name one that is gone."""
        with self._lock:
            product_id = self._by_sku.pop(sku.casefold(), None)
            if product_id is None:
                return
            del self._rows[product_id]
            self._together.discard(product_id)
            self._ids.remove(product_id)
            for key in [key for key in self._own if key[0] == product_id]:
                del self._own[key]

    def all(self) -> list[Raw]:
        """Return all products in the order of their ids."""
        with self._lock:
            return [self._rows[product_id] for product_id in self._ids]

    def behind(self, product_id: int) -> list[Raw]:
        """Return the products with greater ids, in their order."""
        with self._lock:
            return [self._rows[one] for one in self._ids[bisect_right(self._ids, product_id) :]]

    def next_id(self) -> int:
        """Return the id that the next product gets."""
        return self._ids[-1] + 1 if self._ids else 1

    def change(self, sku: str, values: Mapping[str, Any], *, is_silent: bool = False) -> Raw:
        """Set fields and attributes of a product, None takes an attribute away.

        ``updated_at`` moves, by a second at the least, unless ``is_silent``: bulk writes of prices, costs, stock
        and categories do not move it.

        Raises:
            LookupError: the catalog has no such product.
        """
        with self._lock:
            new = copy.deepcopy(self._known(sku))
            if not is_silent:
                new["updated_at"] = moved(new["updated_at"])
            _lay_over(new, values)
            self.add(new)
            return new

    def set_texts(self, sku: str, store_code: str, values: Mapping[str, Any]) -> None:
        """Give a product values of its own in a store view; ``updated_at`` moves.

        Raises:
            LookupError: the catalog has no such product.
        """
        with self._lock:
            raw = self.change(sku, {})
            self._own.setdefault((raw["id"], store_code), {}).update(values)

    def own_values(self, product_id: int, store_code: str) -> Mapping[str, Any]:
        """Return the values of its own that a product has in a store view."""
        return dict(self._own.get((product_id, store_code), {}))

    def set_own(self, product_id: int, store_code: str, values: Mapping[str, Any]) -> None:
        """Give a product values of its own in a store view, None takes one away; ``updated_at`` does not move."""
        with self._lock:
            own = {**self._own.get((product_id, store_code), {}), **values}
            self._own[product_id, store_code] = {name: one for name, one in own.items() if one is not None}

    def children(self, sku: str) -> list[Raw]:
        """Return the products that a configurable has as its children.

        Raises:
            LookupError: the catalog has no such product.
        """
        links = self._known(sku)["extension_attributes"].get("configurable_product_links", ())
        return [self._rows[one] for one in links if one in self._rows]

    def together_bundle_of(self, sku: str) -> Raw | None:
        """Return the bundle shipped as one that has ``sku`` among its parts, if there is one."""
        wanted = sku.casefold()
        for product_id in sorted(self._together):
            options = self._rows[product_id]["extension_attributes"].get("bundle_product_options", ())
            if any(
                link["sku"].casefold() == wanted for option in options for link in option["product_links"]
            ):
                return self._rows[product_id]
        return None

    def is_together(self, product_id: int | None) -> bool:
        """Return whether a product is a bundle that is shipped as one."""
        return product_id in self._together

    def seen_from(self, store_code: str, raw: Raw) -> Raw:
        """Return a product as a store view shows it; ``all`` shows the global values, no code those of ``default``."""
        own = self._own.get((raw["id"], store_code or "default"))
        if not own:
            return raw
        shown = copy.deepcopy(raw)
        _lay_over(shown, own)
        return shown

    def _known(self, sku: str) -> Raw:
        raw = self.by_sku(sku)
        if raw is None:
            raise LookupError(f"The simulated catalog has no product {sku}.")
        return raw


def attribute(raw: Raw, code: str) -> Any:
    """Return the value of a custom attribute, None where the product has none."""
    return next((row["value"] for row in raw["custom_attributes"] if row["attribute_code"] == code), None)


def _lay_over(raw: Raw, values: Mapping[str, Any]) -> None:
    """Set ``values`` on a document: fixed fields and parts where they stand, others as custom attributes."""
    for name, value in values.items():
        if name in _PARTS or name in FIXED_FIELDS:
            if value is None:
                raw.pop(name, None)
            else:
                raw[name] = value
            continue
        rows = [row for row in raw["custom_attributes"] if row["attribute_code"] != name]
        if value is not None:
            rows.append({"attribute_code": name, "value": value})
        raw["custom_attributes"] = rows

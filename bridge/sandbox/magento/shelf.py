"""The products of the simulated catalog, as carts need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.sandbox.magento.cart import Product
from bridge.sandbox.magento.catalog_state import Catalog
from bridge.sandbox.magento.rest import Raw

#: ``tax_class_id`` of the recorded class "Reduced Goods" (``stores/001-taxclass-create``).
_REDUCED = "4"


def product(catalog: Catalog, sku: str) -> Product:
    """Return the product with this SKU. ``LookupError`` if the catalog has none."""
    raw = catalog.by_sku(sku)
    if raw is None:
        raise LookupError(f"The simulated catalog has no product {sku}.")
    return as_product(raw)


def as_product(raw: Raw) -> Product:
    """Return what a cart needs of a product document."""
    attributes: Mapping[str, Any] = {row["attribute_code"]: row["value"] for row in raw["custom_attributes"]}
    cost = attributes.get("cost")
    return Product(
        id=raw["id"],
        sku=raw["sku"],
        name=raw["name"],
        price=raw.get("price") or 0.0,
        tax_class="reduced" if attributes.get("tax_class_id") == _REDUCED else "goods",
        weight=raw.get("weight"),
        cost=float(cost) if cost is not None else None,
        is_qty_decimal=raw["extension_attributes"].get("stock_item", {}).get("is_qty_decimal", False),
    )

"""Products over REST: one by SKU, and lists. Writes are not simulated yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.orders_api import limited
from bridge.sandbox.magento.rest import Raw, RestError
from bridge.sandbox.magento.search import Column, find, parse_criteria

_PRODUCTS = "Magento_Catalog::products"
_FIELDS = (
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


def get_product(ask: Ask) -> Raw:
    """Answer a product by SKU, whatever its case, in its stored spelling (``catalog/043``)."""
    raw = ask.state.catalog.by_sku(ask.path["sku"])
    if raw is None:
        raise RestError(
            404, "The product that was requested doesn't exist. Verify the product and try again."
        )
    return raw


def list_products(ask: Ask) -> Raw:
    """Answer a page of products; an unknown attribute is a 400 here (``catalog/030``), unlike with orders."""
    criteria = limited(ask, parse_criteria(ask.query))
    try:
        page, total = find(ask.state.catalog.all(), criteria, _Columns(), dates=("created_at", "updated_at"))
    except KeyError as exc:
        raise RestError(
            400, 'The "%1" attribute name is invalid. Reset the name and try again.', [exc.args[0]]
        ) from None
    return {"items": [_in_list(raw) for raw in page], "search_criteria": criteria.echo, "total_count": total}


def _in_list(raw: Raw) -> Raw:
    """Lists leave the stock item out (``catalog/021-products-page1-full``)."""
    extension = {key: value for key, value in raw["extension_attributes"].items() if key != "stock_item"}
    return {**raw, "extension_attributes": extension}


class _Columns(Mapping[str, Column]):
    """Fixed fields, and every attribute that some recorded product has."""

    _attributes = frozenset(
        {"color", "size", "tax_class_id", "url_key", "special_price", "options_container"}
    )

    def __getitem__(self, name: str) -> Column:
        if name in {"entity_id", "id"}:
            return lambda raw: raw["id"]
        if name in _FIELDS:
            return lambda raw: raw.get(name)
        if name == "website_id":
            return lambda raw: raw["extension_attributes"]["website_ids"]
        if name == "category_id":
            return lambda raw: [
                link["category_id"] for link in raw["extension_attributes"].get("category_links", [])
            ]
        if name in self._attributes:
            return lambda raw: _attribute(raw, name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter((*_FIELDS, *sorted(self._attributes)))

    def __len__(self) -> int:
        return len(_FIELDS) + len(self._attributes)


def _attribute(raw: Raw, code: str) -> Any:
    return next((row["value"] for row in raw["custom_attributes"] if row["attribute_code"] == code), None)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "products", _PRODUCTS, list_products),
    Endpoint("GET", "products/:sku", _PRODUCTS, get_product),
)

"""Products over REST: one by SKU, lists, children of configurables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.catalog_state import FIXED_FIELDS, attribute
from bridge.sandbox.magento.orders_api import limited
from bridge.sandbox.magento.rest import Raw, RestError
from bridge.sandbox.magento.search import Column, Criteria, find, parse_criteria

_PRODUCTS = "Magento_Catalog::products"
#: What a child of a configurable lacks beside the product itself (``catalog/047-configurable-children``).
_NOT_IN_CHILDREN = frozenset({"extension_attributes", "options"})


def get_product(ask: Ask) -> Raw:
    """Answer a product by SKU, whatever its case, in its stored spelling (``catalog/043``)."""
    raw = ask.state.catalog.by_sku(ask.path["sku"], ask.store_code)
    if raw is None:
        raise _unknown_product()
    return raw


def list_products(ask: Ask) -> Raw:
    """Answer a page of products; an unknown attribute is a 400 here (``catalog/030``), unlike with orders."""
    criteria = limited(ask, parse_criteria(ask.query))
    catalog = ask.state.catalog
    rows = [catalog.seen_from(ask.store_code, raw) for raw in _candidates(ask, criteria)]
    columns = _Columns({raw["attribute_code"] for raw in ask.state.attributes.all()})
    try:
        page, total = find(rows, criteria, columns, dates=("created_at", "updated_at"))
    except KeyError as exc:
        raise RestError(
            400, 'The "%1" attribute name is invalid. Reset the name and try again.', [exc.args[0]]
        ) from None
    return {"items": [_in_list(raw) for raw in page], "search_criteria": criteria.echo, "total_count": total}


def list_children(ask: Ask) -> list[Raw]:
    """Answer the children of a configurable; of another product none (``catalog/047``, ``049``)."""
    try:
        children = ask.state.catalog.children(ask.path["sku"])
    except LookupError:
        raise _unknown_product() from None
    return [{name: value for name, value in raw.items() if name not in _NOT_IN_CHILDREN} for raw in children]


def list_options(ask: Ask) -> list[Raw]:
    """Answer the attributes by which a configurable's children differ (``catalog/048``)."""
    options = get_product(ask)["extension_attributes"].get("configurable_product_options", [])
    return [
        {**option, "values": sorted(option["values"], key=lambda one: int(one["value_index"]))}
        for option in options
    ]


def _unknown_product() -> RestError:
    return RestError(404, "The product that was requested doesn't exist. Verify the product and try again.")


def _candidates(ask: Ask, criteria: Criteria) -> Iterable[Raw]:
    """Return the products that may fit: without it a sweep of a large catalog would look at all of it each time."""
    catalog = ask.state.catalog
    for group in criteria.groups:
        if len(group) != 1:
            continue
        one = group[0]
        words = [word.strip() for word in one.value.split(",")]
        if one.field == "entity_id" and one.condition == "gt" and one.value.isdigit():
            return catalog.behind(int(one.value))
        if one.field == "entity_id" and one.condition == "in" and all(word.isdigit() for word in words):
            return _there(catalog.get(number) for number in sorted({int(word) for word in words}))
        if one.field == "sku" and one.condition == "in":
            found = {raw["id"]: raw for raw in _there(catalog.by_sku(word) for word in words)}
            return [found[number] for number in sorted(found)]
    return catalog.all()


def _there(rows: Iterable[Raw | None]) -> list[Raw]:
    return [raw for raw in rows if raw is not None]


def _in_list(raw: Raw) -> Raw:
    """Lists leave the stock item out (``catalog/021-products-page1-full``)."""
    extension = {key: value for key, value in raw["extension_attributes"].items() if key != "stock_item"}
    return {**raw, "extension_attributes": extension}


class _Columns(Mapping[str, Column]):
    """Fixed fields, and every attribute of the shop."""

    def __init__(self, attributes: set[str]) -> None:
        self._attributes = attributes

    def __getitem__(self, name: str) -> Column:
        if name in {"entity_id", "id"}:
            return lambda raw: raw["id"]
        if name in FIXED_FIELDS:
            return lambda raw: raw.get(name)
        if name == "website_id":
            return lambda raw: raw["extension_attributes"]["website_ids"]
        if name == "category_id":
            return _category_ids
        if name in self._attributes:
            return lambda raw: attribute(raw, name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter((*FIXED_FIELDS, *sorted(self._attributes)))

    def __len__(self) -> int:
        return len(FIXED_FIELDS) + len(self._attributes)


def _category_ids(raw: Raw) -> list[Any]:
    return [link["category_id"] for link in raw["extension_attributes"].get("category_links", [])]


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "products", _PRODUCTS, list_products),
    Endpoint("GET", "products/:sku", _PRODUCTS, get_product),
    Endpoint("GET", "configurable-products/:sku/children", _PRODUCTS, list_children),
    Endpoint("GET", "configurable-products/:sku/options/all", _PRODUCTS, list_options),
)

"""Writes of products over REST: create and change.

As recorded under ``catalog/011``, ``013``, ``063`` to ``093`` and ``errors/009`` to ``031``. A
write without a store code goes to the view ``default``; one at ``all`` to the global values, which a view that has its
own does not show.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.catalog_state import FIXED_FIELDS, attribute
from bridge.sandbox.magento.data import TIME_FORMAT
from bridge.sandbox.magento.rest import Raw, RestError, wrong_type

_PRODUCTS = "Magento_Catalog::products"
_LONGEST_SKU = 64
_INTEGERS = frozenset({"id", "attribute_set_id", "status", "visibility"})
_NUMBERS = frozenset({"price", "weight"})
_PARTS = frozenset(
    {
        *("id", "extension_attributes", "product_links", "options", "media_gallery_entries", "tier_prices"),
        "custom_attributes",
    }
)
#: Attributes of which a store view may have a value of its own; a website shares its prices.
_BY_VIEW = frozenset({"name", "description", "short_description", "url_key", "status", "visibility"})
#: Integers of the stock item that no boolean may stand for (``errors/001``).
_STOCK_INTEGERS = ("use_config_min_sale_qty",)


def post_product(ask: Ask) -> Raw:
    """Create a product, or change the one that has the SKU (``catalog/064``)."""
    given = _checked(ask)
    sku = given.get("sku")
    if not sku:
        # Without a SKU Magento breaks (``catalog/075``).
        raise RestError(500, "An error has happened during application run. See exception log for details.")
    return _save(ask, str(sku), given)


def put_product(ask: Ask) -> Raw:
    """Change a product, or create it (``catalog/065``, ``066``); another SKU in the body is ignored (``catalog/067``)."""
    return _save(ask, ask.path["sku"], _checked(ask))


def _checked(ask: Ask) -> Raw:
    """Return the product of the body, its fields known and of their types (``errors/011``, ``014``)."""
    given = ask.document("product")
    for name, value in given.items():
        if name not in FIXED_FIELDS and name not in _PARTS:
            label = "".join(part.capitalize() for part in name.split("_"))
            raise RestError(
                400,
                '"%fieldName" is not supported. Correct the field name and try again.',
                {"fieldName": label},
            )
        if name in _INTEGERS and not _is_number(value, r"-?\d+"):
            raise wrong_type(str(value), "int", name)
        if name in _NUMBERS and value is not None and not _is_number(value, r"-?\d+(\.\d+)?"):
            raise wrong_type(str(value), "float", name)
    stock = (given.get("extension_attributes") or {}).get("stock_item") or {}
    for name in _STOCK_INTEGERS:
        if isinstance(stock.get(name), bool):
            text = str(wrong_type(str(int(stock[name]) or ""), "int", name))
            text = f'Error occurred during "stock_item" processing. {text}'
            raise RestError(400, f'Error occurred during "extension_attributes" processing. {text}')
    for row in given.get("custom_attributes") or ():
        _check_option(ask, row)
    return given


def _check_option(ask: Ask, row: Mapping[str, Any]) -> None:
    """Refuse a label in the place of an option's id; an id that names nothing is kept (``catalog/082``, ``083``)."""
    known = ask.state.attributes.get(row["attribute_code"])
    value = row.get("value")
    is_choice = known is not None and known["frontend_input"] == "select" and known["backend_type"] == "int"
    if is_choice and isinstance(value, str) and value and not value.isdigit():
        text = f'Attribute "{row["attribute_code"]}" has invalid value. {wrong_type(value, "int")}'
        raise RestError(400, f'Error occurred during "custom_attributes" processing. {text}')


def _save(ask: Ask, sku: str, given: Raw) -> Raw:
    price = given.get("price")
    if price is not None and float(price) < 0:
        raise RestError(400, "Please enter a number 0 or greater in this field.")
    old = ask.state.catalog.by_sku(sku)
    if old is None:
        return _answer(ask, _create(ask, sku, given))
    _change(ask, old, given)
    return _answer(ask, old["sku"])


def _create(ask: Ask, sku: str, given: Raw) -> str:
    if "attribute_set_id" not in given:
        raise RestError(400, "Invalid product data: %1", ["Invalid attribute set entity type"])
    if not given.get("name"):
        raise RestError(400, 'The "Product Name" attribute value is empty. Set the attribute and try again.')
    if len(sku) > _LONGEST_SKU:
        raise RestError(400, "SKU length should be 64 characters maximum.")
    custom = _custom(ask, given)
    url_key = str(custom.pop("url_key", "") or _url_key(str(given["name"])))
    if any(attribute(one, "url_key") == url_key for one in ask.state.catalog.all()):
        raise RestError(400, "URL key for specified store already exists.")
    catalog, now = ask.state.catalog, datetime.now(UTC).strftime(TIME_FORMAT)
    product_id = catalog.next_id()
    kind = given.get("type_id", "simple")
    raw: Raw = {
        "id": product_id,
        "sku": sku,
        "name": given["name"],
        "attribute_set_id": int(given["attribute_set_id"]),
        "price": given.get("price") or 0,
        "status": int(given.get("status", 1)),
        "visibility": int(given.get("visibility", 4)),
        "type_id": kind,
        "created_at": now,
        "updated_at": now,
    }
    if given.get("weight") is not None:
        raw["weight"] = given["weight"]
    extension = given.get("extension_attributes") or {}
    links = list(extension.get("category_links") or ())
    raw["extension_attributes"] = {
        # Without a word, and without ``all``, it is sold by the first website only (``catalog/063``).
        "website_ids": list(extension.get("website_ids") or ([] if ask.store_code == "all" else [1])),
        **({"category_links": links} if links else {}),
        "stock_item": _stock_item(ask, product_id, extension.get("stock_item") or {}),
    }
    if kind == "configurable":
        raw["extension_attributes"] |= {"configurable_product_options": [], "configurable_product_links": []}
    raw |= {"product_links": [], "options": [], "media_gallery_entries": [], "tier_prices": []}
    own = {
        "options_container": "container2",
        "msrp_display_actual_price_type": "0",
        "url_key": url_key,
        **{name: value for name, value in custom.items() if name not in {"tax_class_id", "category_ids"}},
        "required_options": "0",
        "has_options": "0",
        "tax_class_id": custom.get("tax_class_id", "2"),
        "category_ids": [str(link["category_id"]) for link in links],
    }
    raw["custom_attributes"] = [{"attribute_code": name, "value": value} for name, value in own.items()]
    catalog.add(raw)
    return sku


def _change(ask: Ask, old: Raw, given: Raw) -> None:
    """Change what is given. In a store view the texts become its own, all else is everybody's (``catalog/084`` to ``093``)."""
    values = {name: given[name] for name in FIXED_FIELDS if name in given}
    for name in ("sku", "created_at", "updated_at", "type_id"):
        values.pop(name, None)
    values |= _custom(ask, given)
    extension = given.get("extension_attributes") or {}
    parts = {name: extension[name] for name in ("website_ids", "category_links") if name in extension}
    if parts:
        values["extension_attributes"] = {**old["extension_attributes"], **parts}
        if "category_links" in parts:
            values["category_ids"] = [str(link["category_id"]) for link in parts["category_links"]]
    catalog = ask.state.catalog
    if ask.store_code == "all":
        catalog.change(old["sku"], values)
        return
    own = {name: values.pop(name) for name in tuple(values) if name in _BY_VIEW}
    catalog.change(old["sku"], values)
    if own:
        catalog.set_texts(old["sku"], ask.store_code or "default", own)


def _custom(ask: Ask, given: Raw) -> dict[str, Any]:
    """Return the custom attributes that the shop knows; others are ignored without a word (``catalog/080``)."""
    return {
        row["attribute_code"]: row.get("value")
        for row in given.get("custom_attributes") or ()
        if ask.state.attributes.get(row["attribute_code"]) is not None
    }


def _answer(ask: Ask, sku: str) -> Raw:
    raw = ask.state.catalog.by_sku(sku, ask.store_code)
    assert raw is not None
    if "sku" in ask.path:
        return raw
    # The answer to POST has none of the links and prices by quantity (``catalog/064`` against ``065`` and ``066``).
    return {name: value for name, value in raw.items() if name not in {"product_links", "tier_prices"}}


def _stock_item(ask: Ask, product_id: int, given: Mapping[str, Any]) -> Raw:
    like = ask.state.catalog.by_sku("SIM-01")
    item: Raw = copy.deepcopy(like["extension_attributes"]["stock_item"]) if like is not None else {}
    item |= {"item_id": product_id, "product_id": product_id, "qty": given.get("qty")}
    return item | {"is_in_stock": bool(given.get("is_in_stock"))}


def _is_number(value: Any, pattern: str) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or re.fullmatch(pattern, str(value)) is not None


def _url_key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "products", _PRODUCTS, post_product),
    Endpoint("PUT", "products/:sku", _PRODUCTS, put_product),
)

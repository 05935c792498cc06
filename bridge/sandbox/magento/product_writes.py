"""Writes of products over REST: create, change, options of attributes, configurables, images.

As recorded under ``catalog/005`` to ``017``, ``063`` to ``093``, ``110`` to ``114`` and ``errors/009`` to ``031``. A
write without a store code goes to the view ``default``; one at ``all`` to the global values, which a view that has its
own does not show.
"""

from __future__ import annotations

import base64
import binascii
import copy
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.catalog_state import FIXED_FIELDS, attribute
from bridge.sandbox.magento.data import TIME_FORMAT
from bridge.sandbox.magento.rest import Raw, RestError, field_required, wrong_type

_PRODUCTS = "Magento_Catalog::products"
_ATTRIBUTES = "Magento_Catalog::attributes_attributes"
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
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")


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


def post_attribute_option(ask: Ask) -> str:
    """Add an option to an attribute and answer its id (``catalog/005``, ``006``)."""
    raw = ask.state.attributes.get(ask.path["code"])
    if raw is None:
        raise RestError(
            404,
            'The attribute with a "%1" attributeCode doesn\'t exist. Verify the attribute and try again.',
            [ask.path["code"]],
        )
    label = str(ask.document("option").get("label") or "")
    if any(option["label"] == label for option in raw["options"]):
        raise RestError(400, 'Admin store attribute option label "%1" is already exists.', [label])
    return ask.state.attributes.add_option(ask.path["code"], label)


def post_configurable_option(ask: Ask) -> str:
    """Let the children of a configurable differ by an attribute (``catalog/014``, ``015``)."""
    parent = _known(ask, ask.path["sku"])
    option = ask.document("option")
    extension = copy.deepcopy(parent["extension_attributes"])
    rows = extension.setdefault("configurable_product_options", [])
    if any(str(row["attribute_id"]) == str(option["attribute_id"]) for row in rows):
        raise RestError(400, "Something went wrong while saving option.")
    number = 1 + max((row["id"] for row in _all_options(ask)), default=0)
    rows.append(
        {
            "id": number,
            "attribute_id": str(option["attribute_id"]),
            "label": option.get("label"),
            "position": option.get("position", 0),
            "values": [{"value_index": int(one["value_index"])} for one in option["values"]],
            "product_id": parent["id"],
        }
    )
    ask.state.catalog.change(parent["sku"], {"extension_attributes": extension})
    return str(number)


def post_child(ask: Ask) -> bool:
    """Make a product a child of a configurable (``catalog/016``, ``017``)."""
    parent = _known(ask, ask.path["sku"])
    content = ask.content()
    if "childSku" not in content:
        raise field_required("childSku")
    child = _known(ask, str(content["childSku"]))
    extension = copy.deepcopy(parent["extension_attributes"])
    links = extension.setdefault("configurable_product_links", [])
    if child["id"] in links:
        raise RestError(400, "The product is already attached.")
    codes = {str(raw["attribute_id"]): raw["attribute_code"] for raw in ask.state.attributes.all()}
    for option in extension.get("configurable_product_options", ()):
        value = attribute(child, codes[option["attribute_id"]])
        if value is None:
            raise RestError(400, "The configurable product does not have this child product attribute value.")
        if all(str(one["value_index"]) != str(value) for one in option["values"]):
            option["values"].append({"value_index": int(value)})
    links.append(child["id"])
    ask.state.catalog.change(parent["sku"], {"extension_attributes": extension})
    return True


def post_media(ask: Ask) -> str:
    """Add an image: never the same one twice for one, but a new name for a taken one (``catalog/110``, ``111``)."""
    raw = _known(ask, ask.path["sku"])
    entry = ask.document("entry")
    content = entry.get("content") or {}
    if not _is_image(content.get("base64_encoded_data")):
        raise RestError(400, "The image content must be valid base64 encoded data.")
    rows = copy.deepcopy(raw["media_gallery_entries"])
    taken = {row["file"] for one in ask.state.catalog.all() for row in one["media_gallery_entries"]}
    number = 1 + max(
        (row["id"] for one in ask.state.catalog.all() for row in one["media_gallery_entries"]), default=0
    )
    types = list(entry.get("types") or ())
    for row in rows:
        row["types"] = [one for one in row["types"] if one not in types]
    rows.append(
        {
            "id": number,
            "media_type": entry.get("media_type", "image"),
            "label": entry.get("label"),
            "position": entry.get("position", 0),
            "disabled": bool(entry.get("disabled")),
            "types": types,
            "file": _file_name(str(content.get("name") or "image"), taken),
        }
    )
    ask.state.catalog.change(raw["sku"], {"media_gallery_entries": rows})
    return str(number)


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


def _known(ask: Ask, sku: str) -> Raw:
    raw = ask.state.catalog.by_sku(sku)
    if raw is None:
        raise RestError(
            404, "The product that was requested doesn't exist. Verify the product and try again."
        )
    return raw


def _all_options(ask: Ask) -> list[Raw]:
    return [
        row
        for raw in ask.state.catalog.all()
        for row in raw["extension_attributes"].get("configurable_product_options", ())
    ]


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


def _is_image(data: Any) -> bool:
    try:
        content = base64.b64decode(str(data or ""), validate=True)
    except binascii.Error:
        return False
    return content.startswith(_IMAGES)


def _file_name(name: str, taken: set[str]) -> str:
    path = PurePosixPath(name)
    folder = "/".join(path.stem[:2].lower())
    file, number = f"/{folder}/{name}", 0
    while file in taken:
        number += 1
        file = f"/{folder}/{path.stem}_{number}{path.suffix}"
    return file


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "products", _PRODUCTS, post_product),
    Endpoint("PUT", "products/:sku", _PRODUCTS, put_product),
    Endpoint("POST", "products/attributes/:code/options", _ATTRIBUTES, post_attribute_option),
    Endpoint("POST", "products/:sku/media", _PRODUCTS, post_media),
    Endpoint("POST", "configurable-products/:sku/options", _PRODUCTS, post_configurable_option),
    Endpoint("POST", "configurable-products/:sku/child", _PRODUCTS, post_child),
)

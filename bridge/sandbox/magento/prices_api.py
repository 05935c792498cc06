"""The bulk price endpoints of base prices and special prices (``catalog/094`` to ``106``).

They answer 200 with a list of what they refused; what is good is written. None of them moves ``updated_at``
(``catalog/128``). What no recording shows (scope of prices, dates that are not said, what is deleted) was tried on 2.4.7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.catalog_state import attribute
from bridge.sandbox.magento.data import TIME_FORMAT
from bridge.sandbox.magento.rest import Raw, RestError, field_required, wrong_type

PRODUCTS = "Magento_Catalog::catalog"
#: Most rows of a call while Magento limits its input (``errors/028-limit-array-over-20``).
_MOST_ROWS = 20
NO_PRODUCT = "The product that was requested doesn't exist. Verify the product and try again."
_SPECIAL_ROW = "Row ID: SKU = {0}, Store ID: {1}, Price From: {2}, Price To: {3}."
#: Digits behind the point that are kept.
DIGITS = 6
_SPECIAL = ("special_price", "special_from_date", "special_to_date")


def base_prices(ask: Ask) -> list[Raw]:
    """Answer base prices; SKUs that are unknown or have no price of their own are left out (``catalog/105``)."""
    found: list[Raw] = []
    for raw in asked_products(ask, with_price=True):
        for store_id, code in _views(ask):
            price = _own(ask, raw, code, "price")
            if price is not None:
                found.append({"price": price, "store_id": store_id, "sku": raw["sku"]})
    return found


def set_base_prices(ask: Ask) -> list[Raw]:
    """Set base prices; a configurable is refused as an unknown SKU is (``catalog/104``)."""

    def write(row: Raw) -> list[Raw]:
        raw = ask.state.catalog.by_sku(text_of(row, "sku"))
        price = number_of(row, "price")
        refused: list[Raw] = []
        if raw is None or not _has_price(raw):
            refused.append(_invalid_field("SKU", text_of(row, "sku")))
        if price is None or price < 0:
            refused.append(_invalid_field("Price", price))
        code = _view_code(ask, row)
        if code is None:
            words = f"Row ID: SKU = {row['sku']}, Store ID: {plain(row.get('store_id')) or ''}."
            refused.append(refusal(f"Requested store is not found. {words}", row["sku"], row.get("store_id")))
        if raw is not None and code is not None and not refused:
            # While prices are global, Magento writes the one price that there is, whatever store is named.
            where = code if ask.state.switches.website_prices else "all"
            for view in _views_of_website(ask, where):
                set_values(ask, raw, view, {"price": round(price, DIGITS)})
        return refused

    return _each_row(ask, write)


def special_prices(ask: Ask) -> list[Raw]:
    """Answer special prices (``catalog/095``), each with all dates that the product has anywhere: one row for each."""
    found: list[Raw] = []
    for raw in asked_products(ask):
        starts, ends = (_anywhere(ask, raw, name) for name in _SPECIAL[1:])
        for store_id, code in _views(ask):
            price = _own(ask, raw, code, "special_price")
            if price is not None:
                found += [
                    {
                        "price": float(price),
                        "store_id": store_id,
                        "sku": raw["sku"],
                        "price_from": start,
                        "price_to": end,
                    }
                    for start in starts or [None]
                    for end in ends or [None]
                ]
    return found


def set_special_prices(ask: Ask) -> list[Raw]:
    """Set special prices in one store view, with their dates (``catalog/094``); a date that is not said stays."""

    def write(row: Raw) -> list[Raw]:
        raw, code, refused = _special_row(ask, row)
        if raw is not None and code is not None and not refused:
            values = (f"{number_of(row, 'price'):.{DIGITS}f}", row.get("price_from"), row.get("price_to"))
            set_values(ask, raw, code, {name: one for name, one in zip(_SPECIAL, values, strict=True) if one})
        return refused

    return _each_row(ask, write)


def delete_special_prices(ask: Ask) -> list[Raw]:
    """Take special prices away (``catalog/096``), by SKU and store: whatever price and dates are named."""

    def write(row: Raw) -> list[Raw]:
        raw, code, refused = _special_row(ask, row)
        if raw is not None and code is not None and not refused:
            set_values(ask, raw, code, dict.fromkeys(_SPECIAL))
        return refused

    return _each_row(ask, write)


def _special_row(ask: Ask, row: Raw) -> tuple[Raw | None, str | None, list[Raw]]:
    sku, store = text_of(row, "sku"), row.get("store_id")
    start, end = row.get("price_from"), row.get("price_to")
    raw, code = ask.state.catalog.by_sku(sku), _view_code(ask, row)
    wrong: list[tuple[str, list[object]]] = []
    if raw is None or raw["type_id"] in {"configurable", "grouped"}:
        wrong.append((NO_PRODUCT, []))
    if store and not ask.state.switches.website_prices:
        wrong.append(("Could not change non global Price when price scope is global.", []))
    if code is None:
        wrong.append(("Requested store is not found.", []))
    price = number_of(row, "price")
    if price is None or price < 0:
        wrong.append((f"Invalid attribute Price = {plain(price) or ''}.", [price]))
    for label, value in (("Price From", start), ("Price To", end)):
        if value and not _is_time(value):
            wrong.append((f"Invalid attribute {label} = {end}.", [label]))
    words = _SPECIAL_ROW.format(sku, store, start, end)
    return raw, code, [refusal(f"{one} {words}", *about, sku, store, start, end) for one, about in wrong]


def _is_time(value: object) -> bool:
    try:
        return str(datetime.strptime(str(value), TIME_FORMAT)) == value  # noqa: DTZ007  # as Magento reads it
    except ValueError:
        return False


def _has_price(raw: Raw) -> bool:
    """Return whether a product has a price of its own: not what is sold by its parts only."""
    if raw["type_id"] == "bundle":
        return bool(attribute(raw, "price_type") == "1")
    return raw["type_id"] not in {"configurable", "grouped"}


def asked_products(ask: Ask, *, with_price: bool = False) -> list[Raw]:
    """Return the products of a call's ``skus``, by id; unknown ones are missing."""
    content = ask.content()
    if "skus" not in content:
        raise field_required("skus")
    found = {
        raw["id"]: raw for sku in content["skus"] if (raw := ask.state.catalog.by_sku(str(sku))) is not None
    }
    return [raw for _, raw in sorted(found.items()) if not with_price or _has_price(raw)]


def _views(ask: Ask) -> list[tuple[int, str]]:
    return [
        (0, "all"),
        *((view["id"], view["code"]) for view in ask.state.stores["storeViews"] if view["id"]),
    ]


def _view_code(ask: Ask, row: Raw) -> str | None:
    return dict(_views(ask)).get(row.get("store_id", -1))


def _own(ask: Ask, raw: Raw, code: str, name: str) -> Any:
    """Return a value that a product has in a store view of its own, or for all of them."""
    if code != "all":
        return ask.state.catalog.own_values(raw["id"], code).get(name)
    return raw.get("price") if name == "price" else attribute(raw, name)


def _anywhere(ask: Ask, raw: Raw, name: str) -> list[Any]:
    """Return the values that a product has of an attribute in all scopes."""
    return [value for _, code in _views(ask) if (value := _own(ask, raw, code, name)) is not None]


def _views_of_website(ask: Ask, code: str) -> list[str]:
    """Return the codes of all store views of a view's website: a base price holds for all of them."""
    stores = ask.state.stores["storeViews"]
    website = next((view["website_id"] for view in stores if view["code"] == code), None)
    return [view["code"] for view in stores if view["website_id"] == website] or [code]


def set_values(ask: Ask, raw: Raw, code: str, values: Mapping[str, Any]) -> None:
    """Set values of a product in one scope, without a move of its date."""
    if code == "all":
        ask.state.catalog.change(raw["sku"], values, is_silent=True)
    else:
        ask.state.catalog.set_own(raw["id"], code, values)


def _each_row(ask: Ask, write: Callable[[Raw], list[Raw]]) -> list[Raw]:
    return [refused for row in rows_of(ask) for refused in write(row)]


def rows_of(ask: Ask) -> list[Raw]:
    """Return the rows under ``prices``."""
    content = ask.content()
    if "prices" not in content:
        raise field_required("prices")
    rows = content["prices"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise wrong_type(str(rows), "array", "prices")
    if ask.state.switches.input_limits and len(rows) > _MOST_ROWS:
        words = f'Maximum items of type "Magento\\Catalog\\Api\\Data\\PriceInterface" is {_MOST_ROWS}'
        raise RestError(400, words)
    return rows


def text_of(row: Raw, name: str) -> str:
    """Return a field that must be there."""
    if name not in row:
        raise field_required(name)
    return str(row[name])


def number_of(row: Raw, name: str) -> Any:
    """Return a number, also one that is a text; None where there is none."""
    value = row.get(name)
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        value = float(value)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise wrong_type(str(value), "float", name)
    return value


def _invalid_field(name: str, value: object) -> Raw:
    return refusal("Invalid attribute %fieldName = %fieldValue.", name, value)


def refusal(message: str, *parameters: object) -> Raw:
    """Return what is said of a row that is not taken."""
    return {"message": message, "parameters": [plain(one) for one in parameters]}


def plain(value: object) -> str | None:
    """Return a value as it is named in a refusal."""
    return None if value is None else f"{value:g}" if isinstance(value, float) else str(value)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "products/base-prices", PRODUCTS, set_base_prices),
    Endpoint("POST", "products/base-prices-information", PRODUCTS, base_prices),
    Endpoint("POST", "products/special-price", PRODUCTS, set_special_prices),
    Endpoint("POST", "products/special-price-delete", PRODUCTS, delete_special_prices),
    Endpoint("POST", "products/special-price-information", PRODUCTS, special_prices),
)

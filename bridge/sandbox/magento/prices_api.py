"""The bulk price endpoints: base prices and special prices (``catalog/094`` to ``106``).

They answer 200 with a list of what they refused; what is good is written. None of
them moves ``updated_at`` (``catalog/128``). What no recording shows (scope of prices) is
from the source of Magento 2.4.
"""

from __future__ import annotations

from datetime import datetime

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.data import TIME_FORMAT
from bridge.sandbox.magento.price_rows import (
    CATALOG,
    NO_PRODUCT,
    each_row,
    give,
    has_price,
    number_of,
    own_value,
    plain,
    products_of,
    refusal,
    text_of,
    view_code,
    views_of,
)
from bridge.sandbox.magento.rest import Raw

_SPECIAL_ROW = "Row ID: SKU = {0}, Store ID: {1}, Price From: {2}, Price To: {3}."
_SPECIAL = ("special_price", "special_from_date", "special_to_date")


def base_prices(ask: Ask) -> list[Raw]:
    """Answer base prices; SKUs that are unknown or have no price of their own are left out (``catalog/105``)."""
    found: list[Raw] = []
    for raw in products_of(ask, with_price=True):
        for store_id, code in views_of(ask):
            price = own_value(ask, raw, code, "price")
            if price is not None:
                found.append({"price": price, "store_id": store_id, "sku": raw["sku"]})
    return found


def set_base_prices(ask: Ask) -> list[Raw]:
    """Set base prices; a configurable is refused as an unknown SKU is (``catalog/104``)."""

    def write(row: Raw) -> list[Raw]:
        raw = ask.state.catalog.by_sku(text_of(row, "sku"))
        price = number_of(row, "price")
        refused: list[Raw] = []
        if raw is None or not has_price(raw):
            refused.append(_invalid_field("SKU", text_of(row, "sku")))
        if price < 0:
            refused.append(_invalid_field("Price", plain(price)))
        code = view_code(ask, row)
        if code is None:
            words = f"Row ID: SKU = {row['sku']}, Store ID: {row.get('store_id')}."
            refused.append(refusal(f"Requested store is not found. {words}", row["sku"], row.get("store_id")))
        if raw is not None and code is not None and not refused:
            # While prices are global, Magento writes the one price that there is, whatever store is named (source).
            give(ask, raw, code if ask.state.switches.website_prices else "all", {"price": price})
        return refused

    return each_row(ask, write)


def special_prices(ask: Ask) -> list[Raw]:
    """Answer special prices with their dates (``catalog/095``)."""
    found: list[Raw] = []
    for raw in products_of(ask):
        for store_id, code in views_of(ask):
            price, start, end = (own_value(ask, raw, code, name) for name in _SPECIAL)
            if price is not None:
                found.append(
                    {
                        "price": float(price),
                        "store_id": store_id,
                        "sku": raw["sku"],
                        "price_from": start,
                        "price_to": end,
                    }
                )
    return found


def set_special_prices(ask: Ask) -> list[Raw]:
    """Set special prices with their dates (``catalog/094``)."""

    def write(row: Raw) -> list[Raw]:
        raw, code, refused = _special_row(ask, row)
        if raw is not None and code is not None and not refused:
            values = (f"{number_of(row, 'price'):.6f}", row.get("price_from"), row.get("price_to"))
            give(ask, raw, code, dict(zip(_SPECIAL, values, strict=True)))
        return refused

    return each_row(ask, write)


def delete_special_prices(ask: Ask) -> list[Raw]:
    """Take special prices away, those that are as named (``catalog/096``)."""

    def write(row: Raw) -> list[Raw]:
        raw, code, refused = _special_row(ask, row)
        if raw is not None and code is not None and not refused:
            price, start, end = (own_value(ask, raw, code, name) for name in _SPECIAL)
            is_it = price is not None and float(price) == float(number_of(row, "price"))
            if is_it and (start, end) == (row.get("price_from"), row.get("price_to")):
                give(ask, raw, code, dict.fromkeys(_SPECIAL))
        return refused

    return each_row(ask, write)


def _special_row(ask: Ask, row: Raw) -> tuple[Raw | None, str | None, list[Raw]]:
    sku, store = text_of(row, "sku"), row.get("store_id")
    start, end = row.get("price_from"), row.get("price_to")
    raw, code = ask.state.catalog.by_sku(sku), view_code(ask, row)
    wrong: list[str] = []
    if raw is None or raw["type_id"] in {"configurable", "grouped"}:
        wrong.append(NO_PRODUCT)
    if store and not ask.state.switches.website_prices:
        wrong.append("Could not change non global Price when price scope is global.")
    if code is None:
        wrong.append("Requested store is not found.")
    if number_of(row, "price") < 0:
        wrong.append(f"Invalid attribute Price = {plain(row['price'])}.")
    for label, value in (("Price From", start), ("Price To", end)):
        if value and not _is_time(value):
            wrong.append(f"Invalid attribute {label} = {end}.")
    words = _SPECIAL_ROW.format(sku, store, start, end)
    return raw, code, [refusal(f"{one} {words}", sku, store, start, end) for one in wrong]


def _is_time(value: object) -> bool:
    try:
        return str(datetime.strptime(str(value), TIME_FORMAT)) == value  # noqa: DTZ007  # as Magento reads it
    except ValueError:
        return False


def _invalid_field(name: str, value: str) -> Raw:
    return refusal("Invalid attribute %fieldName = %fieldValue.", name, value)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "products/base-prices", CATALOG, set_base_prices),
    Endpoint("POST", "products/base-prices-information", CATALOG, base_prices),
    Endpoint("POST", "products/special-price", CATALOG, set_special_prices),
    Endpoint("POST", "products/special-price-delete", CATALOG, delete_special_prices),
    Endpoint("POST", "products/special-price-information", CATALOG, special_prices),
)

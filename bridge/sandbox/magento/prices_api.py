"""The bulk price endpoints: base prices, special prices, tier prices (``catalog/094`` to ``106``).

They answer 200 with a list of what they refused; what is good is written. An unknown SKU refuses a whole call of tier
prices (``catalog/098``). None of them moves ``updated_at`` (``catalog/128``). What no recording shows (scope of prices,
quantities, duplicates) is from the source of Magento 2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.catalog_state import attribute
from bridge.sandbox.magento.data import TIME_FORMAT
from bridge.sandbox.magento.rest import Raw, RestError, field_required, wrong_type

_PRODUCTS = "Magento_Catalog::catalog"
#: Magento's id of all groups, and how the endpoints call them.
ALL_GROUPS_ID = 32000
ALL_GROUPS = "all groups"
#: Most rows of a call while Magento limits its input (``errors/028-limit-array-over-20``).
_MOST_ROWS = 20
_NO_PRODUCT = "The product that was requested doesn't exist. Verify the product and try again."
_SPECIAL_ROW = "Row ID: SKU = {0}, Store ID: {1}, Price From: {2}, Price To: {3}."
_TIER_ROW = "Row ID: SKU = %SKU, Website ID: %websiteId, Customer Group: %customerGroup, Quantity: %qty."
_SPECIAL = ("special_price", "special_from_date", "special_to_date")


def base_prices(ask: Ask) -> list[Raw]:
    """Answer base prices; SKUs that are unknown or have no price of their own are left out (``catalog/105``)."""
    found: list[Raw] = []
    for raw in _products(ask, with_price=True):
        for store_id, code in _views(ask):
            price = _own(ask, raw, code, "price")
            if price is not None:
                found.append({"price": price, "store_id": store_id, "sku": raw["sku"]})
    return found


def set_base_prices(ask: Ask) -> list[Raw]:
    """Set base prices; a configurable is refused as an unknown SKU is (``catalog/104``)."""

    def write(row: Raw) -> list[Raw]:
        raw = ask.state.catalog.by_sku(_text(row, "sku"))
        price = _number(row, "price")
        refused: list[Raw] = []
        if raw is None or not _has_price(raw):
            refused.append(_invalid_field("SKU", _text(row, "sku")))
        if price < 0:
            refused.append(_invalid_field("Price", _plain(price)))
        code = _view_code(ask, row)
        if code is None:
            words = f"Row ID: SKU = {row['sku']}, Store ID: {row.get('store_id')}."
            refused.append(
                _refusal(f"Requested store is not found. {words}", row["sku"], row.get("store_id"))
            )
        if raw is not None and code is not None and not refused:
            # While prices are global, Magento writes the one price that there is, whatever store is named (source).
            _set(ask, raw, code if ask.state.switches.website_prices else "all", {"price": price})
        return refused

    return _each(ask, write)


def special_prices(ask: Ask) -> list[Raw]:
    """Answer special prices with their dates (``catalog/095``)."""
    found: list[Raw] = []
    for raw in _products(ask):
        for store_id, code in _views(ask):
            price, start, end = (_own(ask, raw, code, name) for name in _SPECIAL)
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
            values = (f"{_number(row, 'price'):.6f}", row.get("price_from"), row.get("price_to"))
            _set(ask, raw, code, dict(zip(_SPECIAL, values, strict=True)))
        return refused

    return _each(ask, write)


def delete_special_prices(ask: Ask) -> list[Raw]:
    """Take special prices away, those that are as named (``catalog/096``)."""

    def write(row: Raw) -> list[Raw]:
        raw, code, refused = _special_row(ask, row)
        if raw is not None and code is not None and not refused:
            price, start, end = (_own(ask, raw, code, name) for name in _SPECIAL)
            is_it = price is not None and float(price) == float(_number(row, "price"))
            if is_it and (start, end) == (row.get("price_from"), row.get("price_to")):
                _set(ask, raw, code, dict.fromkeys(_SPECIAL))
        return refused

    return _each(ask, write)


def tier_prices(ask: Ask) -> list[Raw]:
    """Answer tier prices; a group has its name, all groups their words in small letters (``catalog/100``)."""
    return [
        _shown(ask, raw, row)
        for raw in _products(ask)
        for row in sorted(
            raw.get("tier_prices") or (), key=lambda one: (one["qty"], one["customer_group_id"])
        )
    ]


def add_tier_prices(ask: Ask) -> list[Raw]:
    """Set tier prices by group, website and quantity; others of the SKU stay (``catalog/097``)."""
    return _tiers(ask, lambda before, new: [*(one for one in before if not _is_same(one, new)), new])


def put_tier_prices(ask: Ask) -> list[Raw]:
    """Put tier prices in the place of all that the SKUs had (``catalog/101``, ``102``)."""
    for raw in _known_products(ask):
        _set(ask, raw, "all", {"tier_prices": []})
    return add_tier_prices(ask)


def delete_tier_prices(ask: Ask) -> list[Raw]:
    """Take tier prices away, those that have the price that is named too (source: ``retrievePriceId``)."""

    def drop(before: list[Raw], gone: Raw) -> list[Raw]:
        return [one for one in before if not (_is_same(one, gone) and _amount(one) == _amount(gone))]

    return _tiers(ask, drop)


def _tiers(ask: Ask, change: Callable[[list[Raw], Raw], list[Raw]]) -> list[Raw]:
    _known_products(ask)

    def write(row: Raw) -> list[Raw]:
        raw = ask.state.catalog.by_sku(_text(row, "sku"))
        group = _group_id(ask, _text(row, "customer_group"))
        refused = list(_refused_tier(ask, row, group))
        if raw is not None and group is not None and not refused:
            before = list(raw.get("tier_prices") or ())
            _set(ask, raw, "all", {"tier_prices": change(before, _stored(row, group))})
        return refused

    return _each(ask, write)


def _refused_tier(ask: Ask, row: Raw, group: int | None) -> Iterable[Raw]:
    known = {website["id"] for website in ask.state.stores["websites"]}
    website, price = row.get("website_id"), _number(row, "price")
    wrong: list[str] = []
    if price < 0 or (row.get("price_type") == "discount" and price > 100):
        wrong.append("Invalid attribute Price = %price.")
    if row.get("price_type") not in {"fixed", "discount"}:
        wrong.append("Invalid attribute Price Type = %priceType.")
    if _number(row, "quantity") < 1:
        wrong.append("Invalid attribute Quantity = %qty.")
    if website not in known or (website and not ask.state.switches.website_prices):
        wrong.append("Invalid attribute Website ID = %websiteId.")
    if group is None:
        wrong.append("No such entity with Customer Group = %customerGroup.")
    for words in wrong:
        who = (row["sku"], website, row.get("customer_group"), _plain(row.get("quantity")))
        about = [price] if "%price." in words else [row.get("price_type")] if "%priceType" in words else []
        yield _refusal(f"{words} {_TIER_ROW}", *about, *who)


def _stored(row: Raw, group: int) -> Raw:
    """Return a tier price as a product shows it (``catalog/103``)."""
    extension: Raw = {"website_id": row["website_id"]}
    price = _number(row, "price")
    if row["price_type"] == "discount":
        extension = {"percentage_value": price, **extension}
    value = 0 if row["price_type"] == "discount" else price
    return {
        "customer_group_id": group,
        "qty": _number(row, "quantity"),
        "value": value,
        "extension_attributes": extension,
    }


def _shown(ask: Ask, raw: Raw, row: Raw) -> Raw:
    extension = row["extension_attributes"]
    names = {one["id"]: one["code"] for one in ask.state.stores["customerGroups"]}
    discount = extension.get("percentage_value")
    return {
        "price": row["value"] if discount is None else discount,
        "price_type": "fixed" if discount is None else "discount",
        "website_id": extension["website_id"],
        "sku": raw["sku"],
        "customer_group": names.get(row["customer_group_id"], ALL_GROUPS),
        "quantity": row["qty"],
    }


def _is_same(one: Raw, other: Raw) -> bool:
    def key(row: Raw) -> tuple[Any, ...]:
        return row["customer_group_id"], row["qty"], row["extension_attributes"]["website_id"]

    return bool(key(one) == key(other))


def _amount(row: Raw) -> tuple[Any, Any]:
    return row["value"], row["extension_attributes"].get("percentage_value")


def _group_id(ask: Ask, name: str) -> int | None:
    if name.casefold() == ALL_GROUPS:
        return ALL_GROUPS_ID
    groups = ask.state.stores["customerGroups"]
    return next((one["id"] for one in groups if one["code"].casefold() == name.casefold()), None)


def _known_products(ask: Ask) -> list[Raw]:
    """Return the products of the rows; one that is unknown refuses the call (``catalog/098``)."""
    found = [ask.state.catalog.by_sku(_text(row, "sku")) for row in _rows(ask)]
    if any(raw is None for raw in found):
        raise RestError(404, _NO_PRODUCT)
    return [raw for raw in found if raw is not None]


def _special_row(ask: Ask, row: Raw) -> tuple[Raw | None, str | None, list[Raw]]:
    sku, store = _text(row, "sku"), row.get("store_id")
    start, end = row.get("price_from"), row.get("price_to")
    raw, code = ask.state.catalog.by_sku(sku), _view_code(ask, row)
    wrong: list[str] = []
    if raw is None or raw["type_id"] in {"configurable", "grouped"}:
        wrong.append(_NO_PRODUCT)
    if store and not ask.state.switches.website_prices:
        wrong.append("Could not change non global Price when price scope is global.")
    if code is None:
        wrong.append("Requested store is not found.")
    if _number(row, "price") < 0:
        wrong.append(f"Invalid attribute Price = {_plain(row['price'])}.")
    for label, value in (("Price From", start), ("Price To", end)):
        if value and not _is_time(value):
            wrong.append(f"Invalid attribute {label} = {end}.")
    words = _SPECIAL_ROW.format(sku, store, start, end)
    return raw, code, [_refusal(f"{one} {words}", sku, store, start, end) for one in wrong]


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


def _products(ask: Ask, *, with_price: bool = False) -> list[Raw]:
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


def _set(ask: Ask, raw: Raw, code: str, values: Mapping[str, Any]) -> None:
    if code == "all":
        ask.state.catalog.change(raw["sku"], values, is_silent=True)
        return
    stores = ask.state.stores["storeViews"]
    website = next(view["website_id"] for view in stores if view["code"] == code)
    for view in stores:
        # A price holds for all store views of a website (source).
        if view["website_id"] == website:
            ask.state.catalog.set_own(raw["id"], view["code"], values)


def _each(ask: Ask, write: Callable[[Raw], list[Raw]]) -> list[Raw]:
    return [refused for row in _rows(ask) for refused in write(row)]


def _rows(ask: Ask) -> list[Raw]:
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


def _text(row: Raw, name: str) -> str:
    if name not in row:
        raise field_required(name)
    return str(row[name])


def _number(row: Raw, name: str) -> Any:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(str(value), "float", name)
    return value


def _invalid_field(name: str, value: str) -> Raw:
    return _refusal("Invalid attribute %fieldName = %fieldValue.", name, value)


def _refusal(message: str, *parameters: object) -> Raw:
    return {"message": message, "parameters": [_plain(one) for one in parameters]}


def _plain(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "products/base-prices", _PRODUCTS, set_base_prices),
    Endpoint("POST", "products/base-prices-information", _PRODUCTS, base_prices),
    Endpoint("POST", "products/special-price", _PRODUCTS, set_special_prices),
    Endpoint("POST", "products/special-price-delete", _PRODUCTS, delete_special_prices),
    Endpoint("POST", "products/special-price-information", _PRODUCTS, special_prices),
    Endpoint("POST", "products/tier-prices", _PRODUCTS, add_tier_prices),
    Endpoint("PUT", "products/tier-prices", _PRODUCTS, put_tier_prices),
    Endpoint("POST", "products/tier-prices-delete", _PRODUCTS, delete_tier_prices),
    Endpoint("POST", "products/tier-prices-information", _PRODUCTS, tier_prices),
)

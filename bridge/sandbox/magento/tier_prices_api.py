"""The bulk endpoints of tier prices (``catalog/097`` to ``103``): an unknown SKU refuses a whole call (``catalog/098``).

Scope, quantities and duplicates are from the source of Magento 2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.price_rows import (
    CATALOG,
    NO_PRODUCT,
    each_row,
    give,
    number_of,
    plain,
    products_of,
    refusal,
    rows_of,
    text_of,
)
from bridge.sandbox.magento.rest import Raw, RestError

#: Magento's id of all groups, and how the endpoints call them.
ALL_GROUPS_ID = 32000
ALL_GROUPS = "all groups"
_TIER_ROW = "Row ID: SKU = %SKU, Website ID: %websiteId, Customer Group: %customerGroup, Quantity: %qty."


def tier_prices(ask: Ask) -> list[Raw]:
    """Answer tier prices; a group has its name, all groups their words in small letters (``catalog/100``)."""
    return [
        _shown(ask, raw, row)
        for raw in products_of(ask)
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
        give(ask, raw, "all", {"tier_prices": []})
    return add_tier_prices(ask)


def delete_tier_prices(ask: Ask) -> list[Raw]:
    """Take tier prices away, those that have the price that is named too (source: ``retrievePriceId``)."""

    def drop(before: list[Raw], gone: Raw) -> list[Raw]:
        return [one for one in before if not (_is_same(one, gone) and _amount(one) == _amount(gone))]

    return _tiers(ask, drop)


def _tiers(ask: Ask, change: Callable[[list[Raw], Raw], list[Raw]]) -> list[Raw]:
    _known_products(ask)

    def write(row: Raw) -> list[Raw]:
        raw = ask.state.catalog.by_sku(text_of(row, "sku"))
        group = _group_id(ask, text_of(row, "customer_group"))
        refused = list(_refused_tier(ask, row, group))
        if raw is not None and group is not None and not refused:
            before = list(raw.get("tier_prices") or ())
            give(ask, raw, "all", {"tier_prices": change(before, _stored(row, group))})
        return refused

    return each_row(ask, write)


def _refused_tier(ask: Ask, row: Raw, group: int | None) -> Iterable[Raw]:
    known = {website["id"] for website in ask.state.stores["websites"]}
    website, price = row.get("website_id"), number_of(row, "price")
    wrong: list[str] = []
    if price < 0 or (row.get("price_type") == "discount" and price > 100):
        wrong.append("Invalid attribute Price = %price.")
    if row.get("price_type") not in {"fixed", "discount"}:
        wrong.append("Invalid attribute Price Type = %priceType.")
    if number_of(row, "quantity") < 1:
        wrong.append("Invalid attribute Quantity = %qty.")
    if website not in known or (website and not ask.state.switches.website_prices):
        wrong.append("Invalid attribute Website ID = %websiteId.")
    if group is None:
        wrong.append("No such entity with Customer Group = %customerGroup.")
    for words in wrong:
        who = (row["sku"], website, row.get("customer_group"), plain(row.get("quantity")))
        about = [price] if "%price." in words else [row.get("price_type")] if "%priceType" in words else []
        yield refusal(f"{words} {_TIER_ROW}", *about, *who)


def _stored(row: Raw, group: int) -> Raw:
    """Return a tier price as a product shows it (``catalog/103``)."""
    extension: Raw = {"website_id": row["website_id"]}
    price = number_of(row, "price")
    if row["price_type"] == "discount":
        extension = {"percentage_value": price, **extension}
    value = 0 if row["price_type"] == "discount" else price
    return {
        "customer_group_id": group,
        "qty": number_of(row, "quantity"),
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
    found = [ask.state.catalog.by_sku(text_of(row, "sku")) for row in rows_of(ask)]
    if any(raw is None for raw in found):
        raise RestError(404, NO_PRODUCT)
    return [raw for raw in found if raw is not None]


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "products/tier-prices", CATALOG, add_tier_prices),
    Endpoint("PUT", "products/tier-prices", CATALOG, put_tier_prices),
    Endpoint("POST", "products/tier-prices-delete", CATALOG, delete_tier_prices),
    Endpoint("POST", "products/tier-prices-information", CATALOG, tier_prices),
)

"""The bulk endpoints of tier prices (``catalog/097`` to ``103``).

An unknown SKU refuses a whole call (``catalog/098``); other rows are refused one by one. What no recording shows
(quantities, websites, duplicates, what is deleted) was tried on 2.4.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.prices_api import (
    DIGITS,
    NO_PRODUCT,
    PRODUCTS,
    asked_products,
    number_of,
    plain,
    refusal,
    rows_of,
    set_values,
    text_of,
)
from bridge.sandbox.magento.rest import Raw, RestError

#: Magento's id of all groups, and how the endpoints call them.
ALL_GROUPS_ID = 32000
ALL_GROUPS = "all groups"
_ROW = "Row ID: SKU = %SKU, Website ID: %websiteId, Customer Group: %customerGroup, Quantity: %qty."
_DOUBLE = (
    "We found a duplicate website, tier price, customer group and quantity: Customer Group = %customerGroup, "
    f"Website ID = %websiteId, Quantity = %qty. {_ROW}"
)

#: Tier prices as products show them, by SKU in small letters.
Known = Mapping[str, Sequence[Raw]]
#: Makes the tiers of a product (the last word is its SKU) of those that it has and a row.
Change = Callable[[list[Raw], Raw, str], list[Raw]]


def tier_prices(ask: Ask) -> list[Raw]:
    """Answer tier prices; a group has its name, all groups their words in small letters (``catalog/100``)."""
    return [
        _shown(ask, raw, row)
        for raw in asked_products(ask)
        for row in sorted(
            raw.get("tier_prices") or (), key=lambda one: (one["qty"], one["customer_group_id"])
        )
    ]


def add_tier_prices(ask: Ask) -> list[Raw]:
    """Set tier prices by group, website and quantity; others of the SKU stay (``catalog/097``)."""
    return _tiers(ask, _with, _known_tiers(ask))


def put_tier_prices(ask: Ask) -> list[Raw]:
    """Put tier prices in the place of all that the SKUs had (``catalog/101``, ``102``)."""
    begun: set[str] = set()

    def put(before: list[Raw], new: Raw, sku: str) -> list[Raw]:
        # Those of a product of which no row is good stay.
        rest = before if sku in begun else []
        begun.add(sku)
        return _with(rest, new, sku)

    _known_tiers(ask)
    return _tiers(ask, put, {})


def delete_tier_prices(ask: Ask) -> list[Raw]:
    """Take tier prices away by group, quantity and price, whatever the website.

    Of those that look alike a call deletes the one of the lowest website, however many of them it names
    (``prices-website-scope/007`` to ``011``). A price of 0 is not found (``017``).
    """
    known = _known_tiers(ask)

    def drop(before: list[Raw], gone: Raw, sku: str) -> list[Raw]:
        alike = [one for one in known[sku] if _looks_as(one, gone)]
        found = min(alike, key=lambda one: one["extension_attributes"]["website_id"], default=None)
        return [one for one in before if found is None or not _is_same(one, found)]

    return _tiers(ask, drop, {})


def _tiers(ask: Ask, change: Change, known: Known) -> list[Raw]:
    """Change the tiers of products; ``known`` are those that a new one may contradict."""
    rows = rows_of(ask)

    def write(row: Raw) -> list[Raw]:
        raw = ask.state.catalog.by_sku(text_of(row, "sku"))
        assert raw is not None  # `_known_tiers` refused the call.
        group = _group_id(ask, text_of(row, "customer_group"))
        there = [_shown(ask, raw, one) for one in known.get(raw["sku"].casefold(), ())]
        refused = list(_refused(ask, row, group, rows, there))
        if group is not None and not refused:
            before = list(raw.get("tier_prices") or ())
            after = change(before, _stored(row, group), raw["sku"].casefold())
            set_values(ask, raw, "all", {"tier_prices": after})
        return refused

    return [refused for row in rows for refused in write(row)]


def _refused(
    ask: Ask, row: Raw, group: int | None, rows: Iterable[Raw], there: Iterable[Raw]
) -> Iterable[Raw]:
    websites = {website["id"] for website in ask.state.stores["websites"]}
    price, kind = number_of(row, "price"), row.get("price_type")
    named = _naming(row, row.get("quantity"))
    if price is None or price < 0 or (kind == "discount" and price > 100):
        yield refusal(f"Invalid attribute Price = %price. {_ROW}", price, *named)
    if kind not in {"fixed", "discount"}:
        yield refusal(f"Invalid attribute Price Type = %priceType. {_ROW}", kind, *named)
    if (number_of(row, "quantity") or 0) <= 0:
        yield refusal(f"Invalid attribute Quantity = %qty. {_ROW}", *named)
    # One website's tier price is taken while prices are global, too.
    if row.get("website_id") not in websites:
        yield refusal(f"Invalid attribute Website ID = %websiteId. {_ROW}", *named)
    for one in (*_doubles(row, rows), *_contradicting(row, there)):
        yield refusal(_DOUBLE, *one)
    if group is None:
        yield refusal(f"No such entity with Customer Group = %customerGroup. {_ROW}", *named)


def _doubles(row: Raw, rows: Iterable[Raw]) -> Iterable[tuple[object, ...]]:
    """Name the other rows of the call that are about the same."""
    for other in rows:
        is_same = other["sku"] == row["sku"] and _key(other) == _key(row)
        if other is not row and is_same and other.get("website_id") == row.get("website_id"):
            yield _naming(other, other.get("quantity"))


def _contradicting(row: Raw, there: Iterable[Raw]) -> Iterable[tuple[object, ...]]:
    """Name what is there for all websites where the row is for one, or the other way round."""
    for one in there:
        ids = {one["website_id"], row.get("website_id")}
        if _key(one) == _key(row) and len(ids) == 2 and 0 in ids:
            yield _naming(one, f"{one['quantity']:.4f}")


def _naming(row: Raw, quantity: object) -> tuple[object, ...]:
    return row["sku"], row.get("website_id"), row.get("customer_group"), plain(quantity)


def _key(row: Raw) -> tuple[Any, ...]:
    return text_of(row, "customer_group").casefold(), number_of(row, "quantity")


def _with(before: list[Raw], new: Raw, _: str) -> list[Raw]:
    return [*(one for one in before if not _is_same(one, new)), new]


def _stored(row: Raw, group: int) -> Raw:
    """Return a tier price as a product shows it (``catalog/103``)."""
    extension: Raw = {"website_id": row["website_id"]}
    price = round(number_of(row, "price"), DIGITS)
    if row["price_type"] == "discount":
        extension = {"percentage_value": price, **extension}
    return {
        "customer_group_id": group,
        "qty": number_of(row, "quantity"),
        "value": 0 if row["price_type"] == "discount" else price,
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


def _looks_as(one: Raw, other: Raw) -> bool:
    if (one["customer_group_id"], one["qty"]) != (other["customer_group_id"], other["qty"]):
        return False
    percent = one["extension_attributes"].get("percentage_value")
    is_percent = percent is not None and percent == other["extension_attributes"].get("percentage_value")
    return bool(is_percent or (one["value"] and one["value"] == other["value"]))


def _group_id(ask: Ask, name: str) -> int | None:
    if name.casefold() == ALL_GROUPS:
        return ALL_GROUPS_ID
    groups = ask.state.stores["customerGroups"]
    return next((one["id"] for one in groups if one["code"].casefold() == name.casefold()), None)


def _known_tiers(ask: Ask) -> Known:
    """Return the tiers that the rows' products have; one that is unknown refuses the call (``catalog/098``)."""
    found: dict[str, Sequence[Raw]] = {}
    for row in rows_of(ask):
        raw = ask.state.catalog.by_sku(text_of(row, "sku"))
        if raw is None:
            raise RestError(404, NO_PRODUCT)
        found[raw["sku"].casefold()] = list(raw.get("tier_prices") or ())
    return found


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "products/tier-prices", PRODUCTS, add_tier_prices),
    Endpoint("PUT", "products/tier-prices", PRODUCTS, put_tier_prices),
    Endpoint("POST", "products/tier-prices-delete", PRODUCTS, delete_tier_prices),
    Endpoint("POST", "products/tier-prices-information", PRODUCTS, tier_prices),
)

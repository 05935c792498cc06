"""Which prices Magento should have of a product: base price, special price, tier prices by customer group. Pure.

Magento sells for the lowest of base price, special price and tier price, and takes of the tiers the one of the greatest
quantity that is reached, a group's own before that of all groups. So a tier is written wherever Magento would otherwise
sell for another price than Odoo; a price above the base price cannot be said there, and is named.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bridge.translate.price_records import (
    ALL_GROUPS,
    PriceBook,
    PricedProduct,
    PriceGroup,
    PriceScope,
    PriceUnclear,
    ProductPrices,
    SpecialPrice,
    TierKey,
    Tiers,
)
from bridge.translate.price_rules import as_of, changes_at, is_dated, price_of, rules_of

#: What of Odoo's prices Magento cannot say.
ABOVE_BASE = "a group's price above the base price: its customers pay the base price"
DATED_GROUP = "a group's price for a time only: tier prices have no dates"
DATED_INCREASE = "a higher price for a time only: a special price can only be lower"
DATED_NOTHING = "a price of 0 or less for a time"
DATED_QUANTITY = "a price from a quantity on for a time only: tier prices have no dates"
DATED_UNCLEAR = "a price for a time only that takes another currency at the rate of the day"
WHOLE_DAYS = "a price for parts of a day: it holds for the whole day"

_ONE = Decimal(1)
_SECOND = timedelta(seconds=1)
#: What ends in the last minute of a day ends with it.
_LAST_MINUTE = time(23, 59)


def plan_prices(
    product: PricedProduct,
    book: PriceBook,
    *,
    scopes: Sequence[PriceScope],
    groups: Sequence[PriceGroup],
    now: datetime,
    sku: str,
    given: Collection[str] = (),
) -> ProductPrices:
    """Return the prices that Magento should have of ``product``.

    Special prices, and tier prices of all groups, are the bridge's only where a pricelist is the base price's source,
    since nothing else in Odoo could say them, and where ``given`` names one that it wrote before.

    Raises:
        PriceUnclear: a base or group price is 0 or less, or depends on the rate of the day.
    """
    book = as_of(book, now)
    unsaid: set[str] = set()
    base = {one.store_id: _sold(price_of(book, one.pricelist, product, quantity=_ONE), sku) for one in scopes}
    special: dict[int, SpecialPrice | None] = {}
    for scope in scopes:
        if scope.pricelist is not None or _special_names(scope) & set(given):
            one = _special(book, scope, product, base=base[scope.store_id], now=now, unsaid=unsaid)
            special |= dict.fromkeys(scope.special_stores, one)
    tiers: dict[TierKey, Tiers] = {}
    for scope in scopes:
        tiers |= _scope_tiers(book, scope, groups, product, base=base[scope.store_id], unsaid=unsaid, sku=sku)
    lost = {key for key in map(_tier_key, given) if key is not None and key not in tiers}
    silent = {name for one in scopes if one.pricelist is None for name in _special_names(one)}
    return ProductPrices(
        base=base,
        special=special,
        tiers={**tiers, **dict.fromkeys(lost, ())},
        unsaid=frozenset(unsaid),
        given_up=frozenset(silent & set(given)) | {f"tier@{group}@{website}" for group, website in lost},
    )


def _special_names(scope: PriceScope) -> set[str]:
    return {f"special@{store}" for store in scope.special_stores}


def _scope_tiers(
    book: PriceBook,
    scope: PriceScope,
    groups: Sequence[PriceGroup],
    product: PricedProduct,
    *,
    base: Decimal,
    unsaid: set[str],
    sku: str,
) -> dict[TierKey, Tiers]:
    """Return the tiers of the websites of a scope: those of all groups, and beside them those of single groups."""
    if not scope.websites:
        return {}
    found: dict[int, Tiers] = {}
    if scope.pricelist is not None:
        everybody = PriceGroup(group_id=ALL_GROUPS, name=None, pricelist=scope.pricelist)
        found[ALL_GROUPS] = _tiers(book, everybody, product, base=base, everybody=(), unsaid=unsaid, sku=sku)
    common = found.get(ALL_GROUPS, ())
    for group in groups:
        is_here = group.currency in {scope.currency, ""}
        if group.pricelist is None or group.name is None or not is_here:
            continue
        found[group.group_id] = _tiers(
            book, group, product, base=base, everybody=common, unsaid=unsaid, sku=sku
        )
    return {(group_id, website): one for group_id, one in found.items() for website in scope.websites}


def _tier_key(name: str) -> TierKey | None:
    """Return the group and website of a tier's name, None of other names."""
    kind, _, place = name.partition("@")
    group, _, website = place.partition("@")
    return (int(group), int(website)) if kind == "tier" else None


def _special(
    book: PriceBook,
    scope: PriceScope,
    product: PricedProduct,
    *,
    base: Decimal,
    now: datetime,
    unsaid: set[str],
) -> SpecialPrice | None:
    """Return the lower price of now, or the next one to come: Magento holds one at a time."""
    rules = [
        rule
        for rule in rules_of(book, scope.pricelist, product)
        if is_dated(rule) and rule.min_quantity <= _ONE
    ]
    moments = sorted({moment for rule in rules for moment in changes_at(rule)})
    # From one change to the next the price is the same; the first stretch has no beginning, the last no end.
    begins: list[datetime | None] = [None, *moments]
    ends: list[datetime | None] = [*moments, None]
    if not moments:
        return None
    try:
        prices = [
            price_of(book, scope.pricelist, product, quantity=_ONE, at=begin or moments[0] - _SECOND)
            for begin in begins
        ]
    except PriceUnclear:
        unsaid.add(DATED_UNCLEAR)
        return None
    index = 0
    while index < len(prices):
        last = index
        while last + 1 < len(prices) and prices[last + 1] == prices[index]:
            last += 1
        begin, end = begins[index], ends[last]
        is_over = end is not None and end <= now
        if not is_over and prices[index] > base:
            unsaid.add(DATED_INCREASE)
        elif not is_over and prices[index] <= 0:
            unsaid.add(DATED_NOTHING)
        elif not is_over and prices[index] < base:
            first_day, last_day = _days(begin, end, ZoneInfo(scope.timezone), unsaid)
            return SpecialPrice(price=prices[index], first_day=first_day, last_day=last_day)
        index = last + 1
    return None


def _days(
    begin: datetime | None, end: datetime | None, zone: ZoneInfo, unsaid: set[str]
) -> tuple[date | None, date | None]:
    """Return the first and last day of a time whose ``end`` is the first second after it."""
    first = None if begin is None else begin.astimezone(zone)
    # The second that ends it still belongs to it; midnight ends the day before.
    last = None if end is None else (end - _SECOND).astimezone(zone)
    if last is not None and last.time() == time(0):
        last -= _SECOND
        if first is not None and last < first:
            last = first
    if (first is not None and first.time() != time(0)) or (last is not None and last.time() < _LAST_MINUTE):
        unsaid.add(WHOLE_DAYS)
    return None if first is None else first.date(), None if last is None else last.date()


def _tiers(
    book: PriceBook,
    group: PriceGroup,
    product: PricedProduct,
    *,
    base: Decimal,
    everybody: Tiers,
    unsaid: set[str],
    sku: str,
) -> Tiers:
    """Return the tiers that let Magento sell to a group for its own prices, beside the tiers of all groups."""
    is_own = group.group_id != ALL_GROUPS
    rules = list(rules_of(book, group.pricelist, product))
    for rule in rules:
        if is_dated(rule) and (is_own or rule.min_quantity > _ONE):
            unsaid.add(DATED_GROUP if is_own else DATED_QUANTITY)
    quantities = {max(_ONE, rule.min_quantity) for rule in rules if not is_dated(rule)}
    quantities |= {_ONE} | {quantity for quantity, _ in everybody}
    found: list[tuple[Decimal, Decimal]] = []
    for quantity in sorted(quantities):
        price = _sold(price_of(book, group.pricelist, product, quantity=quantity), sku)
        if price > base:
            unsaid.add(ABOVE_BASE)
        wanted = min(price, base)
        if wanted != _without(quantity, base, everybody, found):
            found.append((quantity, wanted))
    return tuple(found)


def _without(
    quantity: Decimal, base: Decimal, everybody: Tiers, own: Sequence[tuple[Decimal, Decimal]]
) -> Decimal:
    """Return what Magento would sell for if the group had the tiers ``own`` only."""
    reached = [(one, is_own, price) for is_own, tiers in ((0, everybody), (1, own)) for one, price in tiers]
    best = max((one for one in reached if one[0] <= quantity), default=None)
    return base if best is None else min(base, best[2])


def _sold(price: Decimal, sku: str) -> Decimal:
    if price <= 0:
        raise PriceUnclear(
            f"The price of {sku} is {price} in Odoo: for that nothing is sold, and Magento keeps what it has.",
            system="odoo",
            reason="amount",
            sku=sku,
        )
    return price

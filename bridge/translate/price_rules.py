"""What a pricelist makes of a price, as Odoo 16, 18 and 19 compute it (source: ``product.pricelist.item``).

No public method of Odoo answers it (``catalog/pricelist-get-product-price``), so it is computed here, in Decimal. What
depends on the rate of the day is not: it would be another price tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from bridge.translate.price_records import PriceBook, PricedProduct, Pricelist, PriceRule, PriceUnclear

#: Pricelists that lean on each other: Odoo itself refuses a circle.
_DEEPEST = 20
_SECOND = timedelta(seconds=1)
_HUNDRED = Decimal(100)


def price_of(
    book: PriceBook,
    pricelist_id: int | None,
    product: PricedProduct,
    *,
    quantity: Decimal,
    at: datetime | None = None,
) -> Decimal:
    """Return the price of one unit by a pricelist, None being the sales price, as a line of an Odoo order has it.

    ``at`` is a moment; None leaves out the rules that hold for a time only.

    Raises:
        PriceUnclear: it depends on the rate of the day, or on a pricelist that is not there.
    """
    if pricelist_id is None:
        return _cut(book, product.list_price)
    question = _Question(book=book, product=product, quantity=quantity, at=at)
    return _cut(book, question.price(pricelist_id))


def rules_of(book: PriceBook, pricelist_id: int | None, product: PricedProduct) -> Iterator[PriceRule]:
    """Yield the rules that may decide the product's price: those of the pricelist, and of those that it leans on."""
    waiting, seen = [pricelist_id], set[int]()
    while waiting:
        one = waiting.pop()
        if one is None or one in seen or one not in book.pricelists:
            continue
        seen.add(one)
        for rule in book.pricelists[one].rules:
            if is_about(rule, product):
                yield rule
                if rule.method != "fixed" and rule.base == "pricelist":
                    waiting.append(rule.base_pricelist)


def is_about(rule: PriceRule, product: PricedProduct) -> bool:
    """Return whether a rule is about a product, whatever the quantity and the day."""
    match rule.applies_to:
        case "0_product_variant":
            return rule.about == product.variant_id
        case "1_product":
            return rule.about == product.template_id
        case "2_product_category":
            return rule.about in product.categories
    return True


def is_dated(rule: PriceRule) -> bool:
    """Return whether a rule holds for a time only."""
    return rule.start is not None or rule.end is not None


def as_of(book: PriceBook, now: datetime) -> PriceBook:
    """Return the book without rules whose time is over; one that has begun and has no end is like one without dates."""

    def settled(rule: PriceRule) -> PriceRule:
        has_begun = rule.start is not None and rule.start <= now
        return replace(rule, start=None) if has_begun and rule.end is None else rule

    lists = {
        one.id: replace(
            one, rules=[settled(rule) for rule in one.rules if rule.end is None or rule.end >= now]
        )
        for one in book.pricelists.values()
    }
    return replace(book, pricelists=lists)


def changes_at(rule: PriceRule) -> Iterator[datetime]:
    """Yield when a rule begins to hold, and the first second after it."""
    if rule.start is not None:
        yield rule.start
    if rule.end is not None:
        yield rule.end + _SECOND


@dataclass(frozen=True, kw_only=True)
class _Question:
    """What is asked of a pricelist, and of those that it leans on."""

    book: PriceBook
    product: PricedProduct
    quantity: Decimal
    at: datetime | None

    def price(self, pricelist_id: int, depth: int = 0) -> Decimal:
        """Return the price by a pricelist, in its currency."""
        pricelist = self.book.pricelists.get(pricelist_id)
        if pricelist is None or depth > _DEEPEST:
            raise PriceUnclear(
                f"Odoo's pricelist with the id {pricelist_id} is not there, is archived, or leans on itself.",
                system="odoo",
                reason="pricelist",
                pricelist_id=pricelist_id,
            )
        rule = next((one for one in pricelist.rules if self._holds(one)), None)
        if rule is None:
            return _in(pricelist, self.product.list_price, self.book.currency)
        return rule.fixed if rule.method == "fixed" else _by(rule, self._base(pricelist, rule, depth))

    def _holds(self, rule: PriceRule) -> bool:
        if self.at is None:
            is_in_time = not is_dated(rule)
        else:
            is_in_time = rule.start is None or rule.start <= self.at
            is_in_time = is_in_time and (rule.end is None or self.at <= rule.end)
        return is_in_time and self.quantity >= rule.min_quantity and is_about(rule, self.product)

    def _base(self, pricelist: Pricelist, rule: PriceRule, depth: int) -> Decimal:
        if rule.base == "pricelist" and rule.base_pricelist is not None:
            price = self.price(rule.base_pricelist, depth + 1)
            return _in(pricelist, price, self.book.pricelists[rule.base_pricelist].currency)
        cost = rule.base == "standard_price"
        return _in(pricelist, self.product.cost if cost else self.product.list_price, self.book.currency)


def _by(rule: PriceRule, base: Decimal) -> Decimal:
    """Return what a percentage or a formula makes of ``base``."""
    if rule.method == "percentage":
        return base - base * rule.percent / _HUNDRED
    price = base - base * rule.discount / _HUNDRED
    if rule.rounding:
        price = (price / rule.rounding).quantize(Decimal(1), rounding=ROUND_HALF_UP) * rule.rounding
    price += rule.surcharge
    if rule.min_margin:
        price = max(price, base + rule.min_margin)
    if rule.max_margin:
        price = min(price, base + rule.max_margin)
    return price


def _in(pricelist: Pricelist, price: Decimal, currency: str) -> Decimal:
    """Return ``price`` if it is in the pricelist's currency: converting would make another price of it each day."""
    if currency != pricelist.currency and price:
        raise PriceUnclear(
            f"The pricelist {pricelist.name} ({pricelist.currency}) takes a price in {currency} at the rate of the day.",
            system="odoo",
            reason="conversion",
            pricelist=pricelist.name,
            currency=pricelist.currency,
        )
    return price


def _cut(book: PriceBook, price: Decimal) -> Decimal:
    return price.quantize(Decimal(1).scaleb(-book.digits), rounding=ROUND_HALF_UP)

"""The totals that Odoo 16, 18 and 19 compute for an order, without Odoo (FACTS 6).

Proven to the cent against ``orders/rounding-*``, ``rules/onchange-*`` and ``rules/onchange-against-load-many``
of all three versions. What the recordings show:

* 16 rounds each line's base and taxes and sums the lines, whatever the company's rounding method.
* 18 and 19 with ``round_per_line`` round each line's base and each of its taxes, then sum.
* 18 and 19 with ``round_globally`` round the sum of the bases once and each tax once. 19 rounds the sum of the
  totals instead of the bases where every tax is inside the price. 18 so is recorded with one tax only.
* 18 cuts ``price_unit`` to the precision *Product Price* before it computes. 16 stores it cut, but computes the
  first amounts from the uncut one; 19 keeps all digits. All store discounts cut to the precision *Discount*.

17 is taken as 18, 20 as 19. Taxes are percentages, none of which enters the base of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bridge.errors import OrderUnclear
from bridge.translate.money import ZERO, quotient, round_to

RoundingMethod = Literal["round_per_line", "round_globally"]

#: Digits that 19 is sent for a price: it keeps them all, but a float has no more to give.
FREE_PRICE_DIGITS = 8


@dataclass(frozen=True, kw_only=True)
class OdooTax:
    """An Odoo tax that a mapping names."""

    #: Id of the ``account.tax``.
    id: int
    #: Percent: 19 is 19 %.
    amount: Decimal
    #: Whether prices contain it.
    price_include: bool = False
    #: ``amount_type`` in Odoo; only ``percent`` can be computed here.
    kind: str = "percent"


@dataclass(frozen=True, kw_only=True)
class OdooProfile:
    """What decides how an Odoo database adds up an order."""

    major: int
    rounding_method: RoundingMethod = "round_per_line"
    #: Digits of the precision *Product Price*.
    price_digits: int = 2
    #: Digits of the order's currency.
    currency_digits: int = 2
    #: Digits of the precision of quantities.
    quantity_digits: int = 2
    #: Digits of the precision *Discount*.
    discount_digits: int = 2
    #: How much of the order's currency Odoo gives today for one of the company's; only shown, never used.
    currency_rate: Decimal | None = None

    @property
    def usable_price_digits(self) -> int:
        """Digits of a price that survive in this database."""
        return max(self.price_digits, FREE_PRICE_DIGITS) if self.major >= 19 else self.price_digits

    @property
    def is_per_line(self) -> bool:
        """Whether each line's tax is rounded before it is summed: in 16 by either method (recorded)."""
        return self.rounding_method == "round_per_line" or self.major < 18


@dataclass(frozen=True, kw_only=True)
class PricedLine:
    """What an order line's amounts depend on."""

    quantity: Decimal
    price_unit: Decimal
    tax_ids: tuple[int, ...] = ()
    #: Percent.
    discount: Decimal = ZERO


@dataclass(frozen=True, kw_only=True)
class LineTotals:
    """The amounts of one line, rounded to the currency, and its exact taxes by id."""

    untaxed: Decimal
    taxes: Mapping[int, Decimal]


@dataclass(frozen=True, kw_only=True)
class OrderTotals:
    """An order's totals as Odoo stores them."""

    untaxed: Decimal
    tax: Decimal
    total: Decimal
    #: Tax by the tax's id, rounded as the document rounds it.
    taxes: Mapping[int, Decimal]
    lines: tuple[LineTotals, ...]


@dataclass(frozen=True, kw_only=True)
class _Raw:
    """A line before the document's rounding."""

    base: Decimal
    taxes: Mapping[int, Decimal]


def order_totals(
    lines: Sequence[PricedLine], taxes: Mapping[int, OdooTax], profile: OdooProfile
) -> OrderTotals:
    """Return the totals of an order with ``lines``.

    Raises:
        OrderUnclear: a tax is not a percentage, or a line mixes taxes on top of and inside the price.
    """
    raws = [_raw_line(line, taxes, profile) for line in lines]
    each = tuple(_shown(raw, profile) for raw in raws)
    exact: dict[int, Decimal] = {}
    for raw in raws:
        for tax_id, amount in raw.taxes.items():
            exact[tax_id] = exact.get(tax_id, ZERO) + amount
    digits = profile.currency_digits
    by_tax = {tax_id: round_to(amount, digits) for tax_id, amount in exact.items()}
    tax = sum(by_tax.values(), ZERO)
    untaxed = round_to(sum((raw.base for raw in raws), ZERO), digits)
    if profile.major >= 19 and not profile.is_per_line and _all_inside(by_tax, taxes):
        whole = sum((raw.base + sum(raw.taxes.values(), ZERO) for raw in raws), ZERO)
        untaxed = round_to(whole, digits) - tax
    return OrderTotals(untaxed=untaxed, tax=tax, total=untaxed + tax, taxes=by_tax, lines=each)


def tax_of_line(line: PricedLine, taxes: Mapping[int, OdooTax], profile: OdooProfile) -> dict[int, Decimal]:
    """Return the taxes of a line that stands alone, rounded to the currency, by their ids."""
    exact = _raw_line(line, taxes, profile).taxes
    if profile.is_per_line:
        return dict(exact)
    return {tax_id: round_to(amount, profile.currency_digits) for tax_id, amount in exact.items()}


def _shown(raw: _Raw, profile: OdooProfile) -> LineTotals:
    digits = profile.currency_digits
    return LineTotals(
        untaxed=round_to(raw.base, digits),
        taxes={tax_id: round_to(amount, digits) for tax_id, amount in raw.taxes.items()},
    )


def _all_inside(by_tax: Mapping[int, Decimal], taxes: Mapping[int, OdooTax]) -> bool:
    """Whether no tax that amounts to anything is on top of the price (19, recorded)."""
    return all(taxes[tax_id].price_include or not amount for tax_id, amount in by_tax.items())


def line_taxes(tax_ids: Sequence[int], taxes: Mapping[int, OdooTax]) -> tuple[OdooTax, ...]:
    """Return the taxes of a line, checked to be computable.

    Raises:
        OrderUnclear: a tax is not a percentage, or some are inside the price and some on top of it.
    """
    found = tuple(taxes[tax_id] for tax_id in tax_ids)
    for tax in found:
        if tax.kind != "percent":
            raise OrderUnclear(
                f"Odoo tax {tax.id} is of the kind {tax.kind!r}; only percentages can be imported. "
                "Map the Magento tax to a percentage tax.",
                reason="tax_kind",
                tax_id=tax.id,
            )
    if len({tax.price_include for tax in found}) > 1:
        raise OrderUnclear(
            "A line has taxes inside the price and on top of it. Map its Magento taxes to Odoo taxes "
            "that are either all included in the price or all excluded.",
            reason="tax_mixed",
            tax_ids=[tax.id for tax in found],
        )
    return found


def _raw_line(line: PricedLine, taxes: Mapping[int, OdooTax], profile: OdooProfile) -> _Raw:
    digits = profile.currency_digits
    price = round_to(line.price_unit, profile.price_digits) if profile.major in {17, 18} else line.price_unit
    gross = price * round_to(line.quantity, profile.quantity_digits)
    if line.discount:
        gross = gross * (100 - round_to(line.discount, profile.discount_digits)) / 100
    if profile.is_per_line:
        gross = round_to(gross, digits)
    found = line_taxes(line.tax_ids, taxes)
    if not found or not found[0].price_include:
        return _Raw(base=gross, taxes={tax.id: _kept(gross * tax.amount / 100, profile) for tax in found})
    if profile.major < 18:
        return _inside_in_16(gross, found, profile)
    divisor = 100 + sum((tax.amount for tax in found), ZERO)
    inside = {tax.id: _kept(quotient(gross * tax.amount, divisor), profile) for tax in found}
    return _Raw(base=gross - sum(inside.values(), ZERO), taxes=inside)


def _inside_in_16(gross: Decimal, found: Sequence[OdooTax], profile: OdooProfile) -> _Raw:
    digits = profile.currency_digits
    divisor = 100 + sum((tax.amount for tax in found), ZERO)
    base = round_to(quotient(gross * 100, divisor), digits)
    inside = {tax.id: round_to(base * tax.amount / 100, digits) for tax in found}
    # The last tax inside the price takes what is left, so that the price is met exactly.
    inside[found[-1].id] = ZERO
    inside[found[-1].id] = gross - base - sum(inside.values(), ZERO)
    return _Raw(base=base, taxes=inside)


def _kept(amount: Decimal, profile: OdooProfile) -> Decimal:
    return round_to(amount, profile.currency_digits) if profile.is_per_line else amount

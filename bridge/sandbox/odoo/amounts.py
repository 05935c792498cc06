"""Order amounts as Odoo 16, 18 and 19 compute them, to the cent and with their floats.

Floats are used on purpose: Odoo computes with them, and its answers show it (``34.980000000000004`` in
16's preview). Every order of ``rules/onchange-against-load-many`` and the table of FACTS 6 are reproduced.

* 16 rounds each line, and sums the lines, whatever the company's rounding method.
* 18 and 19 with ``round_per_line`` round each line's base and taxes, then sum.
* 18 and 19 with ``round_globally`` keep lines unrounded, and round the base once and each tax once.
  19 rounds the total instead of the base where every tax is inside the price.

Taxes are percentages; no tax enters the base of another. 18's ``round_globally`` is recorded for one tax only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Digits of the currencies of the recordings.
CENTS = 2


@dataclass(frozen=True)
class Tax:
    """A percentage tax, inside the price or on top of it."""

    id: int
    amount: float
    price_include: bool


@dataclass(frozen=True)
class PricedLine:
    """What the amounts of one order line depend on; ``discount`` in percent."""

    quantity: float
    price_unit: float
    discount: float
    taxes: tuple[Tax, ...]


@dataclass(frozen=True)
class LineAmounts:
    """The three amounts of an order line."""

    subtotal: float
    tax: float
    total: float


@dataclass(frozen=True)
class OrderAmounts:
    """The three amounts of an order, and those of its lines."""

    untaxed: float
    tax: float
    total: float
    lines: tuple[LineAmounts, ...]


@dataclass(frozen=True)
class Rounding:
    """How a version rounds: ``per_line`` or globally, and the digits of the order's currency."""

    major: int
    per_line: bool
    digits: int = CENTS

    def round(self, value: float) -> float:
        """Round a monetary amount half away from zero, with the version's own float noise."""
        return round_float(value, self.digits, major=self.major)


@dataclass(frozen=True)
class _Raw:
    """A line before the document's rounding."""

    base: float
    taxes: tuple[tuple[Tax, float], ...]

    @property
    def total(self) -> float:
        return self.base + sum(amount for _, amount in self.taxes)


def round_float(value: float, digits: int, *, major: int = 18) -> float:
    """Round half away from zero after a push by a few units in the last place, as Odoo does.

    16 multiplies by the rounding factor afterwards and so leaves float noise; later versions divide.
    """
    if not value:
        return 0.0
    factor = 10**digits
    normal = value / 10.0**-digits if major < 18 else value * factor
    push = 2.0 ** (math.log2(abs(normal)) - (52 if major < 18 else 50))
    rounded = math.copysign(math.floor(abs(normal) + push + 0.5), value)
    return rounded * 10.0**-digits if major < 18 else rounded / factor


def line_amounts(line: PricedLine, how: Rounding) -> LineAmounts:
    """Return what the line itself shows. It is rounded per line by either method."""
    if how.major < 18:
        return _line_of_16(line, how)
    raw = _raw_line(line, how)
    subtotal = how.round(raw.base)
    total = subtotal
    for _, amount in raw.taxes:
        total += how.round(amount)
    return LineAmounts(subtotal, total - subtotal, total)


def order_amounts(lines: Sequence[PricedLine], how: Rounding) -> OrderAmounts:
    """Return the amounts of an order."""
    each = tuple(line_amounts(line, how) for line in lines)
    if how.major < 18:
        untaxed = how.round(sum(one.subtotal for one in each))
        tax = how.round(sum(one.tax for one in each))
        return OrderAmounts(untaxed, tax, how.round(untaxed + tax), each)
    raws = [_raw_line(line, how) for line in lines]
    tax = how.round(sum(how.round(amount) for amount in _by_tax(raws).values()))
    if how.major >= 19 and not how.per_line and _all_inside(raws, how):
        untaxed = how.round(how.round(sum(raw.total for raw in raws)) - tax)
    else:
        untaxed = how.round(sum(raw.base for raw in raws))
    return OrderAmounts(untaxed, tax, how.round(untaxed + tax), each)


def _by_tax(raws: Sequence[_Raw]) -> dict[int, float]:
    sums: dict[int, float] = {}
    for raw in raws:
        for tax, amount in raw.taxes:
            sums[tax.id] = sums.get(tax.id, 0.0) + amount
    return sums


def _all_inside(raws: Sequence[_Raw], how: Rounding) -> bool:
    """Return whether no tax that amounts to anything is on top of the price."""
    return all(tax.price_include or not how.round(amount) for raw in raws for tax, amount in raw.taxes)


def _raw_line(line: PricedLine, how: Rounding) -> _Raw:
    gross = line.quantity * (line.price_unit * (1 - line.discount / 100.0))
    if how.per_line:
        gross = how.round(gross)
    inside = [tax for tax in line.taxes if tax.price_include]
    factor = 1 / (1 + sum(tax.amount for tax in inside) / 100.0)
    amounts: dict[int, float] = {}
    for tax in inside:
        amounts[tax.id] = _kept(gross * factor * tax.amount / 100.0, how)
    base = gross - sum(amounts.values())
    for tax in line.taxes:
        if not tax.price_include:
            amounts[tax.id] = _kept(base * tax.amount / 100.0, how)
    return _Raw(base, tuple((tax, amounts[tax.id]) for tax in line.taxes))


def _kept(amount: float, how: Rounding) -> float:
    return how.round(amount) if how.per_line else amount


def _line_of_16(line: PricedLine, how: Rounding) -> LineAmounts:
    gross = how.round(line.price_unit * (1 - line.discount / 100.0) * line.quantity)
    if not line.taxes:
        return LineAmounts(gross, 0.0, gross)
    sign = -1 if gross < 0 else 1
    gross = abs(gross)
    inside = [tax for tax in line.taxes if tax.price_include]
    base = how.round(gross / (1.0 + sum(tax.amount for tax in inside) / 100.0)) if inside else gross
    left = gross - base
    tax_total = 0.0
    for tax in line.taxes:
        if tax is (inside[-1] if inside else None):
            # The last tax inside the price takes what is left, so that the price is met exactly.
            amount = left
        else:
            amount = how.round(base * tax.amount / 100.0)
            left -= amount if tax.price_include else 0.0
        tax_total += how.round(sign * amount)
    subtotal = sign * base
    return LineAmounts(subtotal, tax_total, subtotal + tax_total)

"""Magento's tax arithmetic, in floats as PHP does it.

Floats on purpose: Magento's cents depend on them (recorded: 10 percent of 0.50 after a carried half cent
gave 0.04, not 0.05; ``orders/020-order-mixed``). ``php_round`` rounds as PHP 8.2 does. The three ways of
calculating are Magento's setting *Tax Calculation Method Based On*: unit price, row, or total; the last
carries what rounding took from one line over to the next. Recorded website ``base`` calculates by unit,
``outlet`` by total.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

Method = Literal["unit", "row", "total"]

#: Magento starts each carried difference here, so that half a cent always rounds up.
FIRST_DELTA = 0.000001


def php_round(value: float, digits: int = 2) -> float:
    """Round half away from zero, after PHP's own pre-rounding to 15 significant digits."""
    exact = Decimal(f"{value:.15g}")
    return float(exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))


def shown(value: float) -> float:
    """Return an amount as Magento shows it: at most 4 digits, whole numbers without a point."""
    rounded = php_round(value, 4)
    return int(rounded) if rounded == int(rounded) else rounded


class Carry:
    """Rounds amounts and carries the difference on to the next amount of the same key."""

    def __init__(self, first: float = FIRST_DELTA) -> None:
        self._first = first
        self._deltas: dict[object, float] = {}

    def round(self, amount: float, key: object) -> float:
        """Return ``amount`` in whole cents. Zero stays zero and carries nothing."""
        if not amount:
            return amount
        exact = amount + self._deltas.get(key, self._first)
        rounded = php_round(exact)
        self._deltas[key] = exact - rounded
        return rounded


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A tax rate: its code and its percent."""

    code: str
    percent: float


@dataclass(frozen=True, kw_only=True)
class Taxable:
    """What is to be taxed: one line, or the shipping."""

    #: Unlike for each line of the order.
    code: object
    unit_price: float
    quantity: float
    #: Discount of the whole row; of the gross price where prices include tax.
    discount: float = 0.0
    rate: Rate | None = None


@dataclass(frozen=True, kw_only=True)
class Taxed:
    """The outcome for one line. ``price`` is not rounded where the row does not divide."""

    price: float
    price_incl_tax: float
    row_total: float
    row_total_incl_tax: float
    tax: float
    #: Tax that the discount on a gross price contains ("discount tax compensation").
    compensation: float = 0.0


@dataclass
class Calculation:
    """One run over all lines and the shipping of a cart; the carried differences live as long as it."""

    method: Method
    #: Prices include tax, and discounts are taken from prices with tax.
    prices_include_tax: bool
    _carry: Carry = field(default_factory=Carry)

    def apply(self, one: Taxable) -> Taxed:
        """Return the amounts of a line. Tax is on the price after discount."""
        if one.rate is None:
            price = php_round(one.unit_price)
            row = price * one.quantity
            return Taxed(price=price, price_incl_tax=price, row_total=row, row_total_incl_tax=row, tax=0.0)
        if self.method == "unit":
            return self._by_unit(one, one.rate)
        return self._by_row(one, one.rate)

    def _by_unit(self, one: Taxable, rate: Rate) -> Taxed:
        unit = php_round(one.unit_price)
        discounted = max(unit - one.discount / one.quantity, 0.0)
        full_tax = self._round(self._tax(unit, rate), one, rate, "before")
        unit_tax = self._round(self._tax(discounted, rate), one, rate, "after")
        price, gross = (unit - full_tax, unit) if self.prices_include_tax else (unit, unit + full_tax)
        return Taxed(
            price=price,
            price_incl_tax=gross,
            row_total=price * one.quantity,
            row_total_incl_tax=gross * one.quantity,
            tax=unit_tax * one.quantity,
            compensation=(full_tax - unit_tax) * one.quantity if self.prices_include_tax else 0.0,
        )

    def _by_row(self, one: Taxable, rate: Rate) -> Taxed:
        given = php_round(one.unit_price) * one.quantity
        full_tax = self._round(self._tax(given, rate), one, rate, "before")
        row_tax = full_tax
        if one.discount:
            discounted = max(given - one.discount, 0.0)
            row_tax = self._round(self._tax(discounted, rate), one, rate, "after")
        row, gross = (given - full_tax, given) if self.prices_include_tax else (given, given + full_tax)
        return Taxed(
            price=row / one.quantity,
            price_incl_tax=gross / one.quantity,
            row_total=row,
            row_total_incl_tax=gross,
            tax=row_tax,
            compensation=full_tax - row_tax if self.prices_include_tax else 0.0,
        )

    def _tax(self, amount: float, rate: Rate) -> float:
        share = rate.percent / 100
        return amount * (1 - 1 / (1 + share)) if self.prices_include_tax else amount * share

    def _round(self, amount: float, one: Taxable, rate: Rate, stage: str) -> float:
        scope = None if self.method == "total" else one.code
        return self._carry.round(amount, (stage, rate.percent, scope))

"""Pairs of rounding lines: where no set of taxed lines can bear Magento's tax.

Odoo with ``round_globally`` taxes the sum: 120.31 at 19 % is 22.86, whatever the lines. Magento, rounding per
unit, charged 22.89 (``orders/002``). Then a pair of lines on the adjustment product moves the taxable base by
the few cents that bear the missing tax: +0.16 with the tax, -0.16 without. Untaxed amount and grand total are
Magento's, and so is every tax. It is bounded by what rounding can do, and by ``order_adjust_max``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bridge.translate.drafts import Draft
from bridge.translate.money import ZERO, quotient, round_to, step
from bridge.translate.odoo_totals import OdooProfile, OdooTax, PricedLine, order_totals
from bridge.translate.targets import TaxTarget

#: How many cents around the computed amount are tried.
_NEAR = 3


@dataclass(frozen=True, kw_only=True)
class TaxPair:
    """A taxed amount and, untaxed, its opposite."""

    tax: OdooTax
    #: Of the taxed line, on the basis of its tax.
    amount: Decimal
    #: The tax that the pair brings.
    gain: Decimal
    #: Magento's taxes that it is for.
    keys: frozenset[str]


def tax_pairs(
    lines: Sequence[PricedLine],
    taxes: Mapping[int, OdooTax],
    targets: Sequence[TaxTarget],
    profile: OdooProfile,
    *,
    limits: Mapping[TaxTarget, Decimal],
) -> list[TaxPair]:
    """Return the pairs with which ``lines`` bear each target's tax; none for a target beyond its limit."""
    pairs: list[TaxPair] = []
    for target in targets:
        so_far = [*lines, *(line for pair in pairs for line in pair_lines(pair))]
        missing = target.amount - target.of(order_totals(so_far, taxes, profile).taxes)
        if not missing or abs(missing) > limits[target]:
            continue
        pair = _pair(so_far, taxes, target, profile, missing)
        if pair is not None:
            pairs.append(pair)
    return pairs


def pair_lines(pair: TaxPair) -> tuple[PricedLine, PricedLine]:
    """Return the two lines of a pair."""
    one = Decimal(1)
    return (
        PricedLine(quantity=one, price_unit=pair.amount, tax_ids=(pair.tax.id,)),
        PricedLine(quantity=one, price_unit=-pair.amount),
    )


def _pair(
    lines: Sequence[PricedLine],
    taxes: Mapping[int, OdooTax],
    target: TaxTarget,
    profile: OdooProfile,
    missing: Decimal,
) -> TaxPair | None:
    rates = [
        taxes[tax_id] for tax_id in sorted(target.tax_ids) if taxes.get(tax_id) and taxes[tax_id].amount > 0
    ]
    if not rates:
        return None
    tax = max(rates, key=lambda rate: rate.amount)
    digits = profile.currency_digits
    base = 100 + tax.amount if tax.price_include else Decimal(100)
    middle = round_to(quotient(missing * base, tax.amount), digits)
    before = order_totals(lines, taxes, profile)
    for away in sorted(range(-_NEAR, _NEAR + 1), key=abs):
        pair = TaxPair(tax=tax, amount=middle + step(digits) * away, gain=missing, keys=target.keys)
        after = order_totals([*lines, *pair_lines(pair)], taxes, profile)
        stays = after.total - after.tax == before.total - before.tax - (
            missing if tax.price_include else ZERO
        )
        if pair.amount and target.of(after.taxes) == target.amount and stays:
            return pair
    return None


def rounding_limit(drafts: Sequence[Draft], target: TaxTarget, *, at_most: Decimal) -> Decimal:
    """Return how much tax rounding can account for: half a cent a unit and a cent a line, within ``at_most``."""
    ours = [draft for draft in drafts if set(draft.tax_ids) & target.tax_ids]
    units = sum((abs(draft.quantity) for draft in ours), ZERO)
    return min(at_most, Decimal("0.005") * units + Decimal("0.01") * (len(ours) + 1))

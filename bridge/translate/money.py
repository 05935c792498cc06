"""Exact money: rounding half away from zero, plain text of decimals, splitting without losing a cent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext

ZERO = Decimal(0)
#: Digits of intermediate results: far more than any amount and any division here needs.
WORKING_DIGITS = 60


def round_to(value: Decimal, digits: int) -> Decimal:
    """Return ``value`` with ``digits`` decimal places, halves away from zero, as Magento and Odoo round money."""
    with localcontext() as context:
        context.prec = WORKING_DIGITS
        return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP) + ZERO


def step(digits: int) -> Decimal:
    """Return the smallest amount with ``digits`` decimal places: 0.01 for 2."""
    return Decimal(1).scaleb(-digits)


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Return ``dividend / divisor`` to the working digits."""
    with localcontext() as context:
        context.prec = WORKING_DIGITS
        return dividend / divisor


def plain(value: Decimal) -> str:
    """Return ``value`` as text without an exponent and without needless zeros: ``120``, ``0.045``."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def amount(value: Decimal, digits: int = 2) -> str:
    """Return ``value`` as people read money: at least ``digits`` decimal places, more where it has more."""
    rounded = round_to(value, digits)
    return f"{rounded:f}" if rounded == value else plain(value)


def spread(total: Decimal, weights: Sequence[Decimal], digits: int) -> list[Decimal]:
    """Split ``total`` in proportion to ``weights`` into amounts of ``digits`` places that sum to it exactly.

    Each amount is the difference of two rounded running sums, so no part is off by more than one step. A total
    with more digits than ``digits`` keeps its rest in the last part.
    """
    if not weights:
        return []
    whole = sum(weights, ZERO)
    parts: list[Decimal] = []
    given = running = ZERO
    for weight in weights[:-1]:
        running += weight
        share = round_to(quotient(total * running, whole), digits) if whole else ZERO
        parts.append(share - given)
        given = share
    return [*parts, total - given]

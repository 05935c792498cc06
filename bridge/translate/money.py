"""Exact money: rounding half away from zero, plain text of decimals."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

ZERO = Decimal(0)
#: Digits of intermediate results: far more than any amount and any division here needs.
WORKING_DIGITS = 60
_CONTEXT = Context(prec=WORKING_DIGITS, rounding=ROUND_HALF_UP)
_STEPS = tuple(Decimal(1).scaleb(-digits) for digits in range(13))


def round_to(value: Decimal, digits: int) -> Decimal:
    """Return ``value`` with ``digits`` decimal places, halves away from zero, as Magento and Odoo round money."""
    rounded = value.quantize(_STEPS[digits], context=_CONTEXT)
    return rounded or rounded.copy_abs()


def step(digits: int) -> Decimal:
    """Return the smallest amount with ``digits`` decimal places: 0.01 for 2."""
    return _STEPS[digits]


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Return ``dividend / divisor`` to the working digits."""
    return _CONTEXT.divide(dividend, divisor)


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

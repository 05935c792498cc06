"""Unit prices that make a row come out at the precision Odoo has (RULES 1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from bridge.translate.money import ZERO, quotient, round_to, step
from bridge.translate.odoo_totals import OdooProfile

#: How many steps around the even price are tried.
_NEAR = 50


class Piece(NamedTuple):
    """A part of a line: so many units at a price that Odoo can keep."""

    quantity: Decimal
    price_unit: Decimal

    def amount(self, digits: int) -> Decimal:
        """Return what it comes to, rounded as a line is."""
        return round_to(self.quantity * self.price_unit, digits)


def pieces_amount(pieces: Sequence[Piece], digits: int) -> Decimal:
    """Return what the pieces come to together."""
    return sum((piece.amount(digits) for piece in pieces), ZERO)


def price_pieces(quantity: Decimal, row: Decimal, unit: Decimal, profile: OdooProfile) -> tuple[Piece, ...]:
    """Return the fewest pieces of ``quantity`` that come to ``row``.

    Magento's own unit price if it gives the row; else row / quantity at the precision there is; else two pieces
    whose prices differ. Where even these cannot (a currency finer than the price precision), the nearest single
    piece: the total policy then sees the difference.
    """
    places = profile.usable_price_digits
    whole = Piece(quantity=quantity, price_unit=ZERO)
    if not quantity:
        return (Piece(quantity=quantity, price_unit=round_to(unit, places)),)
    for price in (
        unit,
        round_to(quotient(row, quantity), min(places, 6)),
        round_to(quotient(row, quantity), places),
    ):
        if round_to(price, places) != price:
            continue
        whole = Piece(quantity=quantity, price_unit=price)
        # Exact products only: with round_globally Odoo sums the rows unrounded.
        if price * quantity == row or (profile.is_per_line and whole.amount(profile.currency_digits) == row):
            return (whole,)
    if abs(whole.price_unit * quantity - row) < _negligible(profile):
        return (whole,)
    return _two_prices(quantity, row, profile) or _one_apart(quantity, row, profile) or (whole,)


def _negligible(profile: OdooProfile) -> Decimal:
    """A rest per row too small to move a sum of many rows by a rounding."""
    return step(profile.currency_digits) / 100


def _two_prices(quantity: Decimal, row: Decimal, profile: OdooProfile) -> tuple[Piece, ...]:
    """Whole units at two prices one step apart: 3 for 10.00 is 2 x 3.33 and 1 x 3.34."""
    if quantity != quantity.to_integral_value() or quantity < 2:
        return ()
    places = min(profile.usable_price_digits, profile.currency_digits)
    unit_step = step(places)
    low = (row / quantity).quantize(unit_step, rounding=ROUND_FLOOR)
    dearer = (row - low * quantity) / unit_step
    if dearer != dearer.to_integral_value() or not 0 < dearer < quantity:
        return ()
    pieces = (
        Piece(quantity=quantity - dearer, price_unit=low),
        Piece(quantity=dearer, price_unit=low + unit_step),
    )
    return pieces if pieces_amount(pieces, profile.currency_digits) == row else ()


def _one_apart(quantity: Decimal, row: Decimal, profile: OdooProfile) -> tuple[Piece, ...]:
    """A broken quantity: all but one unit at the nearest price that gives whole cents, one unit for the rest."""
    if quantity <= 1 or profile.usable_price_digits < profile.currency_digits:
        return ()
    places = min(profile.usable_price_digits, profile.currency_digits)
    rest = quantity - 1
    middle = round_to(quotient(row, quantity), places)
    for away in sorted(range(-_NEAR, _NEAR + 1), key=abs):
        first = Piece(quantity=rest, price_unit=middle + step(places) * away)
        shown = first.amount(profile.currency_digits)
        if first.quantity * first.price_unit == shown:
            return (first, Piece(quantity=Decimal(1), price_unit=row - shown))
    return ()

"""The ways to cut one order line in pieces: its row stays, its tax, rounded per piece, moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from bridge.translate.drafts import Draft
from bridge.translate.money import ZERO, quotient, round_to, step
from bridge.translate.odoo_totals import OdooProfile, PricedLine, tax_of_line
from bridge.translate.prices import Piece, pieces_amount, price_pieces
from bridge.translate.targets import TaxTarget

#: Tax by target, in the order of the targets.
Vector = tuple[Decimal, ...]
Pieces = tuple[Piece, ...]

#: Up to so many units every way of cutting at one price is tried, beyond only cuts in two.
MOST_UNITS = 24
#: What the cheapest cut costs: two pieces in place of one line.
LEAST_COST = 2
#: What articles at prices that are not their own cost more.
_UNEVEN = 3
#: What the cheapest cut at two prices costs.
LEAST_UNEVEN_COST = LEAST_COST + _UNEVEN
#: How far from the even price one unit may be, in cents.
MOST_CENTS_APART = 10
#: The most amounts that a discount is cut in, and the largest that is cut off, in cents.
MOST_AMOUNTS = 4
MOST_CENTS = 40


def plus(one: Vector, other: Vector) -> Vector:
    """Return the sum of two vectors."""
    return tuple(a + b for a, b in zip(one, other, strict=True))


def cost(cut: Pieces) -> int:
    """Return how unwelcome a cut is: each line costs one, articles at prices that are not their own three more."""
    uneven = cut[-1].price_unit > 0 and len({piece.price_unit for piece in cut}) > 1
    return len(cut) + (_UNEVEN if uneven else 0)


class Cutter:
    """The cuts of one draft."""

    def __init__(self, draft: Draft, targets: Sequence[TaxTarget], profile: OdooProfile) -> None:
        self._draft = draft
        self._targets = targets
        self._profile = profile
        self._taxes = {tax.id: tax for tax in draft.taxes}
        self._known: dict[Piece, Vector] = {}
        self._even: dict[Vector, Pieces] | None = None

    def tax(self, parts: Pieces) -> Vector:
        """Return the tax of ``parts``, rounded per line, by target."""
        total: Vector = (ZERO,) * len(self._targets)
        for part in parts:
            total = plus(total, self._tax_of(part))
        return total

    def _tax_of(self, part: Piece) -> Vector:
        known = self._known.get(part)
        if known is None:
            line = PricedLine(quantity=part.quantity, price_unit=part.price_unit, tax_ids=self._draft.tax_ids)
            by_tax = tax_of_line(line, self._taxes, self._profile)
            known = self._known[part] = tuple(target.of(by_tax) for target in self._targets)
        return known

    def even_options(self, parts: Pieces, *, most_pieces: int, enough: Vector) -> dict[Vector, Pieces]:
        """Return, by the change of tax, the least unwelcome cut; shipping and single articles are not cut.

        A cut that changes the tax by ``enough`` and costs as little as any ends the search. Cuts at two prices are
        left out: they are dear to find and never cost less than ``LEAST_UNEVEN_COST``.
        """
        if self._even is None:
            self._even = {}
            if self._draft.taxes and self._draft.role != "shipping":
                self._add(self._cuts(parts, most_pieces), self._even, self.tax(parts), enough)
        return self._even

    def options(self, parts: Pieces, *, most_pieces: int, enough: Vector) -> dict[Vector, Pieces]:
        """Return what ``even_options`` does, and the cuts at two prices."""
        found = dict(self.even_options(parts, most_pieces=most_pieces, enough=enough))
        if self._draft.taxes and self._is_of_units:
            self._add(self._at_two_prices(int(self._draft.quantity)), found, self.tax(parts), enough)
        return found

    def _add(self, cuts: Iterable[Pieces], found: dict[Vector, Pieces], now: Vector, enough: Vector) -> None:
        for cut in cuts:
            gain = tuple(a - b for a, b in zip(self.tax(cut), now, strict=True))
            if any(gain) and (gain not in found or cost(cut) < cost(found[gain])):
                found[gain] = cut
                if gain == enough and cost(cut) <= LEAST_COST:
                    break

    @property
    def _is_of_units(self) -> bool:
        draft = self._draft
        return (
            draft.role not in {"shipping", "discount", "shipping_discount"}
            and draft.quantity > 1
            and draft.quantity == draft.quantity.to_integral_value()
        )

    def _cuts(self, parts: Pieces, most_pieces: int) -> Iterator[Pieces]:
        if self._draft.role in {"discount", "shipping_discount"}:
            yield from self._of_amount()
        elif self._is_of_units and len(parts) == 1:
            units = int(self._draft.quantity)
            if units <= MOST_UNITS:
                yield from self._at_one_price(units, parts[0].price_unit, most_pieces)
            else:
                yield from self._in_two(units, parts[0].price_unit)

    def _of_amount(self) -> Iterator[Pieces]:
        """A discount in a few amounts, the same cut off several times and the rest."""
        row = self._draft.row
        cent = step(self._profile.currency_digits).copy_sign(row)
        one = Decimal(1)
        for count in range(1, MOST_AMOUNTS):
            seen: set[Vector] = set()
            for cents in range(1, min(MOST_CENTS, int(row / cent) // (count + 1)) + 1):
                part = Piece(quantity=one, price_unit=cent * cents)
                cut = (Piece(quantity=one, price_unit=row - cent * cents * count), *(part,) * count)
                tax = self.tax(cut)
                if tax not in seen:
                    seen.add(tax)
                    yield cut
                if len(seen) == _moves(count + 1) ** len(self._taxes):
                    break

    def _in_two(self, units: int, price: Decimal) -> Iterator[Pieces]:
        for part in range(1, MOST_UNITS):
            cut = tuple(Piece(quantity=Decimal(size), price_unit=price) for size in (units - part, part))
            if pieces_amount(cut, self._profile.currency_digits) == self._draft.row:
                yield cut

    def _at_one_price(self, units: int, price: Decimal, most_pieces: int) -> Iterator[Pieces]:
        """For each tax that some way of cutting gives, the cut with the fewest pieces."""
        of_size = [Piece(quantity=Decimal(size), price_unit=price) for size in range(units + 1)]
        digits = self._profile.currency_digits
        worth = [(piece.amount(digits), *self._tax_of(piece)) for piece in of_size]
        best: list[dict[Vector, tuple[int, ...]]] = [{(ZERO,) * (len(self._targets) + 1): ()}]
        for size in range(1, units + 1):
            ways: dict[Vector, tuple[int, ...]] = {}
            for last in range(1, size + 1):
                for sums, sizes in best[size - last].items():
                    if len(sizes) >= most_pieces:
                        continue
                    total = plus(sums, worth[last])
                    if total not in ways or len(ways[total]) > len(sizes) + 1:
                        ways[total] = (*sizes, last)
            best.append(ways)
        for sums, sizes in best[units].items():
            if sums[0] == self._draft.row:
                yield tuple(of_size[size] for size in sorted(sizes, reverse=True))

    def _at_two_prices(self, units: int) -> Iterator[Pieces]:
        """All units but one at one price and one at another, as few cents apart as can be (``orders/024``)."""
        digits = self._profile.currency_digits
        row = self._draft.row
        even = round_to(quotient(row, self._draft.quantity), digits)
        seen: set[Vector] = set()
        for away in sorted(range(-MOST_CENTS_APART, MOST_CENTS_APART + 1), key=abs):
            one = Piece(quantity=Decimal(1), price_unit=even + step(digits) * away)
            if one.price_unit <= 0:
                continue
            rest = row - one.price_unit
            others = price_pieces(Decimal(units - 1), rest, one.price_unit, self._profile)
            if len(others) == 1 and others[0].amount(digits) == rest:
                cut = (others[0], one)
                tax = self.tax(cut)
                if tax not in seen:
                    seen.add(tax)
                    yield cut
                if len(seen) == _moves(2) ** len(self._taxes):
                    return


def _moves(pieces: int) -> int:
    """Return how many values a tax can have that is rounded in so many pieces: half a cent each, up or down.

    Once as many were seen, further cuts of as many pieces bring nothing new.
    """
    return 2 * (pieces // 2) + 1

"""Make Odoo's tax Magento's: Magento rounds the tax per unit, row or total, Odoo per line or over the order.

Where Odoo rounds per line, cutting a line in pieces moves its tax: 7 x 7.77 at 19 % bear 10.33 in one line and
10.36 in seven, which is Magento's tax where it rounds per unit (``orders/002``). The cuts that bring every tax to
Magento's at the least cost are taken. Rows, and so the untaxed amount, stay what they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from bridge.translate.cuts import LEAST_COST, LEAST_UNEVEN_COST, Cutter, Pieces, Vector, cost, plus
from bridge.translate.drafts import Draft
from bridge.translate.money import ZERO
from bridge.translate.odoo_totals import OdooProfile
from bridge.translate.targets import TaxTarget

#: Cuts chosen so far: their cost, and for each line that is cut its index and pieces.
State = tuple[int, tuple[tuple[int, Pieces], ...]]

#: Beyond so many intermediate results the search gives up; a pair of rounding lines does it then.
MOST_STATES = 4000
#: So many lines are tried; more would take longer than they help.
MOST_LINES = 40
#: How far a tax may go past what is missing on the way.
_DETOUR = Decimal("0.10")


def fit_by_cutting(
    drafts: Sequence[Draft],
    pieces: Sequence[Pieces],
    targets: Sequence[TaxTarget],
    profile: OdooProfile,
    *,
    most_pieces: int,
    most_cost: int,
) -> list[Pieces] | None:
    """Return the pieces of each draft with which each target's tax is met, or None if no cutting does it.

    ``most_pieces`` bounds the pieces of one line, ``most_cost`` the cost of all cuts together.
    """
    if not profile.is_per_line:
        return None
    cutters = [Cutter(draft, targets, profile) for draft in drafts]
    missing: Vector = tuple(target.amount for target in targets)
    for cutter, parts in zip(cutters, pieces, strict=True):
        missing = tuple(want - have for want, have in zip(missing, cutter.tax(parts), strict=True))
    if not any(missing):
        return list(pieces)
    best: State | None = None
    for is_even in (True, False):
        best = _least(cutters, pieces, missing, most_pieces=most_pieces, most_cost=most_cost, is_even=is_even)
        if best is not None and best[0] <= LEAST_UNEVEN_COST:
            # No cut at two prices costs less: they need not be looked for.
            break
    if best is None:
        return None
    result = list(pieces)
    for index, cut in best[1]:
        result[index] = cut
    return result


def _least(
    cutters: Sequence[Cutter],
    pieces: Sequence[Pieces],
    missing: Vector,
    *,
    most_pieces: int,
    most_cost: int,
    is_even: bool,
) -> State | None:
    """Return the cuts of least cost that bring what is missing, or None."""
    states: dict[Vector, State] = {(ZERO,) * len(missing): (0, ())}
    for index, (cutter, parts) in enumerate(zip(cutters, pieces, strict=True)):
        if index >= MOST_LINES or len(states) > MOST_STATES:
            break
        if missing in states and states[missing][0] <= LEAST_COST:
            # No further line can do it for less.
            break
        look = cutter.even_options if is_even else cutter.options
        options = look(parts, most_pieces=most_pieces, enough=missing)
        states = _with_cuts_of(index, options, states, missing=missing, most_cost=most_cost)
    return states.get(missing)


def _with_cuts_of(
    index: int,
    options: Mapping[Vector, Pieces],
    states: dict[Vector, State],
    *,
    missing: Vector,
    most_cost: int,
) -> dict[Vector, State]:
    """Return the states that are reached with and without a cut of the line ``index``."""
    reached = dict(states)
    for gain, cut in options.items():
        for vector, (so_far, chosen) in states.items():
            total = plus(vector, gain)
            price = so_far + cost(cut)
            if (
                price > most_cost
                or _hopeless(total, missing)
                or (total in reached and reached[total][0] <= price)
            ):
                continue
            reached[total] = (price, (*chosen, (index, cut)))
    return reached


def _hopeless(total: Vector, missing: Vector) -> bool:
    """Whether ``total`` went further past what is missing than other lines could bring back."""
    return any(abs(have) > abs(want) + _DETOUR for have, want in zip(total, missing, strict=True))

"""Prices of a product that follow Magento, while it is their master: the sales price, and the cost. Pure.

Marks are digests by field, as ``price_records`` makes them; those of Odoo's side begin with ``odoo:``. Odoo rounds to the
digits of *Product Price*, so what was sent is known in each form that it may have there. Several forms, and what was there
while a write is under way, are alternatives, joined by ``|``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal

from bridge.translate.price_records import mark_of_price, number

SALES_PRICE, COST = "list_price", "standard_price"
#: The fields that follow.
FOLLOWED = (SALES_PRICE, COST)
_ODOO = "odoo:"
#: Digits that *Product Price* is likely to have; fewer are told by the server.
_DIGITS = range(2, 7)


def is_free(cost_method: str | None, valuation: str | None) -> bool:
    """Return whether a cost is anybody's to set: Odoo neither works it out nor posts what it changes in its books.

    Both are empty where Inventory's valuation is not installed.
    """
    return (cost_method or "standard") == "standard" and valuation != "real_time"


def changed_in_magento(marks: Mapping[str, str], cells: Mapping[str, str]) -> set[str]:
    """Return the fields of ``cells`` that are others in Magento than when they were seen last."""
    return {name for name, cell in cells.items() if name in marks and marks[name] != mark_of_price(cell)}


def is_edited(marks: Mapping[str, str], name: str, has: str) -> bool:
    """Return whether Odoo has another value of a field than the bridge knew of; what nothing is known of was not edited."""
    known = marks.get(f"{_ODOO}{name}", "").split("|")
    return "" not in known and mark_of_price(has) not in known


def is_remembered(marks: Mapping[str, str], name: str) -> bool:
    """Return whether anything is known of Odoo's side of a field."""
    return f"{_ODOO}{name}" in marks


def seen(cells: Mapping[str, str]) -> dict[str, str]:
    """Return the marks of fields as Magento has them."""
    return {name: mark_of_price(cell) for name, cell in cells.items()}


def read_there(name: str, has: str) -> dict[str, str]:
    """Return the mark of a field as it was read in Odoo."""
    return {f"{_ODOO}{name}": mark_of_price(has)}


def sent(cells: Mapping[str, str], digits: int) -> dict[str, str]:
    """Return the marks of both sides once ``cells`` were written into Odoo."""
    return seen(cells) | {f"{_ODOO}{name}": "|".join(_forms(cell, digits)) for name, cell in cells.items()}


def being_sent(marks: Mapping[str, str], cells: Mapping[str, str], digits: int) -> dict[str, str]:
    """Return the marks of both sides while ``cells`` are being written: whoever comes next writes them anew."""
    return {
        name: _joined(marks.get(name, ""), mark.split("|"), is_open=not name.startswith(_ODOO))
        for name, mark in sent(cells, digits).items()
    }


def is_same(cell: str, has: str, digits: int) -> bool:
    """Return whether Odoo has a value of Magento, as far as its digits go."""
    return mark_of_price(has) in _forms(cell, digits)


def _forms(cell: str, digits: int) -> list[str]:
    value = Decimal(cell)
    kept = [
        number(value.quantize(Decimal(1).scaleb(-one), rounding=ROUND_HALF_UP)) for one in {*_DIGITS, digits}
    ]
    return list(dict.fromkeys(mark_of_price(one) for one in (number(value), *sorted(kept))))


def _joined(before: str, now: Iterable[str], *, is_open: bool) -> str:
    known = before.split("|")
    both = "|".join([*known, *(one for one in now if one not in known)])
    # One that ends with an empty mark is no price's: it is never taken for one that is known.
    return f"{both}|" if is_open and "|" not in both else both

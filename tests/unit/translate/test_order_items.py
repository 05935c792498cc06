"""Which lines a Magento line became, told anew from Odoo's lines: as the import wrote it (RULES 2.2)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.translate.magento_order import parse_order
from bridge.translate.odoo_totals import OdooProfile
from bridge.translate.order_diff import reduced_quantities
from bridge.translate.order_items import StoredLine, rebuilt_order_items
from bridge.translate.order_plan import translate_order
from bridge.translate.order_rows import order_items_json
from tests.unit.translate.books import RECORDED, book, load, order, raw_item

PROFILES = [
    OdooProfile(major=16, price_digits=2),
    OdooProfile(major=18, price_digits=6),
    OdooProfile(major=19, price_digits=6, rounding_method="round_globally"),
]


def stored(plan):
    """Return the plan's lines as Odoo has them, the last made first."""
    return {
        line.key: StoredLine(id=500 + number, quantity=line.quantity)
        for number, line in reversed(list(enumerate(plan.lines)))
    }


@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: f"{one.major}-{one.price_digits}")
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_recorded_order_is_told_as_its_import_wrote_it(path, profile):
    parsed = parse_order(load(path)["response"]["json"])
    plan = translate_order(parsed, book(parsed, profile=profile))
    lines = stored(plan)
    written = {
        item_id: [{**part, "line_id": lines[part["line"]].id} for part in parts]
        for item_id, parts in order_items_json(plan).items()
    }
    assert rebuilt_order_items(parsed, lines) == written


def lines_of(*quantities):
    keys = ["item_1", *(f"item_1_{number}" for number in range(2, len(quantities) + 1))]
    return {
        key: StoredLine(id=number, quantity=Decimal(quantity))
        for number, (key, quantity) in enumerate(zip(keys[: len(quantities)], quantities, strict=True))
    }


def quantities_of(units, *left):
    parsed = order(raw_item(qty_ordered=units))
    return [Decimal(part["quantity"]) for part in rebuilt_order_items(parsed, lines_of(*left))["1"]]


def test_pieces_stand_in_the_order_of_their_numbers():
    parsed = order(raw_item(qty_ordered=66))
    parts = rebuilt_order_items(parsed, lines_of(*range(1, 12)))["1"]
    assert [part["line"] for part in parts] == ["item_1", *(f"item_1_{number}" for number in range(2, 12))]


@pytest.mark.parametrize("cut", [(5,), (3, 2), (2, 2, 1), (1, 1, 1, 1, 1)])
@pytest.mark.parametrize("before", range(6))
def test_later_cancellations_come_to_the_same_however_many_units_were_cancelled_before(cut, before):
    ordered = [Decimal(part) for part in cut]
    left = reduced_quantities(ordered, Decimal(before))
    rebuilt = quantities_of(5, *left)
    assert sum(rebuilt) == 5
    for later in range(before, 6):
        assert reduced_quantities(rebuilt, Decimal(later)) == reduced_quantities(ordered, Decimal(later))


@pytest.mark.parametrize(("left", "expected"), [((7,), [5]), ((4, 3), [4, 1]), ((), [])])
def test_what_a_person_changed_in_odoo_does_not_change_what_was_ordered(left, expected):
    assert quantities_of(5, *left) == expected


def test_lines_of_others_and_a_line_that_only_begins_alike_do_not_count():
    lines = {
        **lines_of(1),
        "item_11": StoredLine(id=9, quantity=Decimal(4)),
        "shipping": StoredLine(id=8, quantity=Decimal(1)),
    }
    assert rebuilt_order_items(order(raw_item(qty_ordered=1)), lines) == {
        "1": [{"line": "item_1", "quantity": "1", "line_id": 0}]
    }

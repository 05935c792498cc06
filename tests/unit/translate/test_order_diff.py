"""A second event (RULES 1.9): what may be carried over, and what blocks."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.translate.magento_order import parse_order
from bridge.translate.order_diff import diff_order, reduced_quantities
from tests.unit.translate.books import ORDERS, RECORDED, load, order, raw_item, raw_order

#: Orders recorded again later: shipped, invoiced, refunded, cancelled.
LATER = sorted(ORDERS.glob("03[2-6]-*.json"))


@pytest.fixture(scope="module")
def placed():
    return {parse_order(load(path)["response"]["json"]).entity_id: path for path in RECORDED}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_an_order_does_not_differ_from_itself(path):
    one = parse_order(load(path)["response"]["json"])
    assert diff_order(one, one).is_empty


@pytest.mark.parametrize("path", LATER, ids=lambda path: path.stem)
def test_what_happens_to_an_order_later_blocks_nothing(placed, path):
    later = parse_order(load(path)["response"]["json"])
    first = parse_order(load(placed[later.entity_id])["response"]["json"])
    diff = diff_order(first, later)
    assert diff.blocking == ()
    assert diff.status_changed


def test_cancellations_are_compared_per_line_and_not_by_state():
    diff = diff_order(order(), order(raw_item(qty_canceled=1)))
    assert [(one.item_id, one.quantity) for one in diff.cancellations] == [(1, 1)]
    assert diff.blocking == ()
    assert diff_order(order(), order(state="canceled", status="canceled")).cancellations == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"grand_total": Decimal("11.91")},
        {"order_currency_code": "USD"},
        {"tax_amount": 2},
        {"shipping_amount": 1},
        {"discount_amount": -1},
    ],
)
def test_money_blocks_with_the_old_and_the_new_figure(changes):
    diff = diff_order(order(), order(**changes))
    assert diff.blocking
    assert all(change.old != change.new for change in diff.blocking)


@pytest.mark.parametrize("changes", [{"price": 11}, {"qty_ordered": 2}, {"sku": "OTHER"}, {"product_id": 5}])
def test_a_changed_line_blocks_and_is_named(changes):
    (change,) = diff_order(order(), order(raw_item(**changes))).blocking
    assert change.field == f"items[1].{next(iter(changes))}"


def test_lines_that_come_or_go_block():
    two = order(raw_item(1), raw_item(2))
    assert [change.field for change in diff_order(order(), two).blocking] == ["items[2]"]
    assert [change.field for change in diff_order(two, order()).blocking] == ["items[2]"]


def test_a_new_address_a_new_status_and_new_notes_are_allowed():
    billing = raw_order()["billing_address"] | {"street": ["Neue Strasse 5"]}
    new = order(billing_address=billing, status="processing", state="processing", customer_note="Klingeln")
    diff = diff_order(order(), new)
    assert diff.blocking == ()
    assert diff.billing_changed
    assert diff.status_changed
    assert diff.notes_changed
    assert not diff.delivery_changed


def test_no_address_stands_in_the_diff():
    billing = raw_order()["billing_address"] | {"street": ["Neue Strasse 5"]}
    assert "Strasse" not in repr(diff_order(order(), order(billing_address=billing)).allowed)


def test_another_customer_blocks():
    assert diff_order(order(), order(customer_email="other@example.com")).blocking


@pytest.mark.parametrize(
    ("quantities", "cancelled", "left"),
    [([3], 1, [2]), ([2, 1, 1], 2, [2, 0, 0]), ([1, 1], 2, [0, 0]), ([1], 5, [0]), ([2, 3], 0, [2, 3])],
)
def test_cancelled_units_are_taken_from_the_last_of_a_lines_order_lines(quantities, cancelled, left):
    assert reduced_quantities([Decimal(one) for one in quantities], Decimal(cancelled)) == left


def test_a_new_delivery_address_is_allowed():
    def delivered(street):
        address = raw_order()["billing_address"] | {"street": [street]}
        assignments = [{"shipping": {"address": address, "method": "flatrate_flatrate"}}]
        extension = raw_order()["extension_attributes"] | {"shipping_assignments": assignments}
        return order(extension_attributes=extension)

    diff = diff_order(delivered("Weg 1"), delivered("Weg 2"))
    assert diff.delivery_changed
    assert not diff.billing_changed
    assert diff.blocking == ()

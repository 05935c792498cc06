"""What a person agreed to: the lines of both sides from then on."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bridge.translate.order_agreement import OdooLine, agreed_items, line_changes
from bridge.translate.order_diff import reduced_quantities
from tests.unit.translate.books import order, raw_item

UNITS = st.decimals(min_value=0, max_value=1000, places=3)


def line(line_id: int, quantity: Decimal | int, product_id: int = 7) -> OdooLine:
    return OdooLine(id=line_id, product_id=product_id, name="x", quantity=Decimal(quantity))


def kept(*quantities: int) -> dict[str, list[dict[str, object]]]:
    parts = [{"line": f"{n}", "quantity": str(q), "line_id": n} for n, q in enumerate(quantities, 1)]
    return {"1": parts}


@given(now=st.lists(UNITS, min_size=1, max_size=3), cancelled=UNITS, more=UNITS)
def test_what_was_cancelled_is_agreed_and_what_is_cancelled_later_is_taken_from_it(now, cancelled, more):
    lines = [line(number, quantity) for number, quantity in enumerate(now, 1)]
    items = agreed_items(kept(*[5] * len(now)), order(), lines, cancelled={1: cancelled}, products={})
    quantities = [Decimal(str(part["quantity"])) for part in items["1"]]
    assert reduced_quantities(quantities, cancelled) == now
    left = reduced_quantities(quantities, cancelled + more)
    assert sum(left) == max(Decimal(0), sum(now) - more)
    # Whoever agrees once more, to the same, agrees to the same.
    assert agreed_items(items, order(), lines, cancelled={1: cancelled}, products={}) == items


def test_lines_that_are_gone_on_either_side_belong_to_nobody():
    items = agreed_items(kept(5, 3), order(), [line(1, 5)], cancelled={}, products={})
    assert [part["line_id"] for part in items["1"]] == [1]
    items = agreed_items({**kept(5), "99": []}, order(), [line(1, 5)], cancelled={}, products={})
    assert list(items) == ["1"]


def test_a_new_line_is_that_of_its_product_where_there_is_only_one():
    raw = order(raw_item(), raw_item(item_id=2))
    lines = [line(1, 5), line(8, 2), line(9, 4, product_id=70)]

    def of_the_new(products: dict[int, int], *more: OdooLine) -> list[object]:
        items = agreed_items(kept(5), raw, [*lines, *more], cancelled={2: Decimal(1)}, products=products)
        return [(part["line_id"], part["quantity"]) for part in items["2"]]

    assert of_the_new({2: 70}) == [(9, "5")]
    assert of_the_new({2: 71}) == of_the_new({}) == []
    # Line 1 has the product as well, and belongs to another line of Magento.
    assert of_the_new({2: 7}) == [(8, "3")]
    assert of_the_new({2: 70}, line(10, 1, product_id=70)) == []


def test_changed_lines_are_told_against_what_is_left_of_them():
    changes = line_changes(kept(5, 3, 2), [line(1, 4), line(2, 3)], {1: Decimal(4), 77: Decimal(1)})
    assert [(one.line_id, one.was, one.now) for one in changes] == [(3, 2, None)]
    changes = line_changes(kept(5), [line(1, 6)], {})
    assert [(one.was, one.now) for one in changes] == [(5, 6)]

"""RULES 3: every row of the table, every rule below it, and what servers showed before and after the push."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.errors import InvalidRecord
from bridge.translate.stock import (
    MagentoRow,
    OdooMoves,
    SoldLine,
    StockRules,
    checked_quantity,
    figure,
    push,
    safety_for,
)

RECORDED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "recordings" / "stock" / "odoo.json").read_text(encoding="utf-8")
)
FIELDS = ("qty_available", "free_qty", "virtual_available")
#: situation, Odoo's fields, (R, X, (D of each field)) of each line, safety, Q, salable: the table of RULES 3.
TABLE = [
    ("placed or not imported", "10/10/10", [(3, 0, "0/0/0")], 0, "10/10/10", "7/7/7"),
    ("confirmed, nothing reserved", "10/10/7", [(3, 0, "0/0/3")], 0, "10/10/10", "7/7/7"),
    ("confirmed, reserved", "10/7/7", [(3, 0, "0/3/3")], 0, "10/10/10", "7/7/7"),
    ("1 delivered, not exported", "9/7/7", [(3, 0, "1/3/3")], 0, "10/10/10", "7/7/7"),
    ("that shipment exported", "9/7/7", [(2, 1, "1/3/3")], 0, "9/9/9", "7/7/7"),
    ("3 delivered, export blocked", "7/7/7", [(3, 0, "3/3/3")], 0, "10/10/10", "7/7/7"),
    ("3 delivered and exported", "7/7/7", [(0, 3, "3/3/3")], 0, "7/7/7", "7/7/7"),
    ("3 shipped in Magento, Odoo only reserved", "10/7/7", [(0, 3, "0/3/3")], 0, "7/7/7", "7/7/7"),
    ("cancelled in Magento, Odoo still open", "10/7/7", [(0, 0, "0/3/3")], 0, "10/7/7", "10/7/7"),
    ("cancelled in both", "10/10/10", [(0, 0, "0/0/0")], 0, "10/10/10", "10/10/10"),
    ("refunded unshipped, not restocked", "10/10/10", [(0, 0, "0/0/0")], 0, "10/10/10", "10/10/10"),
    ("refunded after shipping, goods not back", "7/7/7", [(0, 3, "3/3/3")], 0, "7/7/7", "7/7/7"),
    ("goods received back in Odoo", "10/10/10", [(0, 3, "3/3/3")], 0, "10/10/10", "10/10/10"),
    (
        "orders of 2 and 5, 2 delivered and exported",
        "8/5/5",
        [(2, 0, "0/0/0"), (3, 2, "2/5/5")],
        0,
        "8/8/8",
        "3/3/3",
    ),
    (
        "orders of 2 reserved and 5, 3 delivered, 1 exported",
        "7/3/3",
        [(2, 0, "0/2/2"), (4, 1, "3/5/5")],
        0,
        "9/9/9",
        "3/3/3",
    ),
    ("1 refunded before 2 were shipped", "10/7/7", [(-1, 3, "0/3/3")], 0, "6/6/6", "7/7/7"),
    ("safety 5, not imported", "10/10/10", [(3, 0, "0/0/0")], 5, "5/5/5", "2/2/2"),
    ("safety 5, reserved", "10/7/7", [(3, 0, "0/3/3")], 5, "5/5/5", "2/2/2"),
    ("safety 5, 3 delivered, not exported", "7/7/7", [(3, 0, "3/3/3")], 5, "5/5/5", "2/2/2"),
    ("safety 5, order of 8 reserved", "10/2/2", [(8, 0, "0/8/8")], 5, "5/8/8", "-3/0/0"),
    ("safety 5, order of 8 delivered, then shipped", "2/2/2", [(8, 0, "8/8/8")], 5, "8/8/8", "0/0/0"),
]


def numbers(text: str) -> list[Decimal]:
    return [Decimal(one) for one in text.split("/")]


def a_line(open_units: object, shipped: object, lacking: object, **values: Any) -> SoldLine:
    return SoldLine(
        order="000000042",
        open=Decimal(str(open_units)),
        shipped=Decimal(str(shipped)),
        lacking=Decimal(str(lacking)),
        **values,
    )


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_every_row_of_the_table_rules_3(row):
    _, odoo, lines, safety, quantities, salable = row
    for at, field in enumerate(FIELDS):
        rules = StockRules(field=field, safety=Decimal(safety))  # type: ignore[arg-type]
        sold = [a_line(open_units, shipped, numbers(lacking)[at]) for open_units, shipped, lacking in lines]
        found = figure(numbers(odoo)[at], sold, rules)
        assert (found.quantity, found.salable()) == (numbers(quantities)[at], numbers(salable)[at]), field


@pytest.mark.parametrize(
    "name", [one for one in RECORDED if "-stock-" in one and "lines" in RECORDED[one]["figures"]]
)
def test_what_servers_were_pushed_and_sold_then(name):
    figures = RECORDED[name]["figures"]
    for field in FIELDS:
        lines = [a_line(one["R"], one["X"], one["D"][field]) for one in figures["lines"]]
        rules = StockRules(field=field, safety=Decimal(figures["safety"]))  # type: ignore[arg-type]
        found = figure(Decimal(str(figures["odoo"][field])), lines, rules)
        assert found.quantity == Decimal(str(figures["pushed_Q"][field])), field
        # Magento shows no negative figure without back-orders.
        assert max(found.salable(), Decimal(0)) == Decimal(str(figures["salable_after_push"][field])), field


def test_the_recordings_are_all_looked_at():
    assert sum("lines" in one["figures"] for one in RECORDED.values()) == 42


@pytest.mark.parametrize("done", range(4))
@pytest.mark.parametrize("exported", range(4))
def test_the_salable_quantity_is_right_whatever_was_delivered_and_shipped_rules_3_1(done: int, exported: int):
    """10 on hand, an order of 3: 7 are for sale at every moment, and what was delivered can still be shipped."""
    for field in FIELDS:
        moves = OdooMoves(delivered=Decimal(done), reserved=Decimal(3 - done), planned=Decimal(3 - done))
        on_hand = Decimal(10 - done)
        odoo = on_hand if field == "qty_available" else Decimal(7)
        sold = a_line(3 - exported, exported, moves.lacking(field))  # type: ignore[arg-type]
        found = figure(odoo, [sold], StockRules(field=field))  # type: ignore[arg-type]
        assert found.salable() == 7
        assert found.quantity >= max(0, done - exported)


def test_twelve_in_odoo_and_a_safety_stock_of_five_push_seven_rules_3_2():
    for field in FIELDS:
        rules = StockRules(field=field, safety=Decimal(5))  # type: ignore[arg-type]
        assert figure(Decimal(12), [], rules).quantity == 7


def test_the_plain_formula_knows_no_orders_rules_3_2():
    rules = StockRules(formula="plain", safety=Decimal(5))
    sold = [a_line(3, 0, 3), a_line(0, 4, 0)]
    assert figure(Decimal(7), sold, rules).quantity == 2
    assert figure(Decimal(3), sold, rules).quantity == 0


@pytest.mark.parametrize(
    ("has", "was_on", "status", "is_change", "is_kept_off"),
    [
        (None, False, 1, True, False),
        (("7", 1), True, 1, False, False),
        (("7.0000", 1), True, 1, False, False),
        (("6", 1), True, 1, True, False),
        (("7", 0), False, 1, True, False),
        (("7", 0), True, 0, False, True),
        (("6", 0), True, 0, True, True),
    ],
)
def test_status_is_1_unless_a_person_switched_off_what_the_bridge_had_on_rules_3_3(
    has, was_on, status, is_change, is_kept_off
):
    row = None if has is None else MagentoRow(sku="Sim-01", quantity=Decimal(has[0]), status=has[1])
    found = push("SIM-01", Decimal(7), has=row, was_on=was_on)
    assert (found.status, found.is_change, found.is_kept_off) == (status, is_change, is_kept_off)
    # As Magento spells it: it takes any case for the same row.
    assert found.sku == ("SIM-01" if has is None else "Sim-01")


def test_a_quantity_of_nothing_is_sent_with_status_1_rules_3_3():
    found = push(
        "SIM-01", Decimal(0), has=MagentoRow(sku="SIM-01", quantity=Decimal(4), status=1), was_on=True
    )
    assert (found.quantity, found.status) == (0, 1)


@pytest.mark.parametrize("name", [one for one in RECORDED if "shared-source" in one])
def test_a_source_that_two_stocks_share_offers_too_much_in_none_rules_3_4(name):
    figures = RECORDED[name]["figures"]
    for at, variant in enumerate(figures["variants"]):
        assert variant["field"] == FIELDS[at]
        rules = StockRules(field=FIELDS[at], stock_ids=(1, 2))  # type: ignore[arg-type]
        sold = a_line(figures["R"], figures["X"], figures["D"][at], stock_id=1)
        found = figure(Decimal(str(figures["odoo"][at])), [sold], rules)
        expected = variant["- sum U + min of sum R"]
        assert found.quantity == Decimal(str(expected["Q"]))
        assert found.salable(1) == expected["salable_stock_of_the_order"]
        assert found.salable(2) == expected["salable_other_stock"]


def test_two_skus_of_one_odoo_product_do_not_sell_the_same_unit_twice():
    other = a_line(3, 0, 0, is_own=False)
    found = figure(Decimal(10), [other], StockRules())
    assert (found.quantity, found.salable()) == (7, 7)


def test_two_sources_of_one_stock_count_a_line_once_rules_3_4():
    steps = RECORDED["odoo/18/rules/064-stock-two-sources-shipped-from-the-other"]["figures"]
    for step in steps.values():
        for at, field in enumerate(FIELDS):
            sold = [a_line(step["R"], step["X"], step["D"][at])]
            rules = StockRules(field=field)  # type: ignore[arg-type]
            berlin = figure(Decimal(str(step["fields"]["w1"][at])), [], rules)
            munich = figure(Decimal(str(step["fields"]["w2"][at])), sold, rules)
            expected = step["pushed"][field]
            assert berlin.quantity == Decimal(str(expected["Q_berlin"]))
            assert munich.quantity == Decimal(str(expected["Q_munich"]))
            assert berlin.quantity + munich.salable() == expected["salable"]


def test_without_reservations_magento_holds_nothing_back_itself():
    rules = StockRules(has_reservations=False)
    unseen = figure(Decimal(10), [a_line(3, 0, 0)], rules)
    assert (unseen.quantity, unseen.salable()) == (7, 7)
    reserved = figure(Decimal(7), [a_line(3, 0, 3)], rules)
    assert (reserved.quantity, reserved.salable()) == (7, 7)


def test_magentos_own_threshold_is_taken_off_once_more_rules_3_6():
    found = figure(Decimal(12), [], StockRules(safety=Decimal(5)))
    assert (found.salable(threshold=Decimal(2)), found.lost_to_safety) == (5, 5)


@pytest.mark.parametrize(
    ("field", "lacking"), [("qty_available", 1), ("free_qty", 3), ("virtual_available", 4)]
)
def test_what_each_field_lacks(field, lacking):
    moves = OdooMoves(delivered=Decimal(1), reserved=Decimal(2), planned=Decimal(3))
    assert moves.lacking(field) == lacking


def test_every_term_has_a_name():
    data = figure(
        Decimal(7), [a_line(3, 0, 1)], StockRules(safety=Decimal(2), safety_from="category")
    ).as_data()
    assert data == {
        "formula": "reservation_aware",
        "field": "free_qty",
        "odoo": "7",
        "safety_stock": "2",
        "safety_stock_from": "category",
        "available": "5",
        "reserved_in_magento": "3",
        "unknown_to_odoo": "2",
        "target": "6",
        "lines": [
            {
                "order": "000000042",
                "open": "3",
                "shipped": "0",
                "odoo_lacks": "1",
                "unknown_to_odoo": "2",
                "stock": None,
            }
        ],
    }


def test_the_nearest_safety_stock_holds():
    overrides = {
        ("source", "berlin"): Decimal(3),
        ("category", "9"): Decimal(4),
        ("category", "7"): Decimal(6),
        ("product", "SIM-01"): Decimal(0),
    }

    def found(
        source: str = "berlin", product: str = "SIM-02", categories: tuple[str, ...] = ()
    ) -> tuple[Any, str]:
        one = safety_for(overrides, default=Decimal(1), source=source, product=product, categories=categories)
        return one.quantity, one.where

    assert found(product="SIM-01", categories=("9", "7")) == (0, "product")
    assert found(categories=("9", "7")) == (4, "category")
    assert found(categories=("8", "7")) == (6, "category")
    assert found(categories=("8",)) == (3, "source")
    assert found(source="munich") == (1, "instance")


@pytest.mark.parametrize(
    ("value", "quantity"),
    [(7, "7"), (Decimal("6.999999999997"), "7"), (Decimal("-3.5"), "-3.5"), (Decimal("0.12345"), "0.1235")],
)
def test_odoos_sums_become_exact_quantities(value, quantity):
    assert checked_quantity(value, sku="SIM-01") == Decimal(quantity)


@pytest.mark.parametrize(
    "value", [Decimal("NaN"), Decimal("Infinity"), Decimal("1e12"), -(10**12), 7.0, True, "7", None]
)
def test_what_magento_could_not_keep_is_refused_before_it_is_sent(value):
    with pytest.raises(InvalidRecord) as raised:
        checked_quantity(value, sku="SIM-01")
    assert raised.value.details["sku"] == "SIM-01"


QUANTITIES = st.decimals(min_value=-1000, max_value=1000, places=4)
COUNTS = st.decimals(min_value=0, max_value=50, places=2)


@given(
    odoo=QUANTITIES,
    safety=COUNTS,
    lines=st.lists(st.tuples(st.decimals(min_value=-5, max_value=50, places=2), COUNTS, COUNTS), max_size=6),
    formula=st.sampled_from(["reservation_aware", "plain"]),
    stock_ids=st.sampled_from([(), (1,), (1, 2)]),
    has_reservations=st.booleans(),
)
@example(odoo=Decimal(-3), safety=Decimal(0), lines=[], formula="plain", stock_ids=(), has_reservations=True)
def test_a_figure_is_never_negative_and_never_a_float(
    odoo, safety, lines, formula, stock_ids, has_reservations
):
    rules = StockRules(formula=formula, safety=safety, stock_ids=stock_ids, has_reservations=has_reservations)
    sold = [a_line(r, x, d, stock_id=1 + at % 2) for at, (r, x, d) in enumerate(lines)]
    found = figure(odoo, sold, rules)
    assert found.quantity >= 0
    assert all(
        type(one) is Decimal for one in (found.quantity, found.available, found.reserved, found.unknown)
    )
    if not lines:
        assert found.quantity == max(0, odoo - safety)


@given(
    on_hand=st.integers(0, 40),
    units=st.lists(st.integers(1, 9), max_size=5),
    data=st.data(),
)
def test_no_order_of_effects_sells_a_unit_twice_rules_3_1(on_hand: int, units: list[int], data: Any):
    """Salable is what is there less what was sold and is not out yet, unless more was sold than there is."""
    lines, out, reserved = [], 0, 0
    for ordered in units:
        done = data.draw(st.integers(0, ordered))
        shipped = data.draw(st.integers(0, ordered))
        held = data.draw(st.integers(0, ordered - done))
        lines.append(a_line(ordered - shipped, shipped, done + held))
        out, reserved = out + done, reserved + held
    left = Decimal(on_hand - out - reserved)
    found = figure(left, lines, StockRules())
    sold = Decimal(sum(units)) - out - reserved
    if left - sold >= 0:
        assert found.salable() == left - sold
    assert found.salable() <= max(left - sold, Decimal(0)) or found.quantity == 0

"""Unit prices at Odoo's precision and lines cut in pieces: the corners that whole orders seldom reach."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.errors import TotalDiffers
from bridge.translate.drafts import Draft
from bridge.translate.magento_order import parse_order
from bridge.translate.odoo_totals import OdooProfile, OdooTax, PricedLine
from bridge.translate.order_plan import translate_order
from bridge.translate.prices import Piece, pieces_amount, price_pieces
from bridge.translate.targets import TaxTarget, whole_cents
from bridge.translate.tax_pairs import tax_pairs
from tests.unit.translate.books import PROFILE, book, raw_item, raw_order

TWO = OdooProfile(major=18, price_digits=2)
TWO_GLOBAL = OdooProfile(major=18, price_digits=2, rounding_method="round_globally")


def pieces(quantity, row, unit, profile=TWO):
    found = price_pieces(Decimal(quantity), Decimal(row), Decimal(unit), profile)
    return [(str(piece.quantity), str(piece.price_unit)) for piece in found]


def bulk(quantity, *, price=1, rate=19, unit_tax="0.19"):
    """Return an order of many units whose tax Magento rounded per unit."""
    net, tax = price * quantity, Decimal(unit_tax) * quantity
    item = raw_item(
        qty_ordered=quantity, price=price, price_incl_tax=price + Decimal(unit_tax), row_total=net,
        row_total_incl_tax=net + tax, tax_amount=tax, tax_percent=rate,
        extension_attributes={"itemized_taxes": [{"tax_code": "T", "tax_percent": rate, "amount": tax}]},
    )  # fmt: skip
    applied = {"applied_taxes": [{"code": "T", "percent": rate, "amount": tax}]}
    return parse_order(
        raw_order(item, subtotal=net, tax_amount=tax, grand_total=net + tax, extension_attributes=applied)
    )


def test_magentos_own_price_is_kept_where_it_gives_the_row():
    assert pieces(3, "99.99", "33.33") == [("3", "33.33")]


def test_else_row_by_quantity_at_the_precision_there_is():
    assert pieces(2, "0.09", "0.05", PROFILE) == [("2", "0.045000")]


def test_a_price_finer_than_odoos_is_not_sent():
    assert pieces(2, "20.01", "10.005") == [("1", "10.00"), ("1", "10.01")]


def test_nothing_ordered_costs_nothing():
    assert pieces(0, "0", "9.99") == [("0", "9.99")]


def test_a_single_unit_is_its_row():
    assert pieces(1, "9.99", "10.00") == [("1", "9.99")]


def test_a_broken_quantity_below_one_takes_the_nearest_price():
    assert pieces("0.3", "1.00", "3.33") == [("0.3", "3.33")]


def test_a_broken_quantity_is_all_but_one_and_one():
    assert pieces("2.5", "2.52", "1.01", TWO_GLOBAL) == [("1.5", "1.00"), ("1", "1.02")]


def test_a_currency_finer_than_the_prices_takes_the_nearest_price():
    dinar = OdooProfile(major=18, price_digits=2, currency_digits=3)
    assert pieces(3, "10.001", "3.334", dinar) == [("3", "3.33")]


def test_a_row_of_many_units_is_met_over_the_order_too():
    found = price_pieces(Decimal(7), Decimal("10.00"), Decimal("1.43"), TWO_GLOBAL)
    assert pieces_amount(found, 2) == 10
    assert sum(piece.quantity * piece.price_unit for piece in found) == 10


def test_where_no_price_for_the_rest_gives_whole_cents_the_nearest_is_taken():
    three = OdooProfile(major=18, price_digits=2, rounding_method="round_globally", quantity_digits=6)
    (piece,) = price_pieces(Decimal("2.000001"), Decimal("2.01"), Decimal(1), three)
    assert piece == Piece(quantity=Decimal("2.000001"), price_unit=Decimal("1.00"))


def test_many_units_are_only_cut_in_two():
    # 30 x 1.39 at 19 %: 7.92 in one line; Magento took 7.93.
    order = parse_order(_with_tax(bulk(30, price=Decimal("1.39"), unit_tax="0.26"), Decimal("7.93")))
    plan = translate_order(order, book(order))
    assert plan.predicted.tax == Decimal("7.93")
    assert len(plan.order_items[1]) == 2
    assert len({line.price_unit for line in plan.lines}) == 1


def _with_tax(order, tax):
    net = order.subtotal
    item = raw_item(
        qty_ordered=order.items[0].qty_ordered, price=order.items[0].price, price_incl_tax=order.items[0].price_incl_tax,
        row_total=net, row_total_incl_tax=net + tax, tax_amount=tax,
        extension_attributes={"itemized_taxes": [{"tax_code": "T", "tax_percent": 19, "amount": tax}]},
    )  # fmt: skip
    applied = {"applied_taxes": [{"code": "T", "percent": 19, "amount": tax}]}
    return raw_order(item, subtotal=net, tax_amount=tax, grand_total=net + tax, extension_attributes=applied)


def test_more_cuts_than_a_person_wants_to_see_become_a_pair():
    items = [
        raw_item(
            number, qty_ordered=10, price=Decimal("7.77"), price_incl_tax=Decimal("9.25"), row_total=Decimal("77.70"),
            row_total_incl_tax=Decimal("92.50"), tax_amount=Decimal("14.80"),
            extension_attributes={"itemized_taxes": [{"tax_code": "T", "tax_percent": 19, "amount": Decimal("14.80")}]},
        )
        for number in range(1, 6)
    ]  # fmt: skip
    applied = {"applied_taxes": [{"code": "T", "percent": 19, "amount": 74}]}
    order = parse_order(
        raw_order(
            *items,
            subtotal=Decimal("388.50"),
            tax_amount=74,
            grand_total=Decimal("462.50"),
            extension_attributes=applied,
        )
    )
    plan = translate_order(order, book(order))
    assert len(plan.lines) == 7
    assert plan.predicted.total == order.grand_total
    # Without the product for the pair, cutting is all that helps.
    cut = translate_order(order, book(order, services={}))
    assert len(cut.lines) > 30
    assert cut.predicted.total == order.grand_total


def test_lines_beyond_the_fortieth_are_not_cut():
    items = [
        raw_item(
            number, qty_ordered=1 if number <= 40 else 7, price=Decimal("7.77"), price_incl_tax=Decimal("9.25"),
            row_total=Decimal("7.77") * (1 if number <= 40 else 7),
            row_total_incl_tax=Decimal("9.25") * (1 if number <= 40 else 7),
            tax_amount=Decimal("1.48") * (1 if number <= 40 else 7),
            extension_attributes={
                "itemized_taxes": [{"tax_code": "T", "tax_percent": 19, "amount": Decimal("1.48") * (1 if number <= 40 else 7)}]
            },
        )
        for number in range(1, 42)
    ]  # fmt: skip
    tax = Decimal("1.48") * 47
    net = Decimal("7.77") * 47
    applied = {"applied_taxes": [{"code": "T", "percent": 19, "amount": tax}]}
    order = parse_order(
        raw_order(*items, subtotal=net, tax_amount=tax, grand_total=net + tax, extension_attributes=applied)
    )
    plan = translate_order(order, book(order))
    assert len(plan.order_items[41]) == 1
    assert "tax_rounding" in plan.flags
    assert plan.predicted.total == order.grand_total


def test_a_pair_needs_a_rate():
    target = TaxTarget(keys=frozenset({"T|0"}), tax_ids=frozenset({1}), amount=Decimal("0.01"))
    taxes = {1: OdooTax(id=1, amount=Decimal(0))}
    lines = [PricedLine(quantity=Decimal(1), price_unit=Decimal(10), tax_ids=(1,))]
    assert tax_pairs(lines, taxes, [target], PROFILE, limits={target: Decimal(1)}) == []


def test_a_rate_over_all_bounds_finds_no_pair():
    # At 900 % a cent of base is nine cents of tax: one cent cannot be met.
    target = TaxTarget(keys=frozenset({"T|900"}), tax_ids=frozenset({1}), amount=Decimal("90.01"))
    taxes = {1: OdooTax(id=1, amount=Decimal(900))}
    lines = [PricedLine(quantity=Decimal(1), price_unit=Decimal(10), tax_ids=(1,))]
    assert tax_pairs(lines, taxes, [target], PROFILE, limits={target: Decimal(1)}) == []


def test_a_thousand_units_rounded_per_unit_beyond_the_adjusting_bound_block():
    order = bulk(2000, price=Decimal("0.53"), unit_tax="0.10")
    with pytest.raises(TotalDiffers):
        translate_order(order, book(order))


def test_several_broken_rows_share_what_the_grand_total_was_rounded_by():
    def row(key, amount):
        return Draft(
            key=key,
            role="product",
            product_id=1,
            name=key,
            quantity=Decimal(1),
            row=Decimal(amount),
            unit=Decimal(0),
        )

    drafts = [row("a", "1.005"), row("b", "5.00"), row("c", "2.125"), row("d", "3.335")]
    exact = whole_cents(drafts, total=Decimal("11.47"), digits=2)
    assert sum(draft.row for draft in exact) == Decimal("11.47")
    one_less = whole_cents(drafts, total=Decimal("11.46"), digits=2)
    assert [draft.row for draft in one_less] == [
        Decimal("1.00"),
        Decimal("5.00"),
        Decimal("2.12"),
        Decimal("3.34"),
    ]


def test_whole_rows_are_never_changed_to_meet_a_total():
    whole = Draft(
        key="a",
        role="product",
        product_id=1,
        name="a",
        quantity=Decimal(1),
        row=Decimal("5.00"),
        unit=Decimal(5),
    )
    assert whole_cents([whole], total=Decimal("5.01"), digits=2) == [whole]

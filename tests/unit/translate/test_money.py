"""Exact money: nothing is lost by splitting, rounding or writing down, and nothing is ever a float."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import TotalDiffers
from bridge.translate.magento_order import parse_order
from bridge.translate.money import amount, plain, quotient, round_to
from bridge.translate.odoo_totals import OdooProfile, OdooTax, PricedLine, order_totals
from bridge.translate.order_diff import diff_order
from bridge.translate.order_plan import translate_order
from bridge.translate.prices import pieces_amount, price_pieces
from tests.unit.translate.books import book, raw_item, raw_order

positive = st.decimals(min_value=Decimal("0.01"), max_value=10**5, places=2)


@pytest.mark.parametrize(
    ("value", "digits", "rounded"),
    [
        ("0.005", 2, "0.01"),
        ("-0.005", 2, "-0.01"),
        ("2.675", 2, "2.68"),
        ("1.4999", 0, "1"),
        ("-0.004", 2, "0.00"),
    ],
)
def test_halves_go_away_from_zero(value, digits, rounded):
    assert str(round_to(Decimal(value), digits)) == rounded


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1E+3", "1000"),
        ("0.0450", "0.045"),
        ("-0.00", "0"),
        ("12", "12"),
        ("1E-8", "0.00000001"),
        ("100", "100"),
    ],
)
def test_decimals_are_written_plainly(value, text):
    assert plain(Decimal(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
def test_plain_text_is_the_same_number_again(value):
    assert Decimal(plain(value)) == value
    assert "e" not in plain(value).lower()


def test_amounts_show_cents_and_more_where_there_is_more():
    assert amount(Decimal(5)) == "5.00"
    assert amount(Decimal("38.235")) == "38.235"


@given(
    st.integers(1, 500),
    positive,
    st.sampled_from([16, 18, 19]),
    st.sampled_from([2, 4, 6]),
    st.sampled_from(["round_per_line", "round_globally"]),
)
def test_every_row_of_whole_units_comes_out_to_the_cent(quantity, row, version, digits, method):
    profile = OdooProfile(major=version, price_digits=digits, rounding_method=method)
    count = Decimal(quantity)
    pieces = price_pieces(count, row, round_to(quotient(row, count), 2), profile)
    assert pieces_amount(pieces, 2) == row
    assert sum(piece.quantity for piece in pieces) == count
    assert all(
        round_to(piece.price_unit, profile.usable_price_digits) == piece.price_unit for piece in pieces
    )


@given(st.decimals(min_value=Decimal("1.01"), max_value=100, places=2), positive, st.sampled_from([2, 6]))
def test_every_row_of_a_broken_quantity_comes_out_to_the_cent(quantity, row, digits):
    profile = OdooProfile(major=18, price_digits=digits)
    pieces = price_pieces(quantity, row, row, profile)
    assert pieces_amount(pieces, 2) == row
    assert sum(piece.quantity for piece in pieces) == quantity


lines = st.lists(
    st.builds(
        PricedLine,
        quantity=st.decimals(min_value=0, max_value=50, places=2),
        price_unit=st.decimals(min_value=-100, max_value=100, places=4),
        tax_ids=st.sampled_from([(), (1,), (2,), (1, 2)]),
    ),
    max_size=8,
)


@given(
    lines, st.booleans(), st.sampled_from([16, 18, 19]), st.sampled_from(["round_per_line", "round_globally"])
)
def test_untaxed_and_tax_are_always_the_total_in_whole_cents(rows, included, version, method):
    taxes = {
        n: OdooTax(id=n, amount=Decimal(rate), price_include=included) for n, rate in ((1, 19), (2, "4.875"))
    }
    totals = order_totals(rows, taxes, OdooProfile(major=version, rounding_method=method))
    assert totals.untaxed + totals.tax == totals.total
    assert sum(totals.taxes.values()) == totals.tax
    for figure in (totals.untaxed, totals.tax, totals.total):
        assert isinstance(figure, Decimal)
        assert round_to(figure, 2) == figure


@given(lines, st.sampled_from([16, 18, 19]))
def test_without_taxes_inside_or_on_top_is_the_same(rows, version):
    bare = [PricedLine(quantity=row.quantity, price_unit=row.price_unit) for row in rows]
    assert order_totals(bare, {}, OdooProfile(major=version)).tax == 0


@st.composite
def shop_orders(draw):
    """Orders as a shop makes them: tax rounded per unit, per row or on the total, with a discount here and there."""
    how = draw(st.sampled_from(["unit", "row", "total"]))
    rate = draw(st.sampled_from([7, 19, 21, Decimal("8.375")]))
    items, carried = [], Decimal(0)
    for number in range(1, draw(st.integers(1, 4)) + 1):
        quantity = Decimal(draw(st.integers(1, 9)))
        price = draw(st.decimals(min_value=Decimal("0.50"), max_value=200, places=2))
        off = round_to(price * quantity * draw(st.sampled_from([0, 0, 10, 25])) / 100, 2)
        net = price * quantity - off
        if how == "unit":
            tax = round_to(net / quantity * rate / 100, 2) * quantity
        elif how == "row":
            tax = round_to(net * rate / 100, 2)
        else:
            exact = net * rate / 100 + carried
            tax = round_to(exact, 2)
            carried = exact - tax
        items.append(
            raw_item(
                number, qty_ordered=quantity, price=price, price_incl_tax=round_to(price * (100 + rate) / 100, 2),
                row_total=net, row_total_incl_tax=net + tax, tax_amount=tax, tax_percent=rate, discount_amount=off,
                extension_attributes={"itemized_taxes": [{"tax_code": "T", "tax_percent": rate, "amount": tax}]},
            )
        )  # fmt: skip
    tax = sum(item["tax_amount"] for item in items)
    off = sum(item["discount_amount"] for item in items)
    subtotal = sum(item["price"] * item["qty_ordered"] for item in items)
    return raw_order(
        *items, subtotal=subtotal, discount_amount=-off, tax_amount=tax, grand_total=subtotal - off + tax,
        extension_attributes={"applied_taxes": [{"code": "T", "percent": rate, "amount": tax}]},
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    shop_orders(),
    st.sampled_from([16, 18, 19]),
    st.sampled_from([2, 6]),
    st.sampled_from(["round_per_line", "round_globally"]),
    st.booleans(),
)
def test_every_shops_order_has_its_total_and_its_tax_in_odoo(raw, version, digits, method, included):
    order = parse_order(raw)
    assert diff_order(order, parse_order(raw)).is_empty
    profile = OdooProfile(major=version, price_digits=digits, rounding_method=method)
    try:
        plan = translate_order(order, book(order, profile=profile, included=included))
    except TotalDiffers as error:
        raise AssertionError(f"{error} {raw}") from error
    assert plan.predicted.total == order.grand_total
    assert plan.predicted.tax == order.tax_amount

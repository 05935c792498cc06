"""The sandbox's Odoo computes order totals as the recorded servers did, to the cent."""

from __future__ import annotations

import json

import pytest

from bridge.sandbox.odoo import OdooState
from bridge.sandbox.odoo.amounts import PricedLine, Rounding, Tax, line_amounts, order_amounts, round_float
from tests.support.odoo_replay import recorded_files

TOP = Tax(1, 21.0, price_include=False)
INSIDE = Tax(2, 21.0, price_include=True)


def recorded_orders(version):
    (file,) = recorded_files(version, "rules", like="onchange-against-load-many")
    return json.loads(file.read_text(encoding="utf-8"))["figures"]


def total(version, per_line, lines):
    amounts = order_amounts(lines, Rounding(version, per_line))
    return [round(amounts.untaxed, 2), round(amounts.tax, 2), round(amounts.total, 2)]


@pytest.mark.parametrize("version", [16, 18, 19])
@pytest.mark.parametrize("number", range(40))
def test_every_recorded_random_order_has_the_recorded_total(version, number):
    figures = recorded_orders(version)[number]
    tax = INSIDE if figures["included"] else TOP
    lines = [
        PricedLine(
            quantity, round_float(price, 2) if version == 18 else price, discount, (tax,) if taxed else ()
        )
        for quantity, price, taxed, discount in figures["lines"]
    ]
    assert total(version, version != 19, lines) == figures["stored"]


@pytest.mark.parametrize("version", [16, 18, 19])
@pytest.mark.parametrize("number", [0, 3, 17, 39])
def test_a_loaded_order_stores_the_recorded_total(version, number):
    figures = recorded_orders(version)[number]
    state = OdooState(version)
    product = state.seed_products(["A"])["A"]
    tax = state.create(
        "account.tax", {"name": "21", "amount": 21.0, **included(version, figures["included"])}
    )
    field = state.dialect.tax_field
    lines = [
        [
            0,
            0,
            {
                "product_id": product,
                "product_uom_qty": quantity,
                "price_unit": price,
                "discount": discount,
                field: [[6, 0, [tax] if taxed else []]],
            },
        ]
        for quantity, price, taxed, discount in figures["lines"]
    ]
    partner = state.create("res.partner", {"name": "Ada"})
    pricelist = state.find("product.pricelist", name=f"Web {figures['currency']}")
    state.create("sale.order", {"partner_id": partner, "pricelist_id": pricelist, "order_line": lines})
    (order,) = state.records("sale.order")
    assert [order["amount_untaxed"], order["amount_tax"], order["amount_total"]] == figures["stored"]


def included(version, is_inside):
    if version == 16:
        return {"price_include": is_inside}
    return {"price_include_override": "tax_included" if is_inside else "tax_excluded"}


# FACTS 6: 5 x 0.333 and 3 x 1.005 in a line of each unit and one of three, 21 % on top; 7 x 9.99, 21 % inside.
ON_TOP = [(1, 0.333)] * 5 + [(3, 1.005)]
IN_PRICE = [(1, 9.99)] * 7


@pytest.mark.parametrize(
    ("version", "per_line", "prices", "tax", "expected"),
    [
        (16, True, ON_TOP, TOP, [4.67, 0.98, 5.65]),
        (16, False, ON_TOP, TOP, [4.67, 0.98, 5.65]),
        (18, True, ON_TOP, TOP, [4.68, 0.99, 5.67]),
        (18, False, ON_TOP, TOP, [4.68, 0.98, 5.66]),
        (19, True, ON_TOP, TOP, [4.67, 0.98, 5.65]),
        (19, False, ON_TOP, TOP, [4.68, 0.98, 5.66]),
        (16, True, IN_PRICE, INSIDE, [57.82, 12.11, 69.93]),
        (16, False, IN_PRICE, INSIDE, [57.82, 12.11, 69.93]),
        (18, True, IN_PRICE, INSIDE, [57.82, 12.11, 69.93]),
        (18, False, IN_PRICE, INSIDE, [57.79, 12.14, 69.93]),
        (19, True, IN_PRICE, INSIDE, [57.82, 12.11, 69.93]),
        (19, False, IN_PRICE, INSIDE, [57.79, 12.14, 69.93]),
    ],
)
def test_the_table_of_rounding_methods_holds(version, per_line, prices, tax, expected):
    lines = [
        PricedLine(quantity, round_float(price, 2) if version == 18 else price, 0, (tax,))
        for quantity, price in prices
    ]
    assert total(version, per_line, lines) == expected


@pytest.mark.parametrize("version", [16, 18, 19])
def test_a_tax_on_top_and_one_inside_of_the_same_line_are_both_counted_on_the_net_price(version):
    # idempotency/load-order-two-taxes-read: 2 x 11.5 with both is 26.99.
    amounts = line_amounts(PricedLine(2, 11.5, 0, (TOP, INSIDE)), Rounding(version, per_line=True))
    assert round(amounts.total, 2) == 26.99


@pytest.mark.parametrize("version", [16, 18, 19])
def test_a_line_of_a_negative_price_mirrors_the_positive_one(version):
    how = Rounding(version, per_line=True)
    up = line_amounts(PricedLine(3, 8.26, 10, (TOP,)), how)
    down = line_amounts(PricedLine(3, -8.26, 10, (TOP,)), how)
    assert (down.subtotal, down.tax, down.total) == (-up.subtotal, pytest.approx(-up.tax), -up.total)


def test_16_keeps_the_noise_of_its_floats():
    how = Rounding(16, per_line=True)
    amounts = order_amounts([PricedLine(3, 8.26, 0, (TOP,)), PricedLine(1, 5.0, 0, ())], how)
    assert amounts.total == 34.980000000000004


@pytest.mark.parametrize(("value", "expected"), [(1.005, 1.01), (-1.005, -1.01), (2.675, 2.68), (0.0, 0.0)])
@pytest.mark.parametrize("version", [16, 18, 19])
def test_halves_are_rounded_away_from_zero_in_spite_of_their_floats(version, value, expected):
    assert round_float(value, 2, major=version) == pytest.approx(expected, abs=1e-12)

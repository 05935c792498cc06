"""Taxes through mappings (RULES 1.3), and what happens when totals part (RULES 1.4)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.errors import MappingMissing, MappingWrong, OrderUnclear, TotalDiffers
from bridge.translate.magento_order import parse_order
from bridge.translate.odoo_totals import OdooProfile, OdooTax
from bridge.translate.order_book import OrderRules
from bridge.translate.order_plan import needs, translate_order
from bridge.translate.order_rows import order_rows
from bridge.translate.total_policy import judge
from tests.unit.translate.books import book, order, raw_item, raw_order, recorded


def parsed(number):
    return parse_order(recorded(number))


def test_applied_taxes_are_asked_for_by_code_and_percent():
    assert needs(parsed(13)).taxes == (("tax", "DE-19|19"), ("tax", "DE-7|7"))
    assert needs(parsed(18)).taxes == (("tax", "US-NY-8.375|8.375"),)


def test_a_rate_whose_tax_rounds_to_0_is_missing_from_applied_taxes_and_maps_as_zero_tax():
    # orders/007: 0.05 at 7 % bears no tax, and no code stands anywhere in the order.
    assert ("zero_tax", "DE|novat|7") in needs(parsed(7)).taxes


def test_a_rate_that_rounds_to_0_on_one_line_takes_its_code_from_another():
    cheap = raw_item(
        2, price=Decimal("0.01"), price_incl_tax=Decimal("0.01"), row_total=Decimal("0.01"),
        row_total_incl_tax=Decimal("0.01"), tax_amount=0, extension_attributes={},
    )  # fmt: skip
    two = order(raw_item(1), cheap, subtotal=Decimal("10.01"), grand_total=Decimal("11.91"))
    assert needs(two).taxes == (("tax", "DE-19|19"),)


def test_export_intra_eu_and_exempt_are_told_by_country_vat_id_and_rate():
    # orders/020: a German VAT id, goods to France, a line at 0 %.
    assert ("zero_tax", "FR|vat|0") in needs(parsed(20)).taxes


def test_untaxed_shipping_has_a_key_of_its_own():
    assert ("zero_tax", "DE|novat|shipping") in needs(parsed(10)).taxes


def test_an_unmapped_tax_blocks_and_names_the_mapping_that_releases_it():
    one = order()
    with pytest.raises(MappingMissing) as caught:
        translate_order(one, book(one, taxes={}))
    assert caught.value.cause == "mapping:tax:DE-19|19"


def test_the_decision_no_tax_is_an_empty_cell_and_never_an_omission():
    free = parsed(20)
    plan = translate_order(free, book(free))
    columns, rows = order_rows(
        plan, external_id="m.o", line_external_id=str, partner_id=1, invoice_id=1, delivery_id=1,
        tax_field="tax_ids", protect_prices=False,
    )  # fmt: skip
    cells = [row[columns.index("order_line/tax_ids/.id")] for row in rows]
    untaxed = [line.tax_ids == () for line in plan.lines]
    assert any(untaxed)
    assert [cell == "" for cell in cells] == untaxed


def test_a_mapping_to_another_rate_is_refused():
    one = order()
    wrong = {("tax", "DE-19|19"): (OdooTax(id=1, amount=Decimal(7)),)}
    with pytest.raises(MappingWrong, match="taxes of 7 %") as refused:
        translate_order(one, book(one, taxes=wrong))
    assert refused.value.cause == "remapping:tax:DE-19|19"


def test_two_magento_taxes_may_be_one_odoo_tax_of_their_sum():
    both = [
        {"code": "STATE", "percent": 4, "amount": Decimal("0.40")},
        {"code": "CITY", "percent": Decimal("4.875"), "amount": Decimal("0.49")},
    ]
    item = raw_item(
        tax_amount=Decimal("0.89"), tax_percent=Decimal("8.875"), row_total_incl_tax=Decimal("10.89"),
        price_incl_tax=Decimal("10.89"), extension_attributes={},
    )  # fmt: skip
    extension = {
        "applied_taxes": both,
        "item_applied_taxes": [{"type": "product", "item_id": 1, "applied_taxes": both}],
    }
    one = parse_order(
        raw_order(
            item, tax_amount=Decimal("0.89"), grand_total=Decimal("10.89"), extension_attributes=extension
        )
    )
    together = OdooTax(id=5, amount=Decimal("8.875"))
    taxes = {("tax", "STATE|4"): (together,), ("tax", "CITY|4.875"): (together,)}
    plan = translate_order(one, book(one, taxes=taxes))
    assert plan.lines[0].tax_ids == (5,)
    assert plan.predicted.total == Decimal("10.89")
    apart = translate_order(one, book(one))
    assert len(apart.lines[0].tax_ids) == 2
    assert apart.predicted.total == Decimal("10.89")


def test_tax_that_belongs_to_no_named_tax_is_named():
    one = order(tax_amount=Decimal("2.90"), grand_total=Decimal("12.90"))
    with pytest.raises(OrderUnclear) as caught:
        translate_order(one, book(one))
    assert caught.value.details["component"] == "tax"
    assert caught.value.details["amount"] == "1.00"


RULES = OrderRules(order_total_tolerance=Decimal("0.02"), order_adjust_max=Decimal("1.00"))


@pytest.mark.parametrize(
    ("policy", "difference", "outcome", "adjustment"),
    [
        ("block", "0.00", "exact", "0"),
        ("block", "0.02", "tolerated", "0"),
        ("block", "-0.02", "tolerated", "0"),
        ("block", "0.03", None, None),
        ("warn", "0.02", "tolerated", "0"),
        ("warn", "500.00", "warned", "0"),
        ("adjust", "0.00", "exact", "0"),
        ("adjust", "0.01", "adjusted", "0.01"),
        ("adjust", "-1.00", "adjusted", "-1.00"),
        ("adjust", "1.01", None, None),
        ("adjust", "500.00", None, None),
    ],
)
def test_the_total_policy_rules_1_4(policy, difference, outcome, adjustment):
    from dataclasses import replace

    rules = replace(RULES, order_total_policy=policy)
    odoo = Decimal("100.00")
    arguments = {"magento": odoo + Decimal(difference), "odoo": odoo, "rules": rules, "increment_id": "1"}
    if outcome is None:
        with pytest.raises(TotalDiffers) as caught:
            judge(**arguments)
        assert Decimal(caught.value.details["difference"]) == Decimal(difference)
    else:
        verdict = judge(**arguments)
        assert verdict.outcome == outcome
        assert verdict.adjustment == Decimal(adjustment)


def odd_order():
    """An order whose tax no Odoo computes: 1.95 where 19 % of 10.00 is 1.90."""
    item = raw_item(
        tax_amount=Decimal("1.95"), row_total_incl_tax=Decimal("11.95"),
        extension_attributes={"itemized_taxes": [{"tax_code": "DE-19", "tax_percent": 19, "amount": Decimal("1.95")}]},
    )  # fmt: skip
    applied = {"applied_taxes": [{"code": "DE-19", "percent": 19, "amount": Decimal("1.95")}]}
    return parse_order(
        raw_order(
            item, tax_amount=Decimal("1.95"), grand_total=Decimal("11.95"), extension_attributes=applied
        )
    )


def test_more_than_rounding_is_not_balanced_and_blocks():
    odd = odd_order()
    with pytest.raises(TotalDiffers, match=r"11\.95 in Magento and would be 11\.90"):
        translate_order(odd, book(odd))


def test_adjust_adds_an_untaxed_line_on_the_adjustment_product():
    odd = odd_order()
    known = book(odd, rules=OrderRules(order_total_policy="adjust"))
    plan = translate_order(odd, known)
    (line,) = [line for line in plan.lines if line.role == "adjustment"]
    assert (line.price_unit, line.tax_ids, line.product_id) == (
        Decimal("0.05"),
        (),
        known.services["adjustment"],
    )
    assert plan.predicted.total == Decimal("11.95")
    assert plan.verdict.outcome == "adjusted"
    assert "total_adjusted" in plan.flags


def test_warn_imports_as_it_is_and_says_so():
    odd = odd_order()
    plan = translate_order(odd, book(odd, rules=OrderRules(order_total_policy="warn")))
    assert plan.predicted.total == Decimal("11.90")
    assert {"total_warned", "tax_differs"} <= set(plan.flags)


def test_a_pair_of_rounding_lines_is_bounded_by_order_adjust_max():
    two = parsed(2)
    profile = OdooProfile(major=19, price_digits=6, rounding_method="round_globally")
    strict = OrderRules(order_adjust_max=Decimal("0.02"))
    with pytest.raises(TotalDiffers):
        translate_order(two, book(two, profile=profile, rules=strict))


def test_a_pair_moves_the_base_and_nothing_else():
    two = parsed(2)
    profile = OdooProfile(major=19, price_digits=6, rounding_method="round_globally")
    plan = translate_order(two, book(two, profile=profile))
    pair = [line for line in plan.lines if line.role == "tax_rounding"]
    assert [bool(line.tax_ids) for line in pair] == [True, False]
    assert sum(line.price_unit for line in pair) == 0
    assert plan.predicted.untaxed == two.grand_total - two.tax_amount
    assert any("rounds over the order" in reason for reason in plan.reasons)


def test_where_odoo_rounds_per_line_lines_are_cut_so_that_the_tax_is_magentos():
    # Magento rounds per unit here: 7 x 7.77 bears 7 x 1.48.
    two = parsed(2)
    plan = translate_order(two, book(two, profile=OdooProfile(major=18, price_digits=2)))
    sevens = [line for line in plan.lines if 3 in line.item_ids]
    assert len(sevens) == 7
    assert plan.predicted.tax == Decimal("22.89")


def test_the_number_of_pieces_is_bounded_by_the_rules():
    two = parsed(2)
    plan = translate_order(two, book(two, rules=OrderRules(most_pieces=3)))
    assert max(len(lines) for lines in plan.order_items.values()) <= 3
    assert "tax_rounding" in plan.flags
    assert plan.predicted.total == two.grand_total


def test_a_total_finer_than_the_currency_in_odoo_is_named():
    one = order()
    with pytest.raises(OrderUnclear, match="more decimal places"):
        translate_order(one, book(one, profile=OdooProfile(major=18, currency_digits=0)))


def test_a_zero_decimal_currency_is_exact():
    item = raw_item(
        qty_ordered=3, price=333, price_incl_tax=366, row_total=999, row_total_incl_tax=1099, tax_amount=100, tax_percent=10,
        extension_attributes={"itemized_taxes": [{"tax_code": "JP-10", "tax_percent": 10, "amount": 100}]},
    )  # fmt: skip
    applied = {"applied_taxes": [{"code": "JP-10", "percent": 10, "amount": 100}]}
    yen = parse_order(
        raw_order(
            item,
            order_currency_code="JPY",
            subtotal=999,
            tax_amount=100,
            grand_total=1099,
            extension_attributes=applied,
        )
    )
    for major in (16, 18, 19):
        plan = translate_order(yen, book(yen, profile=OdooProfile(major=major, currency_digits=0)))
        assert plan.predicted.total == 1099

"""Discounts, shipping, fees and credits (RULES 1.2, 1.5; Magento FACTS 7, "Money")."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.errors import MappingMissing, OrderUnclear
from bridge.translate.magento_order import parse_order
from bridge.translate.odoo_totals import OdooProfile
from bridge.translate.order_plan import needs, translate_order
from tests.unit.translate.books import book, order, raw_item, recorded

GLOBAL_19 = OdooProfile(major=19, price_digits=6, rounding_method="round_globally")


def lines_of(plan, role):
    return [line for line in plan.lines if line.role == role]


def plan_of(number, **changes):
    parsed = parse_order(recorded(number))
    return translate_order(parsed, book(parsed, **changes))


def extension(**fields):
    return {
        "applied_taxes": [{"code": "DE-19", "percent": 19, "amount": Decimal("1.90")}],
        "item_applied_taxes": [],
    } | fields


def test_a_discount_is_a_line_of_its_own_and_never_a_percentage_rules_1_2():
    plan = plan_of(7)
    (discount,) = lines_of(plan, "discount")
    assert discount.price_unit == Decimal(-10)
    assert all(line.discount == 0 for line in plan.lines)


def test_the_orders_discount_is_negative_and_the_lines_positive_facts_7():
    parsed = parse_order(recorded(8))
    assert parsed.discount_amount == -10
    assert sum(item.discount_amount for item in parsed.items) == 10


def test_a_discount_is_spread_over_taxes_by_each_lines_own_figures_rules_1_2():
    # orders/020: 19.10 off lines at 20 %, 6.00 off lines without tax.
    plan = plan_of(20, profile=GLOBAL_19)
    by_tax = {line.tax_ids: line.price_unit for line in lines_of(plan, "discount")}
    assert sorted(by_tax.values()) == [Decimal("-19.10"), Decimal("-6.00")]
    assert by_tax[()] == Decimal("-6.00")


def test_a_gross_discount_is_gross_where_the_tax_is_inside_and_net_where_it_is_on_top_rules_1_1():
    gross = lines_of(plan_of(14, included=True, profile=GLOBAL_19), "discount")
    net = lines_of(plan_of(14, profile=GLOBAL_19), "discount")
    assert sum(line.price_unit for line in gross) == Decimal("-12.49")
    assert sum(line.price_unit for line in net) == Decimal("-10.50")  # 12.49 less 1.99 of tax


def test_the_discount_of_a_dynamic_bundle_stands_on_its_parts_facts_7():
    plan = plan_of(15, profile=GLOBAL_19)
    assert sum(line.price_unit for line in lines_of(plan, "discount")) == Decimal("-8.40")


def test_shipping_is_before_its_discount_and_its_tax_after_it_facts_7():
    # orders/009: 5.95 - 0.89 + 0.96, although shipping_incl_tax says 7.08.
    plan = plan_of(9)
    assert [line.price_unit for line in lines_of(plan, "shipping")] == [Decimal("5.95")]
    assert [line.price_unit for line in lines_of(plan, "shipping_discount")] == [Decimal("-0.89")]
    inside = plan_of(9, included=True)
    assert sum(line.price_unit for line in inside.lines if line.role.startswith("shipping")) == Decimal(
        "6.02"
    )


def test_a_free_order_comes_to_nothing_with_all_its_lines_facts_7():
    plan = plan_of(10)
    assert plan.predicted.total == 0
    assert [line.role for line in plan.lines] == ["product", "discount", "shipping", "shipping_discount"]


def test_a_discount_that_is_on_no_line_is_named_never_lost():
    with pytest.raises(OrderUnclear) as caught:
        needs(order(discount_amount=-3, grand_total=Decimal("8.90")))
    assert caught.value.details == {"component": "discount", "amount": "3.00"}


def test_a_discount_after_which_the_tax_was_not_lowered_has_no_tax():
    # Shops may compute the tax before the discount: 19 % of 10.00, though 5.00 are off.
    item = raw_item(discount_amount=5, row_total=5, row_total_incl_tax=Decimal("6.90"))
    parsed = order(item, discount_amount=-5, grand_total=Decimal("6.90"))
    plan = translate_order(parsed, book(parsed))
    assert [line.tax_ids for line in lines_of(plan, "discount")] == [()]
    assert plan.predicted.total == Decimal("6.90")
    assert plan.predicted.tax == Decimal("1.90")


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("customer_balance_amount", "store_credit"),
        ("gift_cards_amount", "gift_card"),
        ("reward_currency_amount", "reward_points"),
    ],
)
def test_credits_are_untaxed_payment_lines_on_their_own_product_rules_1_5(field, code):
    parsed = order(grand_total=Decimal("6.90"), extension_attributes=extension(**{field: 5}))
    assert code in needs(parsed).services
    known = book(parsed)
    plan = translate_order(parsed, known)
    (paid,) = lines_of(plan, "payment")
    assert (paid.price_unit, paid.tax_ids, paid.product_id) == (-5, (), known.services[code])
    # The tax is that of the goods: a taxed negative line would understate it.
    assert plan.predicted.tax == Decimal("1.90")
    assert plan.predicted.total == Decimal("6.90")


def test_a_credit_without_a_service_product_blocks_and_names_it():
    parsed = order(grand_total=Decimal("6.90"), extension_attributes=extension(gift_cards_amount=5))
    with pytest.raises(MappingMissing, match="gift card"):
        translate_order(parsed, book(parsed, services={}))


def test_gift_wrapping_is_a_taxed_fee_whose_tax_is_in_the_orders_tax():
    parsed = order(
        tax_amount=Decimal("2.85"),
        grand_total=Decimal("17.85"),
        extension_attributes=extension(
            applied_taxes=[{"code": "DE-19", "percent": 19, "amount": Decimal("2.85")}],
            gw_price=5,
            gw_tax_amount=Decimal("0.95"),
        ),
    )
    for included in (False, True):
        plan = translate_order(parsed, book(parsed, included=included))
        (fee,) = lines_of(plan, "fee")
        assert fee.price_unit == (Decimal("5.95") if included else 5)
        assert plan.predicted.total == Decimal("17.85")


def test_fixed_product_taxes_beside_the_subtotal_are_a_fee():
    parsed = order(raw_item(weee_tax_applied_row_amount=2), grand_total=Decimal("13.90"))
    plan = translate_order(parsed, book(parsed))
    assert [line.price_unit for line in lines_of(plan, "fee")] == [2]
    assert plan.predicted.total == Decimal("13.90")


def test_fixed_product_taxes_inside_the_subtotal_are_a_fee_too():
    parsed = order(raw_item(weee_tax_applied_row_amount=2), subtotal=12, grand_total=Decimal("13.90"))
    plan = translate_order(parsed, book(parsed))
    assert [line.price_unit for line in lines_of(plan, "fee")] == [2]
    assert plan.predicted.total == Decimal("13.90")


def test_custom_fees_are_lines_by_their_code():
    fees = [{"custom_fee_code": "cod", "custom_fee_label": "Cash on delivery", "custom_fee_amount": 3}]
    parsed = order(grand_total=Decimal("14.90"), extension_attributes=extension(custom_fees=fees))
    assert "fee|cod" in needs(parsed).services
    (fee,) = lines_of(translate_order(parsed, book(parsed)), "fee")
    assert (fee.name, fee.price_unit) == ("Cash on delivery", 3)


def test_an_extra_that_the_total_does_not_contain_makes_no_line():
    parsed = order(extension_attributes=extension(gw_price=5))
    assert lines_of(translate_order(parsed, book(parsed)), "fee") == []


def test_what_nothing_explains_is_named_with_its_amount_and_never_lost():
    with pytest.raises(OrderUnclear) as caught:
        needs(order(grand_total=Decimal("15.85")))
    assert caught.value.details["component"] == "unexplained"
    assert caught.value.details["amount"] == "3.95"
    assert "3.95 EUR" in str(caught.value)


def test_a_fee_taxed_by_one_of_several_taxes_is_unclear():
    parsed = order(
        tax_amount=Decimal("2.85"),
        grand_total=Decimal("17.85"),
        extension_attributes=extension(
            applied_taxes=[
                {"code": "DE-19", "percent": 19, "amount": Decimal("1.90")},
                {"code": "DE-7", "percent": 7, "amount": Decimal("0.95")},
            ],
            gw_price=5,
            gw_tax_amount=Decimal("0.95"),
        ),
    )
    with pytest.raises(OrderUnclear, match="does not say by which tax"):
        needs(parsed)


def test_shipping_without_a_named_tax_takes_the_orders_only_one():
    applied = [{"code": "DE-19", "percent": 19, "amount": Decimal("2.85")}]
    shipped = order(
        shipping_amount=5, shipping_incl_tax=Decimal("5.95"), shipping_tax_amount=Decimal("0.95"), tax_amount=Decimal("2.85"),
        grand_total=Decimal("17.85"), extension_attributes=extension(applied_taxes=applied),
    )  # fmt: skip
    plan = translate_order(shipped, book(shipped))
    assert lines_of(plan, "shipping")[0].tax_ids == plan.lines[0].tax_ids


def test_gift_wrapping_takes_the_tax_that_magento_names_for_it():
    applied = [
        {"code": "DE-19", "percent": 19, "amount": Decimal("1.90")},
        {"code": "DE-7", "percent": 7, "amount": Decimal("0.35")},
    ]
    wrapped = order(
        tax_amount=Decimal("2.25"), grand_total=Decimal("17.25"),
        extension_attributes=extension(
            applied_taxes=applied, gw_price=5, gw_tax_amount=Decimal("0.35"),
            item_applied_taxes=[{"type": "quote_gw", "applied_taxes": applied[1:]}],
        ),
    )  # fmt: skip
    assert ("tax", "DE-7|7") in needs(wrapped).taxes
    assert translate_order(wrapped, book(wrapped)).predicted.total == Decimal("17.25")


def test_a_fee_of_nothing_makes_no_line():
    fees = [{"custom_fee_code": "cod", "custom_fee_amount": 0}]
    assert needs(order(extension_attributes=extension(custom_fees=fees))).services == ()


def test_a_net_discount_without_a_gross_price_is_made_gross_by_the_rate():
    item = raw_item(
        price_incl_tax=None, discount_amount=1, row_total=9, row_total_incl_tax=Decimal("10.71"), tax_amount=Decimal("1.71"),
        extension_attributes={"itemized_taxes": [{"tax_code": "DE-19", "tax_percent": 19, "amount": Decimal("1.71")}]},
    )  # fmt: skip
    applied = [{"code": "DE-19", "percent": 19, "amount": Decimal("1.71")}]
    reduced = order(
        item, discount_amount=-1, tax_amount=Decimal("1.71"), grand_total=Decimal("10.71"),
        extension_attributes=extension(applied_taxes=applied),
    )  # fmt: skip
    plan = translate_order(reduced, book(reduced, included=True))
    assert [line.price_unit for line in plan.lines] == [Decimal("11.90"), Decimal("-1.19")]

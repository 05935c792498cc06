"""Lines per product type and what a line amounts to (Magento FACTS 7; RULES 1.1, 1.2, 1.6, 1.7)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.errors import MappingMissing, OrderUnclear
from bridge.translate.magento_order import parse_order
from bridge.translate.odoo_totals import OdooProfile
from bridge.translate.order_plan import needs, translate_order
from tests.unit.translate.books import book, order, raw_item, raw_order, recorded

GLOBAL_19 = OdooProfile(major=19, price_digits=6, rounding_method="round_globally")


def plan_of(number, **changes):
    parsed = parse_order(recorded(number))
    return translate_order(parsed, book(parsed, **changes))


def roles(plan):
    return [line.role for line in plan.lines]


def net(plan, *wanted):
    pairs = zip(plan.lines, plan.predicted.lines, strict=True)
    return sum(totals.untaxed for line, totals in pairs if line.role in wanted)


def test_a_simple_product_is_one_line():
    plan = plan_of(1)
    assert roles(plan) == ["product", "shipping"]
    assert plan.lines[0].price_unit == Decimal("33.33")


def test_a_configurable_is_one_line_with_the_childs_product_and_the_parents_amounts():
    parsed = parse_order(recorded(3))
    first = needs(parsed).products[0]
    child = next(item for item in parsed.items if item.parent_item_id == first.item_id)
    assert first.product_id == child.product_id
    assert first.sku == "TSHIRT-Red-M"
    plan = translate_order(parsed, book(parsed))
    sold = [line for line in plan.lines if line.role == "product"]
    assert [line.item_ids for line in sold] == [(4, 5), (6, 7)]
    assert net(plan, "product") == parsed.subtotal


def test_a_dynamic_bundle_is_its_components_with_their_prices_and_no_parent_rules_1_6():
    plan = plan_of(4, profile=GLOBAL_19)
    assert net(plan, "product") == Decimal("219.90")
    sold = [line for line in plan.lines if line.role == "product"]
    assert [line.item_ids for line in sold] == [(9,), (10,), (11,)]
    assert [line.quantity for line in sold] == [2, 4, 6]
    assert plan.order_items[8] == ()
    assert "Dynamic Bundle" in sold[0].name


def test_a_fixed_bundle_is_a_service_line_with_the_price_and_free_untaxed_components_rules_1_6():
    plan = plan_of(5, profile=GLOBAL_19)
    bundle = [line for line in plan.lines if line.role == "bundle"]
    components = [line for line in plan.lines if line.role == "component"]
    assert [(line.item_ids, line.quantity) for line in bundle] == [((12,), 2)]
    assert [(line.item_ids, line.quantity) for line in components] == [((13,), 2), ((14,), 4)]
    assert all(line.price_unit == 0 and line.tax_ids == () for line in components)
    assert [need.is_service for need in needs(parse_order(recorded(5))).products] == [True, False, False]


def test_a_grouped_product_is_one_line_a_part():
    assert [line.item_ids for line in plan_of(21).lines if line.role == "product"] == [(51,), (52,)]


def test_virtual_and_downloadable_orders_have_no_shipping_line():
    assert roles(plan_of(6)) == ["product"]
    assert roles(plan_of(22)) == ["product"]


def test_custom_options_stand_in_the_text_and_their_sku_is_in_no_catalog_rules_1_7():
    parsed = parse_order(recorded(19))
    (need,) = needs(parsed).products
    assert not need.is_catalog_sku
    assert need.product_id == 21
    assert "F\u00fcr Omi" in translate_order(parsed, book(parsed)).lines[0].name


def test_two_lines_of_one_sku_stay_two_and_are_told_by_item_id():
    plan = plan_of(31)
    assert [line.item_ids for line in plan.lines if line.role == "product"] == [(69,), (70,)]


def test_a_gift_card_is_a_plain_line_with_its_options():
    option = {
        "extension_attributes": {
            "giftcard_item_option": {"giftcard_recipient_name": "Omi", "giftcard_message": "Alles Gute"}
        }
    }
    parsed = order(raw_item(product_type="giftcard", product_option=option))
    plan = translate_order(parsed, book(parsed))
    assert plan.lines[0].role == "product"
    assert "Recipient: Omi" in plan.lines[0].name


def test_an_unknown_type_without_parts_is_a_plain_line():
    parsed = order(raw_item(product_type="subscription"))
    assert translate_order(parsed, book(parsed)).predicted.total == Decimal("11.90")


def test_an_unknown_type_with_parts_is_unclear_and_named():
    parsed = order(
        raw_item(1, product_type="kit"),
        raw_item(2, parent_item_id=1, price=0, row_total=0, row_total_incl_tax=0, tax_amount=0),
    )
    with pytest.raises(OrderUnclear, match="'kit'"):
        needs(parsed)


def test_a_product_that_is_not_in_odoo_is_named_by_its_sku():
    parsed = order()
    with pytest.raises(MappingMissing) as caught:
        translate_order(parsed, book(parsed, products={}))
    assert (caught.value.kind, caught.value.value) == ("product", "SKU-1")


def test_the_order_lines_row_total_is_after_the_discount_over_rest_facts_7():
    item = parse_order(recorded(7)).items[0]
    assert item.row_total == Decimal("89.99")
    assert item.net == Decimal("89.99")
    assert item.net_before_discount == Decimal("99.99")


def test_net_after_a_gross_discount_is_row_total_incl_tax_less_tax_facts_7():
    item = parse_order(recorded(14)).items[0]
    assert item.row_total == Decimal("74.03")
    assert item.net == Decimal("75.62")
    assert item.net_before_discount == Decimal("84.03")


def test_a_gross_discount_of_everything_does_not_lose_the_row_facts_7():
    # row_total does not go below 0, so row_total + discount_amount would be the gross price.
    item = order(
        raw_item(row_total=0, row_total_incl_tax=0, tax_amount=0, discount_amount=Decimal("11.90"),
                 discount_tax_compensation_amount=Decimal("1.90"))
    ).items[0]  # fmt: skip
    assert item.net == 0
    assert item.net_before_discount == Decimal(10)


def test_price_times_quantity_need_not_be_the_row_facts_7():
    # 2 x 0.05 is 0.09 there: the unit price is row / quantity at the precision there is (RULES 1.1).
    plan = plan_of(13, profile=GLOBAL_19)
    cheap = next(line for line in plan.lines if 29 in line.item_ids)
    assert (cheap.quantity, cheap.price_unit) == (2, Decimal("0.045"))


def test_where_the_precision_does_not_do_the_line_is_split_rules_1_1():
    two_digits = OdooProfile(major=18, price_digits=2, rounding_method="round_globally")
    plan = plan_of(24, profile=two_digits)
    cheap = [(line.quantity, line.price_unit) for line in plan.lines if 57 in line.item_ids]
    assert cheap == [(1, Decimal("0.84")), (1, Decimal("0.85"))]
    assert any("no price that Odoo can keep" in reason for reason in plan.reasons)


def test_an_included_tax_takes_the_gross_price_rules_1_1():
    parsed = parse_order(recorded(26))
    plan = translate_order(parsed, book(parsed, included=True))
    assert plan.lines[0].price_unit == Decimal("33.33")
    assert translate_order(parsed, book(parsed)).lines[0].price_unit == Decimal("28.01")


def test_broken_quantities_leave_unrounded_totals_and_the_grand_total_decides_facts_7():
    plan = plan_of(12)
    assert plan.predicted.total == Decimal("52.59")
    assert plan.predicted.tax == Decimal("8.41")


def test_a_quantity_finer_than_odoos_is_named():
    parsed = order(raw_item(qty_ordered=Decimal("1.125"), price=Decimal("8.89")))
    with pytest.raises(OrderUnclear, match=r"1\.125"):
        translate_order(parsed, book(parsed))


def test_lines_that_do_not_make_up_the_subtotal_are_named_never_lost():
    with pytest.raises(OrderUnclear) as caught:
        needs(order(subtotal=15, grand_total=Decimal("16.90")))
    assert caught.value.details["component"] == "subtotal"
    assert caught.value.details["amount"] == "5.00"


def test_a_line_with_an_amount_and_no_quantity_is_unclear():
    parsed = order(raw_item(qty_ordered=0))
    with pytest.raises(OrderUnclear, match="quantity 0"):
        translate_order(parsed, book(parsed))


def test_a_free_line_needs_no_tax_mapping():
    free = raw_item(
        2, price=0, price_incl_tax=0, row_total=0, row_total_incl_tax=0, tax_amount=0, extension_attributes={}
    )
    parsed = order(raw_item(1), free)
    assert needs(parsed).taxes == (("tax", "DE-19|19"),)
    plan = translate_order(parsed, book(parsed))
    assert plan.lines[1].tax_ids == ()


def test_a_huge_quantity_is_planned_quickly_and_exactly():
    # Per unit 0.19 of tax; 5000 units: 950.00. Per line the same, so nothing is cut.
    item = raw_item(
        qty_ordered=5000, price=1, price_incl_tax=Decimal("1.19"), row_total=5000, row_total_incl_tax=5950,
        tax_amount=950, extension_attributes={"itemized_taxes": [{"tax_code": "DE-19", "tax_percent": 19, "amount": 950}]},
    )  # fmt: skip
    applied = [{"code": "DE-19", "percent": 19, "amount": 950}]
    parsed = parse_order(
        raw_order(
            item,
            subtotal=5000,
            tax_amount=950,
            grand_total=5950,
            extension_attributes={"applied_taxes": applied},
        )
    )
    assert len(translate_order(parsed, book(parsed)).lines) == 1

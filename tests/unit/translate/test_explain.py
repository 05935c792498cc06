"""The explanation: Magento against Odoo by component, to the cent, with the reason."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.translate.explain import explain
from bridge.translate.magento_order import parse_order
from bridge.translate.odoo_totals import OdooProfile, OdooTax
from bridge.translate.order_book import OrderRules
from bridge.translate.order_plan import translate_order
from tests.unit.translate.books import PROFILE, RECORDED, book, load, raw_item, raw_order, recorded

PROFILES = [
    PROFILE,
    OdooProfile(major=16),
    OdooProfile(major=19, price_digits=6, rounding_method="round_globally"),
]


def explained(order, profile=PROFILE, *, included=False, confirmed=None, **changes):
    plan = translate_order(order, book(order, profile=profile, included=included, **changes))
    return explain(order, plan, profile, confirmed_total=confirmed)


def part(explanation, name):
    return next(one for one in explanation.parts if one.name == name)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: str(profile.major))
@pytest.mark.parametrize("included", [False, True])
def test_the_parts_come_to_both_totals_to_the_cent_on_every_recorded_order(profile, included):
    for path in RECORDED:
        order = parse_order(load(path)["response"]["json"])
        explanation = explained(order, profile, included=included)
        assert sum(one.magento for one in explanation.parts) == order.grand_total, path.name
        assert sum(one.odoo for one in explanation.parts) == explanation.odoo_total, path.name
        assert explanation.odoo_total == explanation.magento_total


def test_each_tax_is_a_part_of_its_own():
    explanation = explained(parse_order(recorded(13)))
    assert part(explanation, "tax:DE-19|19").magento == Decimal("16.91")
    assert part(explanation, "tax:DE-7|7").odoo == Decimal("0.01")


def test_lines_discount_and_shipping_are_parts():
    explanation = explained(parse_order(recorded(9)))
    assert part(explanation, "lines").magento == Decimal("249.95")
    assert part(explanation, "discount").odoo == Decimal("-37.49")
    assert part(explanation, "shipping").magento == Decimal("5.95")
    assert part(explanation, "shipping_discount").odoo == Decimal("-0.89")
    assert all(one.difference == 0 for one in explanation.parts)


def test_a_difference_has_a_reason_in_words():
    order = parse_order(recorded(2))
    globally = OdooProfile(major=19, price_digits=6, rounding_method="round_globally")
    explanation = explained(
        order, globally, services={"shipping": 1}, rules=OrderRules(order_total_policy="warn")
    )
    tax = part(explanation, "tax:DE-19|19")
    assert tax.difference == Decimal("0.03")
    assert "Magento rounds" in tax.reason


@pytest.mark.parametrize(
    ("included", "words"), [(False, "rounds each row to whole cents"), (True, "prices include the tax")]
)
def test_a_net_that_differs_is_told_by_the_prices_that_odoo_has(included, words):
    different = [
        one
        for path in RECORDED
        for one in explained(parse_order(load(path)["response"]["json"]), included=included).parts
        if one.name in {"lines", "shipping", "discount"} and one.difference
    ]
    assert different
    assert all(words in one.reason for one in different)


def test_the_other_rounding_method_is_shown():
    order = parse_order(recorded(2))
    explanation = explained(order)
    assert explanation.other_method_total == Decimal("143.17")
    assert any("other rounding method" in reason for reason in explanation.reasons)


def test_magentos_own_rounding_is_a_part():
    explanation = explained(parse_order(recorded(12)))
    assert part(explanation, "magento_rounding").magento == Decimal("-0.005")


def test_an_adjustment_is_a_part():
    order = parse_order(recorded(2))
    globally = OdooProfile(major=19, price_digits=6, rounding_method="round_globally")
    strict = OrderRules(order_total_policy="adjust", order_adjust_max=Decimal("0.03"))
    services = {"shipping": 1, "adjustment": 3}
    explanation = explained(order, globally, rules=strict, services=services)
    assert part(explanation, "tax_rounding").odoo == 0
    assert explanation.outcome == "exact"


def test_what_odoo_itself_said_is_held_against_the_calculation():
    order = parse_order(recorded(1))
    assert explained(order, confirmed=Decimal("46.74")).reasons == ()
    assert any(
        "Odoo itself says 46.75" in one for one in explained(order, confirmed=Decimal("46.75")).reasons
    )


def test_both_exchange_rates_are_shown_where_there_are_any_rules_1_12():
    dollars = parse_order(recorded(18))
    told = explained(dollars, replace(PROFILE, currency_rate=Decimal("1.0912")))
    assert (told.as_data()["base_to_order_rate"], told.as_data()["odoo_rate"]) == ("1.0837", "1.0912")
    assert "1.0837 USD for 1 EUR in Magento" in told.reasons[-1]
    assert "1.0912 USD for 1 of the company's currency in Odoo" in told.reasons[-1]
    unknown = explained(dollars)
    assert unknown.as_data()["odoo_rate"] is None
    assert "no rate for 1 of the company's" in unknown.reasons[-1]
    euros = explained(parse_order(recorded(1)), replace(PROFILE, currency_rate=Decimal(1)))
    assert not any("Exchange rate" in reason for reason in euros.reasons)


def test_it_is_json_with_decimals_as_text_and_nothing_personal():
    order = parse_order(recorded(19))
    text = json.dumps(explained(order).as_data())
    assert "57.06" in text
    for personal in ("Mustermann", "guest@example.com", "Omi", "Hauptstr"):
        assert personal not in text


def test_a_tax_mapped_to_no_tax_is_said_so():
    order = parse_order(recorded(1))
    known = {"taxes": {("tax", "DE-19|19"): ()}, "rules": OrderRules(order_total_policy="warn")}
    tax = part(explained(order, **known), "tax:DE-19|19")
    assert (tax.magento, tax.odoo) == (Decimal("7.46"), 0)
    assert "no tax in Odoo" in tax.reason


def test_fees_and_credits_are_a_part():
    order = parse_order(
        raw_order(
            grand_total=Decimal("6.90"),
            extension_attributes=raw_order()["extension_attributes"] | {"gift_cards_amount": 5},
        )
    )
    assert part(explained(order), "extras").odoo == -5


def test_two_magento_taxes_that_are_one_odoo_tax_are_one_part():
    both = [
        {"code": "STATE", "percent": 4, "amount": Decimal("0.40")},
        {"code": "CITY", "percent": Decimal("4.875"), "amount": Decimal("0.49")},
    ]
    item = raw_item(tax_amount=Decimal("0.89"), row_total_incl_tax=Decimal("10.89"), extension_attributes={})
    applied = {
        "applied_taxes": both,
        "item_applied_taxes": [{"type": "product", "item_id": 1, "applied_taxes": both}],
    }
    order = parse_order(
        raw_order(
            item, tax_amount=Decimal("0.89"), grand_total=Decimal("10.89"), extension_attributes=applied
        )
    )
    together = (OdooTax(id=5, amount=Decimal("8.875")),)
    explanation = explained(order, taxes={("tax", "STATE|4"): together, ("tax", "CITY|4.875"): together})
    (tax,) = [one for one in explanation.parts if one.name.startswith("tax:")]
    assert (tax.magento, tax.odoo) == (Decimal("0.89"), Decimal("0.89"))
    assert tax.label == "Tax CITY 4.875 %, Tax STATE 4 %"

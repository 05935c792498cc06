"""The order's total: the preview decides, the policy judges, the read-back is held to it (RULES 1.2, 1.4)."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.imports import (
    blocked,
    counts,
    done,
    lines_of,
    new_tax,
    retried,
    service_of,
    taxes_of,
    template_of,
    totals,
)
from tests.support.orders import Raw, all_taxed, bound, cents, comments, new_order, order_row, put, stored
from tests.support.shop import Shop

VERSIONS = (16, 18, 19)
CENT = Decimal("0.01")


def a_cent_more(shop: Shop, **changes: Any) -> Raw:
    """Return an order whose grand total is a cent more than its parts: so much Magento's rounding may be off."""
    raw = new_order(shop)
    more = float(cents(raw["grand_total"]) + CENT)
    return put(shop, {**raw, "grand_total": more, **changes})


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"order_total_policy": "block", "order_total_tolerance": "0.009"},
        {"order_total_policy": "adjust", "order_adjust_max": "0.009"},
        {"order_total_policy": "adjust", "order_adjust_max": "0", "order_total_tolerance": "5"},
    ],
    ids=["by default", "block", "adjust", "adjust, whatever the tolerance"],
)
def test_a_difference_beyond_the_bound_blocks_before_anything_is_written(
    open_shop: OpenShop, settings: dict[str, Any]
) -> None:
    shop = open_shop(**settings)
    raw = a_cent_more(shop)
    before = counts(shop)
    job = blocked(shop, raw, "total_differs")
    assert "0.01 apart" in (job.error or "")
    assert str(cents(raw["grand_total"])) in (job.error or "")
    assert f"bridge explain order {raw['increment_id']}" in (job.help or "")
    assert counts(shop) == before
    # The way out that the help names.
    shop.set(order_total_policy="block", order_total_tolerance="0.01")
    assert retried(shop, job).state == "done"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        ({"order_total_policy": "block", "order_total_tolerance": "0.01"}, "total_tolerated"),
        ({"order_total_policy": "warn"}, "total_warned"),
    ],
)
def test_a_difference_that_may_be_is_imported_as_it_is_and_said(
    open_shop: OpenShop, version: int, settings: dict[str, Any], flag: str
) -> None:
    shop = open_shop(version, **settings)
    raw = a_cent_more(shop)
    job = shop.import_order(raw)
    assert (job.state, job.error) == ("done", None)
    order = stored(shop, job)
    assert cents(order["amount_total"]) == cents(raw["grand_total"]) - CENT
    assert flag in (job.result or {})["flags"]
    (note,) = comments(shop, order["id"])
    assert "<td>Difference</td><td>0.01 EUR</td>" in note


@pytest.mark.parametrize("version", VERSIONS)
def test_adjust_brings_magentos_total_by_an_untaxed_line_on_a_service(
    open_shop: OpenShop, version: int
) -> None:
    # Within the tolerance too: adjust adjusts.
    shop = open_shop(version, order_total_policy="adjust", order_total_tolerance="1")
    raw = a_cent_more(shop)
    order = done(shop, raw)
    # Pairs of rounding lines, which come to 0, are on the same product (19 with round_globally).
    lines = lines_of(shop, order, service_of(shop, "adjustment"))
    assert totals(lines) == CENT
    (line,) = (line for line in lines if "Adjustment to Magento" in line["name"])
    assert (cents(line["price_unit"]), line["product_uom_qty"], taxes_of(shop, line)) == (CENT, 1, [])
    (note,) = comments(shop, order["id"])
    assert "<td>Adjusted by</td><td>0.01 EUR</td>" in note


@pytest.mark.parametrize("version", VERSIONS)
def test_the_services_that_the_bridge_makes_are_invoiced_by_what_is_ordered(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version, order_total_policy="adjust")
    raw = new_order(shop, "coupon, with shipping")
    done(shop, put(shop, raw))
    done(shop, a_cent_more(shop))
    for name in ("shipping", "discount", "adjustment"):
        product = template_of(shop, service_of(shop, name))
        assert (product["type"], product["invoice_policy"]) == ("service", "order"), name
        assert not product["taxes_id"], name


def test_services_that_the_settings_name_are_used_and_none_is_made(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    ids = shop.box.odoo.seed_products(["OUR-SHIPPING", "OUR-DISCOUNT", "OUR-ADJUSTMENT"])
    names = {name: ids[f"OUR-{name.upper()}"] for name in ("shipping", "discount", "adjustment")}
    shop.set(
        order_total_policy="adjust",
        **{f"{name}_product_id": product_id for name, product_id in names.items()},
    )
    raw = new_order(shop, "coupon, with shipping")
    raw["grand_total"] = float(cents(raw["grand_total"]) + CENT)
    order = done(shop, put(shop, raw))
    assert set(names.values()) < {line["product_id"] for line in shop.lines(order["id"])}
    assert shop.ledger.bindings.list("shop", kind="service") == []


@pytest.mark.parametrize("policy", ["block", "warn", "adjust"])
def test_500_that_nothing_explains_are_never_balanced(open_shop: OpenShop, policy: str) -> None:
    shop = open_shop(order_total_policy=policy, order_adjust_max="1000", order_total_tolerance="1000")
    raw = new_order(shop)
    raw["grand_total"] = float(cents(raw["grand_total"]) + 500)
    job = blocked(shop, put(shop, raw, is_mapped=False), "order_unclear")
    assert "500.00 EUR of the grand total" in (job.error or "")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("policy", "words"), [("block", "apart"), ("adjust", "even with its adjustment line")]
)
def test_odoos_own_preview_decides_and_not_our_calculator(
    open_shop: OpenShop, version: int, policy: str, words: str
) -> None:
    shop = open_shop(version, order_total_policy=policy, order_adjust_max="1000")
    tax_id = changing_tax(shop)
    done(shop, new_taxed(shop, tax_id))
    # What the bridge read of the tax it believes for a while; Odoo computes with what it is now.
    shop.box.odoo.write("account.tax", tax_id, {"amount": 20.0})
    job = blocked(shop, new_taxed(shop, tax_id), "total_differs")
    assert words in (job.error or "")


def changing_tax(shop: Shop) -> int:
    """Return a tax of 19 % of its own, so that no other test sees it change."""
    return new_tax(shop, "To be changed", 19)


def new_taxed(shop: Shop, tax_id: int) -> Raw:
    raw = new_order(shop)
    shop.ledger.mappings.set(
        "shop", "tax", "DE-19|19", odoo_model="account.tax", odoo_id=tax_id, odoo_label="", by="test"
    )
    return raw


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("preview", ["always", "never"])
def test_a_total_that_surprises_after_the_write_stays_a_quotation_and_is_raised(
    open_shop: OpenShop, version: int, preview: str
) -> None:
    shop = open_shop(version, order_action="confirm", order_preview=preview)
    tax_id = changing_tax(shop)
    done(shop, new_taxed(shop, tax_id))
    raw = new_taxed(shop, tax_id)
    job_id = shop.want_order(raw)
    held = shop.box.odoo.faults.hold("sale.order.load")
    worker = threading.Thread(target=shop.work)
    worker.start()
    try:
        assert held.fired.wait(20)
        # As an automation in Odoo would: between the preview and what is stored.
        shop.box.odoo.write("account.tax", tax_id, {"amount": 20.0})
    finally:
        held.release()
        worker.join(30)
    job = shop.job(job_id)
    assert (job.state, job.error_code) == ("blocked", "total_differs")
    assert "stays a quotation" in (job.error or "")
    order = bound(shop, raw)
    assert order["state"] == "draft"
    assert order["name"] in (job.error or "")
    # A person has looked at it: the retry has nothing left to do, and confirms nothing either.
    assert retried(shop, job).state == "done"
    assert order_row(shop, order["id"])["state"] == "draft"
    assert len(shop.sale_orders(raw)) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_discounts_are_lines_of_whole_cents_by_tax_and_never_a_percentage_rules_1_2(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    raw = all_taxed(shop, "two tax rates, coupon")
    order = done(shop, raw)
    lines = shop.lines(order["id"])
    assert {line["discount"] for line in lines} == {0}
    off = [line for line in lines if line["product_id"] == service_of(shop, "discount")]
    assert all(
        line["price_unit"] < 0 and cents(line["price_unit"]) == Decimal(str(line["price_unit"]))
        for line in off
    )
    assert sum(cents(line["price_subtotal"]) for line in off) == -sum(
        cents(item["discount_amount"]) for item in raw["items"]
    )
    # Each line's own discount lowers its own tax: by each line's figures, never by a ratio.
    by_tax: dict[tuple[int, ...], Decimal] = {}
    for line in off:
        key = tuple(taxes_of(shop, line))
        by_tax[key] = by_tax.get(key, Decimal(0)) + cents(line["price_subtotal"])
    by_rate: dict[str, Decimal] = {}
    for item in raw["items"]:
        rate = str(item["tax_percent"])
        by_rate[rate] = by_rate.get(rate, Decimal(0)) - cents(item["discount_amount"])
    assert sorted(by_tax.values()) == sorted(by_rate.values())

"""Which taxes an order's lines get: by code and percent through mappings, never by omission (RULES 1.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.imports import (
    blocked,
    done,
    line_of,
    lines_of,
    map_to,
    new_tax,
    product_of,
    taxes_of,
    template_of,
    totals,
)
from tests.support.orders import Raw, addresses, all_taxed, cents, new_order, put, stored
from tests.support.shop import Shop

VERSIONS = (16, 18, 19)


def export_order(shop: Shop, **address: Any) -> Raw:
    """Return an order to Switzerland, on which the recorded shop has no tax; its goods are in Odoo."""
    raw = new_order(shop, "no tax, export", is_mapped=False)
    for one in addresses(raw):
        one |= {"country_id": "CH", "region": None, "region_code": None, **address}
    shop.box.odoo.seed_products([item["sku"] for item in raw["items"]])
    return put(shop, raw, is_mapped=False)


def decide(shop: Shop, where: str, tax_id: int) -> None:
    """Decide what no tax means for goods and shipping there."""
    for tax_class in ("0", "shipping"):
        map_to(shop, "zero_tax", f"{where}|{tax_class}", tax_id)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_line_without_tax_blocks_until_it_is_decided_and_then_has_no_tax(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    raw = export_order(shop)
    job = blocked(shop, raw, "mapping_missing")
    assert "zero_tax" in (job.error or "")
    assert "bridge mappings set zero_tax 'CH|novat|0' ODOO_ID" in (job.help or "")
    unmapped = {(row.kind, row.value) for row in shop.ledger.mappings.list("shop", state="unmapped")}
    assert unmapped >= {("zero_tax", "CH|novat|0"), ("zero_tax", "CH|novat|shipping")}
    decide(shop, "CH|novat", 0)
    # Whoever decides need not retry: the jobs that wait for it go on.
    shop.work()
    order = stored(shop, shop.job(job.id))
    goods = product_of(shop, raw["items"][0]["sku"])
    # The product has a default tax, and the line has none all the same.
    assert template_of(shop, goods)["taxes_id"]
    assert [taxes_of(shop, line) for line in shop.lines(order["id"])] == [[]] * len(shop.lines(order["id"]))
    assert order["amount_tax"] == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_line_without_tax_gets_the_tax_of_0_percent_that_it_is_mapped_to(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    exempt = new_tax(shop, "Export, 0 %", 0)
    raw = export_order(shop)
    decide(shop, "CH|novat", exempt)
    order = done(shop, raw)
    assert {tuple(taxes_of(shop, line)) for line in shop.lines(order["id"])} == {(exempt,)}


def test_export_and_a_business_buyer_are_decided_apart(open_shop: OpenShop) -> None:
    shop = open_shop()
    export, business = new_tax(shop, "Export, 0 %", 0), new_tax(shop, "Reverse charge, 0 %", 0)
    decide(shop, "CH|novat", export)
    done(shop, export_order(shop))
    raw = export_order(shop, vat_id="CHE123456788")
    job = blocked(shop, raw, "mapping_missing")
    assert "CH|vat|0" in (job.error or "")
    decide(shop, "CH|vat", business)
    shop.work()
    order = stored(shop, shop.job(job.id))
    assert {tuple(taxes_of(shop, line)) for line in shop.lines(order["id"])} == {(business,)}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_rate_whose_tax_rounds_to_0_is_missing_from_applied_taxes_facts_7(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    raw = cheap_order(shop)
    goods = product_of(shop, raw["items"][0]["sku"])
    job = blocked(shop, raw, "mapping_missing")
    assert "DE|novat|19" in (job.error or "")
    tax_id = new_tax(shop, "19 %", 19)
    map_to(shop, "zero_tax", "DE|novat|19", tax_id)
    shop.work()
    order = stored(shop, shop.job(job.id))
    assert taxes_of(shop, line_of(shop, order, goods)) == [tax_id]
    assert (order["amount_tax"], order["amount_total"]) == (0, 0.02)


def cheap_order(shop: Shop) -> Raw:
    """Return an order of one article for two cents: its tax of 19 % is no cent, and Magento names none."""
    raw = new_order(shop, is_mapped=False)
    money = {
        "price": 0.02, "price_incl_tax": 0.02, "row_total": 0.02, "row_total_incl_tax": 0.02, "tax_amount": 0,
        "tax_percent": 19, "qty_ordered": 1,
    }  # fmt: skip
    raw["items"] = [{**raw["items"][0], **money, "extension_attributes": {}}]
    raw |= {
        "subtotal": 0.02,
        "grand_total": 0.02,
        "tax_amount": 0,
        "shipping_amount": 0,
        "shipping_tax_amount": 0,
    }
    raw |= {"shipping_incl_tax": 0}
    raw["extension_attributes"] |= {"applied_taxes": [], "item_applied_taxes": []}
    for address in addresses(raw):
        address |= {"country_id": "DE"}
    shop.box.odoo.seed_products([raw["items"][0]["sku"]])
    return put(shop, raw, is_mapped=False)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_rate_has_the_tax_that_its_code_and_percent_are_mapped_to(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    # Odoo has other taxes of these percentages: neither is taken by its number.
    full, reduced = new_tax(shop, "Full", 19), new_tax(shop, "Reduced", 7)
    raw = all_taxed(shop, "two tax rates")
    map_to(shop, "tax", "DE-19|19", full)
    map_to(shop, "tax", "DE-7|7", reduced)
    order = done(shop, raw)
    if version >= 19:
        # 19 chose a fiscal position by itself: taxes that are said stay as they are (Odoo FACTS 6).
        assert order["fiscal_position_id"]
    wanted = {19: [full], 7: [reduced]}
    for item in raw["items"]:
        for line in lines_of(shop, order, product_of(shop, item["sku"])):
            assert taxes_of(shop, line) == wanted[int(item["tax_percent"])]


def test_an_unmapped_rate_blocks_by_its_name_and_a_mapping_to_another_rate_is_refused(
    open_shop: OpenShop,
) -> None:
    shop = open_shop()
    raw = new_order(shop)
    map_to(shop, "tax", "DE-19|19", new_tax(shop, "20 %", 20))
    job = blocked(shop, raw, "mapping_wrong")
    assert "DE-19 19 % is mapped to Odoo taxes of 20 %" in (job.error or "")
    # Another mapping lets the job go on: nobody has to retry it.
    map_to(shop, "tax", "DE-19|19", new_tax(shop, "19 %", 19))
    shop.work()
    assert shop.job(job.id).state == "done"


def test_a_tax_that_was_deleted_in_odoo_blocks_until_another_is_mapped(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_order(shop)
    gone = new_tax(shop, "Gone", 19)
    map_to(shop, "tax", "DE-19|19", gone)
    shop.box.odoo.delete("account.tax", gone)
    job = blocked(shop, raw, "mapping_wrong")
    assert f"id {gone}" in (job.error or "")
    assert "DE-19|19" in (job.error or "")
    map_to(shop, "tax", "DE-19|19", new_tax(shop, "New", 19))
    shop.work()
    assert shop.job(job.id).state == "done"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_gross_price_is_kept_where_the_mapped_tax_is_inside_it_rules_1_1(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version, digits=2)
    first = new_order(shop, "tax included")
    inside, on_top = new_tax(shop, "Inside", 19, inside=True), new_tax(shop, "On top", 19)
    map_to(shop, "tax", "DE-19|19", inside)
    order = done(shop, first)
    for item in first["items"]:
        lines = lines_of(shop, order, product_of(shop, item["sku"]))
        assert sum(cents(line["price_total"]) for line in lines) == cents(item["row_total_incl_tax"])
        # Prices with their tax: where the cents of the tax ask for it, a line is cut at prices a few cents apart.
        prices = [(cents(line["price_unit"]), cents(line["product_uom_qty"])) for line in lines]
        assert sum(price * quantity for price, quantity in prices) == cents(item["row_total_incl_tax"])
        assert len(lines) > 1 or prices[0][0] == cents(item["price_incl_tax"])
        assert {tuple(taxes_of(shop, line)) for line in lines} == {(inside,)}
    # The same order with the tax on top: net prices, the same total.
    numbers = new_order(shop, is_mapped=False)
    kept = {name: numbers[name] for name in ("entity_id", "increment_id", "quote_id")}
    second = put(shop, {**first, **kept}, is_mapped=False)
    map_to(shop, "tax", "DE-19|19", on_top)
    order = done(shop, second)
    for item in first["items"]:
        lines = lines_of(shop, order, product_of(shop, item["sku"]))
        assert totals(lines) == cents(item["row_total_incl_tax"]) - cents(item["tax_amount"])
        assert {tuple(taxes_of(shop, line)) for line in lines} == {(on_top,)}

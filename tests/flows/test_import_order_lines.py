"""What the lines of an order become in Odoo, type by type (RULES 1.5 to 1.7)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.imports import (
    blocked,
    done,
    line_of,
    lines_of,
    map_to,
    product_of,
    service_of,
    taxes_of,
    template_of,
    totals,
)
from tests.support.orders import Raw, cents, new_order, put, stored
from tests.support.shop import Shop

VERSIONS = (16, 18, 19)
#: Where Magento keeps what was paid by other means, and the service that it is mapped to.
CREDITS = {
    "customer_balance_amount": "store_credit",
    "gift_cards_amount": "gift_card",
    "reward_currency_amount": "reward_points",
}


def paid_by(shop: Shop, field: str, amount: str) -> Raw:
    """Return an order of which a part was paid by a credit; no service is mapped to it."""
    raw = new_order(shop)
    raw["extension_attributes"][field] = float(amount)
    raw["grand_total"] = float(cents(raw["grand_total"]) - Decimal(amount))
    return put(shop, raw, is_mapped=False)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("field", CREDITS)
def test_a_credit_is_an_untaxed_payment_on_the_service_whose_account_is_mapped_rules_1_5(
    open_shop: OpenShop, version: int, field: str
) -> None:
    shop = open_shop(version)
    raw = paid_by(shop, field, "3.21")
    # Which liability it settles is for a person to say: the bridge makes no service for it.
    job = blocked(shop, raw, "mapping_missing")
    assert f"bridge mappings set service {CREDITS[field]} ODOO_ID" in (job.help or "")
    service = shop.box.odoo.seed_products([f"LIABILITY-{field}"])[f"LIABILITY-{field}"]
    assert template_of(shop, service)["taxes_id"]
    map_to(shop, "service", CREDITS[field], service)
    shop.work()
    order = stored(shop, shop.job(job.id))
    assert cents(order["amount_total"]) == cents(raw["grand_total"])
    # A taxed negative line would understate the VAT.
    assert cents(order["amount_tax"]) == cents(raw["tax_amount"])
    line = line_of(shop, order, service)
    assert (cents(line["price_unit"]), taxes_of(shop, line)) == (Decimal("-3.21"), [])


def test_a_fee_blocks_until_its_code_is_mapped_to_a_service(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_order(shop)
    fee = {"custom_fee_code": "cod", "custom_fee_label": "Cash on delivery", "custom_fee_amount": 4.5}
    raw["extension_attributes"]["custom_fees"] = [fee]
    raw["grand_total"] = float(cents(raw["grand_total"]) + Decimal("4.50"))
    job = blocked(shop, put(shop, raw, is_mapped=False), "mapping_missing")
    assert "bridge mappings set service 'fee|cod' ODOO_ID" in (job.help or "")
    assert ("service", "fee|cod") in {
        (row.kind, row.value) for row in shop.ledger.mappings.list("shop", state="unmapped")
    }
    service = shop.box.odoo.seed_products(["FEE-COD"])["FEE-COD"]
    map_to(shop, "service", "fee|cod", service)
    shop.work()
    line = line_of(shop, stored(shop, shop.job(job.id)), service)
    assert (line["name"], cents(line["price_unit"])) == ("Cash on delivery", Decimal("4.50"))


@pytest.mark.parametrize("amount", ["3.00", "-3.00"])
def test_what_no_part_of_the_order_explains_is_named_and_never_lost(open_shop: OpenShop, amount: str) -> None:
    shop = open_shop()
    raw = new_order(shop)
    raw["grand_total"] = float(cents(raw["grand_total"]) + Decimal(amount))
    job = blocked(shop, put(shop, raw, is_mapped=False), "order_unclear")
    assert f"{amount} EUR of the grand total" in (job.error or "")
    assert "Find out which Magento extension adds this amount" in (job.error or "")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_dynamic_bundle_is_its_components_with_their_prices_and_no_parent_rules_1_6(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    raw = new_order(shop, "bundle, dynamic price")
    order = done(shop, raw)
    (parent,) = (item for item in raw["items"] if item["product_type"] == "bundle")
    parts = [item for item in raw["items"] if item.get("parent_item_id") == parent["item_id"]]
    for part in parts:
        lines = lines_of(shop, order, product_of(shop, part["sku"]))
        assert sum(cents(line["product_uom_qty"]) for line in lines) == cents(part["qty_ordered"])
        assert totals(lines) == cents(part["row_total"])
        assert all(parent["name"] in line["name"] for line in lines)
    goods = {line["product_id"] for line in shop.lines(order["id"])}
    assert shop.box.odoo.find("product.product", default_code=parent["sku"]) not in goods
    binding = shop.ledger.bindings.get("shop", "order", raw["entity_id"])
    assert binding is not None
    # The parent only repeats the sum of its parts.
    assert not (binding.order_items_json or {})[str(parent["item_id"])]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_fixed_bundle_is_a_service_with_the_price_and_its_components_are_free_rules_1_6(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    raw = new_order(shop, "bundle, fixed price")
    order = done(shop, raw)
    (parent,) = (item for item in raw["items"] if item["product_type"] == "bundle")
    parts = [item for item in raw["items"] if item.get("parent_item_id") == parent["item_id"]]
    service = service_of(shop, "bundle")
    product = template_of(shop, service)
    assert (product["type"], product["invoice_policy"]) == ("service", "order")
    priced = lines_of(shop, order, service)
    assert totals(priced) == cents(parent["row_total"])
    assert all(taxes_of(shop, line) for line in priced)
    for part in parts:
        # Goods move once, and their catalog price and their default tax stay away.
        goods = product_of(shop, part["sku"])
        assert template_of(shop, goods)["taxes_id"]
        line = line_of(shop, order, goods)
        assert (line["price_unit"], taxes_of(shop, line)) == (0, [])
        assert cents(line["product_uom_qty"]) == cents(part["qty_ordered"])


def test_a_fixed_bundle_is_the_service_that_it_is_mapped_to(open_shop: OpenShop) -> None:
    shop = open_shop()
    ours = shop.box.odoo.seed_products(["OUR-BUNDLES"])["OUR-BUNDLES"]
    map_to(shop, "service", "bundle", ours)
    raw = new_order(shop, "bundle, fixed price")
    order = done(shop, raw)
    (parent,) = (item for item in raw["items"] if item["product_type"] == "bundle")
    assert totals(lines_of(shop, order, ours)) == cents(parent["row_total"])
    assert shop.ledger.bindings.get("shop", "service", "bundle") is None


@pytest.mark.parametrize("version", VERSIONS)
def test_a_configurable_is_one_line_with_the_childs_product_and_the_parents_price(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    raw = new_order(shop, "configurable")
    parent = next(item for item in raw["items"] if item["product_type"] == "configurable")
    child = next(item for item in raw["items"] if item.get("parent_item_id") == parent["item_id"])
    assert parent["product_id"] != child["product_id"]
    raw["items"] = [parent, child]
    order = done(shop, only_lines(shop, raw))
    lines = lines_of(shop, order, product_of(shop, child["sku"]))
    assert totals(lines) == cents(parent["row_total"])
    # Bound is the child: the configurable is no product that could be delivered.
    bound = shop.ledger.bindings.get_many("shop", "product", [child["product_id"], parent["product_id"]])
    assert set(bound) == {str(child["product_id"])}
    binding = shop.ledger.bindings.get("shop", "order", raw["entity_id"])
    assert binding is not None
    items = binding.order_items_json or {}
    assert items[str(parent["item_id"])] == items[str(child["item_id"])]


def only_lines(shop: Shop, raw: Raw) -> Raw:
    """Return the order with the totals of its lines and nothing else: no shipping, no discount."""
    tops = [item for item in raw["items"] if not item.get("parent_item_id")]
    net = sum((cents(item["row_total"]) for item in tops), Decimal(0))
    tax = sum((cents(item["tax_amount"]) for item in tops), Decimal(0))
    nothing = dict.fromkeys(
        ("shipping_amount", "shipping_incl_tax", "shipping_tax_amount", "discount_amount"), 0
    )
    raw |= {**nothing, "subtotal": float(net), "tax_amount": float(tax), "grand_total": float(net + tax)}
    (applied,) = raw["extension_attributes"]["applied_taxes"]
    applied["amount"] = float(tax)
    return put(shop, raw)


@pytest.mark.parametrize("version", VERSIONS)
def test_custom_options_stand_in_the_text_and_their_sku_is_in_no_catalog_rules_1_7(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    raw = new_order(shop, "custom options")
    (item,) = raw["items"]
    assert item["sku"] == "SIM-OPT-ENGR-RH"
    order = done(shop, raw)
    # By the product's id, whose SKU in the catalog is another one.
    (words, choice) = item["product_option"]["extension_attributes"]["custom_options"]
    for line in lines_of(shop, order, product_of(shop, "SIM-OPT")):
        assert f"Option 1: {words['option_value']}" in line["name"]
        assert f"Option 2: {choice['option_value']}" in line["name"]
        assert "SIM-OPT-ENGR-RH" in line["name"]
    assert shop.box.odoo.find("product.product", default_code="SIM-OPT-ENGR-RH") is None


@pytest.mark.parametrize(
    ("kind", "has_shipping"), [("virtual", False), ("downloadable", False), ("grouped", True)]
)
def test_other_types_are_lines_of_their_own(open_shop: OpenShop, kind: str, has_shipping: bool) -> None:
    shop = open_shop()
    raw = new_order(shop, kind)
    order = done(shop, raw)
    for item in raw["items"]:
        lines = lines_of(shop, order, product_of(shop, item["sku"]))
        assert sum(cents(line["product_uom_qty"]) for line in lines) == cents(item["qty_ordered"])
        assert totals(lines) == cents(item["row_total"])
    goods = {product_of(shop, item["sku"]) for item in raw["items"]}
    others = [line for line in shop.lines(order["id"]) if line["product_id"] not in goods]
    assert bool(others) == has_shipping


def test_two_lines_of_one_sku_stay_two_and_are_told_by_item_id_facts_7(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_order(shop, "same SKU on two lines")
    first, second = raw["items"]
    assert first["sku"] == second["sku"]
    done(shop, raw)
    binding = shop.ledger.bindings.get("shop", "order", raw["entity_id"])
    assert binding is not None
    items: dict[str, Any] = dict(binding.order_items_json or {})
    ids = [{part["line_id"] for part in items[str(item["item_id"])]} for item in (first, second)]
    assert ids[0] and ids[1] and not ids[0] & ids[1]

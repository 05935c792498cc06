"""Which Odoo product a line is: by binding, else by the SKU of the catalog, else by its own (RULES 1.7)."""

from __future__ import annotations

import pytest

from tests.flows.conftest import OpenShop
from tests.support.imports import blocked, done, lines_of, product_of, retried, template_of
from tests.support.orders import Raw, calls, new_order, put, stored
from tests.support.shop import Shop

VERSIONS = (16, 18, 19)


def order_of(shop: Shop, *skus: str, kind: str = "simple") -> Raw:
    """Return an order of one line for each SKU, with products of the catalog that nobody bound yet; not mapped."""
    raw = new_order(shop, kind)
    item = raw["items"][0]
    rows = []
    for number, sku in enumerate(skus):
        product_id = 700_000 + raw["entity_id"] * 10 + number
        catalog(shop, product_id, sku)
        # The first has the money, the others are free.
        free = dict.fromkeys(("price", "price_incl_tax", "row_total", "row_total_incl_tax", "tax_amount"), 0)
        rows.append(
            {**item, **(free if number else {}), "item_id": item["item_id"] + number * 1000, "sku": sku,
             "product_id": product_id, "extension_attributes": {} if number else item["extension_attributes"]}
        )  # fmt: skip
    raw["items"] = rows
    return put(shop, raw, is_mapped=False)


def catalog(shop: Shop, product_id: int, sku: str) -> None:
    known = shop.box.magento.catalog.all()[0]
    shop.box.magento.catalog.add({**known, "id": product_id, "sku": sku, "name": sku})


def make(shop: Shop, sku: str, **values: object) -> int:
    return shop.box.odoo.create("product.product", {"name": sku, "default_code": sku, **values})


@pytest.mark.parametrize("version", VERSIONS)
def test_a_product_is_found_by_its_sku_once_and_by_its_binding_from_then_on(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    raw = order_of(shop, f"FOUND-{version}")
    goods = make(shop, f"FOUND-{version}")
    assert lines_of(shop, done(shop, raw), goods)
    # Its SKU is another one in both systems now: the binding does not ask.
    shop.box.odoo.write("product.product", goods, {"default_code": f"RENAMED-{version}"})
    numbers = new_order(shop, is_mapped=False)
    kept = {name: numbers[name] for name in ("entity_id", "increment_id", "quote_id")}
    again = put(shop, {**raw, **kept}, is_mapped=False)
    shop.box.calls.reset()
    assert lines_of(shop, done(shop, again), goods)
    assert "magento: GET /V1/products" not in calls(shop)
    assert "odoo: product.product.search_read" not in calls(shop)


def test_the_sku_that_the_catalog_has_now_goes_before_that_of_the_line(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = order_of(shop, "OLD-NAME")
    item = raw["items"][0]
    catalog(shop, item["product_id"], "NEW-NAME")
    old, new = make(shop, "OLD-NAME"), make(shop, "NEW-NAME")
    order = done(shop, raw)
    assert lines_of(shop, order, new)
    assert old not in {line["product_id"] for line in shop.lines(order["id"])}


def test_a_product_that_magento_deleted_is_found_by_the_lines_sku(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = order_of(shop, "DELETED-THERE")
    shop.box.magento.catalog.remove("DELETED-THERE")
    goods = make(shop, "DELETED-THERE")
    assert lines_of(shop, done(shop, raw), goods)


def test_a_sku_is_found_without_regard_to_case_and_its_signs_are_no_wildcards(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = order_of(shop, "Mixed_Case%1")
    make(shop, "MixedXCaseYY1")
    goods = make(shop, "MIXED_CASE%1")
    assert lines_of(shop, done(shop, raw), goods)


def test_all_unknown_products_are_named_at_once_and_a_retry_finds_them(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = order_of(shop, "UNKNOWN-1", "UNKNOWN-2")
    job = blocked(shop, raw, "product_unknown")
    assert "UNKNOWN-1" in (job.error or "")
    assert "UNKNOWN-2" in (job.error or "")
    assert "auto_create_products" in (job.help or "")
    goods = [make(shop, "UNKNOWN-1"), make(shop, "UNKNOWN-2")]
    order = stored(shop, retried(shop, job))
    assert set(goods) < {line["product_id"] for line in shop.lines(order["id"])}


def test_two_odoo_products_of_one_sku_are_not_chosen_between_odoo_facts_4(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = order_of(shop, "TWICE")
    first, second = make(shop, "TWICE"), make(shop, "TWICE")
    job = blocked(shop, raw, "duplicate_record")
    assert "TWICE" in (job.error or "")
    shop.box.odoo.write("product.product", first, {"default_code": "ONCE"})
    assert lines_of(shop, stored(shop, retried(shop, job)), second)


@pytest.mark.parametrize("version", VERSIONS)
def test_auto_create_makes_one_storable_product_however_many_lines_and_orders_it_has(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version, auto_create_products=True)
    sku = f"MADE-{version}"
    raw = order_of(shop, sku)
    first = raw["items"][0]
    free = dict.fromkeys(("price", "price_incl_tax", "row_total", "row_total_incl_tax", "tax_amount"), 0)
    raw["items"].append({**first, **free, "item_id": first["item_id"] + 1000, "extension_attributes": {}})
    order = done(shop, put(shop, raw, is_mapped=False))
    made = [row for row in shop.box.odoo.records("product.product") if row.get("default_code") == sku]
    assert len(made) == 1
    assert len(lines_of(shop, order, made[0]["id"])) >= 2
    product = template_of(shop, made[0]["id"])
    assert product["name"] == first["name"]
    if version < 18:
        assert product["detailed_type"] == "product"
    else:
        assert (product["type"], product["is_storable"]) == ("consu", True)


@pytest.mark.parametrize("version", VERSIONS)
def test_auto_create_makes_what_is_not_shipped_a_service(open_shop: OpenShop, version: int) -> None:
    shop = open_shop(version, auto_create_products=True)
    sku = f"MADE-VIRTUAL-{version}"
    done(shop, order_of(shop, sku, kind="virtual"))
    product = template_of(shop, product_of(shop, sku))
    assert (product["type"], product["invoice_policy"]) == ("service", "order")


def test_a_product_that_was_deleted_in_odoo_blocks_and_is_looked_for_anew(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = order_of(shop, "DELETED-HERE")
    goods = make(shop, "DELETED-HERE")
    done(shop, raw)
    numbers = new_order(shop, is_mapped=False)
    kept = {name: numbers[name] for name in ("entity_id", "increment_id", "quote_id")}
    again = put(shop, {**raw, **kept}, is_mapped=False)
    for line in lines_of(shop, shop.sale_orders(raw)[0], goods):
        shop.box.odoo.delete("sale.order.line", line["id"])
    shop.box.odoo.delete("product.product", goods)
    job = blocked(shop, again, "bound_record_gone")
    assert "DELETED-HERE" in (job.error or "")
    successor = make(shop, "DELETED-HERE")
    assert lines_of(shop, stored(shop, retried(shop, job)), successor)

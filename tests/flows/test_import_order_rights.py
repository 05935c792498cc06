"""What the bridge's Odoo user needs: the rights of docs/operations.md are enough, and no more is asked for."""

from __future__ import annotations

import pytest

from tests.flows.conftest import OpenShop
from tests.support.orders import bound, cents, changed, new_order, stored

VERSIONS = (16, 18, 19)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_documented_rights_import_confirm_and_change_an_order(open_shop: OpenShop, version: int) -> None:
    shop = open_shop(version, own_box=True, order_action="confirm")
    raw = new_order(shop, "coupon, percent")
    shop.box.odoo.set_rights("products")
    job = shop.import_order(raw)
    assert (job.state, job.error) == ("done", None)
    order = stored(shop, job)
    assert (order["state"], cents(order["amount_total"])) == ("sale", cents(raw["grand_total"]))
    changed(shop, raw, items=[{**item, "qty_canceled": item["qty_ordered"]} for item in raw["items"]])
    assert shop.import_order(raw).state == "done"
    quantities = {line["product_uom_qty"] for line in shop.lines(bound(shop, raw)["id"])}
    assert 0 in quantities


@pytest.mark.parametrize("version", VERSIONS)
def test_a_user_who_makes_no_products_works_with_service_products_that_are_named(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version, own_box=True)
    raw = new_order(shop)
    shop.box.odoo.set_rights("contacts")
    job = shop.import_order(raw)
    assert (job.state, job.error_code) == ("blocked", "access_missing")
    assert "Product creation" in (job.help or "")
    named = {
        code: shop.box.odoo.find("product.product", default_code=code) for code in ("SHIPPING", "DISCOUNT")
    }
    adjustment = shop.box.odoo.find("product.product", default_code="ADJUSTMENT")
    shop.set(
        shipping_product_id=named["SHIPPING"],
        discount_product_id=named["DISCOUNT"],
        adjustment_product_id=adjustment,
    )
    shop.ledger.jobs.retry(job.id)
    shop.work()
    assert cents(bound(shop, raw)["amount_total"]) == cents(raw["grand_total"])

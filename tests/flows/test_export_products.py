"""Products from Odoo to Magento: made and changed by SKU, only what changed, in the scope that is meant."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.outward_shop import OutwardShop

VERSIONS = (16, 18, 19)
SKUS = ("OUT/{} a", "OUT {} & more", "00{}", "ÄÖ-{}", "out.{}+x", "OUT,{}")


def outward(open_shop: OpenShop, version: int = 18, **settings: Any) -> OutwardShop:
    given = {"export_products": True, "sync_direction": "odoo", "auto_create_products": True, **settings}
    return OutwardShop(open_shop(version, **given))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("form", SKUS)
def test_a_product_is_made_once_whatever_its_sku(open_shop: OpenShop, version: int, form: str) -> None:
    shop = outward(open_shop, version)
    sku = shop.new_sku(form)
    product_id = shop.make(
        sku, list_price=12.5, weight=1.0, description="<p>Good</p>", description_sale="Very\ngood"
    )
    shop.forget_calls()
    job = shop.export(product_id)
    assert (job.state, job.result) == ("done", {"made": 1})
    raw, attributes = shop.raw(sku), shop.attributes(sku)
    assert (raw["name"], raw["price"], raw["status"], raw["visibility"]) == (f"Name of {sku}", 12.5, 1, 4)
    assert (attributes["description"], attributes["short_description"]) == ("<p>Good</p>", "Very<br>good")
    # The shop weighs in pounds.
    assert raw["weight"] == pytest.approx(2.204623)
    assert raw["extension_attributes"]["website_ids"] == [1, 2]
    binding = shop.ledger.bindings.get("shop", "product", raw["id"])
    assert binding is not None and binding.odoo_id == product_id
    assert shop.writes() == ["POST /V1/products"]
    shop.forget_calls()
    assert shop.export(product_id).result == {"unchanged": 1}
    assert shop.writes() == []


@pytest.mark.parametrize("version", VERSIONS)
def test_only_what_changed_is_written_and_at_the_global_scope(open_shop: OpenShop, version: int) -> None:
    shop = outward(open_shop, version)
    sku = shop.new_sku()
    product_id = shop.make(sku)
    shop.export(product_id)
    shop.magento.catalog.change(sku, {"meta_title": "By hand", "price": 99}, is_silent=True)
    shop.magento.catalog.set_texts(sku, "de", {"name": "Eigener Name"})
    shop.edit(product_id, name="New", weight=2.0, active=True)
    shop.forget_calls()
    assert shop.export(product_id).result == {"updated": 1}
    (call,) = [one for one in shop.shop.box.calls.last("magento") if one.method == "PUT"]
    assert call.path.startswith("/rest/all/V1/products/")
    assert (shop.raw(sku)["name"], shop.raw(sku, "de")["name"]) == ("New", "Eigener Name")
    assert (shop.attributes(sku)["meta_title"], shop.raw(sku)["price"]) == ("By hand", 99)


def test_nothing_is_written_while_export_is_off(open_shop: OpenShop) -> None:
    shop = outward(open_shop, export_products=False)
    product_id = shop.make(shop.new_sku())
    known = shop.odoo.find("product.product", default_code="SIM-01") or shop.make("SIM-01")
    shop.forget_calls()
    assert shop.export(product_id).result == {"missing": 1}
    shop.export(known)
    shop.edit(known, name="Edited")
    shop.export(known)
    assert shop.writes() == []
    assert shop.raw("SIM-01")["name"] == "Simple Product 1"


def test_a_product_that_magento_has_is_bound_and_keeps_what_it_has(open_shop: OpenShop) -> None:
    shop = outward(open_shop)
    sku = shop.magento.add_products(1, configurable_share=0)[0]["sku"]
    before = shop.raw(sku)
    product_id = shop.make(str(sku).upper(), weight=3.0)
    shop.forget_calls()
    assert shop.export(product_id).result == {"bound": 1}
    assert (shop.writes(), shop.raw(sku)) == ([], before)
    shop.edit(product_id, name="Named in Odoo")
    assert shop.export(product_id).result == {"updated": 1}
    assert (shop.raw(sku)["name"], shop.raw(sku).get("weight")) == ("Named in Odoo", before.get("weight"))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_archived_product_is_disabled_and_comes_back(open_shop: OpenShop, version: int) -> None:
    shop = outward(open_shop, version)
    sku = shop.new_sku()
    product_id = shop.make(sku)
    shop.export(product_id)
    shop.edit(product_id, active=False)
    shop.export(product_id)
    assert shop.raw(sku)["status"] == 2
    shop.edit(product_id, active=True)
    shop.export(product_id)
    assert shop.raw(sku)["status"] == 1

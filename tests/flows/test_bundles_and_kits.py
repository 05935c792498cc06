"""Bundles and grouped products of Magento beside kits of Odoo: bound for orders' sake, and never delivered twice (RULES 1.6)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from bridge.ledger import Pair
from tests.flows.conftest import OpenShop
from tests.support.catalog_shop import CatalogShop
from tests.support.imports import done
from tests.support.orders import Raw, new_order
from tests.support.products import FakeCatalog, recorded_product
from tests.support.shop import Shop

OpenCatalog = Callable[..., CatalogShop]
VERSIONS = (16, 18, 19)
#: Magento's ids by what was recorded.
BUNDLES = {"035-product-get-bundle-dynamic": 39, "037-product-get-grouped": 42}


def parts_of(raw: Raw) -> tuple[Raw, dict[str, Decimal]]:
    """Return the bundle of an order, and the units of each part by SKU."""
    (parent,) = (item for item in raw["items"] if item["product_type"] == "bundle")
    units: dict[str, Decimal] = {}
    for item in raw["items"]:
        if item.get("parent_item_id") == parent["item_id"]:
            units[item["sku"]] = units.get(item["sku"], Decimal(0)) + Decimal(str(item["qty_ordered"]))
    return parent, units


def moved(shop: Shop, order: Raw) -> dict[int, Decimal]:
    """Return the units that the deliveries of an order move, by product."""
    lines = {line["id"] for line in shop.lines(order["id"])}
    found: dict[int, Decimal] = {}
    for move in shop.box.odoo.records("stock.move"):
        if move.get("sale_line_id") in lines and move["state"] != "cancel":
            quantity = Decimal(str(move["product_uom_qty"]))
            found[move["product_id"]] = found.get(move["product_id"], Decimal(0)) + quantity
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["bundle, dynamic price", "bundle, fixed price"])
def test_a_bundle_that_is_a_kit_in_odoo_moves_its_parts_once(open_shop: OpenShop, version: int, kind: str):
    shop = open_shop(version, own_box=True, order_action="confirm")
    odoo = shop.box.odoo
    raw = new_order(shop, kind)
    parent, units = parts_of(raw)
    ids = odoo.seed_products(units)
    kit = odoo.create("product.product", {"name": "Kit", "default_code": parent["sku"]})
    odoo.add_kit(kit, {ids[sku]: 1 for sku in units})
    bound = Pair(
        magento_id=str(parent["product_id"]),
        odoo_model="product.product",
        odoo_id=kit,
        magento_label=parent["sku"],
    )
    shop.ledger.bindings.bind_many("shop", "product", [bound])
    order = done(shop, raw)
    assert kit not in {line["product_id"] for line in shop.lines(order["id"])}
    in_bundle = {ids[sku]: quantity for sku, quantity in units.items()}
    others = moved(shop, order)
    assert {product: others.get(product) for product in in_bundle} == in_bundle


@pytest.mark.parametrize("version", VERSIONS)
def test_a_part_of_a_bundle_that_is_a_kit_in_odoo_moves_what_the_kit_is_made_of(
    open_shop: OpenShop, version: int
):
    shop = open_shop(version, own_box=True, order_action="confirm")
    odoo = shop.box.odoo
    raw = new_order(shop, "bundle, dynamic price")
    _, units = parts_of(raw)
    sku, quantity = next(iter(units.items()))
    (screw,) = odoo.seed_products(["SCREW"]).values()
    odoo.add_kit(odoo.seed_products(units)[sku], {screw: 4})
    assert moved(shop, done(shop, raw))[screw] == 4 * quantity


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("bill", ["of the product", "of its template", "none"])
def test_bundles_and_grouped_products_are_bound_by_their_sku_whatever_bill_odoo_has(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int, bill: str
):
    shop = open_catalog(version)
    catalog.put(*(recorded_product(name) for name in BUNDLES))
    (part,) = shop.odoo.seed_products(["SCREW"]).values()
    made = {}
    for name, product_id in BUNDLES.items():
        sku = recorded_product(name).sku
        made[product_id] = shop.odoo.create("product.product", {"name": sku, "default_code": sku})
        if bill != "none":
            shop.odoo.add_kit(made[product_id], {part: 2}, is_own=bill == "of the product")
    before = shop.odoo.records("product.product")
    job = shop.batch(*BUNDLES.values())
    assert (job.state, job.result) == ("done", {"bound": 2})
    assert {one: shop.bound(one) for one in BUNDLES.values()} == made
    assert shop.odoo.records("product.product") == before


def test_two_kits_with_the_sku_of_a_bundle_are_a_question_for_a_person(
    open_catalog: OpenCatalog, catalog: FakeCatalog
):
    shop = open_catalog()
    catalog.put(recorded_product("035-product-get-bundle-dynamic"))
    (part,) = shop.odoo.seed_products(["SCREW"]).values()
    for _ in range(2):
        kit = shop.odoo.create("product.product", {"name": "Kit", "default_code": "BUN-DYN"})
        shop.odoo.add_kit(kit, {part: 2})
    shop.batch(39)
    job = shop.own_job(39)
    assert (job.state, job.error_code, shop.bound(39)) == ("blocked", "duplicate_record", None)

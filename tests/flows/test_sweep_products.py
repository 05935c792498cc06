"""``sweep-products``: all products by id, compared with what Odoo was sent."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.flows.wants import PLACES
from bridge.ledger import Job
from tests.flows.conftest import OpenCatalog, OpenShop
from tests.support.catalog_shop import CatalogShop
from tests.support.products import FakeCatalog, a_family, a_product

WRITES = ("load", "write", "create")


@pytest.fixture
def shop(open_shop: OpenShop) -> CatalogShop:
    """Give a shop whose 180 products of all kinds are imported."""
    opened = CatalogShop(open_shop(18, own_box=True, auto_create_products=True), FakeCatalog())
    opened.shop.box.magento.add_products(130)
    assert set(opened.run().jobs) == {"done"}
    opened.forget_calls()
    return opened


def sweep(shop: CatalogShop) -> tuple[Job, list[Job]]:
    """Run a sweep through the whole catalog of the sandbox; return its planner and its batches."""
    planner, batches, seen = _sweep(shop)
    assert seen == len(shop.shop.box.magento.catalog.all())
    return planner, batches


def swept(shop: CatalogShop) -> tuple[Job, list[Job]]:
    """Run a sweep through a catalog of a test's own."""
    return _sweep(shop)[:2]


def _sweep(shop: CatalogShop) -> tuple[Job, list[Job], int]:
    place = PLACES["sweep-products"]
    run = shop.ledger.runs.start(
        "shop", "sweep-products", {}, queue=place.queue, lock_key="sweep-products", systems=place.systems
    )
    shop.shop.work()
    progress = shop.ledger.runs.progress(run.id)
    assert progress.run.state == "done"
    batches = shop.ledger.jobs.list(run_id=run.id, limit=100)
    return shop.shop.job(run.planner_job_id), batches, progress.run.seen


def simple(shop: CatalogShop) -> dict[str, Any]:
    """Return a product that stands alone, changed before the last seconds that a scan reads again."""
    return next(
        raw
        for raw in shop.shop.box.magento.catalog.all()
        if raw["type_id"] == "simple" and raw["visibility"] == 4 and raw["status"] == 1
    )


def child_and_parent(shop: CatalogShop) -> tuple[dict[str, Any], dict[str, Any]]:
    catalog = shop.shop.box.magento.catalog
    parent = [raw for raw in catalog.all() if raw["type_id"] == "configurable"][-1]
    return catalog.children(parent["sku"])[0], parent


def test_an_unchanged_catalog_makes_no_batch_and_asks_odoo_nothing(shop: CatalogShop) -> None:
    planner, batches = sweep(shop)
    assert (planner.result["pass"], batches) == ("others", [])
    assert "differ" not in planner.result
    assert shop.calls() == []


def test_a_configurable_whose_variants_stand_alone_in_odoo_needs_no_template(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    for sku in ("SHIRT-S", "SHIRT-M"):
        shop.odoo.create("product.product", {"name": sku, "default_code": sku})
    catalog.put(*a_family())
    shop.run()
    assert swept(shop)[1] == []
    # A child that Odoo lacks makes a difference.
    catalog.put(a_product(product_id=503, sku="SHIRT-L", attributes={"size": "6"}))
    catalog.change(500, child_ids=(501, 502, 503))
    assert [one.data["ids"] for one in swept(shop)[1]] == [[500]]


def test_a_silent_change_is_found_and_only_that_is_written(shop: CatalogShop) -> None:
    raw = simple(shop)
    shop.shop.box.magento.catalog.change(raw["sku"], {"name": "Changed in bulk"}, is_silent=True)
    # A scan by change does not see it.
    shop.run()
    assert shop.row(raw["sku"])["name"] != "Changed in bulk"
    shop.forget_calls()
    planner, batches = sweep(shop)
    assert shop.row(raw["sku"])["name"] == "Changed in bulk"
    assert (planner.result["differ"], [one.data["ids"] for one in batches]) == (1, [[raw["id"]]])
    assert [call for call in shop.calls() if call.rpartition(".")[2] in WRITES] == ["product.product.load"]
    assert sweep(shop)[1] == []


def test_prices_and_costs_that_changed_in_bulk_are_found_also_those_of_variants(shop: CatalogShop) -> None:
    raw, (child, parent) = simple(shop), child_and_parent(shop)
    catalog = shop.shop.box.magento.catalog
    catalog.change(raw["sku"], {"price": 3.21}, is_silent=True)
    for one in catalog.children(parent["sku"]):
        catalog.change(one["sku"], {"price": 4.5}, is_silent=True)
    shop.run()
    assert shop.row(raw["sku"])["list_price"] != 3.21
    _, batches = sweep(shop)
    assert sorted(one.data["ids"] for one in batches) == sorted([[raw["id"]], [parent["id"]]])
    assert (shop.row(raw["sku"])["list_price"], shop.row(child["sku"])["list_price"]) == (3.21, 4.5)
    assert sweep(shop)[1] == []


def test_a_changed_child_brings_its_configurable(shop: CatalogShop) -> None:
    child, parent = child_and_parent(shop)
    shop.shop.box.magento.catalog.change(child["sku"], {"weight": 7.25}, is_silent=True)
    _, batches = sweep(shop)
    assert [one.data["ids"] for one in batches] == [[parent["id"]]]
    # The shop has pounds, Odoo kilograms.
    assert shop.row(child["sku"])["weight"] == pytest.approx(3.288545)


def test_a_child_that_came_in_silence_is_made_as_a_variant_and_not_alone(shop: CatalogShop) -> None:
    child, parent = child_and_parent(shop)
    catalog = shop.shop.box.magento.catalog
    taken = {
        tuple(row["value"] for row in one["custom_attributes"] if row["attribute_code"] in {"color", "size"})
        for one in catalog.children(parent["sku"])
    }
    free = next((c, s) for c in "789" for s in "456" if (c, s) not in taken and (s, c) not in taken)
    new = {
        **child,
        "id": catalog.next_id(),
        "sku": f"{parent['sku']}-NEW",
        "updated_at": "2020-01-01 00:00:00",
    }
    kept = [row for row in child["custom_attributes"] if row["attribute_code"] not in {"color", "size"}]
    new["custom_attributes"] = [
        *kept,
        {"attribute_code": "color", "value": free[0]},
        {"attribute_code": "size", "value": free[1]},
    ]
    catalog.add(new)
    extension = {**parent["extension_attributes"]}
    extension["configurable_product_links"] = [*extension["configurable_product_links"], new["id"]]
    catalog.change(parent["sku"], {"extension_attributes": extension}, is_silent=True)
    sweep(shop)
    template = shop.bound(parent["id"], "product_template")
    assert shop.row(new["sku"])["product_tmpl_id"] == template


def test_what_is_gone_in_magento_is_named_and_kept_in_odoo(shop: CatalogShop) -> None:
    raw = simple(shop)
    child, _ = child_and_parent(shop)
    newest = shop.shop.box.magento.catalog.all()[-1]
    names = {raw["sku"], child["sku"], newest["sku"]}
    for sku in names:
        shop.shop.box.magento.catalog.remove(sku)
    planner, _ = sweep(shop)
    assert planner.result["gone"] == len(names)
    assert set(planner.result["named"]) == names
    assert shop.row(raw["sku"])["active"]


def test_a_sweep_goes_on_where_it_was_and_is_bounded_by_a_page(shop: CatalogShop) -> None:
    shop.shop.box.calls.reset()
    sweep(shop)
    pages = shop.shop.box.calls.total("magento", contains="/V1/products")
    count = len(shop.shop.box.magento.catalog.all())
    # Twice over all of them; texts of the store view with a language of its own once.
    assert pages <= 2 * (count // 100 + 1) + 2 * (count // 100 + 1)

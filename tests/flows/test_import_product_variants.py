"""Configurables: a template with dynamic attributes, and only the variants that Magento has (RULES 2.1)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.engine import run_job
from bridge.flows.wants import PLACES
from bridge.translate.catalog_records import ConfigurableOption
from tests.flows.conftest import OpenCatalog
from tests.support.products import (
    COLOR,
    SIZE,
    FakeCatalog,
    a_family,
    a_product,
    an_attribute,
    recorded_product,
)
from tests.support.shop import ROOM

VERSIONS = (16, 18, 19)


def variants(shop, template_id):
    """Return the SKUs of a template's variants with the names of their values."""
    own = {
        row["id"]: row["product_attribute_value_id"]
        for row in shop.odoo.records("product.template.attribute.value")
    }
    names = {row["id"]: row["name"] for row in shop.odoo.records("product.attribute.value")}
    return {
        row["default_code"]: sorted(names[own[one]] for one in row["product_template_attribute_value_ids"])
        for row in shop.odoo.records("product.product")
        if row["product_tmpl_id"] == template_id
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_a_recorded_configurable_becomes_a_template_with_its_variants(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    parent, child = (
        recorded_product("033-product-get-configurable"),
        recorded_product("034-product-get-configurable-child"),
    )
    chosen = [(color, size) for color in ("7", "8") for size in ("4", "5", "6")]
    # The last one is not made in Magento: so it is not made in Odoo either.
    children = [
        replace(
            child, product_id=25 + n, sku=f"TSHIRT-{color}-{size}", attributes={"color": color, "size": size}
        )
        for n, (color, size) in enumerate(chosen[:-1])
    ]
    catalog.put(*children, replace(parent, child_ids=tuple(one.product_id for one in children)))
    progress = shop.run()
    assert progress.jobs == {"done": 1}
    template_id = shop.bound(31, "product_template")
    assert variants(shop, template_id) == {
        "TSHIRT-7-4": ["Red", "S"],
        "TSHIRT-7-5": ["M", "Red"],
        "TSHIRT-7-6": ["L", "Red"],
        "TSHIRT-8-4": ["Blue", "S"],
        "TSHIRT-8-5": ["Blue", "M"],
    }
    row = shop.row("TSHIRT-7-4")
    assert (row["name"], row["list_price"], shop.bound(25)) == ("Tshirt", 24.9, row["id"])
    attributes = shop.odoo.records("product.attribute")
    assert {one["create_variant"] for one in attributes} == {"dynamic"}
    # All of it again: nothing is written.
    shop.forget_calls()
    assert shop.run(updated_from="2026-01-01T00:00:00+00:00").jobs == {"done": 1}
    assert shop.calls() == []


@pytest.mark.parametrize("version", VERSIONS)
def test_attributes_and_values_are_made_once_and_reused(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    catalog.put(*a_family(parent_id=500), *a_family(parent_id=600, sku="TROUSERS"))
    shop.forget_calls()
    shop.run()
    assert shop.calls().count("product.template.load") == 1
    assert shop.calls().count("product.product.load") == 1
    catalog.put(*a_family(parent_id=700, sku="SOCKS", sizes={"4": "S", "6": "L"}))
    shop.run()
    assert [row["name"] for row in shop.odoo.records("product.attribute")] == ["Size"]
    assert [row["name"] for row in shop.odoo.records("product.attribute.value")] == ["S", "M", "L"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_new_child_with_a_new_option_is_added_to_the_template(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    catalog.put(*a_family())
    shop.run()
    template_id = shop.bound(500, "product_template")
    before = shop.row("SHIRT-S")["id"]
    catalog.put(*a_family(sizes={"4": "S", "5": "M", "6": "L"}))
    shop.run()
    assert variants(shop, template_id) == {"SHIRT-S": ["S"], "SHIRT-M": ["M"], "SHIRT-L": ["L"]}
    assert shop.row("SHIRT-S")["id"] == before


@pytest.mark.parametrize("version", VERSIONS)
def test_changes_of_parent_and_child_go_where_they_belong(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    catalog.put(*a_family())
    shop.run()
    catalog.change(501, name="Child's own name", weight=Decimal(4), is_enabled=False)
    catalog.change(500, name="Parent's new name")
    shop.run()
    small, medium = shop.row("SHIRT-S"), shop.row("SHIRT-M")
    assert (small["name"], small["active"], small["weight"]) == ("Parent's new name", False, 1.814369)
    assert (medium["name"], medium["active"]) == ("Parent's new name", True)
    catalog.change(500, is_enabled=False)
    catalog.change(501, is_enabled=True)
    shop.run()
    templates = {row["id"]: row["active"] for row in shop.odoo.records("product.template")}
    assert templates[shop.bound(500, "product_template")] is False


def test_variants_that_odoo_had_before_are_bound_by_sku_with_their_template(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    attribute = shop.odoo.create("product.attribute", {"name": "Size", "create_variant": "always"})
    values = [
        shop.odoo.create("product.attribute.value", {"name": one, "attribute_id": attribute}) for one in "SM"
    ]
    line = {"attribute_id": attribute, "value_ids": [[6, 0, values]]}
    template = shop.odoo.create("product.template", {"name": "Mine", "attribute_line_ids": [[0, 0, line]]})
    ids = [row["id"] for row in shop.odoo.records("product.product") if row["product_tmpl_id"] == template]
    for one, sku in zip(ids, ("SHIRT-S", "SHIRT-M"), strict=True):
        shop.odoo.write("product.product", one, {"default_code": sku})
    catalog.put(*a_family(sizes={"4": "S", "5": "M", "6": "L"}))
    job = shop.batch(500)
    # What is missing there has attributes of its own: a person adds it.
    assert job.result == {"bound": 2, "missing": ["SHIRT-L"]}
    assert (shop.bound(501), shop.bound(502), shop.bound(503)) == (*ids, None)
    assert shop.bound(500, "product_template") == template
    assert shop.row("SHIRT-S")["name"] == "Mine"
    assert shop.batch(500).result == {"unchanged": 3, "missing": ["SHIRT-L"]}


@pytest.mark.parametrize("version", VERSIONS)
def test_variants_that_stand_alone_in_odoo_stay_alone_and_the_others_get_a_template(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    alone = [shop.odoo.create("product.product", {"name": one, "default_code": one}) for one in ("SHIRT-S",)]
    catalog.put(*a_family(sizes={"4": "S", "5": "M", "6": "L"}))
    assert shop.batch(500).result == {"bound": 1, "made": 3}
    assert shop.bound(501) == alone[0]
    template = shop.bound(500, "product_template")
    assert {shop.row(sku)["product_tmpl_id"] for sku in ("SHIRT-M", "SHIRT-L")} == {template}
    assert shop.row("SHIRT-S")["product_tmpl_id"] != template
    assert shop.batch(500).result == {"unchanged": 4}
    catalog.change(500, name="Blouse")
    shop.batch(500)
    assert (shop.row("SHIRT-S")["name"], shop.row("SHIRT-M")["name"]) == ("SHIRT-S", "Blouse")


def test_no_template_is_made_where_every_variant_stands_alone_in_odoo(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    for sku in ("SHIRT-S", "SHIRT-M"):
        shop.odoo.create("product.product", {"name": sku, "default_code": sku})
    catalog.put(*a_family())
    there = len(shop.odoo.records("product.template"))
    assert shop.batch(500).result == {"bound": 2}
    assert shop.batch(500).result == {"unchanged": 2}
    assert len(shop.odoo.records("product.template")) == there


def test_without_leave_nothing_of_a_configurable_is_made(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog(auto_create_products=False)
    catalog.put(*a_family())
    assert shop.batch(500).result == {"missing": ["SHIRT", "SHIRT-M", "SHIRT-S"]}
    assert shop.odoo.records("product.attribute") == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_child_whose_option_was_deleted_blocks_alone(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    catalog.put(*a_family(sizes={"4": "S", "99": "XL"}))
    assert shop.batch(500).result == {"made": 2, "jobs_of_their_own": [502]}
    own = shop.own_job(502)
    assert (own.state, own.error_code) == ("blocked", "product_unclear")
    assert "option 99 of Size" in (own.error or "")
    assert variants(shop, shop.bound(500, "product_template")) == {"SHIRT-S": ["S"]}
    catalog.change(502, attributes={"size": "6"})
    catalog.change(500, options=(ConfigurableOption(attribute_id=SIZE, values=("4", "6")),))
    shop.ledger.jobs.retry(own.id)
    shop.shop.work()
    assert variants(shop, shop.bound(500, "product_template")) == {"SHIRT-S": ["S"], "SHIRT-XL": ["L"]}


def test_two_children_of_one_combination_are_not_both_made(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    catalog.put(*a_family())
    catalog.change(502, attributes={"size": "4"})
    assert shop.batch(500).result == {"made": 2, "jobs_of_their_own": [502]}
    assert shop.own_job(502).error_code == "product_refused"
    assert shop.bound(501) is not None


@pytest.mark.parametrize("version", VERSIONS)
def test_an_attribute_of_2000_options_of_which_some_have_one_name(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    labels = {f"_{n}": "Same" if n in {7, 9} else f"Option {n}" for n in range(1, 2001)}
    catalog.known[SIZE] = an_attribute(SIZE, "size", **labels)
    sizes = {str(n): str(n) for n in range(1, 2001)}
    parent = a_family(parent_id=10_000, sizes=sizes)[-1]
    children = a_family(parent_id=10_000, sizes={str(n): str(n) for n in (1, 7, 9, 2000)})[:-1]
    catalog.put(*children, replace(parent, child_ids=tuple(one.product_id for one in children)))
    shop.run()
    assert variants(shop, shop.bound(10_000, "product_template")) == {
        "SHIRT-1": ["Option 1"],
        "SHIRT-7": ["Same (7)"],
        "SHIRT-9": ["Same (9)"],
        "SHIRT-2000": ["Option 2000"],
    }
    # Only what is used is made.
    assert len(shop.odoo.records("product.attribute.value")) == 4


def test_children_are_never_made_alone_though_they_come_first(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    plain = [a_product(product_id=n, sku=f"SKU-{n}") for n in range(1, 120)]
    *children, parent = a_family()
    catalog.put(*children, *plain, parent)
    shop.run()
    template_id = shop.bound(500, "product_template")
    assert variants(shop, template_id) == {"SHIRT-S": ["S"], "SHIRT-M": ["M"]}
    # A child that changed later comes with its configurable, which did not change.
    catalog.change(501, weight=Decimal(10))
    shop.run()
    assert shop.row("SHIRT-S")["weight"] == 4.535924
    assert COLOR not in {int(one.magento_id) for one in shop.ledger.bindings.list("shop", kind="attribute")}


def test_children_wait_for_a_configurable_that_is_blocked(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    catalog.put(*a_family(cost=Decimal(-1)))
    assert shop.run().jobs == {"blocked": 1, "done": 1}
    assert (shop.bound(501), shop.rows("SHIRT-S")) == (None, [])
    catalog.change(501, weight=Decimal(1))
    shop.run()
    assert shop.rows("SHIRT-S") == []
    catalog.change(500, cost=None)
    shop.run()
    assert variants(shop, shop.bound(500, "product_template")) == {"SHIRT-S": ["S"], "SHIRT-M": ["M"]}


def test_a_child_that_changes_while_the_run_is_under_way_is_read_once_more(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    catalog.put(*a_family())
    jobs = shop.ledger.jobs
    run = shop.ledger.runs.start(
        "shop", "import-products", {}, queue=PLACES["import-products"].queue, lock_key="import-products"
    )
    assert run.planner_job_id is not None
    jobs.dispatch(ROOM, limit=100)
    run_job(shop.shop.runtime, run.planner_job_id)
    # The batch of the family is through before the planner comes to the children.
    (batch,) = jobs.list(instance="shop", kind="import-product-batch", limit=10)
    jobs.dispatch(ROOM, limit=100)
    assert run_job(shop.shop.runtime, batch.id) == "done"
    moment = f"{shop.ledger.now():%Y-%m-%d %H:%M:%S}"
    catalog.products[501] = replace(catalog.products[501], sku="SHIRT-SMALL", updated_at=moment)
    shop.shop.work()
    assert shop.ledger.runs.progress(run.id).run.state == "done"
    assert shop.row("SHIRT-SMALL")["id"] == shop.bound(501)

"""Templates with variants become configurables: options added once, children made once and linked, and nothing echoes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.outward_shop import Family, OutwardShop

VERSIONS = (16, 18, 19)


@pytest.fixture
def outward(open_shop: OpenShop):
    def open_one(version: int = 18, **settings: Any) -> OutwardShop:
        given = {"export_products": True, "sync_direction": "odoo", "auto_create_products": True, **settings}
        return OutwardShop(open_shop(version, **given))

    return open_one


@pytest.mark.parametrize("version", VERSIONS)
def test_a_template_becomes_a_configurable_with_its_children(outward, version: int) -> None:
    shop = outward(version)
    family = Family(shop, "matt", "Glossy")
    job = family.export()
    assert (job.state, job.result) == ("done", {"made": 3})
    parent = shop.raw(family.base)
    assert (parent["type_id"], parent["name"], parent["visibility"]) == (
        "configurable",
        f"Name of {family.base}",
        4,
    )
    children = [shop.raw(sku) for sku in family.skus]
    extension = parent["extension_attributes"]
    assert extension["configurable_product_links"] == [one["id"] for one in children]
    assert [one["name"] for one in children] == [
        f"Name of {family.base} matt",
        f"Name of {family.base} Glossy",
    ]
    assert {one["visibility"] for one in children} == {1}
    # One option was there under another case, the other was added; both are the children's.
    labels = {one["value"]: one["label"] for one in shop.magento.attributes.get(family.code)["options"]}
    assert [labels[shop.attributes(sku)[family.code]] for sku in family.skus] == ["Matt", "Glossy"]
    (option,) = extension["configurable_product_options"]
    assert {labels[str(one["value_index"])] for one in option["values"]} == {"Matt", "Glossy"}
    # Again, from both sides: nothing.
    shop.forget_calls()
    assert family.export().result == {"unchanged": 3}
    assert shop.import_(family.base).result == {"unchanged": 3}
    assert (shop.writes(), shop.writes("odoo"), shop.conflicts()) == ([], [], [])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_new_variant_becomes_a_child_and_a_change_goes_to_its_own_product(outward, version: int) -> None:
    shop = outward(version)
    family = Family(shop, "Matt", "Glossy")
    family.export()
    family.add("Raw")
    shop.forget_calls()
    assert family.export().result == {"made": 1, "unchanged": 3}
    assert shop.writes() == [
        "POST /V1/configurable-products/{id}/child",
        "POST /V1/products",
        "POST /V1/products/attributes/{id}/options",
    ]
    links = shop.raw(family.base)["extension_attributes"]["configurable_product_links"]
    assert links == [shop.raw(sku)["id"] for sku in family.skus]
    shop.odoo.write("product.template", family.template, {"name": "Renamed"})
    shop.odoo.write("product.product", family.variants[0]["id"], {"weight": 1.5})
    shop.forget_calls()
    assert family.export().result == {"updated": 2, "unchanged": 2}
    assert shop.writes() == ["PUT /V1/products/{id}"] * 2
    assert shop.raw(family.base)["name"] == "Renamed"
    assert shop.raw(family.skus[0])["weight"] == pytest.approx(3.306934)


def test_an_attribute_that_stands_for_none_blocks_with_what_to_do(outward) -> None:
    shop = outward()
    family = Family(shop, "Matt", "Glossy", is_mapped=False)
    product_id = family.variants[0]["id"]
    job = shop.export_one(product_id)
    assert (job.state, job.error_code) == ("blocked", "attribute_unmapped")
    assert f"bridge mappings set attribute CODE {family.attribute}" in job.help
    assert shop.magento.catalog.by_sku(family.base) is None
    family.map()
    shop.ledger.jobs.retry(job.id)
    shop.shop.work()
    assert shop.shop.job(job.id).state == "done"
    assert shop.raw(family.base)["type_id"] == "configurable"


def test_a_child_that_somebody_took_out_stays_out(outward) -> None:
    shop = outward()
    family = Family(shop, "Matt", "Glossy")
    family.export()
    extension = dict(shop.raw(family.base)["extension_attributes"])
    kept = extension["configurable_product_links"][:1]
    shop.magento.catalog.change(family.base, {"extension_attributes": {**extension, "configurable_product_links": kept}})  # fmt: skip
    family.add("Raw")
    family.export()
    links = shop.raw(family.base)["extension_attributes"]["configurable_product_links"]
    assert links == [*kept, shop.raw(family.skus[2])["id"]]


def test_a_configurable_of_magento_is_bound_by_its_variants(outward) -> None:
    shop = outward(auto_create_products=False)
    made = shop.magento.add_products(3, configurable_share=0.3)
    parent = next(one for one in made if one["type_id"] == "configurable")
    children = [one for one in made if one["type_id"] != "configurable"]
    family = Family(shop, "Matt", "Glossy")
    # SKUs that no Odoo has from an earlier run.
    base = shop.new_sku()
    shop.magento.catalog.change(parent["sku"], {"sku": base})
    for number, (row, child) in enumerate(zip(family.variants, children, strict=True)):
        shop.magento.catalog.change(child["sku"], {"sku": f"{base}-{number}"})
        shop.odoo.write("product.product", row["id"], {"default_code": f"{base}-{number}"})
    shop.forget_calls()
    assert family.export().result["bound"] == 3
    assert shop.writes() == []
    binding = shop.ledger.bindings.get("shop", "product_template", parent["id"])
    assert binding is not None
    assert binding.odoo_id == family.template

"""The mapping center and the catalog: what products show is counted once each, and what is mapped is followed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.translate.catalog_records import ConfigurableOption
from tests.flows.conftest import OpenCatalog
from tests.support.catalog_shop import CatalogShop
from tests.support.products import COLOR, FakeCatalog, a_family, a_product

VERSIONS = (16, 18, 19)


def seen(shop: CatalogShop, kind: str) -> dict[str, tuple[int, str | None]]:
    return {
        one.value: (one.seen_count, one.example)
        for one in shop.ledger.mappings.list("shop", kind=kind)
        if one.seen_count
    }


def map_size(shop: CatalogShop, odoo_id: int) -> None:
    shop.ledger.mappings.set(
        "shop",
        "attribute",
        "size",
        odoo_model="product.attribute",
        odoo_id=odoo_id,
        odoo_label="Size",
        by="test",
    )


def test_each_product_counts_once_however_often_it_is_imported(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    tax = shop.odoo.find("account.tax", name="DE-19")
    shop.ledger.mappings.set(
        "shop", "tax_class", "2", odoo_model="account.tax", odoo_id=tax, odoo_label="19", by="test"
    )
    catalog.put(
        a_product(product_id=1, sku="A"),
        a_product(product_id=2, sku="B", weight=None),
        a_product(product_id=3, sku="C", tax_class_id="4"),
        a_product(product_id=4, sku="D", tax_class_id=None),
        *a_family(tax_class_id="4"),
    )
    shop.run()
    shop.run(updated_from="2026-01-01T00:00:00+00:00")
    shop.batch(1, 2)
    # Children are products too; mapped or not, what is there is counted.
    assert {value: count for value, (count, _) in seen(shop, "tax_class").items()} == {"2": 4, "4": 2}
    assert {value: count for value, (count, _) in seen(shop, "unit").items()} == {"lbs": 5}
    assert seen(shop, "attribute") == {"size": (1, "product SHIRT")}
    (size,) = [one for one in shop.ledger.mappings.list("shop", kind="attribute") if one.value == "size"]
    assert size.label == "Size"
    catalog.put(a_product(product_id=9, sku="NEW"))
    shop.batch(9)
    assert seen(shop, "tax_class")["2"] == (5, "product NEW")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_mapped_attribute_is_the_one_that_odoo_has_with_its_values(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    theirs = shop.odoo.create("product.attribute", {"name": "Clothing size", "create_variant": "dynamic"})
    small = shop.odoo.create("product.attribute.value", {"name": "s", "attribute_id": theirs})
    map_size(shop, theirs)
    catalog.put(*a_family())
    job = shop.batch(500)
    assert (job.error, job.trace, job.result) == (None, None, {"made": 3})
    assert [row["id"] for row in shop.odoo.records("product.attribute")] == [theirs]
    values = {row["name"]: row["id"] for row in shop.odoo.records("product.attribute.value")}
    assert (set(values), values["s"]) == ({"s", "M"}, small)
    own = {
        row["id"]: row["product_attribute_value_id"]
        for row in shop.odoo.records("product.template.attribute.value")
    }
    variant = shop.row("SHIRT-S")
    assert [own[one] for one in variant["product_template_attribute_value_ids"]] == [small]
    # Again, and with a new child: the same attribute, no value twice.
    catalog.put(*a_family(sizes={"4": "S", "5": "M", "6": "L"}))
    assert shop.batch(500).result == {"made": 1, "unchanged": 3}
    names = sorted(row["name"] for row in shop.odoo.records("product.attribute.value"))
    assert names == ["L", "M", "s"]


def test_a_mapping_counts_for_what_is_made_from_then_on(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    catalog.put(*a_family(parent_id=700, sku="CAP"))
    assert shop.batch(700).result == {"made": 3}
    (mine,) = shop.odoo.records("product.attribute")
    theirs = shop.odoo.create("product.attribute", {"name": "Clothing size", "create_variant": "dynamic"})
    map_size(shop, theirs)
    catalog.put(*a_family())
    assert shop.batch(500).result == {"made": 3}
    homes = Counter(row["attribute_id"] for row in shop.odoo.records("product.attribute.value"))
    assert homes == {mine["id"]: 2, theirs: 2}
    lines = {
        row["product_tmpl_id"]: row["attribute_id"]
        for row in shop.odoo.records("product.template.attribute.line")
    }
    bound = [shop.bound(one, "product_template") for one in (700, 500)]
    assert [lines[one] for one in bound if one is not None] == [mine["id"], theirs]
    # A configurable that was made before keeps its attribute.
    catalog.change(701, weight=Decimal(2))
    assert shop.batch(700).result == {"updated": 1, "unchanged": 2}


@pytest.mark.parametrize(
    ("decide", "said"),
    [
        (
            lambda shop: shop.ledger.mappings.ignore("shop", "attribute", "size", by="test"),
            "is ignored by its mapping, and variants differ by it",
        ),
        (lambda shop: map_size(shop, 987654), "(id 987654) that Odoo does not have"),
        (
            lambda shop: map_size(
                shop, shop.odoo.create("product.attribute", {"name": "All", "create_variant": "always"})
            ),
            "does not make its variants dynamically",
        ),
    ],
    ids=["ignored", "gone", "always"],
)
def test_a_mapping_that_cannot_be_followed_blocks_its_configurables_alone(
    open_catalog: OpenCatalog, catalog: FakeCatalog, decide: Callable[[CatalogShop], object], said: str
) -> None:
    shop = open_catalog()
    decide(shop)
    before = len(shop.odoo.records("product.template"))
    other = replace(
        a_family(parent_id=700, sku="CAP")[0],
        product_id=701,
        sku="CAP-RED",
        attributes={"color": "7"},
    )
    parent = replace(
        a_family(parent_id=700, sku="CAP")[-1],
        options=(ConfigurableOption(attribute_id=COLOR, values=("7",)),),
        child_ids=(701,),
    )
    catalog.put(*a_family(), other, parent)
    assert shop.batch(500, 700).result == {"made": 2, "jobs_of_their_own": [500]}
    assert len(shop.odoo.records("product.template")) == before + 1
    own = shop.own_job(500)
    assert (own.state, own.error_code) == ("blocked", "mapping_wrong")
    assert said in (own.error or "")
    assert "bridge mappings set attribute" in (own.help or "")
    # Another decision lets it go on by itself.
    theirs = shop.odoo.create("product.attribute", {"name": "Clothing size", "create_variant": "dynamic"})
    map_size(shop, theirs)
    shop.shop.work()
    assert shop.shop.job(own.id).state == "done"
    assert shop.bound(501) == shop.row("SHIRT-S")["id"]

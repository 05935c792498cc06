"""Catalogs as shops really have them: each oddity arrives as it is, or is said in plain English with nothing half written."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.flows.conftest import OpenCatalog
from tests.support.catalog_shop import CatalogShop
from tests.support.products import SIZE, FakeCatalog, a_family, a_product, an_attribute

VERSIONS = (16, 18, 19)


def skus(shop: CatalogShop) -> Counter[str]:
    return Counter(row["default_code"] for row in shop.odoo.records("product.product") if row["default_code"])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
@pytest.mark.parametrize("twin", ["MUG", "mug", "MUG "])
def test_of_two_magento_products_of_one_sku_the_older_arrives_and_the_other_says_so(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int, together: bool, twin: str
) -> None:
    shop = open_catalog(version)
    catalog.put(a_product(product_id=7, sku="MUG"), a_product(product_id=9, sku=twin, name="Twin"))
    if together:
        assert shop.batch(7, 9).result == {"made": 1, "jobs_of_their_own": [9]}
    else:
        assert shop.batch(7).result == {"made": 1}
        assert shop.batch(9).result == {"jobs_of_their_own": [9]}
    own = shop.own_job(9)
    assert (own.state, own.error_code) == ("blocked", "duplicate_record")
    assert own.error == f"Several Magento products have the SKU {twin.strip()}: ids 7, 9."
    assert "Give the other another SKU in Magento" in (own.help or "")
    assert (skus(shop)["MUG"], skus(shop)["mug"], shop.bound(9)) == (1, 0, None)
    assert shop.row("MUG")["name"] == "Mug"
    # Told apart in Magento, the other arrives by a retry.
    catalog.change(9, sku="CUP")
    shop.ledger.jobs.retry(own.id)
    shop.shop.work()
    assert shop.bound(9) == shop.row("CUP")["id"] != shop.bound(7)


def test_a_sku_that_its_product_gave_up_is_another_products_from_then_on(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    catalog.put(a_product(product_id=7, sku="MUG"), a_product(product_id=8, sku="CUP"))
    shop.batch(7, 8)
    mug, cup = shop.bound(7), shop.bound(8)
    # Renamed, and its old SKU given to a new product; and one deleted and made anew under the same SKU.
    catalog.change(7, sku="MUG-OLD")
    catalog.products.pop(8)
    catalog.put(a_product(product_id=17, sku="MUG", name="New mug"), a_product(product_id=18, sku="CUP"))
    job = shop.batch(7, 17, 18)
    assert (job.state, job.result) == ("done", {"made": 1, "bound": 1, "updated": 1})
    assert (shop.bound(7), shop.bound(18)) == (mug, cup)
    assert shop.bound(17) not in {mug, cup, None}
    rows = {row["id"]: row["default_code"] for row in shop.odoo.records("product.product")}
    assert (rows[mug], rows[shop.bound(17)], rows[cup]) == ("MUG-OLD", "MUG", "CUP")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_child_whose_sku_is_taken_blocks_alone_and_is_not_made(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    for name in ("one", "other"):
        shop.odoo.create("product.product", {"name": name, "default_code": "SHIRT-S"})
    small, medium, parent = a_family()
    catalog.put(small, medium, parent)
    job = shop.batch(parent.product_id)
    assert (job.state, job.result) == ("done", {"made": 2, "jobs_of_their_own": [small.product_id]})
    assert shop.own_job(small.product_id).error_code == "duplicate_record"
    assert (skus(shop)["SHIRT-S"], skus(shop)["SHIRT-M"]) == (2, 1)
    assert shop.bound(small.product_id) is None


def test_of_a_configurable_whose_children_all_have_something_against_them_nothing_is_made(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    catalog.put(a_product(product_id=7, sku="SHIRT-S"), a_product(product_id=8, sku="SHIRT-M"))
    shop.batch(7, 8)
    templates = len(shop.odoo.records("product.template"))
    small, medium, parent = a_family()
    catalog.put(small, medium, parent)
    job = shop.batch(parent.product_id)
    assert job.result == {"jobs_of_their_own": [small.product_id, medium.product_id]}
    assert len(shop.odoo.records("product.template")) == templates
    assert shop.odoo.records("product.attribute") == []


@pytest.mark.parametrize("version", VERSIONS)
def test_skus_of_every_shape_stay_as_they_are_written_and_are_found_again(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    written = [
        "A/B 1",
        "Größe Ñ ☕",
        "000123",
        "123",
        "0x1F",
        "1e5",
        "MiXed",
        "true",
        "=1+1",
        "a,b;c",
        "'x\"",
    ]
    catalog.put(*(a_product(product_id=n, sku=sku) for n, sku in enumerate(written, 1)))
    ids = range(1, len(written) + 1)
    assert shop.batch(*ids).result == {"made": len(written)}
    assert [count for sku, count in skus(shop).items() if sku in written] == [1] * len(written)
    made = [shop.bound(n) for n in ids]
    # A lost ledger: each is found by its SKU, in another case too, and none is made again.
    for n in ids:
        shop.ledger.bindings.drop("shop", "product", n)
    catalog.change(7, sku="mixed")
    assert shop.batch(*ids).result == {"bound": len(written)}
    assert [shop.bound(n) for n in ids] == made


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("price", "shown"),
    [
        # Yen have no decimals, dinars three; six are what Magento stores.
        ("1234", 1234.0),
        ("12.345", 12.345),
        ("0.000001", 0.000001),
        ("99999999.999999", 99999999.999999),
        ("0", 0.0),
    ],
)
def test_a_price_arrives_to_the_digit_whatever_its_currency(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int, price: str, shown: float
) -> None:
    shop = open_catalog(version)
    catalog.put(a_product(product_id=7, price=Decimal(price), cost=Decimal(price)))
    assert shop.batch(7).result == {"made": 1}
    row = shop.row("MUG")
    assert (row["list_price"], row["standard_price"]) == (shown, shown)
    assert shop.batch(7).result == {"unchanged": 1}


@pytest.mark.parametrize("price", ["-0.01", "NaN", "Infinity"])
def test_a_price_that_none_can_be_is_said_with_nothing_written(
    open_catalog: OpenCatalog, catalog: FakeCatalog, price: str
) -> None:
    shop = open_catalog()
    catalog.put(a_product(product_id=7, price=Decimal(price)))
    assert shop.batch(7).result == {"jobs_of_their_own": [7]}
    own = shop.own_job(7)
    assert (own.state, own.error_code) == ("blocked", "product_unclear")
    assert "price of the product MUG" in (own.error or "")
    assert (shop.rows("MUG"), shop.bound(7)) == ([], None)


@pytest.mark.parametrize("version", VERSIONS)
def test_html_that_odoo_rewrites_is_not_sent_again_for_it(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    text = (
        '<div onclick="evil()"><p>Good &amp; cheap<br>now</p><script>evil()</script><img src=x onerror=evil()>'
        '<a href="javascript:evil()">go</a><style>p{}</style></div><p>unclosed'
    )
    catalog.put(a_product(product_id=7, description=text, short_description=f"{text}&lt;b&gt;"))
    shop.batch(7)
    row = shop.row("MUG")
    for field in ("description", "description_sale"):
        assert "Good" in row[field]
        assert "evil" not in row[field]
    # As Odoo's own cleaning leaves it: what was sent is compared, not what became of it.
    shop.odoo.write("product.product", shop.bound(7), {"description": f"<div>{row['description']}</div>"})
    shop.forget_calls()
    assert shop.batch(7).result == {"unchanged": 1}
    assert "product.product.load" not in shop.calls()


@pytest.mark.parametrize("version", VERSIONS)
def test_products_without_a_name_a_price_or_anything_else_arrive(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    bare: dict[str, Any] = {"price": None, "weight": None, "tax_class_id": None, "website_ids": ()}
    catalog.put(
        a_product(product_id=7, sku="BARE", name="  ", **bare),
        a_product(product_id=8, sku="PLAIN", name="Plain", **bare),
    )
    assert shop.batch(7, 8).result == {"made": 2}
    assert [(row["name"], row["list_price"]) for row in map(shop.row, ("BARE", "PLAIN"))] == [
        ("BARE", 0.0),
        ("Plain", 0.0),
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_option_that_is_deleted_after_the_import_blocks_its_child_and_changes_nothing(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    small, medium, parent = a_family()
    catalog.put(small, medium, parent)
    shop.batch(parent.product_id)
    before = {sku: shop.row(sku) for sku in ("SHIRT-S", "SHIRT-M")}
    catalog.known[SIZE] = an_attribute(SIZE, "size", _4="S")
    catalog.change(medium.product_id, weight=Decimal(9))
    job = shop.batch(parent.product_id)
    assert job.result == {"unchanged": 2, "jobs_of_their_own": [medium.product_id]}
    own = shop.own_job(medium.product_id)
    assert (own.state, own.error_code) == ("blocked", "product_unclear")
    assert own.error == (
        "The product SHIRT-M, a variant of SHIRT, has option 5 of Size, which is not in Magento any more."
    )
    assert {sku: shop.row(sku) for sku in before} == before
    # Given an option that is there, it goes on.
    catalog.known[SIZE] = an_attribute(SIZE, "size", _4="S", _5="M")
    catalog.put(replace(catalog.products[medium.product_id], name="Back"))
    shop.ledger.jobs.retry(own.id)
    shop.shop.work()
    # The shop weighs in pounds.
    assert shop.row("SHIRT-M")["weight"] == 4.082331

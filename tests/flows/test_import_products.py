"""``import-products``: many products in few calls, carried over field by field, a run that goes on where it stopped."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.translate.catalog_records import ProductText
from tests.flows.conftest import OpenCatalog
from tests.support.products import FakeCatalog, a_product, recorded_product

VERSIONS = (16, 18, 19)


def many(count: int, **values: object) -> list:
    return [
        a_product(product_id=n, sku=f"SKU-{n:04}", name=f"Article {n}", **values) for n in range(1, count + 1)
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_products_are_made_as_magento_has_them(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    tax = shop.odoo.find("account.tax", name="DE-19")
    shop.ledger.mappings.set(
        "shop", "tax_class", "2", odoo_model="account.tax", odoo_id=tax, odoo_label="19", by="test"
    )
    category = shop.odoo.create("product.category", {"name": "Mugs"})
    shop.ledger.bindings.bind(
        "shop", "category", magento_id=5, odoo_model="product.category", odoo_id=category
    )
    simple = recorded_product("032-product-get-simple")
    catalog.put(simple, recorded_product("038-product-get-virtual"))
    catalog.change(
        1,
        description="<p>Good</p><script>bad()</script>",
        short_description="<b>Very</b> good",
        cost=Decimal("4.2"),
        attributes={"barcode": "4006381333931"},
    )
    progress = shop.run()
    assert (progress.run.seen, progress.jobs) == (2, {"done": 1})
    row = shop.row("SIM-01")
    assert (row["name"], row["barcode"]) == ("Simple Product 1", "4006381333931")
    # The shop weighs in pounds: half of one, in kilograms.
    assert (row["list_price"], row["standard_price"], row["weight"]) == (33.33, 4.2, 0.226796)
    assert (row["taxes_id"], row["categ_id"]) == ([tax], category)
    assert (row["description"], row["description_sale"]) == ("<p>Good</p>", "Very good")
    assert row["detailed_type" if version < 18 else "type"] == ("product" if version < 18 else "consu")
    assert row.get("is_storable", True) is True
    assert shop.bound(1) == row["id"]
    assert shop.row("VIRT-01")["type"] == "service"


def test_a_batch_of_products_takes_two_calls_and_again_none_at_all(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    catalog.put(*many(99))
    shop.forget_calls()
    assert shop.run().jobs == {"done": 1}
    # The unit of weights is asked for once, whatever the number of products.
    assert shop.calls() == [
        "product.product.load",
        "product.product.search_read",
        "product.template.search_read",
    ]
    shop.forget_calls()
    assert shop.run(updated_from="2026-01-01T00:00:00+00:00").jobs == {"done": 1}
    assert shop.calls() == []
    assert (
        len([row for row in shop.odoo.records("product.product") if "SKU-" in str(row["default_code"])]) == 99
    )


def test_a_batch_of_a_hundred_with_disabled_ones_takes_four_calls(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    catalog.put(*many(1))
    shop.run()
    catalog.put(*many(101)[1:])
    for product_id in (20, 40, 60, 80, 100):
        catalog.change(product_id, is_enabled=False)
    shop.forget_calls()
    assert shop.batch(*range(2, 102)).result == {"made": 100}
    assert shop.calls() == [
        "product.product.load",
        "product.product.read",
        "product.product.search_read",
        "product.template.write",
    ]
    assert [shop.row(f"SKU-{n:04}")["active"] for n in (2, 20, 100)] == [True, False, False]


def test_products_that_odoo_has_are_looked_for_as_written_and_only_the_rest_in_any_case(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    for number in range(1, 12):
        code = f"SKU-{number:04}" if number != 11 else "sku-0011"
        shop.odoo.create("product.product", {"name": code, "default_code": code})
    catalog.put(*many(12))
    # Nothing is known yet, and products may be made: all are looked for at once.
    assert shop.batch(1, 2).result == {"bound": 2}
    shop.forget_calls()
    assert shop.batch(3, 4).result == {"bound": 2}
    assert shop.calls() == ["product.product.search_read"]
    shop.forget_calls()
    assert shop.batch(*range(5, 13)).result == {"made": 1, "bound": 7}
    assert shop.calls() == ["product.product.load", *["product.product.search_read"] * 2]
    assert shop.bound(11) == shop.odoo.find("product.product", default_code="sku-0011")


@pytest.mark.parametrize("version", VERSIONS)
def test_only_fields_that_changed_are_written_and_those_that_odoo_owns_never(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    catalog.put(*many(3, price=Decimal(5)))
    shop.run()
    for product_id in (1, 2, 3):
        shop.odoo.write("product.product", shop.bound(product_id), {"weight": 9.0, "list_price": 7.0})
    catalog.change(1, name="New", price=Decimal(6))
    catalog.change(2, name="Newer")
    shop.forget_calls()
    job = shop.batch(1, 2, 3)
    assert job.result == {"updated": 2, "unchanged": 1}
    # Odoo's side of what changed is read first, in one call: an edit there is not lost. Prices have cells of their own,
    # and are read and written by themselves.
    assert shop.calls() == ["product.product.load"] * 2 + ["product.product.read"] * 2
    rows = [shop.row(f"SKU-000{n}") for n in (1, 2, 3)]
    assert [row["name"] for row in rows] == ["New", "Newer", "Article 3"]
    # What a person wrote stays, until the same field changes in Magento.
    assert [(row["weight"], row["list_price"]) for row in rows] == [(9.0, 6.0), (9.0, 7.0), (9.0, 7.0)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_disabled_product_is_archived_and_comes_back_never_deleted(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    catalog.put(*many(3))
    catalog.change(3, is_enabled=False)
    shop.run()
    assert [shop.row(f"SKU-000{n}")["active"] for n in (1, 2, 3)] == [True, True, False]
    catalog.change(1, is_enabled=False)
    catalog.change(3, is_enabled=True)
    shop.forget_calls()
    shop.batch(1, 2, 3)
    rows = {n: shop.row(f"SKU-000{n}") for n in (1, 2, 3)}
    assert [rows[n]["active"] for n in (1, 2, 3)] == [False, True, True]
    templates = {row["id"]: row["active"] for row in shop.odoo.records("product.template")}
    assert [templates[rows[n]["product_tmpl_id"]] for n in (1, 2, 3)] == [False, True, True]
    # Odoo archives variants with their template; out of the archive each is taken by itself.
    assert shop.calls().count("product.template.write") == 2
    assert shop.calls().count("product.product.write") == 1
    catalog.products.pop(2)
    assert shop.batch(2).result == {"gone_in_magento": 1}
    assert shop.row("SKU-0002")["active"] is True


@pytest.mark.parametrize("version", VERSIONS)
def test_texts_of_store_views_become_translations_one_call_for_each_language(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    for view in shop.shop.box.magento.state.stores["storeConfigs"]:
        view["locale"] = "de_DE" if view["code"] == "de" else "en_US"
    catalog.put(*many(3))
    catalog.texts["de"] = {n: ProductText(name=f"Artikel {n}") for n in (1, 2)}
    shop.forget_calls()
    shop.run()
    assert shop.calls().count("product.product.load") == 2
    names = [shop.odoo.text("product.product", shop.bound(n), "name", "de_DE") for n in (1, 2, 3)]
    assert names == ["Artikel 1", "Artikel 2", "Article 3"]
    assert shop.row("SKU-0001")["name"] == "Article 1"
    del catalog.texts["de"][1]
    shop.batch(1, 2)
    assert shop.odoo.text("product.product", shop.bound(1), "name", "de_DE") == "Article 1"


def test_of_several_store_views_of_one_language_the_nearest_speaks_for_it(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    locales = {"de": "de_AT", "us": "de_DE", "outlet_en": "de_DE"}
    for view in shop.shop.box.magento.state.stores["storeConfigs"]:
        view["locale"] = locales.get(view["code"], "en_US")
    catalog.put(*many(1))
    for code in locales:
        catalog.texts[code] = {1: ProductText(name=f"Artikel {code}")}
    shop.run()
    assert shop.odoo.text("product.product", shop.bound(1), "name", "de_DE") == "Artikel us"
    assert [read for read in catalog.reads if read.startswith("texts")] == ["texts us"]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_web_shop_shows_is_no_matter_of_odoos_and_a_gift_card_is_a_service(
    open_catalog: OpenCatalog, catalog: FakeCatalog, version: int
) -> None:
    shop = open_catalog(version)
    catalog.put(
        a_product(product_id=1, sku="HIDDEN", visibility=1),
        a_product(product_id=2, sku="CARD", type_id="giftcard", weight=None),
    )
    shop.batch(1, 2)
    hidden, card = shop.row("HIDDEN"), shop.row("CARD")
    # Not shown by itself, it is sold all the same: as a part of a bundle, or by a salesperson.
    assert (hidden["active"], hidden["sale_ok"]) == (True, True)
    # Both count in Odoo's units: Magento has no unit of measure by product.
    assert (hidden["uom_id"], card["uom_id"]) == (1, 1)
    assert (card["type"], card["invoice_policy"]) == ("service", "order")
    catalog.change(1, visibility=4)
    assert shop.batch(1).result == {"unchanged": 1}


def test_a_renamed_sku_keeps_its_binding_and_is_carried_over(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    catalog.put(*many(1))
    shop.run()
    product_id = shop.bound(1)
    catalog.change(1, sku="RENAMED")
    shop.batch(1)
    assert shop.row("RENAMED")["id"] == product_id == shop.bound(1)
    assert shop.rows("SKU-0001") == []


def test_bundles_and_grouped_products_are_bound_where_odoo_has_a_kit_and_never_made(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    kit = shop.odoo.create("product.product", {"name": "Kit", "default_code": "BUN-DYN"})
    catalog.put(
        recorded_product("035-product-get-bundle-dynamic"), recorded_product("037-product-get-grouped")
    )
    shop.run()
    (batch,) = shop.ledger.jobs.list(instance="shop", kind="import-product-batch", limit=10)
    assert batch.result == {"bound": 1, "without_kit": ["GRP-01"]}
    assert (shop.bound(39), shop.bound(42)) == (kit, None)
    assert shop.rows("GRP-01") == []
    catalog.change(39, name="Other")
    shop.batch(39)
    assert shop.row("BUN-DYN")["name"] == "Kit"


def test_a_run_reads_page_by_page_and_the_next_one_only_what_changed(
    open_catalog: OpenCatalog, catalog: FakeCatalog
) -> None:
    shop = open_catalog()
    catalog.put(*many(250))
    progress = shop.run()
    assert (progress.run.state, progress.jobs) == ("done", {"done": 2})
    # Rows of a page's last second come with the next page again (RULES 5.1).
    assert 250 <= progress.run.seen <= 252
    # A page at a time, twice over: configurables first.
    assert catalog.reads.count("scan") == 6
    catalog.change(7, name="Changed")
    progress = shop.run()
    assert progress.run.seen < 10
    assert shop.row("SKU-0007")["name"] == "Changed"


def test_a_run_from_a_later_day_leaves_no_gap_behind(open_catalog: OpenCatalog, catalog: FakeCatalog) -> None:
    shop = open_catalog()
    catalog.put(*many(3))
    shop.run()
    catalog.change(2, name="Changed in between")
    shop.run(updated_from="2030-01-01T00:00:00+00:00")
    assert shop.row("SKU-0002")["name"] != "Changed in between"
    # The next one goes on where the first had come to, not where the second began.
    shop.run()
    assert shop.row("SKU-0002")["name"] == "Changed in between"


def test_a_cancelled_run_plans_no_more(open_catalog: OpenCatalog, catalog: FakeCatalog) -> None:
    shop = open_catalog()
    catalog.put(*many(250))
    run = shop.ledger.runs.start("shop", "import-products", {}, queue="catalog")
    shop.ledger.runs.cancel(run.id)
    shop.shop.work()
    assert shop.ledger.runs.progress(run.id).run.state == "cancelled"
    assert shop.bound(1) is None

"""Products from Odoo to Magento: made and changed by SKU, only what changed, in the scope that is meant."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.flows.wants import want
from tests.flows.conftest import OpenShop
from tests.support.once import pump
from tests.support.outward_shop import Family, OutwardShop

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
    sku = shop.new_sku()
    product_id = shop.make(sku)
    known = shop.odoo.find("product.product", default_code="SIM-01") or shop.make("SIM-01")
    shop.forget_calls()
    assert shop.export(product_id).result == {"not_in_magento": [sku]}
    shop.export(known)
    shop.edit(known, name="Edited")
    shop.export(known)
    assert shop.writes() == []
    assert shop.raw("SIM-01")["name"] == "Simple Product 1"


def test_a_product_that_magento_has_is_bound_and_keeps_what_it_has(open_shop: OpenShop) -> None:
    shop = outward(open_shop)
    # A SKU that no Odoo has from an earlier run, in another case.
    sku = shop.new_sku("out-{}")
    shop.magento.catalog.change(shop.magento.add_products(1, configurable_share=0)[0]["sku"], {"sku": sku})
    before = shop.raw(sku)
    product_id = shop.make(sku.upper(), weight=3.0)
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


@pytest.fixture
def german(open_shop: OpenShop):
    """Open a shop whose view ``de`` speaks German."""

    def open_one(version: int = 18, **settings: Any) -> OutwardShop:
        shop = outward(open_shop, version, own_box=True, **settings)
        for view in shop.magento.state.stores["storeConfigs"]:
            view["locale"] = "de_DE" if view["code"] == "de" else "en_US"
        return shop

    return open_one


def translate(shop: OutwardShop, product_id: int, **texts: str) -> None:
    """Write texts in German, as a person does."""
    shop.odoo.write("product.product", product_id, texts, language="de_DE")


@pytest.mark.parametrize("version", VERSIONS)
def test_texts_of_a_store_view_follow_where_it_has_its_own_and_use_default_stays(
    german, version: int
) -> None:
    shop = german(version)
    sku = shop.new_sku("LANG-{}")
    product_id = shop.make(sku, description="<p>Good</p>")
    translate(shop, product_id, name="Becher")
    assert shop.export(product_id).result == {"made": 1}
    own = shop.magento.catalog._own[shop.raw(sku)["id"], "de"]
    # Only what differs: the description is the common one, and stays so.
    assert own == {"name": "Becher"}
    translate(shop, product_id, name="Tasse", description="<p>Gut</p>")
    shop.edit(product_id, description_sale="Short")
    assert shop.export(product_id).result == {"updated": 1}
    assert own == {"name": "Tasse"}
    assert shop.raw(sku)["name"] == f"Name of {sku}"
    assert shop.attributes(sku, "de")["short_description"] == "Short"
    paths = [one.path for one in shop.shop.box.calls.last("magento") if one.method == "PUT"]
    assert sorted(path.split("/")[2] for path in paths) == ["all", "de", "de"]
    shop.forget_calls()
    assert shop.export(product_id).result == {"unchanged": 1}
    assert shop.import_(sku).result == {"unchanged": 1}
    assert (shop.writes(), shop.writes("odoo"), shop.conflicts()) == ([], [], [])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_scan_reads_what_changed_and_the_next_one_goes_on(open_shop: OpenShop, version: int) -> None:
    shop = outward(open_shop, version, own_box=True)
    ids = [shop.make(shop.new_sku("SCAN-{}")) for _ in range(120)]
    progress = shop.run("export-products")
    assert (progress.run.state, set(progress.jobs)) == ("done", {"done"})
    assert all(shop.ledger.bindings.by_odoo("shop", "product", one) for one in ids)
    # Long ago, but for one: the next scan reads that one alone.
    with shop.odoo.database_of_rows.transaction():
        for model in ("product.template", "product.product"):
            table = shop.odoo.database_of_rows.table(model)
            for one in list(table.rows):
                table.update(one, {"write_date": "2026-01-01 00:00:00"})
    shop.run("export-products", updated_from="2026-01-01T00:00:00+00:00")
    shop.edit(ids[7], barcode="", weight=3.0)
    progress = shop.run("export-products")
    assert progress.run.seen == 1
    assert shop.raw(shop.row(ids[7])["default_code"])["weight"] == pytest.approx(6.613868)


def test_many_products_take_few_calls(open_shop: OpenShop) -> None:
    shop = outward(open_shop)
    ids = [shop.make(shop.new_sku("FEW-{}")) for _ in range(50)]
    shop.export(*ids)
    shop.edit(ids[0], name="New")
    shop.forget_calls()
    assert shop.export(*ids).result == {"updated": 1, "unchanged": 49}
    odoo = [key for key in shop.shop.box.calls.counts("odoo") if key[2].startswith("product.")]
    assert len(odoo) <= 2
    assert shop.shop.box.calls.total("magento") <= 6


@pytest.mark.parametrize("version", VERSIONS)
def test_a_product_that_costs_nothing_is_not_made_in_magento_until_it_has_a_price(
    open_shop: OpenShop, version: int
) -> None:
    shop = outward(open_shop, version)
    sku = shop.new_sku("FREE-{}")
    product_id = shop.make(sku, list_price=0.0)
    assert shop.export(product_id).result == {"costs_nothing": [sku]}
    assert shop.magento.catalog.by_sku(sku) is None
    shop.edit(product_id, list_price=5.0)
    assert shop.export(product_id).result == {"made": 1}
    assert shop.raw(sku)["price"] == 5


@pytest.mark.parametrize("version", VERSIONS)
def test_a_product_with_a_price_below_0_is_a_job_of_its_own(open_shop: OpenShop, version: int) -> None:
    shop, price = outward(open_shop, version), -3.0
    bad, good = shop.new_sku("FREE-{}"), shop.new_sku("FREE-{}")
    ids = [shop.make(bad, list_price=price), shop.make(good, list_price=0.000001)]
    assert shop.export(*ids).result == {"made": 1, "jobs_of_their_own": [ids[0]]}
    assert (shop.magento.catalog.by_sku(bad), shop.raw(good)["price"]) == (None, 0.000001)
    (own,) = shop.ledger.jobs.list(instance="shop", kind="export-product", limit=10)
    assert (own.state, own.error_code) == ("blocked", "price_unclear")
    assert f"The price of {bad} is {price:g} in Odoo" in own.error
    assert "above 0" in own.help
    shop.edit(ids[0], list_price=5.0)
    shop.ledger.jobs.retry(own.id)
    shop.shop.work()
    assert (shop.shop.job(own.id).state, shop.raw(bad)["price"]) == ("done", 5)


def test_a_family_with_a_variant_that_costs_nothing_is_not_made_in_part(open_shop: OpenShop) -> None:
    shop = outward(open_shop)
    family = Family(shop, "Red", "Blue")
    shop.odoo.write("product.template", family.template, {"list_price": 0.0})
    job = family.export()
    assert ("made" in job.result, len(job.result["jobs_of_their_own"])) == (False, 1)
    assert [shop.magento.catalog.by_sku(sku) for sku in family.skus] == [None, None]


def test_what_magento_refuses_is_a_job_of_its_own_and_keeps_none_back(open_shop: OpenShop) -> None:
    shop = outward(open_shop)
    good, bad = shop.make(shop.new_sku()), shop.make(shop.new_sku("LONG-{}").ljust(65, "X"))
    assert shop.export(good, bad).result == {"made": 1, "jobs_of_their_own": [bad]}
    (job,) = [
        one for one in shop.ledger.jobs.list(instance="shop", kind="export-product") if one.entity == str(bad)
    ]
    assert (job.state, job.error_code) == ("blocked", "product_refused")
    assert "64 characters" in job.error
    shop.edit(bad, default_code=shop.new_sku())
    shop.ledger.jobs.retry(job.id)
    shop.shop.work()
    assert shop.shop.job(job.id).state == "done"


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("is_together", [True, False])
def test_of_several_products_of_one_sku_none_is_chosen(
    open_shop: OpenShop, is_known: bool, is_together: bool
) -> None:
    shop = outward(open_shop)
    sku = shop.new_sku("twin/{}")
    # Magento reads SKUs without regard to case.
    twins = [shop.make(sku), shop.make(sku.upper())]
    archived = shop.make(sku, active=False)
    if is_known:
        catalog = shop.magento.catalog
        own = {"id": catalog.next_id(), "sku": sku, "name": "Magento's own"}
        catalog.add({**catalog.all()[0], **own})
    if is_together:
        assert shop.export(*twins, archived).result == {"jobs_of_their_own": twins}
    jobs = [shop.export_one(one) for one in twins]
    assert {(job.state, job.error_code) for job in jobs} == {("blocked", "duplicate_record")}
    assert f"ids {twins[0]}, {twins[1]}" in str(jobs[0].error)
    assert "internal reference on one of them only" in str(jobs[0].help)
    assert shop.writes() == []
    shop.edit(twins[1], default_code="")
    shop.ledger.jobs.retry(jobs[0].id)
    shop.shop.work()
    assert shop.shop.job(jobs[0].id).state == "done"
    raw = shop.raw(sku)
    assert raw["name"] == ("Magento's own" if is_known else f"Name of {sku}")
    binding = shop.ledger.bindings.get("shop", "product", raw["id"])
    assert binding is not None and binding.odoo_id == twins[0]


def test_a_bound_product_that_is_gone_in_magento_blocks_and_is_not_made_again(open_shop: OpenShop) -> None:
    shop = outward(open_shop)
    sku = shop.new_sku()
    product_id = shop.make(sku)
    shop.export(product_id)
    shop.magento.catalog.remove(sku)
    job = shop.export_one(product_id)
    assert (job.state, job.error_code) == ("blocked", "bound_record_gone")
    assert shop.magento.catalog.by_sku(sku) is None


def test_products_without_a_sku_services_of_the_bridge_and_what_is_not_for_sale_stay(
    open_shop: OpenShop,
) -> None:
    shop = outward(open_shop)
    sku = shop.new_sku()
    nameless, unsold = shop.make("", default_code=False), shop.make(sku, sale_ok=False)
    service = shop.make(shop.new_sku(), type="service")
    shop.ledger.bindings.bind(
        "shop", "service", magento_id="shipping", odoo_model="product.product", odoo_id=service
    )
    shop.forget_calls()
    assert shop.export(nameless, unsold, service).result == {"without_sku": 1, "not_in_magento": [sku]}
    assert shop.writes() == []


def test_an_event_without_a_version_is_looked_at_once_more_later(open_shop: OpenShop) -> None:
    shop = outward(open_shop)
    product_id = shop.make(shop.new_sku())
    shop.export(product_id)
    wanted = want("export-product", instance="shop", entity=str(product_id), data={"unversioned": True})
    job_id = shop.ledger.jobs.want([wanted])[0].job_id
    pump(shop.shop)
    job = shop.shop.job(job_id)
    assert (job.state, job.waits_for) == ("retry_waiting", "version")
    wait = (job.next_attempt_at - shop.ledger.now()).total_seconds()
    assert 25 < wait <= 30
    # What had changed needs no second look.
    other = shop.make(shop.new_sku())
    assert shop.export_one(other, data={"unversioned": True}).result == {"made": 1}


def test_an_older_version_than_the_event_named_is_read_again(open_shop: OpenShop) -> None:
    shop = outward(open_shop)
    product_id = shop.make(shop.new_sku())
    wanted = want("export-product", instance="shop", entity=str(product_id), version="2099-01-01 00:00:00")
    job_id = shop.ledger.jobs.want([wanted])[0].job_id
    pump(shop.shop)
    assert (shop.shop.job(job_id).state, shop.shop.job(job_id).waits_for) == ("retry_waiting", "version")


def test_a_tax_goes_by_the_mapping_of_its_class_and_what_has_no_place_is_told(open_shop: OpenShop) -> None:
    shop = outward(open_shop)
    taxes = {name: shop.odoo.find("account.tax", name=name) for name in ("DE-19", "DE-7")}
    shop.ledger.mappings.set(
        *("shop", "tax_class", "4"),
        odoo_model="account.tax",
        odoo_id=taxes["DE-7"],
        odoo_label="7",
        by="test",
    )
    sku = shop.new_sku()
    product_id = shop.make(sku)
    shop.export(product_id)
    shop.edit(product_id, taxes_id=[[6, 0, [taxes["DE-7"]]]])
    shop.export(product_id)
    assert shop.attributes(sku)["tax_class_id"] == "4"
    shop.edit(product_id, taxes_id=[[6, 0, [taxes["DE-19"]]]], barcode=f"B-{sku}")
    job = shop.export(product_id)
    assert job.result == {"unchanged": 1, "no_place": {"barcode": [sku], "taxes_id/.id": [sku]}}
    assert shop.attributes(sku)["tax_class_id"] == "4"

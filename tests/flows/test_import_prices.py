"""Prices from Magento to Odoo at the import: a price that changes there is carried over while it is the master."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.flows.price_following import PRICE_BINDING
from bridge.flows.wants import want
from bridge.odoo import LoadRequest
from tests.support.imports import product_of
from tests.support.prices import PriceShop
from tests.support.products import a_family, a_product

VERSIONS = [16, 18, 19]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_price_that_changes_in_magento_is_carried_over_and_a_persons_stays_until_then(
    open_catalog, catalog, version: int
) -> None:
    shop = open_catalog(version)
    catalog.put(a_product(product_id=1, sku="MUG", price=Decimal("9.99"), cost=Decimal(4)))
    shop.batch(1)
    shop.odoo.write("product.product", shop.bound(1), {"list_price": 12.0, "standard_price": 5.0})
    shop.forget_calls()
    assert shop.batch(1).result == {"unchanged": 1}
    assert (shop.row("MUG")["list_price"], shop.calls()) == (12.0, [])
    catalog.change(1, price=Decimal("8.5"))
    assert shop.batch(1).result == {"updated": 1}
    assert (shop.row("MUG")["list_price"], shop.row("MUG")["standard_price"]) == (8.5, 5.0)
    assert shop.batch(1).result == {"unchanged": 1}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_cost_that_changes_in_magento_is_carried_over_and_an_edit_of_it_kept(
    open_catalog, catalog, version: int
) -> None:
    shop = open_catalog(version)
    catalog.put(a_product(product_id=1, sku="MUG", cost=Decimal(4)), *a_family())
    shop.batch(1, 500)
    assert shop.row("MUG")["standard_price"] == 4
    shop.odoo.write("product.product", shop.bound(1), {"standard_price": 5.0})
    assert shop.batch(1, 500).result == {"unchanged": 4}
    catalog.change(1, cost=Decimal("3.25"))
    catalog.change(501, cost=Decimal("7.5"))
    shop.batch(1, 500)
    # It is first named for the variant: what Odoo had before is not known to be anybody's.
    assert (shop.row("MUG")["standard_price"], shop.row("SHIRT-S")["standard_price"]) == (3.25, 0.0)
    (conflict,) = shop.ledger.conflicts.list("shop")
    assert (conflict.field, conflict.magento_value, conflict.odoo_value) == ("standard_price", "3.25", "5")
    catalog.change(501, cost=Decimal(8))
    assert shop.batch(500).result == {"updated": 1, "unchanged": 2}
    assert shop.row("SHIRT-S")["standard_price"] == 8
    assert shop.row("SHIRT-M")["standard_price"] == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_cost_is_written_for_the_company_of_the_instance(open_catalog, catalog, version: int) -> None:
    shop = open_catalog(version)
    company = next(row["id"] for row in shop.odoo.records("res.company"))
    shop.shop.set(company_id=company)
    catalog.put(a_product(product_id=1, sku="MUG", cost=Decimal(4)))
    jobs = [shop.batch(1)]
    catalog.change(1, cost=Decimal(3))
    jobs.append(shop.batch(1))
    assert shop.row("MUG")["standard_price"] == 3
    effects = [one for job in jobs for one in shop.ledger.effects.for_job(job.id)]
    sent = [LoadRequest.decode(one.request) for one in effects if b"standard_price" in (one.request or b"")]
    # It is company-dependent: without this it would be that of the company which the bridge's user is in.
    assert [(one.context or {}).get("allowed_company_ids") for one in sent] == [[company], [company]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "valued",
    [
        {"property_cost_method": "average"},
        {"property_cost_method": "fifo"},
        {"property_cost_method": "standard", "property_valuation": "real_time"},
    ],
    ids=["average", "fifo", "posted in the books"],
)
def test_a_cost_that_odoo_works_out_or_posts_itself_is_left_alone(
    open_catalog, catalog, version: int, valued: dict[str, str]
) -> None:
    shop = open_catalog(version)
    catalog.put(a_product(product_id=1, sku="MUG", cost=Decimal(4)))
    shop.batch(1)
    category = shop.odoo.create("product.category", {"name": "Valued", **valued})
    shop.odoo.write("product.product", shop.bound(1), {"categ_id": category, "standard_price": 5.0})
    catalog.change(1, cost=Decimal(3), price=Decimal(8))
    assert shop.batch(1).result == {"updated": 1}
    assert (shop.row("MUG")["list_price"], shop.row("MUG")["standard_price"]) == (8, 5)
    assert shop.ledger.conflicts.list("shop") == []


def test_a_cost_is_magentos_only_while_it_is_the_master_of_prices(open_catalog, catalog) -> None:
    shop = open_catalog(18, sync_direction="price=odoo")
    catalog.put(a_product(product_id=1, sku="MUG", cost=Decimal(4)))
    shop.batch(1)
    catalog.change(1, cost=Decimal(3), price=Decimal(8))
    assert shop.batch(1).result == {"unchanged": 1}
    assert (shop.row("MUG")["list_price"], shop.row("MUG")["standard_price"]) == (9.99, 4)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("price", [Decimal(0), Decimal("0.000001"), Decimal("12.345678"), Decimal(1234)])
def test_a_price_of_any_number_of_digits_is_carried_over_once(
    open_catalog, catalog, version: int, price: Decimal
) -> None:
    shop = open_catalog(version)
    catalog.put(a_product(product_id=1, sku="MUG", price=Decimal("9.99")))
    shop.batch(1)
    catalog.change(1, price=price)
    assert shop.batch(1).result == {"updated": 1}
    assert shop.row("MUG")["list_price"] == float(price)
    assert shop.batch(1).result == {"unchanged": 1}


@pytest.mark.parametrize("name", ["price", "cost"])
def test_a_price_below_0_or_none_at_all_changes_nothing_and_the_first_is_said(
    open_catalog, catalog, name: str
) -> None:
    shop = open_catalog(18)
    catalog.put(a_product(product_id=1, sku="MUG", price=Decimal("9.99"), cost=Decimal(4)))
    shop.batch(1)
    catalog.change(1, **{name: Decimal("-0.01")}, description="<p>New</p>")
    assert shop.batch(1).result == {"jobs_of_their_own": [1]}
    own = shop.own_job(1)
    assert (own.state, own.error_code) == ("blocked", "product_unclear")
    assert f"The {name} of the product MUG is -0.01" in own.error
    row = shop.row("MUG")
    assert (row["list_price"], row["standard_price"], row["description"] or "") == (9.99, 4, "")
    catalog.change(1, **{name: None})
    shop.ledger.jobs.retry(own.id)
    shop.shop.work()
    row = shop.row("MUG")
    assert (row["list_price"], row["standard_price"], row["description"]) == (9.99, 4, "<p>New</p>")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_product_that_was_there_before_keeps_its_price_until_magento_changes_it(
    open_catalog, catalog, version: int
) -> None:
    shop = open_catalog(version)
    shop.odoo.create("product.product", {"name": "Mug", "default_code": "MUG-OLD", "list_price": 7.0})
    catalog.put(a_product(product_id=1, sku="MUG-OLD", price=Decimal("9.99")))
    shop.batch(1)
    shop.batch(1)
    assert shop.row("MUG-OLD")["list_price"] == 7.0
    catalog.change(1, price=Decimal("9.5"))
    shop.batch(1)
    assert shop.row("MUG-OLD")["list_price"] == 9.5


def test_a_ledger_of_an_older_bridge_that_knows_no_prices_writes_none(open_catalog, catalog) -> None:
    shop = open_catalog(18)
    catalog.put(a_product(product_id=1, sku="MUG", price=Decimal("9.99")))
    shop.batch(1)
    shop.ledger.bindings.drop("shop", PRICE_BINDING, 1)
    shop.odoo.write("product.product", shop.bound(1), {"list_price": 12.0})
    catalog.change(1, price=Decimal("8.5"))
    shop.batch(1)
    # Whether it changed cannot be told: what it is now is noted.
    assert shop.row("MUG")["list_price"] == 12.0
    catalog.change(1, price=Decimal("8.4"))
    shop.batch(1)
    assert shop.row("MUG")["list_price"] == 8.4


@pytest.mark.parametrize("version", VERSIONS)
def test_a_configurable_follows_the_price_of_its_variants(open_catalog, catalog, version: int) -> None:
    shop = open_catalog(version)
    catalog.put(*a_family())
    shop.batch(500)
    before = shop.row("SHIRT-S")["list_price"]
    catalog.change(501, price=Decimal(15))
    catalog.change(502, price=Decimal(15))
    shop.batch(500)
    assert (before, shop.row("SHIRT-S")["list_price"], shop.row("SHIRT-M")["list_price"]) == (
        21.0,
        15.0,
        15.0,
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_while_odoo_is_the_master_of_prices_an_import_writes_none_and_there_is_no_echo(
    open_shop, version: int
) -> None:
    shop = open_shop(version, auto_create_products=True)
    world = PriceShop(shop)
    sku = world.product(list_price=20.0)
    place_run = world.export(sku)
    assert (place_run.jobs, world.price(sku)) == ({"done": 1}, 20)

    def imported():
        wanted = want("import-product", instance="shop", entity=str(world.id_of(sku)))
        job_id = shop.ledger.jobs.want([wanted])[0].job_id
        shop.work()
        return shop.job(job_id)

    assert imported().state == "done"
    # As later versions of Magento do: a bulk price moves the product's date.
    world.magento.catalog.change(sku, {})
    writes = shop.box.calls.counts("odoo")
    assert imported().result == {"unchanged": 1}
    # A true edit right after the export is not swallowed: Odoo's goes out, Magento's own is mended by a verifying run.
    world.magento.catalog.change(sku, {"price": 21})
    assert imported().result == {"unchanged": 1}
    loads = {key[2] for key in shop.box.calls.counts("odoo") if key[2].endswith((".load", ".write"))}
    assert loads <= {key[2] for key in writes}
    world.set_list_price(sku, 22.0)
    world.export(sku)
    assert world.price(sku) == 22
    assert product_of(shop, sku) == world.odoo_id(sku)

"""Prices that were edited on the side that is not their master: shown, kept when they are overwritten, decided by a person."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.flows.wants import want
from bridge.ledger import Conflict, Job
from tests.flows.conftest import OpenShop
from tests.support.once import is_in_doubt, pump_until
from tests.support.outward_shop import OutwardShop
from tests.support.prices import PriceShop
from tests.support.shop import Shop

VERSIONS = (16, 18, 19)
WHOLESALE = 2
ALL_GROUPS = 32000


def shown(shop: Shop, *states: str) -> list[tuple[str, str, str, str, bool]]:
    return [
        (one.field, one.master, one.magento_value, one.odoo_value, one.overwritten_at is not None)
        for one in shop.ledger.conflicts.list("shop", states=states or ("open",))
    ]


def only(shop: Shop) -> Conflict:
    (one,) = shop.ledger.conflicts.list("shop")
    return one


def resolve(shop: Shop, conflict: Conflict, use: str) -> Job:
    kind = "resolve-price-conflict" if conflict.master == "odoo" else "resolve-conflict"
    wanted = want(kind, instance="shop", entity=str(conflict.id), data={"use": use})
    job_id = shop.ledger.jobs.want([wanted])[0].job_id
    shop.work()
    return shop.job(job_id)


def imported(world: PriceShop, sku: str) -> Job:
    """Import a product, as the event of its change makes it."""
    wanted = want("import-product", instance="shop", entity=str(world.id_of(sku)))
    job_id = world.shop.ledger.jobs.want([wanted])[0].job_id
    world.shop.work()
    return world.shop.job(job_id)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_edit_of_a_price_in_magento_is_shown_and_stays_until_odoos_changes(
    open_shop: OpenShop, version: int
) -> None:
    world = PriceShop(open_shop(version))
    sku = world.product(list_price=20.0)
    world.export(sku)
    assert imported(world, sku).state == "done"
    # What the bridge wrote itself is nobody's edit.
    assert shown(world.shop) == []
    world.magento.catalog.change(sku, {"price": 21})
    imported(world, sku)
    assert shown(world.shop) == [("base@0", "odoo", "21", "20", False)]
    # The clock leaves it.
    world.export()
    assert (world.price(sku), len(shown(world.shop))) == (21, 1)
    world.set_list_price(sku, 22.0)
    world.export()
    assert world.price(sku) == 22
    assert shown(world.shop) == [("base@0", "odoo", "21", "22", True)]
    imported(world, sku)
    assert shown(world.shop) == [("base@0", "odoo", "21", "22", True)]


def test_an_edit_that_is_taken_back_or_made_in_odoo_too_is_gone(open_shop: OpenShop) -> None:
    world = PriceShop(open_shop(18))
    sku = world.product(list_price=20.0)
    world.export(sku)
    for price, mends in ((21, lambda: world.magento.catalog.change(sku, {"price": 20})), (23, None)):
        world.magento.catalog.change(sku, {"price": price})
        imported(world, sku)
        assert len(shown(world.shop)) == 1
        if mends:
            mends()
        else:
            world.set_list_price(sku, 23.0)
        imported(world, sku)
        assert shown(world.shop) == []
    assert [one[2] for one in shown(world.shop, "gone")] == ["21", "23"]


@pytest.mark.parametrize("version", VERSIONS)
def test_edits_of_special_and_tier_prices_are_seen_by_the_look_of_the_night(
    open_shop: OpenShop, version: int
) -> None:
    world = PriceShop(open_shop(version))
    sku = world.product(list_price=20.0)
    until = {"date_end": "2098-02-01 22:59:59"}
    world.shop.set(pricelist_id=world.pricelist(world.rule(sku, 9.0, **until)))
    world.map_group(WHOLESALE, world.pricelist(world.rule(sku, 16.0)))
    world.export(sku)
    assert (world.special(sku)[0], world.tiers(sku)) == ("9.000000", {(WHOLESALE, 1, 16)})
    # In bulk, as an extension does: Magento's date does not move.
    raw = world.magento.catalog.by_sku(sku)
    tiers = [{**row, "value": 15} for row in raw["tier_prices"]]
    attributes = [
        {**row, "value": "8.000000"} if row["attribute_code"] == "special_price" else row
        for row in raw["custom_attributes"]
    ]
    world.magento.catalog.change(sku, {"tier_prices": tiers, "custom_attributes": attributes}, is_silent=True)
    world.export()
    assert shown(world.shop) == []
    world.look()
    assert [(one[0], one[4]) for one in shown(world.shop)] == [("special@0", False), ("tier@2@0", False)]
    assert [one[2:4] for one in shown(world.shop)] == [
        ("8 ..2098-02-01", "9 ..2098-02-01"),
        ("1:15", "1:16"),
    ]
    assert (world.special(sku)[0], world.tiers(sku)) == ("8.000000", {(WHOLESALE, 1, 15)})
    # Each is decided alone.
    special, tier = world.shop.ledger.conflicts.list("shop")
    assert resolve(world.shop, tier, "odoo").result == {"used": "odoo", "written_to": ["magento"]}
    assert (world.special(sku)[0], world.tiers(sku)) == ("8.000000", {(WHOLESALE, 1, 16)})
    blocked = resolve(world.shop, special, "magento")
    assert (blocked.state, blocked.error_code) == ("blocked", "price_unwritable")
    assert f"special price 8 to 2098-02-01 of the product {sku}" in blocked.error
    assert "change the rule" in blocked.help
    assert only(world.shop).id == special.id


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("use", ["magento", "odoo"])
@pytest.mark.parametrize("is_overwritten", [False, True])
def test_a_person_decides_about_an_edit_in_magento(
    open_shop: OpenShop, version: int, use: str, is_overwritten: bool
) -> None:
    world = PriceShop(open_shop(version))
    sku = world.product(list_price=20.0)
    world.export(sku)
    world.magento.catalog.change(sku, {"price": 21})
    if is_overwritten:
        world.set_list_price(sku, 22.0)
    imported(world, sku)
    job = resolve(world.shop, only(world.shop), use)
    assert (job.state, job.error) == ("done", None)
    wanted = 21 if use == "magento" else 22 if is_overwritten else 20
    assert (world.price(sku), world.list_price(sku)) == (wanted, wanted)
    (one,) = world.shop.ledger.conflicts.list("shop", states=("resolved",))
    assert (one.used, shown(world.shop)) == (use, [])
    # The decision is nobody's change.
    world.forget_calls()
    imported(world, sku)
    world.export()
    assert not {"base-prices", "special-price", "tier-prices"} & set(world.calls())
    assert shown(world.shop) == []


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_an_edit_is_kept_before_the_price_that_takes_its_place_and_none_is_made_of_our_own(
    open_shop: OpenShop, kind: Any
) -> None:
    world = PriceShop(open_shop(18))
    sku = world.product(list_price=20.0)
    world.export(sku)
    world.magento.catalog.change(sku, {"price": 21}, is_silent=True)
    world.set_list_price(sku, 22.0)
    shot = world.magento.faults.once(
        kind, only=lambda call: call.method == "POST" and call.path.endswith("/base-prices")
    )
    world.export()
    assert shot.fired.is_set()
    assert world.price(sku) == 22
    assert shown(world.shop) == [("base@0", "odoo", "21", "22", True)]
    world.set_list_price(sku, 23.0)
    world.export()
    assert (world.price(sku), len(shown(world.shop))) == (23, 1)


def test_our_own_price_is_nobodys_edit_though_its_answer_was_lost_and_odoo_went_on(
    open_shop: OpenShop,
) -> None:
    world = PriceShop(open_shop(18))
    sku = world.product(list_price=20.0)
    world.export(sku)
    world.set_list_price(sku, 22.0)
    shot = world.magento.faults.once(
        "cut_after", only=lambda call: call.method == "POST" and call.path.endswith("/base-prices")
    )
    ledger = world.shop.ledger
    ledger.runs.start("shop", "export-prices", {"skus": [sku]}, queue="catalog")

    def in_doubt() -> bool:
        jobs = ledger.jobs.list(instance="shop", kind="export-price-batch", limit=1)
        return bool(jobs) and is_in_doubt(world.shop, jobs[0].id)

    pump_until(world.shop, in_doubt, what="the price is in doubt")
    assert shot.fired.is_set()
    assert world.price(sku) == 22
    world.set_list_price(sku, 23.0)
    world.shop.work()
    assert (world.price(sku), shown(world.shop)) == (23, [])


@pytest.fixture
def known(open_shop: OpenShop):
    """Open a shop with a product of Magento that the import made in Odoo, and whose prices are Magento's."""

    def open_one(version: int = 18, **values: Any) -> tuple[OutwardShop, str, int]:
        shop = OutwardShop(open_shop(version, auto_create_products=True))
        sku = shop.new_sku("PCON-{}")
        (raw,) = shop.magento.add_products(1, configurable_share=0)
        shop.magento.catalog.add({**raw, "sku": sku, "type_id": "simple", "price": 10.5, **values})
        assert shop.import_(sku).result == {"made": 1}
        binding = shop.ledger.bindings.get("shop", "product", raw["id"])
        assert binding is not None
        return shop, sku, binding.odoo_id

    return open_one


@pytest.mark.parametrize("version", VERSIONS)
def test_an_edit_of_a_sales_price_in_odoo_is_shown_and_stays_until_magentos_changes(
    known, version: int
) -> None:
    shop, sku, product_id = known(version)
    assert shop.export(product_id).result == {"unchanged": 1}
    assert shown(shop.shop) == []
    shop.edit(product_id, list_price=12.0)
    shop.forget_calls()
    assert shop.export(product_id).result == {"unchanged": 1, "conflicts": 1}
    assert shown(shop.shop) == [("list_price", "magento", "10.5", "12", False)]
    assert (shop.writes(), shop.writes("odoo")) == ([], [])
    shop.magento.catalog.change(sku, {"price": 11.25})
    assert shop.import_(sku).result == {"updated": 1}
    assert shop.row(product_id)["list_price"] == 11.25
    assert shown(shop.shop) == [("list_price", "magento", "11.25", "12", True)]
    # Our own write is nobody's edit.
    assert shop.export(product_id).result == {"unchanged": 1}
    assert len(shown(shop.shop)) == 1


def test_an_edit_that_nobody_had_looked_at_is_kept_when_it_is_overwritten(known) -> None:
    shop, sku, product_id = known()
    shop.edit(product_id, list_price=12.0)
    shop.magento.catalog.change(sku, {"price": 11})
    shop.import_(sku)
    assert shown(shop.shop) == [("list_price", "magento", "11", "12", True)]


def test_the_digits_that_odoo_keeps_are_no_edit(known) -> None:
    shop, sku, product_id = known()
    shop.magento.catalog.change(sku, {"price": 12.345})
    shop.import_(sku)
    # As a real Odoo stores it.
    shop.edit(product_id, list_price=12.35)
    assert shop.export(product_id).result == {"unchanged": 1}
    shop.edit(product_id, list_price=12.34)
    assert shop.export(product_id).result == {"unchanged": 1, "conflicts": 1}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("use", ["magento", "odoo"])
@pytest.mark.parametrize("is_overwritten", [False, True])
def test_a_person_decides_about_an_edit_in_odoo(known, version: int, use: str, is_overwritten: bool) -> None:
    shop, sku, product_id = known(version)
    shop.edit(product_id, list_price=12.0)
    if is_overwritten:
        shop.magento.catalog.change(sku, {"price": 11})
        shop.import_(sku)
    else:
        shop.export(product_id)
    job = resolve(shop.shop, only(shop.shop), use)
    assert (job.state, job.error) == ("done", None)
    wanted = 12 if use == "odoo" else 11 if is_overwritten else 10.5
    assert (shop.raw(sku)["price"], shop.row(product_id)["list_price"]) == (wanted, wanted)
    shop.forget_calls()
    assert shop.import_(sku).result == {"unchanged": 1}
    assert shop.export(product_id).result == {"unchanged": 1}
    assert (shown(shop.shop), shop.writes(), shop.writes("odoo")) == ([], [], [])


def test_a_configurables_price_is_that_of_its_variants_and_cannot_be_chosen_for_it(
    open_shop: OpenShop,
) -> None:
    shop = OutwardShop(open_shop(18, own_box=True, auto_create_products=True))
    assert shop.import_("TSHIRT").state == "done"
    family = shop.ledger.bindings.get("shop", "product_template", shop.raw("TSHIRT")["id"])
    assert family is not None
    variant = next(
        row["id"] for row in shop.odoo.records("product.product") if row["product_tmpl_id"] == family.odoo_id
    )
    assert "conflicts" not in shop.export(variant).result
    shop.odoo.write("product.template", family.odoo_id, {"list_price": 77.0})
    assert shop.export(variant).result["conflicts"] == 1
    (one,) = shown(shop.shop)
    assert (one[0], one[3]) == ("list_price", "77")
    job = resolve(shop.shop, only(shop.shop), "odoo")
    assert (job.state, job.error_code) == ("blocked", "price_unwritable")
    assert "variants of a configurable have prices of their own" in job.help
    assert resolve(shop.shop, only(shop.shop), "magento").result["written_to"] == ["odoo"]
    rows = {row["id"]: row["list_price"] for row in shop.odoo.records("product.template")}
    assert (str(rows[family.odoo_id]), shown(shop.shop)) == (one[2], [])

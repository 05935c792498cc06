"""``export-prices`` by pricelists: special prices with days, tier prices of groups, and what Magento cannot say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.flows.wants import want
from tests.support.prices import PriceShop

VERSIONS = [16, 18, 19]
WHOLESALE, RETAILER, ALL_GROUPS = 2, 3, 32000


def days(count: int, *, hour: int = 23) -> str:
    """A moment some days from now; 23:00 UTC is midnight in Berlin in winter, where the shop is."""
    return f"{datetime.now(UTC) + timedelta(days=count):%Y-%m-%d} {hour:02}:00:00"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pricelist_says_base_price_special_price_and_quantities(open_shop, version: int) -> None:
    world = PriceShop(open_shop(version))
    sku = world.product(list_price=20.0)
    pricelist = world.pricelist(
        world.rule(sku, 18.0),
        world.rule(sku, 15.0, min_quantity=10),
        world.rule(sku, 12.0, date_start="2026-01-31 23:00:00", date_end="2098-02-01 22:59:59"),
    )
    world.shop.set(pricelist_id=pricelist)
    world.export(sku)
    assert world.price(sku) == 18
    assert world.special(sku) == ("12.000000", "2026-02-01 00:00:00", "2098-02-01 00:00:00")
    assert world.tiers(sku) == {(ALL_GROUPS, 10, 15)}
    world.forget_calls()
    world.export(sku)
    assert (world.results(), world.calls()) == ({"unchanged": 1}, {})


@pytest.mark.parametrize("version", VERSIONS)
def test_a_rule_that_is_deleted_or_over_takes_its_price_along(open_shop, version: int) -> None:
    world = PriceShop(open_shop(version))
    sku = world.product(list_price=20.0)
    over = {"date_start": "2020-01-01 00:00:00", "date_end": "2020-12-31 00:00:00"}
    pricelist = world.pricelist(
        world.rule(sku, 15.0, min_quantity=10),
        world.rule(sku, 12.0, date_end=days(9)),
        world.rule(sku, 1.0, **over),
    )
    world.shop.set(pricelist_id=pricelist)
    world.export(sku)
    assert world.tiers(sku) == {(ALL_GROUPS, 10, 15)}
    assert world.special(sku)[0] == "12.000000"
    for row in world.odoo.records("product.pricelist.item"):
        if row["pricelist_id"] == pricelist:
            world.odoo.delete("product.pricelist.item", row["id"])
    world.export(sku)
    assert (world.price(sku), world.special(sku), world.tiers(sku)) == (20, (None, None, None), set())


@pytest.mark.parametrize("version", VERSIONS)
def test_groups_buy_by_their_pricelists(open_shop, version: int) -> None:
    world = PriceShop(open_shop(version))
    sku = world.product(list_price=20.0)
    wholesale = world.pricelist(world.rule(sku, 16.0), world.rule(sku, 14.0, min_quantity=5))
    retailer = world.pricelist({"applied_on": "3_global", "compute_price": "percentage", "percent_price": 10})
    world.map_group(WHOLESALE, wholesale)
    world.map_group(RETAILER, retailer)
    # Another group's tier price was made by hand: it is not the bridge's.
    by_hand = {"customer_group_id": 1, "qty": 3, "value": 9.5, "extension_attributes": {"website_id": 0}}
    world.magento.catalog.change(sku, {"tier_prices": [by_hand]}, is_silent=True)
    world.export(sku)
    assert world.tiers(sku) == {(1, 3, 9.5), (WHOLESALE, 1, 16), (WHOLESALE, 5, 14), (RETAILER, 1, 18)}
    # A group that has no pricelist any more loses what the bridge gave it.
    world.shop.ledger.mappings.ignore("shop", "customer_group_pricelist", str(RETAILER), by="test")
    world.export(sku)
    assert world.tiers(sku) == {(1, 3, 9.5), (WHOLESALE, 1, 16), (WHOLESALE, 5, 14)}
    world.forget_calls()
    world.export(sku)
    assert world.calls() == {}


def test_a_group_without_a_price_of_its_own_is_kept_from_the_tiers_of_all_groups(open_shop) -> None:
    world = PriceShop(open_shop(18))
    sku = world.product(list_price=20.0)
    world.shop.set(pricelist_id=world.pricelist(world.rule(sku, 12.0, min_quantity=10)))
    world.map_group(WHOLESALE, world.pricelist(world.rule(sku, 16.0)))
    world.export(sku)
    # Without a row of its own at 10 the group would buy for 12.
    assert world.tiers(sku) == {(ALL_GROUPS, 10, 12), (WHOLESALE, 1, 16), (WHOLESALE, 10, 16)}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_magento_cannot_say_is_named_and_the_rest_exported(open_shop, version: int) -> None:
    world = PriceShop(open_shop(version))
    sku = world.product(list_price=20.0)
    world.map_group(WHOLESALE, world.pricelist(world.rule(sku, 25.0)))
    dated = world.rule(sku, 11.0, date_end=days(9))
    world.map_group(RETAILER, world.pricelist(dated, world.rule(sku, 17.0)))
    world.export(sku)
    assert (world.price(sku), world.tiers(sku)) == (20, {(RETAILER, 1, 17)})
    named = world.results()["not_exported"]
    assert sorted(named) == [
        "a group's price above the base price: its customers pay the base price",
        "a group's price for a time only: tier prices have no dates",
    ]
    assert all(one == {"count": 1, "skus": [sku]} for one in named.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pricelist_in_another_currency_blocks_the_run_with_advice(open_shop, version: int) -> None:
    world = PriceShop(open_shop(version))
    sku = world.product(list_price=20.0)
    world.shop.set(pricelist_id=world.pricelist(world.rule(sku, 18.0), currency=world.other_currency))
    world.export(sku)
    (planner,) = world.shop.ledger.jobs.list(instance="shop", kind="export-prices", limit=1)
    assert (planner.state, planner.error_code) == ("blocked", "price_unclear")
    assert f"kept in {world.currency} in Magento and in {world.other_currency} in Odoo" in planner.error
    assert "pricelist_id" in planner.help
    assert world.price(sku) == 99


def test_a_formula_over_the_rate_of_the_day_is_a_job_of_its_own(open_shop) -> None:
    world = PriceShop(open_shop(18))
    good, bad = world.product(list_price=20.0), world.product(list_price=20.0)
    foreign = world.pricelist(currency=world.other_currency)
    about = {"applied_on": "1_product", "product_tmpl_id": world.template_id(bad)}
    formula = {"compute_price": "formula", "base": "pricelist", "base_pricelist_id": foreign}
    world.shop.set(pricelist_id=world.pricelist({**about, **formula}))
    world.export(good, bad)
    assert (world.price(good), world.price(bad)) == (20, 99)
    job = world.own_job(bad)
    assert (job.state, job.error_code) == ("blocked", "price_unclear")
    assert "rate of the day" in job.error


@pytest.mark.parametrize("version", VERSIONS)
def test_websites_have_prices_of_their_own_where_magento_allows_it(open_shop, version: int) -> None:
    shop = open_shop(version)
    world = PriceShop(shop, price_scope="website")
    world.magento.switches.website_prices = True
    try:
        sku = world.product(list_price=20.0)
        shop.ledger.jobs.want([want("import-stores", instance="shop", entity="all")])
        shop.work()
        outlet = world.pricelist(world.rule(sku, 14.0), world.rule(sku, 9.0, date_end="2098-02-01 22:59:59"))
        website = shop.ledger.stores.known("shop").by_code("website", "outlet")
        shop.ledger.stores.override("shop", "website", website.magento_id, {"pricelist_id": outlet})
        shop.runtime.forget_instances()
        world.export(sku)
        assert (world.price(sku), world.price(sku, "outlet_en"), world.price(sku, "de")) == (20, 14, None)
        own = world.magento.catalog.own_values(world.id_of(sku), "outlet_en")
        assert (own["special_price"], own["special_to_date"]) == ("9.000000", "2098-02-01 00:00:00")
        # A website's price cannot be taken away: it follows the common one from now on.
        shop.ledger.stores.override("shop", "website", website.magento_id, {}, take_back=["pricelist_id"])
        shop.runtime.forget_instances()
        world.export(sku)
        assert world.price(sku, "outlet_en") == 20
        assert "special_price" not in world.magento.catalog.own_values(world.id_of(sku), "outlet_en")
    finally:
        world.magento.switches.website_prices = False


def test_tiers_of_all_websites_make_way_for_those_of_each_website(open_shop) -> None:
    shop = open_shop(18)
    world = PriceShop(shop, price_scope="website")
    world.magento.switches.website_prices = True
    try:
        sku = world.product(list_price=20.0)
        shop.ledger.jobs.want([want("import-stores", instance="shop", entity="all")])
        shop.work()
        shop.set(pricelist_id=world.pricelist(world.rule(sku, 15.0, min_quantity=10)))
        world.map_group(WHOLESALE, world.pricelist(world.rule(sku, 16.0)))

        def tiers() -> set[tuple[int, int, float, float]]:
            rows = world.magento.catalog.by_sku(sku)["tier_prices"]
            place = "extension_attributes"
            return {
                (one["customer_group_id"], one[place]["website_id"], one["qty"], one["value"]) for one in rows
            }

        world.export(sku)
        assert tiers() == {(ALL_GROUPS, 0, 10, 15), (WHOLESALE, 0, 1, 16), (WHOLESALE, 0, 10, 16)}
        outlet = shop.ledger.stores.known("shop").by_code("website", "outlet").magento_id
        cheap = world.pricelist(world.rule(sku, 18.0))
        shop.ledger.stores.override("shop", "website", outlet, {"pricelist_id": cheap})
        shop.runtime.forget_instances()
        world.export(sku)
        base = shop.ledger.stores.known("shop").by_code("website", "base").magento_id
        assert tiers() == {
            (ALL_GROUPS, base, 10, 15),
            (WHOLESALE, base, 1, 16),
            (WHOLESALE, base, 10, 16),
            (WHOLESALE, outlet, 1, 16),
        }
        world.forget_calls()
        world.export(sku)
        assert world.calls() == {}
    finally:
        world.magento.switches.website_prices = False


@pytest.fixture
def of_websites(open_shop):
    """Open a shop whose websites have prices of their own, with a product of 20.00."""
    worlds = []

    def open_one(version: int = 18) -> tuple[PriceShop, str]:
        shop = open_shop(version)
        world = PriceShop(shop, price_scope="website")
        world.magento.switches.website_prices = True
        worlds.append(world)
        shop.ledger.jobs.want([want("import-stores", instance="shop", entity="all")])
        shop.work()
        return world, world.product(list_price=20.0)

    yield open_one
    for world in worlds:
        world.magento.switches.website_prices = False


def own_pricelist(world: PriceShop, code: str, *rules: dict) -> None:
    """Give a website a pricelist of its own, or without rules that of all."""
    website = world.shop.ledger.stores.known("shop").by_code("website", code)
    settings = {"pricelist_id": world.pricelist(*rules)} if rules else {}
    back = [] if rules else ["pricelist_id"]
    world.shop.ledger.stores.override("shop", "website", website.magento_id, settings, take_back=back)
    world.shop.runtime.forget_instances()


def test_a_special_price_of_a_website_holds_in_each_of_its_views(of_websites) -> None:
    world, sku = of_websites()
    days = {"date_start": "2026-11-01 23:00:00", "date_end": "2098-02-01 22:59:59"}
    own_pricelist(world, "base", world.rule(sku, 9.0, **days))
    own_pricelist(world, "outlet", world.rule(sku, 8.0, date_end="2098-03-01 22:59:59"))

    def specials() -> list[tuple[str | None, str | None]]:
        id_ = world.id_of(sku)
        owns = [world.magento.catalog.own_values(id_, code) for code in ("default", "de", "us", "outlet_en")]
        return [(own.get("special_price"), own.get("special_to_date")) for own in owns]

    world.export(sku)
    here, there = ("9.000000", "2098-02-01 00:00:00"), ("8.000000", "2098-03-01 00:00:00")
    assert specials() == [here, here, here, there]
    world.forget_calls()
    world.export(sku)
    assert world.calls() == {}
    # Magento says each price with the dates of both websites: which are whose is not to be told, so they are written again.
    world.export(sku, verify=True)
    assert specials() == [here, here, here, there]
    own_pricelist(world, "base", world.rule(sku, 12.0))
    world.export(sku)
    assert specials() == [(None, None)] * 3 + [there]


@pytest.mark.parametrize("stays", [True, False])
def test_a_tier_price_goes_away_on_its_website_and_stays_on_the_other(of_websites, stays: bool) -> None:
    """Magento deletes the first that has the price, whatever its website (``prices-website-scope/007`` to ``011``)."""
    world, sku = of_websites()
    tier = world.rule(sku, 15.0, min_quantity=10)
    for code in ("base", "outlet"):
        own_pricelist(world, code, world.rule(sku, 19.0), tier)
    world.export(sku)

    def websites() -> set[int]:
        rows = world.magento.catalog.by_sku(sku)["tier_prices"]
        return {one["extension_attributes"]["website_id"] for one in rows}

    assert websites() == {1, 2}
    own_pricelist(world, "outlet", world.rule(sku, 19.0))
    if not stays:
        own_pricelist(world, "base", world.rule(sku, 19.0))
    world.export(sku)
    assert websites() == ({1} if stays else set())
    assert world.result()["written"] == 1
    world.export(sku, verify=True)
    assert websites() == ({1} if stays else set())

"""Prices that are refused, changed by hand, or of products that are not as they were: named, and the others written."""

from __future__ import annotations

import pytest

from bridge.flows import price_batch, price_source
from bridge.flows.wants import want
from tests.support.prices import PriceShop

VERSIONS = [16, 18, 19]
WHOLESALE = 2


def test_an_unknown_sku_refuses_a_call_of_tier_prices_and_is_found_by_halving(
    open_shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = PriceShop(open_shop(18))
    # Their base prices are equal already: the unknown SKU is met by the call of tier prices alone.
    skus = [world.product(list_price=20.0, magento_price=20.0) for _ in range(6)]
    world.map_group(WHOLESALE, world.pricelist(*(world.rule(sku, 7.5) for sku in skus)))
    read = price_batch.read_state
    lost = skus[3]
    lost_id = world.id_of(lost)

    def deleted_meanwhile(ctx, names):
        found = read(ctx, names)
        world.magento.catalog.remove(lost)
        return found

    monkeypatch.setattr(price_batch, "read_state", deleted_meanwhile)
    world.export()
    assert world.results() == {"written": 5, "jobs_of_their_own": [str(lost_id)]}
    for sku in skus:
        if sku != lost:
            assert world.tiers(sku) == {(WHOLESALE, 1, 7.5)}
    # Its own job finds that the product is gone: there is nothing to export.
    (own,) = world.shop.ledger.jobs.list(instance="shop", kind="export-price", limit=10)
    assert (own.entity, own.state, own.result) == (str(lost_id), "done", {"gone_in_magento": 1})


@pytest.mark.parametrize("version", VERSIONS)
def test_a_refused_price_is_a_job_of_its_own_with_advice(
    open_shop, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = PriceShop(open_shop(version))
    good, bad = world.product(list_price=20.0), world.product(list_price=20.0)
    world.map_group(WHOLESALE, world.pricelist(world.rule(bad, 7.5), world.rule(bad, 6.5, min_quantity=4)))
    # As if the group had been renamed since its name was read.
    monkeypatch.setattr(price_source, "_group_names", lambda _: {WHOLESALE: "Nobody"})
    world.export()
    # What can be written of it is.
    assert (world.price(good), world.price(bad), world.tiers(bad)) == (20, 20, set())
    job = world.own_job(bad)
    assert (job.state, job.error_code) == ("blocked", "price_refused")
    assert f"No such entity with Customer Group = Nobody. Row ID: SKU = {bad}, Website ID: 0" in job.error
    assert "The other products of the call were written." in job.help
    monkeypatch.undo()
    world.shop.ledger.jobs.retry(job.id)
    world.shop.work()
    assert world.tiers(bad) == {(WHOLESALE, 1, 7.5), (WHOLESALE, 4, 6.5)}


@pytest.mark.parametrize("price", [0.0, -3.0])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_price_of_nothing_is_never_exported(open_shop, version: int, price: float) -> None:
    world = PriceShop(open_shop(version))
    good, bad = world.product(list_price=20.0), world.product(list_price=price)
    world.export()
    assert (world.price(good), world.price(bad)) == (20, 99)
    job = world.own_job(bad)
    assert (job.state, job.error_code) == ("blocked", "price_unclear")
    assert "above 0" in job.help
    # Mended in Odoo and retried, it goes out.
    world.set_list_price(bad, 5.0)
    world.shop.ledger.jobs.retry(job.id)
    world.shop.work()
    assert world.price(bad) == 5


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_refused_is_not_sent_again_until_its_price_or_a_person_changes_it(
    open_shop, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = PriceShop(open_shop(version))
    bad, free = world.product(list_price=20.0), world.product(list_price=0.0)
    world.map_group(WHOLESALE, world.pricelist(world.rule(bad, 7.5)))
    # As if the group had been renamed since its name was read.
    monkeypatch.setattr(price_source, "_group_names", lambda _: {WHOLESALE: "Nobody"})
    world.export()
    refused = {sku: world.own_job(sku) for sku in (bad, free)}
    assert {job.state for job in refused.values()} == {"blocked"}
    # The clock comes by, twice: neither is sent, nor are their jobs woken.
    world.forget_calls()
    for _ in range(2):
        world.export()
        assert (world.results(), world.calls()) == ({"still_refused": 2}, {})
    for sku, job in refused.items():
        assert (world.own_job(sku).state, world.own_job(sku).attempt) == ("blocked", job.attempt)
    # Other figures are tried.
    world.set_list_price(bad, 21.0)
    world.set_list_price(free, -1.0)
    world.export()
    assert world.price(bad) == 21
    assert world.result()["jobs_of_their_own"] == sorted(str(world.id_of(sku)) for sku in (bad, free))
    # What ends well lets the job end that waits for it.
    monkeypatch.undo()
    world.set_list_price(bad, 22.0)
    world.set_list_price(free, 3.0)
    world.export()
    assert (world.price(bad), world.tiers(bad), world.price(free)) == (22, {(WHOLESALE, 1, 7.5)}, 3)
    assert {world.own_job(sku).state for sku in (bad, free)} == {"done"}


def test_a_person_may_send_what_was_refused_again_as_it_is(
    open_shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = PriceShop(open_shop(18))
    bad = world.product(list_price=20.0)
    world.map_group(WHOLESALE, world.pricelist(world.rule(bad, 7.5)))
    monkeypatch.setattr(price_source, "_group_names", lambda _: {WHOLESALE: "Nobody"})
    world.export()
    monkeypatch.undo()
    world.export()
    assert world.tiers(bad) == set()
    world.export(bad)
    assert (world.tiers(bad), world.own_job(bad).state) == ({(WHOLESALE, 1, 7.5)}, "done")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("currency", "price"), [("JPY", 1234.0), ("KWD", 12.345), ("KWD", 0.001), ("JPY", 99999999.0)]
)
def test_prices_in_currencies_without_decimals_and_with_three_are_exported_to_the_digit(
    open_shop, version: int, currency: str, price: float
) -> None:
    world = PriceShop(open_shop(version, digits=3, own_box=True))
    company = next(row["id"] for row in world.odoo.records("res.company"))
    world.odoo.write("res.company", company, {"currency_id": world.odoo.find("res.currency", name=currency)})
    for config in world.magento.state.stores["storeConfigs"]:
        config["base_currency_code"] = currency
    sku = world.product(list_price=price)
    pricelist = world.pricelist(world.rule(sku, price, min_quantity=5), currency=currency)
    world.shop.set(pricelist_id=pricelist)
    world.export(sku)
    assert (world.results(), world.price(sku)) == ({"written": 1}, price)
    world.forget_calls()
    world.export(sku)
    assert world.calls() == {}


def test_only_products_with_a_price_of_their_own_are_exported(open_shop) -> None:
    world = PriceShop(open_shop(18))
    bundle = world.product(type_id="bundle", list_price=20.0)
    gone = world.product(list_price=20.0)
    world.magento.catalog.remove(gone)
    world.export()
    assert world.results() == {"without_price": 1, "gone_in_magento": 1}
    assert world.price(bundle) == 99


def test_a_product_deleted_in_odoo_is_a_job_of_its_own(open_shop) -> None:
    world = PriceShop(open_shop(18))
    good, bad = world.product(list_price=20.0), world.product()
    world.odoo.delete("product.product", world.odoo_id(bad))
    world.export()
    assert (world.price(good), world.price(bad)) == (20, 99)
    assert (world.own_job(bad).state, world.own_job(bad).error_code) == ("blocked", "bound_record_gone")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_price_changed_by_hand_in_magento_is_seen_by_a_verifying_run(open_shop, version: int) -> None:
    world = PriceShop(open_shop(version))
    sku = world.product(list_price=20.0)
    world.export(sku)
    world.magento.catalog.change(sku, {"price": 21}, is_silent=True)
    world.export(sku)
    assert world.price(sku) == 21
    world.export(sku, verify=True)
    assert (world.results(), world.price(sku)) == ({"written": 1, "conflicts": 1}, 20)
    # Nothing to mend: everything is read and nothing written.
    world.forget_calls()
    world.export(sku, verify=True)
    assert world.results() == {"found_equal": 1}
    assert set(world.calls()) == {
        f"{one}-information" for one in ("base-prices", "special-price", "tier-prices")
    }


def test_batches_larger_than_magento_allows_are_halved(open_shop) -> None:
    world = PriceShop(open_shop(18))
    skus = [world.product(list_price=1.5 + number) for number in range(25)]
    world.magento.switches.input_limits = True
    try:
        world.export()
    finally:
        world.magento.switches.input_limits = False
    assert world.results() == {"written": 25}
    assert [world.price(sku) for sku in skus] == [1.5 + number for number in range(25)]


def test_products_are_exported_by_sku_and_a_configurable_by_its_variants(open_shop) -> None:
    world = PriceShop(open_shop(18))
    one, other = world.product(list_price=20.0), world.product(list_price=30.0)
    family = world.product(type_id="configurable", magento_price=0)
    raw = world.magento.catalog.by_sku(family)
    extension = {**raw["extension_attributes"], "configurable_product_links": [world.id_of(other)]}
    world.magento.catalog.change(family, {"extension_attributes": extension}, is_silent=True)
    world.export(family)
    assert (world.price(one), world.price(other)) == (99, 30)
    world.export("NO-SUCH-SKU")
    (planner,) = world.shop.ledger.jobs.list(instance="shop", kind="export-prices", limit=1)
    assert planner.state == "failed"
    assert "Magento has no product with the SKU NO-SUCH-SKU" in planner.error


def test_while_prices_are_magentos_none_is_written(open_shop) -> None:
    world = PriceShop(open_shop(18))
    sku = world.product(list_price=20.0)
    world.shop.set(sync_direction="magento")
    world.export(sku)
    (planner,) = world.shop.ledger.jobs.list(instance="shop", kind="export-prices", limit=1)
    assert planner.state == "done"
    assert "sync_direction=price=odoo" in planner.result["outcome"]
    assert (world.price(sku), world.calls()) == (99, {})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("price", "exported"), [(0.0125, 0.0125), (0.333333, 0.333333), (1234567.89, 1234567.89), (1.005, 1.005)]
)
def test_prices_keep_the_digits_that_odoo_keeps(
    open_shop, version: int, price: float, exported: float
) -> None:
    world = PriceShop(open_shop(version, digits=6))
    sku = world.product(list_price=price)
    world.export(sku)
    assert world.price(sku) == exported
    world.forget_calls()
    world.export(sku)
    assert world.calls() == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_dry_run_writes_nothing_and_tells_what_would_be(open_shop, version: int) -> None:
    world = PriceShop(open_shop(version))
    sku, free = world.product(list_price=20.0), world.product(list_price=0.0)
    world.map_group(WHOLESALE, world.pricelist(world.rule(sku, 16.0)))
    world.export(sku, free, dry_run=True)
    assert (world.price(sku), world.tiers(sku)) == (99, set())
    assert world.result() == {
        "would_write": 1,
        "changes": {sku: {"base@0": ["99", "20"], "tier@2@0": ["", "1:16"]}},
        "jobs_of_their_own": [str(world.id_of(free))],
    }
    assert world.shop.ledger.jobs.list(instance="shop", kind="export-price", limit=10) == []
    # Nothing of it is believed to have been written.
    world.export(sku)
    assert (world.price(sku), world.results()) == (20, {"written": 1})


@pytest.mark.parametrize("version", VERSIONS)
def test_a_websites_price_never_becomes_the_price_of_all(open_shop, version: int) -> None:
    shop = open_shop(version)
    # Magento's prices are global, whatever the setting says: it takes a website's base price for all, without a word.
    world = PriceShop(shop, price_scope="website")
    sku = world.product(list_price=20.0, magento_price=20.0)
    shop.ledger.jobs.want([want("import-stores", instance="shop", entity="all")])
    shop.work()
    outlet = shop.ledger.stores.known("shop").by_code("website", "outlet").magento_id
    cheap = world.pricelist(world.rule(sku, 14.0))
    shop.ledger.stores.override("shop", "website", outlet, {"pricelist_id": cheap})
    shop.runtime.forget_instances()
    for _ in range(2):
        world.export(sku)
        assert world.price(sku) == 20
    job = world.own_job(sku)
    assert (job.state, job.error_code) == ("blocked", "price_refused")
    assert "Catalog Price Scope is Global" in job.error

"""``export-prices``: Odoo's prices in Magento, only what differs, in batches, and what cannot be said is named."""

from __future__ import annotations

import pytest

from consumers.beat import tick
from consumers.schedules import SCHEDULES
from tests.support.prices import PriceShop

VERSIONS = [16, 18, 19]
WRITES = {"base-prices", "special-price", "special-price-delete", "tier-prices", "tier-prices-delete"}


def writes(world: PriceShop) -> set[str]:
    return WRITES & world.calls().keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_sales_prices_are_exported_once_and_then_only_what_changed(open_shop, version: int) -> None:
    world = PriceShop(open_shop(version))
    changed, equal = world.product(list_price=12.34), world.product(list_price=99.0)
    updated_at = world.magento.catalog.by_sku(changed)["updated_at"]
    assert world.export().jobs == {"done": 1}
    assert world.price(changed) == 12.34
    assert world.results() == {"written": 1, "found_equal": 1}
    # Nothing changed: Magento is not even asked.
    world.forget_calls()
    world.export()
    assert (world.results(), world.calls()) == ({"unchanged": 2}, {})
    world.set_list_price(equal, 15.5)
    world.export()
    assert world.results() == {"written": 1, "unchanged": 1}
    assert (world.price(changed), world.price(equal)) == (12.34, 15.5)
    assert writes(world) == {"base-prices"}
    # As recorded: a bulk price does not move the product's date, so no import comes of it.
    assert world.magento.catalog.by_sku(changed)["updated_at"] == updated_at


@pytest.mark.parametrize("version", VERSIONS)
def test_the_rights_that_the_bridge_has_anyway_are_enough(open_shop, version: int) -> None:
    world = PriceShop(open_shop(version))
    sku = world.product(list_price=20.0)
    world.shop.set(pricelist_id=world.pricelist(world.rule(sku, 18.0)))
    world.map_group(2, world.pricelist(world.rule(sku, 16.0)))
    world.odoo.set_rights("products")
    try:
        world.export(sku)
    finally:
        world.odoo.set_rights("admin")
    assert (world.price(sku), world.tiers(sku)) == (18, {(2, 1, 16)})


def test_the_clock_exports_prices_once_a_person_has_exported_all(open_shop) -> None:
    world = PriceShop(open_shop(18))
    sku = world.product(list_price=20.0)
    (schedule,) = [one for one in SCHEDULES if one.name == "export-prices"]
    moments = iter(range(1, 100))

    def price_after_a_tick() -> float:
        tick(world.shop.ledger, schedule, now=3600.0 * next(moments))
        world.shop.work()
        return world.price(sku)

    assert price_after_a_tick() == 99
    world.export(dry_run=True)
    assert price_after_a_tick() == 99
    world.export(sku)
    world.set_list_price(sku, 21.0)
    assert price_after_a_tick() == 20
    world.export()
    world.set_list_price(sku, 22.0)
    assert price_after_a_tick() == 22
    world.shop.set(sync_direction="magento")
    world.set_list_price(sku, 23.0)
    assert price_after_a_tick() == 22

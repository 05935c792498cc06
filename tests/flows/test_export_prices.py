"""``export-prices``: Odoo's prices in Magento, only what differs, in batches, and what cannot be said is named."""

from __future__ import annotations

import pytest

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

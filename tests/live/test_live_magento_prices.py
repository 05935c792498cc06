"""Odoo's prices in a real Magento: base, special and tier prices, only what changed, and taken away again."""

from __future__ import annotations

from typing import Any

from tests.live.conftest import OpenShop
from tests.live.magento import RealMagento
from tests.support.prices import PriceShop

#: The groups "General" and "Wholesale" of every new shop.
GENERAL, WHOLESALE, ALL_GROUPS = 1, 2, 32000


class RealPrices(PriceShop):
    """A shop of the real Magento whose prices are Odoo's."""

    def product(self, **values: Any) -> str:
        sku = self.magento.product(self.magento.sku("PRICE/{} x"), price=99.0)
        self.bind(sku, self.odoo.create("product.product", {"name": sku, "default_code": sku, **values}))
        return sku


def test_base_special_and_tier_prices_arrive_and_go_away(
    open_real_shop: OpenShop, magento: RealMagento
) -> None:
    world = RealPrices(open_real_shop())
    plain, sku = world.product(list_price=12.34), world.product(list_price=20.0)
    world.export()
    assert (world.price(plain), world.price(sku)) == (12.34, 20)
    assert world.results() == {"written": 2}
    world.export()
    assert world.results() == {"unchanged": 2}
    days = {"date_start": "2026-10-31 23:00:00", "date_end": "2098-02-01 22:59:59"}
    own = world.pricelist(
        world.rule(sku, 18.0), world.rule(sku, 15.0, min_quantity=10), world.rule(sku, 12.0, **days)
    )
    world.shop.set(pricelist_id=own)
    world.map_group(WHOLESALE, world.pricelist(world.rule(sku, 11.0)))
    before = magento.by_sku(sku)
    world.export(sku)
    assert (world.price(sku), world.special(sku)[0]) == (18, "12.000000")
    assert world.special(sku)[2] == "2098-02-01 00:00:00"
    assert {(ALL_GROUPS, 10, 15), (WHOLESALE, 1, 11)} <= world.tiers(sku)
    # As recorded: a bulk price moves no date, so no import comes of it.
    assert before is not None and magento.by_sku(sku)["updated_at"] == before["updated_at"]  # type: ignore[index]
    # As Magento has them, and read with all dates that it answers.
    world.export(sku, verify=True)
    assert world.results() == {"found_equal": 1}
    world.shop.set(pricelist_id=None)
    world.map_group(WHOLESALE, world.pricelist())
    world.export(sku)
    assert (world.price(sku), world.special(sku)[0]) == (20, None)
    assert world.tiers(sku) == set()


def test_a_price_that_magento_does_not_take_is_a_job_of_its_own(
    open_real_shop: OpenShop, magento: RealMagento
) -> None:
    world = RealPrices(open_real_shop())
    good, bad = world.product(list_price=20.0), world.product(list_price=20.0)
    # A tier of one website, made by hand: one for all websites beside it is refused.
    row = {"sku": bad, "price": 9, "price_type": "fixed", "website_id": 1}
    row |= {"customer_group": "General", "quantity": 5}
    magento.client.post("/products/tier-prices", {"prices": [row]})
    world.map_group(
        GENERAL,
        world.pricelist(
            world.rule(bad, 7.0, min_quantity=5),
            world.rule(good, 7.0, min_quantity=5),
        ),
    )
    world.export()
    assert (world.price(good), world.price(bad)) == (20, 20)
    assert (GENERAL, 5, 7) in world.tiers(good)
    job = world.own_job(bad)
    assert (job.state, job.error_code) == ("blocked", "price_refused")
    assert "duplicate website" in job.error

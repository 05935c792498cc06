"""Prices by the rules of real pricelists: the sandbox's own tests, and what Odoo itself asks of a customer."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.flows.test_export_prices import test_sales_prices_are_exported_once_and_then_only_what_changed
from tests.flows.test_export_prices_pricelists import (
    test_a_formula_over_the_rate_of_the_day_is_a_job_of_its_own,
    test_a_pricelist_in_another_currency_blocks_the_run_with_advice,
    test_a_pricelist_says_base_price_special_price_and_quantities,
    test_a_rule_that_is_deleted_or_over_takes_its_price_along,
    test_groups_buy_by_their_pricelists,
    test_what_magento_cannot_say_is_named_and_the_rest_exported,
)
from tests.live.conftest import OpenShop
from tests.live.odoo import LiveOdoo
from tests.support.prices import PriceShop
from tests.support.shop import Shop

ALL_GROUPS = 32000


@pytest.fixture
def open_shop(open_shop: OpenShop, live_odoo: LiveOdoo) -> Callable[..., Shop]:
    """Open a shop that keeps its prices in the currency of Odoo's company."""

    def open_one(version: int | None = None, **settings: Any) -> Shop:
        shop = open_shop(version, own_box=True, **settings)
        for view in shop.box.magento.state.stores["storeConfigs"]:
            view["base_currency_code"] = live_odoo.currency
        return shop

    return open_one


def asked(odoo: LiveOdoo, pricelist: int, product_id: int, quantity: int) -> Decimal:
    """Return the price of one that Odoo itself puts on an order of so many."""
    partner = odoo.create("res.partner", {"name": "Price asker"})
    line = {"product_id": product_id, "product_uom_qty": quantity}
    values = {"partner_id": partner, "pricelist_id": pricelist, "order_line": [[0, 0, line]]}
    order = odoo.create("sale.order", values)
    (row,) = odoo.admin.search_read("sale.order.line", [["order_id", "=", order]], ["price_unit", "discount"])
    return Decimal(row["price_unit"]) * (1 - Decimal(row["discount"]) / 100)


def exported(world: PriceShop, sku: str, quantity: int) -> Decimal:
    """Return what Magento asks for one when so many are bought."""
    tiers = [price for group, qty, price in world.tiers(sku) if group == ALL_GROUPS and qty <= quantity]
    known = [world.price(sku), world.special(sku)[0], *tiers]
    return min(Decimal(str(one)) for one in known if one is not None)


def formula(base: str, discount: float, **values: Any) -> dict[str, Any]:
    return {"compute_price": "formula", "base": base, "price_discount": discount, **values}


def test_what_magento_asks_is_what_odoo_itself_asks(open_shop: OpenShop, live_odoo: LiveOdoo) -> None:
    world = PriceShop(open_shop())
    above = live_odoo.create("product.category", {"name": "Above"})
    inside = live_odoo.create("product.category", {"name": "Inside", "parent_id": above})
    by_formula, by_percent, by_quantity, dated, any_other = (
        world.product(list_price=price) for price in (19.99, 33.33, 12.0, 50.0, 77.7)
    )
    cheap, dear = (
        world.product(list_price=price, standard_price=7.33, categ_id=inside) for price in (12.0, 9.5)
    )
    of_category = world.product(list_price=8.0, standard_price=3.0, categ_id=above)
    variant = world.product(list_price=40.0)
    leaned_on = world.pricelist(
        {"applied_on": "3_global", **formula("list_price", 10, price_surcharge=0.5)},
        {"applied_on": "3_global", "compute_price": "percentage", "percent_price": 25, "min_quantity": 4},
    )
    pricelist = world.pricelist(
        world.rule(by_formula, 0, **formula("list_price", 33.33, price_round=0.05, price_surcharge=-0.01)),
        world.rule(by_percent, 0, compute_price="percentage", percent_price=12.5),
        world.rule(by_quantity, 11.0),
        world.rule(by_quantity, 0, compute_price="percentage", percent_price=40, min_quantity=5),
        world.rule(by_quantity, 9.5, min_quantity=3),
        world.rule(dated, 29.0, date_start="2019-12-31 23:00:00", date_end="2098-01-31 22:59:59"),
        world.rule(dated, 30.0, date_end="2020-12-31 22:59:59"),
        {
            "applied_on": "0_product_variant",
            "product_id": world.odoo_id(variant),
            "product_tmpl_id": world.template_id(variant),
            "compute_price": "fixed",
            "fixed_price": 38.5,
        },
        world.rule(variant, 1.0),
        {
            "applied_on": "2_product_category",
            "categ_id": above,
            **formula("standard_price", -60, price_min_margin=1.0, price_max_margin=4.0),
        },
        {
            "applied_on": "2_product_category",
            "categ_id": inside,
            "min_quantity": 2,
            **formula("list_price", 50, price_min_margin=-4.0),
        },
        {"applied_on": "3_global", **formula("pricelist", 5, base_pricelist_id=leaned_on)},
    )
    world.shop.set(pricelist_id=pricelist)
    skus = (by_formula, by_percent, by_quantity, dated, any_other, cheap, dear, of_category, variant)
    world.export(*skus)
    points = [(sku, amount) for sku in skus for amount in (1, 2, 3, 4, 5, 10)]
    if live_odoo.version < 18:
        # A 16 of 2022 forgets the rules of a category for those below it, where a product is asked for alone.
        points = [(sku, amount) for sku, amount in points if amount > 1 or sku not in {cheap, dear}]
    ours = {(sku, amount): round(exported(world, sku, amount), 2) for sku, amount in points}
    theirs = {
        (sku, amount): round(asked(live_odoo, pricelist, world.odoo_id(sku), amount), 2)
        for sku, amount in points
    }
    assert ours == theirs
    # Once more: nothing to write, and Magento is not even asked.
    world.forget_calls()
    world.export(*skus)
    assert (world.results(), world.calls()) == ({"unchanged": len(skus)}, {})

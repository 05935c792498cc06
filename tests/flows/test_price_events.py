"""Events of prices in Odoo start one export, however many they are; the clock stays as the net."""

from __future__ import annotations

import pytest

from consumers.beat import tick
from consumers.receiving import Message, Receiver
from consumers.schedules import SCHEDULES
from schemas.events import new_event
from tests.flows.conftest import OpenShop
from tests.support.prices import PriceShop

VERSIONS = (16, 18, 19)
VERSION = "2026-11-01 10:20:30"


def publish(world: PriceShop, kind: str, *ids: int) -> None:
    events = [new_event(kind, "shop", record_id=one, version=VERSION) for one in ids]
    messages = [Message(body=one.to_bytes(), routing_key=one.type) for one in events]
    assert Receiver(world.shop.ledger).receive(messages).dead == 0


def jobs(world: PriceShop, kind: str) -> list:
    return world.shop.ledger.jobs.list(instance="shop", kind=kind, limit=100)


@pytest.mark.parametrize("version", VERSIONS)
def test_rules_of_a_pricelist_that_change_are_exported_by_one_run(open_shop: OpenShop, version: int) -> None:
    world = PriceShop(open_shop(version))
    sku, other = world.product(list_price=20.0), world.product(list_price=30.0)
    pricelist = world.pricelist(world.rule(sku, 18.0), world.rule(other, 28.0))
    world.shop.set(pricelist_id=pricelist)
    world.export()
    before = len(jobs(world, "export-prices"))
    (rule,) = [
        row["id"]
        for row in world.odoo.records("product.pricelist.item")
        if row["pricelist_id"] == pricelist and row["product_tmpl_id"] == world.template_id(sku)
    ]
    world.odoo.write("product.pricelist.item", rule, {"fixed_price": 17.0})
    for _ in range(20):
        publish(world, "odoo.pricelist.changed", pricelist)
    # A pricelist that nobody buys by asks for the same.
    publish(world, "odoo.pricelist.changed", pricelist + 1000)
    assert len(jobs(world, "start-price-export")) == 1
    world.shop.work()
    assert (world.price(sku), world.price(other)) == (17, 28)
    assert len(jobs(world, "export-prices")) == before + 1
    # A rule that is deleted has no date to ask for, and is heard of all the same.
    world.odoo.delete("product.pricelist.item", rule)
    publish(world, "odoo.pricelist.changed", pricelist)
    world.shop.work()
    assert world.price(sku) == 20


@pytest.mark.parametrize("version", VERSIONS)
def test_sales_prices_that_change_are_exported_after_the_products_events(
    open_shop: OpenShop, version: int
) -> None:
    world = PriceShop(open_shop(version))
    skus = [world.product(list_price=20.0) for _ in range(5)]
    world.export()
    for number, sku in enumerate(skus):
        world.set_list_price(sku, 21.0 + number)
    publish(world, "odoo.product.changed", *(world.odoo_id(sku) for sku in skus))
    runs = len(jobs(world, "export-prices"))
    world.shop.work()
    assert [world.price(sku) for sku in skus] == [21, 22, 23, 24, 25]
    # Of the products that changed only, and not by a run over all.
    assert len(jobs(world, "export-prices")) == runs
    assert len(jobs(world, "start-price-export")) <= 5


def test_before_a_persons_first_export_or_while_prices_are_magentos_events_export_none(
    open_shop: OpenShop,
) -> None:
    world = PriceShop(open_shop(18))
    sku = world.product(list_price=20.0)
    world.export(sku, dry_run=True)
    for direction, said in (("price=odoo", "bridge run export-prices"), ("magento", "price=odoo")):
        world.shop.set(sync_direction=direction)
        publish(world, "odoo.pricelist.changed", 1)
        publish(world, "odoo.product.changed", world.odoo_id(sku))
        world.shop.work()
        (job, *_) = jobs(world, "start-price-export")
        assert (job.state, said in job.result["outcome"]) == ("done", True)
    assert world.price(sku) == 99


def test_the_clock_looks_at_magentos_prices_at_night(open_shop: OpenShop) -> None:
    world = PriceShop(open_shop(18))
    sku = world.product(list_price=20.0)
    world.export()
    world.magento.catalog.change(sku, {"price": 21}, is_silent=True)
    (schedule,) = [one for one in SCHEDULES if one.name == "look-at-prices"]
    assert tick(world.shop.ledger, schedule, now=13 * 3600.0) == 0
    assert tick(world.shop.ledger, schedule, now=3 * 3600.0) == 1
    world.shop.work()
    (conflict,) = world.shop.ledger.conflicts.list("shop")
    assert (conflict.field, conflict.magento_value, world.price(sku)) == ("base@0", "21", 21)

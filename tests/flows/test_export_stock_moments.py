"""RULES 3 at every moment of an order's life, on each version of Odoo: what is for sale never changes without a reason."""

from __future__ import annotations

import pytest

from bridge.flows.wants import wake_stock, want
from tests.flows.conftest import OpenShop
from tests.support.imports import done
from tests.support.moments import ON_HAND, SOURCE, Moments, next_number
from tests.support.names import warehouse_code

FIELDS = ("qty_available", "free_qty", "virtual_available")


@pytest.fixture(params=[16, 18, 19])
def version(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_for_sale_is_right_from_the_placing_to_the_return(
    open_shop: OpenShop, version: int, field: str
):
    shop = open_shop(version, stock_quantity_field=field, order_action="confirm")
    at = Moments(shop)
    raw = at.order()
    units = at.units(raw)
    left = ON_HAND - units
    # Placed, seen by the bridge and not imported: nothing in Odoo knows of it.
    shop.ledger.pauses.pause("shop", "import-order", by="test")
    assert at.push() == (ON_HAND, left)
    shop.ledger.pauses.resume("shop", "import-order")
    order = done(shop, raw)
    assert at.push() == (ON_HAND, left)
    shop.box.odoo.unreserve(order["id"])
    assert at.push() == (ON_HAND, left)
    shop.box.odoo.reserve(order["id"])
    shop.box.odoo.deliver(order["id"])
    # Delivered in Odoo, not exported yet: the units must still be there for Magento to ship.
    assert at.push() == (ON_HAND, left)
    at.in_magento(raw, qty_shipped="qty_ordered")
    assert at.push() == (left, left)
    assert shop.ledger.stock_lines.open("shop", [str(at.product_id)]) == []
    shop.box.odoo.take_back(order["id"])
    assert at.push() == (ON_HAND, ON_HAND)


@pytest.mark.parametrize("field", FIELDS)
def test_shipped_in_magento_before_odoo_delivers(open_shop: OpenShop, version: int, field: str):
    shop = open_shop(version, stock_quantity_field=field, order_action="confirm")
    at = Moments(shop)
    raw = at.order()
    left = ON_HAND - at.units(raw)
    order = done(shop, raw)
    at.in_magento(raw, qty_shipped="qty_ordered")
    assert at.push() == (left, left)
    shop.box.odoo.deliver(order["id"])
    assert at.push() == (left, left)


@pytest.mark.parametrize("field", FIELDS)
def test_cancelled_in_magento_is_for_sale_again_in_both(open_shop: OpenShop, version: int, field: str):
    shop = open_shop(version, stock_quantity_field=field, order_action="confirm")
    at = Moments(shop)
    raw = at.order()
    done(shop, raw)
    assert at.push() == (ON_HAND, ON_HAND - at.units(raw))
    at.in_magento(raw, qty_canceled="qty_ordered")
    # The bridge takes the units off Odoo's delivery, which gives back what was reserved.
    assert at.push() == (ON_HAND, ON_HAND)


def test_an_order_that_cannot_be_imported_is_not_sold_twice(open_shop: OpenShop, version: int):
    shop = open_shop(version)
    at = Moments(shop)
    raw = at.order(is_mapped=False)
    assert shop.import_order(raw).state == "blocked"
    assert at.push() == (ON_HAND, ON_HAND - at.units(raw))
    # Shipped from Magento by hand: Odoo still counts the units.
    at.in_magento(raw, qty_shipped="qty_ordered")
    assert at.push() == (ON_HAND - at.units(raw), ON_HAND - at.units(raw))


def test_warehouses_are_told_apart(open_shop: OpenShop, version: int):
    shop = open_shop(version, stock_source_code=SOURCE, stock_routes="default=1")
    at = Moments(shop)
    other = shop.box.odoo.create(
        "stock.warehouse",
        {"name": f"Other {at.sku}", "code": warehouse_code(next_number()), "delivery_steps": "ship_only"},
    )
    shop.box.odoo.set_stock(at.odoo_id, 7, warehouse=other)
    assert at.push()[0] == ON_HAND
    shop.set(stock_routes=f"default=1+{other}")
    assert at.push()[0] == ON_HAND + 7
    shop.set(stock_routes=f"default={other}")
    assert at.push()[0] == 7


def test_a_warehouse_that_is_gone_is_named_and_nothing_is_written(open_shop: OpenShop, version: int):
    shop = open_shop(version, stock_routes="default=99999")
    at = Moments(shop)
    shop.ledger.stock.mark("shop", [at.product_id], wake=wake_stock("shop"), by_hand=True)
    shop.work()
    (job,) = shop.ledger.jobs.list(kind="export-stock")
    assert (job.state, job.error_code) == ("blocked", "mapping_wrong")
    assert "99999" in str(job.error)
    assert shop.box.magento.inventory.get(at.sku, SOURCE) == ON_HAND


def test_a_service_is_left_alone(open_shop: OpenShop, version: int):
    shop = open_shop(version)
    at = Moments(shop)
    template = next(row for row in shop.box.odoo.records("product.product") if row["id"] == at.odoo_id)
    values = {"detailed_type": "service"} if version < 18 else {"type": "service", "is_storable": False}
    shop.box.odoo.write("product.template", template["product_tmpl_id"], values)
    shop.box.magento.inventory.set(at.sku, SOURCE, 42)
    assert at.push()[0] == 42


def test_what_changed_in_odoo_is_found_without_an_event_rules_5_2(open_shop: OpenShop, version: int):
    shop = open_shop(version, export_stock=True)
    at = Moments(shop)
    shop.ledger.jobs.want([want("poll-stock", instance="shop", entity="all")])
    shop.work()
    shop.box.odoo.set_stock(at.odoo_id, 55)
    shop.ledger.jobs.want([want("poll-stock", instance="shop", entity="all")])
    shop.work()
    assert shop.box.magento.inventory.get(at.sku, SOURCE) == 55
    assert {job.state for job in shop.ledger.jobs.list()} == {"done"}

"""The check of drift on each version of Odoo, with orders that are placed, shipped and delivered in both systems."""

from __future__ import annotations

import time
from decimal import Decimal
from itertools import count

import httpx
import pytest

from bridge.engine import run_job
from bridge.flows.wants import PLACES, wake_stock, want
from bridge.ledger import DriftLine, Pair
from bridge.translate.drift import SEVERITIES
from tests.flows.conftest import OpenShop
from tests.support.shop import ROOM, Shop

NUMBERS = count(1)
SOURCE = "drifting-town"


class Town:
    """A product with ten on hand in Odoo and in the source of a stock of its own."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.box = shop, shop.box
        magento = shop.box.magento
        magento.inventory.add_source(SOURCE)
        self.stock_id = magento.inventory.add_stock("Town", websites=["base"], sources=[SOURCE])
        (self.sku,) = magento.add_plain_products(
            1, prefix=f"TOWN-{next(NUMBERS)}", sources=[SOURCE], quantity=10
        )
        (self.odoo_id,) = shop.box.odoo.seed_products([self.sku]).values()
        shop.box.odoo.set_stock(self.odoo_id, 10)
        self.product_id = next(one["id"] for one in magento.catalog.all() if one["sku"] == self.sku)
        pair = Pair(
            magento_id=str(self.product_id),
            odoo_model="product.product",
            odoo_id=self.odoo_id,
            magento_label=self.sku,
        )
        shop.ledger.bindings.bind_many("shop", "product", [pair])

    def place(self, units: int = 3) -> int:
        """Let a customer order, and the bridge read it: it is not imported, since nothing is mapped."""
        entity_id = int(self.box.magento.place_order({self.sku: units})["entity_id"])
        self.read(entity_id)
        return entity_id

    def read(self, entity_id: int) -> None:
        self.shop.ledger.jobs.want([want("import-order", instance="shop", entity=str(entity_id))])
        self.work("import-order")

    def ship(self, entity_id: int, units: int) -> None:
        """Ship in Magento, of which the bridge hears nothing."""
        (item,) = self.box.magento.orders.get(entity_id)["items"]
        body = {
            "items": [{"order_item_id": item["item_id"], "qty": units}],
            "arguments": {"extension_attributes": {"source_code": SOURCE}},
        }
        answer = httpx.post(
            f"{self.box.magento.url}/rest/V1/order/{entity_id}/ship",
            json=body,
            headers={"Authorization": f"Bearer {self.box.magento.admin_token}"},
        )
        assert answer.status_code == 200, answer.text

    def export(self) -> None:
        wake = wake_stock("shop", delay_seconds=0.0)
        self.shop.ledger.stock.mark("shop", [self.product_id], wake=wake, by_hand=True)
        self.work("export-stock")

    def work(self, kind: str) -> None:
        """Run jobs until those of a kind have ended."""
        until = time.monotonic() + 60
        jobs = self.shop.ledger.jobs
        while jobs.list(kind=kind, states=("pending", "queued", "running", "retry_waiting")):
            assert time.monotonic() < until
            for job_id, _ in jobs.dispatch(ROOM, limit=100):
                run_job(self.shop.runtime, job_id)

    def check(self) -> list[DriftLine]:
        place = PLACES["drift"]
        lock = "drift"
        run = self.shop.ledger.runs.start(
            "shop", "drift", {}, queue=place.queue, systems=place.systems, lock_key=lock
        )
        self.work("drift")
        assert self.shop.ledger.drift.latest("shop") == run.id, self.shop.ledger.jobs.list(kind="drift")
        lines = self.shop.ledger.drift.lines(run.id, severities=SEVERITIES)
        return [line for line in lines if line.sku == self.sku]

    def causes(self) -> dict[str, Decimal]:
        (line,) = self.check()
        found = {one["cause"]: Decimal(one["units"]) for one in line.details["causes"]}
        assert sum(found.values()) == line.difference
        return found


@pytest.fixture(params=[16, 18, 19])
def town(request: pytest.FixtureRequest, open_shop: OpenShop) -> Town:
    return Town(open_shop(request.param, own_box=True, stock_source_code=SOURCE))


def test_sales_are_no_drift_at_any_moment(town: Town):
    town.export()
    order = town.place()
    assert town.check() == []
    town.export()
    assert town.check() == []
    town.ship(order, 3)
    town.read(order)
    # Magento took the goods out of its source, and what it should have fell alike.
    assert town.check() == []


def test_a_shipment_that_the_bridge_did_not_hear_of_is_a_stale_reservation(town: Town):
    order = town.place()
    town.export()
    town.ship(order, 2)
    (line,) = town.check()
    assert (line.found, line.target) == (8, 10)
    assert [(one["cause"], one["units"]) for one in line.details["causes"]] == [("stale_reservation", "-2")]
    # Beside it somebody took one away by hand.
    inventory = town.box.magento.inventory
    inventory.set(town.sku, SOURCE, 7)
    assert town.causes() == {"stale_reservation": -2, "edited_in_magento": -1}
    town.read(order)
    assert town.causes() == {"edited_in_magento": -1}


def test_edits_changes_and_safety_stocks_have_their_causes(town: Town):
    town.export()
    town.box.odoo.set_stock(town.odoo_id, 12)
    assert town.causes() == {"newer_change": -2}
    town.box.magento.inventory.set(town.sku, SOURCE, 30)
    assert town.causes() == {"edited_in_magento": 20, "newer_change": -2}
    town.export()
    assert town.check() == []
    town.shop.ledger.stock.set_safety("shop", "source", SOURCE, Decimal(5), by="test")
    (line,) = town.check()
    assert (line.severity, line.found, line.target) == ("warning", 12, 7)
    assert [(one["cause"], one["units"]) for one in line.details["causes"]] == [("safety_stock", "5")]


def test_open_orders_that_another_tool_left_out(town: Town):
    """Who writes Odoo's free figure lets Magento hold the same units back twice."""
    town.place()
    assert town.check() == []
    sale = town.box.odoo.create("res.partner", {"name": "Ada"})
    line = {"product_id": town.odoo_id, "product_uom_qty": 3, "price_unit": 10}
    order = town.box.odoo.create("sale.order", {"partner_id": sale, "order_line": [[0, 0, line]]})
    town.box.odoo.confirm(order)
    (known,) = town.shop.ledger.stock_lines.open("shop", [str(town.product_id)])
    (row,) = [one for one in town.box.odoo.records("sale.order.line") if one["order_id"] == order]
    town.shop.ledger.bindings.bind(
        "shop",
        "order",
        magento_id=known.order_id,
        odoo_model="sale.order",
        odoo_id=order,
        items={str(known.item_id): [{"line": "x", "quantity": "3", "line_id": row["id"]}]},
    )
    assert town.check() == []
    town.box.magento.inventory.set(town.sku, SOURCE, 7)
    assert town.causes() == {"open_reservation": -3}


def test_a_warehouse_that_is_gone_blocks_the_check_with_what_to_do(open_shop: OpenShop):
    town = Town(open_shop(18, own_box=True, stock_source_code=SOURCE, stock_routes=f"{SOURCE}=987"))
    place = PLACES["drift"]
    town.shop.ledger.runs.start("shop", "drift", {}, queue=place.queue, systems=place.systems)
    town.work("drift")
    (job,) = town.shop.ledger.jobs.list(kind="drift")
    assert job.state == "blocked"
    assert "warehouse" in str(job.error)
    assert "Change the mapping" in str(job.help)

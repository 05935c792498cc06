"""Units that Magento cancels after the confirmation: Odoo's open delivery gets lower, and no receipt stands beside it (RULES 1.9)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.moments import ON_HAND, Moments, next_number
from tests.support.names import warehouse_code
from tests.support.orders import Raw, changed, order_row, stored, with_lines
from tests.support.shop import Shop

PATIENCE = 120.0


@pytest.fixture(params=[16, 18, 19])
def version(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


class Delivery:
    """A confirmed order of some units of a product that nothing else sells, and what Odoo means to move of it."""

    def __init__(self, shop: Shop, *, warehouse: int = 1, **product: Any) -> None:
        self.shop = shop
        goods = Moments(shop)
        self.product_id = goods.odoo_id
        shop.box.odoo.set_stock(self.product_id, ON_HAND, warehouse=warehouse)
        if product:
            shop.box.odoo.write("product.product", self.product_id, product)
        self._place(goods)
        while len(self.lines()) > 1:
            # The price has no end, so that it takes several lines; each would have a move of its own.
            self.shop.box.odoo.cancel(self.order["id"])
            self._place(goods)

    def _place(self, goods: Moments) -> None:
        self.raw = goods.order()
        while len(self.raw["items"]) > 1 or self.units < 3:
            self.raw = goods.order()
        self.order = self._imported(self.raw)

    @property
    def units(self) -> int:
        return int(self.raw["items"][0]["qty_ordered"])

    def line(self) -> Raw:
        """Return the order's line of the product."""
        (found,) = self.lines()
        return found

    def lines(self) -> list[Raw]:
        """Return the order's lines of the product."""
        return [one for one in self.shop.lines(self.order["id"]) if one["product_id"] == self.product_id]

    def cancel(self, units: int) -> None:
        """Cancel units in Magento, counted from the beginning, and let the bridge follow."""
        self._imported(changed(self.shop, self.raw, items=with_lines(self.raw, qty_canceled=units)))

    def _imported(self, raw: Raw) -> Raw:
        job = self.shop.import_order(raw, seconds=PATIENCE)
        assert (job.state, job.error) == ("done", None)
        return stored(self.shop, job)

    def moves(self) -> dict[str, Decimal]:
        """Return the units that Odoo moves or has moved, by state, those that come back under ``back``."""
        odoo = self.shop.box.odoo
        line_id = self.line()["id"]
        customers = {one["id"] for one in odoo.records("stock.location") if one["usage"] == "customer"}
        found: dict[str, Decimal] = {}
        for move in odoo.records("stock.move"):
            if move.get("sale_line_id") == line_id and move["state"] != "cancel":
                name = "back" if move["location_id"] in customers else move["state"]
                found[name] = found.get(name, Decimal(0)) + Decimal(str(move["product_uom_qty"]))
        return found

    def transfers(self) -> dict[int, Decimal]:
        """Return the units that the order's open transfers move, by transfer."""
        odoo = self.shop.box.odoo
        own = {row["id"] for row in odoo.records("stock.picking") if row["sale_id"] == self.order["id"]}
        return {
            move["picking_id"]: Decimal(str(move["product_uom_qty"]))
            for move in odoo.records("stock.move")
            if move.get("picking_id") in own and move["state"] not in {"cancel", "done"}
        }

    def for_sale(self) -> tuple[int, int, int]:
        """Return what Odoo has, what of it is free, and what there will be."""
        stock = self.shop.box.odoo.stock(self.product_id)
        return tuple(int(stock[name]) for name in ("qty_available", "free_qty", "virtual_available"))  # type: ignore[return-value]  # three names


def test_units_cancelled_after_the_confirmation_are_taken_off_the_delivery(
    open_shop: OpenShop, version: int
) -> None:
    at = Delivery(open_shop(version, order_action="confirm"))
    left = at.units - 1
    assert at.moves() == {"assigned": at.units}
    at.cancel(1)
    assert at.moves() == {"assigned": left}
    assert at.for_sale() == (ON_HAND, ON_HAND - left, ON_HAND - left)
    # The date of the purchase stays, and the price with it.
    now = order_row(at.shop, at.order["id"])
    assert (now["state"], now["date_order"]) == ("sale", at.raw["created_at"])
    at.cancel(2)
    assert at.moves() == {"assigned": left - 1}


def test_an_order_that_is_cancelled_whole_delivers_nothing(open_shop: OpenShop, version: int) -> None:
    at = Delivery(open_shop(version, order_action="confirm"))
    at.cancel(at.units)
    assert at.moves() == {}
    assert at.for_sale() == (ON_HAND, ON_HAND, ON_HAND)
    pickings = [row for row in at.shop.box.odoo.records("stock.picking") if row["sale_id"] == at.order["id"]]
    assert [row["state"] for row in pickings] == ["cancel"]


def test_what_is_delivered_stays_and_the_rest_is_taken_off(open_shop: OpenShop, version: int) -> None:
    at = Delivery(open_shop(version, order_action="confirm"))
    at.shop.box.odoo.deliver(at.order["id"], {at.product_id: 1})
    assert at.moves() == {"assigned": at.units - 1, "done": 1}
    at.cancel(at.units - 1)
    assert at.moves() == {"done": 1}
    assert at.for_sale() == (ON_HAND - 1, ON_HAND - 1, ON_HAND - 1)


@pytest.mark.parametrize("steps", ["pick_ship", "pick_pack_ship"])
def test_a_delivery_of_several_steps_moves_less_in_each(
    open_shop: OpenShop, version: int, steps: str
) -> None:
    shop = open_shop(version, order_action="confirm")
    number = next_number()
    values = {"name": f"Steps {number}", "code": warehouse_code(number), "delivery_steps": steps}
    warehouse = shop.box.odoo.create("stock.warehouse", values)
    shop.set(warehouse_id=warehouse)
    at = Delivery(shop, warehouse=warehouse)
    before = at.transfers()
    at.cancel(1)
    # 16 makes all steps at once, later versions each when the one before it is done.
    assert at.transfers() == dict.fromkeys(before, at.units - 1)
    assert len(before) == (steps.count("_") + 1 if version < 18 else 1)
    at.cancel(at.units)
    assert at.transfers() == {}


def wait_two_days(at: Delivery) -> None:
    """Let the shop take two days for the article: a lead time that Odoo copied to the line."""
    assert at.line()["customer_lead"] == 2


def promised(at: Delivery) -> None:
    """Promise the goods for a day, as a person does."""
    at.shop.box.odoo.write("sale.order", at.order["id"], {"commitment_date": "2099-05-01 10:00:00"})


@pytest.mark.parametrize(("product", "happens"), [({"sale_delay": 2}, wait_two_days), ({}, promised)])
def test_lead_times_and_promised_dates_do_not_matter(
    open_shop: OpenShop, version: int, product: dict[str, Any], happens: Callable[[Delivery], None]
) -> None:
    at = Delivery(open_shop(version, order_action="confirm"), **product)
    happens(at)
    at.cancel(1)
    assert at.moves() == {"assigned": at.units - 1}
    assert at.line()["customer_lead"] == product.get("sale_delay", 0)


def test_a_date_that_is_written_after_the_confirmation_lets_odoo_make_a_receipt(
    open_shop: OpenShop, version: int
) -> None:
    """What the bridge works around: units alone, as a person or another connector writes them (tried on real 16, 18, 19)."""
    at = Delivery(open_shop(version, order_action="confirm"))
    line = at.line()
    values = {"product_uom_qty": at.units - 1, "price_unit": line["price_unit"]}
    at.shop.box.odoo.write("sale.order.line", line["id"], values)
    assert at.moves() == {"assigned": at.units, "back": 1}

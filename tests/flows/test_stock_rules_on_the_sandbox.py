"""Every row of the table of RULES 3, played through both simulated systems: a proof that the sandbox is right.

The figures are those that real servers showed (``rules/stock-*``): Odoo's three fields, what Magento reserves (R) and has
shipped (X), what each field lacks (D), the quantity Q to push, and what is for sale after it was pushed.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import httpx
import pytest

from bridge.magento import MagentoClient, OAuthSecret, inventory, stocks
from bridge.odoo import OdooClient, moves, stock
from bridge.sandbox import Sandbox
from tests.support.names import warehouse_code

NUMBERS = count()


class World:
    """One product with 10 on hand, in Odoo's warehouse and in the source that stands for it."""

    def __init__(self, box, *, safety=0):
        self.box = box
        self.safety = safety
        self.sku = f"RULE-{next(NUMBERS)}"
        box.magento.add_plain_products(1, prefix=self.sku, sources=["berlin"], quantity=10)
        self.sku = f"{self.sku}-000000"
        (self.product,) = box.odoo.seed_products([self.sku]).values()
        box.odoo.set_stock(self.product, 10)
        self.raws, self.orders = [], []

    def place(self, quantity=3):
        """A customer orders in Magento; nothing is imported yet."""
        self.raws.append(self.box.magento.place_order({self.sku: quantity})["entity_id"])
        self.orders.append(None)

    def import_(self, at=0, *, confirms=True, reserves=True, warehouse=1):
        """The order comes to Odoo."""
        quantity = self.line(at)["qty_ordered"]
        partner = self.box.odoo.create("res.partner", {"name": "Ada"})
        line = {"product_id": self.product, "product_uom_qty": quantity, "price_unit": 10}
        values = {"partner_id": partner, "order_line": [[0, 0, line]], "warehouse_id": warehouse}
        self.orders[at] = self.box.odoo.create("sale.order", values)
        if confirms:
            self.box.odoo.confirm(self.orders[at])
        if confirms and not reserves:
            self.box.odoo.unreserve(self.orders[at])

    def deliver(self, quantity, at=0):
        self.box.odoo.deliver(self.orders[at], {self.product: quantity})

    def cancel_in_odoo(self, at=0):
        self.box.odoo.cancel(self.orders[at])

    def line(self, at=0):
        return self.box.magento.orders.get(self.raws[at])["items"][0]

    def post(self, path, body=None, at=0):
        answer = httpx.post(
            f"{self.box.magento.url}/rest/V1/{path.format(id=self.raws[at])}",
            json=body or {},
            headers={"Authorization": f"Bearer {self.box.magento.admin_token}"},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ship(self, quantity, at=0):
        items = [{"order_item_id": self.line(at)["item_id"], "qty": quantity}]
        extension = {"source_code": "berlin"}
        body = {"items": items, "arguments": {"extension_attributes": extension}}
        self.post("order/{id}/ship", body, at)

    def refund(self, quantity, *, is_returned, at=0):
        item = self.line(at)["item_id"]
        extension = {"return_to_stock_items": [item] if is_returned else []}
        arguments = {"shipping_amount": 0, "extension_attributes": extension}
        items = [{"order_item_id": item, "qty": quantity}]
        if not self.line(at).get("qty_invoiced"):
            self.post("order/{id}/invoice", {"capture": True}, at)
        self.post("order/{id}/refund", {"items": items, "arguments": arguments}, at)


def placed(world):
    world.place()


def draft(world):
    world.place()
    world.import_(confirms=False)


def cancelled_in_odoo_only(world):
    world.place()
    world.import_()
    world.cancel_in_odoo()


def nothing_reserved(world):
    world.place()
    world.import_(reserves=False)


def reserved(world):
    world.place()
    world.import_()


def one_delivered(world):
    reserved(world)
    world.deliver(1)


def one_exported(world):
    one_delivered(world)
    world.ship(1)


def three_delivered(world):
    reserved(world)
    world.deliver(3)


def three_exported(world):
    three_delivered(world)
    world.ship(3)


def shipped_in_magento(world):
    reserved(world)
    world.ship(3)


def cancelled_in_magento(world):
    reserved(world)
    world.post("orders/{id}/cancel")


def refunded_unshipped_restocked(world):
    reserved(world)
    world.refund(3, is_returned=True)


def cancelled_in_both(world):
    cancelled_in_magento(world)
    world.cancel_in_odoo()


def refunded_unshipped_not_restocked(world):
    reserved(world)
    world.refund(3, is_returned=False)
    assert world.box.magento.inventory.get(world.sku, "berlin") == 7
    world.cancel_in_odoo()


def refunded_after_shipping(world):
    three_exported(world)
    world.refund(3, is_returned=True)


def goods_back(world):
    refunded_after_shipping(world)
    world.box.odoo.take_back(world.orders[0])


def two_orders_two_delivered(world):
    world.place(2)
    world.place(5)
    world.import_(1)
    world.deliver(2, at=1)
    world.ship(2, at=1)


def two_orders_three_delivered(world):
    world.place(2)
    world.place(5)
    world.import_(0)
    world.import_(1)
    world.deliver(3, at=1)
    world.ship(1, at=1)


def negative_reservation(world):
    world.place()
    world.import_()
    world.ship(1)
    world.refund(1, is_returned=True)
    world.ship(2)


def negative_reservation_delivered(world):
    negative_reservation(world)
    world.deliver(3)


def eight_reserved(world):
    world.place(8)
    world.import_()


def eight_delivered(world):
    eight_reserved(world)
    world.deliver(8)


#: Situation, safety stock, Odoo's fields, R, X, D by order and field, Q, salable.
ROWS = {
    "placed": (placed, 0, (10, 10, 10), [3], [0], [(0, 0, 0)], (10, 10, 10), (7, 7, 7)),
    "draft": (draft, 0, (10, 10, 10), [3], [0], [(0, 0, 0)], (10, 10, 10), (7, 7, 7)),
    "cancelled in Odoo only": (
        *(cancelled_in_odoo_only, 0, (10, 10, 10), [3], [0], [(0, 0, 0)], (10, 10, 10), (7, 7, 7)),
    ),
    "nothing reserved": (nothing_reserved, 0, (10, 10, 7), [3], [0], [(0, 0, 3)], (10, 10, 10), (7, 7, 7)),
    "reserved": (reserved, 0, (10, 7, 7), [3], [0], [(0, 3, 3)], (10, 10, 10), (7, 7, 7)),
    "1 delivered": (one_delivered, 0, (9, 7, 7), [3], [0], [(1, 3, 3)], (10, 10, 10), (7, 7, 7)),
    "1 exported": (one_exported, 0, (9, 7, 7), [2], [1], [(1, 3, 3)], (9, 9, 9), (7, 7, 7)),
    "3 delivered": (three_delivered, 0, (7, 7, 7), [3], [0], [(3, 3, 3)], (10, 10, 10), (7, 7, 7)),
    "3 exported": (three_exported, 0, (7, 7, 7), [0], [3], [(3, 3, 3)], (7, 7, 7), (7, 7, 7)),
    "shipped in Magento": (shipped_in_magento, 0, (10, 7, 7), [0], [3], [(0, 3, 3)], (7, 7, 7), (7, 7, 7)),
    "cancelled in Magento": (
        *(cancelled_in_magento, 0, (10, 7, 7), [0], [0], [(0, 3, 3)], (10, 7, 7), (10, 7, 7)),
    ),
    "refunded unshipped, restocked": (
        *(refunded_unshipped_restocked, 0, (10, 7, 7), [0], [0], [(0, 3, 3)], (10, 7, 7), (10, 7, 7)),
    ),
    "cancelled in both": (
        *(cancelled_in_both, 0, (10, 10, 10), [0], [0], [(0, 0, 0)], (10, 10, 10), (10, 10, 10)),
    ),
    "refunded unshipped, not restocked": (
        *(refunded_unshipped_not_restocked, 0, (10, 10, 10), [0], [0], [(0, 0, 0)]),
        *((10, 10, 10), (10, 10, 10)),
    ),
    "refunded after shipping": (
        *(refunded_after_shipping, 0, (7, 7, 7), [0], [3], [(3, 3, 3)], (7, 7, 7), (7, 7, 7)),
    ),
    "goods received back": (goods_back, 0, (10, 10, 10), [0], [3], [(3, 3, 3)], (10, 10, 10), (10, 10, 10)),
    "two orders, 2 delivered": (
        *(two_orders_two_delivered, 0, (8, 5, 5), [2, 3], [0, 2], [(0, 0, 0), (2, 5, 5)]),
        *((8, 8, 8), (3, 3, 3)),
    ),
    "two orders, 3 delivered": (
        *(two_orders_three_delivered, 0, (7, 3, 3), [2, 4], [0, 1], [(0, 2, 2), (3, 5, 5)]),
        *((9, 9, 9), (3, 3, 3)),
    ),
    "refunded while others are open": (
        *(negative_reservation, 0, (10, 7, 7), [-1], [3], [(0, 3, 3)], (6, 6, 6), (7, 7, 7)),
    ),
    "the same, delivered in Odoo": (
        *(negative_reservation_delivered, 0, (7, 7, 7), [-1], [3], [(3, 3, 3)], (6, 6, 6), (7, 7, 7)),
    ),
    "safety 5, placed": (placed, 5, (10, 10, 10), [3], [0], [(0, 0, 0)], (5, 5, 5), (2, 2, 2)),
    "safety 5, reserved": (reserved, 5, (10, 7, 7), [3], [0], [(0, 3, 3)], (5, 5, 5), (2, 2, 2)),
    "safety 5, delivered": (three_delivered, 5, (7, 7, 7), [3], [0], [(3, 3, 3)], (5, 5, 5), (2, 2, 2)),
    "safety 5, 8 reserved": (eight_reserved, 5, (10, 2, 2), [8], [0], [(0, 8, 8)], (5, 8, 8), (0, 0, 0)),
    "safety 5, 8 delivered": (eight_delivered, 5, (2, 2, 2), [8], [0], [(8, 8, 8)], (8, 8, 8), (0, 0, 0)),
}


@pytest.fixture(scope="module", params=[16, 18, 19])
def box(request):
    with Sandbox.start(odoo_version=request.param) as box:
        box.magento.inventory.add_source("berlin")
        box.magento.inventory.add_stock("EU", websites=["base"], sources=["berlin"])
        yield box


@pytest.fixture(scope="module")
def odoo(box):
    state = box.odoo
    client = OdooClient.connect(url=state.url, db=state.database, user=state.user, key=state.key)
    yield client
    client.close()


@pytest.fixture(scope="module")
def magento(box):
    client = MagentoClient.connect(base_url=box.magento.url, secret=OAuthSecret(**box.magento.secret))
    yield client
    client.close()


def lines_in_odoo(world, odoo):
    """The state of each order's line; an order that is not in Odoo has moved nothing."""
    rows = world.box.odoo.records("sale.order.line")
    ids = [next((row["id"] for row in rows if row["order_id"] == one), 0) for one in world.orders]
    found = moves.line_moves(odoo, [one for one in ids if one])
    return [found.get(one) if order else None for one, order in zip(ids, world.orders, strict=True)]


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_the_table_is_what_real_servers_showed(box, odoo, magento, name):
    situation, safety, fields, open_, shipped, lacking, pushed, salable = ROWS[name]
    world = World(box, safety=safety)
    situation(world)
    lines = lines_in_odoo(world, odoo)
    in_magento = [box.magento.reservations.of_line(world.line(at)["item_id"]) for at in range(len(lines))]
    assert [amount / 10_000 for amount in in_magento] == open_
    assert [world.line(at).get("qty_shipped") or 0 for at in range(len(lines))] == shipped
    for at, field in enumerate(("qty_available", "free_qty", "virtual_available")):
        figure = stock.quantities(odoo, [world.product], field, warehouse_ids=[1])[world.product]
        assert figure == fields[at], field
        known = [line.lacking(field) if line else Decimal(0) for line in lines]
        assert known == [row[at] for row in lacking], field
        unseen = [max(0, max(0, r) + x - d) for r, x, d in zip(open_, shipped, known, strict=True)]
        quantity = max(0, max(0, figure - safety) + sum(open_) - sum(unseen))
        assert quantity == pushed[at], field
        item = inventory.SourceItem(sku=world.sku, source_code="berlin", quantity=Decimal(quantity))
        inventory.write_source_items(magento, [item])
        assert stocks.salable_quantity(magento, world.sku, 2) == salable[at], field


def test_what_was_delivered_can_be_shipped_after_the_push(box, odoo, magento):
    world = World(box, safety=5)
    eight_delivered(world)
    item = inventory.SourceItem(sku=world.sku, source_code="berlin", quantity=Decimal(8))
    inventory.write_source_items(magento, [item])
    world.ship(8)
    assert box.magento.inventory.get(world.sku, "berlin") == 0
    assert stocks.salable_quantity(magento, world.sku, 2) == 0


def push(magento, world, quantity, source="berlin"):
    item = inventory.SourceItem(sku=world.sku, source_code=source, quantity=Decimal(quantity))
    inventory.write_source_items(magento, [item])


@pytest.mark.parametrize("situation", [placed, reserved, three_delivered])
def test_a_source_in_two_stocks_offers_too_little_in_one_never_too_much(box, odoo, magento, situation):
    """``rules/stock-shared-source-*``: an order of 3 in one stock, true availability 7 in both."""
    box.magento.inventory.link(1, "berlin")
    try:
        world = World(box)
        situation(world)
        (line,) = lines_in_odoo(world, odoo)
        for field in stock.QUANTITY_FIELDS:
            figure = stock.quantities(odoo, [world.product], field, warehouse_ids=[1])[world.product]
            unseen = max(0, 3 - (line.lacking(field) if line else 0))
            push(magento, world, max(0, figure - unseen))
            assert stocks.salable_quantity(magento, world.sku, 1) == 7
            assert stocks.salable_quantity(magento, world.sku, 2) == 4
    finally:
        box.magento.inventory.unlink(1, "berlin")


def test_a_line_counts_in_its_own_warehouse_whichever_source_shipped_it(box, odoo, magento):
    """``rules/stock-two-sources-shipped-from-the-other``: reserved in the second warehouse, shipped from the first source."""
    number = next(NUMBERS)
    code = f"source{number}"
    other = box.odoo.create("stock.warehouse", {"name": code, "code": warehouse_code(number)})
    box.magento.inventory.add_source(code)
    box.magento.inventory.link(2, code, 2)
    world = World(box)
    box.magento.inventory.set(world.sku, code, 10)
    box.odoo.set_stock(world.product, 10, warehouse=other)
    world.place()
    world.import_(warehouse=other)
    world.ship(3)
    assert box.magento.inventory.get(world.sku, "berlin") == 7
    (line,) = lines_in_odoo(world, odoo)
    assert line.warehouse_id == other
    for field, figures in (
        ("qty_available", (10, 10)),
        ("free_qty", (10, 7)),
        ("virtual_available", (10, 7)),
    ):
        here, there = (
            stock.quantities(odoo, [world.product], field, warehouse_ids=[one])[world.product]
            for one in (1, other)
        )
        assert (here, there) == figures
        push(magento, world, here)
        push(magento, world, there - max(0, 3 - line.lacking(field)), code)
        assert stocks.salable_quantity(magento, world.sku, 2) == 17
    box.magento.inventory.unlink(2, code)


def test_the_threshold_and_backorders_count_as_recorded(box, magento):
    world = World(box)
    box.magento.inventory.set_threshold(world.sku, 4)
    assert stocks.salable_quantity(magento, world.sku, 2) == 6
    world.place(12)
    assert stocks.salable_quantity(magento, world.sku, 2) == 0
    box.magento.inventory.set_backorders(world.sku, allowed=True)
    assert stocks.salable_quantity(magento, world.sku, 2) == -6
    assert stocks.is_salable(magento, world.sku, 2)


def test_a_shop_without_reservations_keeps_all_for_sale(box, magento):
    box.magento.reservations.are_off = True
    try:
        world = World(box)
        world.place()
        assert stocks.salable_quantity(magento, world.sku, 2) == 10
    finally:
        box.magento.reservations.are_off = False

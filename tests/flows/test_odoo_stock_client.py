"""The client of Odoo's stock against the simulated Odoo of each version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest

from bridge.odoo import OdooClient, counts, kits, moves, stock
from bridge.sandbox import Sandbox
from tests.support.names import warehouse_code

NUMBERS = count()


@pytest.fixture(scope="module", params=[16, 18, 19])
def box(request):
    with Sandbox.start(odoo_version=request.param) as box:
        yield box


@pytest.fixture
def odoo(box):
    state = box.odoo
    client = OdooClient.connect(url=state.url, db=state.database, user=state.user, key=state.key)
    yield client
    client.close()


@pytest.fixture
def product(box):
    (product,) = box.odoo.seed_products([f"STOCK-{next(NUMBERS)}"]).values()
    box.odoo.set_stock(product, 10)
    return product


def warehouse(box, steps="ship_only"):
    number = next(NUMBERS)
    values = {"name": f"Warehouse {number}", "code": warehouse_code(number), "delivery_steps": steps}
    return box.odoo.create("stock.warehouse", values)


def order(box, product, quantity=3, **more):
    partner = box.odoo.create("res.partner", {"name": "Ada"})
    line = {"product_id": product, "product_uom_qty": quantity, "price_unit": 10}
    return box.odoo.create("sale.order", {"partner_id": partner, "order_line": [[0, 0, line]], **more})


def confirmed(box, product, quantity=3, **more):
    order_id = order(box, product, quantity, **more)
    box.odoo.confirm(order_id)
    return order_id


def line_of(box, order_id):
    return next(row["id"] for row in box.odoo.records("sale.order.line") if row["order_id"] == order_id)


def state_of(box, odoo, order_id):
    line_id = line_of(box, order_id)
    found = moves.line_moves(odoo, [line_id])[line_id]
    return tuple(int(one) for one in (found.delivered, found.reserved, found.open))


def test_quantities_are_told_apart_by_warehouse_and_place_in_one_call(box, odoo, product):
    other = warehouse(box)
    box.odoo.set_stock(product, 7.25, warehouse=other)
    place = next(one for one in stock.warehouses(odoo) if one.id == other).stock_location_id
    box.calls.reset()
    ask = stock.quantities
    assert ask(odoo, [product], "qty_available") == {product: Decimal("17.25")}
    assert ask(odoo, [product], "free_qty", warehouse_ids=[1]) == {product: Decimal(10)}
    assert ask(odoo, [product], "free_qty", warehouse_ids=[other]) == {product: Decimal("7.25")}
    assert ask(odoo, [product], "free_qty", warehouse_ids=[1, other]) == {product: Decimal("17.25")}
    assert ask(odoo, [product], "free_qty", location_ids=[place]) == {product: Decimal("7.25")}
    assert box.calls.total("odoo", contains="product.product.read") == 5
    assert stock.heeds_warehouses(odoo)


def test_many_products_are_one_call_and_one_that_is_gone_is_missing(box, odoo):
    products = list(box.odoo.seed_products([f"MANY-{number}" for number in range(60)]).values())
    box.odoo.delete("product.product", products[5])
    box.calls.reset()
    found = stock.quantities(odoo, products, "free_qty", warehouse_ids=[1])
    assert set(found) == set(products) - {products[5]}
    assert box.calls.total("odoo", contains="product.product.read") == 1


def test_an_odoo_that_ignores_the_key_of_warehouses_is_found_out(box, odoo, product, monkeypatch):
    box.odoo.set_stock(product, 7, warehouse=warehouse(box))
    monkeypatch.setattr(stock, "quantity_context", lambda **_: {"store": [1]})
    assert stock.heeds_warehouses(odoo) is False


def test_a_line_is_followed_from_draft_to_delivery_and_back(box, odoo, product):
    order_id = order(box, product)
    assert state_of(box, odoo, order_id) == (0, 0, 0)
    box.odoo.confirm(order_id)
    assert state_of(box, odoo, order_id) == (0, 3, 3)
    box.odoo.unreserve(order_id)
    assert state_of(box, odoo, order_id) == (0, 0, 3)
    box.odoo.reserve(order_id)
    box.odoo.deliver(order_id, {product: 1})
    assert state_of(box, odoo, order_id) == (1, 2, 2)
    box.odoo.deliver(order_id)
    assert state_of(box, odoo, order_id) == (3, 0, 0)
    box.odoo.take_back(order_id)
    assert state_of(box, odoo, order_id) == (3, 0, 0)
    assert box.odoo.stock(product)["qty_available"] == 10


def test_what_a_field_lacks_follows_from_the_moves(box, odoo, product):
    order_id = confirmed(box, product)
    box.odoo.deliver(order_id, {product: 1})
    line_id = line_of(box, order_id)
    found = moves.line_moves(odoo, [line_id])[line_id]
    assert [found.lacking(field) for field in stock.QUANTITY_FIELDS] == [1, 3, 3]
    assert (found.ordered, found.warehouse_id, found.order_id) == (3, 1, order_id)


@pytest.mark.parametrize("steps", ["pick_ship", "pick_pack_ship"])
def test_each_unit_counts_once_on_its_way_through_several_steps(box, odoo, product, steps):
    home = warehouse(box, steps)
    box.odoo.set_stock(product, 10, warehouse=home)
    order_id = confirmed(box, product, warehouse_id=home)
    line_id = line_of(box, order_id)
    assert state_of(box, odoo, order_id) == (0, 3, 3)
    box.odoo.deliver(order_id, {product: 1})
    assert state_of(box, odoo, order_id) == (0, 3, 3)
    found = moves.line_moves(odoo, [line_id])[line_id]
    assert found.lacking("qty_available", by_location=True) == 1
    assert found.warehouse_id == home
    for _ in range(3):
        box.odoo.deliver(order_id)
    while state_of(box, odoo, order_id) != (3, 0, 0):
        assert box.odoo.deliver(order_id)
    assert box.odoo.stock(product, warehouse=home)["qty_available"] == 7


def test_dropshipped_scrapped_and_returned_units_do_not_count(box, odoo, product):
    order_id = confirmed(box, product)
    line_id = line_of(box, order_id)
    inside = box.odoo.records("stock.warehouse")[0]["lot_stock_id"]
    vendors, customers, scrap = (
        box.odoo.find("stock.location", usage=usage) for usage in ("supplier", "customer", "inventory")
    )
    done = "quantity_done" if box.odoo.version < 18 else "quantity"
    for start, end in ((vendors, customers), (inside, scrap), (customers, inside)):
        for state in ("done", "assigned"):
            values = {"product_id": product, "product_uom_qty": 5, done: 5, "state": state}
            values |= {"location_id": start, "location_dest_id": end, "sale_line_id": line_id}
            box.odoo.create("stock.move", values)
    assert state_of(box, odoo, order_id) == (0, 3, 3)
    assert moves.line_moves(odoo, [line_id])[line_id].between == 0


def test_the_parts_of_a_kit_stand_for_its_line(box, odoo, product):
    part, other = box.odoo.seed_products([f"PART-{next(NUMBERS)}", f"PART-{next(NUMBERS)}"]).values()
    order_id = order(box, product, 2)
    line_id = line_of(box, order_id)
    inside, outside = box.odoo.records("stock.warehouse")[0]["lot_stock_id"], None
    outside = box.odoo.find("stock.location", usage="customer")
    done = "quantity_done" if box.odoo.version < 18 else "quantity"
    for part_id, quantity in ((part, 4), (other, 1)):
        values = {"product_id": part_id, "location_id": inside, "location_dest_id": outside}
        values |= {"product_uom_qty": quantity, done: quantity, "sale_line_id": line_id, "state": "done"}
        box.odoo.create("stock.move", values)
    kit = kits.Kit(product_id=product, parts={part: Decimal(2), other: Decimal(1)})
    assert moves.line_moves(odoo, [line_id], kits={product: kit})[line_id].delivered == 1
    assert kits.read_kits(odoo) == {}


def test_units_of_measure_are_named(box, odoo, product):
    assert stock.units(odoo, [product]) == {product: "Units"}


def test_a_count_moves_nothing_until_it_is_applied_and_is_applied_once(box, odoo, product):
    place = stock.warehouses(odoo)[0].stock_location_id
    key = f"count-{next(NUMBERS)}"
    given = [counts.Count(key=key, product_id=product, location_id=place, quantity=Decimal("12.5"))]
    request = counts.count_request(given, module="__commerce_bridge__")
    (quant_id,) = odoo.send_load(request).ids
    (quant,) = counts.quants(odoo, [product], place)
    assert (quant.quantity, quant.counted) == (10, Decimal("12.5"))
    assert counts.apply_counts(odoo, [quant_id]) == [quant_id]
    assert counts.apply_counts(odoo, [quant_id]) == []
    (quant,) = counts.quants(odoo, [product], place)
    assert (quant.quantity, quant.counted) == (Decimal("12.5"), None)
    odoo.send_load(request)
    assert counts.apply_counts(odoo, [quant_id]) == []


def test_what_a_count_found_is_missing_somewhere_else_and_not_counted_here(box, odoo, product):
    rows = odoo.search_read("stock.quant", [["product_id", "=", product]], ["quantity"])
    assert sorted(row["quantity"] for row in rows) == [-10, 10]
    place = stock.warehouses(odoo)[0].stock_location_id
    assert [quant.quantity for quant in counts.quants(odoo, [product], place, within=True)] == [10]


def test_a_scan_finds_every_changed_product_though_a_page_holds_few(box, odoo):
    since = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    products = list(box.odoo.seed_products([f"SCAN-{next(NUMBERS)}" for _ in range(23)]).values())
    for product in products:
        box.odoo.set_stock(product, 5)
    for model in ("stock.quant", "stock.move"):
        found, cursor = set(), stock.ChangeCursor(since=since)
        for _ in range(60):
            page = stock.scan_changes(odoo, model, cursor, page_size=4)
            found |= page.product_ids
            cursor = page.cursor
            if page.is_last:
                break
        assert page.is_last
        assert set(products) <= found


def test_plain_products_are_there_with_their_quantities(box, odoo):
    other = warehouse(box)
    skus = [f"PLAIN-{next(NUMBERS)}" for _ in range(3)]
    ids = box.odoo.add_plain_products(skus, quantity=4, warehouses=[1, other])
    found = stock.quantities(odoo, ids.values(), "free_qty", warehouse_ids=[other])
    assert found == dict.fromkeys(ids.values(), 4)
    rows = odoo.search_read("product.product", [["default_code", "in", skus]], ["default_code"])
    assert {row["default_code"]: row["id"] for row in rows} == ids
    order_id = confirmed(box, ids[skus[0]])
    assert state_of(box, odoo, order_id) == (0, 3, 3)

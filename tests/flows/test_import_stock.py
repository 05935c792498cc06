"""Magento's quantities become counts in Odoo: previewed, once, and never over what a person counted since."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.flows import stock_counting
from tests.flows.conftest import OpenShop
from tests.support.counting import SOURCE, CountingShop

VERSIONS = (16, 18, 19)


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def counting(open_shop: OpenShop, version: int) -> CountingShop:
    return CountingShop(open_shop(version, import_stock=True, stock_routes="default=1"))


def test_what_was_previewed_is_counted_once(counting: CountingShop) -> None:
    new, known, fine = counting.add(Decimal("12.5")), counting.add(4, odoo=10), counting.add(3, odoo=3)
    shown = counting.preview()
    assert (shown["counted"], shown["equal"], counting.has(new)) == (0, 1, 0)
    assert [row[1:2] + row[4:6] for row in shown["counts"]] == [[new, "12.5", "0"], [known, "4", "10"]]
    assert counting.count()["counted"] == 2
    assert [counting.has(one) for one in (new, known, fine)] == [Decimal("12.5"), 4, 3]
    counting.odoo.set_stock(counting.ids[known], 7)
    # The same preview again is known to have been carried out: what was counted since stays.
    counting.count()
    counting.count(known)
    assert [counting.has(one) for one in (new, known)] == [Decimal("12.5"), 7]
    assert (counting.adjustments(new), counting.adjustments(known)) == ([12.5], [10, 6, 3])


def test_what_magento_has_nothing_of_is_counted_as_nothing(counting: CountingShop) -> None:
    sku = counting.add(0, odoo=4)
    counting.preview()
    assert counting.count()["counted"] == 1
    assert (counting.has(sku), counting.adjustments(sku)) == (0, [4, 4])


def test_a_count_since_the_preview_is_never_overwritten(counting: CountingShop) -> None:
    applied, entered, untouched = (counting.add(5, odoo=2) for _ in range(3))
    counting.preview()
    counting.odoo.set_stock(counting.ids[applied], 9)
    counting.enter(entered, 8)
    found = counting.count()
    assert (found["counted"], counting.has(untouched)) == (1, 5)
    assert [counting.has(one) for one in (applied, entered)] == [9, 2]
    assert counting.quants(entered)[0]["inventory_quantity"] == 8
    assert {reason: row["skus"] for reason, row in found["left"].items()} == {
        stock_counting.TOUCHED: [applied],
        stock_counting.COUNTED: [entered],
    }


def test_what_odoo_keeps_no_stock_of_or_cannot_be_counted_plainly_is_left_out(counting: CountingShop) -> None:
    service, lots, archived, twin, nowhere, negative, elsewhere = (counting.add(5) for _ in range(7))
    odoo, ids = counting.odoo, counting.ids
    rows = {row["id"]: row for row in odoo.records("product.product")}
    kind = {"type": "service"} if odoo.version < 18 else {"type": "service", "is_storable": False}
    odoo.write("product.template", rows[ids[service]]["product_tmpl_id"], kind)
    odoo.write("product.template", rows[ids[lots]]["product_tmpl_id"], {"tracking": "lot"})
    odoo.write("product.product", ids[archived], {"active": False})
    counting.bind(twin, 699_999)
    counting.inventory.delete(nowhere, SOURCE)
    counting.inventory.set(negative, SOURCE, -1)
    home = odoo.records("stock.warehouse")[0]["lot_stock_id"]
    shelf = odoo.create("stock.location", {"name": "Shelf", "location_id": home, "usage": "internal"})
    odoo.create("stock.quant", {"product_id": ids[elsewhere], "location_id": shelf, "quantity": 3.0})
    found = counting.preview()
    assert {reason: row["skus"] for reason, row in found["left"].items()} == {
        stock_counting.NO_STOCK: [service],
        stock_counting.BY_LOT: [lots],
        stock_counting.NO_ODOO: [archived],
        stock_counting.TWINS: [twin],
        stock_counting.NO_ROW: [nowhere],
        stock_counting.NEGATIVE: [negative],
        stock_counting.PLACES: [elsewhere],
    }
    assert "counts" not in found


def test_a_kit_is_left_out_its_parts_are_counted(open_shop: OpenShop, version: int) -> None:
    shop = open_shop(version, own_box=True, import_stock=True, stock_routes="default=1")
    counting = CountingShop(shop)
    kit, part = counting.add(5), counting.add(6)
    counting.odoo.add_kit(counting.ids[kit], {counting.ids[part]: 2})
    found = counting.preview()
    assert found["left"][stock_counting.NO_STOCK]["skus"] == [kit]
    assert [row[1] for row in found["counts"]] == [part]


def test_the_sources_of_one_warehouse_are_summed(counting: CountingShop) -> None:
    counting.inventory.add_source("berlin")
    counting.inventory.add_source("munich")
    other = counting.odoo.create(
        "stock.warehouse",
        {"name": counting.add(None), "code": f"C{len(counting.odoo.records('stock.warehouse'))}"},
    )
    counting.shop.set(stock_routes=f"default=1*60%; berlin=1*rest; munich={other}")
    sku = counting.add(3)
    counting.inventory.set(sku, "berlin", Decimal("4.5"))
    counting.inventory.set(sku, "munich", 2)
    counting.preview(sku)
    assert counting.count(sku)["counted"] == 2
    assert (counting.has(sku), counting.has(sku, warehouse=other)) == (Decimal("7.5"), 2)


def test_a_source_of_several_warehouses_blocks_and_nothing_is_counted(counting: CountingShop) -> None:
    counting.shop.set(stock_routes="default=1+2")
    counting.add(3)
    counting.start(preview=True)
    counting.shop.work()
    job = counting.batch()
    assert (job.state, job.error_code) == ("blocked", "settings_wrong")
    assert "default" in str(job.error)
    assert "stock_routes" in str(job.help)


def test_nothing_is_counted_without_a_preview_or_while_it_is_off(counting: CountingShop) -> None:
    sku = counting.add(3)
    counting.start()
    counting.shop.work()
    assert (counting.planner().state, counting.planner().error_code) == ("blocked", "stock_not_previewed")
    assert "--preview" in str(counting.planner().help)
    counting.shop.set(import_stock=False)
    counting.preview()
    counting.start()
    counting.shop.work()
    assert (counting.planner().state, counting.planner().error_code) == ("blocked", "settings_wrong")
    assert "import_stock=true" in str(counting.planner().help)
    assert counting.has(sku) == 0
    # What was blocked goes on when it is asked for again.
    counting.shop.set(import_stock=True)
    counting.count()
    assert counting.has(sku) == 3


def test_a_batch_takes_few_calls(open_shop: OpenShop) -> None:
    counting = CountingShop(open_shop(18, import_stock=True, stock_routes="default=1"))
    for number in range(120):
        counting.add(number + 1)
    counting.preview()
    counting.shop.box.calls.reset()
    counting.count()
    names = {name: n for (_, _, name), n in counting.shop.box.calls.counts("odoo").items()}
    # Two batches.
    assert names["stock.quant.load"] == names["stock.quant.action_apply_inventory"] == 2
    assert sum(names.values()) <= 2 * 10

"""Kits: their figure is what their parts allow, whatever was sold of the parts, and follows the parts by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from bridge.errors import AccessMissing
from bridge.flows.wants import wake_stock
from bridge.sandbox import Sandbox
from tests.flows.conftest import OpenShop
from tests.support.imports import done
from tests.support.kit_shop import KitShop, units_of

OpenKits = Callable[..., KitShop]
VERSIONS = (16, 18, 19)
FIELDS = ("qty_available", "free_qty", "virtual_available")


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture(scope="module")
def boxes() -> Iterator[dict[int, Sandbox]]:
    """Give each version's Odoo with the app for kits: those that all tests share have none."""
    boxes: dict[int, Sandbox] = {}
    yield boxes
    for box in boxes.values():
        box.stop()


@pytest.fixture
def open_kits(open_shop: OpenShop, version: int, boxes: dict[int, Sandbox]) -> OpenKits:
    def open_one(**settings: Any) -> KitShop:
        box = boxes.get(version) or Sandbox.start(odoo_version=version)
        boxes[version] = box
        # A store that this Odoo never saw, as for those that all tests share.
        for tag in box.odoo.records("res.partner.category"):
            box.odoo.delete("res.partner.category", tag["id"])
        given = {"export_stock": True, "order_action": "confirm", **settings}
        return KitShop(open_shop(version, box=box, **given))

    return open_one


def test_a_kit_is_what_its_parts_allow(open_kits: OpenKits):
    shop = open_kits()
    much, few, loose = shop.part(10), shop.part(30.25), shop.part(0.3, is_bound=False)
    kits = {
        shop.kit({much: 2, few: 0.5}): 5,
        # A part in pieces, and one that is not sold alone.
        shop.kit({few: 0.25}): 121,
        shop.kit({loose: 0.2}): 1,
        # A bill that makes four, one of the variant itself, and the first of two.
        shop.kit({much: 3}, product_qty=4.0): 13,
        shop.kit({much: 5}, is_own=True): 2,
    }
    inner = shop.kit({much: 2})
    kits |= {inner: 5, shop.kit({inner: 2, few: 1}): 2}
    first = shop.kit({much: 1}, sequence=1)
    shop.bill(first, {much: 5}, is_own=True, sequence=2)
    kits[first] = 10
    shop.export(*kits)
    assert {sku: shop.has(sku) for sku in kits} == kits
    # As Odoo itself works it out.
    assert {sku: shop.odoos(sku) for sku in kits} == kits


def test_a_part_by_the_dozen_is_twelve(open_kits: OpenKits):
    shop = open_kits()
    part = shop.part(30)
    dozen = shop.odoo.find("uom.uom", name="Dozens")
    line = {"product_id": shop.ids[part], "product_qty": 1, "product_uom_id": dozen}
    kit = shop.kit({}, bom_line_ids=[[0, 0, line]])
    shop.export(kit)
    assert shop.has(kit) == shop.odoos(kit) == 2
    assert shop.shop.ledger.kits.of("shop", [shop.ids[kit]]) == {shop.ids[kit]: {shop.ids[part]: Decimal(12)}}


def test_a_part_in_two_lines_is_promised_once_whatever_odoo_says(open_kits: OpenKits, version: int):
    """16 takes each line by itself (``kits/kit-quantities``): 5 kits of 3 out of 10 parts."""
    shop = open_kits()
    part = shop.part(10)
    lines = [[0, 0, {"product_id": shop.ids[part], "product_qty": units}] for units in (1, 2)]
    kit = shop.kit({}, bom_line_ids=lines)
    shop.export(kit)
    assert (shop.odoos(kit), shop.has(kit)) == (5 if version == 16 else 3, 3)


def test_a_line_for_other_variants_is_left_out(open_kits: OpenKits):
    shop = open_kits()
    part, more = shop.part(10), shop.part(8)
    size = shop.odoo.create(
        "product.attribute", {"name": "Size", "value_ids": [[0, 0, {"name": "S"}], [0, 0, {"name": "L"}]]}
    )
    values = [
        row["id"] for row in shop.odoo.records("product.attribute.value") if row["attribute_id"] == size
    ]
    line = {"attribute_id": size, "value_ids": [[6, 0, values]]}
    template = shop.odoo.create("product.template", {"name": "Sizes", "attribute_line_ids": [[0, 0, line]]})
    small, large = (
        row["id"] for row in shop.odoo.records("product.product") if row["product_tmpl_id"] == template
    )
    own = [
        row["id"]
        for row in shop.odoo.records("product.template.attribute.value")
        if row["product_tmpl_id"] == template
    ]
    only = {"product_id": shop.ids[more], "product_qty": 4}
    only["bom_product_template_attribute_value_ids"] = [[6, 0, own[1:]]]
    shop.ids |= {"SMALL": small, "LARGE": large}
    both = {"product_id": shop.ids[part], "product_qty": 1}
    shop.bill("SMALL", {}, bom_line_ids=[[0, 0, both], [0, 0, only]])
    for sku in ("SMALL", "LARGE"):
        shop.sell(sku)
    shop.export("SMALL", "LARGE")
    assert (shop.has("SMALL"), shop.has("LARGE")) == (10, 2)
    assert (shop.odoos("SMALL"), shop.odoos("LARGE")) == (10, 2)


def test_a_kit_of_what_odoo_keeps_no_stock_of_is_left_alone(open_kits: OpenKits):
    shop = open_kits()
    shop.ids["GLUE"] = shop.odoo.create("product.product", {"name": "Glue", "default_code": "GLUE"})
    kit = shop.kit({"GLUE": 1})
    shop.shop.box.magento.inventory.set(kit, "default", 42)
    assert shop.export(kit).result == {"skipped": 1}
    assert shop.has(kit) == 42


@pytest.mark.parametrize("fault", ["no app", "no right"])
def test_without_the_app_or_the_right_to_see_bills_goods_go_out_as_ever(
    open_shop: OpenShop, version: int, fault: str, monkeypatch: pytest.MonkeyPatch
):
    shop = KitShop(open_shop(version, own_box=True, export_stock=True))
    part = shop.part(7)
    shop.ids["LOOSE"] = shop.odoo.create("product.product", {"name": "Loose", "default_code": "LOOSE"})
    shop.sell("LOOSE")
    if fault == "no right":
        refused = AccessMissing("Odoo refuses mrp.bom.", system="odoo")

        def refuse(*_: object, **__: object) -> None:
            raise refused

        monkeypatch.setattr("bridge.odoo.kits._pages", refuse)
    shop.shop.box.calls.reset()
    assert shop.export(part, "LOOSE").result == {"written": 1, "skipped": 1}
    assert shop.has(part) == 7
    # Looked for once, not for each export.
    shop.count(part, 6)
    assert shop.has(part) == 6
    assert shop.shop.box.calls.total("odoo", contains="mrp.bom") == (1 if fault == "no app" else 0)


def test_the_event_of_a_part_alone_brings_its_kits_to_magento(open_kits: OpenKits):
    shop = open_kits()
    part, hidden = shop.part(10), shop.part(12, is_bound=False)
    kit, other = shop.kit({part: 2, hidden: 3}), shop.kit({part: 1})
    above = shop.kit({kit: 2})
    shop.export(kit, other, above)
    assert [shop.has(one) for one in (kit, other, above)] == [4, 10, 2]
    # Nobody sells the part alone, and nothing else is told.
    shop.count(hidden, 7)
    assert [shop.has(one) for one in (kit, other, above)] == [2, 10, 1]
    shop.count(part, 3)
    assert [shop.has(one) for one in (part, kit, other, above)] == [3, 1, 3, 0]


def test_a_poll_finds_the_kits_of_parts_that_nobody_told_of(open_kits: OpenKits):
    shop = open_kits()
    part = shop.part(10, is_bound=False)
    kit = shop.kit({part: 2})
    shop.export(kit)
    shop.count(part, 4, event=False)
    shop.poll()
    assert shop.has(kit) == 2


def test_a_bill_that_changed_is_an_export_of_its_kit(open_kits: OpenKits):
    shop = open_kits()
    part, sku = shop.part(10), "LATER"
    shop.ids[sku] = shop.odoo.create("product.product", {"name": sku, "default_code": sku})
    shop.sell(sku)
    assert shop.export(sku).result == {"skipped": 1}
    bill = shop.bill(sku, {part: 2})
    shop.shop.runtime.cache.forget("shop")
    shop.poll()
    assert shop.has(sku) == 5
    line = next(row for row in shop.odoo.records("mrp.bom.line") if row["bom_id"] == bill)
    shop.odoo.write("mrp.bom.line", line["id"], {"product_qty": 5})
    shop.shop.runtime.cache.forget("shop")
    shop.poll()
    assert shop.has(sku) == 2
    shop.odoo.write("mrp.bom", bill, {"active": False})
    shop.shop.runtime.cache.forget("shop")
    shop.poll()
    # No kit any more: Odoo counts none of it, and Magento keeps what it has.
    assert (shop.has(sku), shop.shop.ledger.kits.of("shop", [shop.ids[sku]])) == (2, {})


@pytest.mark.parametrize("field", FIELDS)
def test_an_order_of_a_kit_counts_against_its_parts_and_their_other_kits_at_every_moment(
    open_kits: OpenKits, field: str
):
    shop = open_kits(stock_quantity_field=field)
    part, other = shop.part(100), shop.part(90)
    kit, twin = shop.kit({part: 2, other: 0.5}), shop.kit({part: 5})
    shop.export(part, other, kit, twin)
    raw = shop.order(kit, is_mapped=False)
    units = units_of(raw)
    left = [100 - 2 * units, 90 - units / 2, 50 - units, (100 - 2 * units) // 5]
    all_of_them = (part, other, kit, twin)

    def for_sale() -> list[Decimal]:
        return [shop.for_sale(one) for one in all_of_them]

    # Seen by the bridge and not imported: its reading alone brings parts and kits to Magento.
    assert shop.shop.import_order(raw).state == "blocked"
    assert for_sale() == left
    shop.shop.map_all([raw])
    order = done(shop.shop, raw)
    assert for_sale() == left
    for act in (shop.odoo.unreserve, shop.odoo.reserve, shop.odoo.deliver):
        act(order["id"])
        shop.export(*all_of_them)
        assert for_sale() == left, act
    shop.ship(kit, raw)
    shop.export(*all_of_them)
    assert for_sale() == left
    ids = [str(shop.magento_ids[kit])]
    assert shop.shop.ledger.stock_lines.open("shop", ids) == []


def test_an_order_that_odoo_does_not_know_of_is_marked_by_its_reading_alone(open_kits: OpenKits):
    shop = open_kits()
    part, loose = shop.part(100), shop.part(100, is_bound=False)
    kit, other = shop.kit({part: 2, loose: 1}), shop.kit({loose: 10})
    shop.export(part, kit, other)
    raw = shop.order(kit, is_mapped=False)
    assert shop.shop.import_order(raw).state == "blocked"
    units = units_of(raw)
    assert [shop.for_sale(one) for one in (part, kit, other)] == [
        100 - 2 * units,
        50 - units,
        (100 - units) // 10,
    ]


def test_an_order_of_a_part_counts_against_its_kits(open_kits: OpenKits):
    shop = open_kits()
    part = shop.part(100)
    kit = shop.kit({part: 2})
    shop.export(part, kit)
    raw = shop.order(part, is_mapped=False)
    assert shop.shop.import_order(raw).state == "blocked"
    units = units_of(raw)
    assert (shop.for_sale(part), shop.for_sale(kit)) == (100 - units, (100 - units) // 2)
    # What a person reads: the kit's parts, and what of them Odoo does not know of.
    assert shop.has(kit) == (100 - units) // 2


def test_with_open_orders_and_kits_a_batch_reads_odoo_twice(open_kits: OpenKits, version: int):
    """Quantities in one call; lines, their warehouse and moves in another one, on 16 in two."""
    shop = open_kits(stock_routes="default=1; berlin=2")
    shop.odoo.create("stock.warehouse", {"name": "Other", "code": "OTHER"})
    shop.shop.box.magento.inventory.add_source("berlin")
    part = shop.part(100)
    kit = shop.kit({part: 2})
    for sku in (part, kit):
        done(shop.shop, shop.order(sku))
    shop.shop.work()
    shop.shop.box.calls.reset()
    shop.shop.ledger.stock.mark_all("shop", wake=wake_stock("shop", delay_seconds=0.0), by_hand=True)
    shop.shop.work()
    calls = {
        operation: number
        for (system, _, operation), number in shop.shop.box.calls.counts().items()
        if system == "odoo"
    }
    assert sum(calls.values()) == 2 * (3 if version == 16 else 2), calls

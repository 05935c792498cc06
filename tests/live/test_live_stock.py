"""Stock of a real Odoo: the sandbox's own tests of figures, moves, counts and drift, and what only a real one has."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from bridge.flows import stock_counting
from bridge.magento import MagentoClient, OAuthSecret
from bridge.odoo import OdooClient, moves, stock
from tests.flows import test_odoo_stock_client
from tests.flows.test_drift_versions import (
    test_edits_changes_and_safety_stocks_have_their_causes,
    test_open_orders_that_another_tool_left_out,
    test_sales_are_no_drift_at_any_moment,
    town,
)
from tests.flows.test_import_stock import (
    counting,
    test_a_count_since_the_preview_is_never_overwritten,
    test_the_sources_of_one_warehouse_are_summed,
    test_what_magento_has_nothing_of_is_counted_as_nothing,
    test_what_odoo_keeps_no_stock_of_or_cannot_be_counted_plainly_is_left_out,
    test_what_was_previewed_is_counted_once,
    version,
)
from tests.flows.test_odoo_stock_client import (
    confirmed,
    line_of,
    product,
    state_of,
    test_a_count_moves_nothing_until_it_is_applied_and_is_applied_once,
    test_a_line_is_followed_from_draft_to_delivery_and_back,
    test_a_scan_finds_every_changed_product_though_a_page_holds_few,
    test_an_odoo_that_ignores_the_key_of_warehouses_is_found_out,
    test_each_unit_counts_once_on_its_way_through_several_steps,
    test_many_products_are_one_call_and_one_that_is_gone_is_missing,
    test_quantities_are_told_apart_by_warehouse_and_place_in_one_call,
    test_what_a_count_found_is_missing_somewhere_else_and_not_counted_here,
    test_what_a_field_lacks_follows_from_the_moves,
)
from tests.flows.test_stock_rules_on_the_sandbox import (
    test_a_line_counts_in_its_own_warehouse_whichever_source_shipped_it,
    test_a_row_of_the_table_is_what_real_servers_showed,
)
from tests.live.box import LiveBox
from tests.live.conftest import OpenShop
from tests.live.odoo import LiveOdoo
from tests.support.counting import CountingShop

pytestmark = pytest.mark.usefixtures("new_names", "stock_keeper")


@pytest.fixture(scope="module")
def box(live_odoo: LiveOdoo, live_boxes: list[LiveBox]) -> LiveBox:
    """Give a Magento with a source and a stock of its own before the real Odoo."""
    box = LiveBox.start(live_odoo)
    live_boxes.append(box)
    box.magento.inventory.add_source("berlin")
    box.magento.inventory.add_stock("EU", websites=["base"], sources=["berlin"])
    return box


@pytest.fixture(scope="module")
def magento(box: LiveBox) -> Iterator[MagentoClient]:
    client = MagentoClient.connect(base_url=box.magento.url, secret=OAuthSecret(**box.magento.secret))
    yield client
    client.close()


def named(live_odoo: LiveOdoo, external_id: str) -> int:
    """Return the record with an external id of Odoo's own."""
    module, _, name = external_id.partition(".")
    found = live_odoo.admin.check_reference(module, name)
    assert found is not None, external_id
    return found[1]


def test_quantities_are_in_the_products_own_unit_and_moves_are_too(
    box: LiveBox, odoo: OdooClient, live_odoo: LiveOdoo, product: int
) -> None:
    dozen = named(live_odoo, "uom.product_uom_dozen")
    unit = odoo.names.order_line_uom
    line = {"product_id": product, "product_uom_qty": 0.5, unit: dozen, "price_unit": 10}
    partner = live_odoo.create("res.partner", {"name": "Ada"})
    order = live_odoo.create("sale.order", {"partner_id": partner, "order_line": [[0, 0, line]]})
    live_odoo.confirm(order)
    assert state_of(box, odoo, order) == (0, 6, 6)
    ask = stock.quantities
    assert [ask(odoo, [product], field)[product] for field in stock.QUANTITY_FIELDS] == [10, 4, 4]
    live_odoo.deliver(order)
    assert state_of(box, odoo, order) == (6, 0, 0)
    assert ask(odoo, [product], "qty_available")[product] == 4
    (name,) = stock.units(odoo, [product]).values()
    assert name.startswith("Unit")


def test_fractions_of_a_unit_are_exact(odoo: OdooClient, live_odoo: LiveOdoo, product: int) -> None:
    kilo = named(live_odoo, "uom.product_uom_kgm")
    values = {"name": "By weight", "uom_id": kilo, **live_odoo.admin.names.storable}
    values |= {"uom_po_id": kilo} if live_odoo.version < 18 else {}
    loose = live_odoo.create("product.product", values)
    live_odoo.set_stock(loose, 2.35)
    live_odoo.set_stock(loose, 2.15)
    assert stock.quantities(odoo, [loose], "free_qty") == {loose: Decimal("2.15")}


def make_kit(live_odoo: LiveOdoo, product_id: int, parts: dict[int, float]) -> None:
    """Let a product be delivered as its parts."""
    (row,) = live_odoo.admin.read("product.product", [product_id], ["product_tmpl_id"])
    lines = [[0, 0, {"product_id": one, "product_qty": amount}] for one, amount in parts.items()]
    values = {"product_tmpl_id": row["product_tmpl_id"][0], "type": "phantom", "bom_line_ids": lines}
    live_odoo.create("mrp.bom", values)


def test_a_kit_has_what_its_parts_make_and_its_line_what_they_moved(
    box: LiveBox, odoo: OdooClient, live_odoo: LiveOdoo, manufacturing: None
) -> None:
    numbers = test_odoo_stock_client.NUMBERS
    skus = [f"PART-{next(numbers)}" for _ in range(3)]
    part, other, kit = box.odoo.seed_products(skus).values()
    live_odoo.set_stock(part, 9)
    live_odoo.set_stock(other, 30)
    make_kit(live_odoo, kit, {part: 2, other: 1})
    known = stock.kits(odoo, [kit, part])
    assert known == {kit: stock.Kit(product_id=kit, parts={part: Decimal(2), other: Decimal(1)})}
    ask = stock.quantities
    assert ask(odoo, [kit], "free_qty", warehouse_ids=[1]) == {kit: 4}
    order = confirmed(box, kit, 3)
    line = line_of(box, order)

    def states() -> list[int]:
        found = moves.line_moves(odoo, [line], kits=known)[line]
        return [int(one) for one in (found.ordered, found.delivered, found.reserved, found.open)]

    assert states() == [3, 0, 3, 3]
    assert [ask(odoo, [kit], field)[kit] for field in stock.QUANTITY_FIELDS] == [4, 1, 1]
    live_odoo.deliver(order, {part: 2, other: 1})
    assert states() == [3, 1, 2, 2]
    live_odoo.deliver(order)
    assert states() == [3, 3, 0, 0]


def test_the_stock_of_a_kit_is_not_counted_and_its_parts_are(
    open_shop: OpenShop, live_odoo: LiveOdoo, box: LiveBox, manufacturing: None
) -> None:
    counting = CountingShop(open_shop(import_stock=True, stock_routes="default=1"))
    kit, part = counting.add(5), counting.add(6)
    make_kit(live_odoo, counting.ids[kit], {counting.ids[part]: 2})
    found = counting.preview(kit, part)
    assert found["left"][stock_counting.NO_STOCK]["skus"] == [kit]
    assert [row[1] for row in found["counts"]] == [part]

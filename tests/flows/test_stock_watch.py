"""Every order that is read is watched: what it holds back in Magento, imported or not (RULES 3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bridge.ledger import Pair
from tests.flows.conftest import OpenShop
from tests.support.orders import Raw, changed, new_order
from tests.support.shop import Shop


def first_item(raw: Raw) -> Raw:
    return dict(next(item for item in raw["items"] if not item.get("parent_item_id")))


def lines_of(shop: Shop, raw: Raw) -> dict[int, tuple[int, int]]:
    """Return R and X of each line."""
    lines = shop.ledger.stock_lines.of_order("shop", raw["entity_id"])
    return {
        item_id: (int(line.open), int(line.shipped - line.shipped_before)) for item_id, line in lines.items()
    }


def with_counts(shop: Shop, raw: Raw, **counts: int) -> Raw:
    """Let units of every line be shipped, refunded or cancelled in Magento."""
    items = [{**item, **counts} for item in raw["items"]]
    return changed(shop, raw, items=items)


def an_order(shop: Shop, units: int = 3, **changes: Any) -> Raw:
    raw = new_order(shop, is_mapped=False, **changes)
    raw["items"] = [{**item, "qty_ordered": units} for item in raw["items"]]
    shop.box.magento.orders.add(raw)
    return raw


def test_an_order_that_is_not_imported_holds_back_all_the_same(open_shop: OpenShop):
    shop = open_shop()
    raw = an_order(shop)
    assert shop.import_order(raw).state == "blocked"
    assert set(lines_of(shop, raw).values()) == {(3, 0)}


def test_an_order_from_before_the_import_date_holds_back_all_the_same(open_shop: OpenShop):
    shop = open_shop(import_from_date="2030-01-01")
    raw = an_order(shop)
    assert "skipped" in (shop.import_order(raw).result or {})
    assert set(lines_of(shop, raw).values()) == {(3, 0)}


def test_an_order_that_cannot_be_read_by_the_import_is_watched(open_shop: OpenShop):
    shop = open_shop()
    raw = an_order(shop, base_currency_code=None, order_currency_code=None)
    assert shop.import_order(raw).state == "blocked"
    assert set(lines_of(shop, raw).values()) == {(3, 0)}


def test_units_are_followed_by_events_in_time_order_rules_3(open_shop: OpenShop):
    shop = open_shop()
    raw = an_order(shop)
    seen = []
    for counts in (
        {},
        {"qty_shipped": 1},
        {"qty_shipped": 1, "qty_refunded": 1},
        {"qty_shipped": 3, "qty_refunded": 1},
    ):
        raw = with_counts(shop, raw, **counts)
        shop.import_order(raw)
        seen += list(set(lines_of(shop, raw).values()))
    assert seen == [(3, 0), (2, 1), (1, 1), (-1, 3)]


def test_a_change_marks_the_products_of_the_order_and_the_same_reading_again_does_not(open_shop: OpenShop):
    shop = open_shop(export_stock=True)
    raw = an_order(shop)
    item = first_item(raw)
    pair = Pair(
        magento_id=str(item["product_id"]), odoo_model="product.product", odoo_id=7, magento_label="x"
    )
    shop.ledger.bindings.bind_many("shop", "product", [pair])
    shop.ledger.jobs.want([])
    shop.want_order(raw)
    run_orders(shop)
    (figure,) = shop.ledger.stock.dirty("shop", "default", limit=10)
    assert (figure.magento_id, figure.marked) == (str(item["product_id"]), 1)
    shop.want_order(raw)
    run_orders(shop)
    assert shop.ledger.stock.dirty("shop", "default", limit=10)[0].marked == 1
    shop.want_order(with_counts(shop, raw, qty_canceled=3))
    run_orders(shop)
    assert shop.ledger.stock.dirty("shop", "default", limit=10)[0].marked == 2


def run_orders(shop: Shop) -> None:
    """Run the jobs of orders and leave the export waiting."""
    from bridge.engine import run_job
    from tests.support.shop import ROOM

    shop.ledger.pauses.pause("shop", "export-stock", by="test")
    for job_id, _ in shop.ledger.jobs.dispatch(ROOM, limit=100):
        run_job(shop.runtime, job_id)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("stock_opening_date", "2026-06-01T00:00:00"), ("import_from_date", "2026-06-01")],
)
def test_units_that_were_shipped_before_the_stock_opening_are_in_odoos_count(
    open_shop: OpenShop, setting: str, value: str
):
    shop = open_shop(**{setting: value})
    raw = an_order(shop, created_at="2026-01-10 10:00:00")
    raw = with_counts(shop, raw, qty_shipped=2)
    raw["updated_at"] = "2026-01-12 10:00:00"
    shop.box.magento.orders.add(raw)
    shop.import_order(raw)
    assert set(lines_of(shop, raw).values()) == {(1, 0)}
    # What is shipped from then on is not in it.
    raw = with_counts(shop, raw, qty_shipped=3)
    shop.import_order(raw)
    assert set(lines_of(shop, raw).values()) == {(0, 1)}


def test_a_preview_watches_nothing(open_shop: OpenShop):
    from bridge.engine import preview_context
    from bridge.flows.stock_watch import watch

    shop = open_shop()
    raw = an_order(shop)
    watch(preview_context(shop.runtime, "shop"), raw)
    assert lines_of(shop, raw) == {}


def test_quantities_are_exact(open_shop: OpenShop):
    shop = open_shop()
    raw = an_order(shop)
    raw["items"] = [{**item, "qty_ordered": 0.3, "qty_shipped": 0.1} for item in raw["items"]]
    shop.box.magento.orders.add(raw)
    shop.import_order(raw)
    lines = shop.ledger.stock_lines.of_order("shop", raw["entity_id"]).values()
    assert {line.open for line in lines} == {Decimal("0.2")}

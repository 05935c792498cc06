"""Every order that is read is watched: what it holds back in Magento, imported or not (RULES 3)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bridge.engine import preview_context, run_job
from bridge.flows.stock_watch import watch
from bridge.ledger import Pair
from bridge.magento import MagentoClient
from bridge.magento.rows import FirstPage
from tests.flows.conftest import OpenShop
from tests.support.orders import Raw, changed, new_order
from tests.support.shop import ROOM, Shop


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


class Documents:
    """Magento's lists of shipments and credit memos, in the shape of ``fulfilment/029`` and ``refunds/020``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: dict[str, list[Raw]] = {"/shipments": [], "/creditmemos": []}
        self.asked: list[str] = []
        page = MagentoClient.page

        def answer(client: MagentoClient, path: str, *args: Any, **options: Any) -> FirstPage:
            if path not in self.rows:
                return page(client, path, *args, **options)
            self.asked.append(path)
            rows = self.rows[path]
            return FirstPage(rows=rows, total=len(rows), size=100, server_now=datetime.now(UTC))

        monkeypatch.setattr(MagentoClient, "page", answer)

    def add(self, kind: str, raw: Raw, at: str, units: int, *, source: str | None = None) -> None:
        items = [{"order_item_id": item["item_id"], "qty": units} for item in raw["items"]]
        document: Raw = {"entity_id": len(self.asked) + 1, "created_at": at, "items": items}
        if source is not None:
            document["extension_attributes"] = {"source_code": source}
        self.rows[kind].append(document)


@pytest.fixture
def documents(monkeypatch: pytest.MonkeyPatch) -> Documents:
    return Documents(monkeypatch)


def test_what_one_reading_leaves_open_is_told_by_the_documents(open_shop: OpenShop, documents: Documents):
    shop = open_shop()
    raw = with_counts(shop, an_order(shop), qty_shipped=3, qty_refunded=1)
    documents.add("/shipments", raw, "2026-11-01 10:00:01", 1)
    documents.add("/creditmemos", raw, "2026-11-01 10:00:02", 1)
    documents.add("/shipments", raw, "2026-11-01 10:00:03", 2)
    shop.import_order(raw)
    assert set(lines_of(shop, raw).values()) == {(-1, 3)}
    assert documents.asked == ["/shipments", "/creditmemos"]


def test_an_order_that_leaves_nothing_open_needs_no_documents(open_shop: OpenShop, documents: Documents):
    shop = open_shop()
    raw = with_counts(shop, an_order(shop), qty_shipped=1, qty_refunded=2)
    shop.import_order(raw)
    assert (set(lines_of(shop, raw).values()), documents.asked) == ({(0, 1)}, [])


def test_where_documents_may_not_be_read_the_usual_order_is_taken(open_shop: OpenShop):
    """The sandbox has no such list: as a shop whose integration may not read it."""
    shop = open_shop()
    raw = with_counts(shop, an_order(shop), qty_shipped=3, qty_refunded=1)
    shop.import_order(raw)
    assert set(lines_of(shop, raw).values()) == {(0, 3)}


def test_units_shipped_before_and_after_the_opening_are_told_apart(open_shop: OpenShop, documents: Documents):
    shop = open_shop(stock_opening_date="2026-06-01T00:00:00")
    raw = an_order(shop, created_at="2026-01-10 10:00:00")
    raw = with_counts(shop, raw, qty_shipped=3)
    documents.add("/shipments", raw, "2026-05-31 23:59:59", 2)
    documents.add("/shipments", raw, "2026-06-01 00:00:00", 1)
    shop.import_order(raw)
    assert set(lines_of(shop, raw).values()) == {(0, 1)}


def test_of_an_order_that_odoo_lacks_the_source_of_its_shipment_is_kept(
    open_shop: OpenShop, documents: Documents
):
    shop = open_shop(stock_routes="berlin=1; munich=2")
    raw = with_counts(shop, an_order(shop), qty_shipped=3)
    documents.add("/shipments", raw, "2026-05-31 23:59:59", 3, source="munich")
    shop.import_order(raw)
    lines = shop.ledger.stock_lines.of_order("shop", raw["entity_id"]).values()
    assert {line.shipped_from for line in lines} == {"munich"}


def test_a_preview_watches_nothing(open_shop: OpenShop):
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

"""Each bad input of an export of stock by source, and what the operator reads of it (``stock_api_mode=msi``)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from bridge.engine import preview_context, run_job
from bridge.flows.explain_stock import explain_stock
from bridge.ledger import Job
from tests.flows.conftest import OpenShop
from tests.support.shop import ROOM
from tests.support.stock_shop import SOURCE, StockShop, fake_odoo_stock

OpenStock = Callable[..., StockShop]


@pytest.fixture
def open_stock(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> OpenStock:
    fake = fake_odoo_stock(monkeypatch)

    def open_one(**settings: Any) -> StockShop:
        given = {"export_stock": True, "stock_source_code": SOURCE, **settings}
        return StockShop(open_shop(18, own_box=True, **given), fake)

    return open_one


def reads(job: Job, error: str, *help_says: str) -> None:
    """Insist on what a job that waits for a person says."""
    assert (job.state, job.error) == ("blocked", error)
    for words in help_says:
        assert words in str(job.help)


def explained(stock: StockShop, sku: str) -> Any:
    (source,) = explain_stock(preview_context(stock.shop.runtime, "shop"), sku)["sources"]
    return source


def test_an_unknown_source(open_stock: OpenStock):
    stock = open_stock(stock_source_code="atlantis")
    sku = stock.add(5, magento=None)
    reads(
        stock.export(sku),
        "Magento has no source atlantis. Its sources: berlin, default, munich.",
        "Make the source in Magento, or correct its code",
        "Nothing is lost: its figures wait.",
    )
    assert explained(stock, sku)["warnings"] == [
        "Magento has no source atlantis: nothing can be exported to it."
    ]


def test_an_unknown_sku(open_stock: OpenStock):
    stock = open_stock()
    good, bad = stock.add(5), stock.add(6, magento=None)
    stock.shop.box.magento.catalog.remove(bad)
    assert stock.export(good, bad).result == {"written": 1, "jobs_of_their_own": [bad]}
    reads(
        stock.item_job(bad),
        f"Magento has no product with the SKU {bad} any more.",
        "cancel this job",
        f"bridge run import-product {bad}",
    )
    assert stock.has(bad) is None


def test_a_sku_in_a_different_case_is_no_fault(open_stock: OpenStock):
    """Magento finds the row whatever the case; its own spelling is what is written."""
    stock = open_stock()
    sku = stock.add(5, sku="Different-Case")
    stock.bind("DIFFERENT-CASE", stock.ids[sku])
    stock.set("DIFFERENT-CASE", 5)
    assert stock.export("DIFFERENT-CASE").result == {"written": 1}
    assert stock.jobs("export-stock-item") == []
    assert explained(stock, "different-case")["magento"] == {"quantity": "5", "status": 1}
    assert stock.inventory.item(sku.casefold(), SOURCE)["sku"] == sku


def test_a_disabled_source(open_stock: OpenStock):
    stock = open_stock()
    stock.inventory.add_source(SOURCE, is_enabled=False)
    sku = stock.add(5)
    assert stock.export(sku).result == {
        "written": 1,
        "warnings": ["The source berlin is disabled in Magento: what it has is not for sale."],
    }
    assert explained(stock, sku)["warnings"] == [
        "The source berlin is disabled in Magento: what it has is not for sale."
    ]


def test_a_source_that_was_removed_from_the_stock(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5)
    assert stock.export(sku).result == {"written": 1}
    stock.inventory.unlink(stock.stock_id, SOURCE)
    stock.shop.runtime.cache.forget("shop")
    stock.set(sku, 6)
    said = "The source berlin is in no stock of Magento: what it has is not for sale."
    assert stock.export(sku).result == {"written": 1, "warnings": [said]}
    assert (stock.has(sku), explained(stock, sku)["warnings"]) == (6, [said])


def test_a_negative_stock_in_odoo(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(-3, magento=4)
    assert stock.export(sku).result == {"written": 1}
    assert (stock.has(sku), stock.inventory.status(sku, SOURCE)) == (0, 1)
    shown = explained(stock, sku)
    assert {name: shown[name] for name in ("odoo", "available", "target")} == {
        "odoo": "-3",
        "available": "0",
        "target": "0",
    }


@pytest.mark.parametrize("quantity", [Decimal("NaN"), float("nan"), Decimal("1e12"), Decimal("-1e12"), False])
def test_a_quantity_that_is_no_number_that_magento_can_keep(open_stock: OpenStock, quantity: Any):
    stock = open_stock()
    good, bad = stock.add(5), stock.add(quantity, magento=7)
    assert stock.export(good, bad).result == {"written": 1, "jobs_of_their_own": [bad]}
    said = f"Odoo's quantity of {bad} is no number that Magento can keep."
    reads(stock.item_job(bad), said, "Correct the quantity on hand by an inventory adjustment", "100,000,000")
    assert (stock.has(bad), explained(stock, bad)["problem"]) == (7, said)


def test_a_product_that_is_archived_in_between(open_stock: OpenStock):
    """It was marked while it was active; another one is archived while the export runs, behind its reading."""
    stock = open_stock()
    good, marked, read = stock.add(5), stock.add(6, magento=7), stock.add(8)
    stock.mark(good, marked, read)
    stock.odoo.archived.add(stock.ids[marked])
    stock.odoo.meanwhile = lambda: stock.odoo.archived.add(stock.ids[read])
    stock.shop.work()
    assert stock.jobs("export-stock")[0].result == {"written": 2, "jobs_of_their_own": [marked]}
    archived = "The Odoo product of {} is archived."
    reads(
        stock.item_job(marked),
        archived.format(marked),
        "Unarchive the product in Odoo, or disable it in Magento",
        "can be bought",
    )
    assert (stock.has(marked), stock.has(read)) == (7, 8)
    # Its next export says so as well.
    stock.export(read)
    reads(stock.item_job(read), archived.format(read), "Unarchive the product in Odoo")
    # Mended in Odoo, it goes out again.
    stock.odoo.archived.clear()
    stock.shop.ledger.jobs.retry(stock.item_job(marked).id)
    stock.shop.work()
    assert (stock.item_job(marked).state, stock.has(marked)) == ("done", 6)


def test_a_deadlock_of_magentos_index(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5)
    stock.mark(sku)
    stock.shop.box.magento.faults.once(
        "error_500", only=lambda call: call.method == "POST" and "source-items" in call.operation
    )
    for job_id, _ in stock.shop.ledger.jobs.dispatch(ROOM, limit=10):
        run_job(stock.shop.runtime, job_id)
    job = stock.jobs("export-stock")[0]
    assert (job.state, job.error_code, job.waits_for) == ("retry_waiting", "service_unavailable", None)
    assert str(job.error).startswith("Magento failed inside:")
    assert "tries again" in str(job.help)
    stock.shop.work()
    assert (stock.jobs("export-stock")[0].state, stock.has(sku)) == ("done", 5)


def test_a_deadlock_that_does_not_end_leaves_the_figure_waiting(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5)
    stock.shop.box.magento.faults.set(
        error_500=1.0, only=lambda call: call.method == "POST" and "source-items" in call.operation
    )
    job = stock.export(sku)
    assert (job.state, job.error_code, stock.is_dirty(sku)) == ("failed", "service_unavailable", True)
    stock.shop.box.magento.faults.clear()
    stock.shop.ledger.jobs.retry(job.id)
    stock.shop.work()
    assert (stock.has(sku), stock.is_dirty(sku)) == (5, False)


def test_an_index_that_locks_after_the_rows_are_saved_costs_no_second_write(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5)
    stock.shop.box.magento.faults.once(
        "error_500_after", only=lambda call: call.method == "POST" and "source-items" in call.operation
    )
    job = stock.export(sku)
    assert (job.state, job.result) == ("done", {"unchanged": 1})
    assert (stock.has(sku), stock.is_dirty(sku), stock.calls()["POST"]) == (5, False, 1)

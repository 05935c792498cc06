"""Export of stock through Magento's queue: what was taken is not yet written (FACTS 10)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from bridge.ledger import Effect
from bridge.sandbox.calls import Call
from tests.flows.conftest import OpenShop
from tests.support.once import pump, pump_until
from tests.support.stock_shop import SOURCE, StockShop, fake_odoo_stock

OpenStock = Callable[..., StockShop]
#: Looks that come soon, and go on coming on a slow machine.
PATIENT = [1.5, 3, 6, 12, 24, 48]


@pytest.fixture
def open_stock(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> OpenStock:
    fake = fake_odoo_stock(monkeypatch)

    def open_one(*, queue_runs: bool = True, **settings: Any) -> StockShop:
        given = {"export_stock": True, "stock_source_code": SOURCE, "stock_bulk": True, **settings}
        stock = StockShop(open_shop(18, own_box=True, **given), fake)
        stock.shop.box.magento.switches.queue_runs = queue_runs
        stock.shop.box.calls.reset()
        return stock

    return open_one


def is_bulk(call: Call) -> bool:
    return call.method == "POST" and "async" in call.operation


def bulks(stock: StockShop) -> int:
    """Return how many bulks Magento has taken."""
    return len(stock.shop.box.magento.state.bulks)


def direct_writes(stock: StockShop) -> int:
    counts = stock.shop.box.calls.counts("magento")
    return sum(
        count
        for (_, method, operation), count in counts.items()
        if method == "POST" and "source-items" in operation and "async" not in operation
    )


def effects(stock: StockShop) -> list[Effect]:
    job = stock.jobs("export-stock")[0]
    return [one for one in stock.shop.ledger.effects.for_job(job.id) if one.kind == "write-stock-bulk"]


def state(stock: StockShop) -> str:
    return stock.jobs("export-stock")[0].state


def is_waiting(stock: StockShop) -> bool:
    """Return whether the export waits for a bulk that is under way."""
    return str(stock.jobs("export-stock")[0].waits_for).startswith("doubt:")


def test_a_queue_that_runs_writes_and_the_effect_is_confirmed_once_read_back(open_stock: OpenStock):
    stock = open_stock(safety_stock="5")
    skus = [stock.add(12), stock.add(Decimal("7.5"))]
    job = stock.export(*skus)
    assert (job.state, job.result) == ("done", {"written": 2})
    assert [stock.has(sku) for sku in skus] == [7, Decimal("2.5")]
    assert not any(stock.is_dirty(sku) for sku in skus)
    (effect,) = effects(stock)
    assert effect.state == "confirmed"
    assert effect.remote_id in stock.shop.box.magento.state.bulks
    assert (bulks(stock), direct_writes(stock)) == (1, 0)


def test_nothing_is_confirmed_before_the_queue_ran(open_stock: OpenStock):
    stock = open_stock(queue_runs=False, magento_doubt_seconds=[6, 12, 24, 48])
    sku = stock.add(5)
    stock.mark(sku)
    pump_until(stock.shop, lambda: is_waiting(stock), what="the bulk is handed over")
    (effect,) = effects(stock)
    assert (effect.state, effect.remote_id in stock.shop.box.magento.state.bulks) == ("doubtful", True)
    assert (stock.has(sku), stock.is_dirty(sku)) == (0, True)
    assert stock.shop.box.magento.run_queue() == 1
    stock.shop.work()
    assert (state(stock), stock.has(sku), stock.is_dirty(sku)) == ("done", 5, False)
    assert effects(stock)[0].state == "confirmed"


def test_nothing_is_handed_over_when_nothing_changed(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5)
    stock.export(sku)
    assert stock.export(sku).result == {"unchanged": 1}
    assert bulks(stock) == 1


def test_many_figures_are_one_call_of_several_operations(
    open_stock: OpenStock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bridge.flows.stock_bulk.OPERATION_ROWS", 20)
    stock = open_stock()
    skus = [stock.add(number) for number in range(1, 51)]
    assert stock.export(*skus).result == {"written": 50}
    assert [stock.has(sku) for sku in skus] == list(range(1, 51))
    (bulk,) = stock.shop.box.magento.state.bulks.values()
    assert [len(one["sourceItems"]) for one in bulk.operations] == [20, 20, 10]


def test_a_figure_that_changed_meanwhile_is_exported_behind_it(open_stock: OpenStock):
    """The newer figure waits until the older one, which the queue has, is written."""
    stock = open_stock(queue_runs=False, magento_doubt_seconds=PATIENT)
    sku = stock.add(5)
    stock.mark(sku)
    pump_until(stock.shop, lambda: is_waiting(stock), what="the bulk is handed over")
    stock.set(sku, 3)
    stock.mark(sku)
    attempts = len(stock.shop.ledger.jobs.attempts(stock.jobs("export-stock")[0].id))
    pump_until(
        stock.shop,
        lambda: len(stock.shop.ledger.jobs.attempts(stock.jobs("export-stock")[0].id)) > attempts,
        what="the next look",
    )
    assert (bulks(stock), direct_writes(stock), stock.has(sku)) == (1, 0, 0)
    stock.shop.box.magento.switches.queue_runs = True
    stock.shop.box.magento.run_queue()
    stock.shop.work()
    assert (state(stock), stock.has(sku), stock.is_dirty(sku), bulks(stock)) == ("done", 3, False, 2)


def test_a_row_that_magento_refuses_is_found_and_all_others_go_out(
    open_stock: OpenStock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bridge.flows.stock_bulk.OPERATION_ROWS", 8)
    stock = open_stock()
    catalog = stock.shop.box.magento.catalog
    (part, *_) = [one for one in catalog.all() if catalog.together_bundle_of(one["sku"]) is not None]
    skus = [stock.add(number) for number in range(1, 24)]
    stock.bind(part["sku"], part["id"])
    stock.set(part["sku"], 99)
    job = stock.export(*skus[:10], part["sku"], *skus[10:])
    assert (job.state, bulks(stock)) == ("done", 1)
    assert [stock.has(sku) for sku in skus] == list(range(1, 24))
    own = stock.item_job(part["sku"])
    assert (own.state, own.error_code) == ("blocked", "stock_unclear")
    assert "ship" in str(own.help)
    # From now on it spoils no bulk any more.
    for sku in skus:
        stock.set(sku, 50)
    assert stock.export(*skus).result == {"written": 23}
    assert bulks(stock) == 2


def test_an_unknown_source_blocks_the_export_and_names_those_there_are(open_stock: OpenStock):
    stock = open_stock(stock_source_code="atlantis")
    sku = stock.add(5, magento=None)
    job = stock.export(sku)
    assert (job.state, job.error_code) == ("blocked", "stock_source_unknown")
    assert SOURCE in str(job.error)
    assert stock.is_dirty(sku, "atlantis")


def test_the_input_limit_is_learned_from_the_refusal(open_stock: OpenStock):
    stock = open_stock()
    skus = [stock.add(number) for number in range(1, 51)]
    stock.shop.box.magento.switches.input_limits = True
    assert stock.export(*skus).result == {"written": 50}
    (bulk,) = stock.shop.box.magento.state.bulks.values()
    assert [len(one["sourceItems"]) for one in bulk.operations] == [20, 20, 10]


def test_a_status_that_says_done_is_not_believed(open_stock: OpenStock):
    """Someone set another quantity since: what stands in Magento counts, and the figure is written directly."""
    stock = open_stock(queue_runs=False, magento_doubt_seconds=PATIENT)
    sku = stock.add(5)
    stock.mark(sku)
    pump_until(stock.shop, lambda: is_waiting(stock), what="the bulk is handed over")
    stock.shop.box.magento.run_queue()
    stock.inventory.set(sku, SOURCE, 77)
    stock.shop.work()
    assert (state(stock), stock.has(sku), stock.is_dirty(sku)) == ("done", 5, False)
    assert (bulks(stock), direct_writes(stock)) == (1, 1)


def test_a_status_that_stays_open_does_not_hide_what_is_written(open_stock: OpenStock):
    """The consumer died between its write and its note of it: the last look reads the rows back."""
    stock = open_stock(queue_runs=False)
    sku = stock.add(5)
    stock.mark(sku)
    pump_until(stock.shop, lambda: is_waiting(stock), what="the bulk is handed over")
    stock.inventory.set(sku, SOURCE, 5)
    stock.shop.work()
    assert (state(stock), stock.is_dirty(sku)) == ("done", False)
    assert effects(stock)[0].state == "confirmed"
    assert (bulks(stock), direct_writes(stock)) == (1, 0)


def test_a_bulk_that_magento_forgot_is_judged_by_what_stands_there(open_stock: OpenStock):
    stock = open_stock(queue_runs=False, magento_doubt_seconds=PATIENT)
    sku = stock.add(5)
    stock.mark(sku)
    pump_until(stock.shop, lambda: is_waiting(stock), what="the bulk is handed over")
    stock.shop.box.magento.state.bulks.clear()
    stock.shop.work()
    assert (state(stock), stock.has(sku), direct_writes(stock)) == ("done", 5, 1)


def test_a_queue_that_nothing_works_off_is_a_persons_matter(open_stock: OpenStock):
    stock = open_stock(queue_runs=False)
    sku = stock.add(5)
    job = stock.export(sku)
    assert (job.state, job.error_code) == ("blocked", "stock_bulk_waits")
    for words in ("took 1 quantities of the source berlin", "1 operations of the bulk", "still open"):
        assert words in str(job.error)
    for words in ("bin/magento queue:consumers:start async.operations.all", "stock_bulk=false"):
        assert words in str(job.help)
    # A newer figure lets it look again, and hands nothing over a second time.
    stock.set(sku, 4)
    assert stock.export(sku).state == "blocked"
    assert (bulks(stock), direct_writes(stock), stock.is_dirty(sku)) == (1, 0, True)
    stock.shop.box.magento.switches.queue_runs = True
    stock.shop.box.magento.run_queue()
    stock.shop.ledger.jobs.retry(job.id)
    stock.shop.work()
    assert (state(stock), stock.has(sku), stock.is_dirty(sku), bulks(stock)) == ("done", 4, False, 2)


def test_without_bulks_figures_go_on_and_what_the_queue_writes_late_is_put_right(open_stock: OpenStock):
    stock = open_stock(queue_runs=False)
    sku, other = stock.add(5), stock.add(6)
    assert stock.export(sku).state == "blocked"
    stock.shop.set(stock_bulk=False)
    stock.set(sku, 2)
    assert stock.export(sku, other).state == "done"
    assert (stock.has(sku), stock.has(other), stock.is_dirty(sku)) == (2, 6, False)
    # Months later somebody starts the consumer: the old figure comes, and goes with the next export of anything.
    stock.shop.box.magento.run_queue()
    assert stock.has(sku) == 5
    stock.set(other, 7)
    assert stock.export(other).state == "done"
    assert (stock.has(sku), stock.has(other)) == (2, 7)
    calls = stock.shop.box.calls
    calls.reset()
    stock.export(other)
    assert not [key for key in calls.counts() if "bulk" in key[2]]


def test_the_job_of_one_product_waits_for_the_bulk_too(open_stock: OpenStock):
    stock = open_stock(queue_runs=False)
    good, bad = stock.add(5), stock.add(Decimal("1e12"))
    assert stock.export(good, bad).state == "blocked"
    stock.set(bad, 8)
    own = stock.item_job(bad)
    stock.shop.ledger.jobs.retry(own.id)
    stock.shop.work()
    assert (stock.item_job(bad).error_code, stock.has(bad)) == ("stock_bulk_waits", 0)


@pytest.mark.parametrize("queue_runs", [True, False])
def test_a_lost_answer_is_looked_for_and_nothing_is_handed_over_twice(
    open_stock: OpenStock, *, queue_runs: bool
):
    stock = open_stock(queue_runs=queue_runs)
    skus = [stock.add(number) for number in range(1, 4)]
    shot = stock.shop.box.magento.faults.once("cut_after", only=is_bulk)
    stock.mark(*skus)
    pump_until(stock.shop, lambda: is_waiting(stock), what="the answer is lost")
    assert (shot.fired.is_set(), effects(stock)[0].remote_id) == (True, None)
    if not queue_runs:
        pump_until(stock.shop, lambda: effects(stock)[0].remote_id, what="the bulk is found")
        assert effects(stock)[0].remote_id in stock.shop.box.magento.state.bulks
        stock.shop.box.magento.run_queue()
    stock.shop.work()
    if state(stock) == "blocked":
        # The last look came before the queue did.
        stock.shop.ledger.jobs.retry(stock.jobs("export-stock")[0].id)
        stock.shop.work()
    assert (state(stock), [stock.has(sku) for sku in skus]) == ("done", [1, 2, 3])
    assert (bulks(stock), direct_writes(stock)) == (1, 0)


def test_a_bulk_that_never_came_is_over_at_the_last_look(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5)
    stock.shop.box.magento.faults.once("cut_before", only=is_bulk)
    assert stock.export(sku).state == "done"
    assert (stock.has(sku), bulks(stock)) == (5, 0)
    (effect,) = effects(stock)
    assert (effect.state, effect.remote_id) == ("confirmed", "superseded")


def test_what_needs_no_write_is_noted_while_the_bulk_is_under_way(open_stock: OpenStock):
    stock = open_stock(queue_runs=False, magento_doubt_seconds=[600])
    same, changed, bad = stock.add(5, magento=5), stock.add(6), stock.add(Decimal("NaN"))
    stock.mark(same, changed, bad)
    pump(stock.shop)
    assert is_waiting(stock)
    assert (stock.is_dirty(same), stock.is_dirty(changed)) == (False, True)
    assert stock.item_job(bad).state in {"pending", "retry_waiting"}


def test_a_right_that_is_missing_is_named(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5)
    stock.shop.box.magento.guard.allowed = frozenset(
        {
            "Magento_Backend::store",
            "Magento_Sales::actions_view",
            "Magento_Catalog::products",
            "Magento_InventoryApi::source",
            "Magento_InventoryApi::stock",
        }
    )
    job = stock.export(sku)
    assert (job.state, job.error_code) == ("blocked", "access_missing")
    assert "Magento_Logging::system_magento_logging_bulk_operations" in str(job.error)
    stock.shop.box.magento.guard.allowed = None
    stock.shop.ledger.jobs.retry(job.id)
    stock.shop.work()
    assert (state(stock), bulks(stock), stock.has(sku)) == ("done", 1, 5)


def test_classic_knows_no_bulks(open_stock: OpenStock):
    stock = open_stock(stock_api_mode="classic")
    sku = stock.add(5, source="default")
    assert stock.export(sku).state == "done"
    assert (stock.has(sku, "default"), bulks(stock)) == (5, 0)

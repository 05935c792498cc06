"""Export of stock to Magento: what is written, what is not, and what a person reads (RULES 3, FACTS 6)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from bridge.flows.wants import wake_stock, want
from bridge.ledger import StockLine
from consumers.receiving import Message, Receiver
from schemas.events import new_event
from tests.flows.conftest import OpenShop
from tests.support.stock_shop import SOURCE, StockShop, delivered, fake_odoo_stock

OpenStock = Callable[..., StockShop]


@pytest.fixture
def open_stock(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> OpenStock:
    fake = fake_odoo_stock(monkeypatch)

    def open_one(**settings: Any) -> StockShop:
        given = {"export_stock": True, "stock_source_code": SOURCE, **settings}
        return StockShop(open_shop(18, own_box=True, **given), fake)

    return open_one


def a_line(stock: StockShop, sku: str, **values: Any) -> StockLine:
    given: dict[str, Any] = {
        "order_id": 42,
        "item_id": 7,
        "order_label": "000000042",
        "store_id": 1,
        "product_id": str(stock.ids[sku]),
        "sku": sku,
        "ordered": Decimal(3),
        "canceled": Decimal(0),
        "shipped": Decimal(0),
        "refunded": Decimal(0),
        "open": Decimal(3),
        "shipped_before": Decimal(0),
        "shipped_from": None,
        "version": "2026-11-01 10:00:00",
    }
    line = StockLine(**(given | values))
    stock.shop.ledger.stock_lines.put("shop", [line], marks=[], wake=wake_stock("shop"))
    return line


def bind_order(stock: StockShop, line: StockLine, line_id: int) -> None:
    stock.shop.ledger.bindings.bind(
        "shop",
        "order",
        magento_id=line.order_id,
        odoo_model="sale.order",
        odoo_id=1,
        items={str(line.item_id): [{"line": "x", "quantity": "3", "line_id": line_id}]},
    )


def test_twelve_in_odoo_and_a_safety_stock_of_five_push_exactly_seven_rules_3_2(open_stock: OpenStock):
    stock = open_stock(safety_stock="5")
    sku = stock.add(12)
    job = stock.export(sku)
    assert (job.state, job.result) == ("done", {"written": 1})
    assert (stock.has(sku), stock.inventory.status(sku, SOURCE)) == (7, 1)
    assert not stock.is_dirty(sku)


def test_a_thousand_changes_of_one_product_are_one_write(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(1)
    for quantity in range(2, 1002):
        stock.set(sku, quantity)
        stock.mark(sku)
    stock.shop.work()
    assert stock.has(sku) == 1001
    assert stock.calls() == {"GET": 1, "POST": 1}


def test_a_burst_of_events_over_few_products_is_one_job_and_one_write(open_stock: OpenStock):
    """As Odoo publishes them: each with an id of its own, some of products that nobody bound."""
    stock = open_stock()
    skus = [stock.add(number) for number in range(1, 11)]
    ids = [*(stock.ids[sku] for sku in skus), 123_456]
    receiver = Receiver(stock.shop.ledger)
    for _ in range(20):
        events = [new_event("odoo.stock.changed", "shop", record_id=one) for one in ids]
        received = receiver.receive([Message(body=one.to_bytes(), routing_key=one.type) for one in events])
        assert (received.stored, received.dead) == (11, 0)
    assert len(stock.jobs("export-stock")) == 1
    stock.shop.work()
    assert [stock.has(sku) for sku in skus] == list(range(1, 11))
    assert stock.calls() == {"GET": 1, "POST": 1}


def test_five_hundred_figures_are_one_read_and_one_write_and_nothing_is_sent_when_nothing_changed(
    open_stock: OpenStock,
):
    stock = open_stock()
    skus = [stock.add(number) for number in range(1, 41)]
    assert stock.export(*skus).result == {"written": 40}
    assert stock.calls() == {"GET": 1, "POST": 1}
    assert len(stock.odoo.reads) == 1
    assert stock.export(*skus).result == {"unchanged": 40}
    assert stock.calls() == {"GET": 1}


def test_a_full_export_of_long_skus_is_one_read_and_one_write_for_a_batch(open_stock: OpenStock):
    stock = open_stock()
    skus = [stock.add(number, sku=f"A-LONG-STOCK-KEEPING-UNIT-{number:05d}") for number in range(1, 601)]
    stock.inventory.set("A-LONG-STOCK-KEEPING-UNIT-0", SOURCE, 5)
    stock.shop.ledger.stock.mark_all("shop", wake=wake_stock("shop", delay_seconds=0.0))
    stock.calls()
    stock.shop.work()
    assert [stock.has(sku) for sku in skus] == list(range(1, 601))
    assert stock.calls() == {"GET": 2, "POST": 2}
    # Those that changed here and there are found all the same.
    some = skus[::2]
    for sku in some:
        stock.set(sku, 7)
    stock.export(*some)
    assert {stock.has(sku) for sku in some} == {7}


def test_more_than_a_batch_is_several_and_the_job_goes_on_until_all_are_out(
    open_stock: OpenStock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bridge.flows.export_stock.BATCH", 3)
    stock = open_stock()
    skus = [stock.add(number) for number in range(1, 8)]
    assert stock.export(*skus).state == "done"
    assert [stock.has(sku) for sku in skus] == [1, 2, 3, 4, 5, 6, 7]
    assert [len(read) for read in stock.odoo.reads] == [3, 3, 1]


def test_a_change_that_comes_while_odoo_is_being_read_is_exported_too(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5)

    def change() -> None:
        stock.set(sku, 4)
        stock.mark(sku)

    stock.odoo.meanwhile = change
    assert stock.export(sku).state == "done"
    assert (stock.has(sku), stock.is_dirty(sku)) == (4, False)


def test_changed_is_against_what_magento_has_and_not_against_the_last_push_rules_3_5(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5)
    stock.export(sku)
    stock.inventory.set(sku, SOURCE, 9)
    assert stock.export(sku).result == {"written": 1}
    assert stock.has(sku) == 5


def test_a_row_that_a_person_switched_off_stays_off_and_is_named_rules_3_3(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5)
    stock.export(sku)
    stock.inventory.set(sku, SOURCE, 5, status=0)
    stock.set(sku, 6)
    assert stock.export(sku).result == {"written": 1, "kept_off_by_hand": [sku]}
    assert (stock.has(sku), stock.inventory.status(sku, SOURCE)) == (6, 0)


def test_a_row_that_the_bridge_never_wrote_is_switched_on_rules_3_3(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5, magento=None)
    stock.inventory.set(sku, SOURCE, 5, status=0)
    stock.export(sku)
    assert stock.inventory.status(sku, SOURCE) == 1


def test_a_product_without_a_row_in_the_source_gets_one(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5, magento=None)
    assert stock.export(sku).result == {"written": 1}
    assert stock.has(sku) == 5


def test_a_sku_of_another_case_is_the_same_row_as_magento_spells_it(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5, sku="Stock-Case")
    stock.bind("STOCK-CASE", stock.ids[sku])
    stock.set("STOCK-CASE", 5)
    assert stock.export("STOCK-CASE").result == {"written": 1}
    assert stock.has("Stock-Case") == 5


def test_a_sku_that_was_changed_in_magento_is_followed(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5, sku="NEW-SKU")
    stock.bind("OLD-SKU", stock.ids[sku])
    stock.set("OLD-SKU", 5)
    assert stock.export("OLD-SKU").result == {"written": 1}
    assert (stock.has("NEW-SKU"), stock.has("OLD-SKU")) == (5, None)
    binding = stock.shop.ledger.bindings.get("shop", "product", stock.ids[sku])
    assert binding is not None
    assert binding.magento_label == "NEW-SKU"


@pytest.mark.parametrize("type_id", ["configurable", "bundle", "grouped"])
def test_what_has_no_quantity_of_its_own_gets_no_row_facts_6(open_stock: OpenStock, type_id: str):
    stock = open_stock()
    sku = stock.add(5, magento=None, type_id=type_id)
    assert stock.export(sku).result == {"skipped": 1}
    assert stock.has(sku) is None


def test_what_odoo_does_not_count_is_not_sold_out(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(0, magento=7)
    stock.odoo.untracked.add(stock.ids[sku])
    assert stock.export(sku).result == {"skipped": 1}
    assert stock.has(sku) == 7


def test_a_product_whose_binding_was_dropped_meanwhile_is_left_alone(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5, magento=7)
    stock.mark(sku)
    stock.shop.ledger.bindings.drop("shop", "product", stock.ids[sku])
    stock.shop.work()
    assert (stock.has(sku), stock.is_dirty(sku)) == (7, False)


def _archive(stock: StockShop, sku: str) -> None:
    stock.odoo.archived.add(stock.ids[sku])


def _delete(stock: StockShop, sku: str) -> None:
    stock.odoo.deleted.add(stock.ids[sku])


def _forget(stock: StockShop, sku: str) -> None:
    stock.shop.box.magento.catalog.remove(sku)


@pytest.mark.parametrize(
    ("quantity", "magento", "spoil", "reason", "help_says"),
    [
        (Decimal("NaN"), 7, None, "quantity", "Correct the quantity"),
        (Decimal("1e12"), 7, None, "quantity", "Correct the quantity"),
        (float("nan"), 7, None, "quantity", "Correct the quantity"),
        (5, 7, _archive, "archived", "Unarchive the product"),
        (5, 7, _delete, "gone", "Bind"),
        (5, None, _forget, "unknown_sku", "Magento"),
    ],
)
def test_a_figure_that_cannot_be_sent_waits_for_a_person_and_the_rest_goes_out(
    open_stock: OpenStock,
    quantity: Any,
    magento: Any,
    spoil: Callable[[StockShop, str], None] | None,
    reason: str,
    help_says: str,
):
    stock = open_stock()
    good, bad = stock.add(5), stock.add(quantity, magento=magento)
    if spoil is not None:
        spoil(stock, bad)
    job = stock.export(good, bad)
    assert (job.state, job.result) == ("done", {"written": 1, "jobs_of_their_own": [bad]})
    assert (stock.has(good), stock.has(bad)) == (5, magento)
    own = stock.item_job(bad)
    assert (own.state, own.error_code) == ("blocked", "stock_unclear")
    assert bad in str(own.error)
    assert help_says in str(own.help)
    assert (
        stock.shop.ledger.stock.get("shop", SOURCE, [str(stock.ids[bad])])[str(stock.ids[bad])].problem
        == reason
    )


def test_a_negative_stock_in_odoo_is_none_in_magento(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(-3, magento=4)
    stock.export(sku)
    assert (stock.has(sku), stock.inventory.status(sku, SOURCE)) == (0, 1)


def test_a_job_of_its_own_goes_on_once_its_cause_is_mended(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(Decimal("1e12"))
    stock.export(sku)
    stock.set(sku, 6)
    stock.shop.ledger.jobs.retry(stock.item_job(sku).id)
    stock.shop.work()
    assert (stock.item_job(sku).state, stock.has(sku)) == ("done", 6)
    # From now on it goes with the others again.
    stock.set(sku, 7)
    assert stock.export(sku).result == {"written": 1}
    assert len(stock.jobs("export-stock-item")) == 1


def test_a_change_of_a_product_with_a_problem_wakes_its_own_job_and_spoils_no_batch(open_stock: OpenStock):
    stock = open_stock()
    good, bad = stock.add(5), stock.add(Decimal("1e12"))
    stock.export(good, bad)
    stock.calls()
    stock.set(good, 6)
    stock.set(bad, 9)
    assert stock.export(good, bad).result == {"written": 1}
    assert (stock.item_job(bad).state, stock.has(bad)) == ("done", 9)


def test_a_part_of_a_bundle_that_is_shipped_together_is_found_and_all_others_go_out_facts_6(
    open_stock: OpenStock,
):
    stock = open_stock()
    catalog = stock.shop.box.magento.catalog
    bundle = next(
        one for one in catalog.all() if one["type_id"] == "bundle" and catalog.is_together(one["id"])
    )
    (part, *_) = [one for one in catalog.all() if catalog.together_bundle_of(one["sku"]) is not None]
    assert bundle["sku"]
    skus = [stock.add(number) for number in range(1, 32)]
    stock.bind(part["sku"], part["id"])
    stock.set(part["sku"], 99)
    before = stock.has(part["sku"], "default")
    job = stock.export(*skus[:15], part["sku"], *skus[15:])
    assert job.result == {"written": 31, "jobs_of_their_own": [part["sku"]]}
    assert [stock.has(sku) for sku in skus] == list(range(1, 32))
    assert (stock.has(part["sku"]), stock.has(part["sku"], "default")) == (None, before)
    # 32 rows, the last one bad: all of them, and the good half at each step; then itself alone in its own job.
    assert stock.calls()["POST"] == 1 + 5 + 1
    own = stock.item_job(part["sku"])
    assert (own.state, own.error_code) == ("blocked", "stock_unclear")
    assert "<" not in str(own.error)
    assert "ship" in str(own.help)


def test_two_products_under_one_sku_are_not_sent_twice(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5, sku="Twice")
    stock.bind("TWICE", 999_999)
    stock.set("TWICE", 9)
    job = stock.export(sku, "TWICE")
    # The catalog knows whose it is; the other one was deleted there, and made anew.
    assert job.result == {"written": 1, "jobs_of_their_own": ["TWICE"]}
    assert stock.has(sku) == 5
    assert stock.item_job("TWICE").state == "blocked"


def test_an_unknown_source_blocks_the_export_and_names_those_there_are(open_stock: OpenStock):
    stock = open_stock(stock_source_code="atlantis")
    skus = [stock.add(number, magento=None) for number in range(1, 9)]
    job = stock.export(*skus)
    assert (job.state, job.error_code) == ("blocked", "stock_source_unknown")
    assert "atlantis" in str(job.error)
    assert SOURCE in str(job.error)
    assert all(stock.is_dirty(sku, "atlantis") for sku in skus)
    # No row is looked for: none is at fault.
    assert stock.calls()["POST"] == 1
    stock.inventory.add_source("atlantis")
    stock.shop.ledger.jobs.retry(job.id)
    stock.shop.work()
    assert [stock.has(sku, "atlantis") for sku in skus] == list(range(1, 9))


def test_a_disabled_source_and_one_in_no_stock_are_said(open_stock: OpenStock):
    stock = open_stock()
    stock.inventory.add_source(SOURCE, is_enabled=False)
    stock.inventory.unlink(stock.stock_id, SOURCE)
    sku = stock.add(5)
    warnings = (stock.export(sku).result or {})["warnings"]
    assert [word for text in warnings for word in ("disabled", "no stock") if word in text] == [
        "disabled",
        "no stock",
    ]
    assert stock.has(sku) == 5


def test_input_limits_are_learned_from_the_refusal(open_stock: OpenStock):
    stock = open_stock()
    skus = [stock.add(number) for number in range(1, 51)]
    stock.shop.box.magento.switches.input_limits = True
    assert stock.export(*skus).result == {"written": 50}
    assert stock.calls()["POST"] == 4
    for sku in skus:
        stock.set(sku, 1000)
    stock.export(*skus)
    assert stock.calls()["POST"] == 3


def test_orders_that_odoo_does_not_know_are_not_sold_twice_rules_3(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(10)
    a_line(stock, sku, shipped=Decimal(2), open=Decimal(1))
    stock.export(sku)
    # 2 have left Magento's source and are still counted in Odoo.
    assert stock.has(sku) == 8


def test_reserved_units_of_an_imported_order_are_added_rules_3(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(7)
    line = a_line(stock, sku)
    bind_order(stock, line, line_id=71)
    stock.odoo.moves[71] = delivered(0, reserved=3)
    stock.export(sku)
    assert stock.has(sku) == 10


def test_a_line_that_is_delivered_and_exported_is_settled_and_read_no_more(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(7)
    line = a_line(stock, sku, open=Decimal(0), shipped=Decimal(3))
    bind_order(stock, line, line_id=71)
    stock.odoo.moves[71] = delivered(2)
    stock.export(sku)
    assert stock.has(sku) == 6
    assert len(stock.shop.ledger.stock_lines.open("shop", [str(stock.ids[sku])])) == 1
    stock.odoo.moves[71] = delivered(3)
    stock.export(sku)
    assert stock.has(sku) == 7
    assert stock.shop.ledger.stock_lines.open("shop", [str(stock.ids[sku])]) == []


def test_several_sources_and_warehouses(open_stock: OpenStock):
    stock = open_stock(stock_routes="berlin=1+2; munich=3*60%; outlet=3*rest")
    stock.inventory.add_source("outlet")
    sku = stock.add(0)
    for warehouse_id, quantity in ((1, 4), (2, 5), (3, 10)):
        stock.set(sku, quantity, warehouse_id=warehouse_id)
    stock.export(sku)
    assert [stock.has(sku, source) for source in ("berlin", "munich", "outlet")] == [9, 6, 4]


def test_a_line_counts_in_the_source_of_the_odoo_orders_warehouse_rules_3_4(open_stock: OpenStock):
    stock = open_stock(stock_routes="berlin=1; munich=2", stock_quantity_field="qty_available")
    sku = stock.add(0)
    stock.set(sku, 10, warehouse_id=1)
    stock.set(sku, 10, warehouse_id=2)
    line = a_line(stock, sku, shipped=Decimal(3), open=Decimal(0), shipped_from="berlin")
    bind_order(stock, line, line_id=71)
    stock.odoo.moves[71] = delivered(0, reserved=3, warehouse_id=2)
    stock.export(sku)
    assert [stock.has(sku, source) for source in ("berlin", "munich")] == [10, 7]


def test_sources_that_are_mapped_to_one_warehouse_without_a_rule_wait_for_one(open_stock: OpenStock):
    stock = open_stock()
    for source in (SOURCE, "munich"):
        stock.shop.ledger.mappings.set(
            "shop", "source", source, odoo_model="stock.warehouse", odoo_id=1, odoo_label="", by="test"
        )
    sku = stock.add(5)
    stock.mark(sku)
    stock.shop.work()
    assert {job.state for job in stock.jobs("export-stock")} == {"blocked"}
    assert "stock_routes" in str(stock.jobs("export-stock")[0].help)


def test_the_nearest_safety_stock_holds_for_each_product(open_stock: OpenStock):
    stock = open_stock(safety_stock="1")
    skus = [stock.add(10) for _ in range(2)]
    stock.shop.ledger.stock.set_safety("shop", "source", SOURCE, Decimal(2), by="test")
    stock.shop.ledger.stock.set_safety("shop", "product", skus[1], Decimal(4), by="test")
    stock.export(*skus)
    assert [stock.has(sku) for sku in skus] == [8, 6]


def test_a_source_that_two_stocks_share_rules_3_4(open_stock: OpenStock):
    stock = open_stock()
    stock.inventory.add_stock("Outlet", websites=["outlet"], sources=[SOURCE])
    stock.shop.ledger.jobs.want([want("import-stores", instance="shop", entity="all")])
    stock.shop.work()
    sku = stock.add(10)
    a_line(stock, sku, store_id=1)
    result = stock.export(sku).result or {}
    assert stock.has(sku) == 7
    assert "Several stocks" in result["warnings"][0]


def test_a_source_that_is_not_filled_any_more_says_so(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5)
    stock.mark(sku)
    stock.shop.set(stock_source_code="munich")
    stock.shop.work()
    (job,) = stock.jobs("export-stock")
    assert (job.state, job.error_code) == ("blocked", "settings_wrong")
    assert "does not fill the source berlin" in str(job.error)


def test_a_lost_answer_is_waited_out_and_nothing_newer_is_sent_meanwhile(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5)
    stock.shop.box.magento.faults.once(
        "cut_after", only=lambda call: call.method == "POST" and "source-items" in call.operation
    )
    assert stock.export(sku).state == "done"
    assert (stock.has(sku), stock.is_dirty(sku)) == (5, False)
    assert stock.calls()["POST"] == 1
    effects = stock.shop.ledger.effects.for_job(stock.jobs("export-stock")[0].id)
    assert [one.state for one in effects if one.kind == "write-stock"] == ["confirmed"]


def test_what_did_not_happen_is_worked_out_anew_after_the_doubt(open_stock: OpenStock):
    stock = open_stock()
    sku = stock.add(5)
    shot = stock.shop.box.magento.faults.once(
        "cut_before", only=lambda call: call.method == "POST" and "source-items" in call.operation
    )
    assert stock.export(sku).state == "done"
    assert shot.fired.is_set()
    assert (stock.has(sku), stock.is_dirty(sku)) == (5, False)


def test_a_deadlock_of_magentos_index_is_tried_again_without_a_doubt(open_stock: OpenStock):
    stock = open_stock(magento_doubt_seconds=[600])
    sku = stock.add(5)
    stock.shop.box.magento.faults.once(
        "error_500", only=lambda call: call.method == "POST" and "source-items" in call.operation
    )
    job = stock.export(sku)
    assert (job.state, stock.has(sku)) == ("done", 5)
    assert [one.error_code for one in stock.shop.ledger.jobs.attempts(job.id)] == [
        "service_unavailable",
        None,
    ]

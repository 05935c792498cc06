"""Marks of stock that is to be exported, what was exported, and the lines of Magento's orders; on both databases."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bridge.errors import SettingsWrong
from bridge.ledger import (
    Arrival,
    Event,
    Exported,
    Job,
    Ledger,
    Pair,
    StockChange,
    StockLine,
    Want,
)
from bridge.retry import DONE, Decision
from tests.support.ledger import claim, in_threads, into, queue_all, state_of, work_off

#: Two products, of which the first is also sold under another SKU.
BOUND = {"1": 101, "2": 102, "3": 101}


def wake(source: str) -> Want:
    return Want(
        instance="shop",
        kind="export-stock",
        entity=source,
        queue="inventory",
        lock_key=f"stock:{source}",
        not_before_seconds=0.5,
    )


def an_instance(ledger: Ledger, **settings: Any) -> None:
    given = {
        "base_url": "https://shop.example",
        "odoo_url": "https://odoo.example",
        "odoo_db": "odoo",
        "odoo_user": "bridge",
        "export_stock": True,
        **settings,
    }
    ledger.instances.add("shop", given, secrets={})


@pytest.fixture
def shop(ledger: Ledger) -> Ledger:
    an_instance(ledger)
    pairs = [
        Pair(magento_id=one, odoo_model="product.product", odoo_id=odoo_id, magento_label=f"SKU-{one}")
        for one, odoo_id in BOUND.items()
    ]
    ledger.bindings.bind_many("shop", "product", pairs)
    return ledger


def map_sources(ledger: Ledger, **sources: int) -> None:
    for source, warehouse_id in sources.items():
        ledger.mappings.set(
            "shop",
            "source",
            source,
            odoo_model="stock.warehouse",
            odoo_id=warehouse_id,
            odoo_label="",
            by="test",
        )


def dirty(ledger: Ledger, source: str = "default") -> list[str]:
    return [one.magento_id for one in ledger.stock.dirty("shop", source, limit=100)]


def an_event(number: int, odoo_id: int) -> Arrival:
    return Arrival(
        event=Event(
            instance="shop",
            source="/instances/shop/odoo",
            event_id=str(number),
            type="odoo.stock.changed",
            subject=str(odoo_id),
            time=None,
            data={"id": odoo_id},
        ),
        wants=(),
        stock=StockChange(odoo_id=odoo_id, wake=wake),
    )


def started(ledger: Ledger) -> Job:
    """Claim the one export that waits."""
    (job,) = ledger.jobs.list(kind="export-stock", states=("pending",))
    queue_all(ledger)
    claimed = claim(ledger, job.id)
    assert claimed is not None
    return claimed


def a_line(**values: Any) -> StockLine:
    given: dict[str, Any] = {
        "order_id": 42,
        "item_id": 7,
        "order_label": "000000042",
        "store_id": 1,
        "product_id": "1",
        "sku": "SKU-1",
        "ordered": Decimal(3),
        "canceled": Decimal(0),
        "shipped": Decimal("1.5"),
        "refunded": Decimal(0),
        "open": Decimal("-0.5"),
        "shipped_before": Decimal(0),
        "shipped_from": None,
        "version": "2026-11-01 10:00:00",
    }
    return StockLine(**(given | values))


def test_a_changed_product_is_dirty_in_every_source_and_wakes_one_export_for_each(shop: Ledger):
    map_sources(shop, berlin=1, munich=2)
    taken = shop.events.take([an_event(1, 101)])
    assert len(taken.wanted) == 2
    assert (dirty(shop, "berlin"), dirty(shop, "munich")) == (["1", "3"], ["1", "3"])
    jobs = shop.jobs.list(kind="export-stock")
    assert sorted((job.entity, job.lock_key) for job in jobs) == [
        ("berlin", "shop:stock:berlin"),
        ("munich", "shop:stock:munich"),
    ]


def test_a_thousand_changes_of_one_product_are_one_mark_and_one_job_that_is_not_put_off(shop: Ledger):
    shop.events.take([an_event(number, 102) for number in range(100)])
    (job,) = shop.jobs.list(kind="export-stock")
    for batch in range(1, 10):
        shop.events.take([an_event(100 * batch + number, 102) for number in range(100)])
    (later,) = shop.jobs.list(kind="export-stock")
    assert dirty(shop) == ["2"]
    assert (later.id, later.next_attempt_at, later.wanted) == (job.id, job.next_attempt_at, job.wanted)


def test_a_product_that_is_not_bound_asks_for_nothing(shop: Ledger):
    assert shop.events.take([an_event(1, 999)]).wanted == ()
    assert shop.jobs.list() == []


def test_where_stock_is_not_exported_only_a_person_marks_anything(ledger: Ledger, shop: Ledger):
    shop.instances.set("shop", {"export_stock": False})
    assert shop.events.take([an_event(1, 101)]).wanted == ()
    shop.stock.mark("shop", ["2"], wake=wake)
    shop.stock_lines.put("shop", [a_line()], marks=["1"], wake=wake)
    assert (dirty(shop), shop.jobs.list()) == ([], [])
    # What orders hold back is kept all the same: the first export needs it.
    assert len(shop.stock_lines.open("shop", ["1"])) == 1
    shop.stock.mark("shop", ["2"], wake=wake, by_hand=True)
    assert dirty(shop) == ["2"]


def test_the_same_event_again_marks_nothing(shop: Ledger):
    shop.events.take([an_event(1, 102)])
    (figure,) = shop.stock.dirty("shop", "default", limit=10)
    shop.stock.exported("shop", "default", [Exported(magento_id="2", marked=figure.marked)])
    assert shop.events.take([an_event(1, 102)]).repeated == 1
    assert dirty(shop) == []


def test_a_mark_that_comes_while_the_figure_is_read_is_not_lost(shop: Ledger):
    shop.stock.mark("shop", ["2"], wake=lambda source: replace(wake(source), not_before_seconds=0.0))
    job = started(shop)
    (read,) = shop.stock.dirty("shop", "default", limit=10)
    shop.stock.mark("shop", ["2"], wake=wake)
    shop.stock.exported("shop", "default", [Exported(magento_id="2", marked=read.marked, target=Decimal(7))])
    assert dirty(shop) == ["2"]
    # And the job that ran runs once more.
    assert shop.jobs.finish(job, DONE) == "pending"


def test_what_was_exported_is_clean_and_a_late_word_of_an_older_export_changes_nothing(shop: Ledger):
    shop.stock.mark("shop", ["2"], wake=wake)
    shop.stock.mark("shop", ["2"], wake=wake)
    (read,) = shop.stock.dirty("shop", "default", limit=10)
    assert (read.marked, read.exported, read.is_dirty, read.sku, read.odoo_id) == (2, 0, True, "SKU-2", 102)
    done = Exported(
        magento_id="2", marked=2, target=Decimal("7.25"), seen=Decimal(9), written=Decimal("7.25"), is_on=True
    )
    shop.stock.exported("shop", "default", [done])
    shop.stock.exported("shop", "default", [Exported(magento_id="2", marked=1)])
    figure = shop.stock.get("shop", "default", ["2"])["2"]
    assert not figure.is_dirty
    assert (figure.target, figure.seen, figure.written, figure.was_on) == (
        Decimal("7.25"),
        Decimal(9),
        Decimal("7.25"),
        True,
    )
    assert figure.written_at is not None
    assert figure.seen_at is not None


def test_a_figure_with_a_problem_keeps_it_until_an_export_succeeds(shop: Ledger):
    shop.stock.mark("shop", ["2"], wake=wake)
    shop.stock.exported(
        "shop", "default", [Exported(magento_id="2", marked=1, problem="refused")], wants=[wake("own job")]
    )
    assert shop.stock.get("shop", "default", ["2"])["2"].problem == "refused"
    assert [job.entity for job in shop.jobs.list()] == ["own job", "default"]
    shop.stock.exported("shop", "default", [Exported(magento_id="2", marked=1)])
    assert shop.stock.get("shop", "default", ["2"])["2"].problem is None


@pytest.mark.parametrize(
    ("state", "is_new", "after"),
    [
        ("pending", False, "pending"),
        ("queued", False, "queued"),
        ("running", False, "running"),
        ("retry_waiting", False, "retry_waiting"),
        ("blocked", False, "pending"),
        ("done", True, "done"),
        ("failed", True, "failed"),
    ],
)
def test_what_a_mark_does_to_the_export_in_each_state(shop: Ledger, state: str, is_new: bool, after: str):
    job_id = into(shop, state, "default", kind="export-stock", queue="inventory")
    shop.stock.mark("shop", ["2"], wake=wake)
    assert state_of(shop, job_id) == after
    assert len(shop.jobs.list(kind="export-stock")) == 1 + is_new


def test_marks_and_claims_at_once_lose_nothing(shop: Ledger):
    """Whoever comes first: the mark is seen by the run, or the export runs once more."""
    seen: list[int] = []

    def export(job: Job) -> Decision:
        for figure in shop.stock.dirty("shop", "default", limit=10):
            seen.append(figure.marked)
            shop.stock.exported(
                "shop", "default", [Exported(magento_id=figure.magento_id, marked=figure.marked)]
            )
        return DONE

    def work() -> None:
        for _ in range(20):
            work_off(shop, decide=export)

    def mark() -> None:
        for _ in range(20):
            shop.stock.mark("shop", ["2"], wake=lambda source: replace(wake(source), not_before_seconds=0.0))

    in_threads(work, mark, mark)
    work_off(shop, decide=export)
    figure = shop.stock.get("shop", "default", ["2"])["2"]
    assert (figure.marked, figure.exported) == (40, 40)
    assert seen[-1] == 40


def test_all_bound_products_are_marked_and_a_sweep_wakes_what_is_dirty(shop: Ledger):
    assert shop.stock.mark_all("shop", wake=wake) == 3
    assert shop.stock.dirty_counts("shop") == {"default": 3}
    for job in shop.jobs.list():
        shop.jobs.cancel(job.id)
    assert shop.stock.sweep("shop", wake=wake) == 1
    assert [job.entity for job in shop.jobs.list(states=("pending",))] == ["default"]


def test_a_sweep_leaves_alone_what_waits_for_a_person(shop: Ledger):
    job_id = into(shop, "blocked", "default", kind="export-stock", queue="inventory")
    shop.database.command(
        "INSERT INTO stock_figures (instance, source, magento_id, marked, marked_at)"
        " VALUES ('shop', 'default', '2', 1, {now})"
    )
    assert shop.stock.sweep("shop", wake=wake) == 1
    assert state_of(shop, job_id) == "blocked"


def test_skus_are_found_whatever_their_case(shop: Ledger):
    assert shop.stock.ids_of_skus("shop", ["sku-1", "SKU-2", "SKU-9"]) == {"sku-1": ["1"], "SKU-2": ["2"]}
    assert shop.stock.unmarked("shop", "default", "2").odoo_id == 102


def test_the_longest_waiting_are_exported_first(shop: Ledger):
    for one in ("3", "1", "2", "1"):
        shop.stock.mark("shop", [one], wake=wake)
        shop.database.command("UPDATE stock_figures SET marked_at = {later:-1.0} WHERE magento_id = '3'")
    assert dirty(shop)[0] == "3"
    assert len(shop.stock.dirty("shop", "default", limit=2)) == 2


def test_products_that_share_an_odoo_product_are_known(shop: Ledger):
    assert shop.stock.products_of("shop", [101, 102, 7]) == {101: ["1", "3"], 102: ["2"]}


@pytest.mark.parametrize(
    ("settings", "mapped", "sources", "warehouses", "home"),
    [
        ({}, {}, ("default",), (), "default"),
        ({"stock_source_code": "berlin", "warehouse_id": 4}, {}, ("berlin",), (4,), "berlin"),
        ({}, {"munich": 2, "berlin": 1}, ("berlin", "munich"), (1,), "berlin"),
        ({"stock_source_code": "munich"}, {"munich": 2, "berlin": 1}, ("berlin", "munich"), (1,), "munich"),
        ({"stock_routes": "munich=2+5"}, {"berlin": 1}, ("munich",), (2, 5), "munich"),
        ({"stock_api_mode": "classic"}, {"munich": 2, "berlin": 1}, ("default",), (1, 2), "default"),
    ],
)
def test_sources_and_their_warehouses(
    ledger: Ledger, settings: Any, mapped: Any, sources: Any, warehouses: Any, home: str
):
    an_instance(ledger, **settings)
    map_sources(ledger, **mapped)
    routes = ledger.stock.routes("shop")
    assert (routes.sources, routes.warehouses(routes.sources[0]), routes.home) == (sources, warehouses, home)


def test_routes_that_cannot_be_are_refused_as_settings(ledger: Ledger):
    with pytest.raises(SettingsWrong, match="share warehouse 3"):
        an_instance(ledger, stock_routes="a=3; b=3")


def test_lines_are_kept_exactly_and_mark_their_products(shop: Ledger):
    line = a_line()
    shop.stock_lines.put("shop", [line], marks=["1", "99"], wake=wake)
    assert shop.stock_lines.of_order("shop", 42) == {7: line}
    assert shop.stock_lines.open("shop", ["1", "2"]) == [line]
    # Its twin is the same product in Odoo.
    assert dirty(shop) == ["1", "3"]


def test_an_older_reading_of_an_order_changes_nothing(shop: Ledger):
    newer = a_line(shipped=Decimal(2), version="2026-11-01 10:00:01")
    shop.stock_lines.put("shop", [newer], marks=[], wake=wake)
    shop.stock_lines.put("shop", [a_line()], marks=[], wake=wake)
    assert shop.stock_lines.of_order("shop", 42) == {7: newer}


def test_where_a_line_was_shipped_from_is_not_forgotten(shop: Ledger):
    shop.stock_lines.put("shop", [a_line(shipped_from="berlin")], marks=[], wake=wake)
    shop.stock_lines.put("shop", [a_line()], marks=[], wake=wake)
    assert shop.stock_lines.of_order("shop", 42)[7].shipped_from == "berlin"


def test_a_line_that_is_settled_counts_no_more_until_it_is_read_anew(shop: Ledger):
    line = a_line()
    shop.stock_lines.put("shop", [line], marks=[], wake=wake)
    shop.stock_lines.settle("shop", [replace(line, version="2026-11-01 09:59:59")])
    assert shop.stock_lines.open("shop", ["1"]) == [line]
    shop.stock_lines.settle("shop", [line])
    assert shop.stock_lines.open("shop", ["1"]) == []
    shop.stock_lines.put("shop", [line], marks=[], wake=wake)
    assert shop.stock_lines.open("shop", ["1"]) == [line]


def test_a_removed_instance_takes_its_stock_along(shop: Ledger):
    shop.stock_lines.put("shop", [a_line()], marks=["1"], wake=wake)
    shop.stock.set_safety("shop", "source", "default", Decimal(1), by="ada")
    shop.instances.remove("shop")
    assert (shop.stock_lines.of_order("shop", 42), dirty(shop), shop.stock.safety("shop")) == ({}, [], [])


def test_safety_stocks_of_their_own(shop: Ledger):
    shop.stock.set_safety("shop", "product", "SKU-1", Decimal("2.5"), by="ada")
    shop.stock.set_safety("shop", "category", "9", Decimal(4), by="ada")
    shop.stock.set_safety("shop", "product", "SKU-1", Decimal("3.5"), by="ben")
    assert [(one.scope, one.key, one.quantity, one.updated_by) for one in shop.stock.safety("shop")] == [
        ("category", "9", Decimal(4), "ada"),
        ("product", "SKU-1", Decimal("3.5"), "ben"),
    ]
    assert shop.stock.unset_safety("shop", "category", "9")
    assert not shop.stock.unset_safety("shop", "category", "9")
    assert len(shop.stock.safety("shop")) == 1


def test_a_mark_of_a_part_is_one_of_its_kits(shop: Ledger):
    """101 is a part of 102; 200, which nobody sells, is one of both kits."""
    kits = {102: {101: Decimal(2), 200: Decimal("0.5")}, 101: {200: Decimal(1)}}
    assert shop.kits.put("shop", kits, wake=wake) == 2
    assert shop.kits.of("shop", [101, 102, 103]) == kits
    assert shop.kits.with_parts("shop", [101]) == {102: kits[102]}
    assert dirty(shop) == ["1", "2", "3"]
    done(shop)
    # Read anew, and the same: nothing is marked.
    assert shop.kits.put("shop", kits, wake=wake) == 0
    assert dirty(shop) == []
    shop.events.take([an_event(9001, 200)])
    assert dirty(shop) == ["1", "2", "3"]
    done(shop)
    shop.events.take([an_event(9002, 101)])
    assert dirty(shop) == ["1", "2", "3"]
    done(shop)
    shop.events.take([an_event(9003, 102)])
    assert dirty(shop) == ["2"]
    done(shop)
    # No kit any more: it is marked once, and its part's changes are none of it.
    assert shop.kits.put("shop", {101: kits[101]}, wake=wake) == 1
    assert dirty(shop) == ["2"]
    done(shop)
    shop.events.take([an_event(9004, 200)])
    assert dirty(shop) == ["1", "3"]


def test_an_order_of_a_kit_marks_its_parts_and_their_other_kits(shop: Ledger):
    pair = Pair(magento_id="4", odoo_model="product.product", odoo_id=104, magento_label="SKU-4")
    shop.bindings.bind_many("shop", "product", [pair])
    parts = {101: Decimal(2), 200: Decimal(1)}
    shop.kits.put("shop", {102: parts, 104: {200: Decimal(3)}}, wake=wake)
    done(shop)
    shop.stock_lines.put("shop", [a_line(product_id="2")], marks=["2"], wake=wake)
    assert dirty(shop) == ["1", "2", "3", "4"]
    done(shop)
    shop.instances.remove("shop")
    assert shop.kits.of("shop", [102]) == {}


def done(ledger: Ledger) -> None:
    """Export whatever is dirty."""
    figures = ledger.stock.dirty("shop", "default", limit=100)
    ledger.stock.exported(
        "shop", "default", [Exported(magento_id=one.magento_id, marked=one.marked) for one in figures]
    )

"""The check of drift: what Magento has against what it should have, and each cause with its units (RULES 3.6)."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from bridge.engine import preview_context, run_job
from bridge.flows.fix_drift import drift_now
from bridge.flows.wants import PLACES, wake_stock
from bridge.ledger import DriftLine, DriftSummary, StockLine
from bridge.magento.catalog import TYPES_WITHOUT_STOCK
from bridge.translate.drift import SEVERITIES
from tests.flows.conftest import OpenShop
from tests.support.shop import ROOM
from tests.support.stock_shop import SOURCE, StockShop, fake_odoo_stock

OpenDrift = Callable[..., "Checked"]


class Checked:
    """A shop whose stock is checked."""

    def __init__(self, stock: StockShop) -> None:
        self.stock = stock
        self.ledger = stock.shop.ledger

    def check(self) -> list[DriftLine]:
        """Let a check run and return its lines."""
        place = PLACES["drift"]
        run = self.ledger.runs.start(
            "shop",
            "drift",
            {},
            queue=place.queue,
            priority=place.priority,
            systems=place.systems,
            lock_key="drift",
        )
        self.work()
        assert self.ledger.drift.latest("shop") == run.id
        return self.ledger.drift.lines(run.id, severities=SEVERITIES)

    def work(self) -> None:
        """Run jobs until the check ends; others may wait."""
        until = time.monotonic() + 60
        while (job := self.ledger.jobs.list(kind="drift")[0]).state != "done":
            assert job.state in {"pending", "queued", "running"}, job
            assert time.monotonic() < until
            for job_id, _ in self.ledger.jobs.dispatch(ROOM, limit=100):
                run_job(self.stock.shop.runtime, job_id)

    def one(self, sku: str) -> DriftLine:
        """Check and return the line of one product that is bound."""
        (line,) = [line for line in self.check() if line.sku == sku and line.magento_id]
        return line

    def summary(self, source: str = SOURCE) -> DriftSummary:
        newest = self.ledger.drift.latest("shop")
        assert newest is not None
        (found,) = [one for one in self.ledger.drift.summaries("shop", newest) if one.source == source]
        return found


@pytest.fixture
def open_drift(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> OpenDrift:
    fake = fake_odoo_stock(monkeypatch)

    def open_one(**settings: Any) -> Checked:
        given = {"export_stock": True, "stock_source_code": SOURCE, **settings}
        return Checked(StockShop(open_shop(18, own_box=True, **given), fake))

    return open_one


def causes(line: DriftLine) -> dict[str, Decimal]:
    """Return the causes of a line; their units make up the whole difference."""
    found = {one["cause"]: Decimal(one["units"]) for one in line.details["causes"]}
    assert sum(found.values()) == line.difference
    return found


def order(checked: Checked, sku: str, **values: Any) -> None:
    """Let the ledger know an order of three units, or of others."""
    given: dict[str, Any] = {
        "order_id": 42,
        "item_id": 7,
        "order_label": "000000042",
        "store_id": 1,
        "product_id": str(checked.stock.ids[sku]),
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
    checked.ledger.stock_lines.put("shop", [line], marks=[], wake=wake_stock("shop"))


def test_what_is_as_it_should_be_is_counted_only(open_drift: OpenDrift):
    checked = open_drift(safety_stock="5")
    skus = [checked.stock.add(12), checked.stock.add(Decimal("7.5"))]
    checked.stock.export(*skus)
    assert [line for line in checked.check() if line.magento_id] == []
    summary = checked.summary()
    assert (summary.checked, summary.ok, summary.ended_at is not None) == (2, 2, True)


@pytest.mark.parametrize(
    ("magento", "severity"),
    [
        ("10.0001", None),
        ("10.0002", "warning"),
        ("20", "warning"),
        ("20.0001", "critical"),
        ("0", "warning"),
        (None, "not_found"),
    ],
)
def test_how_bad_a_difference_is(open_drift: OpenDrift, magento: str | None, severity: str | None):
    checked = open_drift()
    sku = checked.stock.add(10, magento=None if magento is None else Decimal(magento))
    found = {line.sku: line.severity for line in checked.check() if line.magento_id}
    assert found.get(sku) == severity


def test_from_when_on_is_set(open_drift: OpenDrift):
    checked = open_drift(drift_warning="2", drift_critical="3")
    some = {checked.stock.add(10, magento=magento): magento for magento in (8, 7, 6)}
    found = {some[line.sku]: line.severity for line in checked.check() if line.magento_id}
    assert found == {7: "warning", 6: "critical"}


def test_a_job_that_waits_accounts_for_what_it_would_mend(open_drift: OpenDrift):
    checked = open_drift()
    sku = checked.stock.add(10)
    checked.stock.export(sku)
    checked.stock.set(sku, 4)
    checked.ledger.pauses.pause("shop", "export-stock", by="test")
    checked.stock.mark(sku)
    line = checked.one(sku)
    assert (line.found, line.target, causes(line)) == (10, 4, {"job_waiting": 6})
    (cause,) = line.details["causes"]
    assert cause["job"] == checked.stock.jobs("export-stock")[0].id


def test_a_job_that_failed_or_waits_for_a_person_is_named(open_drift: OpenDrift):
    checked = open_drift()
    sku = checked.stock.add(10)
    checked.stock.export(sku)
    checked.stock.set(sku, Decimal("NaN"))
    checked.stock.export(sku)
    assert checked.stock.item_job(sku).state == "blocked"
    checked.stock.set(sku, 4)
    line = checked.one(sku)
    assert causes(line) == {"job_failed": 6}
    assert line.details["causes"][0]["job"] == checked.stock.item_job(sku).id


def test_a_change_that_no_event_told_of_is_newer_than_the_last_export(open_drift: OpenDrift):
    checked = open_drift()
    sku = checked.stock.add(10)
    checked.stock.export(sku)
    checked.stock.set(sku, 12)
    assert causes(checked.one(sku)) == {"newer_change": -2}


def test_an_edit_in_magento_is_told_from_a_change_in_odoo(open_drift: OpenDrift):
    checked = open_drift()
    sku = checked.stock.add(10)
    checked.stock.export(sku)
    checked.stock.inventory.set(sku, SOURCE, 15)
    checked.stock.set(sku, 8)
    line = checked.one(sku)
    assert (line.difference, causes(line)) == (7, {"edited_in_magento": 5, "newer_change": 2})


def test_a_row_that_was_deleted_in_magento_is_an_edit(open_drift: OpenDrift):
    checked = open_drift()
    sku = checked.stock.add(10)
    checked.stock.export(sku)
    checked.stock.inventory.delete(sku, SOURCE)
    line = checked.one(sku)
    assert (line.severity, line.found, causes(line)) == ("not_found", None, {"edited_in_magento": -10})


def test_goods_that_magento_shipped_are_nobodys_edit(open_drift: OpenDrift):
    checked = open_drift()
    sku = checked.stock.add(10)
    order(checked, sku)
    checked.stock.export(sku)
    assert checked.stock.has(sku) == 10
    # Shipped in Magento, which took them out of the source; at the same time Odoo sold two elsewhere.
    checked.stock.inventory.set(sku, SOURCE, 7)
    order(checked, sku, shipped=Decimal(3), open=Decimal(0), version="2026-11-01 11:00:00")
    assert [line for line in checked.check() if line.sku == sku] == []
    checked.stock.set(sku, 8)
    assert causes(checked.one(sku)) == {"newer_change": 2}
    checked.stock.set(sku, 10)
    checked.stock.inventory.set(sku, SOURCE, 12)
    assert causes(checked.one(sku)) == {"edited_in_magento": 5}


def test_a_safety_stock_that_was_set_since_the_last_export(open_drift: OpenDrift):
    checked = open_drift()
    sku = checked.stock.add(12)
    checked.stock.export(sku)
    checked.ledger.stock.set_safety("shop", "product", sku, Decimal(5), by="test")
    checked.stock.set(sku, 11)
    line = checked.one(sku)
    assert causes(line) == {"safety_stock": 5, "newer_change": 1}
    assert line.details["notes"] == {"safety_stock": "5"}


def test_what_others_wrote_lacks_the_safety_stock_or_what_magento_holds_back(open_drift: OpenDrift):
    checked = open_drift(safety_stock="5")
    without_safety = checked.stock.add(12, magento=12)
    without_reservation = checked.stock.add(12, magento=4)
    order(checked, without_reservation)
    order(
        checked,
        without_reservation,
        item_id=8,
        open=Decimal(-3),
        shipped=Decimal(3),
        shipped_before=Decimal(3),
    )
    lines = {line.sku: causes(line) for line in checked.check() if line.magento_id}
    assert lines == {without_safety: {"safety_stock": 5}}


def test_a_figure_that_was_never_exported(open_drift: OpenDrift):
    checked = open_drift()
    sku = checked.stock.add(12, magento=20)
    assert causes(checked.one(sku)) == {"never_exported": 8}


def test_what_is_in_magento_and_not_in_odoo_is_listed(open_drift: OpenDrift):
    checked = open_drift()
    checked.stock.inventory.set("ORPHAN", SOURCE, 4)
    bound = checked.stock.add(3, magento=3)
    gone = checked.stock.add(3, magento=9)
    checked.stock.odoo.deleted.add(checked.stock.ids[gone])
    lines = {line.sku: line for line in checked.check() if line.source == SOURCE}
    assert set(lines) == {"ORPHAN", gone}
    assert bound not in lines
    for sku, units in (("ORPHAN", 4), (gone, 9)):
        assert lines[sku].severity == "not_in_odoo"
        assert (lines[sku].target, causes(lines[sku])) == (None, {"mapping_missing": units})
    assert "No product of Odoo is bound" in lines["ORPHAN"].details["problem"]
    assert "deleted" in lines[gone].details["problem"]
    assert checked.summary().not_in_odoo == 2


@pytest.mark.parametrize("type_id", ["configurable", "bundle", "grouped"])
def test_what_has_no_quantity_of_its_own_is_missing_nowhere_facts_6(open_drift: OpenDrift, type_id: str):
    """Magento keeps a row for each product of its catalog; a row that nothing stands for is listed at any quantity."""
    checked = open_drift()
    parent = checked.stock.add(0, magento=0, type_id=type_id, sku="With, a comma")
    other = checked.stock.add(0, magento=0)
    for sku in (parent, other):
        checked.ledger.bindings.drop("shop", "product", checked.stock.ids[sku])
    checked.stock.inventory.set("ORPHAN", SOURCE, 0)
    checked.stock.inventory.set(parent, "munich", 4)
    lines = {line.sku: line for line in checked.check() if line.source in {SOURCE, "munich"}}
    assert set(lines) == {other, "ORPHAN"}
    assert {line.severity for line in lines.values()} == {"not_in_odoo"}
    assert checked.summary().not_in_odoo == 2


def test_a_whole_catalog_has_no_row_too_many_but_those_of_goods(open_drift: OpenDrift):
    checked = open_drift(stock_source_code="default")
    catalog = checked.stock.shop.box.magento.catalog
    listed = {line.sku for line in checked.check() if line.source == "default"}
    types = {raw["sku"]: raw["type_id"] for raw in catalog.all()}
    assert {types[sku] for sku in listed} == {"simple", "virtual", "downloadable"}
    assert listed == {sku for sku, type_id in types.items() if type_id not in TYPES_WITHOUT_STOCK}


def test_a_source_that_no_warehouse_fills_is_missing_a_mapping(open_drift: OpenDrift):
    checked = open_drift()
    sku = checked.stock.add(3, magento=3)
    checked.stock.inventory.set(sku, "munich", 6)
    (line,) = [line for line in checked.check() if line.source == "munich"]
    assert (line.sku, line.severity, causes(line)) == (sku, "not_in_odoo", {"mapping_missing": 6})
    assert "No warehouse of Odoo fills the source munich" in line.details["problem"]


def test_a_check_writes_into_neither_system_and_reads_each_once_for_a_page(open_drift: OpenDrift):
    checked = open_drift()
    for number in range(1, 41):
        checked.stock.add(number, magento=0)
    checked.stock.calls()
    assert len([line for line in checked.check() if line.magento_id]) == 40
    assert len(checked.stock.odoo.reads) == 1
    # One for what is bound; one for each of the sources, for what is not.
    calls = checked.stock.calls()
    assert set(calls) == {"GET"}
    assert calls["GET"] == 4


def test_pages_and_sources_are_walked_through(open_drift: OpenDrift, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bridge.flows.check_drift.BATCH", 3)
    checked = open_drift(stock_routes=f"{SOURCE}=1; munich=2")
    skus = [checked.stock.add(1, magento=2) for _ in range(7)]
    for number, sku in enumerate(skus):
        checked.stock.set(sku, 1, warehouse_id=1)
        checked.stock.set(sku, number, warehouse_id=2)
        checked.stock.inventory.set(sku, "munich", number)
    found = [(line.source, line.sku) for line in checked.check() if line.magento_id]
    assert found == [(SOURCE, sku) for sku in sorted(skus)]
    assert (checked.summary().checked, checked.summary("munich").ok) == (7, 7)
    assert checked.summary().too_many == 7


def test_an_export_that_ends_while_the_check_reads_is_no_edit(open_drift: OpenDrift):
    checked = open_drift()
    sku = checked.stock.add(10)
    checked.stock.export(sku)
    checked.stock.set(sku, 6)

    def meanwhile() -> None:
        checked.stock.set(sku, 4)
        checked.stock.mark(sku)
        for job_id, _ in checked.ledger.jobs.dispatch(ROOM, limit=10):
            run_job(checked.stock.shop.runtime, job_id)
        assert checked.stock.has(sku) == 4

    checked.stock.odoo.meanwhile = meanwhile
    assert [line for line in checked.check() if line.sku == sku] == []
    assert checked.summary().ok == 1


def test_a_sku_that_was_changed_in_magento_is_followed_by_the_check(open_drift: OpenDrift):
    checked = open_drift()
    sku = checked.stock.add(5, sku="NEW-SKU", magento=5)
    checked.stock.bind("OLD-SKU", checked.stock.ids[sku])
    checked.stock.set("OLD-SKU", 5)
    assert [line for line in checked.check() if line.source == SOURCE] == []


def test_what_has_no_quantity_of_its_own_is_skipped(open_drift: OpenDrift):
    checked = open_drift()
    checked.stock.add(5, magento=None, type_id="bundle")
    assert [line for line in checked.check() if line.source == SOURCE] == []
    assert (checked.summary().checked, checked.summary().skipped) == (1, 1)


def test_a_product_that_is_gone_in_magento_is_said(open_drift: OpenDrift):
    checked = open_drift()
    sku = checked.stock.add(5, magento=None)
    checked.stock.shop.box.magento.catalog.remove(sku)
    line = checked.one(sku)
    assert (line.severity, causes(line)) == ("not_found", {"mapping_missing": -5})
    assert "no product with the SKU" in line.details["problem"]


def test_without_sources_in_magento_the_classic_endpoint_is_read(open_drift: OpenDrift):
    checked = open_drift(stock_api_mode="classic")
    sku = checked.stock.add(5, source="default", magento=8)
    (line,) = checked.check()
    assert (line.source, line.sku, causes(line)) == ("default", sku, {"never_exported": 3})


def test_drift_now_writes_nothing_into_the_ledger(open_drift: OpenDrift):
    checked = open_drift()
    sku = checked.stock.add(5, magento=8)
    ids = [str(checked.stock.ids[sku])]
    found = list(drift_now(preview_context(checked.stock.shop.runtime, "shop"), ids))
    assert [(source, line.sku, line.difference) for source, line in found] == [(SOURCE, sku, 3)]
    assert checked.ledger.drift.latest("shop") is None


def test_rows_that_nothing_stands_for_are_all_counted_and_not_all_listed(
    open_drift: OpenDrift, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bridge.flows.check_drift.MOST_UNBOUND", 2)
    monkeypatch.setattr("bridge.flows.check_drift.BATCH", 3)
    checked = open_drift()
    for number in range(5):
        checked.stock.inventory.set(f"ORPHAN-{number}", SOURCE, 1)
    lines = [line.sku for line in checked.check() if line.source == SOURCE]
    assert (lines, checked.summary().not_in_odoo) == (["ORPHAN-0", "ORPHAN-1"], 5)


def test_a_source_that_is_ignored_is_not_looked_at(open_drift: OpenDrift):
    checked = open_drift()
    checked.stock.inventory.set("ORPHAN", "munich", 1)
    assert [line.source for line in checked.check() if line.source == "munich"] == ["munich"]
    checked.ledger.mappings.ignore("shop", "source", "munich", by="test")
    assert [line.source for line in checked.check() if line.source == "munich"] == []


def test_a_source_that_is_shared_says_so_and_so_does_a_threshold(open_drift: OpenDrift):
    checked = open_drift(safety_stock="2")
    checked.stock.inventory.add_stock("Outlet", websites=[], sources=[SOURCE])
    sku = checked.stock.add(10, magento=5)
    line = checked.one(sku)
    assert line.details["notes"] == {"safety_stock": "2", "shared_source": ["Web", "Outlet"]}

"""What checks of drift found, page by page and for good; on both databases."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.ledger import DriftCounts, Exported, Ledger, Pair, RunId, SeenDrift, StockLine, Want
from tests.ledger.conftest import OpenLedger

ALL = ("warning", "critical", "not_found", "not_in_odoo")
FIRST, SECOND = RunId(1), RunId(2)


def bind(ledger: Ledger, **skus: str | None) -> None:
    pairs = [
        Pair(magento_id=name[1:], odoo_model="product.product", odoo_id=int(name[1:]), magento_label=sku)
        for name, sku in skus.items()
    ]
    ledger.bindings.bind_many("shop", "product", pairs)


def an_instance(ledger: Ledger) -> None:
    given = {
        "base_url": "https://shop.example",
        "odoo_url": "https://odoo.example",
        "odoo_db": "odoo",
        "odoo_user": "bridge",
    }
    ledger.instances.add("shop", given, secrets={})


def a_line(sku: str, **values: Any) -> SeenDrift:
    given: dict[str, Any] = {
        "sku": sku,
        "magento_id": "1",
        "severity": "warning",
        "target": Decimal("7.5"),
        "found": Decimal(9),
        "difference": Decimal("1.5"),
        "details": {"causes": [{"cause": "unknown", "units": "1.5"}]},
    }
    return SeenDrift(**(given | values))


def note(ledger: Ledger, run_id: RunId, *lines: SeenDrift, source: str = "default", **counts: Any) -> None:
    ledger.drift.note(
        "shop",
        run_id,
        source,
        lines,
        counts=DriftCounts(**counts),
        looked_at=[line.magento_id for line in lines],
    )


def wake(source: str) -> Want:
    return Want(instance="shop", kind="export-stock", entity=source, queue="inventory")


def test_bound_products_come_page_by_page_in_the_order_of_their_skus(ledger: Ledger):
    bind(ledger, _1="b-2", _2="B-1", _3="a", _4=None, _5="a")
    seen, after = [], None
    while True:
        page, after = ledger.drift.bound("shop", "default", after=after, limit=2)
        seen += [one.magento_id for one in page]
        if after is None:
            break
    assert seen == ["4", "3", "5", "2", "1"]


def test_what_is_known_of_a_figure_comes_along(ledger: Ledger):
    an_instance(ledger)
    bind(ledger, _1="A", _2="B")
    ledger.stock.mark("shop", ["1"], wake=wake, by_hand=True)
    ledger.stock.exported(
        "shop",
        "default",
        [Exported(magento_id="1", marked=1, target=Decimal(7), written=Decimal(7), is_on=True)],
    )
    exported, never = ledger.drift.bound("shop", "default", after=None, limit=10)[0]
    assert (exported.source, exported.written, exported.was_on, exported.is_dirty) == (
        "default",
        7,
        True,
        False,
    )
    assert (never.sku, never.odoo_id, never.written, never.was_on, never.is_dirty) == (
        "B",
        2,
        None,
        False,
        False,
    )
    assert ledger.drift.figures("shop", "default", ["2"]) == {"2": never}
    assert ledger.drift.figures("shop", "munich", ["1"])["1"].written is None


def test_skus_are_known_in_any_case(ledger: Ledger):
    bind(ledger, _1="Shirt-M", _2="GRÖSSE-Ä")
    assert ledger.drift.bound_skus("shop", ["SHIRT-m", "GRÖSSE-Ä", "other"]) == {
        "shirt-m",
        "grösse-ä".casefold(),
    }
    assert ledger.drift.bound_skus("shop", []) == set()


def test_a_page_that_is_done_twice_counts_once(ledger: Ledger):
    note(ledger, FIRST, a_line("A"), a_line("B", magento_id="2"), checked=2, warning=2, too_many=Decimal(3))
    note(
        ledger,
        FIRST,
        a_line("B", magento_id="2", found=Decimal(8)),
        checked=2,
        warning=1,
        too_many=Decimal("0.5"),
    )
    ledger.drift.note(
        "shop", FIRST, "default", [], counts=DriftCounts(checked=2, ok=1, warning=1), looked_at=["1"]
    )
    (line,) = ledger.drift.lines(FIRST, severities=ALL)
    assert (line.sku, line.found, line.target, line.source) == ("B", 8, Decimal("7.5"), "default")
    assert line.details == {"causes": [{"cause": "unknown", "units": "1.5"}]}
    (summary,) = ledger.drift.summaries("shop", FIRST)
    assert (summary.checked, summary.ok, summary.warning, summary.too_many) == (2, 1, 1, 0)


def test_lines_are_found_by_severity_and_sku_and_page_by_page(ledger: Ledger):
    note(ledger, FIRST, a_line("A"), a_line("B", magento_id="2", severity="critical"), checked=2)
    note(ledger, FIRST, a_line("a"), source="munich", checked=1)
    note(ledger, SECOND, a_line("C"), checked=1)
    found = ledger.drift.lines(FIRST, severities=ALL)
    assert [(one.source, one.sku) for one in found] == [("default", "A"), ("default", "B"), ("munich", "a")]
    assert [one.sku for one in ledger.drift.lines(FIRST, severities=["critical"])] == ["B"]
    assert [one.source for one in ledger.drift.lines(FIRST, severities=ALL, sku="A")] == ["default", "munich"]
    paged = [found[0]]
    while more := ledger.drift.lines(FIRST, severities=ALL, after=paged[-1], limit=1):
        paged += more
    assert paged == found


def test_the_newest_check_is_one_that_has_ended(ledger: Ledger):
    assert ledger.drift.latest("shop") is None
    note(ledger, FIRST, a_line("A"), checked=3)
    assert ledger.drift.latest("shop") is None
    ledger.drift.end(FIRST)
    note(ledger, SECOND, checked=4)
    assert ledger.drift.latest("shop") == FIRST
    assert [one.run_id for one in ledger.drift.history("shop")] == [FIRST]
    ledger.drift.end(SECOND)
    assert [(one.run_id, one.checked) for one in ledger.drift.history("shop")] == [(SECOND, 4), (FIRST, 3)]
    assert ledger.drift.latest("other") is None


@pytest.mark.parametrize("days", [0, 7])
def test_lines_of_old_checks_go_and_their_figures_stay(open_ledger: OpenLedger, days: int):
    ledger = open_ledger(drift_days=days)
    for run_id in (FIRST, SECOND):
        note(ledger, run_id, a_line("A"), checked=1)
        ledger.drift.end(run_id)
    if days == 0:
        since = ledger.now() - timedelta(seconds=10)
        ledger.database.command("UPDATE drift_summaries SET started_at = :since", since=since)
    assert ledger.upkeep().drift_lines == (0 if days else 1)
    assert len(ledger.drift.lines(FIRST, severities=ALL)) == (1 if days else 0)
    assert len(ledger.drift.lines(SECOND, severities=ALL)) == 1
    assert len(ledger.drift.history("shop")) == 2


def test_shipped_units_and_new_safety_stocks_have_their_times(ledger: Ledger):
    an_instance(ledger)
    before = ledger.now() - timedelta(seconds=5)
    zero = Decimal(0)
    line = StockLine(
        order_id=1,
        item_id=2,
        order_label="1",
        store_id=1,
        product_id="1",
        sku="A",
        ordered=Decimal(5),
        canceled=zero,
        shipped=Decimal(3),
        refunded=zero,
        open=Decimal(2),
        shipped_before=Decimal(1),
        shipped_from=None,
        version="2026-11-01 10:00:00",
    )
    ledger.stock_lines.put("shop", [line], marks=[], wake=wake)
    ((at, units),) = ledger.drift.shipped("shop", ["1", "2"])["1"]
    assert (units, at > before) == (2, True)
    ledger.stock.set_safety("shop", "product", "A", Decimal(5), by="test")
    changes = ledger.drift.safety_changes("shop")
    assert set(changes) == {("product", "A"), ("instance", "")}
    assert min(changes.values()) > before


def test_a_removed_instance_takes_its_checks_along(ledger: Ledger):
    an_instance(ledger)
    note(ledger, FIRST, a_line("A"), checked=1)
    ledger.drift.end(FIRST)
    ledger.instances.remove("shop")
    assert (ledger.drift.latest("shop"), ledger.drift.history("shop")) == (None, [])
    assert ledger.upkeep().drift_lines == 1
    assert ledger.drift.lines(FIRST, severities=ALL) == []

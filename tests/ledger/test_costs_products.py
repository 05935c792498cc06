"""What a page of products costs the ledger does not grow with the products, lines of orders and findings in it."""

from __future__ import annotations

from collections.abc import Callable, Sized
from decimal import Decimal

import pytest

from bridge.flows.wants import wake_stock
from bridge.ledger import DriftCounts, Exported, Ledger, Pair, RunId, SeenDrift, SeenEdit, StockLine
from tests.ledger.test_costs import explained, postgres_ledger  # noqa: F401  # a fixture

#: With 100,000 of each it is the same.
_COUNT = 20_000
_BINDINGS = """
INSERT INTO bindings (instance, kind, magento_id, magento_label, odoo_model, odoo_id, fingerprint, created_at, updated_at)
SELECT 'shop', :kind, CAST(n AS text), 'SKU-' || n, 'product.product', n, '{}', now(), now()
FROM generate_series(1, CAST(:count AS bigint)) n
"""
_FIGURES = """
INSERT INTO stock_figures (instance, source, magento_id, marked, exported, marked_at, seen, seen_at)
SELECT 'shop', s, CAST(n AS text), 1, 1, now(), '7', now()
FROM generate_series(1, CAST(:count AS bigint)) n, (VALUES ('berlin'), ('munich'), ('default')) AS sources(s)
"""
_LINES = """
INSERT INTO stock_lines (instance, order_id, item_id, order_label, product_id, sku, ordered, canceled, shipped, refunded,
    open, shipped_before, version, is_settled, updated_at)
SELECT 'shop', n, n, 'O' || n, CAST(n AS text), 'SKU-' || n, '1', '0', '1', '0', '0', '0', 'v', n % 10 > 0, now()
FROM generate_series(1, CAST(:count AS bigint)) n
"""
_FOUND = """
INSERT INTO drift_lines (run_id, source, sku, magento_id, severity, target, found, difference, details, checked_at)
SELECT r, 'default', 'SKU-' || n, CAST(n AS text), 'critical', '7', '0', '-7', '{}', now()
FROM generate_series(1, CAST(:count AS bigint)) n, (VALUES (1), (2)) AS runs(r)
"""
_IDS = [str(one) for one in range(10_001, 10_101)]
#: Rows that are read for each of a page: its binding and its figure, and then some.
_ALLOWED = 3 * len(_IDS)


@pytest.fixture
def filled(postgres_ledger: Ledger) -> Ledger:  # noqa: F811  # the fixture
    """A ledger with many products of which few are dirty, as many lines of orders, and two checks that found all wrong."""
    given = {"base_url": "https://shop.example", "odoo_url": "https://odoo.example", "odoo_db": "odoo"}
    postgres_ledger.instances.add("shop", {**given, "odoo_user": "bridge"}, secrets={})
    for kind in ("product", "product_price", "product_variant"):
        postgres_ledger.database.command(_BINDINGS, kind=kind, count=_COUNT)
    for sql in (_FIGURES, _LINES, _FOUND):
        postgres_ledger.database.command(sql, count=_COUNT)
    postgres_ledger.database.command("ANALYZE")
    return postgres_ledger


def a_finding(magento_id: str) -> SeenDrift:
    return SeenDrift(
        sku=f"SKU-{magento_id}",
        magento_id=magento_id,
        severity="critical",
        target=Decimal(7),
        found=Decimal(0),
        difference=Decimal(-7),
        details={},
    )


def a_line(number: int) -> StockLine:
    return StockLine(
        order_id=number,
        item_id=number,
        order_label=str(number),
        store_id=1,
        product_id=str(number),
        sku=f"SKU-{number}",
        ordered=Decimal(1),
        canceled=Decimal(0),
        shipped=Decimal(1),
        refunded=Decimal(0),
        open=Decimal(0),
        shipped_before=Decimal(0),
        shipped_from=None,
        version="w",
        is_settled=False,
    )


def steps(ledger: Ledger) -> dict[str, tuple[Callable[[], object], int | None]]:
    """Return what flows of catalog, stock and drift ask for a page of products, and how many they get of each."""
    bindings, stock, drift, lines = ledger.bindings, ledger.stock, ledger.drift, ledger.stock_lines
    numbers, wake, run = [int(one) for one in _IDS], wake_stock("shop"), RunId(2)
    pairs = [
        Pair(magento_id=one, odoo_model="product.product", odoo_id=int(one), fingerprint="x") for one in _IDS
    ]
    done = [Exported(magento_id=one, marked=2, written=Decimal(7), target=Decimal(7)) for one in _IDS]
    edit = SeenEdit(
        magento_id=_IDS[0], field="name", master="odoo", magento_value="a", odoo_value="b", label="x"
    )
    classes = {one: [("tax_class", "2", None, "x")] for one in _IDS}
    severities, counts = ["critical"], DriftCounts(checked=100)
    return {
        "bindings between": (lambda: [*bindings.between("shop", "product", after=10_000, up_to=10_100)], 100),
        "last bindings": (lambda: [*bindings.between("shop", "product", after=19_900, up_to=None)], 100),
        "bindings": (lambda: bindings.get_many("shop", "product", _IDS), 100),
        "bindings by odoo": (lambda: bindings.by_odoo_many("shop", "product", numbers), 100),
        "bind": (lambda: bindings.bind_many("shop", "product", pairs), None),
        "bindings by page": (lambda: bindings.list("shop", kind="product", after="10001", limit=100), 100),
        "mark": (lambda: stock.mark("shop", _IDS, wake=wake, by_hand=True), 1),
        "dirty": (lambda: stock.dirty("shop", "default", limit=100), 100),
        "figures": (lambda: stock.get("shop", "default", _IDS), 100),
        "products of odoo": (lambda: stock.products_of("shop", numbers), 100),
        "products by sku": (lambda: stock.ids_of_skus("shop", ["sku-10001", "SKU-10002"]), 2),
        "mark again": (lambda: stock.mark_again("shop", "default", _IDS), None),
        "sources to wake": (lambda: stock.sweep("shop", wake=wake), None),
        "exported": (lambda: stock.exported("shop", "default", done), None),
        "lines of an order": (lambda: lines.of_order("shop", 10_001), 1),
        "open lines": (lambda: lines.open("shop", _IDS), 10),
        "put lines": (lambda: lines.put("shop", [a_line(10_001)], marks=["10001"], wake=wake), None),
        "settle lines": (lambda: lines.settle("shop", [a_line(10_001)]), None),
        "products to check": (lambda: drift.bound("shop", "default", after=None, limit=100)[0], 100),
        "more to check": (
            lambda: drift.bound("shop", "default", after=("sku-10001", "10001"), limit=100)[0],
            100,
        ),
        "figures now": (lambda: drift.figures("shop", "default", _IDS), 100),
        "bound skus": (lambda: drift.bound_skus("shop", [f"sku-{one}" for one in _IDS]), 100),
        "shipped": (lambda: drift.shipped("shop", _IDS), 100),
        "note": (
            lambda: drift.note(
                "shop", run, "default", [a_finding(one) for one in _IDS], counts=counts, looked_at=_IDS
            ),
            None,
        ),
        "findings": (lambda: drift.lines(run, severities=severities, limit=100), 100),
        "edits": (
            lambda: ledger.conflicts.note("shop", "product", [edit], looked_at=_IDS, masters=("odoo",)),
            None,
        ),
        "values seen": (lambda: ledger.mappings.observe_each("shop", "product", classes), None),
    }


@pytest.mark.postgres
@pytest.mark.timeout(300)
def test_a_page_of_products_reads_its_own_rows(filled: Ledger, monkeypatch: pytest.MonkeyPatch):
    read: dict[str, int] = {}
    for name, (ask, count) in steps(filled).items():
        with explained(monkeypatch) as (seen, _):
            found = ask()
        read[name] = seen["rows"]
        if count is not None:
            assert isinstance(found, Sized), name
            assert len(found) == count, name
    assert {name: rows for name, rows in read.items() if rows > _ALLOWED} == {}
    assert read["products by sku"] <= 4


@pytest.mark.postgres
def test_all_products_are_marked_page_by_page(filled: Ledger, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bridge.ledger.stock._PAGE", 300)
    filled.database.command("DELETE FROM bindings WHERE odoo_id > 1000")
    assert filled.stock.mark_all("shop", wake=wake_stock("shop"), by_hand=True) == 1000
    # Each page has a moment of its own, in the order of the SKUs.
    dirty = filled.stock.dirty("shop", "default", limit=1000)
    assert [one.sku for one in dirty] == sorted(one.sku or "" for one in dirty)
    assert len({one.marked_at for one in dirty}) == 4

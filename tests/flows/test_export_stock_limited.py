"""The export of stock into a shop that takes few rows at once, some of them bad: what it costs in calls."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import pytest

from tests.flows.conftest import OpenShop
from tests.support.stock_shop import SOURCE, StockShop, fake_odoo_stock

LIMIT, BAD = 20, 3


@pytest.fixture
def limited(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> StockShop:
    """A shop that takes 20 rows at once, which the bridge has learned by an export before."""
    fake = fake_odoo_stock(monkeypatch)
    stock = StockShop(open_shop(18, own_box=True, export_stock=True, stock_source_code=SOURCE), fake)
    stock.shop.box.magento.switches.input_limits = True
    skus = [stock.add(number) for number in range(1, LIMIT + 2)]
    assert stock.export(*skus).result == {"written": LIMIT + 1}
    return stock


def spoil(stock: StockShop, skus: Sequence[str]) -> None:
    """Make products parts of a bundle that is shipped as one, in another source: Magento refuses every list with one."""
    catalog = stock.shop.box.magento.catalog
    model = next(
        one for one in catalog.all() if one["type_id"] == "bundle" and catalog.is_together(one["id"])
    )
    bundle = copy.deepcopy(model)
    option = bundle["extension_attributes"]["bundle_product_options"][0]
    option["product_links"] = [{**option["product_links"][0], "sku": sku} for sku in skus]
    catalog.add({**bundle, "id": catalog.next_id(), "sku": "SPOILED"})
    for sku in skus:
        stock.inventory.delete(sku, SOURCE)
        stock.inventory.set(sku, "munich", 1)


def export(stock: StockShop, count: int, *, places: Sequence[int], magento: int | None) -> tuple[int, int]:
    """Export ``count`` products of which those at ``places`` are bad; return the calls of Magento: all, and the export's."""
    skus = [stock.add(number, sku=f"LIMITED-{number:04}", magento=magento) for number in range(1, count + 1)]
    bad = [skus[place] for place in places]
    spoil(stock, bad)
    before = len(stock.shop.ledger.exchanges.list(system="magento", limit=10_000))
    stock.shop.box.calls.reset()
    job = stock.export(*skus)
    assert job.result == {"written": count - BAD, "jobs_of_their_own": sorted(bad)}
    assert {stock.item_job(sku).state for sku in bad} == {"blocked"}
    good = [sku for sku in skus if sku not in bad]
    assert [stock.has(sku) for sku in good] == [int(sku[-4:]) for sku in good]
    calls = sum(n for (system, _, _), n in stock.shop.box.calls.counts().items() if system == "magento")
    assert len(stock.shop.ledger.exchanges.list(system="magento", limit=10_000)) - before == calls
    return calls, len(stock.shop.ledger.exchanges.list(job_id=job.id, system="magento", limit=10_000))


def allowed(count: int) -> float:
    return 2 * count / LIMIT + BAD * 2 * math.log2(LIMIT)


@pytest.mark.parametrize("count", [40, 60, 300])
def test_rows_with_three_bad_ones_take_few_calls_the_bad_ones_own_jobs_included(
    limited: StockShop, count: int
):
    """Magento refuses only rows that it does not have yet, and those are sent last."""
    calls, _ = export(limited, count, places=[0, count // 2, count - 1], magento=0)
    assert calls <= allowed(count)


@pytest.mark.parametrize("count", [60, 300])
@pytest.mark.parametrize("place", [0, 9, 19])
def test_bad_rows_in_three_lists_are_found_in_few_calls_where_magento_has_none_of_them(
    limited: StockShop, count: int, place: int
):
    _, calls = export(limited, count, places=[place, LIMIT + place, 2 * LIMIT + place], magento=None)
    assert calls <= allowed(count)


def test_a_catalog_that_shows_few_products_at_once_has_them_all(limited: StockShop):
    """What was left out of a page was taken for gone: every row but twenty became a job of its own."""
    skus = [limited.add(number, magento=None) for number in range(1, 101)]
    assert limited.export(*skus).result == {"written": 100}
    assert limited.jobs("export-stock-item") == []

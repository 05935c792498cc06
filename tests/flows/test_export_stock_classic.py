"""Export of stock through the classic endpoint: one product a call, the source ``default`` only (FACTS 6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from bridge.sandbox.calls import Call
from tests.flows.conftest import OpenShop
from tests.support.stock_shop import StockShop, fake_odoo_stock

SOURCE = "default"
OpenStock = Callable[..., StockShop]


@pytest.fixture
def open_stock(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> OpenStock:
    fake = fake_odoo_stock(monkeypatch)

    def open_one(**settings: Any) -> StockShop:
        given = {"export_stock": True, "stock_api_mode": "classic", **settings}
        return StockShop(open_shop(18, own_box=True, **given), fake)

    return open_one


def add(stock: StockShop, quantity: object, *, magento: object | None = 0, **values: Any) -> str:
    return stock.add(quantity, magento=magento, source=SOURCE, **values)


def has(stock: StockShop, sku: str) -> tuple[Decimal | None, int | None]:
    """Return quantity and status of a product in the one source that is seen."""
    return stock.inventory.get(sku, SOURCE), stock.inventory.status(sku, SOURCE)


def written(stock: StockShop, *skus: str) -> Mapping[str, Any]:
    """Export products and return what the job says of it, without what is said of the shop's sources."""
    job = stock.export(*skus)
    assert job.state == "done"
    return {name: value for name, value in (job.result or {}).items() if name != "warnings"}


def calls(stock: StockShop) -> dict[str, int]:
    """Return how often stock items were read and written, and other calls made, since the last look."""
    found: dict[str, int] = {}
    for (system, method, operation), count in stock.shop.box.calls.counts().items():
        if system == "magento":
            name = method if "stockItems" in operation else operation
            found[name] = found.get(name, 0) + count
    stock.shop.box.calls.reset()
    return found


def is_write(call: Call) -> bool:
    return call.method == "PUT" and "stockItems" in call.operation


def test_quantities_are_exported_less_the_safety_stock(open_stock: OpenStock):
    stock = open_stock(safety_stock="5")
    skus = [add(stock, 12), add(stock, Decimal("7.5")), add(stock, 3, magento=9)]
    assert written(stock, *skus) == {"written": 3}
    assert [has(stock, sku)[0] for sku in skus] == [7, Decimal("2.5"), 0]
    assert not any(stock.is_dirty(sku, SOURCE) for sku in skus)


def test_only_what_changed_is_written(open_stock: OpenStock):
    stock = open_stock()
    skus = [add(stock, number) for number in range(1, 6)]
    written(stock, *skus)
    stock.set(skus[2], 30)
    calls(stock)
    assert written(stock, *skus) == {"written": 1, "unchanged": 4}
    seen = calls(stock)
    assert (seen["GET"], seen["PUT"], seen["/V1/products"]) == (5, 1, 1)
    assert written(stock, *skus) == {"unchanged": 5}
    assert "PUT" not in calls(stock)


def test_changed_is_against_what_magento_has_rules_3_5(open_stock: OpenStock):
    stock = open_stock()
    sku = add(stock, 5)
    written(stock, sku)
    stock.inventory.set(sku, SOURCE, 9)
    assert written(stock, sku) == {"written": 1}
    assert has(stock, sku) == (5, 1)


def test_more_than_a_batch_goes_on_until_all_are_out(open_stock: OpenStock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bridge.flows.export_stock.CLASSIC_BATCH", 3)
    stock = open_stock()
    skus = [add(stock, number) for number in range(1, 8)]
    stock.export(*skus)
    assert [has(stock, sku)[0] for sku in skus] == [1, 2, 3, 4, 5, 6, 7]
    assert [len(read) for read in stock.odoo.reads] == [3, 3, 1]


def test_all_warehouses_together_fill_the_one_source(open_stock: OpenStock):
    stock = open_stock(stock_routes="berlin=1; munich=2")
    sku = add(stock, 0)
    stock.set(sku, 4, warehouse_id=1)
    stock.set(sku, 5, warehouse_id=2)
    written(stock, sku)
    assert (has(stock, sku)[0], stock.has(sku, "berlin")) == (9, None)


def test_a_disabled_product_keeps_its_stock_right(open_stock: OpenStock):
    stock = open_stock()
    sku = add(stock, 5, status=2)
    assert written(stock, sku) == {"written": 1}
    assert has(stock, sku) == (5, 1)


def test_a_product_that_was_sold_out_is_for_sale_again(open_stock: OpenStock):
    """Magento switches off what is empty, whatever it is told: nobody did so by hand."""
    stock = open_stock()
    sku = add(stock, 5)
    written(stock, sku)
    stock.set(sku, 0)
    assert written(stock, sku) == {"written": 1}
    assert has(stock, sku) == (0, 0)
    # Nothing is sent again and again meanwhile.
    assert written(stock, sku) == {"unchanged": 1}
    stock.set(sku, 4)
    assert written(stock, sku) == {"written": 1}
    assert has(stock, sku) == (4, 1)


def test_what_magento_switched_off_and_another_filled_is_for_sale_again(open_stock: OpenStock):
    stock = open_stock()
    sku = add(stock, 5)
    written(stock, sku)
    stock.inventory.set_classic(sku, 5, 1, falls_off=True)
    assert written(stock, sku) == {"written": 1}
    assert has(stock, sku) == (5, 1)


def test_a_threshold_of_magento_switches_off_and_nothing_is_sent_again(open_stock: OpenStock):
    stock = open_stock()
    sku = add(stock, 3, magento=9)
    stock.inventory.set_threshold(sku, 5)
    written(stock, sku)
    assert has(stock, sku) == (3, 0)
    assert written(stock, sku) == {"unchanged": 1}


def test_what_may_be_ordered_back_stays_on_at_zero_rules_3_3(open_stock: OpenStock):
    stock = open_stock()
    sku = add(stock, 0, magento=4)
    stock.inventory.set_backorders(sku, allowed=True)
    written(stock, sku)
    assert has(stock, sku) == (0, 1)


def test_what_a_person_switched_off_stays_off_and_is_named_rules_3_3(open_stock: OpenStock):
    stock = open_stock()
    sku = add(stock, 5)
    written(stock, sku)
    stock.inventory.set(sku, SOURCE, 5, status=0)
    stock.set(sku, 6)
    assert written(stock, sku) == {"written": 1, "kept_off_by_hand": [sku]}
    assert has(stock, sku) == (6, 0)


@pytest.mark.parametrize("type_id", ["configurable", "bundle", "grouped"])
def test_what_has_no_quantity_of_its_own_is_left_alone(open_stock: OpenStock, type_id: str):
    stock = open_stock()
    sku = add(stock, 5, magento=0, type_id=type_id)
    calls(stock)
    assert written(stock, sku) == {"skipped": 1}
    assert "PUT" not in calls(stock)


def test_a_sku_of_another_case_is_the_same_product(open_stock: OpenStock):
    stock = open_stock()
    sku = add(stock, 5, sku="Classic-Case")
    stock.bind("CLASSIC-CASE", stock.ids[sku])
    stock.set("CLASSIC-CASE", 5)
    assert written(stock, "CLASSIC-CASE") == {"written": 1}
    assert has(stock, sku)[0] == 5


def test_a_sku_that_went_to_another_product_is_not_written(open_stock: OpenStock):
    """The bound product was renamed, and another one has its old SKU now."""
    stock = open_stock()
    sku = add(stock, 5, sku="MOVED")
    product_id = stock.ids[sku]
    stock.shop.box.magento.catalog.remove(sku)
    other = add(stock, 8, sku="MOVED", magento=8)
    renamed = add(stock, 5, sku="RENAMED", id=product_id)
    stock.bind("MOVED", product_id)
    stock.set("MOVED", 5)
    written(stock, "MOVED")
    assert has(stock, other)[0] == 8
    assert has(stock, renamed)[0] == 5


def _forget(stock: StockShop, sku: str) -> None:
    stock.shop.box.magento.catalog.remove(sku)


def _archive(stock: StockShop, sku: str) -> None:
    stock.odoo.archived.add(stock.ids[sku])


@pytest.mark.parametrize(
    ("quantity", "spoil", "error_says", "help_says"),
    [
        (5, _forget, "Magento has no product with the SKU {} any more.", "Nothing was sent"),
        (5, _archive, "The Odoo product of {} is archived.", "Unarchive the product"),
        (Decimal("NaN"), None, "quantity of {} is no number that Magento can keep", "Correct the quantity"),
        (Decimal("1e12"), None, "quantity of {} is no number that Magento can keep", "Correct the quantity"),
    ],
)
def test_a_figure_that_cannot_be_sent_waits_for_a_person_and_the_rest_goes_out(
    open_stock: OpenStock,
    quantity: Any,
    spoil: Callable[[StockShop, str], None] | None,
    error_says: str,
    help_says: str,
):
    stock = open_stock()
    good, bad = add(stock, 5), add(stock, quantity, magento=7)
    if spoil is not None:
        spoil(stock, bad)
    assert written(stock, good, bad) == {"written": 1, "jobs_of_their_own": [bad]}
    assert (has(stock, good)[0], has(stock, bad)[0]) == (5, 7)
    own = stock.item_job(bad)
    assert (own.state, own.error_code) == ("blocked", "stock_unclear")
    assert error_says.format(bad) in str(own.error)
    assert help_says in str(own.help)


def test_a_negative_stock_in_odoo_is_none_in_magento(open_stock: OpenStock):
    stock = open_stock()
    sku = add(stock, -3, magento=4)
    written(stock, sku)
    assert has(stock, sku)[0] == 0


def test_a_product_that_vanishes_between_the_look_and_the_write_is_told(
    open_stock: OpenStock, monkeypatch: pytest.MonkeyPatch
):
    stock = open_stock()
    good, bad = add(stock, 5), add(stock, 6)
    from_catalog = stock.shop.box.magento.catalog.by_sku

    def vanished(call: Call) -> bool:
        if is_write(call):
            monkeypatch.setattr(
                stock.shop.box.magento.catalog,
                "by_sku",
                lambda sku: None if sku == bad else from_catalog(sku),
            )
        return False

    stock.shop.box.magento.faults.once("cut_before", only=vanished)
    assert written(stock, good, bad) == {"written": 1, "jobs_of_their_own": [bad]}
    monkeypatch.undo()
    assert has(stock, good)[0] == 5
    own = stock.item_job(bad)
    assert (own.state, own.error_code) == ("blocked", "stock_unclear")
    assert f'The Product with the "{bad}" SKU doesn\'t exist' in str(own.error)
    assert "see what it says" in str(own.help)


def test_a_slash_that_the_web_server_refuses_blocks_that_product_alone(open_stock: OpenStock):
    stock = open_stock()
    good, bad = add(stock, 5), add(stock, 6, sku="WIDE/NARROW")
    stock.shop.box.magento.switches.refuses_slashes = True
    assert written(stock, good, bad) == {"written": 1, "jobs_of_their_own": [bad]}
    own = stock.item_job(bad)
    assert "refuses addresses with the slash of the SKU WIDE/NARROW" in str(own.error)
    assert "AllowEncodedSlashes" in str(own.help)
    stock.shop.box.magento.switches.refuses_slashes = False
    stock.shop.ledger.jobs.retry(own.id)
    stock.shop.work()
    assert has(stock, bad)[0] == 6


def test_a_lost_answer_is_looked_for_and_not_sent_again(open_stock: OpenStock):
    stock = open_stock()
    skus = [add(stock, number) for number in range(1, 5)]
    calls(stock)
    shot = stock.shop.box.magento.faults.once(
        "cut_after", only=lambda call: is_write(call) and skus[1] in call.path
    )
    stock.export(*skus)
    assert shot.fired.is_set()
    assert [has(stock, sku)[0] for sku in skus] == [1, 2, 3, 4]
    assert calls(stock)["PUT"] == 4
    assert not any(stock.is_dirty(sku, SOURCE) for sku in skus)


def test_a_fault_inside_magento_is_tried_again_without_a_doubt(open_stock: OpenStock):
    stock = open_stock(magento_doubt_seconds=[600])
    sku = add(stock, 5)
    stock.shop.box.magento.faults.once("error_500", only=is_write)
    job = stock.export(sku)
    assert (job.state, has(stock, sku)[0]) == ("done", 5)
    codes = [one.error_code for one in stock.shop.ledger.jobs.attempts(job.id)]
    assert codes == ["service_unavailable", None]


def test_sources_that_are_not_seen_are_named_by_the_job(open_stock: OpenStock):
    stock = open_stock()
    (warning,) = (stock.export(add(stock, 5)).result or {})["warnings"]
    assert "sees the source default only" in warning
    assert "base from the stock Web (berlin, munich)" in warning
    assert "stock_api_mode=msi" in warning


def test_a_shop_that_sells_from_default_alone_is_warned_of_nothing(open_stock: OpenStock):
    stock = open_stock()
    stock.inventory.remove_stock(stock.stock_id)
    for code in ("berlin", "munich"):
        stock.inventory.sources.remove(stock.inventory.source(code) or {})
    assert stock.export(add(stock, 5)).result == {"written": 1}

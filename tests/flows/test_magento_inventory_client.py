"""The client of Magento's inventory against the simulated shop."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge import errors
from bridge.magento import MagentoClient, OAuthSecret, bulk, inventory, stocks
from bridge.magento.inventory import SourceItem
from bridge.sandbox.calls import Calls
from bridge.sandbox.magento_box import MagentoBox
from bridge.wire import NoAnswer

ODD_SKUS = ["a,b", "50% off/\u00fc", " lead", "trail ", "q&a=1+2", 'say "hi"', "x" * 64]


@pytest.fixture
def box():
    box = MagentoBox(calls=Calls())
    for code in ("berlin", "munich"):
        box.inventory.add_source(code)
    box.inventory.add_stock("EU Stock", websites=["base"], sources=["berlin", "munich"])
    yield box
    box.stop()


@pytest.fixture
def magento(box):
    client = MagentoClient.connect(base_url=box.url, secret=OAuthSecret(**box.secret))
    yield client
    client.close()


def items(*rows):
    return [SourceItem(sku=sku, source_code=code, quantity=Decimal(quantity)) for sku, code, quantity in rows]


def test_quantities_are_written_and_read_back_exactly_by_sku_and_source(box, magento):
    written = items(("SIM-01", "berlin", "0.1"), ("SIM-01", "munich", "7"), ("SIM-02", "berlin", "12.3456"))
    inventory.write_source_items(magento, written)
    read = inventory.source_items(magento, ["SIM-01", "sim-02", "NOPE"], ["berlin", "munich"])
    assert {key: item.quantity for key, item in read.items()} == {
        ("SIM-01", "berlin"): Decimal("0.1"),
        ("SIM-01", "munich"): Decimal(7),
        ("sim-02", "berlin"): Decimal("12.3456"),
    }
    assert read["sim-02", "berlin"].sku == "SIM-02"


def test_skus_with_any_character_are_read_and_written(box, magento):
    inventory.write_source_items(magento, items(*((sku, "berlin", "3") for sku in ODD_SKUS)))
    read = inventory.source_items(magento, ODD_SKUS, ["berlin"])
    assert {sku for sku, _ in read} == set(ODD_SKUS)


def test_five_hundred_figures_are_one_call(box, magento):
    skus = [f"SKU-{number:06}" for number in range(166)]
    rows = [(sku, code, "1") for sku in skus for code in ("berlin", "munich", "default")]
    box.calls.reset()
    inventory.write_source_items(magento, items(*rows))
    read = inventory.source_items(magento, skus, ["berlin", "munich", "default"])
    assert len(read) == len(rows)
    assert box.calls.total("magento") == 2


def test_a_shop_that_shows_fewer_rows_at_once_is_read_whole(box, magento):
    skus = [f"SKU-{number:06}" for number in range(130)]
    inventory.write_source_items(magento, items(*((sku, "berlin", "2") for sku in skus)))
    box.switches.input_limits = True
    box.calls.reset()
    assert len(inventory.source_items(magento, skus, ["berlin"])) == len(skus)
    # Refused once, then shown the first 50 of them, then three pages that each hold all of their SKUs.
    assert box.calls.total("magento") == 1 + 1 + 3


def test_a_sweep_reads_each_row_of_a_source_once(box, magento):
    skus = [f"SKU-{number:06}" for number in range(130)]
    inventory.write_source_items(magento, items(*((sku, "munich", "2") for sku in skus)))
    found, after = [], None
    while True:
        page = inventory.sweep_source_items(magento, "munich", after=after, page_size=40)
        found += [item.sku for item in page.items]
        after = page.after
        if after is None:
            break
    assert found == skus


def test_the_input_limit_is_named_with_its_number(box, magento):
    box.switches.input_limits = True
    rows = items(*((f"S{number}", "berlin", "1") for number in range(21)))
    with pytest.raises(errors.ServiceRejected) as caught:
        inventory.write_source_items(magento, rows)
    assert inventory.batch_limit(caught.value) == 20
    inventory.write_source_items(magento, rows[:20])


@pytest.mark.parametrize(("sku", "source"), [("SIM-01", "nope"), ("SIM-17", "berlin")])
def test_a_bad_row_refuses_the_batch_and_nothing_is_written(box, magento, sku, source):
    with pytest.raises(errors.ServiceRejected) as caught:
        inventory.write_source_items(magento, items(("SIM-04", "berlin", "5"), (sku, source, "1")))
    assert inventory.is_refused_batch(caught.value)
    assert box.inventory.get("SIM-04", "berlin") is None


def test_a_quantity_that_cannot_be_right_is_refused_before_anything_is_sent(box, magento):
    box.calls.reset()
    with pytest.raises(errors.ServiceRejected) as caught:
        inventory.write_source_items(magento, items(("SIM-04", "berlin", "-1")))
    assert caught.value.details["sku"] == "SIM-04"
    assert box.calls.total("magento") == 0


@pytest.mark.parametrize("quantity", ["-1", "NaN", "1e12", "0.00001"])
def test_the_classic_endpoint_is_sent_nothing_that_cannot_be_right(box, magento, quantity):
    box.calls.reset()
    with pytest.raises(errors.ServiceRejected) as caught:
        stocks.write_stock_item(magento, "SIM-04", quantity=Decimal(quantity))
    assert (caught.value.details["reason"], caught.value.details["sku"]) == ("source_item", "SIM-04")
    assert box.calls.total("magento") == 0


def test_what_is_empty_is_switched_off_by_magento_itself(box, magento):
    stocks.write_stock_item(magento, "SIM-04", quantity=Decimal(0))
    item = stocks.stock_item(magento, "SIM-04")
    assert (item.is_in_stock, item.is_switched_by_itself, item.is_off_by_hand) == (False, True, False)
    stocks.write_stock_item(magento, "SIM-04", quantity=Decimal(3), is_in_stock=False)
    item = stocks.stock_item(magento, "SIM-04")
    assert (item.is_in_stock, item.is_switched_by_itself, item.is_off_by_hand) == (False, False, True)


def test_a_locked_index_is_in_doubt_and_passing(box, magento):
    box.faults.once("error_500_after", "source-items")
    with pytest.raises(NoAnswer) as caught:
        inventory.write_source_items(magento, items(("SIM-04", "berlin", "5")))
    assert caught.value.sent
    assert isinstance(caught.value, errors.RetryableError)
    assert box.inventory.get("SIM-04", "berlin") == 5


def test_a_bulk_is_done_when_the_queue_runs_and_its_status_is_told(box, magento):
    batches = [items(("SIM-19", "berlin", "33")), items(("SIM-19", "nope", "33"))]
    uuid = bulk.send_source_items(magento, batches)
    assert bulk.bulk_status(magento, uuid).open == 2
    assert box.inventory.get("SIM-19", "berlin") is None
    assert box.run_queue() == 2
    status = bulk.bulk_status(magento, uuid)
    assert (status.done, status.failed, status.is_through) == (1, 1, True)
    assert status.messages == {1: "Could not save Source Item"}
    assert box.inventory.get("SIM-19", "berlin") == 33
    assert bulk.bulk_status(magento, "00000000-0000-0000-0000-000000000000") is None


def test_the_layout_names_sources_stocks_and_what_they_sell_for(box, magento):
    box.inventory.link(1, "munich", 5)
    box.inventory.add_source("munich", is_enabled=False)
    found = stocks.layout(magento)
    assert {one.source_code: one.is_enabled for one in found.sources} == {
        "default": True,
        "berlin": True,
        "munich": False,
    }
    assert found.stock_for("base").source_codes == ("berlin", "munich")
    assert found.stock_for("outlet").source_codes == ("default", "munich")
    assert found.shared_sources == ["munich"]


def test_the_classic_endpoint_writes_source_default_only(box, magento):
    sku = "SKU WITH/SLASH & space"
    stocks.write_stock_item(magento, sku, quantity=Decimal("12.5"))
    assert stocks.stock_item(magento, sku).quantity == Decimal("12.5")
    assert box.inventory.get(sku, "default") == Decimal("12.5")
    assert stocks.salable_quantity(magento, sku, 2) == 0
    assert not stocks.is_salable(magento, sku, 2)
    with pytest.raises(errors.RecordMissing):
        stocks.stock_item(magento, "NOPE")

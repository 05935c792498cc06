"""What real Magentos answered about inventory, read by the client."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge import errors
from bridge.magento import bulk, inventory, stocks
from bridge.magento.inventory import SourceItem


def test_source_items_are_read_with_exact_quantities(shop, magento):
    shop.answers("inventory/017-*")
    found = inventory.source_items(magento, ["SIM-01"], ["berlin", "default", "munich"])
    assert {code: item.quantity for (_, code), item in found.items()} == {
        "berlin": Decimal(40),
        "default": Decimal(100),
        "munich": Decimal("10.5"),
    }
    assert all(isinstance(item.quantity, Decimal) for item in found.values())


def test_a_row_out_of_stock_is_told(shop, magento):
    shop.answers("inventory/067-*")
    found = inventory.source_items(magento, ["SIM-20"], ["berlin", "munich"])
    assert found["SIM-20", "munich"].status == inventory.OUT_OF_STOCK
    assert found["SIM-20", "berlin"].status == inventory.IN_STOCK


@pytest.mark.parametrize("name", ["inventory/024-*", "inventory/039-*", "inventory/026-*"])
def test_a_refused_batch_is_known_as_one(shop, magento, name):
    shop.answers(name)
    item = SourceItem(sku="SIM-17", source_code="berlin", quantity=Decimal(9))
    with pytest.raises(errors.ServiceRejected) as caught:
        inventory.write_source_items(magento, [item])
    assert inventory.is_refused_batch(caught.value)
    assert "<a" not in caught.value.message


def test_the_input_limit_gives_its_number(shop, magento):
    shop.answers("errors/028-*")
    item = SourceItem(sku="SIM-01", source_code="berlin", quantity=Decimal(9))
    with pytest.raises(errors.ServiceRejected) as caught:
        inventory.write_source_items(magento, [item] * 21)
    assert inventory.batch_limit(caught.value) == 20


def test_what_is_for_sale_is_read(shop, magento):
    shop.answers("inventory/020-*")
    assert stocks.salable_quantity(magento, "SIM-01", 2) == Decimal("51.5")
    shop.answers("inventory/046-*")
    assert not stocks.is_salable(magento, "NOPE", 2)
    shop.answers("inventory/053-*")
    with pytest.raises(errors.ServiceRejected, match="without Source Items"):
        stocks.salable_quantity(magento, "TSHIRT", 2)
    shop.answers("inventory/052-*")
    with pytest.raises(errors.ServiceUnavailable):
        stocks.salable_quantity(magento, "NOPE", 2)


def test_stocks_and_their_sources_are_read(shop, magento):
    shop.answers("inventory/002-*", "inventory/001-*", "inventory/013-*")
    found = stocks.layout(magento)
    assert found.stock_for("base").stock_id == 1
    assert found.stocks[0].source_codes == ("berlin", "munich")
    assert [one.source_code for one in found.sources] == ["default"]


def test_the_classic_stock_item_is_read(shop, magento):
    shop.answers("inventory/056-*")
    item = stocks.stock_item(magento, "SIM-02")
    assert (item.item_id, item.quantity, item.is_in_stock, item.manage_stock) == (2, 100, True, True)
    shop.answers("inventory/060-*")
    with pytest.raises(errors.RecordMissing):
        stocks.stock_item(magento, "NOPE")


def test_the_status_of_a_bulk_is_a_hint_that_can_be_read(shop, magento):
    shop.answers("async/024-*")
    status = bulk.bulk_status(magento, "a0f1e018-de85-4da6-bd85-d0912b8ec642")
    assert (status.done, status.failed, status.open) == (1, 1, 0)
    assert status.messages == {1: "Could not save Source Item"}
    shop.answers("async/002-*")
    assert not bulk.bulk_status(magento, "740f7697-f87e-4214-a851-bae3e662e080").is_through
    shop.answers("async/033-*")
    assert bulk.bulk_status(magento, "00000000-0000-0000-0000-000000000000") is None

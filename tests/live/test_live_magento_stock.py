"""Stock in a real Magento: what is written, what is for sale at each moment of an order, and Magento's queue."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.errors import ServiceRejected
from bridge.magento import bulk, inventory, stocks
from bridge.magento.inventory import SourceItem
from tests.live.magento import RealMagento


@pytest.fixture
def stock_id(magento: RealMagento) -> int:
    return int(magento.client.get(f"/inventory/stock-resolver/website/{magento.website.code}")["stock_id"])


@pytest.fixture
def source(magento: RealMagento) -> str:
    return magento.sources[0]


def item(sku: str, source: str, quantity: str) -> SourceItem:
    return SourceItem(sku=sku, source_code=source, quantity=Decimal(quantity))


def test_the_places_of_the_shop_hang_together(magento: RealMagento, stock_id: int, source: str) -> None:
    layout = stocks.layout(magento.client)
    stock = layout.stock_for(magento.website.code)
    assert stock is not None and stock.stock_id == stock_id
    assert source in stock.source_codes
    assert layout.source(source) is not None


def test_rows_are_all_written_or_none(magento: RealMagento, source: str) -> None:
    sku, other = magento.product(magento.sku("{}, a/b")), magento.product()
    inventory.write_source_items(magento.client, [item(sku, source, "4.5"), item(other, source, "7")])
    with pytest.raises(ServiceRejected) as caught:
        inventory.write_source_items(
            magento.client, [item(sku, source, "5"), item(other, "no-such-source", "1")]
        )
    assert inventory.is_refused_batch(caught.value)
    found = inventory.source_items(magento.client, [sku, other], [source])
    assert {key: one.quantity for key, one in found.items()} == {
        (sku, source): Decimal("4.5"),
        (other, source): Decimal(7),
    }
    # Another case is the same row.
    inventory.write_source_items(magento.client, [item(sku.upper(), source, "6")])
    assert inventory.source_items(magento.client, [sku], [source])[sku, source].quantity == 6


def test_what_is_for_sale_stays_right_while_an_order_is_delivered_and_shipped(
    magento: RealMagento, stock_id: int, source: str
) -> None:
    """The rows of RULES 3 for one order of 3 of 10: what is pushed, and what Magento then sells."""
    sku = magento.product()
    for code in magento.sources:
        inventory.write_source_items(magento.client, [item(sku, code, "0")])

    def for_sale(pushed: str) -> Decimal:
        inventory.write_source_items(magento.client, [item(sku, source, pushed)])
        return stocks.salable_quantity(magento.client, sku, stock_id)

    assert for_sale("10") == 10
    order = magento.place((sku, 3))
    assert stocks.salable_quantity(magento.client, sku, stock_id) == 7
    # Not imported, confirmed, reserved or delivered in Odoo: 10 until the shipment is in Magento.
    assert for_sale("10") == 7

    def ship(units: int) -> None:
        line = {"order_item_id": order["items"][0]["item_id"], "qty": units}
        arguments = {"extension_attributes": {"source_code": source}}
        magento.client.post(f"/order/{order['entity_id']}/ship", {"items": [line], "arguments": arguments})

    ship(1)
    assert stocks.salable_quantity(magento.client, sku, stock_id) == 7
    assert for_sale("9") == 7
    ship(2)
    assert for_sale("7") == 7
    assert for_sale("0") == 0
    assert not stocks.is_salable(magento.client, sku, stock_id)


def test_the_queue_takes_batches_and_says_what_became_of_them(magento: RealMagento, source: str) -> None:
    sku = magento.product()
    uuid = bulk.send_source_items(
        magento.client, [[item(sku, source, "21")], [item(sku, "no-such-source", "1")]]
    )
    status = bulk.bulk_status(magento.client, uuid)
    assert status is not None
    # Open until the queue's consumer has run, if it runs at all: what counts is what is read back.
    assert status.open + status.done + status.failed == 2
    if status.is_through:
        assert (status.done, status.failed) == (1, 1)
        assert inventory.source_items(magento.client, [sku], [source])[sku, source].quantity == 21
    assert bulk.bulk_status(magento.client, "00000000-0000-0000-0000-000000000000") is None


def test_the_classic_stock_item_is_that_of_the_source_default(magento: RealMagento) -> None:
    sku = magento.product(magento.sku("CL/{}"))
    for quantity, is_in_stock in (("8", True), ("0", False), ("2.5", True)):
        stocks.write_stock_item(magento.client, sku, quantity=Decimal(quantity))
        found = stocks.stock_item(magento.client, sku)
        # Magento switches off what is sold out, and on again with the next quantity.
        assert (found.quantity, found.is_in_stock) == (Decimal(quantity), is_in_stock)
        items = inventory.source_items(magento.client, [sku], [stocks.DEFAULT_SOURCE])
        assert items[sku, stocks.DEFAULT_SOURCE].quantity == Decimal(quantity)

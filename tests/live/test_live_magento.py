"""A real Magento, where its address is given (docs/operations.md)."""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.translate import needs, parse_order


def test_magento_opens_what_the_bridge_needs(magento):
    assert magento.client.probe().verdict == "ok"


def test_every_order_of_a_page_can_be_read_and_understood(magento):
    page = magento.client.scan_orders(updated_from=datetime(2015, 1, 1, tzinfo=UTC), page_size=20)
    for row in page.rows:
        order = parse_order(magento.client.order(row["entity_id"]))
        assert needs(order).products

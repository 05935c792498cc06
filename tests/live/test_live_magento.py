"""A real Magento, where its address is given (docs/operations.md)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.magento import MagentoClient, parse_secret
from bridge.translate import needs, parse_order
from tests.live.given import given


@pytest.fixture
def magento():
    secret = parse_secret(given("MAGENTO_OAUTH"))
    client = MagentoClient.connect(base_url=given("MAGENTO_URL"), secret=secret)
    yield client
    client.close()


def test_magento_opens_what_the_bridge_needs(magento):
    assert magento.probe().verdict == "ok"


def test_every_order_of_a_page_can_be_read_and_understood(magento):
    page = magento.scan_orders(updated_from=datetime(2015, 1, 1, tzinfo=UTC), page_size=20)
    for row in page.rows:
        order = parse_order(magento.order(row["entity_id"]))
        assert needs(order).products

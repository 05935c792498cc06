"""Against real servers, where their addresses are given (docs/operations.md)."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.magento import MagentoClient, parse_secret
from bridge.odoo import OdooClient
from bridge.translate import needs, parse_order


def given(name: str) -> str:
    value = os.environ.get(f"BRIDGE_LIVE_{name}", "")
    if not value:
        pytest.fail(f"BRIDGE_LIVE_{name} is not given; see docs/operations.md.")
    if value.startswith("@"):
        return Path(value[1:]).read_text(encoding="utf-8").strip()
    return os.environ[value.removeprefix("env:")] if value.startswith("env:") else value


@pytest.fixture
def magento():
    secret = parse_secret(given("MAGENTO_OAUTH"))
    client = MagentoClient.connect(base_url=given("MAGENTO_URL"), secret=secret)
    yield client
    client.close()


@pytest.fixture
def odoo():
    client = OdooClient.connect(
        url=given("ODOO_URL"), db=given("ODOO_DB"), user=given("ODOO_USER"), key=given("ODOO_KEY")
    )
    yield client
    client.close()


def test_magento_opens_what_the_bridge_needs(magento):
    assert magento.probe().verdict == "ok"


def test_every_order_of_a_page_can_be_read_and_understood(magento):
    page = magento.scan_orders(updated_from=datetime(2015, 1, 1, tzinfo=UTC), page_size=20)
    for row in page.rows:
        order = parse_order(magento.order(row["entity_id"]))
        assert needs(order).products


def test_the_apps_that_the_bridge_needs_are_usable(odoo):
    assert set(odoo.profile().apps.values()) == {"usable"}


def test_the_same_key_makes_one_partner(odoo):
    key = f"__commerce_bridge__.live_{uuid.uuid4().hex}"
    fields, row = ["id", "name"], [key, "CommerceBridge live test"]
    first = odoo.load_one("res.partner", fields, [row])
    try:
        assert odoo.load_one("res.partner", fields, [[key, "another name"]]) == first
        assert odoo.read("res.partner", [first], ["name"])[0]["name"] == "CommerceBridge live test"
    finally:
        odoo.call("res.partner", "unlink", [first])

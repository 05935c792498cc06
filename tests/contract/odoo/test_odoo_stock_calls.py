"""Quantities and counts as real Odoo servers told them, read by the client."""

from __future__ import annotations

from decimal import Decimal

import odoo_replay as replay
import pytest
from odoo_replay import Server

from bridge.odoo import counts, stock

#: The one key of the context that tells warehouses apart in a version, as recorded.
HEEDED = {16: "qty-context-warehouse", 18: "qty-context-warehouse-id", 19: "qty-context-warehouse-id"}
IGNORED = {16: "qty-context-warehouse-id", 18: "qty-context-warehouse", 19: "qty-context-warehouse"}
VERSIONS = (16, 18)


def answering(version, name):
    recorded = replay.recording(version, f"stock/{name}")
    server = Server(lambda _: replay.answer_of(recorded))
    return replay.client(server, version=version, uid=2), server


@pytest.mark.parametrize("version", VERSIONS)
def test_the_key_that_the_version_heeds_is_always_among_those_sent(version):
    client, server = answering(version, HEEDED[version])
    (product,) = replay.recording(version, f"stock/{HEEDED[version]}").execute_kw[5][0]
    found = stock.quantities(client, [product], "qty_available", warehouse_ids=[1])
    assert found == {product: Decimal(45)}
    sent = server.bodies[-1]["params"]["args"][6]["context"]
    recorded = replay.recording(version, f"stock/{HEEDED[version]}").execute_kw[6]["context"]
    assert {name: [value] for name, value in recorded.items()}.items() <= sent.items()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_key_that_is_ignored_brings_the_total_as_recorded(version):
    client, _ = answering(version, IGNORED[version])
    (product,) = replay.recording(version, f"stock/{IGNORED[version]}").execute_kw[5][0]
    assert stock.quantities(client, [product], "free_qty", warehouse_ids=[1]) == {product: Decimal(52)}


def test_a_warehouse_that_is_gone_leaves_no_figure():
    client, _ = answering(18, "qty-context-warehouse-unknown")
    assert stock.quantities(client, [26], "free_qty", warehouse_ids=[99999]) == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_warehouses_are_read_as_recorded(version):
    client, _ = answering(version, "warehouses-read")
    (found,) = stock.warehouses(client)
    assert (found.code, found.stock_location_id, found.view_location_id) == ("WH", 8, 7)
    assert found.delivery_steps == "ship_only"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_count_that_waits_is_told(version):
    client, _ = answering(version, "quant-read-before-apply")
    (quant,) = counts.quants(client, [26], 8)
    assert (quant.quantity, quant.counted, quant.location_id) == (0, 50, 8)


@pytest.mark.parametrize("version", VERSIONS)
def test_changed_quants_are_read_with_their_products(version):
    client, server = answering(version, "quants-changed-since")
    recorded = replay.recording(version, "stock/quants-changed-since")
    row = recorded.response["json"]["result"][0]
    cursor = stock.ChangeCursor(since=replay_moment("2026-01-01 00:00:00"))
    page = stock.scan_changes(client, "stock.quant", cursor, page_size=5)
    assert page.is_last
    assert row["product_id"][0] in page.product_ids
    domain, order = server.bodies[-1]["params"]["args"][5][0], server.bodies[-1]["params"]["args"][6]["order"]
    assert domain == [["write_date", ">=", "2026-01-01 00:00:00"]]
    assert order == recorded.execute_kw[6]["order"]


def replay_moment(text):
    return stock.moment_of({"write_date": text})

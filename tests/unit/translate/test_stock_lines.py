"""What each line of an order holds back in Magento, by events in time order (RULES 3, FACTS 7 and 8)."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.translate.stock_lines import (
    LineEvent,
    LineState,
    advance,
    is_ambiguous,
    line_events,
    line_states,
    replay,
)

RECORDED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "recordings" / "stock" / "magento.json").read_text(encoding="utf-8")
)
MIXED = [name for name in RECORDED if "mixed-refund" in name]


def an_item(item_id: int = 1, **values: Any) -> dict[str, Any]:
    return {
        "item_id": item_id,
        "product_id": 100 + item_id,
        "sku": f"SKU-{item_id}",
        "qty_ordered": 3,
        **values,
    }


def state(ordered: int = 3, **values: int) -> LineState:
    counts = {name: Decimal(value) for name, value in values.items()}
    return LineState(item_id=1, product_id=7, sku="SIM-01", ordered=Decimal(ordered), **counts)


@pytest.mark.parametrize("name", MIXED)
def test_the_reservation_that_magento_was_seen_to_hold_after_mixed_refunds(name):
    recorded = RECORDED[name]
    (now,) = line_states({"items": recorded["items"][-1]})
    found = advance(None, now)
    assert found.open == recorded["figures"]["reservation_seen"]
    assert found.shipped_since == recorded["figures"]["X"]


def test_a_unit_refunded_while_others_are_open_leaves_a_negative_reservation():
    """``rules/refund-shipped-unit-while-others-open``: 3, 2, 1, -1."""
    seen = [
        one["reservation_seen"] for one in RECORDED["017-refund-shipped-unit-while-others-open"]["figures"]
    ]
    steps = [state(), state(shipped=1), state(shipped=1, refunded=1), state(shipped=3, refunded=1)]
    known, found = None, []
    for now in steps:
        known = advance(known, now)
        found.append(int(known.open))
    assert found == seen == [3, 2, 1, -1]


def test_what_is_read_at_once_and_could_be_either_is_told_by_the_documents():
    now = state(shipped=3, refunded=1)
    assert is_ambiguous(None, now)
    assert advance(None, now).open == 0
    shipments = [
        {"created_at": "2026-11-01 10:00:03", "items": [{"order_item_id": 1, "qty": 2}]},
        {"created_at": "2026-11-01 10:00:01", "items": [{"order_item_id": 1, "qty": 1}]},
    ]
    memos = [{"created_at": "2026-11-01 10:00:02", "items": [{"order_item_id": 1, "qty": 1}]}]
    events = line_events(shipments, memos)[1]
    assert [event.kind for event in events] == ["ship", "refund", "ship"]
    assert advance(None, now, events=events).open == -1
    # The other way round they left nothing open.
    assert (
        advance(None, now, events=line_events(shipments, [{**memos[0], "created_at": "2026-11-02"}])[1]).open
        == 0
    )


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (None, {"shipped": 1}),
        (None, {"shipped": 1, "refunded": 1}),
        (None, {"shipped": 1, "refunded": 2}),
        (None, {"canceled": 3}),
    ],
)
def test_where_the_order_of_events_does_not_matter_no_document_is_needed(before, now):
    assert not is_ambiguous(before, state(**now))


def test_a_refund_of_what_is_not_open_changes_nothing():
    ship = LineEvent(kind="ship", quantity=Decimal(3))
    refund = LineEvent(kind="refund", quantity=Decimal(2))
    assert replay(Decimal(3), [ship, refund]) == 0
    assert replay(Decimal(2), [ship, refund]) == -1


def test_a_cancellation_frees_what_is_open():
    assert advance(advance(None, state()), state(canceled=3)).open == 0
    # 2 shipped and one of these refunded, 3 cancelled: not below 0.
    assert advance(None, state(5, shipped=2, canceled=3, refunded=1)).open == 0


def test_the_same_order_read_again_changes_nothing():
    once = advance(None, state(shipped=1, refunded=1))
    assert advance(once, state(shipped=1, refunded=1)) == once


def test_units_shipped_before_the_opening_are_not_counted():
    assert state(shipped=3, shipped_before=2).shipped_since == 1


def test_of_a_configurable_the_parent_counts_and_the_child_is_the_product_facts_8():
    parent = an_item(1, product_type="configurable", sku="TSHIRT-Red-M", qty_shipped=2)
    child = an_item(2, parent_item_id=1, sku="TSHIRT-Red-M", qty_shipped=0)
    (found,) = line_states({"items": [parent, child]})
    assert (found.item_id, found.product_id, found.sku, found.shipped) == (1, 102, "TSHIRT-Red-M", 2)


def test_the_parts_of_a_dynamic_bundle_count_for_themselves_facts_8():
    """``fulfilment/062-bundle-order-after-refund``: the parent's counters mean nothing."""
    parent = an_item(8, product_type="bundle", qty_ordered=2, qty_shipped=2, qty_refunded=5)
    parts = [
        an_item(9, parent_item_id=8, price=3, qty_ordered=2, qty_shipped=2, qty_refunded=1),
        an_item(10, parent_item_id=8, price=2, qty_ordered=4, qty_shipped=4, qty_refunded=0),
    ]
    found = line_states({"items": [parent, *parts]})
    assert [(one.item_id, one.ordered, one.shipped, one.refunded) for one in found] == [
        (9, 2, 2, 1),
        (10, 4, 4, 0),
    ]


def test_the_parts_of_a_fixed_bundle_go_with_their_parent():
    parent = an_item(12, product_type="bundle", price=50, qty_ordered=2, qty_canceled=1, qty_refunded=1)
    parts = [
        an_item(13, parent_item_id=12, price=0, qty_ordered=4),
        an_item(14, parent_item_id=12, price=0, qty_ordered=2),
    ]
    found = line_states({"items": [parent, *parts]})
    assert [(one.item_id, one.canceled, one.refunded) for one in found] == [(13, 2, 2), (14, 1, 1)]


def test_what_is_virtual_leaves_the_source_when_it_is_invoiced():
    (found,) = line_states({"items": [an_item(is_virtual=1, qty_invoiced=2)]})
    assert found.shipped == 2


def test_ids_may_be_texts_with_digits_and_lists_may_be_objects():
    texts = {"item_id": "71.0000", "product_id": "5.0", "qty_ordered": "3.0000", "is_virtual": "0"}
    (found,) = line_states({"items": {"1": {"sku": "SKU", **texts}}})
    assert (found.item_id, found.product_id, found.ordered) == (71, 5, 3)


@pytest.mark.parametrize(
    "items", [None, [], [{}], ["x"], [an_item(qty_ordered="many")], [an_item(qty_ordered=0)]]
)
def test_what_cannot_be_read_holds_nothing_back(items):
    assert line_states({"items": items}) == []

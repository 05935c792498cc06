"""What the ledger keeps of an order to see changes by: enough for the diff, nothing personal."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from bridge.translate.magento_order import parse_order
from bridge.translate.order_diff import diff_order
from bridge.translate.order_snapshot import marks, restored, snapshot
from tests.unit.translate.books import RECORDED, load, raw_item, raw_order, recorded


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_an_order_restored_from_its_snapshot_does_not_differ(path):
    raw = load(path)["response"]["json"]
    order = parse_order(raw)
    kept = json.loads(json.dumps(snapshot(raw, order)), parse_float=Decimal)
    assert diff_order(parse_order(restored(kept, raw)), order).is_empty


def test_a_changed_price_shows_against_the_snapshot():
    raw = recorded(1)
    kept = snapshot(raw, parse_order(raw))
    item = raw["items"][0] | {"price": Decimal("34.33")}
    changed = raw | {"items": [item]}
    diff = diff_order(parse_order(restored(kept, changed)), parse_order(changed))
    assert [change.field for change in diff.blocking] == ["items[1].price"]


def test_nothing_personal_is_kept():
    for number in (2, 19, 20, 23):
        raw = recorded(number)
        text = json.dumps(snapshot(raw, parse_order(raw)), ensure_ascii=False)
        billing = raw["billing_address"]
        for personal in (
            raw["customer_email"],
            billing["lastname"],
            billing["telephone"],
            *billing["street"],
            "F\u00fcr Omi",
        ):
            assert personal not in text


def test_marks_change_with_what_they_stand_for():
    one = parse_order(raw_order())
    other = parse_order(raw_order(customer_note="Klingeln", customer_email="other@example.com"))
    changed = {name for name, mark in marks(one).items() if marks(other)[name] != mark}
    assert changed == {"customer", "notes"}


@pytest.mark.parametrize("lines", ["a list with nulls", "an object"])
def test_lines_are_kept_in_whichever_form_php_sent_them(lines):
    raw = recorded(20)
    items = [None, *raw["items"]] if lines == "a list with nulls" else dict(enumerate(raw["items"]))
    sent = raw | {"items": items}
    kept = json.loads(json.dumps(snapshot(sent, parse_order(sent))), parse_float=Decimal)
    assert sorted(kept["items"]) == sorted(str(item["item_id"]) for item in raw["items"])
    assert diff_order(parse_order(restored(kept, sent)), parse_order(sent)).is_empty


@pytest.mark.parametrize("extension", [None, [], ["taxes"], "taxes"])
def test_extension_attributes_that_are_no_object_are_none(extension):
    raw = raw_order() | {
        "items": [raw_item(tax_amount=0, row_total_incl_tax=10)],
        "extension_attributes": extension,
    }
    kept = snapshot(raw, parse_order(raw))
    assert kept["extension"] == {}
    assert diff_order(parse_order(restored(kept, raw)), parse_order(raw)).is_empty
